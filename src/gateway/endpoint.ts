import type { Log } from '@/lib/log.ts'
import type { RequestId } from '@/plugins'
import type { Caller, Entrance } from './caller.ts'
import type { Legacy } from './legacy.ts'
import { errorOf, statusOf } from './answering.ts'
import { isModernMessage } from './headers.ts'
import { answerError, CODES, type Incoming, json, MODERN_REVISION, readMessages, Refusal } from './messages.ts'
import type { Modern } from './modern.ts'

type Deps = { entrance: Entrance; legacy: Legacy; modern: Modern; log: Log }

/** The profile that an address of the endpoint names; undefined for any other address, and for one that the router should look at. */
export function profileIn(url: string): { name: string | undefined } | undefined {
  const path = url.indexOf('/', 'https://'.length)
  if (!url.startsWith('/mcp', path)) return undefined
  const rest = url.slice(path + '/mcp'.length)
  if (rest === '') return { name: undefined }
  return PLAIN_NAME.test(rest) ? { name: rest.slice(1) } : undefined
}
const PLAIN_NAME = /^\/[\w.~-]+$/

export type Serve = (request: Request, profileName: string | undefined) => Promise<Response>

export function createServe({ entrance, legacy, modern, log }: Deps): Serve {
  const dispatch = (request: Request, caller: Caller, message: Incoming | Incoming[]): Promise<Response> => {
    if (Array.isArray(message)) return legacy.post(request, caller, message)
    return answeredOr(
      () => (isModernMessage(request, message) ? modern : legacy).post(request, caller, message),
      (error) => refusal(error, message.kind === 'request' ? message.id : null, log),
    )
  }
  const post = (request: Request, name: string | undefined): Promise<Response> => {
    // Who may not come in is not listened to: the bearer stands before the body.
    const came = entrance.enter(request, name)
    return came instanceof Promise ? came.then((caller) => listenTo(request, name, caller)) : listenTo(request, name, came)
  }
  const listenTo = (request: Request, name: string | undefined, came: Caller | Response): Promise<Response> => {
    if (came instanceof Response) return Promise.resolve(came)
    return readMessages(request).then((message) => {
      // A body can take its time, and what its sender was let in by can end meanwhile.
      if (entrance.isCurrent(came)) return dispatch(request, came, message)
      return Promise.resolve(entrance.enter(request, name)).then((caller) =>
        caller instanceof Response ? caller : dispatch(request, caller, message),
      )
    })
  }
  const open = async (request: Request, name: string | undefined): Promise<Response> => {
    const caller = await entrance.enter(request, name)
    if (caller instanceof Response) return caller
    // GET and DELETE on the endpoint are gone since 2026-07-28.
    if (request.headers.get('mcp-protocol-version') === MODERN_REVISION) return notAllowed('POST, OPTIONS')
    return request.method === 'GET' ? legacy.get(request, caller) : legacy.delete(request, caller)
  }
  const answerTo = (request: Request, name: string | undefined): Promise<Response> | Response => {
    if (request.method === 'POST') return post(request, name)
    if (request.method === 'GET' || request.method === 'DELETE') return open(request, name)
    return request.method === 'OPTIONS' ? new Response(null, { status: 204 }) : notAllowed('POST, GET, DELETE, OPTIONS')
  }

  /** Nothing is waited for that is here already: this is the way of each call. */
  return (request: Request, name: string | undefined): Promise<Response> => {
    if (!entrance.isOriginAllowed(request))
      return Promise.resolve(json(answerError(null, { code: CODES.invalidRequest, message: 'Foreign origin.' }), 403))
    const answered = answeredOr(
      () => answerTo(request, name),
      (error) => refusal(error, null, log),
    )
    return request.headers.has('origin') ? answered.then((response) => forBrowsers(request, response)) : answered
  }
}

/** `refused`, whether it throws or rejects. An `async` function would wait where there is nothing to wait for. */
function answeredOr(work: () => Promise<Response> | Response, refused: (error: unknown) => Response): Promise<Response> {
  try {
    const answered = work()
    return answered instanceof Promise ? answered.catch(refused) : Promise.resolve(answered)
  } catch (error) {
    return Promise.resolve(refused(error))
  }
}

const notAllowed = (allow: string) => new Response(null, { status: 405, headers: { allow } })

/** The one translation into HTTP. A tool's own trouble never comes here; it is a result. */
function refusal(error: unknown, id: RequestId | null, log: Log): Response {
  const { status, headers } = statusOf(error)
  return json(answerError(error instanceof Refusal ? (error.id ?? id) : id, errorOf(error, log)), status, headers)
}

/** The origin was let in above; without these headers its browser would still keep the answer from it. */
function forBrowsers(request: Request, response: Response): Response {
  const origin = request.headers.get('origin')
  if (origin === null) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('vary', 'Origin')
  response.headers.set('access-control-expose-headers', 'WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version')
  if (request.method === 'OPTIONS') {
    response.headers.set('access-control-allow-methods', 'POST, GET, DELETE')
    response.headers.set('access-control-allow-headers', request.headers.get('access-control-request-headers') ?? 'Authorization')
    response.headers.set('access-control-max-age', '600')
  }
  return response
}
