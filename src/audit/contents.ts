/**
 * What was asked and answered, as far as the profile keeps it. It comes by reference and becomes text in the batch, away from the caller's
 * turn: cut, redacted, hashed into its row, sealed beside it.
 */
import { sha256 } from '@/lib/crypto.ts'
import type { KEEPS, Sealer, Store } from '@/store'
import { type AuditRow, CONTENT_HASH_AT, DETAIL_AT, type RowValues, TEXTS_AT } from './chain.ts'
import { redactedCut, redactedDetail, redactedText } from './redaction/redacting.ts'
import { shortened } from './redaction/shortening.ts'
import { groupsOf, openedTexts } from './sealing.ts'

export type Keeps = (typeof KEEPS)[number]
/** By reference. Nothing of it may be changed afterwards by whoever gave it. `isCut`: they are as much as is kept of them already. */
export type Contents = { keeps: Exclude<Keeps, 'sizes'>; arguments?: unknown; result?: unknown; isCut?: boolean }
/** As they are kept: JSON, each. */
export type KeptContents = { keeps: Keeps; arguments?: string; result?: string }

export const ARGUMENTS_CHARS_MAX = 16_384
export const RESULT_CHARS_MAX = 32_768
/** On the wire, of what waits for its batch. Objects in memory take a few times as much. */
export const HELD_BYTES_MAX = 16 * 1024 * 1024

/**
 * A row that waits. `text` is what becomes of its contents, once that is known. Nothing is added and nothing is taken out: an object
 * that loses a member is slow from then on.
 */
export type Waiting = {
  readonly values: RowValues
  contents: Contents | undefined
  readonly bytes: number
  text: string | undefined
  isReady: boolean
}

const CONTENTS = 'contents'

/** Says in the row itself why nothing stands beside it. */
export function leaveOut(values: RowValues, why: string): void {
  const detail = values[DETAIL_AT]
  values[DETAIL_AT] = JSON.stringify({ ...(typeof detail === 'string' ? JSON.parse(detail) : {}), [CONTENTS]: `left out: ${why}` })
}
export const TOO_MUCH_WAITED = 'too much was waiting to be written'

/** To look through a large result takes a millisecond or two. So long at a time; then whoever else waits for this thread has a turn. */
const TURN_MS = 3

/** Undefined when it is done already. Never rejects: what cannot be looked through is left out, and its row stays. */
export function prepare(rows: readonly Waiting[]): Promise<unknown> | undefined {
  const slow: Promise<unknown>[] = []
  const until = performance.now() + TURN_MS
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] as Waiting
    if (row.isReady) continue
    if (performance.now() > until) {
      const rest = rows.slice(at)
      slow.push(new Promise(setImmediate).then(() => prepare(rest)))
      break
    }
    const coming = prepareOne(row)
    if (coming) slow.push(coming)
  }
  return slow.length > 0 ? Promise.all(slow) : undefined
}

function prepareOne(row: Waiting): Promise<void> | undefined {
  row.isReady = true
  try {
    const texts = redactTexts(row.values, false)
    const contents = keep(row)
    if (!texts && !contents) return undefined
    return Promise.all([texts, contents]).then(
      () => undefined,
      () => without(row),
    )
  } catch {
    without(row)
    return undefined
  }
}

function without(row: Waiting): void {
  row.contents = row.text = undefined
  for (const at of TEXTS_AT) if (row.values[at] !== null) row.values[at] = UNREAD
  row.values[CONTENT_HASH_AT] = null
  row.values[DETAIL_AT] = null
  leaveOut(row.values, 'they could not be looked through for secrets')
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
  row.contents = undefined
  const { keeps, arguments: given, result } = contents.isCut ? contents : cut(contents)
  const asText = keeps === 'whole' ? cutJson : redactedCut
  const question = given === undefined ? '' : asText(given, ARGUMENTS_CHARS_MAX)
  const answer = result === undefined ? '' : asText(result, RESULT_CHARS_MAX)
  if (typeof question === 'string' && typeof answer === 'string') return keepAs(row, written(keeps, question, answer))
  return Promise.all([question, answer]).then(([asked, answered]) => keepAs(row, written(keeps, asked, answered)))
}
/** Up to so many characters, without what is no text. */
const cut = ({ keeps, arguments: given, result }: Contents): Contents => ({
  keeps,
  arguments: shortened(given, ARGUMENTS_CHARS_MAX, keeps !== 'whole'),
  result: shortened(result, RESULT_CHARS_MAX, keeps !== 'whole'),
  isCut: true,
})
/** As much as is kept, which holds on to nothing of the rest. What cannot be cut stays: its row is written without it, in the batch. */
export function cutAtOnce(contents: Contents): Contents {
  try {
    return cut(contents)
  } catch {
    return contents
  }
}
const cutJson = (value: unknown): string => JSON.stringify(value)
function keepAs(row: Waiting, text: string): undefined {
  row.text = text
  row.values[CONTENT_HASH_AT] = sha256(text)
}

/** A line for what is kept and one for each of both, which are JSON and hold no line end of their own: nothing is written twice over. */
const written = (keeps: Keeps, asked: string, answered: string): string => `${keeps}\n${asked}\n${answered}`
function readAgain(text: string): KeptContents {
  const [keeps, asked, answered] = text.split('\n')
  return { keeps: keeps as Keeps, ...(asked && { arguments: asked }), ...(answered && { result: answered }) }
}

export async function contentsOf(store: Pick<Store, 'read'>, sealer: Pick<Sealer, 'open'>, seq: number): Promise<KeptContents | undefined> {
  const [group] = await groupsOf(store, seq, seq)
  const text = group && group.last >= seq ? openedTexts(sealer, group).get(seq) : undefined
  return text === undefined ? undefined : readAgain(text)
}

/** To open many large ones takes some milliseconds. So long at a time. */
const OPENING_MS = 2

/** Of these rows, for who looks for words in them. What does not open has none. @param rows one after the other, as they are in the trail */
export async function textsOf(
  store: Pick<Store, 'read'>,
  sealer: Pick<Sealer, 'open'>,
  rows: readonly Pick<AuditRow, 'seq' | 'contentHash'>[],
): Promise<Map<number, string>> {
  const hashed = rows.filter(({ contentHash }) => contentHash !== null)
  const texts = new Map<number, string>()
  const [first, last] = [hashed[0], hashed.at(-1)]
  if (!first || !last) return texts
  let began = performance.now()
  for (const group of await groupsOf(store, first.seq, last.seq)) {
    if (performance.now() - began > OPENING_MS) {
      await new Promise(setImmediate)
      began = performance.now()
    }
    try {
      for (const [seq, text] of openedTexts(sealer, group)) {
        const { arguments: asked = '', result = '' } = readAgain(text)
        texts.set(seq, `${asked} ${result}`)
      }
    } catch {
      // Whoever proves the trail is told of it.
    }
  }
  return texts
}

/** For acts, which are about people: their names stay. */
export const redactAct = (values: RowValues): Promise<void> | undefined => redactTexts(values, true)
