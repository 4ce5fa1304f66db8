/**
 * How rows stand in the file, and what ties each to the one before it, so that a row that was changed, taken out or moved
 * shows. Whoever can write to the file can also write all of it anew, and rows cut off at the end leave no trace in those
 * that remain: against that helps a `chain` that was noted elsewhere.
 */
import { sha256 } from '@/lib/crypto.ts'
import { auditRows, type SqlValue, type Writer } from '@/store'

export type AuditRow = typeof auditRows.$inferSelect
export type NewRow = Omit<typeof auditRows.$inferInsert, 'seq' | 'at' | 'chain'>
/** The values of one row in the order of `COLUMNS`. */
export type RowValues = SqlValue[]

/** The order in which a row is hashed and bound. Another order, or a column more, is another `VERSION`. */
const COLUMNS = [
  ...(['at', 'kind', 'action', 'outcome', 'reason', 'userId', 'userName', 'clientId', 'clientName', 'grantId'] as const),
  ...(['profileId', 'profileName', 'connectionId', 'connectionName', 'toolId', 'subject', 'purpose', 'traceId'] as const),
  ...(['address', 'requestBytes', 'responseBytes', 'durationUs', 'upstreamUs', 'detail', 'contentHash', 'chain'] as const),
] satisfies (keyof AuditRow)[]
const CHAIN_AT = COLUMNS.length - 1
export const CONTENT_HASH_AT = CHAIN_AT - 1
export const DETAIL_AT = CONTENT_HASH_AT - 1
/** Where text of callers and upstreams stands. */
export const TEXTS_AT = [COLUMNS.indexOf('reason'), COLUMNS.indexOf('subject'), COLUMNS.indexOf('purpose')] as const
/**
 * Begins the chain of each row that is hashed as here. Rows of version 2 are hashed without `contentHash`. Rows of before have
 * none. What they were hashed from cannot be told from the row, since a column that was left out and one that was empty
 * differed, so that only what follows them is checked.
 */
const VERSION = '3:'
const VERSION_2 = '2:'
const ageOf = (chain: string): number => (chain.startsWith(VERSION) ? 3 : chain.startsWith(VERSION_2) ? 2 : 0)

/** As many rows in one statement as still cost less together; the rest of a batch goes one by one. */
const ROWS_TOGETHER = 50
const insertOf = (rows: number): string => {
  const places = `(${COLUMNS.map(() => '?').join(', ')})`
  return `INSERT INTO audit_rows (${COLUMNS.map((column) => auditRows[column].name).join(', ')}) VALUES ${Array(rows).fill(places).join(', ')}`
}
const [INSERT_ONE, INSERT_TOGETHER] = [insertOf(1), insertOf(ROWS_TOGETHER)]
const LAST = 'SELECT chain FROM audit_rows ORDER BY seq DESC LIMIT 1'

/** Spelled out, since it runs for every call. Throws for a `detail` that is no JSON, to whoever made it. */
export const valuesOf = (row: NewRow, at: number): RowValues => [
  at,
  row.kind,
  wellFormed(row.action),
  row.outcome,
  wellFormed(row.reason),
  row.userId ?? null,
  wellFormed(row.userName),
  row.clientId ?? null,
  wellFormed(row.clientName),
  row.grantId ?? null,
  row.profileId ?? null,
  wellFormed(row.profileName),
  row.connectionId ?? null,
  wellFormed(row.connectionName),
  row.toolId ?? null,
  wellFormed(row.subject),
  wellFormed(row.purpose),
  wellFormed(row.traceId),
  wellFormed(row.address),
  row.requestBytes ?? null,
  row.responseBytes ?? null,
  row.durationUs ?? null,
  row.upstreamUs ?? null,
  row.detail ? JSON.stringify(row.detail) : null,
  row.contentHash ?? null,
  null,
]

/** Half a character, as remains where a name was cut, would come back from the file as another one and look like tampering. */
const wellFormed = (text: string | null | undefined): string | null => text?.toWellFormed() ?? null

/** The hash is over the JSON text of the row's values, with the chain of the row before where its own will stand. */
function chainOf(values: RowValues, before: string): string {
  values[CHAIN_AT] = before
  return VERSION + sha256(JSON.stringify(values))
}

function chainOfVersion2(values: RowValues, before: string): string {
  values[CHAIN_AT] = before
  return VERSION_2 + sha256(JSON.stringify(values.toSpliced(CONTENT_HASH_AT, 1)))
}

/** Inside the one writer transaction, so that two rows never share a predecessor. */
export async function insertChained(tx: Writer, rows: readonly RowValues[]): Promise<void> {
  // Read anew for each batch: kept in memory it would have to survive the rollback of other rooms' transactions.
  let chain = tx.prepare<{ chain: string }, []>(LAST).get()?.chain ?? ''
  for (const values of rows) {
    chain = chainOf(values, chain)
    values[CHAIN_AT] = chain
  }
  let at = 0
  for (; at + ROWS_TOGETHER <= rows.length; at += ROWS_TOGETHER)
    tx.prepare<unknown, SqlValue[]>(INSERT_TOGETHER).run(([] as RowValues).concat(...rows.slice(at, at + ROWS_TOGETHER)))
  for (; at < rows.length; at += 1) tx.prepare<unknown, SqlValue[]>(INSERT_ONE).run(rows[at] as RowValues)
}

export type Verdict = {
  /** The first row that does not follow from the one before it: it was changed, or what stood before it is gone. */
  brokenAt?: number
  /** How many rows were proven, and how many are from before and therefore taken as they are. */
  proven: number
  old: number
}

/**
 * Reads rows as they were written, the oldest first.
 * @param before the chain of the row before the first; empty for the beginning of the trail
 */
export function verifyChain(rows: Iterable<AuditRow>, before = ''): Verdict {
  const verdict: Verdict = { proven: 0, old: 0 }
  let chain = before
  for (const row of rows) {
    const isOld = ageOf(row.chain) === 0 && ageOf(chain) === 0
    if (!isOld && !follows(row, chain)) return { ...verdict, brokenAt: row.seq }
    verdict[isOld ? 'old' : 'proven'] += 1
    chain = row.chain
  }
  return verdict
}

/** Nothing of an older version comes after a newer one, or its weaker hash could stand for any row. */
function follows(row: AuditRow, before: string): boolean {
  const age = ageOf(row.chain)
  if (age < ageOf(before)) return false
  if (age === 3) return row.chain === chainOf(valuesOf(row, row.at), before)
  return age === 2 && row.contentHash === null && row.chain === chainOfVersion2(valuesOf(row, row.at), before)
}
