import { and, desc, eq, lt, type SQL } from 'drizzle-orm'
import { sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { Clock } from '@/lib/clock.ts'
import type { ClientId, GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import { auditRows, type OUTCOMES, type Store, type Writer } from '@/store'

export type AuditRow = typeof auditRows.$inferSelect
export type NewRow = Omit<typeof auditRows.$inferInsert, 'seq' | 'at' | 'chain'>
export type Outcome = (typeof OUTCOMES)[number]

/** What a call learns about itself while it runs; becomes its row when it ends. */
export type CallRecord = Omit<NewRow, 'kind' | 'outcome' | 'durationUs'> & {
  /** Set by the work when it ended without throwing, yet not well (a tool's own error). */
  outcome?: Outcome
  /** A read-only call need not wait for its row (STANDARDS: what acknowledged means). */
  readOnly?: boolean
}

export type RowFilter = {
  userId?: UserId
  grantId?: GrantId
  profileId?: ProfileId
  clientId?: ClientId
  outcome?: Outcome
  kind?: AuditRow['kind']
  /** Rows older than this one. */
  before?: number
  limit: number
}

export type Audit = {
  /**
   * Runs `work` inside a record: whatever becomes of it, a row remains, refused calls included. `record` may be completed
   * by the work while it learns more (which tool, which connection).
   */
  record<T>(record: CallRecord, work: (record: CallRecord) => Promise<T>): Promise<T>
  /** An administrative act or an authentication; durable when it returns. Inside `transact`, pass its writer. */
  report(row: NewRow, tx?: Writer): Promise<void>
  list(filter: RowFilter): Promise<AuditRow[]>
  find(seq: number): Promise<AuditRow | undefined>
  /** The last row's number: changes with every new row, cheap enough to poll. */
  lastSeq(): number
  flush(): Promise<void>
}

const BATCH_DELAY_MS = 50
const BATCH_ROWS_MAX = 200
export const LIST_ROWS_MAX = 200

export function createAudit({ store, clock }: { store: Store; clock: Clock }): Audit {
  const batch = createBatch(store, clock)
  const lastSeq = store.prepare<{ seq: number }, []>('SELECT coalesce(max(seq), 0) AS seq FROM audit_rows')
  return {
    async record(record, work) {
      const startedUs = nowUs()
      let outcome: Outcome = 'ok'
      let reason = record.reason
      try {
        const result = await work(record)
        outcome = record.outcome ?? 'ok'
        reason = record.reason
        return result
      } catch (error) {
        ;[outcome, reason] = verdictOf(error)
        throw error
      } finally {
        const { readOnly, outcome: _, ...known } = record
        // A refused or read-only call changed nothing; any other is answered only when its row is in the file.
        const isAwaited = !readOnly && outcome !== 'refused'
        const written = batch.add({ ...known, kind: 'call', outcome, reason: reason ?? null, durationUs: nowUs() - startedUs }, isAwaited)
        if (isAwaited) await written
      }
    },
    async report(row, tx) {
      if (tx) await insertChained(tx, [{ ...row, at: clock() }])
      else await store.transact((own) => insertChained(own, [{ ...row, at: clock() }]))
    },
    list: (filter) =>
      store.read
        .select()
        .from(auditRows)
        .where(conditions(filter))
        .orderBy(desc(auditRows.seq))
        .limit(Math.min(filter.limit, LIST_ROWS_MAX)),
    find: async (seq) => (await store.read.select().from(auditRows).where(eq(auditRows.seq, seq)))[0],
    lastSeq: () => lastSeq.get()?.seq ?? 0,
    flush: batch.flush,
  }
}

const nowUs = () => Math.round(performance.now() * 1_000)

function verdictOf(error: unknown): [Outcome, string] {
  if (!(error instanceof Failure)) return ['failed', 'internal_error']
  if (error.code === 'request_cancelled') return ['cancelled', error.code]
  return [error.status < 500 ? 'refused' : 'failed', error.code]
}

function conditions(filter: RowFilter): SQL | undefined {
  const { userId, grantId, profileId, clientId, outcome, kind, before } = filter
  return and(
    userId && eq(auditRows.userId, userId),
    grantId && eq(auditRows.grantId, grantId),
    profileId && eq(auditRows.profileId, profileId),
    clientId && eq(auditRows.clientId, clientId),
    outcome && eq(auditRows.outcome, outcome),
    kind && eq(auditRows.kind, kind),
    before ? lt(auditRows.seq, before) : undefined,
  )
}

type TimedRow = NewRow & { at: number }

/** Each row's chain covers the row before it, inside the one writer transaction, so that two rows never share a predecessor. */
async function insertChained(tx: Writer, rows: readonly TimedRow[]): Promise<void> {
  const [last] = await tx.select({ chain: auditRows.chain }).from(auditRows).orderBy(desc(auditRows.seq)).limit(1)
  let chain = last?.chain ?? ''
  const chained = rows.map((row) => {
    chain = sha256(`${chain}\n${JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))}`)
    return { ...row, chain }
  })
  await tx.insert(auditRows).values(chained)
}

/**
 * Rows one by one would cost a fifth of the gateway's throughput; together a twentieth. A row that somebody waits for is
 * written as soon as the writer is free, and takes along whatever has gathered meanwhile.
 */
function createBatch(store: Store, clock: Clock) {
  let waiting: TimedRow[] = []
  let settled = Promise.withResolvers<void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let urgent = false
  let writing: Promise<void> | undefined

  const write = async () => {
    clearTimeout(timer)
    timer = undefined
    urgent = false
    const rows = waiting
    const { resolve, reject } = settled
    waiting = []
    settled = Promise.withResolvers<void>()
    // Nobody may be listening: read-only calls do not wait. Who does gets the same rejection.
    settled.promise.catch(() => undefined)
    await store.transact((tx) => insertChained(tx, rows), 'process').then(resolve, reject)
    writing = undefined
    if (urgent) start()
  }
  const start = () => {
    if (!writing && waiting.length > 0) writing = write()
  }
  settled.promise.catch(() => undefined)
  return {
    async flush(): Promise<void> {
      while (waiting.length > 0 || writing) {
        start()
        await writing
      }
    },
    add(row: NewRow, isAwaited: boolean): Promise<void> {
      waiting.push({ ...row, at: clock() })
      const { promise } = settled
      if (isAwaited || waiting.length >= BATCH_ROWS_MAX) {
        urgent = true
        // After the current turn, so that calls which end together share one commit.
        queueMicrotask(start)
      } else timer ??= setTimeout(start, BATCH_DELAY_MS)
      return promise
    },
  }
}
