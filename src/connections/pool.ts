import type { Clock } from '@/lib/clock.ts'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { type Channel, ChannelError } from '@/plugins'
import { type Agreed, asFailure, type Session, type Upstream } from './session.ts'

const IDLE_MS = 10 * MINUTE_MS
const BACK_OFF_FIRST_MS = SECOND_MS
const BACK_OFF_MAX_MS = MINUTE_MS
const OPEN_TIMEOUT_MS = 45 * SECOND_MS

/** Whose credential the connection is used with is part of the key: two users never share a channel that speaks for one. */
export type PoolKey = { connectionId: ConnectionId; credentialOf: UserId }
export type Opened = {
  session: Session
  agreed: Agreed
  /** After the upstream refused a request: whether another try may go better (its credential was renewed). */
  recover?(error: unknown): Promise<boolean>
}
export type Open = (key: PoolKey, signal: AbortSignal, onClosed: (channel: Channel) => void) => Promise<Opened>

type Entry = { key: PoolKey; opening: Promise<Opened>; stop: AbortController; idle?: ReturnType<typeof setTimeout> }
type Fault = { error: unknown; count: number; until: number }

const textOf = ({ connectionId, credentialOf }: PoolKey) => `${connectionId} ${credentialOf}`

/** Channels by connection and credential: opened once however many ask, closed when idle, opened anew when they ended. */
export function createPool({ open, clock }: { open: Open; clock: Clock }) {
  const entries = new Map<string, Entry>()
  const faults = new Map<string, Fault>()
  let isClosed = false

  const drop = (entry: Entry) => {
    if (entries.get(textOf(entry.key)) === entry) entries.delete(textOf(entry.key))
    clearTimeout(entry.idle)
  }
  const close = async (entry: Entry) => {
    drop(entry)
    entry.stop.abort()
    await entry.opening.then(({ session }) => session.channel.close()).catch(() => undefined)
  }
  const rest = (entry: Entry) => {
    clearTimeout(entry.idle)
    entry.idle = setTimeout(async () => {
      const opened = await entry.opening.catch(() => undefined)
      if (opened && opened.session.inFlight() > 0) rest(entry)
      else await close(entry)
    }, IDLE_MS)
    entry.idle.unref()
  }

  const start = (key: PoolKey): Entry => {
    const entry = startOpening(open, key, () => drop(entry))
    entries.set(textOf(key), entry)
    entry.opening.then(
      () => faults.delete(textOf(key)),
      (error) => {
        drop(entry)
        faults.set(textOf(key), faultAfter(faults.get(textOf(key)), error, clock()))
      },
    )
    return entry
  }

  /** The channel, opened if need be. While a broken upstream rests, the same failure is given again at once. */
  const acquire = async (key: PoolKey): Promise<{ entry: Entry; opened: Opened }> => {
    if (isClosed) throw new Failure('upstream_unreachable', { message: 'Toolpass is stopping.' })
    const known = entries.get(textOf(key))
    const fault = faults.get(textOf(key))
    if (!known && fault && clock() < fault.until) throw fault.error
    const entry = known ?? start(key)
    rest(entry)
    return { entry, opened: await entry.opening }
  }

  const reach = async (key: PoolKey): Promise<Upstream> => {
    const first = await acquire(key).catch((error) => Promise.reject(asFailure(error)))
    const { revision, isModern } = first.opened.agreed
    return {
      revision,
      isModern,
      async request(method, params, options) {
        try {
          try {
            return await first.opened.session.request(method, params, options)
          } catch (error) {
            // A refused credential carried nothing out; the renewed one goes with the next request of itself.
            if (await first.opened.recover?.(error)) return await first.opened.session.request(method, params, options)
            if (!isRepeatable(error)) throw error
            // The upstream forgot the session and carried nothing out, so the request may go once more over a new one.
            await close(first.entry)
            const again = await acquire(key)
            return await again.opened.session.request(method, params, options)
          }
        } catch (error) {
          throw asFailure(error)
        }
      },
    }
  }

  const closeAll = async (isMeant: (key: PoolKey) => boolean) => {
    for (const text of faults.keys()) if (isMeant(keyOf(text))) faults.delete(text)
    await Promise.all([...entries.values()].filter((entry) => isMeant(entry.key)).map(close))
  }
  return {
    reach,
    agreed: async (key: PoolKey) => (await acquire(key)).opened.agreed,
    /** Forgets failures, so that the next attempt is a real one. */
    retry: (id: ConnectionId): void => {
      for (const text of faults.keys()) if (keyOf(text).connectionId === id) faults.delete(text)
    },
    /** Ends the channels of a connection and forgets its failures: its settings changed, or somebody asks to try again. */
    forget: (id: ConnectionId) => closeAll((key) => key.connectionId === id),
    close: async () => {
      isClosed = true
      await closeAll(() => true)
    },
  }
}

function startOpening(open: Open, key: PoolKey, onEnded: () => void): Entry {
  const stop = new AbortController()
  const late = setTimeout(() => stop.abort(), OPEN_TIMEOUT_MS)
  // A start that failed on the way may close its channel after the next one is open; only the one in use counts.
  const ended = new WeakSet<Channel>()
  let inUse: Channel | undefined
  const opening = open(key, stop.signal, (channel) => {
    ended.add(channel)
    if (channel === inUse) onEnded()
  }).finally(() => clearTimeout(late))
  opening.then(
    ({ session: { channel } }) => {
      inUse = channel
      if (ended.has(channel)) onEnded()
    },
    () => undefined,
  )
  return { key, stop, opening }
}

const keyOf = (text: string): PoolKey => {
  const [connectionId, credentialOf] = text.split(' ')
  return { connectionId: connectionId as ConnectionId, credentialOf: credentialOf as UserId }
}

/** `unreachable` sent nothing and `expired` carried nothing out (plugins/api.ts); anything else may have had its effect. */
const isRepeatable = (error: unknown) => error instanceof ChannelError && (error.kind === 'expired' || error.kind === 'unreachable')

function faultAfter(last: Fault | undefined, error: unknown, now: number): Fault {
  const count = (last?.count ?? 0) + 1
  return { error, count, until: now + Math.min(BACK_OFF_FIRST_MS * 2 ** (count - 1), BACK_OFF_MAX_MS) }
}
