import type { Clock } from '@/lib/clock.ts'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { type Channel, ChannelError } from '@/plugins'
import { createBreaker } from './breaker.ts'
import { type Agreed, asFailure, type Session, type Upstream } from './session.ts'

const IDLE_MS = 10 * MINUTE_MS
/** Who stayed up so long is in order again, whatever was before. */
const GOOD_MS = MINUTE_MS
const BACK_OFF_FIRST_MS = SECOND_MS
const BACK_OFF_MAX_MS = MINUTE_MS
const OPEN_TIMEOUT_MS = 45 * SECOND_MS
const RETIRING_LOOK_MS = SECOND_MS

/** Whose credential the connection is used with is part of the key: two users never share a channel that speaks for one. */
export type PoolKey = { connectionId: ConnectionId; credentialOf: UserId }
export type Recovery = {
  /** After the upstream refused a request that was sent then: whether another try may go better (its credential was renewed). */
  recover?(error: unknown, sentAt: number): Promise<boolean>
  /** That other try was refused as well. */
  giveUp?(error: unknown): Promise<void>
}
export type Opened = {
  session: Session
  agreed: Agreed
} & Recovery
export type OnClosed = (channel: Channel, reason: ChannelError) => void
export type Open = (key: PoolKey, signal: AbortSignal, onClosed: OnClosed) => Promise<Opened>

type Entry = {
  key: PoolKey
  opening: Promise<Opened>
  stop: AbortController
  idle?: ReturnType<typeof setTimeout>
  opened?: Opened
  openedAt?: number
  usedAt: number
}
/** Of an opening that failed, or of a channel that ended by itself too soon after it was opened. */
type Fault = { error: unknown; count: number; until: number; isCrash?: boolean }
/** How a channel is doing, for the pages. */
export type Standing = PoolKey & { state: 'opening' | 'open'; since: number; usedAt: number; inFlight: number }

const textOf = ({ connectionId, credentialOf }: PoolKey) => `${connectionId} ${credentialOf}`

type PoolDeps = {
  open: Open
  clock: Clock
  idleMs?: number
  /** Whether somebody waits for news over this channel, so that it is kept open without being used. */
  isWanted?(key: PoolKey): boolean
  /** It ended by itself. */
  onEnded?(key: PoolKey): void
}

/** Channels by connection and credential: opened once however many ask, closed when idle, opened anew when they ended. */
export function createPool({ open, clock, idleMs = IDLE_MS, isWanted = () => false, onEnded = () => undefined }: PoolDeps) {
  const entries = new Map<string, Entry>()
  const faults = createFaults(clock)
  let isClosed = false

  const drop = (entry: Entry) => {
    if (entries.get(textOf(entry.key)) === entry) entries.delete(textOf(entry.key))
    clearTimeout(entry.idle)
  }
  const close = async (entry: Entry) => {
    drop(entry)
    faults.closed(textOf(entry.key), entry.openedAt)
    entry.stop.abort()
    await entry.opening.then(({ session }) => session.channel.close()).catch(() => undefined)
  }
  /** Looks again when its time is over, rather than winding a clock for each call. */
  const rest = (entry: Entry, waitMs = idleMs) => {
    entry.idle = setTimeout(async () => {
      const opened = await entry.opening.catch(() => undefined)
      const leftMs = entry.usedAt + idleMs - clock()
      if (leftMs > 0) rest(entry, leftMs)
      else if (opened && (opened.session.inFlight() > 0 || isWanted(entry.key))) rest(entry)
      else await close(entry)
    }, waitMs)
    entry.idle.unref()
  }

  const start = (key: PoolKey): Entry => {
    const text = textOf(key)
    const entry = startOpening(open, key, clock, (reason) => {
      const isCurrent = entries.get(text) === entry
      drop(entry)
      if (!isCurrent) return
      // A forgotten session is begun anew with the next use; nothing broke that would have to rest.
      if (reason.kind !== 'expired') faults.crashed(text, reason, entry.openedAt)
      onEnded(key)
    })
    entries.set(text, entry)
    rest(entry)
    entry.opening.then(
      () => faults.opened(text),
      (error) => {
        drop(entry)
        faults.failed(text, error)
      },
    )
    return entry
  }

  /** The channel, opened if need be. While a broken upstream rests, the same failure is given again at once. */
  const acquire = async (key: PoolKey): Promise<{ entry: Entry; opened: Opened }> => {
    if (isClosed) throw new Failure('upstream_unreachable', { message: 'Toolpass is stopping.' })
    const known = entries.get(textOf(key))
    if (!known) faults.demandRested(textOf(key))
    const entry = known ?? start(key)
    entry.usedAt = clock()
    return { entry, opened: await entry.opening }
  }

  const breaker = createBreaker(clock)
  const reaching = createReaching({ acquire, close, clock, breaker })
  const forgive = (isMeant: (key: PoolKey) => boolean) => {
    faults.forget(isMeant)
    breaker.forget((text) => isMeant(keyOf(text)))
  }
  const closeAll = async (isMeant: (key: PoolKey) => boolean) => {
    forgive(isMeant)
    await Promise.all([...entries.values()].filter((entry) => isMeant(entry.key)).map(close))
  }
  return {
    reach: reaching.reach,
    /** On the path of every call: undefined where the channel is not open yet. */
    now: (key: PoolKey): Upstream | undefined => reaching.opened(key, entries.get(textOf(key))),
    agreed: async (key: PoolKey) => (await acquire(key)).opened.agreed,
    /** The session where one is open; nothing is opened for it. */
    opened: (key: PoolKey): Opened | undefined => entries.get(textOf(key))?.opened,
    /** Forgets failures, so that the next attempt is a real one. */
    retry: (id: ConnectionId): void => forgive(({ connectionId }) => connectionId === id),
    standing: () => [...entries.values()].map(standingOf),
    /** Of those that ended by themselves again and again: when they may start once more. */
    resting: faults.resting,
    /** Its credential has changed: the next use opens anew, and what is under way ends in peace. */
    retire(meant: PoolKey): void {
      const entry = entries.get(textOf(meant))
      if (!entry) return
      drop(entry)
      whenQuiet(entry, () => isClosed, close)
    },
    /** Ends one channel; the next use opens it anew. */
    end: (meant: PoolKey) => closeAll((key) => textOf(key) === textOf(meant)),
    /** Ends the channels of a connection and forgets its failures: its settings changed, or somebody asks to try again. */
    forget: (id: ConnectionId) => closeAll((key) => key.connectionId === id),
    close: async () => {
      isClosed = true
      await closeAll(() => true)
    },
  }
}

function whenQuiet(entry: Entry, isHurried: () => boolean, work: (entry: Entry) => Promise<void>): void {
  const isBusy = (entry.opened?.session.inFlight() ?? 0) > 0
  if (!isBusy || isHurried()) void work(entry)
  else setTimeout(() => whenQuiet(entry, isHurried, work), RETIRING_LOOK_MS).unref()
}

type Acquired = { entry: Entry; opened: Opened }
type Reaching = {
  acquire(key: PoolKey): Promise<Acquired>
  close(entry: Entry): Promise<void>
  clock: Clock
  breaker: ReturnType<typeof createBreaker>
}

/** The upstream as rooms above see it: a request is repeated where, and only where, nothing can have been carried out. */
function createReaching({ acquire, close, clock, breaker }: Reaching) {
  /** A refused credential carried nothing out; the renewed one goes with the next request of itself. */
  const again = async <T>({ opened }: Acquired, work: () => Promise<T>) => {
    try {
      return await work()
    } catch (error) {
      await opened.giveUp?.(error)
      throw error
    }
  }
  /** After a refusal or a failure: once more where, and only where, nothing can have been carried out. */
  const recovered = async <T>(
    key: PoolKey,
    first: Acquired,
    send: (session: Session) => Promise<T>,
    error: unknown,
    sentAt: number,
  ): Promise<T> => {
    if (await first.opened.recover?.(error, sentAt)) return again(first, () => send(first.opened.session))
    if (!isRepeatable(error)) throw error
    // The upstream forgot the session and carried nothing out, so the request may go once more over a new one.
    await close(first.entry)
    return send((await acquire(key)).opened.session)
  }
  /** How all requests to one upstream are sent, the calls of its tools among them: nothing is made for each that can be made for all. */
  const attempting = (key: PoolKey, first: Acquired) => {
    const text = textOf(key)
    const went = <T>(answer: T): T => {
      breaker.went(text)
      return answer
    }
    return <T>(send: (session: Session) => Promise<T>): Promise<T> => {
      try {
        const isTry = breaker.demandClosed(text)
        const sentAt = clock()
        return send(first.opened.session).then(went<T>, (error) =>
          recovered(key, first, send, error, sentAt).then(went<T>, (last): never => {
            breaker.failed(text, last, isTry)
            throw asFailure(last)
          }),
        )
      } catch (error) {
        return Promise.reject(error)
      }
    }
  }
  const upstreamOf = (key: PoolKey, first: Acquired): Upstream => {
    const { revision, isModern, capabilities } = first.opened.agreed
    const { forward } = first.opened.session
    const attempt = attempting(key, first)
    return {
      revision,
      isModern,
      capabilities,
      request: (method, params, options) => attempt((session) => session.request(method, params, options)),
      ...(forward && { forward: (sending) => attempt((session) => (session.forward as typeof forward)(sending)) }),
    }
  }
  /** Made once for as long as the channel is open. */
  const made = new WeakMap<Opened, Upstream>()
  const known = (key: PoolKey, acquired: Acquired): Upstream => {
    const upstream = made.get(acquired.opened) ?? upstreamOf(key, acquired)
    made.set(acquired.opened, upstream)
    return upstream
  }
  return {
    reach: async (key: PoolKey): Promise<Upstream> => known(key, await acquire(key).catch((error) => Promise.reject(asFailure(error)))),
    /** The upstream of a channel that is open, with nothing to wait for. */
    opened(key: PoolKey, entry: Entry | undefined): Upstream | undefined {
      if (!entry?.opened) return undefined
      entry.usedAt = clock()
      return known(key, { entry, opened: entry.opened })
    },
  }
}

function startOpening(open: Open, key: PoolKey, clock: Clock, onEnded: (reason: ChannelError) => void): Entry {
  const stop = new AbortController()
  const late = setTimeout(() => stop.abort(), OPEN_TIMEOUT_MS)
  // A start that failed on the way may close its channel after the next one is open; only the one in use counts.
  const ended = new WeakMap<Channel, ChannelError>()
  let inUse: Channel | undefined
  const opening = open(key, stop.signal, (channel, reason) => {
    ended.set(channel, reason)
    if (channel === inUse) onEnded(reason)
  }).finally(() => clearTimeout(late))
  const entry: Entry = { key, stop, opening, usedAt: clock() }
  opening.then(
    (opened) => {
      const { channel } = opened.session
      inUse = channel
      Object.assign(entry, { opened, openedAt: clock() })
      const reason = ended.get(channel)
      if (reason) onEnded(reason)
    },
    () => undefined,
  )
  return entry
}

const keyOf = (text: string): PoolKey => {
  const [connectionId, credentialOf] = text.split(' ')
  return { connectionId: connectionId as ConnectionId, credentialOf: credentialOf as UserId }
}

/** `unreachable` sent nothing and `expired` carried nothing out (plugins/api.ts); anything else may have had its effect. */
const isRepeatable = (error: unknown) => error instanceof ChannelError && (error.kind === 'expired' || error.kind === 'unreachable')

/** What went wrong, by key, and how long each rests for it. */
function createFaults(clock: Clock) {
  const faults = new Map<string, Fault>()
  return {
    /** While it rests the same failure is given again. */
    demandRested(text: string): void {
      const fault = faults.get(text)
      if (fault && clock() < fault.until) throw fault.isCrash ? restingAfter(fault, clock()) : fault.error
    },
    failed: (text: string, error: unknown) => void faults.set(text, faultAfter(faults.get(text), error, clock())),
    crashed: (text: string, reason: ChannelError, openedAt: number | undefined) =>
      void faults.set(text, crashAfter(faults.get(text), reason, clock(), openedAt)),
    opened(text: string): void {
      // What crashed before has to stay up for a while before it is believed again.
      if (faults.get(text)?.isCrash !== true) faults.delete(text)
    },
    closed(text: string, openedAt = clock()): void {
      if (clock() - openedAt >= GOOD_MS) faults.delete(text)
    },
    forget(isMeant: (key: PoolKey) => boolean): void {
      for (const text of faults.keys()) if (isMeant(keyOf(text))) faults.delete(text)
    },
    resting: (): (PoolKey & { until: number; problem: string })[] =>
      [...faults].flatMap(([text, { until, isCrash, error }]) =>
        isCrash && until > clock() ? [{ ...keyOf(text), until, problem: (error as Error).message }] : [],
      ),
  }
}

function faultAfter(last: Fault | undefined, error: unknown, now: number): Fault {
  const count = (last?.count ?? 0) + 1
  return { error, count, until: now + Math.min(BACK_OFF_FIRST_MS * 2 ** (count - 1), BACK_OFF_MAX_MS) }
}

/** The first end after a good time is nobody's fault: it starts again at once. From then on it waits, longer each time. */
function crashAfter(last: Fault | undefined, reason: ChannelError, now: number, openedAt = now): Fault {
  const before = now - openedAt < GOOD_MS && last?.isCrash ? last.count : 0
  const waitMs = before === 0 ? 0 : Math.min(BACK_OFF_FIRST_MS * 2 ** (before - 1), BACK_OFF_MAX_MS)
  return { error: reason, count: before + 1, until: now + waitMs, isCrash: true }
}

const restingAfter = ({ error, until }: Fault, now: number): ChannelError => {
  const seconds = Math.ceil((until - now) / SECOND_MS)
  return new ChannelError('unreachable', `${(error as Error).message} It restarts in ${seconds} s.`, { cause: error })
}

const standingOf = ({ key, opened, openedAt, usedAt }: Entry): Standing => ({
  ...key,
  state: opened ? 'open' : 'opening',
  since: openedAt ?? usedAt,
  usedAt,
  inFlight: opened?.session.inFlight() ?? 0,
})
