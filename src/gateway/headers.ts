/** What a modern request says in its headers as well as in its body (SEP-2243), and that both say the same. */
import { META_CAPABILITIES, META_VERSION } from '@/lib/meta-keys.ts'
import { type Asked, CODES, type Incoming, isObject, LEGACY_REVISIONS, metaOf, MODERN_REVISION, refuse } from './messages.ts'

const VERSION_HEADER = 'mcp-protocol-version'
/** Methods whose target is told in `Mcp-Name`, and the field it is in. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/** Older clients send no version at first and one we know later; what else comes is held to the rules of today. */
export function isModernMessage(request: Request, message: Incoming): boolean {
  if (message.kind === 'response') return false
  if (metaOf(message.params)[META_VERSION] !== undefined) return true
  const version = request.headers.get(VERSION_HEADER)
  if (version === MODERN_REVISION) return true
  if (message.method === 'initialize' || message.method === 'notifications/initialized') return false
  return version !== null && !LEGACY_REVISIONS.includes(version)
}

/** The checks of a modern request, in the order in which they are worth answering. @throws Refusal */
export function demandModern(request: Request, { method, params }: Asked): void {
  const header = request.headers.get(VERSION_HEADER)
  const meta = metaOf(params)
  const version = meta[META_VERSION]
  if (header !== null && header !== MODERN_REVISION && version === undefined) refuseRevision(header)
  if (typeof version !== 'string') refuse(400, CODES.invalidParams, `_meta needs ${META_VERSION}.`)
  if (header !== version) refuse(400, CODES.headerMismatch, 'MCP-Protocol-Version does not say what the body says.')
  if (version !== MODERN_REVISION) refuseRevision(version)
  if (!isObject(meta[META_CAPABILITIES])) refuse(400, CODES.invalidParams, `_meta needs ${META_CAPABILITIES}.`)
  if (request.headers.get('mcp-method') !== method) refuse(400, CODES.headerMismatch, 'Mcp-Method does not say what the body says.')
  const field = NAMED.get(method)
  if (field !== undefined && decoded(request.headers.get('mcp-name')) !== params[field])
    refuse(400, CODES.headerMismatch, 'Mcp-Name does not say what the body says.')
}

/** The revisions with `initialize` are reached by `initialize`; a modern client is told of modern ones. */
const refuseRevision = (requested: unknown) =>
  refuse(400, CODES.unsupportedRevision, 'Unsupported protocol version', { supported: [MODERN_REVISION], requested })

const PREFIX = 'mcp-param-'
const ENCODED = /^=\?base64\?(.*)\?=$/i

/** Values that are not plain ASCII come as `=?base64?…?=`. Undefined for none, and for one that cannot be read. */
function decoded(header: string | null): string | undefined {
  if (header === null) return undefined
  const encoded = ENCODED.exec(header)?.[1]
  if (encoded === undefined) return header
  const isProper = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)
  return isProper ? Buffer.from(encoded, 'base64').toString('utf8') : undefined
}

/** `Mcp-Param-*` mirrors arguments that the upstream's schema marks; what they mean is the upstream's to check. */
export function paramHeaders({ headers }: Request): Record<string, string> | undefined {
  let found: Record<string, string> | undefined
  // By their names alone: all values together cost as much as the rest of what a call's headers are asked for.
  for (const name of headers.keys()) {
    if (!name.startsWith(PREFIX)) continue
    found ??= {}
    found[name] = headers.get(name) ?? ''
  }
  return found
}

/**
 * What a tool wants mirrored has to stand in the headers as the arguments say. We write these headers anew toward the upstream, so what the
 * client sent is compared here or nowhere. @throws Refusal
 */
export function demandMirrored(request: Request, mirrored: Record<string, string>): void {
  for (const [name, value] of Object.entries(mirrored))
    if (decoded(request.headers.get(name)) !== decoded(value))
      refuse(400, CODES.headerMismatch, `${name} does not say what the arguments say.`)
}
