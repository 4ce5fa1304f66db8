/**
 * What is made of the trail, by one who follows it: counts by the hour and the index by which rows are found. It comes after the rows,
 * in steps that hold nobody up, and says in the same transaction how far it came. So a call pays nothing for it, a stop amid it loses
 * nothing and counts nothing twice, and rows of before it existed are taken in as those of now are.
 */
import { type Clock, DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import { isFailure } from '@/lib/failure.ts'
import type { SqlValue, Store, Writer } from '@/store'
import type { AuditRow } from './chain.ts'
import { addHours, type Counted, countByHour } from './hours.ts'
import type { Numbers } from './numbers.ts'
import { contentWords, createNaming, type Hiding, marksOf, type Named } from './words.ts'

/** A step takes a millisecond or two, and more where much is kept of calls: then others have their turn in its midst. */
const STEP_ROWS = 100
const TURN_MS = 2
/** How much of the index is put in order after each step: pages. */
const MERGED_PAGES = 16
/** What those who want to read the counts wait for at most, so that they are of now. */
const CATCH_UP_STEPS_MAX = 20
/** Of the time that a step took, so many times as much is left to everybody else: more while many calls come. */
const REST_FACTOR = 9
const REST_FACTOR_BUSY = 40
const REST_MS_MIN = 2
/** Longer than rows are kept, so that a chart over a year does not depend on them. */
const HOURS_KEPT_MS = 2 * 366 * DAY_MS
/** Of rows that were removed, so many at a time go from the index. */
const FORGOTTEN_MAX = 500

/** What of a row is counted or indexed. */
export type Followed = Counted & Named & Pick<AuditRow, 'seq' | 'contentHash'>
/** What is kept of the contents of these rows; a row of which nothing is kept is missing. */
export type TextsOf = (rows: readonly Followed[]) => Promise<ReadonlyMap<number, string>>
type Deps = { store: Store; clock: Clock; hidden: Hiding; textsOf: TextsOf; numbers: Pick<Numbers, 'first' | 'last'> }

/** Spelled out, since it runs for every row there is. */
const NEXT = `SELECT seq, at, kind, action, outcome, reason, user_id AS userId, user_name AS userName, client_id AS clientId,
  client_name AS clientName, grant_id AS grantId, profile_id AS profileId, profile_name AS profileName, connection_id AS connectionId,
  connection_name AS connectionName, tool_id AS toolId, subject, purpose, trace_id AS traceId, request_bytes AS requestBytes,
  response_bytes AS responseBytes, duration_us AS durationUs, upstream_us AS upstreamUs, content_hash AS contentHash
  FROM audit_rows WHERE seq > ? ORDER BY seq LIMIT ${STEP_ROWS}`
const CURSOR = `SELECT coalesce((SELECT seq FROM audit_cursors WHERE id = 'derived'), 0) AS seq`
const MOVE = `INSERT INTO audit_cursors (id, seq) VALUES ('derived', ?) ON CONFLICT DO UPDATE SET seq = excluded.seq`
const INDEX = 'INSERT INTO audit_index (rowid, marks, names, words) VALUES (?, ?, ?, ?)'
const MERGE = `INSERT INTO audit_index (audit_index, rank) VALUES ('merge', ?)`
const FIRST_INDEXED = 'SELECT rowid AS seq FROM audit_index ORDER BY rowid LIMIT 1'
const FORGET = 'DELETE FROM audit_index WHERE rowid >= ? AND rowid < ?'
const FORGET_HOURS = 'DELETE FROM audit_hours WHERE hour < ?'
type Seq = { seq: number }

export type Following = ReturnType<typeof createFollowing>

export function createFollowing({ store, clock, hidden, textsOf, numbers: { first, last } }: Deps) {
  const [cursor, firstIndexed] = [CURSOR, FIRST_INDEXED].map((sql) => {
    const statement = store.prepare<Seq, []>(sql)
    return () => statement.get()?.seq ?? 0
  }) as [() => number, () => number]
  const next = store.prepare<Followed, [number]>(NEXT)
  const namesOf = createNaming()
  let stepping: Promise<number> | undefined
  let running: Promise<void> | undefined
  let isStopped = false

  /** Nothing of it decides about access, and all of it can be made anew. */
  const write = (work: (tx: Writer) => void): Promise<void> => store.transact(async (tx) => work(tx), 'process')
  /** Hashing the words of a large result takes a millisecond or two. */
  const indexed = async (rows: readonly Followed[]): Promise<SqlValue[][]> => {
    const texts = await textsOf(rows)
    const made: SqlValue[][] = []
    let began = performance.now()
    for (const row of rows) {
      made.push([row.seq, marksOf(row), namesOf(row), contentWords(texts.get(row.seq) ?? '', hidden)])
      if (performance.now() - began < TURN_MS) continue
      await new Promise(setImmediate)
      began = performance.now()
    }
    return made
  }
  const takeIn = (tx: Writer, rows: readonly Followed[], values: readonly SqlValue[][]): void => {
    addHours(tx, countByHour(rows))
    const index = tx.prepare<unknown, SqlValue[]>(INDEX)
    for (const each of values) index.run(each)
    tx.prepare<unknown, SqlValue[]>(MERGE).run([MERGED_PAGES])
    tx.prepare<unknown, SqlValue[]>(MOVE).run([rows.at(-1)?.seq ?? 0])
  }
  /** @returns how many rows it took in */
  const takeStep = async (): Promise<number> => {
    const rows = next.all(cursor())
    if (rows.length === 0) return 0
    const values = await indexed(rows)
    await write((tx) => takeIn(tx, rows, values))
    return rows.length
  }
  /** One at a time: two that began at the same row would count it twice. */
  const step = (): Promise<number> => {
    stepping ??= takeStep().finally(() => {
      stepping = undefined
    })
    return stepping
  }
  const follow = async (): Promise<void> => {
    for (let before = last(); !isStopped; ) {
      const began = performance.now()
      if ((await step()) < STEP_ROWS) return
      const now = last()
      const factor = now - before > STEP_ROWS / 2 ? REST_FACTOR_BUSY : REST_FACTOR
      before = now
      await Bun.sleep(Math.max(REST_MS_MIN, (performance.now() - began) * factor))
    }
  }
  return {
    /** Takes in whatever is there, with rests between; a call while it still does so waits for the same. */
    follow(): Promise<void> {
      running ??= follow().finally(() => {
        running = undefined
      })
      return running
    },
    /** @returns how many rows have not been taken in. None, but where it has to come from far behind, or where nothing can be written. */
    async catchUp(): Promise<number> {
      try {
        for (let at = 0; at < CATCH_UP_STEPS_MAX && cursor() < last(); at += 1) await step()
      } catch (error) {
        // On a full disk the pages show what there is.
        if (!isFailure(error, 'store_unavailable')) throw error
      }
      return Math.max(0, last() - cursor())
    },
    /** The last row that can be found by the index. */
    cursor,
    /** Takes out of the index what is not in the trail any more, and counts that are too old. */
    async sweep(): Promise<void> {
      await write((tx) => tx.prepare<unknown, SqlValue[]>(FORGET_HOURS).run([Math.floor((clock() - HOURS_KEPT_MS) / HOUR_MS)]))
      for (let at = firstIndexed(); !isStopped && at > 0 && at < first(); at = firstIndexed()) {
        const to = Math.min(at + FORGOTTEN_MAX, first())
        await write((tx) => tx.prepare<unknown, SqlValue[]>(FORGET).run([at, to]))
        await Bun.sleep(REST_MS_MIN)
      }
    },
    async stop(): Promise<void> {
      isStopped = true
      await stepping?.catch(() => undefined)
    },
  }
}
