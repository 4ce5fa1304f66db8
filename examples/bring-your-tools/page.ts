/** The one page. Everything that comes from elsewhere (names, descriptions, results) is text, never markup. */
import type { Tool } from '@modelcontextprotocol/client'
import { type Field, fieldsOf } from './form.ts'

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
class Markup {
  constructor(readonly text: string) {}
}
type Part = Markup | string | readonly Markup[]

function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const written = parts.map((part) =>
    part instanceof Markup
      ? part.text
      : typeof part === 'string'
        ? part.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? '')
        : part.map(({ text }) => text).join(''),
  )
  return new Markup(String.raw({ raw: texts }, ...written))
}
const NOTHING = html``

export type Shown = {
  address: string
  tools?: readonly Tool[]
  called?: { name: string; text: string; isError: boolean }
  trouble?: string
}

export const page = ({ address, tools, called, trouble }: Shown): string =>
  `<!doctype html>${
    html`<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>Bring your tools</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
  <main>
    <header>
      <h1>Bring your tools</h1>
      <p>A sample application that comes with no tools of its own. It uses yours, with your permission, from <code>${address}</code>.</p>
    </header>
    ${trouble ? html`<p class="trouble" role="alert">${trouble}</p>` : NOTHING}
    ${tools ? connected(tools, called) : stranger}
  </main>
</body>
</html>`.text
  }`

const stranger = html`<form method="post" action="/connect" class="start">
  <button class="main">Bring your tools</button>
  <p>You are sent to Toolpass, where you choose what this application may use, and until when.</p>
</form>`

const connected = (tools: readonly Tool[], called: Shown['called']) => html`
  <div class="bar">
    <p><strong>${String(tools.length)}</strong> ${tools.length === 1 ? 'tool of yours is' : 'tools of yours are'} here.</p>
    <form method="post" action="/disconnect"><button>Disconnect</button></form>
  </div>
  ${called ? result(called) : NOTHING}
  ${tools.map((tool) => card(tool, tool.name === called?.name))}`

const result = ({ name, text, isError }: NonNullable<Shown['called']>) => html`
  <section class="result" role="status">
    <h2>${name} ${isError ? 'says that it failed' : 'answered'}</h2>
    <pre tabindex="0">${text}</pre>
  </section>`

const card = (tool: Tool, isOpen: boolean) => html`
  <details class="tool"${isOpen ? html` open` : NOTHING}>
    <summary><code>${tool.name}</code> <span>${tool.description ?? ''}</span></summary>
    <form method="post" action="/call">
      <input type="hidden" name="tool" value="${tool.name}">
      ${fieldsOf(tool).map((field) => row(field))}
      <button class="main">Call it</button>
    </form>
  </details>`

const row = (field: Field) => html`
  <label>
    <span>${field.name}${field.required ? NOTHING : html` <small>optional</small>`}</span>
    ${input(field)}
    ${field.hint ? html`<small>${field.hint}</small>` : NOTHING}
  </label>`

function input({ name, kind, required, choices }: Field): Markup {
  const must = required ? html` required` : NOTHING
  const options = kind === 'yes-no' ? ['yes', 'no'] : choices
  if (kind === 'choice' || kind === 'yes-no')
    return html`<select name="argument.${name}"${must}><option></option>${options.map((option) => html`<option>${option}</option>`)}</select>`
  if (kind === 'json') return html`<textarea name="argument.${name}" rows="3" placeholder="JSON"${must}></textarea>`
  return html`<input name="argument.${name}" type="${kind}"${kind === 'number' ? html` step="any"${must}` : NOTHING} autocomplete="off">`
}
