/**
 * Contents as they stand in the file: those of rows that are written together are sealed together, since a seal of its own for each cost
 * more than everything else that is done for them. A group is bound to the number of its first row and says inside itself which of the rows
 * from there on it is of, so that neither it nor a part of it can be moved. It is bounded, since to read what is kept of one row is to open all of its group.
 */
import { and, desc, gte, lt, lte, sql } from 'drizzle-orm'
import { auditContents, type Sealer, type SqlValue, type Store, type Writer } from '@/store'

/** Rows of one group, those of which nothing is kept included. */
const GROUP_ROWS_MAX = 64
/** When there is so much in it a group takes no more: it holds at most as much again as one row may. */
const GROUP_CHARS = 131_072

type Stored = typeof auditContents.$inferSelect
type Group = { seq: number; offsets: number[]; texts: string[] }

const placeOf = (seq: number) => ({ table: 'audit_contents', row: String(seq), column: 'sealed', owner: '', version: 1 })

/** Texts of one row are of so many lines, and none of these has a line end in it. */
const LINES = 3

const NEXT = "SELECT coalesce(max(seq), 0) AS seq FROM sqlite_sequence WHERE name = 'audit_rows'"
const INSERT = 'INSERT INTO audit_contents (seq, last, rows, sealed, sealed_key) VALUES (?, ?, ?, ?, ?)'

/** Before their rows, whose numbers are known: this is the one transaction that gives any. @param rows undefined where nothing is kept */
export function insertContents(tx: Writer, sealer: Pick<Sealer, 'seal'>, rows: readonly { text: string | undefined }[]): void {
  let group: Group | undefined
  let chars = 0
  let seq = 0
  for (const [at, { text }] of rows.entries()) {
    if (text === undefined) continue
    if (seq === 0) seq = (tx.prepare<{ seq: number }, []>(NEXT).get()?.seq ?? 0) + 1
    if (group && (chars >= GROUP_CHARS || seq + at - group.seq >= GROUP_ROWS_MAX)) {
      insert(tx, sealer, group)
      group = undefined
    }
    if (!group) chars = 0
    group ??= { seq: seq + at, offsets: [], texts: [] }
    group.offsets.push(seq + at - group.seq)
    group.texts.push(text)
    chars += text.length
  }
  if (group) insert(tx, sealer, group)
}

function insert(tx: Writer, sealer: Pick<Sealer, 'seal'>, { seq, offsets, texts }: Group): void {
  const { bytes, key } = sealer.seal(`${offsets.join()}\n${texts.join('\n')}`, placeOf(seq))
  tx.prepare<unknown, SqlValue[]>(INSERT).run([seq, seq + (offsets.at(-1) ?? 0), texts.length, bytes, key])
}

/** As they were hashed into their rows, by the numbers of these. Throws when the group was altered or moved. */
export function openedTexts(sealer: Pick<Sealer, 'open'>, { seq, last, sealed, sealedKey }: Stored): Map<number, string> {
  const text = sealer.open({ bytes: sealed, key: sealedKey }, placeOf(seq))
  // Before there were groups each text was sealed for itself, bound in the same way.
  const [first = '', ...lines] = /^\d/.test(text) ? text.split('\n') : ['0', text]
  const offsets = first.split(',').map(Number)
  if (seq + (offsets.at(-1) ?? 0) !== last) throw new Error(`The contents beside row ${seq} are said to be of other rows than they are.`)
  return new Map(offsets.map((offset, at) => [seq + offset, lines.slice(at * LINES, (at + 1) * LINES).join('\n')]))
}

/** What may have contents of the rows between two numbers, both of them included. */
export const groupsOf = (store: Pick<Store, 'read'>, from: number, to: number): Promise<Stored[]> =>
  store.read
    .select()
    .from(auditContents)
    .where(
      and(gte(auditContents.seq, sql`coalesce((SELECT max(seq) FROM audit_contents WHERE seq <= ${from}), 0)`), lte(auditContents.seq, to)),
    )
    .execute()

/**
 * Of all rows up to this one. A group that begins there and ends later is sealed anew without them: what was kept of a row does not outlive
 * it. One that does not open is left to whoever proves the trail, until its last row has gone.
 */
export async function removeContents(tx: Writer, sealer: Pick<Sealer, 'seal' | 'open'>, upTo: number): Promise<void> {
  const [edge] = await tx.select().from(auditContents).where(lte(auditContents.seq, upTo)).orderBy(desc(auditContents.seq)).limit(1)
  if (!edge) return
  const rest = edge.last > upTo ? restOf(sealer, edge, upTo) : []
  await tx.delete(auditContents).where(rest ? lte(auditContents.seq, upTo) : lt(auditContents.seq, edge.seq))
  const [first] = rest ?? []
  if (rest && first) {
    const offsets = rest.map(([seq]) => seq - first[0])
    insert(tx, sealer, { seq: first[0], offsets, texts: rest.map(([, text]) => text) })
  }
}

function restOf(sealer: Pick<Sealer, 'open'>, edge: Stored, upTo: number): [number, string][] | undefined {
  try {
    return [...openedTexts(sealer, edge)].filter(([seq]) => seq > upTo)
  } catch {
    return undefined
  }
}
