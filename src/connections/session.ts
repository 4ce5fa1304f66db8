import { Failure } from '@/lib/failure.ts'
import {
  type Channel,
  ChannelError,
  type JsonObject,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
  type UpstreamMessage,
} from '@/plugins'

export const MODERN_REVISION = '2026-07-28'
export const META = 'io.modelcontextprotocol/'
export const OURSELVES = { name: 'toolpass', title: 'Toolpass', version: '0.1.0' }

const IN_FLIGHT_MAX = 64
const METHOD_NOT_FOUND = -32601

export type UpstreamRequestOptions = {
  signal: AbortSignal
  timeoutMs: number
  /** Asks the upstream for progress; it arrives through `receive` under the house's own token. */
  progress?: boolean
  receive?(message: UpstreamMessage): void
  /** What a modern upstream is told of the caller; ignored by legacy ones, which were told once, at `initialize`. */
  meta?: JsonObject
  /** `Mcp-Param-*` headers of the client, for transports that have headers. */
  headers?: Record<string, string>
}

export type Upstream = {
  readonly revision: string
  readonly isModern: boolean
  /** @throws Failure upstream_unreachable, upstream_unauthorized, upstream_timeout, upstream_failed, upstream_busy, request_cancelled */
  request(method: string, params: JsonObject, options: UpstreamRequestOptions): Promise<JsonRpcResponse>
}

/** What opening has learnt about the other side. */
export type Agreed = { revision: string; isModern: boolean; capabilities: JsonObject; serverInfo: JsonObject; instructions?: string }

/**
 * The house's end of one channel: ids and progress tokens of its own, time limits, cancelling. It throws `ChannelError` when
 * the channel has no answer, so that the pool can tell a forgotten session from a lost one.
 */
export function createSession(channel: Channel, hearNotification: (message: UpstreamMessage) => void) {
  let lastId = 0
  let inFlight = 0
  let agreed: Agreed | undefined

  /** Requests of a legacy upstream are answered here: `ping` with life, the rest with a no, since no client stands behind them. */
  const answer = (id: RequestId, method: string) => {
    const response: JsonRpcResponse =
      method === 'ping'
        ? { jsonrpc: '2.0', id, result: {} }
        : { jsonrpc: '2.0', id, error: { code: METHOD_NOT_FOUND, message: `Toolpass does not offer ${method.slice(0, 100)}.` } }
    channel.respond(response).catch(() => undefined)
  }
  const receive = (message: UpstreamMessage, forRequest?: (message: UpstreamMessage) => void) => {
    if ('id' in message && message.id !== undefined) answer(message.id, message.method)
    else if (message.method === 'notifications/progress') forRequest?.(message)
    else {
      hearNotification(message)
      forRequest?.(message)
    }
  }

  const request = async (method: string, params: JsonObject, options: UpstreamRequestOptions): Promise<JsonRpcResponse> => {
    if (options.signal.aborted) throw new Failure('request_cancelled')
    if (inFlight >= IN_FLIGHT_MAX) throw new Failure('upstream_busy')
    lastId += 1
    const id = lastId
    const message: JsonRpcRequest = { jsonrpc: '2.0', id, method, params: addressed(params, id, options, agreed) }
    inFlight += 1
    try {
      return await exchange(channel, message, options, agreed?.isModern === true, (heard) => receive(heard, options.receive))
    } finally {
      inFlight -= 1
    }
  }

  return {
    channel,
    request,
    receive: (message: UpstreamMessage) => receive(message),
    agree: (result: Agreed) => {
      agreed = result
    },
    inFlight: () => inFlight,
  }
}
export type Session = ReturnType<typeof createSession>

/**
 * `_meta` as this upstream may have it: the caller's progress token never crosses, and the reserved keys are the house's own
 * toward a modern upstream (2026-07-28, "Request metadata") and absent toward a legacy one.
 */
function addressed(params: JsonObject, id: number, options: UpstreamRequestOptions, agreed: Agreed | undefined): JsonObject {
  const { _meta, ...rest } = params
  const meta: JsonObject = {}
  for (const [name, value] of Object.entries(isObject(_meta) ? _meta : {}))
    if (!name.startsWith(META) && name !== 'progressToken') meta[name] = value
  if (options.progress === true) meta['progressToken'] = id
  if (agreed?.isModern === true) Object.assign(meta, modernMeta(options.meta))
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }
}

export const modernMeta = (caller: JsonObject = {}): JsonObject => ({
  [`${META}protocolVersion`]: MODERN_REVISION,
  [`${META}clientCapabilities`]: caller[`${META}clientCapabilities`] ?? {},
  [`${META}clientInfo`]: caller[`${META}clientInfo`] ?? OURSELVES,
})

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** One request with its time limit. Where streams are shared, or the upstream is legacy, giving up is said in a notification. */
async function exchange(
  channel: Channel,
  message: JsonRpcRequest,
  { signal, timeoutMs, headers }: UpstreamRequestOptions,
  isModern: boolean,
  receive: (message: UpstreamMessage) => void,
): Promise<JsonRpcResponse> {
  const ending = new AbortController()
  const { promise: givenUp, reject } = Promise.withResolvers<never>()
  givenUp.catch(() => undefined)
  const giveUp = (failure: Failure, reason: string) => {
    reject(failure)
    // `initialize` must not be cancelled (2025-11-25, "Cancellation").
    if ((channel.shared || !isModern) && message.method !== 'initialize')
      channel
        .notify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: message.id, reason } })
        .catch(() => undefined)
        .finally(() => ending.abort())
    else ending.abort()
  }
  const onAbort = () => giveUp(new Failure('request_cancelled'), 'The client cancelled the request.')
  const timer = setTimeout(() => giveUp(new Failure('upstream_timeout'), 'The request took too long.'), timeoutMs)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const answered = channel.request(message, { signal: ending.signal, receive, headers })
    answered.catch(() => undefined)
    return await Promise.race([answered, givenUp])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** What a caller may be told about a channel without an answer. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof ChannelError)) return error
  const options = { cause: error, message: error.message }
  if (error.kind === 'unreachable') return new Failure('upstream_unreachable', options)
  if (error.kind === 'unauthorized') return new Failure('upstream_unauthorized', options)
  return new Failure('upstream_failed', options)
}
