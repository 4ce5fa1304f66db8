/**
 * The revisions with `initialize`, 2025-03-26 to 2025-11-25. No session is kept here: what it would hold is in the grant. Its
 * id is signed for that grant instead, so it outlives a restart of ours and is worth nothing to anybody else.
 */
import { equal, hmac, randomSecret } from '@/lib/crypto.ts'
import type { GrantId } from '@/lib/ids.ts'
import type { Caller } from './caller.ts'
import {
  accepted,
  acceptsStream,
  answer,
  CODES,
  type Incoming,
  json,
  LATEST_LEGACY_REVISION,
  LEGACY_REVISIONS,
  refuse,
} from './messages.ts'
import { legacyResult, serverInfo } from './results.ts'
import type { Serving } from './serving.ts'
import type { Calls, Listeners } from './streams.ts'

const SESSION = 'mcp-session-id'
const SESSION_CHARS_MAX = 128

type Deps = { serving: Serving; calls: Calls; listeners: Listeners; sessionKey: Uint8Array }

/** Session ids that can be recognised without being remembered. */
function createSessionIds(key: Uint8Array) {
  const signed = (nonce: string, grantId: GrantId) => `${nonce}.${hmac(key, `${nonce}|${grantId}`)}`
  return {
    create: (grantId: GrantId) => signed(randomSecret(16), grantId),
    isOf: (id: string, grantId: GrantId) => equal(id, signed(id.split('.')[0] ?? '', grantId)),
  }
}

/** Two apps with one grant, or two windows of one, count their ids alike; the session tells their calls apart. */
const keyOf = (request: Request, caller: Caller, id: unknown) =>
  `${caller.grant.id} ${(request.headers.get(SESSION) ?? '').slice(0, SESSION_CHARS_MAX)} ${typeof id} ${String(id)}`

export function createLegacy({ serving, calls, listeners, sessionKey }: Deps) {
  const sessionIds = createSessionIds(sessionKey)
  /** An id that we did not give to this grant is unknown here: the client initialises anew (2025-11-25, "Session Management"). */
  const isUnknown = (request: Request, caller: Caller) => {
    const id = request.headers.get(SESSION)
    return id !== null && !sessionIds.isOf(id, caller.grant.id)
  }
  const unknownSession = () => refuse(404, CODES.invalidRequest, 'Unknown session; initialise again.')

  const initialize = ({ profile, grant }: Caller, { id, params }: Extract<Incoming, { kind: 'request' }>): Response => {
    const asked = params['protocolVersion']
    const protocolVersion = typeof asked === 'string' && LEGACY_REVISIONS.includes(asked) ? asked : LATEST_LEGACY_REVISION
    const result = {
      protocolVersion,
      capabilities: { tools: { listChanged: true } },
      serverInfo: serverInfo(profile),
      ...(profile.description !== '' && { instructions: profile.description }),
    }
    return json(answer(id, result), 200, { [SESSION]: sessionIds.create(grant.id) })
  }

  return {
    async post(request: Request, caller: Caller, message: Incoming): Promise<Response> {
      if (isUnknown(request, caller) && message.kind !== 'response' && message.method !== 'initialize') return unknownSession()
      if (message.kind === 'response') return accepted()
      if (message.kind === 'notification') {
        if (message.method === 'notifications/cancelled') calls.cancel(keyOf(request, caller, message.params['requestId']))
        return accepted()
      }
      const { id, method, params } = message
      if (method === 'initialize') return initialize(caller, message)
      if (method === 'ping') return json(answer(id, {}))
      if (method === 'tools/list') return json(answer(id, await serving.listTools(caller, params)))
      if (method === 'tools/call')
        return serving.call(request, caller, message, { isModern: false, shape: legacyResult, key: keyOf(request, caller, id) })
      return refuse(200, CODES.unknownMethod, `Unknown method: ${method.slice(0, 100)}`)
    },
    /** The stream for what belongs to no request. @throws Failure `too_many_streams` */
    get(request: Request, caller: Caller): Response {
      if (isUnknown(request, caller)) return unknownSession()
      if (!acceptsStream(request)) return refuse(406, CODES.invalidRequest, 'Accept text/event-stream.')
      return listeners.open(caller, request.signal).response
    },
    delete: (): Response => new Response(null, { status: 200 }),
  }
}
export type Legacy = ReturnType<typeof createLegacy>
