import { eq } from 'drizzle-orm'
import { Failure } from '@/lib/failure.ts'
import type { Clock } from '@/lib/clock.ts'
import type { UserId } from '@/lib/ids.ts'
import { auditRows, type Sealer, type Store, type Writer } from '@/store'
import { type Batch, createBatch } from './batch.ts'
import { type Contents, contentsOf, type KeptContents, redactAct, textsOf } from './contents.ts'
import { type AuditRow, insertChained, type NewRow, valuesOf } from './chain.ts'
import { createFinding, type Outcome, type Page, type RowFilter } from './finding.ts'
import { createFollowing, type Following, type TextsOf } from './following.ts'
import { createNumbers, type Numbers } from './numbers.ts'
import { lookAt, type Reader } from './reading.ts'
import { createRetention, type Retention } from './retention.ts'
import { createSigning } from './signing.ts'
import { createSeen, createUsage, createUsedTools, type Seen, type Usage, type UsageAsked } from './usage.ts'
import { createVerifying, type Verifying } from './verifying.ts'
import { createHiding } from './words.ts'

/** What a call learns about itself while it runs; becomes its row when it ends. */
export type CallRecord = Omit<NewRow, 'kind' | 'outcome' | 'durationUs'> & {
  /** Set by the work when it ended without throwing, yet not well (a tool's own error). */
  outcome?: Outcome
  /** A read-only call need not wait for its row (STANDARDS: what acknowledged means). */
  readOnly?: boolean
  /** What was asked, and what was answered once that is known, where the profile keeps it. */
  contents?: Contents | undefined
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
  /** The same, with whether there is more. */
  page(filter: RowFilter): Promise<Page>
  /** What was counted by the hour. Bring the counts up to now with `following.catchUp` first. */
  usage(asked: UsageAsked): Promise<Usage>
  /** Which tools of these profiles were called since then, by whomever: `profile tool`. */
  usedTools(asked: { profileIds: readonly string[]; from: number }): Set<string>
  /** Which tools and clients are in those counts. */
  seen(asked: { userId?: UserId | undefined; from: number; limit: number }): Seen
  /** Who counts and indexes what has been written. */
  following: Pick<Following, 'follow' | 'catchUp' | 'sweep' | 'stop'>
  find(seq: number): Promise<AuditRow | undefined>
  /** What is kept of a call's arguments and result; who may see it, `mayRead` says. Throws when it was altered. */
  contentsOf(seq: number): Promise<KeptContents | undefined>
  /** To be called before a call's page is shown: an administrator's look at somebody else's call is recorded. */
  reportLook(row: AuditRow, reader: Reader, address?: string): Promise<void>
  /** How long and how much of it is kept. */
  retention: Pick<Retention, 'policy' | 'setPolicy' | 'sweep' | 'checkpoints' | 'stop'>
  /** Whether all of it is as it was written. */
  verifying: Pick<Verifying, 'start' | 'latest' | 'stop'>
  /** How much of it there is. */
  numbers: Pick<Numbers, 'first' | 'last' | 'count' | 'bytes'>
  /** The public half of what checkpoints are signed with, as PEM. */
  publicKey: string
  /** The last row's number: changes with every new row, cheap enough to poll. */
  lastSeq(): number
  /** Writes what waits. Throws when it cannot be written: what calls that only read have left would be lost. */
  flush(): Promise<void>
}

/** What is kept of contents is searched as well: `textsOf` gives its text, and `key` hides its words in the index. */
type AuditDeps = {
  store: Store
  sealer: Pick<Sealer, 'seal' | 'open' | 'keyFor'>
  clock: Clock
  searched?: { key: Uint8Array; textsOf: TextsOf }
}

export function createAudit({ store, sealer, clock, searched }: AuditDeps): Audit {
  const batch = createBatch({ store, sealer, clock })
  const hidden = createHiding(searched?.key ?? sealer.keyFor('audit words'))
  const numbers = createNumbers({ store })
  const textsSearched = searched?.textsOf ?? ((rows) => textsOf(store, sealer, rows))
  const following = createFollowing({ store, clock, hidden, textsOf: textsSearched, numbers })
  const finding = createFinding({ store, hidden, cursor: following.cursor, numbers })
  const signing = createSigning(sealer.keyFor('audit checkpoint'))
  const report = async (row: NewRow, tx?: Writer): Promise<void> => {
    const values = valuesOf(row, clock())
    const redacting = redactAct(values)
    if (redacting) await redacting
    if (tx) await insertChained(tx, [values])
    else await store.transact((own) => insertChained(own, [values]))
  }
  const isHeld = () => verifying.isRunning()
  const followed = () => following.follow().then(following.cursor)
  const retention = createRetention({ store, sealer, clock, signing, numbers, report, isHeld, followed })
  const verifying = createVerifying({ store, sealer, clock, signing, numbers, retention, report })
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
        const { readOnly, outcome: _, contents, ...known } = record
        // A refused or read-only call changed nothing; any other is answered only when its row is in the file.
        const isAwaited = !readOnly && outcome !== 'refused'
        const row: NewRow = { ...known, kind: 'call', outcome, reason: reason ?? null, durationUs: nowUs() - startedUs }
        await batch.write(row, isAwaited, contents)
      }
    },
    write: batch.write,
    report,
    async reportLook(row, reader, address) {
      const look = lookAt(row, reader, address)
      if (look) await report(look)
    },
    list: async (filter) => (await finding.page(filter)).rows,
    page: finding.page,
    usage: createUsage({ store }),
    seen: createSeen({ store, clock }),
    usedTools: createUsedTools({ store }),
    following,
    retention,
    verifying,
    numbers,
    publicKey: signing.publicKey,
    find: async (seq) => (await store.read.select().from(auditRows).where(eq(auditRows.seq, seq)))[0],
    contentsOf: (seq) => contentsOf(store, sealer, seq),
    lastSeq: numbers.last,
    flush: batch.flush,
  }
}

const nowUs = () => Math.round(performance.now() * 1_000)

function verdictOf(error: unknown): [Outcome, string] {
  if (!(error instanceof Failure)) return ['failed', 'internal_error']
  if (error.code === 'request_cancelled') return ['cancelled', error.code]
  return [error.status < 500 ? 'refused' : 'failed', error.code]
}
