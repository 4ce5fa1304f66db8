/**
 * Rows by what one looks for, page by page. Those that the index has are found by it, whichever filters come together; the few that
 * are newer than it are looked through. Nothing here looks through all of the trail.
 */
import { and, asc, desc, eq, gt, gte, inArray, lt, type SQL } from 'drizzle-orm'
import type { ClientId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import { auditRows, type OUTCOMES, type SqlValue, type Store } from '@/store'
import type { AuditRow } from './chain.ts'
import type { Following } from './following.ts'
import type { Numbers } from './numbers.ts'
import { type Hiding, queryOf } from './words.ts'

export type Outcome = (typeof OUTCOMES)[number]

export type RowFilter = {
  userId?: UserId | undefined
  grantId?: GrantId | undefined
  profileId?: ProfileId | undefined
  clientId?: ClientId | undefined
  connectionId?: ConnectionId | undefined
  toolId?: ToolId | undefined
  outcome?: Outcome | readonly Outcome[] | undefined
  kind?: AuditRow['kind'] | readonly AuditRow['kind'][] | undefined
  /** Milliseconds since 1970; `to` is not in it. */
  from?: number | undefined
  to?: number | undefined
  /** Words that a row has, each of them, or names that begin so. */
  text?: string | undefined
  /** Whose contents are searched beside the names of rows. */
  contentsOf?: UserId | undefined
  /** Rows older than this one. */
  before?: number | undefined
  /** Rows newer than this one, those next to it. */
  after?: number | undefined
  limit: number
}

export type Page = {
  /** The newest first. */
  rows: AuditRow[]
  /** There are more in the direction that was asked for. */
  isMore: boolean
  /** Only rows from this one on were looked at: there is more to look through, and it goes on from here. */
  searchedTo?: number
}

export const LIST_ROWS_MAX = 200
/** Rows that the index has not taken in yet, looked through for one page. */
const TAIL_ROWS_MAX = 20_000

const INDEXED = 'SELECT rowid AS seq FROM audit_index WHERE audit_index MATCH ? AND rowid > ? AND rowid < ? ORDER BY rowid'
const IDS = ['userId', 'grantId', 'profileId', 'clientId', 'connectionId', 'toolId'] as const
type Seq = { seq: number }
type Span = { over: number; under: number; isForward: boolean; limit: number }

type Deps = { store: Store; hidden: Hiding; cursor: Following['cursor']; numbers: Pick<Numbers, 'last' | 'from'> }

export function createFinding({ store, hidden, cursor, numbers }: Deps) {
  const backward = store.prepare<Seq, SqlValue[]>(`${INDEXED} DESC LIMIT ?`)
  const forward = store.prepare<Seq, SqlValue[]>(`${INDEXED} ASC LIMIT ?`)

  const scan = (where: SQL | undefined, { over, under, isForward, limit }: Span): Promise<AuditRow[]> =>
    store.read
      .select()
      .from(auditRows)
      .where(and(where, gt(auditRows.seq, over), lt(auditRows.seq, under)))
      .orderBy(isForward ? asc(auditRows.seq) : desc(auditRows.seq))
      .limit(limit)
  const indexed = async (query: string, filter: RowFilter, span: Span): Promise<AuditRow[]> => {
    const { over, under, isForward, limit } = span
    const found = (isForward ? forward : backward).all(query, over, Math.min(under, cursor() + 1), limit)
    if (found.length === 0) return []
    const seqs = found.map(({ seq }) => seq)
    // The index says where to look; what a row is, and whose, says the row.
    const where = and(conditions(filter), inArray(auditRows.seq, seqs))
    return store.read
      .select()
      .from(auditRows)
      .where(where)
      .orderBy(isForward ? asc(auditRows.seq) : desc(auditRows.seq))
  }

  /** Of rows that are newer than the index. Words are not looked for among them. */
  const tail = async (filter: RowFilter, span: Span): Promise<{ rows: AuditRow[]; searchedTo?: number }> => {
    const over = Math.max(span.over, cursor())
    const under = Math.min(span.under, numbers.last() + 1)
    if (filter.text || under - over <= 1) return { rows: [] }
    if (span.isForward) return { rows: await scan(conditions(filter), { ...span, over, under: Math.min(under, over + TAIL_ROWS_MAX) }) }
    const reached = Math.max(over, under - 1 - TAIL_ROWS_MAX)
    const rows = await scan(conditions(filter), { ...span, over: reached, under })
    return reached > over && rows.length < span.limit ? { rows, searchedTo: reached + 1 } : { rows }
  }

  async function find(filter: RowFilter, query: string | undefined, span: Span): Promise<{ rows: AuditRow[]; searchedTo?: number }> {
    if (query === undefined) return { rows: await scan(conditions(filter), span) }
    if (span.isForward) {
      const rows = await indexed(query, filter, span)
      if (rows.length >= span.limit) return { rows }
      return { rows: [...rows, ...(await tail(filter, { ...span, limit: span.limit - rows.length })).rows] }
    }
    const newest = await tail(filter, span)
    if (newest.searchedTo !== undefined || newest.rows.length >= span.limit) return newest
    return { rows: [...newest.rows, ...(await indexed(query, filter, { ...span, limit: span.limit - newest.rows.length }))] }
  }

  return {
    async page(filter: RowFilter): Promise<Page> {
      const limit = Math.min(filter.limit, LIST_ROWS_MAX)
      const query = queryOf(soughtIn(filter), hidden)
      if (query === 'none') return { rows: [], isMore: false }
      const isForward = filter.after !== undefined
      const over = Math.max(filter.after ?? 0, filter.from === undefined ? 0 : numbers.from(filter.from) - 1)
      const under = Math.min(
        filter.before ?? Number.MAX_SAFE_INTEGER,
        filter.to === undefined ? Number.MAX_SAFE_INTEGER : numbers.from(filter.to),
      )
      const { rows, searchedTo } = await find(filter, query, { over, under, isForward, limit: limit + 1 })
      const shown = rows.slice(0, limit)
      return { rows: isForward ? shown.reverse() : shown, isMore: rows.length > limit, ...(searchedTo !== undefined && { searchedTo }) }
    },
  }
}

const soughtIn = (filter: RowFilter) => ({
  ids: IDS.flatMap((name) => filter[name] ?? []),
  outcomes: [filter.outcome ?? []].flat(),
  kinds: [filter.kind ?? []].flat(),
  text: filter.text ?? '',
  contentsOf: filter.contentsOf,
})

function conditions(filter: RowFilter): SQL | undefined {
  const { outcomes, kinds } = soughtIn(filter)
  return and(
    ...IDS.map((name) => (filter[name] === undefined ? undefined : eq(auditRows[name], filter[name] as never))),
    outcomes.length > 0 ? inArray(auditRows.outcome, outcomes) : undefined,
    kinds.length > 0 ? inArray(auditRows.kind, kinds) : undefined,
    filter.from === undefined ? undefined : gte(auditRows.at, filter.from),
    filter.to === undefined ? undefined : lt(auditRows.at, filter.to),
  )
}
