/** The revisions with `initialize`, 2025-03-26 to 2025-11-25. No session is kept here: what it would hold is in the grant. */
import { randomSecret } from '@/lib/crypto.ts'
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

type Deps = { serving: Serving; calls: Calls; listeners: Listeners }

/** Two apps with one grant, or two windows of one, count their ids alike; the session tells their calls apart. */
const keyOf = (request: Request, caller: Caller, id: unknown) =>
  `${caller.grant.id} ${(request.headers.get(SESSION) ?? '').slice(0, SESSION_CHARS_MAX)} ${typeof id} ${String(id)}`

export function createLegacy({ serving, calls, listeners }: Deps) {
  const initialize = ({ profile }: Caller, { id, params }: Extract<Incoming, { kind: 'request' }>): Response => {
    const asked = params['protocolVersion']
    const protocolVersion = typeof asked === 'string' && LEGACY_REVISIONS.includes(asked) ? asked : LATEST_LEGACY_REVISION
    const result = {
      protocolVersion,
      capabilities: { tools: { listChanged: true } },
      serverInfo: serverInfo(profile),
      ...(profile.description !== '' && { instructions: profile.description }),
    }
    return json(answer(id, result), 200, { [SESSION]: randomSecret(16) })
  }

  return {
    async post(request: Request, caller: Caller, message: Incoming): Promise<Response> {
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
      if (!acceptsStream(request)) return refuse(406, CODES.invalidRequest, 'Accept text/event-stream.')
      return listeners.open(caller, request.signal).response
    },
    delete: (): Response => new Response(null, { status: 200 }),
  }
}
export type Legacy = ReturnType<typeof createLegacy>
