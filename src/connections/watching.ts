/** Connections that are in use, or in trouble, are tried again by the house itself, so that a page does not learn it from a call. */
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import type { Plugins } from '@/plugins'
import type { Connection } from './rows.ts'

type Deps = {
  clock: Clock
  plugins: Pick<Plugins, 'connector'>
  rows: { all(): Promise<Connection[]> }
  pool: { standing(): readonly { connectionId: ConnectionId }[] }
  /** One try of a connection: reaches it, and lists its tools anew. */
  tryOnce(id: ConnectionId): Promise<void>
}

const CHECK_EVERY_MS = 5 * MINUTE_MS
/** Those that were checked together drift apart, by up to this share of the time between. */
const SPREAD = 0.2
const AT_ONCE_MAX = 4
const IN_A_ROUND_MAX = 100
/** However short an upstream says that its list holds, nobody is asked more often than this. */
const LISTED_MIN_MS = MINUTE_MS

export function createWatching({ clock, plugins, rows, pool, tryOnce }: Deps) {
  /** Until when the list of tools holds, as its upstream said (2026-07-28, "Caching"). */
  const listedUntil = new Map<ConnectionId, number>()
  let round: Promise<number> | undefined

  const isDue = (connection: Connection, open: ReadonlySet<ConnectionId>, now: number): boolean => {
    const isOpen = open.has(connection.id)
    // Nothing is started here only to see whether it starts.
    const runsHere = plugins.connector(connection.connector)?.definedBy === 'administrator'
    if (!isOpen && (connection.status !== 'failing' || runsHere)) return false
    const every = CHECK_EVERY_MS * (1 + SPREAD * shareOf(connection.id))
    return now >= Math.min((connection.checkedAt ?? 0) + every, listedUntil.get(connection.id) ?? Number.POSITIVE_INFINITY)
  }
  const checkUp = async (): Promise<number> => {
    const open = new Set(pool.standing().map(({ connectionId }) => connectionId))
    const due = (await rows.all()).filter((connection) => isDue(connection, open, clock())).slice(0, IN_A_ROUND_MAX)
    const waiting = due.map(({ id }) => id)
    const work = async () => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await tryOnce(id)
    }
    await Promise.all(Array.from({ length: AT_ONCE_MAX }, work))
    return due.length
  }
  return {
    /** One round at a time. @returns how many were tried */
    checkUp: (): Promise<number> =>
      (round ??= checkUp().finally(() => {
        round = undefined
      })),
    listed(id: ConnectionId, ttlMs: number | undefined): void {
      if (ttlMs === undefined) listedUntil.delete(id)
      else listedUntil.set(id, clock() + Math.max(LISTED_MIN_MS, ttlMs))
    },
    forget: (id: ConnectionId): void => void listedUntil.delete(id),
  }
}

/** From 0 to 1, the same for each connection every time. */
const shareOf = (id: ConnectionId): number => (Number(Bun.hash(id) & 0xffffn) % 1_000) / 1_000
