/** What the counts by the hour say of a time: over time, and by what took part. Reads no row of the trail itself. */
import { type Clock, HOUR_MS, MINUTE_MS } from '@/lib/clock.ts'
import type { UserId } from '@/lib/ids.ts'
import type { SqlValue, Store } from '@/store'
import { addTo, boundsOf } from './hours.ts'

export type Sums = {
  calls: number
  failed: number
  refused: number
  cancelled: number
  durationUs: number
  upstreamUs: number
  requestBytes: number
  responseBytes: number
  /** Counts by powers of two of a millisecond. */
  latencies: number[]
}
export const BY = ['toolId', 'clientId', 'grantId', 'profileId', 'connectionId', 'userId'] as const
export type By = (typeof BY)[number]
export type Usage = {
  all: Sums
  /** By the number of the step of time, the first one 0. */
  steps: Map<number, Sums>
  by: Record<By, Map<string, Sums>>
}
export type UsageAsked = {
  /** Everybody's when undefined. */
  userId?: UserId | undefined
  /** Milliseconds since 1970, whole hours. */
  from: number
  to: number
  stepMs: number
}

/** As many hours are added up in one turn; then others have theirs. */
const HOURS_TOGETHER = 12

type HourValues = Omit<Sums, 'latencies'> & { hour: number; latencies: string } & Record<By, string>

const COLUMNS = `hour, user_id AS userId, client_id AS clientId, grant_id AS grantId, profile_id AS profileId,
  connection_id AS connectionId, tool_id AS toolId, calls, failed, refused, cancelled, duration_us AS durationUs,
  upstream_us AS upstreamUs, request_bytes AS requestBytes, response_bytes AS responseBytes, latencies`
const ALL = `SELECT ${COLUMNS} FROM audit_hours WHERE hour >= ? AND hour < ?`
const OF_ONE = `SELECT ${COLUMNS} FROM audit_hours WHERE user_id = ? AND hour >= ? AND hour < ?`

const noSums = (): Sums => ({
  ...{ calls: 0, failed: 0, refused: 0, cancelled: 0, durationUs: 0, upstreamUs: 0, requestBytes: 0, responseBytes: 0 },
  latencies: [],
})

function add(sums: Sums, row: HourValues, latencies: readonly number[]): void {
  sums.calls += row.calls
  sums.failed += row.failed
  sums.refused += row.refused
  sums.cancelled += row.cancelled
  sums.durationUs += row.durationUs
  sums.upstreamUs += row.upstreamUs
  sums.requestBytes += row.requestBytes
  sums.responseBytes += row.responseBytes
  addTo(sums.latencies, latencies)
}

function sumsIn<K>(map: Map<K, Sums>, key: K): Sums {
  const known = map.get(key)
  if (known) return known
  const sums = noSums()
  map.set(key, sums)
  return sums
}

export function createUsage({ store }: { store: Store }) {
  const all = store.prepare<HourValues, SqlValue[]>(ALL)
  const ofOne = store.prepare<HourValues, SqlValue[]>(OF_ONE)
  return async ({ userId, from, to, stepMs }: UsageAsked): Promise<Usage> => {
    const usage: Usage = {
      all: noSums(),
      steps: new Map(),
      by: Object.fromEntries(BY.map((name) => [name, new Map<string, Sums>()])) as Usage['by'],
    }
    const end = Math.ceil(to / HOUR_MS)
    for (let hour = Math.floor(from / HOUR_MS); hour < end; hour += HOURS_TOGETHER) {
      const until = Math.min(end, hour + HOURS_TOGETHER)
      const rows = userId === undefined ? all.all(hour, until) : ofOne.all(userId, hour, until)
      for (const row of rows) addRow(usage, row, Math.floor((row.hour * HOUR_MS - from) / stepMs))
      if (rows.length > 0) await new Promise((resolve) => setImmediate(resolve))
    }
    return usage
  }
}

function addRow(usage: Usage, row: HourValues, step: number): void {
  const latencies = JSON.parse(row.latencies) as number[]
  const places = [usage.all, sumsIn(usage.steps, Math.max(0, step))]
  for (const name of BY) if (row[name] !== '') places.push(sumsIn(usage.by[name], row[name]))
  for (const sums of places) add(sums, row, latencies)
}

/**
 * How many milliseconds a part of all calls took at most, estimated: within a bucket they are taken to lie evenly.
 * @param part 0.5 is the median
 * @returns undefined where nothing was counted
 */
export function quantile(latencies: readonly number[], part: number): number | undefined {
  const total = latencies.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  let left = part * total
  for (const [bucket, count] of latencies.entries()) {
    if (count === 0) continue
    const [from, to] = boundsOf(bucket)
    if (left <= count) return from + ((to - from) * left) / count
    left -= count
  }
  return boundsOf(latencies.length - 1)[1]
}

export type Seen = { tools: string[]; clients: string[] }
type SeenAsked = { userId?: UserId | undefined; from: number; limit: number }

/** So long an answer is kept: what can be chosen changes seldom, and over everybody's hours it takes longer than the rest of a page. */
const SEEN_FOR_MS = MINUTE_MS
const SEEN_MAX = 200

/** Which tools and clients took part since then, so many of each at most, as of a minute ago. */
export function createSeen({ store, clock }: { store: Store; clock: Clock }) {
  const known = new Map<string, { at: number; seen: Seen }>()
  const select = (column: 'tool_id' | 'client_id', isOfOne: boolean) =>
    store.prepare<{ id: string }, SqlValue[]>(
      `SELECT DISTINCT ${column} AS id FROM audit_hours WHERE ${isOfOne ? 'user_id = ? AND ' : ''}hour >= ? AND ${column} <> '' LIMIT ?`,
    )
  const of = {
    all: [select('tool_id', false), select('client_id', false)],
    one: [select('tool_id', true), select('client_id', true)],
  } as const
  const read = ({ userId, from, limit }: SeenAsked): Seen => {
    const hour = Math.floor(from / HOUR_MS)
    const [tools, clients] = of[userId === undefined ? 'all' : 'one'].map((statement) =>
      (userId === undefined ? statement.all(hour, limit) : statement.all(userId, hour, limit)).map(({ id }) => id),
    )
    return { tools: tools ?? [], clients: clients ?? [] }
  }
  return (asked: SeenAsked): Seen => {
    const key = asked.userId ?? ''
    const last = known.get(key)
    if (last && clock() - last.at < SEEN_FOR_MS) return last.seen
    if (known.size >= SEEN_MAX) known.clear()
    const seen = read(asked)
    known.set(key, { at: clock(), seen })
    return seen
  }
}

const USED = `SELECT DISTINCT profile_id AS profileId, tool_id AS toolId FROM audit_hours
  WHERE hour >= ? AND profile_id IN (SELECT value FROM json_each(?)) AND calls > refused`

/** Which tools of these profiles were called since then, by whomever, and not refused: `profile tool`. */
export function createUsedTools({ store }: { store: Store }) {
  const used = store.prepare<{ profileId: string; toolId: string }, SqlValue[]>(USED)
  return ({ profileIds, from }: { profileIds: readonly string[]; from: number }): Set<string> =>
    new Set(used.all(Math.floor(from / HOUR_MS), JSON.stringify(profileIds)).map(({ profileId, toolId }) => `${profileId} ${toolId}`))
}
