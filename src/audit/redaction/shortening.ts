/** What was asked or answered, copied as far as it is kept: so much and no more, without what is no text. */
import { isCard, type KeyVerdict, mark, verdictOn } from './patterns.ts'

const DEPTH_MAX = 40
/** What a name, a number, a sign costs. */
const SMALL = 8
/** Text without a space or a sign for so long is data in letters. */
const ENCODED_FROM = 512
const ENCODED = /^[A-Za-z0-9+/_\r\n-]+={0,2}$/
/** The end of what was cut may be the beginning of a secret that nothing would know for one. So many letters are looked at, and no more. */
const CUT_WORD_CHARS = 512
/** Names are as long as their sender likes, and are not what is looked for. */
const NAME_CHARS_MAX = 256
const TYPE_CHARS_MAX = 100

type Walk = { left: number; isRedacting: boolean }

/**
 * A copy of about `max` characters at most. What was left out is said where it stood.
 * @param isRedacting members whose names say that they are secret become a mark
 */
export const shortened = (value: unknown, max: number, isRedacting: boolean): unknown =>
  copied(value, 'plain', 0, { left: max, isRedacting })

function copied(value: unknown, verdict: KeyVerdict, depth: number, walk: Walk): unknown {
  walk.left -= SMALL
  if (typeof value === 'string') return verdict === 'plain' || value === '' ? textOf(value, walk) : mark('secret')
  if (typeof value === 'number') {
    const isSecret = verdict === 'numbers' || verdict === 'all' || (walk.isRedacting && value > 1e12 && isCard(String(value)))
    return isSecret ? mark('secret') : value
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH_MAX) return '[cut: too deep]'
  return Array.isArray(value) ? listOf(value, verdict, depth, walk) : membersOf(value as Record<string, unknown>, verdict, depth, walk)
}

function textOf(text: string, walk: Walk): string {
  if (text.length >= ENCODED_FROM && ENCODED.test(text.slice(0, 4 * ENCODED_FROM))) return `[${text.length} characters of encoded data]`
  if (text.startsWith('data:') && text.length > 64) {
    const comma = text.indexOf(',')
    if (comma > 0 && comma < 200 && text.slice(0, comma).endsWith(';base64')) return sized(text.length - comma, text.slice(5, comma - 7))
  }
  const { left } = walk
  walk.left -= text.length
  if (text.length <= left) return text.length < PART_FROM ? text : apart(text)
  if (left <= 0) return `[cut: ${text.length} characters]`
  return cutAt(text, left)
}

function cutAt(text: string, at: number): string {
  const from = Math.max(0, at - CUT_WORD_CHARS)
  return apart(`${text.slice(0, from)}${text.slice(from, at).replace(/\S+$/, '')} [cut: ${text.length} characters in all]`)
}

/** A long text can be a part of a longer one, as parsing makes them (lib/json.ts). */
const PART_FROM = 4 * 1024
/** Copied, so that what it is a part of does not stay as long as it does. */
function apart(text: string): string {
  const copy = `${text} `
  // Looking into a text that is put together is what writes it out.
  copy.charCodeAt(0)
  return copy.slice(0, -1)
}

/** Of the length of a text in base64. */
const sized = (letters: number, type: string): string =>
  `[${Math.floor((letters * 3) / 4)} bytes of ${type === '' ? 'data' : type.slice(0, TYPE_CHARS_MAX)}]`

function listOf(list: readonly unknown[], verdict: KeyVerdict, depth: number, walk: Walk): unknown[] {
  const copy: unknown[] = []
  for (const [at, item] of list.entries()) {
    if (walk.left <= 0) {
      copy.push(`[cut: ${list.length - at} more]`)
      break
    }
    const named = verdict === 'plain' && walk.isRedacting ? verdictByNeighbour(list, at) : verdict
    copy.push(copied(item, named, depth + 1, walk))
  }
  return copy
}

/** `["--password", …]` and `["Authorization", …]`: arguments of programs, and headers in pairs. */
function verdictByNeighbour(list: readonly unknown[], at: number): KeyVerdict {
  const before = at > 0 ? list[at - 1] : undefined
  if (typeof before !== 'string' || before.length > NEIGHBOUR_CHARS_MAX) return 'plain'
  return list.length === 2 || before.startsWith('-') ? verdictOn(before) : 'plain'
}
const NEIGHBOUR_CHARS_MAX = 64

const BINARY = { image: 'data', audio: 'data' } as Readonly<Record<string, string>>

function membersOf(members: Record<string, unknown>, verdict: KeyVerdict, depth: number, walk: Walk): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  // Content blocks of MCP: an image's or a recording's `data`, a resource's `blob`.
  const binary = BINARY[String(members['type'])] ?? 'blob'
  const ofValue = walk.isRedacting && members['value'] !== undefined ? verdictOnValue(members, verdict) : 'plain'
  for (const key in members) {
    if (walk.left <= 0) {
      copy['…'] = '[cut: more members]'
      break
    }
    walk.left -= key.length
    const value = members[key]
    const name = nameIn(copy, key)
    if (key === binary && typeof value === 'string') copy[name] = sized(value.length, String(members['mimeType'] ?? ''))
    else copy[name] = copied(value, !walk.isRedacting || verdict === 'all' ? verdict : below(key, ofValue), depth + 1, walk)
  }
  return copy
}

/** Long ones that became one are told apart, so that none of their values gets lost. */
function nameIn(copy: Record<string, unknown>, key: string): string {
  if (key.length <= NAME_CHARS_MAX) return key
  const name = cutAt(key, NAME_CHARS_MAX)
  return Object.hasOwn(copy, name) ? `${name} ${Object.keys(copy).length}` : name
}

/** A secret's own members are looked at by their own names, unless all below it is secret. */
const below = (key: string, ofValue: KeyVerdict): KeyVerdict => (key === 'value' && ofValue !== 'plain' ? ofValue : verdictOn(key))

/** `{ "password": { "value": … } }`, and `{ "name": "Authorization", "value": … }` as lists of headers, variables and fields say it. */
function verdictOnValue(members: Record<string, unknown>, verdict: KeyVerdict): KeyVerdict {
  if (verdict !== 'plain') return verdict
  const named = NAMED_BY.map((by) => members[by]).find((name) => typeof name === 'string')
  return named === undefined ? 'plain' : verdictOn(named as string)
}
const NAMED_BY = ['name', 'key', 'header', 'field'] as const
