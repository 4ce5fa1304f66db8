/** Revision 2026-07-28: each request speaks for itself, in its body and once more in its headers. */
import { MINUTE_MS } from '@/lib/clock.ts'
import type { JsonObject } from '@/plugins'
import type { Caller } from './caller.ts'
import {
  accepted,
  answer,
  CODES,
  type Incoming,
  isObject,
  json,
  LEGACY_REVISIONS,
  META,
  metaOf,
  MODERN_REVISION,
  refuse,
} from './messages.ts'
import { modernResult } from './results.ts'
import type { Serving } from './serving.ts'
import type { Listeners } from './streams.ts'

const LIST_TTL_MS = MINUTE_MS
const VERSION_HEADER = 'mcp-protocol-version'
const CACHING = { ttlMs: LIST_TTL_MS, cacheScope: 'private' }
/** Methods whose target is told in `Mcp-Name`, and the field it is in. */
const NAMED: Readonly<Record<string, string>> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' }

/** Older clients send no version at first and one we know later; what else comes is held to the rules of today. */
export function isModernMessage(request: Request, message: Incoming): boolean {
  if (message.kind === 'response') return false
  if (metaOf(message.params)[`${META}protocolVersion`] !== undefined) return true
  if (message.method === 'initialize' || message.method === 'notifications/initialized') return false
  const version = request.headers.get(VERSION_HEADER)
  return version !== null && !LEGACY_REVISIONS.includes(version)
}

/** The checks of a modern request, in the order in which they are worth answering. @throws Refusal */
export function demandModern(request: Request, message: Extract<Incoming, { kind: 'request' }>): void {
  const { method, params } = message
  const header = request.headers.get(VERSION_HEADER)
  const meta = metaOf(params)
  const version = meta[`${META}protocolVersion`]
  if (header !== null && header !== MODERN_REVISION && version === undefined) refuseRevision(header)
  if (typeof version !== 'string') refuse(400, CODES.invalidParams, `_meta needs ${META}protocolVersion.`)
  if (header !== version) refuse(400, CODES.headerMismatch, 'MCP-Protocol-Version does not say what the body says.')
  if (version !== MODERN_REVISION) refuseRevision(version)
  if (!isObject(meta[`${META}clientCapabilities`])) refuse(400, CODES.invalidParams, `_meta needs ${META}clientCapabilities.`)
  if (request.headers.get('mcp-method') !== method) refuse(400, CODES.headerMismatch, 'Mcp-Method does not say what the body says.')
  const field = NAMED[method]
  if (field !== undefined && decoded(request.headers.get('mcp-name')) !== params[field])
    refuse(400, CODES.headerMismatch, 'Mcp-Name does not say what the body says.')
}

const refuseRevision = (requested: unknown) =>
  refuse(400, CODES.unsupportedRevision, 'Unsupported protocol version', {
    supported: [MODERN_REVISION, ...LEGACY_REVISIONS],
    requested,
  })

/** Values that are not plain ASCII come as `=?base64?…?=` (SEP-2243). */
function decoded(header: string | null): string | undefined {
  const encoded = /^=\?base64\?([A-Za-z0-9+/=]*)\?=$/.exec(header ?? '')?.[1]
  return encoded === undefined ? (header ?? undefined) : Buffer.from(encoded, 'base64').toString('utf8')
}

/** `Mcp-Param-*` mirrors arguments that the upstream's schema marks (SEP-2243); what they mean is the upstream's to check. */
const paramHeaders = (request: Request): Record<string, string> =>
  Object.fromEntries([...request.headers].filter(([name]) => name.startsWith('mcp-param-')))

export function createModern({ serving, listeners }: { serving: Serving; listeners: Listeners }) {
  const discover = ({ profile }: Caller): JsonObject => ({
    supportedVersions: [MODERN_REVISION],
    capabilities: { tools: { listChanged: true } },
    ...(profile.description !== '' && { instructions: profile.description }),
    ...CACHING,
  })

  /** The acknowledgement comes first and names what will really be told. @throws Failure `too_many_streams` */
  const listen = (request: Request, caller: Caller, { id, params }: Extract<Incoming, { kind: 'request' }>): Response => {
    const asked = params['notifications']
    if (!isObject(asked)) return refuse(400, CODES.invalidParams, 'params.notifications is missing.')
    const isWanted = asked['toolsListChanged'] === true
    const meta = { [`${META}subscriptionId`]: id }
    const stream = listeners.open(caller, request.signal, meta, isWanted)
    const notifications = isWanted ? { toolsListChanged: true } : {}
    stream.send({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta: meta } })
    return stream.response
  }

  return {
    async post(request: Request, caller: Caller, message: Incoming): Promise<Response> {
      if (message.kind !== 'request') return accepted()
      demandModern(request, message)
      const { id, method, params } = message
      const shape = (result: JsonObject) => modernResult(caller.profile, result)
      if (method === 'server/discover') return json(answer(id, shape(discover(caller))))
      if (method === 'tools/list') return json(answer(id, shape({ ...(await serving.listTools(caller, params)), ...CACHING })))
      // Nothing but closing the stream cancels here, so the key needs no session.
      if (method === 'tools/call')
        return serving.call(request, caller, message, {
          isModern: true,
          shape,
          key: `${caller.grant.id} modern ${crypto.randomUUID()}`,
          headers: paramHeaders(request),
        })
      if (method === 'subscriptions/listen') return listen(request, caller, message)
      return refuse(404, CODES.unknownMethod, `Unknown method: ${method.slice(0, 100)}`)
    },
  }
}
export type Modern = ReturnType<typeof createModern>
