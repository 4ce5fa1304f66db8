/**
 * How much of the trail is kept, and how the rest goes: the oldest first, in steps that hold nobody up, each with a signed checkpoint in
 * its own transaction. So a prefix that is missing without one was not removed by us.
 */
import { desc, eq, lte } from 'drizzle-orm'
import { type Clock, DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { UserId } from '@/lib/ids.ts'
import { auditCheckpoints, auditPolicy, auditRows, type Sealer, type Store, type Writer } from '@/store'
import type { NewRow } from './chain.ts'
import type { Numbers } from './numbers.ts'
import { removeContents } from './sealing.ts'
import type { Checkpoint, Signing } from './signing.ts'

/** Null is without end. */
export type Policy = { keepDays: number | null; keepMegabytes: number | null }
export type Actor = { id: UserId; username: string }
type Why = Checkpoint['why']

const STEP_ROWS = 250
/** Of the time that a step took, so many times as much is left to everybody else. */
const REST_FACTOR = 4
const REST_MS_MIN = 2
/** By age a day's rows go at a time: each removal is a row itself. */
const AGE_EVERY_MS = 20 * HOUR_MS
/** By size so much more than was asked for, so that the next row does not ask for the next removal. */
const SIZE_SLACK = 0.05
const DAYS_MAX = 36_500
const MEGABYTES_MAX = 10_000_000
const MEGABYTE = 1_000_000
/** A day is the least: what is removed sooner was hardly worth writing. */
const DAYS_MIN = 1
const MEGABYTES_MIN = 1

type Deps = {
  store: Pick<Store, 'read' | 'transact'>
  sealer: Pick<Sealer, 'seal' | 'open'>
  clock: Clock
  signing: Signing
  numbers: Numbers
  report(row: NewRow, tx: Writer): Promise<void>
  /** Somebody reads the trail from its beginning: nothing goes meanwhile. */
  isHeld(): boolean
  /** Up to which row counts and index have been made, once they have come as far as they can. */
  followed(): Promise<number>
}
export type Retention = ReturnType<typeof createRetention>

export function createRetention({ store, sealer, clock, signing, numbers, report, isHeld, followed }: Deps) {
  let removing: Promise<number> | undefined
  let isStopped = false
  const { policy, lastCheckpoint, due } = createReading({ store, clock, numbers })
  const step = createStep({ store, sealer, clock, signing })

  const remove = async (found: { to: number; why: Why }): Promise<number> => {
    const { why } = found
    const to = Math.min(found.to, await followed())
    // Said before it begins: a stop amid it leaves a checkpoint, and this row that says what it was for.
    await store.transact((tx) => report(removal(numbers.first(), to, why), tx))
    let reached: Checkpoint | undefined
    while ((reached?.seq ?? 0) < to && !isStopped) {
      const began = performance.now()
      const next = await step(to, why, reached)
      if (!next) break
      reached = next
      await Bun.sleep(Math.max(REST_MS_MIN, (performance.now() - began) * REST_FACTOR))
    }
    return reached?.rows ?? 0
  }

  return {
    policy,
    lastCheckpoint,
    /** Those since which rows have gone, the newest first. */
    checkpoints: (limit: number): Promise<Checkpoint[]> =>
      store.read.select().from(auditCheckpoints).orderBy(desc(auditCheckpoints.seq)).limit(limit).execute(),
    /** @throws Failure `invalid_form` */
    async setPolicy(actor: Actor, { keepDays, keepMegabytes }: Policy): Promise<void> {
      demandWithin('days', keepDays, DAYS_MIN, DAYS_MAX)
      demandWithin('megabytes', keepMegabytes, MEGABYTES_MIN, MEGABYTES_MAX)
      const before = await policy()
      await store.transact(async (tx) => {
        const values = { keepDays, keepMegabytes }
        await tx
          .insert(auditPolicy)
          .values({ id: 'house', ...values })
          .onConflictDoUpdate({ target: auditPolicy.id, set: values })
        await report({ ...by(actor), action: 'audit.policy', detail: { ...values, before } }, tx)
      })
    },
    /** @param isForced by age as well, whenever the last time was. @returns how many rows went */
    async sweep(isForced = false): Promise<number> {
      const found = isHeld() || removing ? undefined : await due(isForced)
      if (!found || isHeld()) return 0
      removing = remove(found).finally(() => {
        removing = undefined
      })
      return removing
    },
    async stop(): Promise<void> {
      isStopped = true
      await removing?.catch(() => undefined)
    },
    /** When nothing is on its way out. */
    settled: async (): Promise<void> => void (await removing?.catch(() => undefined)),
  }
}

function createReading({ store, clock, numbers }: Pick<Deps, 'store' | 'clock' | 'numbers'>) {
  const policy = async (): Promise<Policy> => {
    const [row] = await store.read.select().from(auditPolicy)
    return { keepDays: row?.keepDays ?? null, keepMegabytes: row?.keepMegabytes ?? null }
  }
  const lastCheckpoint = async (): Promise<Checkpoint | undefined> =>
    (await store.read.select().from(auditCheckpoints).orderBy(desc(auditCheckpoints.seq)).limit(1))[0]

  /** The last row that has to go, and why. The newest row always stays: the next one is tied to it. */
  const due = async (isForced: boolean): Promise<{ to: number; why: Why } | undefined> => {
    const { keepDays, keepMegabytes } = await policy()
    const first = numbers.first()
    const reaching = (to: number, why: Why) => (to >= first && first > 0 ? { to: Math.min(to, numbers.last() - 1), why } : undefined)
    const isDaily = isForced || ((await lastCheckpoint())?.at ?? 0) < clock() - AGE_EVERY_MS
    const byAge = keepDays !== null && isDaily ? reaching(numbers.from(clock() - keepDays * DAY_MS) - 1, 'age') : undefined
    if (byAge && byAge.to >= first) return byAge
    const over = keepMegabytes === null ? 0 : numbers.bytes() / (keepMegabytes * MEGABYTE)
    if (over <= 1) return undefined
    const kept = Math.floor((numbers.count() / over) * (1 - SIZE_SLACK))
    const bySize = reaching(numbers.last() - kept, 'size')
    return bySize && bySize.to >= first ? bySize : undefined
  }
  return { policy, lastCheckpoint, due }
}

/** Takes out the oldest rows, with what is kept of them, up to a number, and leaves the checkpoint in their place; undefined where there are none. */
function createStep({ store, sealer, clock, signing }: Pick<Deps, 'store' | 'sealer' | 'clock' | 'signing'>) {
  return (upTo: number, why: Why, before: Checkpoint | undefined): Promise<Checkpoint | undefined> =>
    store.transact(async (tx) => {
      const going = await tx
        .select({ seq: auditRows.seq, chain: auditRows.chain })
        .from(auditRows)
        .where(lte(auditRows.seq, upTo))
        .orderBy(auditRows.seq)
        .limit(STEP_ROWS)
      const last = going.at(-1)
      if (!last) return undefined
      await tx.delete(auditRows).where(lte(auditRows.seq, last.seq))
      await removeContents(tx, sealer, last.seq)
      const checkpoint = signing.signed({ seq: last.seq, at: clock(), rows: (before?.rows ?? 0) + going.length, chain: last.chain, why })
      await tx.insert(auditCheckpoints).values(checkpoint)
      // One for each removal, and not for each of its steps.
      if (before) await tx.delete(auditCheckpoints).where(eq(auditCheckpoints.seq, before.seq))
      return checkpoint
    }, 'process')
}

function demandWithin(field: string, value: number | null, min: number, max: number): void {
  if (value === null || (Number.isInteger(value) && value >= min && value <= max)) return
  throw new Failure('invalid_form', { fields: { [field]: `Use a whole number from ${min} to ${max}, or leave it empty.` } })
}

export const by = ({ id, username }: Actor) => ({ kind: 'admin', outcome: 'ok', userId: id, userName: username }) as const

const removal = (from: number, to: number, why: Why): NewRow => ({
  ...{ kind: 'admin', action: 'audit.remove', outcome: 'ok', userName: 'Toolpass' },
  subject: `records ${from} to ${to}`,
  reason: why === 'age' ? 'older than the trail is kept' : 'more than the trail may take',
  detail: { from, to, why },
})
