import { META, META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL, META_VERSION } from '@/lib/meta-keys.ts'
import { Failure } from '@/lib/failure.ts'
import {
  type Channel,
  ChannelError,
  type Exchange,
  type JsonObject,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RawAnswer,
  type RequestBody,
  type RequestId,
  type UpstreamMessage,
} from '@/plugins'
import { type Asker, AskRefused, createAsking } from './asking.ts'

export const MODERN_REVISION = '2026-07-28'
export const OURSELVES = { name: 'toolpass', title: 'Toolpass', version: '0.1.0' }

/** Of one channel. Beyond it the upstream is asked too much already, and waiting would only hide that. */
const IN_FLIGHT_MAX = 240
const SET_LEVEL_TIMEOUT_MS = 10_000
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']
const NOT_OFFERED = { code: -32601, message: 'The app does not offer this.' }
const isMoreCurious = (level: string, than: string | undefined): boolean =>
  than === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(than)

export type UpstreamRequestOptions = {
  signal: AbortSignal
  timeoutMs: number
  /** Asks the upstream for progress; it arrives through `receive` under the house's own token. */
  progress?: boolean
  receive?(message: UpstreamMessage): void
  /** What a modern upstream is told of the caller; ignored by legacy ones, which were told once, at `initialize`. */
  meta?: JsonObject
  /** `Mcp-Param-*` headers of the client, for transports that have headers. */
  headers?: Record<string, string> | undefined
  /** Who answers what a legacy upstream asks while it works on this; without it the upstream hears a no. */
  asker?: Asker | undefined
  /** From which level on the client wants the remarks of a legacy upstream. */
  logLevel?: string
}

/** A request as text, with what a transport must know of it without parsing. */
export type RawSending = Pick<UpstreamRequestOptions, 'signal' | 'headers' | 'receive' | 'asker' | 'logLevel'> & {
  /** The whole message under this id. */
  build(id: number): RequestBody
  method: string
  /** As the upstream knows it, for `Mcp-Name`. */
  name?: string
}
/** `id` is what the answer's bytes carry. */
export type RawReceived = RawAnswer & { id: number }

export type Upstream = {
  readonly revision: string
  readonly isModern: boolean
  /** As the upstream announced them when it was opened. */
  readonly capabilities: JsonObject
  /** @throws Failure upstream_unreachable, upstream_unauthorized, upstream_timeout, upstream_failed, upstream_busy, request_cancelled */
  request(method: string, params: JsonObject, options: UpstreamRequestOptions): Promise<JsonRpcResponse>
  /** The same without parsing the answer, where the transport can. It ends with its signal alone. @throws as `request` does */
  forward?(sending: RawSending): Promise<RawReceived>
}

/** What opening has learnt about the other side. */
export type Agreed = { revision: string; isModern: boolean; capabilities: JsonObject; serverInfo: JsonObject; instructions?: string }

/**
 * The house's end of one channel: ids and progress tokens of its own, time limits, cancelling. It throws `ChannelError` when
 * the channel has no answer, so that the pool can tell a forgotten session from a lost one.
 */
export function createSession(channel: Channel, hearNotification: (message: UpstreamMessage) => void) {
  const state: State = { lastId: 0, inFlight: 0, agreed: undefined, loudness: undefined }
  const asking = createAsking(channel)

  const receive = (message: UpstreamMessage, forRequest?: (message: UpstreamMessage) => void, asker?: Asker) => {
    if ('id' in message && message.id !== undefined) asking.take(message, asker)
    else if (message.method === 'notifications/progress') forRequest?.(message)
    else {
      hearNotification(message)
      if (message.method === 'notifications/cancelled') asking.cancelled(message.params?.['requestId'] as RequestId)
      if (forRequest) forRequest(message)
      else if (message.method === 'notifications/message') asking.remark(message)
    }
  }
  const exchangeOf: ExchangeOf = ({ signal, receive: hear, headers }, asker) => ({
    signal,
    receive: (message: UpstreamMessage) => receive(message, hear, asker),
    headers,
  })

  /** One more under way, with whoever answers for it, until `work` is done. */
  const counted = async <T>(
    { signal, asker }: Pick<UpstreamRequestOptions, 'signal' | 'asker'>,
    work: (id: number) => Promise<T>,
  ): Promise<T> => {
    if (signal.aborted) throw new Failure('request_cancelled')
    if (state.inFlight >= IN_FLIGHT_MAX) throw new Failure('upstream_busy')
    state.lastId += 1
    state.inFlight += 1
    const entered = asker && asking.enter(asker)
    let isGivenUp = false
    try {
      return await work(state.lastId)
    } catch (error) {
      // What the channel says is an answer of its own; what is ours is that nobody waits any more.
      isGivenUp = error instanceof Failure
      throw error
    } finally {
      if (entered) asking.leave(entered, isGivenUp)
      state.inFlight -= 1
    }
  }
  /** A legacy upstream is told once what the most curious caller wants to hear; who wants less is told less (gateway/exchange.ts). */
  const listenTo = async (level: string): Promise<void> => {
    const { agreed, loudness } = state
    if (agreed?.isModern !== false || !isObject(agreed.capabilities['logging']) || !isMoreCurious(level, loudness)) return
    state.loudness = level
    const limits = { signal: AbortSignal.timeout(SET_LEVEL_TIMEOUT_MS), timeoutMs: SET_LEVEL_TIMEOUT_MS }
    await request('logging/setLevel', { level }, limits).catch(() => undefined)
  }
  const request = async (method: string, params: JsonObject, options: UpstreamRequestOptions): Promise<JsonRpcResponse> => {
    if (options.logLevel !== undefined && options.logLevel !== state.loudness) await listenTo(options.logLevel)
    return counted(options, (id) => {
      const message: JsonRpcRequest = { jsonrpc: '2.0', id, method, params: addressed(params, id, options, state.agreed) }
      return withinLimits(channel, { id, method }, options, state.agreed?.isModern === true, (signal) =>
        channel.request(message, { ...exchangeOf(options, options.asker), signal }),
      )
    })
  }
  const sendRaw = channel.forward && createRawSending(channel as Channel & Required<Pick<Channel, 'forward'>>, state, asking, exchangeOf)
  const forward =
    sendRaw &&
    ((sending: RawSending): Promise<RawReceived> => {
      if (sending.logLevel === undefined || sending.logLevel === state.loudness) return sendRaw(sending)
      return listenTo(sending.logLevel).then(() => sendRaw(sending))
    })

  return {
    channel,
    request,
    forward,
    receive: (message: UpstreamMessage) => receive(message),
    agree: (result: Agreed) => {
      state.agreed = result
    },
    inFlight: () => state.inFlight,
  }
}
type State = { lastId: number; inFlight: number; agreed: Agreed | undefined; loudness: string | undefined }

type ExchangeOf = (options: Pick<UpstreamRequestOptions, 'signal' | 'receive' | 'headers'>, asker: Asker | undefined) => Exchange

/** Whose client cannot be asked: no other may hear what their call led to. */
const NOBODY: Asker = { group: '', ask: () => Promise.reject(new AskRefused(NOT_OFFERED)), tell: () => undefined }

/** Without a clock of its own: on the path of most calls the caller's signal is all that ends it. */
function createRawSending(
  channel: Channel & Required<Pick<Channel, 'forward'>>,
  state: State,
  asking: Pick<ReturnType<typeof createAsking>, 'enter' | 'leave'>,
  exchangeOf: ExchangeOf,
) {
  return (sending: RawSending): Promise<RawReceived> => {
    const { signal, asker = NOBODY, method, name, headers } = sending
    if (signal.aborted) return Promise.reject(endOf(signal))
    if (state.inFlight >= IN_FLIGHT_MAX) return Promise.reject(new Failure('upstream_busy'))
    state.lastId += 1
    const id = state.lastId
    const raw = { id, body: sending.build(id), method, name, headers }
    state.inFlight += 1
    // Over a connection of its own a modern upstream asks nothing.
    const entered = channel.shared || state.agreed?.isModern !== true ? asking.enter(asker) : undefined
    const settle = (): void => {
      state.inFlight -= 1
      if (entered) asking.leave(entered, signal.aborted)
    }
    // A channel gives up with its signal, or is made to (plugins/opening.ts): nobody has to listen for it here as well.
    return channel.forward(raw, exchangeOf(sending, asker)).then(
      (answer): RawReceived => {
        settle()
        if (signal.aborted) throw endOf(signal)
        return answer.response === undefined ? { bytes: answer.bytes, id } : { response: answer.response, id }
      },
      (error): never => {
        settle()
        if (!signal.aborted) throw error
        if (channel.shared || state.agreed?.isModern !== true) cancelled(channel, id)
        throw endOf(signal)
      },
    )
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

/** Reserved keys that a caller's request may carry through to a modern upstream, beside those that each request has. */
const CARRIED = [META_LOG_LEVEL]

export const modernMeta = (caller: JsonObject = {}): JsonObject => {
  const meta: JsonObject = {
    [META_VERSION]: MODERN_REVISION,
    [META_CAPABILITIES]: caller[META_CAPABILITIES] ?? {},
    [META_CLIENT]: caller[META_CLIENT] ?? OURSELVES,
  }
  for (const name of CARRIED) if (caller[name] !== undefined) meta[name] = caller[name]
  return meta
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** One request with its time limit. Where streams are shared, or the upstream is legacy, giving up is said in a notification. */
function withinLimits<T>(
  channel: Channel,
  { id, method }: { id: RequestId; method: string },
  { signal, timeoutMs }: Pick<UpstreamRequestOptions, 'signal' | 'timeoutMs'>,
  isModern: boolean,
  send: (signal: Exchange['signal']) => Promise<T>,
): Promise<T> {
  const ending = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const settle = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
  const giveUp = (failure: Failure, reason: string) => {
    settle()
    reject(failure)
    // `initialize` must not be cancelled (2025-11-25, "Cancellation").
    if ((channel.shared || !isModern) && method !== 'initialize')
      channel
        .notify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } })
        .catch(() => undefined)
        .finally(() => ending.abort())
    else ending.abort()
  }
  const onAbort = () => giveUp(endOf(signal), 'The client cancelled the request.')
  const timer = setTimeout(() => giveUp(new Failure('upstream_timeout'), 'The request took too long.'), timeoutMs)
  signal.addEventListener('abort', onAbort, { once: true })
  send(ending.signal).then(
    (answer) => (settle(), resolve(answer)),
    (error) => (settle(), reject(error)),
  )
  return promise
}

/** Why a request ends that its caller gave up, or whose time was over. */
const endOf = ({ reason }: AbortSignal): Failure => (reason instanceof Failure ? reason : new Failure('request_cancelled'))

/** Where closing the request's stream says nothing, or there is none. */
function cancelled(channel: Channel, requestId: RequestId): void {
  const params = { requestId, reason: 'The client cancelled the request.' }
  channel.notify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }).catch(() => undefined)
}

/** What a caller may be told about a channel without an answer. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof ChannelError)) return error
  const options = { cause: error, message: error.message }
  if (error.kind === 'unreachable') return new Failure('upstream_unreachable', options)
  if (error.kind === 'unauthorized') return new Failure('upstream_unauthorized', options)
  return new Failure('upstream_failed', options)
}
