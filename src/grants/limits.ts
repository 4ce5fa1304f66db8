/**
 * How much may be taken of what: limits of an app, of a user, of a connection. Each that holds is counted for itself, so the strictest
 * decides. What is counted is in memory; calls of the day are read from the trail, so that a restart gives nobody a new day.
 */
import { and, eq, notInArray } from 'drizzle-orm'
import type { Audit, Counting } from '@/audit'
import { type Clock, DAY_MS, SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, GrantId, UserId } from '@/lib/ids.ts'
import { grants, limits, type Store } from '@/store'
import { counted, figure } from './figures.ts'
import { createMeter, type Limit, type Meter, type Reached, type Use } from './meter.ts'

export type { Limit } from './meter.ts'
export type LimitSubject = { kind: 'grant'; id: GrantId } | { kind: 'user'; id: UserId } | { kind: 'connection'; id: ConnectionId }
/** As it was set, by whom and when, and how much of it is used. */
type LimitSeen = { limit: Limit; use: Use; byName: string; at: number }
/** What a call is counted for; one that leads to no connection has none. */
export type Taking = { grantId: GrantId; userId: UserId; connectionId?: ConnectionId; connectionName?: string }
/** A call that is counted, until it ends. */
export type Allowance = {
  /** The strictest of what holds; infinite where nothing does. */
  resultBytes: number
  ms: number
  end(): void
  /** It is made once more, and counted then. */
  takeBack(): void
}
/** Which limit turned a call away, for its row; the failure has the sentence. */
export class LimitReached extends Failure {
  constructor(
    readonly of: LimitSubject['kind'],
    readonly limit: Reached['limit'],
    options: { message: string; retryAfterSeconds: number },
  ) {
    super('limit_reached', options)
  }
}

const LIMIT_BOUNDS = {
  callsPerMinute: [1, 100_000],
  callsPerDay: [1, 10_000_000],
  callsAtOnce: [1, 1_000],
  resultBytes: [1_000, 16_000_000],
  callSeconds: [1, 600],
} as const satisfies Record<keyof Limit, readonly [number, number]>
const PARTS = Object.keys(LIMIT_BOUNDS) as (keyof Limit)[]
/** Of one app where nobody set another limit: more than an app makes, and few enough that no app alone takes all the memory. */
export const CALLS_AT_ONCE_DEFAULT = 256

type Deps = { store: Store; audit: Pick<Audit, 'report'>; clock: Clock; counting: Counting }
type By = { id: UserId; username: string }
type Held = { meter: Meter; byName: string; at: number; kind: LimitSubject['kind'] }

const startOfDay = (now: number): number => now - (now % DAY_MS)

export async function createLimits(deps: Deps) {
  const { store, clock, counting } = deps
  const held = new Map<string, Held>()
  const hold = (subject: LimitSubject, limit: Limit, byName: string, at: number): void => {
    const known = held.get(subject.id)?.meter
    const meter = known ?? createMeter(limit, clock)
    // Nobody who wants no day counted waits for the trail to be read.
    if (limit.callsPerDay !== null && (known?.limit.callsPerDay ?? null) === null)
      meter.countToday(counting.callsSince(subject, startOfDay(clock())))
    meter.limit = limit
    held.set(subject.id, { meter, byName, at, kind: subject.kind })
  }
  for (const { kind, subject, byName, updatedAt, ...limit } of await store.read.select().from(limits))
    hold({ kind, id: subject } as LimitSubject, limit, byName, updatedAt)

  return {
    take: createTaking(held),
    /** Whether anything is limited at all. */
    any: (): boolean => held.size > 0,
    /** The most of a result that this subject's calls get; infinite where nobody said. */
    resultBytesOf: (id: LimitSubject['id']): number => held.get(id)?.meter.limit.resultBytes ?? Number.POSITIVE_INFINITY,
    seen(id: LimitSubject['id']): LimitSeen | undefined {
      const it = held.get(id)
      return it && { limit: it.meter.limit, use: it.meter.use(), byName: it.byName, at: it.at }
    },
    /** Whether they may is asked before. All empty is no limit at all. @throws Failure `invalid_form` */
    async set(by: By, subject: LimitSubject, name: string, asked: Limit): Promise<void> {
      const problems = PARTS.flatMap((part) => problemOf(part, asked[part]))
      if (problems.length > 0) throw new Failure('invalid_form', { fields: Object.fromEntries(problems) })
      const isNone = PARTS.every((part) => asked[part] === null)
      const at = clock()
      await store.transact(async (tx) => {
        await tx.delete(limits).where(and(eq(limits.kind, subject.kind), eq(limits.subject, subject.id)))
        if (!isNone)
          await tx.insert(limits).values({ kind: subject.kind, subject: subject.id, ...asked, byName: by.username, updatedAt: at })
        await deps.audit.report(rowOf(by, subject, name, asked, isNone), tx)
      })
      if (isNone) held.delete(subject.id)
      else hold(subject, asked, by.username, at)
    },
    /** What it was about is gone. */
    async forget(id: LimitSubject['id']): Promise<void> {
      if (!held.has(id)) return
      await store.transact((tx) => tx.delete(limits).where(eq(limits.subject, id)))
      held.delete(id)
    },
    /** Of grants that went with their client. */
    async sweep(): Promise<void> {
      const orphaned = and(eq(limits.kind, 'grant'), notInArray(limits.subject, store.read.select({ id: grants.id }).from(grants)))
      const gone = await store.transact((tx) => tx.delete(limits).where(orphaned).returning({ id: limits.subject }))
      for (const { id } of gone) held.delete(id)
    },
  }
}
export type Limits = Awaited<ReturnType<typeof createLimits>>

function createTaking(held: ReadonlyMap<string, Held>) {
  const metersOf = ({ grantId, userId, connectionId }: Taking): Held[] => {
    const found: Held[] = []
    const [ofGrant, ofUser, ofConnection] = [held.get(grantId), held.get(userId), connectionId && held.get(connectionId)]
    if (ofGrant) found.push(ofGrant)
    if (ofUser) found.push(ofUser)
    if (ofConnection) found.push(ofConnection)
    return found
  }
  /** The one that lasts longest is told: to come back for the others would be in vain. */
  const reachedIn = (meters: readonly Held[]): { kind: Held['kind']; reached: Reached } | undefined => {
    let longest: { kind: Held['kind']; reached: Reached } | undefined
    for (const { meter, kind } of meters) {
      const reached = meter.reached()
      if (reached && reached.retryAfterSeconds > (longest?.reached.retryAfterSeconds ?? 0)) longest = { kind, reached }
    }
    return longest
  }
  /** One call more, or why not; undefined where nothing limits it. @param running calls of this grant that run already */
  return (taking: Taking, running: number): Allowance | LimitReached | undefined => {
    const meters = metersOf(taking)
    if (running >= CALLS_AT_ONCE_DEFAULT && (held.get(taking.grantId)?.meter.limit.callsAtOnce ?? null) === null)
      return refusing('grant', taking, { limit: 'callsAtOnce', max: CALLS_AT_ONCE_DEFAULT, retryAfterSeconds: 1 })
    if (meters.length === 0) return undefined
    const no = reachedIn(meters)
    return no ? refusing(no.kind, taking, no.reached) : begun(meters)
  }
}

function begun(meters: readonly Held[]): Allowance {
  const begunAt: number[] = []
  let [resultBytes, seconds] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const { meter } of meters) {
    begunAt.push(meter.begin())
    resultBytes = Math.min(resultBytes, meter.limit.resultBytes ?? resultBytes)
    seconds = Math.min(seconds, meter.limit.callSeconds ?? seconds)
  }
  let isOver = false
  return {
    resultBytes,
    ms: seconds * SECOND_MS,
    end() {
      if (!isOver) for (const { meter } of meters) meter.end()
      isOver = true
    },
    takeBack() {
      if (!isOver) for (const [at, { meter }] of meters.entries()) meter.takeBack(begunAt[at] ?? 0)
      isOver = true
    },
  }
}

const WHOSE = { grant: 'This app', user: 'Your account' } as const
const inTime = (seconds: number): string => {
  if (seconds < 120) return counted(seconds, 'second')
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

function refusing(of: LimitSubject['kind'], { connectionName = 'This connection' }: Taking, { limit, max, retryAfterSeconds }: Reached) {
  const may = of === 'connection' ? `${connectionName} takes` : `${WHOSE[of]} may make`
  const everyone = of === 'connection' ? ' from everyone together' : ''
  const when = { callsPerMinute: 'a minute', callsPerDay: 'a day', callsAtOnce: 'at once' }[limit]
  const then = limit === 'callsAtOnce' ? 'Try again when one of them has ended.' : `Try again in ${inTime(retryAfterSeconds)}.`
  const message = `${may} ${counted(max, 'call')} ${when}${everyone}, and that many were made. ${then}`
  return new LimitReached(of, limit, { message, retryAfterSeconds })
}

function problemOf(part: keyof Limit, value: number | null): [string, string][] {
  const [min, max] = LIMIT_BOUNDS[part]
  if (value === null || (Number.isInteger(value) && value >= min && value <= max)) return []
  if (part === 'resultBytes') return [[part, `Between ${min / 1_000} and ${figure(max / 1_000)} kB, or nothing.`]]
  return [[part, `A whole number between ${min} and ${figure(max)}, or nothing.`]]
}

function rowOf(by: By, { kind, id }: LimitSubject, name: string, asked: Limit, isNone: boolean) {
  const about = kind === 'grant' ? { grantId: id } : kind === 'connection' ? { connectionId: id, connectionName: name } : {}
  const action = `${kind}.limits`
  const detail = isNone
    ? { limits: 'none' }
    : Object.fromEntries(PARTS.flatMap((part) => (asked[part] === null ? [] : [[part, asked[part]]])))
  return { kind: 'admin' as const, action, outcome: 'ok' as const, userId: by.id, userName: by.username, subject: name, detail, ...about }
}
