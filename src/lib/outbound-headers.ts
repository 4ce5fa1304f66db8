import { OutboundError } from './outbound-error.ts'

// Framing and routing are ours. Caller-made ones could smuggle a request into a kept-alive connection that others share.
export const HEADERS_OF_OURS: ReadonlySet<string> = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect'],
  ...['proxy-authorization', 'proxy-connection', 'accept-encoding'],
])
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const ASCII = /^[\t\x20-\x7e]*$/
const CHARS_MAX = 64 * 1024
const OUR_AGENT = 'user-agent: Toolpass\r\n'

type Headers_ = Readonly<Record<string, string>>
/** Header lines as they are written, checked, with the names in lower case. */
type Block = { text: string; names: ReadonlySet<string>; isAscii: boolean }

const EMPTY: Block = { text: '', names: new Set(), isAscii: true }
/** A record that cannot change is rendered once: connectors send the same one with each call. */
const rendered = new WeakMap<Headers_, Block>()

/** Headers as text, `overriding` in place of those of the same name. Throws `request` for what is no header. */
export function headerLines(headers: Headers_ | undefined, overriding: Headers_ | undefined): { text: string; isAscii: boolean } {
  const over = blockOf(overriding)
  let block = blockOf(headers)
  for (const name of over.names)
    if (block.names.has(name)) {
      block = render(Object.entries(headers ?? {}).filter(([given]) => !over.names.has(given.toLowerCase())))
      break
    }
  const agent = block.names.has('user-agent') || over.names.has('user-agent') ? '' : OUR_AGENT
  if (block.text.length + over.text.length > CHARS_MAX) throw new OutboundError('request', 'The headers are too long.')
  return { text: `${agent}${block.text}${over.text}`, isAscii: block.isAscii && over.isAscii }
}

function blockOf(headers: Headers_ | undefined): Block {
  if (headers === undefined) return EMPTY
  const known = rendered.get(headers)
  if (known !== undefined) return known
  const block = render(Object.entries(headers))
  if (Object.isFrozen(headers)) rendered.set(headers, block)
  return block
}

function render(headers: readonly [string, string][]): Block {
  const names = new Set<string>()
  let text = ''
  let isAscii = true
  for (const [given, value] of headers) {
    if (!NAME.test(given) || !VALUE.test(value)) throw new OutboundError('request', 'A header has characters that a header cannot have.')
    const name = given.toLowerCase()
    if (HEADERS_OF_OURS.has(name)) continue
    names.add(name)
    text += `${name}: ${value}\r\n`
    isAscii &&= ASCII.test(value)
  }
  return { text, names, isAscii }
}
