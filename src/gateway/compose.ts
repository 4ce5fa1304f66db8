/**
 * The message to an upstream, written from what the client sent. Large ones are not written anew: the names are exchanged where they
 * stand, and the rest keeps its bytes. That is done only where the text can be read in one way, so that no upstream reads another request
 * than the one that was decided about.
 */
import { modernMeta } from '@/connections'
import type { JsonObject } from '@/plugins'
import { type Asked, inPlainLetters, META, metaOf } from './messages.ts'
import type { Target } from './targets.ts'

export type Composing = {
  id: number
  asked: Asked
  target: Target
  params: JsonObject
  isModern: boolean
  meta: JsonObject
  progress: boolean
}

const SPLICED_FROM_CHARS = 16_384
const PLAIN_FIELDS = new Set(['name', 'arguments', '_meta'])

export function compose(it: Composing): string {
  return spliced(it) ?? written(it)
}

function written({ id, asked, params, isModern, meta, progress }: Composing): string {
  const kept: JsonObject = {}
  for (const [name, value] of Object.entries(metaOf(asked.params))) if (!isOurs(name)) kept[name] = value
  if (progress) kept['progressToken'] = id
  if (isModern) Object.assign(kept, modernMeta(meta))
  const whole = Object.keys(kept).length === 0 ? params : { ...params, _meta: kept }
  return JSON.stringify({ jsonrpc: '2.0', id, method: asked.method, params: whole })
}

/** What is ours to say, or the other side's alone; in other letters too, since some servers read JSON without regard to case. */
function isOurs(name: string): boolean {
  const plain = inPlainLetters(name)
  return plain.startsWith(META) || plain === 'progresstoken'
}
/** Reserved metadata that may go on as the client wrote it. */
const CARRIED = new Set([`${META}protocolVersion`, `${META}clientCapabilities`, `${META}clientInfo`, `${META}logLevel`])

/**
 * Undefined unless the text is long, the client's own metadata can stay as it is, and each name that decides something stands in it once
 * and unescaped: a key that is there twice is read one way here and another way there.
 */
function spliced({ id, asked, target, params, isModern, progress }: Composing): string | undefined {
  const { text, params: given } = asked
  if (text === undefined || text.length < SPLICED_FROM_CHARS || asked.isPlain !== true || !isModern || progress) return undefined
  if (
    asked.method !== 'tools/call' ||
    params['arguments'] !== given['arguments'] ||
    Object.keys(params).some((field) => !PLAIN_FIELDS.has(field))
  )
    return undefined
  if (Object.keys(given).some((field) => !PLAIN_FIELDS.has(field)) || /\\u|__proto__/.test(text)) return undefined
  const bytes = Buffer.from(text, 'utf8')
  const keys = ['"jsonrpc"', '"id"', '"method"', '"params"', '"name"', '"arguments"', '"_meta"']
  const meta = metaOf(given)
  if (
    meta[`${META}protocolVersion`] === undefined ||
    Object.keys(meta).some((field) => isOurs(field) && !CARRIED.has(field)) ||
    keys.some((key) => countUpTo2(bytes, key) !== 1)
  )
    return undefined
  const name = pieceOf(text, '"name"', JSON.stringify(given['name']))
  const ownId = pieceOf(text, '"id"', JSON.stringify(asked.id))
  if (!name || !ownId) return undefined
  return exchanged(text, [
    { ...name, by: JSON.stringify(target.name) },
    { ...ownId, by: String(id) },
  ])
}

function countUpTo2(bytes: Buffer, text: string): number {
  const first = bytes.indexOf(text)
  if (first === -1) return 0
  return bytes.indexOf(text, first + 1) === -1 ? 1 : 2
}

type Piece = { from: number; to: number }

/** Where a value stands behind its key; undefined where something else does, or the same in other figures (`0e1` for 0). */
function pieceOf(text: string, key: string, value: string): Piece | undefined {
  let from = text.indexOf(key) + key.length
  while (' \t\n\r'.includes(text[from] ?? 'x')) from += 1
  if (text[from] !== ':') return undefined
  from += 1
  while (' \t\n\r'.includes(text[from] ?? 'x')) from += 1
  const to = from + value.length
  return text.startsWith(value, from) && ',} \t\n\r'.includes(text[to] ?? 'x') ? { from, to } : undefined
}

function exchanged(text: string, pieces: readonly (Piece & { by: string })[]): string {
  let made = ''
  let at = 0
  for (const { from, to, by } of pieces.toSorted((a, b) => a.from - b.from)) {
    made += text.slice(at, from) + by
    at = to
  }
  return made + text.slice(at)
}
