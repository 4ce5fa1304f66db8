/**
 * Which upstream's resource a URI means in a profile, and by leave of which pick. Pure: first what was picked by its address, then what
 * a picked template covers, then the page of a picked tool (MCP Apps), then servers whose every resource was picked.
 */
import { EVERY_RESOURCE } from '@/connections'
import type { ConnectionId } from '@/lib/ids.ts'
import { uiOf } from './exposing.ts'
import { prefixedUri } from './naming.ts'
import type { ProfileTool } from './tool.ts'
import type { ProfileView } from './view.ts'

/** `by` is what a grant has to allow. */
export type ResolvedUri = { by: ProfileTool; connectionId: ConnectionId; upstreamUri: string }

const URI_CHARS_MAX = 2_048
const UI = 'ui://'
const ALL = Symbol('any text')
const SEGMENT = Symbol('text without a slash')

/** Every reading that is possible, the surest first. */
export function resolveUri(view: ProfileView, uri: string): ResolvedUri[] {
  if (uri.length > URI_CHARS_MAX) return []
  const wholes = view.resources.filter(({ upstreamName }) => upstreamName === EVERY_RESOURCE)
  const readings = [
    ...view.resources.map((item) => ({ by: item, upstreamUri: picked(item, uri) })),
    ...(uri.startsWith(UI) ? view.tools.map((tool) => ({ by: tool, upstreamUri: pageOf(tool, uri) })) : []),
    ...wholes.map((item) => ({ by: item, upstreamUri: unprefixed(item.prefix, uri) })),
    ...wholes.map((item) => ({ by: item, upstreamUri: uri })),
  ]
  const found = readings.flatMap(({ by, upstreamUri }) =>
    upstreamUri === undefined ? [] : [{ by, connectionId: by.connectionId, upstreamUri }],
  )
  // An address that was picked itself stands before a template that would cover it, whoever's it is.
  return found.toSorted((a, b) => Number(isExact(b.by, uri)) - Number(isExact(a.by, uri)))
}

const isExact = (item: ProfileTool, uri: string): boolean => item.feature === 'resource' && item.exposedName === uri

function picked(item: ProfileTool, uri: string): string | undefined {
  if (item.upstreamName === EVERY_RESOURCE) return undefined
  if (item.feature === 'resource') return item.exposedName === uri ? item.upstreamName : undefined
  const upstreamUri = item.exposedName === item.upstreamName ? uri : unprefixed(item.prefix, uri)
  return upstreamUri !== undefined && matches(item.upstreamName, upstreamUri) ? upstreamUri : undefined
}

function pageOf(tool: ProfileTool, uri: string): string | undefined {
  const page = uiOf(tool.definition['_meta'])
  return page !== undefined && (page === uri || prefixedUri(tool.prefix, page) === uri) ? page : undefined
}

/** The way back from `prefixedUri`, for this prefix alone. */
function unprefixed(prefix: string, uri: string): string | undefined {
  const scheme = uri.startsWith(UI) ? UI : ''
  const head = prefixedUri(prefix, scheme)
  return uri.startsWith(head) ? scheme + uri.slice(head.length) : undefined
}

/**
 * Whether a URI could have been made from a template (RFC 6570). No expressions of the language are evaluated and none is turned into a
 * regular expression, whose author would be an upstream: the time is bounded by the product of the two lengths.
 */
export function matches(template: string, uri: string): boolean {
  let reachable = new Uint8Array(uri.length + 1)
  reachable[0] = 1
  for (const token of tokensOf(template))
    reachable = typeof token === 'string' ? pastText(uri, token, reachable) : pastAny(uri, token, reachable)
  return reachable[uri.length] === 1
}

function pastText(uri: string, text: string, from: Uint8Array): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(uri.length + 1)
  for (let at = 0; at + text.length <= uri.length; at += 1) if (from[at] === 1 && uri.startsWith(text, at)) to[at + text.length] = 1
  return to
}

function pastAny(uri: string, token: Token, from: Uint8Array): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(uri.length + 1)
  let isRunning = false
  for (let at = 0; at <= uri.length; at += 1) {
    isRunning ||= from[at] === 1
    if (isRunning) to[at] = 1
    if (token === SEGMENT && uri[at] === '/') isRunning = false
  }
  return to
}

type Token = string | typeof ALL | typeof SEGMENT

function tokensOf(template: string): Token[] {
  return template.split(/(\{[^{}]*\})/).flatMap((part): Token[] => {
    if (part === '') return []
    if (!part.startsWith('{') || !part.endsWith('}')) return [part]
    // `{+a}`, `{/a}`, `{?a}`, `{&a}`, `{#a}` and lists may stand for text with reserved characters.
    return [/^\{[+/?&#]|\*/.test(part) ? ALL : SEGMENT]
  })
}
