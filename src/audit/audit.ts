import { and, desc, eq, lt, type SQL } from 'drizzle-orm'
import { Failure } from '@/lib/failure.ts'
import type { Clock } from '@/lib/clock.ts'
import type { ClientId, GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import { auditRows, type OUTCOMES, type Store, type Writer } from '@/store'
import { type Batch, createBatch } from './batch.ts'
import { type AuditRow, insertChained, type NewRow, valuesOf } from './chain.ts'

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
  /**
   * The row of a call that has ended, for the path where each microsecond counts. `isAwaited` says that the call may have
   * changed something.
   * @returns what to wait for before the call is answered, a call that only read included; undefined when there is nothing
   * to wait for. It rejects with the Failure `store_unavailable` when the file cannot be written.
   */
  write: Batch['write']
  /** An administrative act or an authentication; durable when it returns. Inside `transact`, pass its writer. */
  report(row: NewRow, tx?: Writer): Promise<void>
  list(filter: RowFilter): Promise<AuditRow[]>
  find(seq: number): Promise<AuditRow | undefined>
  /** The last row's number: changes with every new row, cheap enough to poll. */
  lastSeq(): number
  /** Writes what waits. Throws when it cannot be written: what calls that only read have left would be lost. */
  flush(): Promise<void>
}

export const LIST_ROWS_MAX = 200

export function createAudit({ store, clock }: { store: Store; clock: Clock }): Audit {
  const batch = createBatch({ store, clock })
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
        const row: NewRow = { ...known, kind: 'call', outcome, reason: reason ?? null, durationUs: nowUs() - startedUs }
        await batch.write(row, isAwaited)
      }
    },
    write: batch.write,
    async report(row, tx) {
      const values = [valuesOf(row, clock())]
      if (tx) await insertChained(tx, values)
      else await store.transact((own) => insertChained(own, values))
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
