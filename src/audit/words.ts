/**
 * By which words a row is found. The index has three columns: marks (the ids and the outcome that filters go by), names (what the
 * row says in words) and words of what is kept of arguments and result. The last are stored as keyed hashes: contents are sealed
 * in the file, and an index of their words in clear would undo that. So they are found as whole words, names by how they begin.
 */
import { keyedHashing } from '@/lib/crypto.ts'
import type { UserId } from '@/lib/ids.ts'
import type { AuditRow } from './chain.ts'

/** Of a row's contents; what comes after is not searched. */
const CONTENT_WORDS_MAX = 1_000
const CONTENT_CHARS_MAX = 64_000
/** One letter can become eighteen. */
const PLAIN_CHARS_MAX = 2 * CONTENT_CHARS_MAX
const WORD_CHARS_MAX = 64
/** Of a query; those after are left out. */
export const QUERY_WORDS_MAX = 8
/** Shorter ones would stand for half the trail. */
const BEGINNING_CHARS_MIN = 2

const ASCII = /^[\0-\x7f]*$/
/** `listPull` is two words, `HTMLPage` and `a1` are one. */
const ASCII_WORDS = /[A-Z]*[a-z\d]+|[A-Z]+/g

/** Without accents and case; `listPull_requests` by each of its words. */
function wordsIn(text: string): Set<string> {
  // Letters without accents mean the same either way, and most texts have no others.
  const words = ASCII.test(text) ? text.slice(0, PLAIN_CHARS_MAX).match(ASCII_WORDS) : wordsBeyondAscii(text)
  const found = new Set<string>()
  for (const word of words ?? []) found.add((word.length > WORD_CHARS_MAX ? word.slice(0, WORD_CHARS_MAX) : word).toLowerCase())
  return found
}

const wordsBeyondAscii = (text: string): string[] | null =>
  text
    .normalize('NFKD')
    .slice(0, PLAIN_CHARS_MAX)
    .replace(/\p{M}+/gu, '')
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu)

const ID_MARKS = ['userId', 'clientId', 'grantId', 'profileId', 'connectionId', 'toolId'] as const
/** Ids tell by their beginning of what they are. A mark is letters and digits alone. */
const markOf = (id: string): string => id.replace('_', '')
const outcomeMark = (outcome: string): string => `outcome${outcome.replace('-', '')}`
const kindMark = (kind: string): string => `kind${kind}`

export function marksOf(row: Pick<AuditRow, (typeof ID_MARKS)[number] | 'outcome' | 'kind'>): string {
  let marks = ''
  for (const name of ID_MARKS) {
    const id = row[name]
    if (id) marks += `${markOf(id)} `
  }
  return `${marks}${outcomeMark(row.outcome)} ${kindMark(row.kind)}`
}

const NAMES = ['subject', 'action', 'reason', 'purpose', 'userName', 'clientName', 'profileName', 'connectionName', 'traceId'] as const
export type Named = Pick<AuditRow, (typeof NAMES)[number]>

/** Rows of one app and one tool are alike in this: so many are known, in memory alone. */
const KNOWN_NAMES_MAX = 512
export function createNaming(): (row: Named) => string {
  const known = new Map<string, string>()
  return (row) => {
    let text = ''
    for (const name of NAMES) text += `${row[name] ?? ''} \n `
    let words = known.get(text)
    if (words === undefined) {
      words = [...wordsIn(text)].join(' ')
      if (known.size >= KNOWN_NAMES_MAX) known.clear()
      known.set(text, words)
    }
    return words
  }
}

/** What stands in the index for a word of contents. */
export type Hiding = (word: string) => string

/** Most words of a text were in the one before as well. So many are known, or twice as many, in memory alone. */
const KNOWN_WORDS_MAX = 2_048

/** Sixty bits of a hash: what a copied file says of a word is nothing without the key. */
export function createHiding(key: Uint8Array): Hiding {
  const hash = keyedHashing(key)
  let [recent, before] = [new Map<string, string>(), new Map<string, string>()]
  return (word) => {
    const known = recent.get(word)
    if (known !== undefined) return known
    const hidden = before.get(word) ?? hash(word).readBigUInt64BE().toString(36)
    if (recent.size >= KNOWN_WORDS_MAX) [recent, before] = [new Map(), recent]
    recent.set(word, hidden)
    return hidden
  }
}

export function contentWords(text: string, hidden: Hiding): string {
  let words = ''
  let count = 0
  for (const word of wordsIn(text.slice(0, CONTENT_CHARS_MAX))) {
    if (count === CONTENT_WORDS_MAX) break
    words += count === 0 ? hidden(word) : ` ${hidden(word)}`
    count += 1
  }
  return words
}

export type Sought = {
  ids: readonly string[]
  outcomes: readonly AuditRow['outcome'][]
  kinds: readonly AuditRow['kind'][]
  /** As somebody typed it. */
  text: string
  /** Whose contents are searched beside the names; nobody's when undefined. */
  contentsOf: UserId | undefined
}

const anyOf = (marks: readonly string[]): string[] =>
  marks.length === 0 ? [] : [`(${marks.map((mark) => `marks : "${mark}"`).join(' OR ')})`]

/**
 * In FTS5's own language, of nothing but letters and digits: what was typed is words and never an expression.
 * @returns undefined where everything is meant; `none` where words were asked for and there is none in what was typed
 */
export function queryOf({ ids, outcomes, kinds, text, contentsOf }: Sought, hidden: Hiding): string | 'none' | undefined {
  const words = [...wordsIn(text)].slice(0, QUERY_WORDS_MAX)
  if (words.length === 0 && text.trim() !== '') return 'none'
  const found = words.map((word) => {
    const named = `names : "${word}"${word.length < BEGINNING_CHARS_MIN ? '' : ' *'}`
    return contentsOf ? `(${named} OR (words : "${hidden(word)}" AND marks : "${markOf(contentsOf)}"))` : named
  })
  const parts = [
    ...ids.map((id) => `marks : "${markOf(id)}"`),
    ...anyOf(outcomes.map(outcomeMark)),
    ...anyOf(kinds.map(kindMark)),
    ...found,
  ]
  return parts.length === 0 ? undefined : parts.join(' AND ')
}
