/**
 * The whole trail, proven: from the last checkpoint or the beginning to its end, each row by the one before it, and what is kept beside a
 * row by the hash in it. In steps with rests between them, so that it may take its time over a million rows and calls do not notice.
 */
import { and, asc, gt, lte } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { type auditContents, auditRows, type Sealer, type Store } from '@/store'
import { type AuditRow, type NewRow, verifyChain } from './chain.ts'
import type { Numbers } from './numbers.ts'
import { type Actor, by, type Retention } from './retention.ts'
import { groupsOf, openedTexts } from './sealing.ts'
import type { Signing } from './signing.ts'

const STEP_ROWS = 200
const REST_FACTOR = 1
const REST_MS_MIN = 1

/** What is wrong, and with which row. */
export type Broken = {
  seq: number
  what: 'row' | 'contents' | 'beginning' | 'checkpoint' | 'end'
}
export type Verification = {
  startedAt: number
  endedAt?: number
  by: string
  /** Rows that follow from the one before, those of the first versions that are taken as they are, and how many there are in all. */
  proven: number
  old: number
  total: number
  /** How many of them have contents beside them that are as they were. */
  contents: number
  broken?: Broken
  /** The last checkpoint, where rows had been removed. */
  from?: { seq: number; at: number }
}

type Deps = {
  store: Pick<Store, 'read'>
  sealer: Pick<Sealer, 'open'>
  clock: Clock
  signing: Signing
  numbers: Numbers
  retention: Pick<Retention, 'lastCheckpoint' | 'settled'>
  report(row: NewRow): Promise<void>
}

export type Verifying = ReturnType<typeof createVerifying>

export function createVerifying({ store, sealer, clock, signing, numbers, retention, report }: Deps) {
  const firstChanged = createComparing({ store, sealer })
  let latest: Verification | undefined
  let running: Promise<Verification> | undefined
  let isStopped = false

  /** Where it begins. A prefix may be missing where a checkpoint of ours says so, and nowhere else. */
  const beginning = async (state: Verification): Promise<string | undefined> => {
    const checkpoint = await retention.lastCheckpoint()
    const first = numbers.first()
    if (!checkpoint) {
      if (first > 1) state.broken = { seq: first, what: 'beginning' }
      return ''
    }
    state.from = { seq: checkpoint.seq, at: checkpoint.at }
    if (!signing.isOurs(checkpoint)) state.broken = { seq: checkpoint.seq, what: 'checkpoint' }
    else if (first !== checkpoint.seq + 1) state.broken = { seq: first, what: 'beginning' }
    return checkpoint.chain
  }
  const run = async (state: Verification): Promise<void> => {
    await retention.settled()
    const last = numbers.last()
    let chain = await beginning(state)
    for (let seq = 0; !state.broken && !isStopped; ) {
      const began = performance.now()
      const rows = await store.read
        .select()
        .from(auditRows)
        .where(and(gt(auditRows.seq, seq), lte(auditRows.seq, last)))
        .orderBy(asc(auditRows.seq))
        .limit(STEP_ROWS)
      if (rows.length === 0) break
      const { brokenAt, proven, old } = verifyChain(rows, chain)
      state.proven += proven
      state.old += old
      const changed = await firstChanged(
        rows.filter((row) => brokenAt === undefined || row.seq < brokenAt),
        state,
      )
      if (changed !== undefined) state.broken = { seq: changed, what: 'contents' }
      else if (brokenAt !== undefined) state.broken = { seq: brokenAt, what: 'row' }
      seq = rows.at(-1)?.seq ?? last
      chain = rows.at(-1)?.chain ?? ''
      await Bun.sleep(Math.max(REST_MS_MIN, (performance.now() - began) * REST_FACTOR))
    }
    // Whoever only cuts off the end forgets that numbers are counted elsewhere as well.
    const given = numbers.given()
    if (!state.broken && numbers.last() < given) state.broken = { seq: numbers.last() + 1, what: 'end' }
  }

  return {
    latest: (): Verification | undefined => latest,
    isRunning: (): boolean => running !== undefined,
    /** Once at a time: who comes while it runs gets the same. It goes on when nobody waits for it. */
    start(actor: Actor): Promise<Verification> {
      if (running) return running
      const state: Verification = { startedAt: clock(), by: actor.username, proven: 0, old: 0, total: numbers.count(), contents: 0 }
      latest = state
      running = run(state)
        .then(async () => {
          state.endedAt = clock()
          const { proven, old, contents, broken } = state
          if (!isStopped)
            await report({
              ...by(actor),
              action: 'audit.verify',
              outcome: broken ? 'failed' : 'ok',
              detail: { proven, old, contents, ...(broken && { broken }) },
            })
          return state
        })
        .catch((error) => {
          // Not to be shown as if it were still running.
          if (latest === state) latest = undefined
          throw error
        })
        .finally(() => {
          running = undefined
        })
      return running
    },
    async stop(): Promise<void> {
      isStopped = true
      await running?.catch(() => undefined)
    },
  }
}

/** What is kept beside rows, against the hashes in them. @returns the first row whose contents are not as they were */
function createComparing({ store, sealer }: Pick<Deps, 'store' | 'sealer'>) {
  const openedIfItCan = (group: typeof auditContents.$inferSelect): Iterable<[number, string]> => {
    try {
      return openedTexts(sealer, group)
    } catch {
      return []
    }
  }
  return async (rows: readonly AuditRow[], state: Verification): Promise<number | undefined> => {
    const hashed = rows.filter(({ contentHash }) => contentHash !== null)
    const [first, last] = [hashed[0], hashed.at(-1)]
    if (!first || !last) return undefined
    const texts = new Map((await groupsOf(store, first.seq, last.seq)).flatMap((group) => [...openedIfItCan(group)]))
    for (const { seq, contentHash } of hashed) {
      const text = texts.get(seq)
      if (text === undefined || sha256(text) !== contentHash) return seq
      state.contents += 1
    }
    return undefined
  }
}
