/**
 * One request to an upstream on behalf of a client, whatever the revisions on both sides: questions find the client, progress its token,
 * states their way back. The four ways meet here and nowhere else.
 */
import { META } from '@/lib/meta-keys.ts'
import { type Asker, AskRefused, mirroredHeaders, type RawReceived, type Upstream } from '@/connections'
import { randomSecret } from '@/lib/crypto.ts'
import type { JsonObject, JsonRpcError, JsonRpcResponse, UpstreamMessage } from '@/plugins'
import type { Caller } from './caller.ts'
import { CALL_MS_MAX } from './calls.ts'
import { compose } from './compose.ts'
import { type Asked, CODES, isObject, Refusal } from './messages.ts'
import { fingerprint, type States } from './states.ts'
import { isLoudEnough, lacking, type Talk } from './talk.ts'
import type { Target } from './targets.ts'

/** Rounds of questions about one request. */
const ROUNDS_MAX = 16

/** `bytes`: the answer as it came, under the id that stands in it. */
export type Exchanged = JsonRpcResponse | (RawReceived & { bytes: Uint8Array<ArrayBuffer> })
type Deps = { states: States }
const NO_ROUND: JsonObject = {}

export function createExchange({ states }: Deps) {
  /** What goes along for another round: the upstream's own state, out of ours. @throws Refusal */
  const roundOf = ({ params, method }: Asked, caller: Caller, talk: Talk): JsonObject => {
    if (!talk.isModern) return NO_ROUND
    const { requestState, inputResponses } = params
    if (requestState === undefined && inputResponses === undefined) return NO_ROUND
    const round: JsonObject = {}
    if (inputResponses !== undefined) round['inputResponses'] = inputResponses
    if (requestState === undefined) return round
    const state = typeof requestState === 'string' ? states.open(requestState, caller.grant.id, fingerprint(method, params)) : undefined
    if (!state)
      throw new Refusal(200, { code: CODES.invalidParams, message: 'requestState is not one of ours, or not for this request any more.' })
    return state.upstream === undefined ? round : { ...round, requestState: state.upstream }
  }

  return async (upstream: Upstream, target: Target, asked: Asked, caller: Caller, talk: Talk): Promise<Exchanged> => {
    const round = roundOf(asked, caller, talk)
    if (!upstream.isModern) return once(upstream, target, asked, talk, {})
    const answer = await once(upstream, target, asked, talk, round)
    // A modern client answers between two requests; its answer finds the way by the state that it is given (serving.ts).
    return talk.isModern || ('bytes' in answer && answer.bytes)
      ? answer
      : inPerson(upstream, target, asked, talk, answer as JsonRpcResponse)
  }
}

/**
 * Toward the client the upstream's state travels inside one of ours, also where it has none: it comes back to this request alone.
 * @param approved the mark with which a call that was approved goes on
 */
export function withOwnState(
  result: JsonObject,
  { params, method }: Asked,
  caller: Caller,
  states: States,
  approved: (() => string) | undefined,
): JsonObject {
  if (result['resultType'] !== 'input_required') return result
  const upstream = result['requestState']
  const state = { ...(typeof upstream === 'string' && { upstream }), ...(approved && { approved: approved() }) }
  return { ...result, requestState: states.seal(state, caller.grant.id, fingerprint(method, params)) }
}

/** A legacy client is asked what a modern upstream needs, as often as it needs something. */
async function inPerson(upstream: Upstream, target: Target, asked: Asked, talk: Talk, first: JsonRpcResponse): Promise<JsonRpcResponse> {
  let response = first
  for (let round = 0; response.result?.['resultType'] === 'input_required'; round += 1) {
    if (round >= ROUNDS_MAX) throw new Refusal(200, { code: CODES.internal, message: 'The connected server asks without end.' })
    const { inputRequests, requestState } = response.result
    const entries = Object.entries(isObject(inputRequests) ? inputRequests : {})
    const answers = await Promise.all(entries.map(async ([key, request]) => [key, await answerTo(request, talk)] as const))
    const next = { inputResponses: Object.fromEntries(answers), ...(requestState !== undefined && { requestState }) }
    const answer = await once(upstream, target, asked, talk, next)
    response = responseOf(answer)
  }
  return response
}

const responseOf = (answer: Exchanged): JsonRpcResponse =>
  'bytes' in answer && answer.bytes ? (JSON.parse(new TextDecoder().decode(answer.bytes)) as JsonRpcResponse) : (answer as JsonRpcResponse)

async function answerTo(request: unknown, talk: Talk): Promise<JsonObject> {
  const question = isObject(request) && typeof request['method'] === 'string' ? request : { method: 'unknown' }
  const params = isObject(question['params']) ? question['params'] : {}
  const asks = { method: String(question['method']), params: identified(params) }
  try {
    if (lacking(talk.capabilities, asks)) throw new AskRefused({ code: CODES.unknownMethod, message: 'The app does not offer this.' })
    return await talk.ask(asks, talk.signal)
  } catch (error) {
    if (!(error instanceof AskRefused)) throw error
    // A person who is not there has said no; what else could not be had fails the request.
    if (asks.method === 'elicitation/create') return { action: 'cancel' }
    throw new Refusal(200, error.error)
  }
}

/** A link has a name of its own in 2025-11-25, without which clients refuse it; later revisions have none. */
const identified = (params: JsonObject): JsonObject =>
  params['mode'] === 'url' && params['elicitationId'] === undefined ? { ...params, elicitationId: randomSecret(16) } : params

/** One message to the upstream and what it answers. Where nobody has to read the answer it stays as it came. */
function once(upstream: Upstream, target: Target, asked: Asked, talk: Talk, round: JsonObject): Promise<Exchanged> {
  if (upstream.isModern) return send(upstream, target, asked, talk, { round, signal: talk.signal, hearing: hearingOf(talk) })
  // What the client cannot be asked ends the call: the upstream is not left waiting, nor is the client. An answer that came along with the
  // question is one all the same.
  const failing = Promise.withResolvers<never>()
  failing.promise.catch(() => undefined)
  const stop = new AbortController()
  const hearing = hearingOf(talk, (refusal) =>
    setImmediate(() => {
      failing.reject(refusal)
      stop.abort()
    }),
  )
  talk.signal.addEventListener('abort', () => stop.abort(talk.signal.reason), { once: true })
  return Promise.race([send(upstream, target, asked, talk, { round, signal: stop.signal, hearing }), failing.promise])
}

type Sending = { round: JsonObject; signal: AbortSignal; hearing: Hearing }

function send(upstream: Upstream, target: Target, asked: Asked, talk: Talk, { round, signal, hearing }: Sending): Promise<Exchanged> {
  const { receive, asker } = hearing
  const mirrored = mirroredHeaders(target.tool.definition, target.params['arguments'])
  const headers = talk.headers || mirrored ? { ...talk.headers, ...mirrored } : undefined
  const params = round === NO_ROUND ? target.params : { ...target.params, ...round }
  const progress = talk.progressToken !== undefined
  const { method } = asked
  const { isModern } = upstream
  const extras = { ...(headers && { headers }), ...(talk.logLevel !== undefined && { logLevel: talk.logLevel }) }
  if (!upstream.forward || (isModern && !talk.isModern)) {
    const options = { signal, receive, asker, ...extras, timeoutMs: CALL_MS_MAX, meta: talk.meta, progress }
    return upstream.request(method, { ...params, _meta: asked.params['_meta'] }, options)
  }
  const build = (id: number) => compose({ id, asked, target, params, isModern, meta: talk.meta, progress })
  return upstream
    .forward({ signal, receive, asker, method, name: target.name, build, ...extras })
    .then((received) => received.response ?? received)
}

type Hearing = { receive(message: UpstreamMessage): void; asker: Asker }

/** @param fail the request cannot be served: the client lacks what the upstream needs */
function hearingOf(talk: Talk, fail: (refusal: Refusal) => unknown = () => undefined): Hearing {
  const tell = ({ method, params = {} }: UpstreamMessage) => {
    if (method === 'notifications/progress' && talk.progressToken !== undefined) {
      const { progress, total, message } = params
      talk.tell({
        method,
        params: {
          progressToken: talk.progressToken,
          progress,
          ...(total !== undefined && { total }),
          ...(message !== undefined && { message }),
        },
      })
    } else if (method === 'notifications/message' && isLoudEnough(params['level'], talk.logLevel))
      talk.tell({ method, params: withoutReserved(params) })
  }
  return {
    receive: tell,
    asker: {
      group: talk.group,
      tell,
      async ask(question, signal) {
        try {
          return await talk.ask(question, signal)
        } catch (error) {
          if (error instanceof Refusal) fail(error)
          throw error
        }
      },
    },
  }
}

function withoutReserved(params: JsonObject): JsonObject {
  const { _meta, ...rest } = params
  const kept = Object.entries(isObject(_meta) ? _meta : {}).filter(([name]) => !name.startsWith(META))
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) }
}

/** Links that a legacy upstream wants opened before it goes on (2025-11-25, error -32042). */
export function linksIn(error: JsonRpcError | undefined): JsonObject[] {
  if (error?.code !== CODES.urlElicitation || !isObject(error.data)) return []
  const { elicitations } = error.data
  return Array.isArray(elicitations) ? elicitations.filter((each) => isObject(each) && typeof each['url'] === 'string').slice(0, 8) : []
}
