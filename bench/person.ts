/** Somebody with a browser and no JavaScript: opens pages, fills forms by what they ask for, follows redirects within the site. */
type Field = { name: string; value: string; sent: boolean }
type Form = { action: string; fields: Field[] }
export type Page = { url: string; status: number; html: string; location: string | undefined }

const REDIRECTS_MAX = 5

export function createPerson(origin: string) {
  const cookies = new Map<string, string>()

  /** What the browser sends along with each request. */
  const headers = () => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return { cookie, origin, 'sec-fetch-site': 'same-origin' }
  }

  async function ask(path: string, init: { method?: string; body?: URLSearchParams } = {}, redirects = 0): Promise<Page> {
    const url = new URL(path, origin)
    const response = await fetch(url, { ...init, redirect: 'manual', headers: headers() })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '' || /max-age=0/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    const html = await response.text()
    const to = response.headers.get('location')
    const target = to === null ? undefined : new URL(to, url)
    if (target?.origin === url.origin && redirects < REDIRECTS_MAX) return ask(target.pathname + target.search, {}, redirects + 1)
    return { url: url.href, status: response.status, html, location: target?.href }
  }

  async function submit(page: Page, action: string, filled: Record<string, string | string[]>): Promise<Page> {
    const form = formsOf(page.html).find((each) => each.action === action)
    if (!form) throw new Error(`${page.url} has no form for ${action} (it is a ${page.status}: ${plain(page.html)})`)
    const body = new URLSearchParams()
    for (const { name, value, sent } of form.fields) if (sent && !(name in filled)) body.append(name, value)
    for (const [name, values] of Object.entries(filled)) for (const value of [values].flat()) body.append(name, value)
    const next = await ask(action, { method: 'POST', body })
    if (next.status >= 400) throw new Error(`${action} answered ${next.status}: ${plain(next.html)}`)
    return next
  }

  return { open: (path: string) => ask(path), submit, headers }
}

/** The values that a field of this name could take: the boxes of a group, the options of a choice. */
export const valuesOf = (html: string, name: string): string[] =>
  formsOf(html).flatMap(({ fields }) => fields.filter((field) => field.name === name).map(({ value }) => value))

function formsOf(html: string): Form[] {
  const forms: Form[] = []
  new HTMLRewriter()
    .on('form', { element: (form) => void forms.push({ action: form.getAttribute('action') ?? '', fields: [] }) })
    .on('form input', {
      element(input) {
        const type = input.getAttribute('type') ?? 'text'
        const box = type === 'checkbox' || type === 'radio'
        const value = input.getAttribute('value') ?? (box ? 'on' : '')
        forms
          .at(-1)
          ?.fields.push({ name: input.getAttribute('name') ?? '', value: unescaped(value), sent: !box || input.hasAttribute('checked') })
      },
    })
    .transform(html)
  return forms
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" }
const unescaped = (text: string) => text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name: string) => ENTITIES[name] ?? '')
const plain = (html: string) =>
  html
    .replace(/<(script|style|head)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>|\s+/g, ' ')
    .replace(/ +/g, ' ')
    .slice(0, 400)
