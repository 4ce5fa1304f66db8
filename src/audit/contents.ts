/**
 * What was asked and answered, as far as the profile keeps it. It comes by reference and becomes text in the batch, away from the caller's
 * turn: cut, redacted, hashed into its row, sealed beside it.
 */
import { sha256 } from '@/lib/crypto.ts'
import { auditContents, type KEEPS, type Sealer, type SqlValue, type Store, type Writer } from '@/store'
import { eq, inArray } from 'drizzle-orm'
import { type AuditRow, CONTENT_HASH_AT, DETAIL_AT, type RowValues, TEXTS_AT } from './chain.ts'
import { redactedDetail, redactedJson, redactedText, wholeJson } from './redaction/redacting.ts'

export type Keeps = (typeof KEEPS)[number]
/** By reference. Nothing of it may be changed afterwards by whoever gave it. */
export type Contents = { keeps: Exclude<Keeps, 'sizes'>; arguments?: unknown; result?: unknown }
/** As they are kept: JSON, each. */
export type KeptContents = { keeps: Keeps; arguments?: string; result?: string }

export const ARGUMENTS_CHARS_MAX = 16_384
export const RESULT_CHARS_MAX = 32_768
/** On the wire, of what waits for its batch. Objects in memory take a few times as much. */
export const HELD_BYTES_MAX = 16 * 1024 * 1024

/** A row that waits. `text` is what becomes of its contents, once that is known. */
export type Waiting = { values: RowValues; contents?: Contents | undefined; bytes: number; text?: string; isReady?: boolean }

const placeOf = (seq: number) => ({ table: 'audit_contents', row: String(seq), column: 'sealed', owner: '', version: 1 })
const CONTENTS = 'contents'

/** Says in the row itself why nothing stands beside it. */
export function leaveOut(values: RowValues, why: string): void {
  const detail = values[DETAIL_AT]
  values[DETAIL_AT] = JSON.stringify({ ...(typeof detail === 'string' ? JSON.parse(detail) : {}), [CONTENTS]: `left out: ${why}` })
}
export const TOO_MUCH_WAITED = 'too much was waiting to be written'

/** To look through a large result takes a millisecond or two. So long at a time; then whoever else waits for this thread has a turn. */
const TURN_MS = 8

/** Undefined when it is done already. Never rejects: what cannot be looked through is left out, and its row stays. */
export function prepare(rows: readonly Waiting[]): Promise<unknown> | undefined {
  const slow: Promise<unknown>[] = []
  const until = performance.now() + TURN_MS
  for (const [at, row] of rows.entries()) {
    if (row.isReady) continue
    if (performance.now() > until) {
      slow.push(new Promise(setImmediate).then(() => prepare(rows.slice(at))))
      break
    }
    row.isReady = true
    const coming = sparing(row, () => {
      const texts = redactTexts(row.values, false)
      const contents = keep(row)
      return texts && contents ? texts.then(() => contents) : (texts ?? contents)
    })
    if (coming) slow.push(coming)
  }
  return slow.length > 0 ? Promise.all(slow) : undefined
}

function sparing(row: Waiting, work: () => Promise<void> | undefined): Promise<void> | undefined {
  const without = () => {
    delete row.contents
    delete row.text
    for (const at of TEXTS_AT) if (row.values[at] !== null) row.values[at] = UNREAD
    row.values[CONTENT_HASH_AT] = null
    row.values[DETAIL_AT] = null
    leaveOut(row.values, 'they could not be looked through for secrets')
  }
  try {
    return work()?.catch(without)
  } catch {
    without()
    return undefined
  }
}
const UNREAD = '[redacted]'

const REDACTED_AT = [...TEXTS_AT, DETAIL_AT]

/** What a caller wrote and what an upstream said: names, reasons, purposes, addresses of resources. */
function redactTexts(values: RowValues, isAct: boolean): Promise<void> | undefined {
  const slow: Promise<void>[] = []
  for (const at of REDACTED_AT) {
    const text = values[at]
    if (typeof text !== 'string') continue
    const redacted = (at === DETAIL_AT ? redactedDetail : redactedText)(text, isAct)
    if (typeof redacted === 'string') values[at] = redacted
    else slow.push(putInto(values, at, redacted))
  }
  return slow.length > 0 ? Promise.all(slow).then(() => undefined) : undefined
}
async function putInto(values: RowValues, at: number, text: Promise<string>): Promise<void> {
  values[at] = await text
}

function keep(row: Waiting): Promise<void> | undefined {
  const { contents } = row
  if (!contents) return undefined
  delete row.contents
  const asText = contents.keeps === 'whole' ? wholeJson : redactedJson
  const question = contents.arguments === undefined ? '' : asText(contents.arguments, ARGUMENTS_CHARS_MAX)
  const answer = contents.result === undefined ? '' : asText(contents.result, RESULT_CHARS_MAX)
  const done = (asked: string, answered: string): void => {
    row.text = written(contents.keeps, asked, answered)
    row.values[CONTENT_HASH_AT] = sha256(row.text)
  }
  if (typeof question === 'string' && typeof answer === 'string') return void done(question, answer)
  return Promise.all([question, answer]).then(([asked, answered]) => done(asked, answered))
}

/** A line for what is kept and one for each of both, which are JSON and hold no line end of their own: nothing is written twice over. */
const written = (keeps: Keeps, asked: string, answered: string): string => `${keeps}\n${asked}\n${answered}`
function readAgain(text: string): KeptContents {
  const [keeps, asked, answered] = text.split('\n')
  return { keeps: keeps as Keeps, ...(asked && { arguments: asked }), ...(answered && { result: answered }) }
}

const NEXT = "SELECT coalesce(max(seq), 0) AS seq FROM sqlite_sequence WHERE name = 'audit_rows'"
/** As many in one statement as still cost less together. */
const ROWS_TOGETHER = 25
const insertOf = (rows: number): string =>
  `INSERT INTO audit_contents (seq, keeps, sealed, sealed_key) VALUES ${Array(rows).fill('(?, ?, ?, ?)').join(', ')}`
const [INSERT_ONE, INSERT_TOGETHER] = [insertOf(1), insertOf(ROWS_TOGETHER)]

/** Before their rows, whose numbers are known: this is the one transaction that gives any. */
export function insertContents(tx: Writer, sealer: Pick<Sealer, 'seal'>, rows: readonly Waiting[]): void {
  if (!rows.some(({ text }) => text !== undefined)) return
  let seq = tx.prepare<{ seq: number }, []>(NEXT).get()?.seq ?? 0
  const kept: SqlValue[][] = []
  for (const { text } of rows) {
    seq += 1
    if (text === undefined) continue
    const { bytes, key } = sealer.seal(text, placeOf(seq))
    kept.push([seq, keepsIn(text), bytes, key])
  }
  let at = 0
  for (; at + ROWS_TOGETHER <= kept.length; at += ROWS_TOGETHER)
    tx.prepare<unknown, SqlValue[]>(INSERT_TOGETHER).run(kept.slice(at, at + ROWS_TOGETHER).flat())
  for (; at < kept.length; at += 1) tx.prepare<unknown, SqlValue[]>(INSERT_ONE).run(kept[at] as SqlValue[])
}
const keepsIn = (text: string): Keeps => (text.startsWith('whole') ? 'whole' : 'redacted')

type Stored = Pick<typeof auditContents.$inferSelect, 'seq' | 'sealed' | 'sealedKey'>

/** As it was hashed into the row. Throws when it was altered or moved. */
export const openedText = (sealer: Pick<Sealer, 'open'>, { seq, sealed, sealedKey }: Stored): string =>
  sealer.open({ bytes: sealed, key: sealedKey }, placeOf(seq))

export async function contentsOf(store: Pick<Store, 'read'>, sealer: Pick<Sealer, 'open'>, seq: number): Promise<KeptContents | undefined> {
  const [stored] = await store.read.select().from(auditContents).where(eq(auditContents.seq, seq))
  return stored && readAgain(openedText(sealer, stored))
}

/** Of these rows, for who looks for words in them. What does not open has none. */
export async function textsOf(
  store: Pick<Store, 'read'>,
  sealer: Pick<Sealer, 'open'>,
  rows: readonly Pick<AuditRow, 'seq' | 'contentHash'>[],
): Promise<Map<number, string>> {
  const seqs = rows.filter(({ contentHash }) => contentHash !== null).map(({ seq }) => seq)
  const texts = new Map<number, string>()
  if (seqs.length === 0) return texts
  for (const stored of await store.read.select().from(auditContents).where(inArray(auditContents.seq, seqs))) {
    try {
      const { arguments: asked = '', result = '' } = readAgain(openedText(sealer, stored))
      texts.set(stored.seq, `${asked} ${result}`)
    } catch {
      // Whoever proves the trail is told of it.
    }
  }
  return texts
}

/** For acts, which are about people: their names stay. */
export const redactAct = (values: RowValues): Promise<void> | undefined => redactTexts(values, true)
