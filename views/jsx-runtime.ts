/**
 * JSX to HTML text that escapes by default. Only what this runtime made (or what `raw` was given) is left as it is, so
 * a tool's description or a client's name can never become markup.
 *
 * An address in an attribute that starts with one `/` is ours: the base path of the installation is put in front of it
 * when the text is written, so that no view has to know where the house is mounted.
 */
const BASE = Symbol('base path')
type Part = string | typeof BASE

export class Html {
  constructor(readonly parts: readonly Part[]) {}
  /** The markup, with `base` (no trailing slash) in front of each of our own addresses. */
  text(base = ''): string {
    let text = ''
    for (const part of this.parts) text += part === BASE ? base : part
    return text
  }
}

/** Markup that we wrote ourselves (icons, drawings). Never for anything that came from outside. */
export const raw = (text: string): Html => new Html([text])

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeText = (text: string): string => text.replace(/[&<>"']/g, (char) => ESCAPES[char] as string)

const VOID_TAGS = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))
const ADDRESS_ATTRIBUTES = new Set('href src action formaction hx-get hx-post hx-put hx-patch hx-delete'.split(' '))
// An address that a browser would run as a script. React and browsers leave this door open; we do not.
const RUNS_CODE = /^[\s\p{Cc}]*(javascript|data|vbscript)[\s\p{Cc}]*:/iu

export type Child = Html | string | number | boolean | null | undefined | readonly Child[]
type Props = Record<string, unknown> & { children?: Child }

function write(child: Child, into: Part[]): void {
  if (child === null || child === undefined || typeof child === 'boolean') return
  if (child instanceof Html) {
    for (const part of child.parts) into.push(part)
  } else if (Array.isArray(child)) for (const each of child) write(each, into)
  else into.push(escapeText(String(child)))
}

function writeAttribute(name: string, value: unknown, into: Part[]): void {
  if (value === false || value === null || value === undefined) return
  if (value === true) {
    into.push(` ${name}`)
    return
  }
  const text = String(value)
  if (!ADDRESS_ATTRIBUTES.has(name)) into.push(` ${name}="${escapeText(text)}"`)
  else if (RUNS_CODE.test(text)) into.push(` ${name}="#"`)
  else if (text.startsWith('/') && !text.startsWith('//')) into.push(` ${name}="`, BASE, `${escapeText(text)}"`)
  else into.push(` ${name}="${escapeText(text)}"`)
}

export function jsx(tag: string | ((props: never) => Html), props: Props): Html {
  if (typeof tag === 'function') return tag(props as never)
  const parts: Part[] = [`<${tag}`]
  for (const [name, value] of Object.entries(props)) if (name !== 'children') writeAttribute(name, value, parts)
  parts.push('>')
  if (!VOID_TAGS.has(tag)) {
    write(props.children, parts)
    parts.push(`</${tag}>`)
  }
  return new Html(parts)
}

export const jsxs = jsx
export const jsxDEV = jsx

export const Fragment = ({ children }: { children?: Child }): Html => {
  const parts: Part[] = []
  write(children, parts)
  return new Html(parts)
}

export namespace JSX {
  export type Element = Html
  export interface ElementChildrenAttribute {
    children: unknown
  }
  export interface IntrinsicElements {
    [tag: string]: Record<string, unknown>
  }
}
