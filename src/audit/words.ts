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

/** Without accents and case; `listPull_requests` by each of its words. */
function wordsIn(text: string): Set<string> {
  // Letters without accents mean the same either way, and most texts have no others.
  const isAscii = ASCII.test(text)
  const plain = isAscii
    ? text.slice(0, PLAIN_CHARS_MAX).replace(/([a-z\d])([A-Z])/g, '$1 $2')
    : text
        .normalize('NFKD')
        .slice(0, PLAIN_CHARS_MAX)
        .replace(/\p{M}+/gu, '')
        .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
  const words = plain.toLowerCase().match(isAscii ? /[a-z\d]+/g : /[\p{L}\p{N}]+/gu) ?? []
  return new Set(words.map((word) => word.slice(0, WORD_CHARS_MAX)))
}

const ID_MARKS = ['userId', 'clientId', 'grantId', 'profileId', 'connectionId', 'toolId'] as const
/** Ids tell by their beginning of what they are. A mark is letters and digits alone. */
const markOf = (id: string): string => id.replace('_', '')
const outcomeMark = (outcome: string): string => `outcome${outcome.replace('-', '')}`
const kindMark = (kind: string): string => `kind${kind}`

export const marksOf = (row: Pick<AuditRow, (typeof ID_MARKS)[number] | 'outcome' | 'kind'>): string =>
  [...ID_MARKS.flatMap((name) => (row[name] ? [markOf(row[name])] : [])), outcomeMark(row.outcome), kindMark(row.kind)].join(' ')

const NAMES = ['subject', 'action', 'reason', 'purpose', 'userName', 'clientName', 'profileName', 'connectionName', 'traceId'] as const
export type Named = Pick<AuditRow, (typeof NAMES)[number]>
export const namesOf = (row: Named): string => [...wordsIn(NAMES.map((name) => row[name] ?? '').join(' \n '))].join(' ')

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

export const contentWords = (text: string, hidden: Hiding): string =>
  [...wordsIn(text.slice(0, CONTENT_CHARS_MAX))].slice(0, CONTENT_WORDS_MAX).map(hidden).join(' ')

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
