import { nativeSignal } from '@/lib/call-signal.ts'
import { type JsonError, tameJson } from '@/lib/json.ts'
import { type Outbound, OutboundError } from '@/lib/outbound.ts'
import { ProgramError, type Programs } from '@/lib/programs.ts'
import { unlessAborted } from '@/lib/waiting.ts'
import {
  type Channel,
  ChannelError,
  type Connector,
  type ConnectorContext,
  type ExchangeAnswer,
  type ExchangeInit,
  type RawAnswer,
  type UpstreamMessage,
} from './api.ts'

export type OpeningDeps = {
  outbound: Pick<Outbound, 'fetch' | 'exchange' | 'endScope'>
  programs: Pick<Programs, 'start'>
  /** The longest wait for the head of an answer. The house's own time limit for a call is shorter; this is the backstop. */
  answerTimeoutMs?: number
}

const ANSWER_TIMEOUT_MS = 15 * 60_000
const LOG_LINE_CHARS_MAX = 2_000

/** Who opens a channel, and for what. */
export type OpenedBy = {
  /** Plain and secret settings joined. */
  settings: unknown
  /** Names the connection (and the credential, where each user has their own) in the data folder: its programs' HOME. */
  key: string
  /** An administrator entered the address, so it may be private or loopback. */
  privateAllowed: boolean
  /** Asked before each request, so a refreshed token holds at once. Sent to this origin only. */
  credential?: { origin: string; headers(): Promise<Record<string, string>> | Record<string, string> }
  receive(message: UpstreamMessage): void
  log(line: string): void
  closed(reason: ChannelError): void
  signal: AbortSignal
}

export function createOpening(deps: OpeningDeps) {
  return async (connector: Connector, by: OpenedBy): Promise<Channel> => {
    const settings = connector.settings.safeParse(by.settings)
    if (!settings.success) {
      const [issue] = settings.error.issues
      throw new ChannelError('unreachable', `The settings are not complete: ${issue?.path.join('.')}.`)
    }
    const state = { ended: false }
    const opening = Promise.try(() => connector.open(createContext(deps, by, settings.data, state)))
    // A connector that hangs, or ignores the signal, is left behind; what it opens after all is closed at once.
    const channel = await untilAborted(opening, by.signal, (late) => void late.close().catch(() => {}))
    return guardChannel(channel, state, by, () => deps.outbound.endScope(state))
  }
}

/** Of a channel; also the scope of what its connector sends. */
type State = { ended: boolean }

function createContext(
  deps: OpeningDeps,
  by: OpenedBy,
  settings: Record<string, unknown>,
  state: State,
): ConnectorContext<Record<string, unknown>> {
  const credentialFor = createCredential(by)
  return {
    settings,
    signal: by.signal,
    exchange: createExchange(deps, by, state, credentialFor),
    fetch: async (url, init = {}) => {
      try {
        const headers = { ...init.headers, ...(await credentialFor(url)) }
        return await deps.outbound.fetch(url, {
          ...init,
          headers,
          privateAllowed: by.privateAllowed,
          timeoutMs: deps.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
          timeoutCovers: 'head',
          bodyBytesMax: Number.POSITIVE_INFINITY,
          redirectsMax: init.redirectsMax ?? 0,
        })
      } catch (error) {
        return throwDescribed(error)
      }
    },
    spawn: async (command) => {
      try {
        return await deps.programs.start({ ...command, key: by.key })
      } catch (error) {
        throw error instanceof ProgramError ? describeProgram(error) : error
      }
    },
    receive: (message) => {
      if (!state.ended) hand(message, by.receive, by)
    },
    log: (line) => by.log(line.slice(0, LOG_LINE_CHARS_MAX)),
    closed: (reason) => {
      if (state.ended) return
      state.ended = true
      by.closed(asChannelError(reason))
    },
  }
}

type CredentialFor = (url: string) => Record<string, string> | Promise<Record<string, string>> | undefined

/** A credential goes to the origin that it was made for and to no other, whatever address a connector asks for. */
function createCredential({ credential }: OpenedBy): CredentialFor {
  // A connector asks for the same address again and again, and reading one costs as much as sending a header.
  let lastUrl: string | undefined
  let isItsOrigin = false
  return (url) => {
    if (credential === undefined) return undefined
    if (url !== lastUrl) {
      isItsOrigin = URL.parse(url)?.origin === credential.origin
      lastUrl = url
    }
    return isItsOrigin ? credential.headers() : undefined
  }
}

/** Nothing is waited for that is there already: this is the way of each tools/call. */
function createExchange({ outbound, answerTimeoutMs }: OpeningDeps, by: OpenedBy, scope: State, credentialFor: CredentialFor) {
  const { privateAllowed } = by
  const headTimeoutMs = answerTimeoutMs ?? ANSWER_TIMEOUT_MS
  const bodyBytesMax = Number.POSITIVE_INFINITY
  const remembered = createRemembered()
  const send = (url: string, { method, headers, body, signal }: ExchangeInit, credential: Record<string, string> | undefined) => {
    const overriding = credential === undefined ? undefined : remembered(credential)
    const request = { method, headers, overriding, body, signal, scope, privateAllowed, headTimeoutMs, bodyBytesMax }
    return outbound.exchange(url, request).catch(throwDescribed)
  }
  const sendLater = async (url: string, init: ExchangeInit, credential: Promise<Record<string, string>>) =>
    send(url, init, await unlessGivenUp(credential, init.signal))
  return (url: string, init: ExchangeInit = {}): Promise<ExchangeAnswer> => {
    try {
      const credential = credentialFor(url)
      return credential instanceof Promise ? sendLater(url, init, credential) : send(url, init, credential)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

/** A credential is renewed for everybody who waits for it; who gives up waits no longer. */
function unlessGivenUp<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return unlessAborted(signal, work).catch((error) => {
    throw signal.aborted ? givenUp(signal) : error
  })
}

/** The same frozen record for as long as what is in it is the same, so that it is read once: tokens change by the hour. */
function createRemembered() {
  let last: Readonly<Record<string, string>> = Object.freeze({})
  let count = 0
  return (given: Record<string, string>): Readonly<Record<string, string>> => {
    let same = 0
    for (const name in given) {
      if (given[name] !== last[name]) same = Number.NaN
      same += 1
    }
    if (same === count) return last
    last = Object.freeze({ ...given })
    count = Object.keys(last).length
    return last
  }
}

function throwDescribed(error: unknown): never {
  throw error instanceof OutboundError ? describeOutbound(error) : error
}

/** Holds a connector to its promises: `ChannelError` only, JSON within bounds, `close` that never rejects. */
function guardChannel(channel: Channel, state: State, by: OpenedBy, endExchanges: () => void): Channel {
  let closing: Promise<void> | undefined
  const closeIt = async (): Promise<void> => {
    state.ended = true
    endExchanges()
    await channel.close().catch(() => {})
    // What it sent to say goodbye, if that is still under way.
    endExchanges()
  }
  const guarded: Channel = {
    shared: channel.shared,
    request: async (request, exchange) => {
      try {
        return tame(await channel.request(request, { ...exchange, receive: (message) => hand(message, exchange.receive, by) }))
      } catch (error) {
        throw asChannelError(error)
      }
    },
    notify: (notification) => channel.notify(notification).catch((error) => Promise.reject(asChannelError(error))),
    respond: (response) => channel.respond(response).catch((error) => Promise.reject(asChannelError(error))),
    // Once: whoever closes it again waits for the same, and does not cut off what it says in parting.
    close: () => (closing ??= closeIt()),
  }
  if (channel.forward !== undefined) guarded.forward = guardForward(channel as Forwarding, by)
  return guarded
}

type Forwarding = Channel & Required<Pick<Channel, 'forward'>>

/** Whatever a connector does about a signal, light or not, its caller waits no longer. */
function guardForward(channel: Forwarding, by: OpenedBy): NonNullable<Channel['forward']> {
  return (request, exchange) => {
    const { receive, headers } = exchange
    const signal = channel.takesLightSignals === true ? exchange.signal : nativeSignal(exchange.signal)
    if (signal.aborted) return Promise.reject(givenUp(signal))
    const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
    const onAbort = () => reject(givenUp(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    const failed = (error: unknown) => {
      signal.removeEventListener('abort', onAbort)
      reject(asChannelError(error))
    }
    const answered = (answer: RawAnswer) => {
      try {
        resolve(tamed(answer))
        signal.removeEventListener('abort', onAbort)
      } catch (error) {
        failed(error)
      }
    }
    try {
      channel.forward(request, { signal, headers, receive: (message) => hand(message, receive, by) }).then(answered, failed)
    } catch (error) {
      failed(error)
    }
    return promise
  }
}
const givenUp = ({ reason }: AbortSignal): ChannelError => new ChannelError('lost', 'The request was given up.', { cause: reason })
const tamed = (answer: RawAnswer): RawAnswer => (answer.response === undefined ? answer : { response: tame(answer.response) })

/** A message that is out of bounds is dropped with a remark: an error thrown here would end the connector's reading. */
function hand(message: UpstreamMessage, receive: (message: UpstreamMessage) => void, by: OpenedBy): void {
  try {
    receive(tame(message))
  } catch (error) {
    if (!(error instanceof ChannelError)) throw error
    by.log(error.message)
  }
}

function tame<T>(message: T): T {
  try {
    return tameJson(message)
  } catch (error) {
    throw new ChannelError('invalid', 'The upstream sent JSON that is nested too deeply.', { cause: error as JsonError })
  }
}

function asChannelError(error: unknown): ChannelError {
  if (error instanceof ChannelError) return error
  if (error instanceof OutboundError) return describeOutbound(error)
  // An outside plugin may throw anything; its text is not for the user's eyes, so only the cause keeps it.
  return new ChannelError('lost', 'The connector failed.', { cause: error })
}

const KINDS = {
  request: 'unreachable',
  address: 'unreachable',
  resolve: 'unreachable',
  connect: 'unreachable',
  tls: 'unreachable',
  lost: 'lost',
  timeout: 'lost',
  aborted: 'lost',
  redirect: 'refused',
  'too-large': 'invalid',
} as const satisfies Record<OutboundError['kind'], ChannelError['kind']>

const describeOutbound = (error: OutboundError): ChannelError => new ChannelError(KINDS[error.kind], error.message, { cause: error })
const describeProgram = (error: ProgramError): ChannelError => new ChannelError('unreachable', error.message, { cause: error })

function untilAborted(opening: Promise<Channel>, signal: AbortSignal, onLate: (channel: Channel) => void): Promise<Channel> {
  const { promise, resolve, reject } = Promise.withResolvers<Channel>()
  let givenUp = false
  const onAbort = () => {
    givenUp = true
    reject(new ChannelError('unreachable', 'Opening the connection was given up.', { cause: signal.reason }))
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  opening
    .then(
      (channel) => (givenUp ? onLate(channel) : resolve(channel)),
      (error) => reject(asChannelError(error)),
    )
    .finally(() => signal.removeEventListener('abort', onAbort))
  return promise
}
