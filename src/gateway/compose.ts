/**
 * The message to an upstream, written from what the client sent. Large ones are not written anew: the names are exchanged where they
 * stand, and the rest keeps its bytes. That is done only where the text can be read in one way, so that no upstream reads another request
 * than the one that was decided about.
 */
import { modernMeta } from '@/connections'
import type { JsonObject } from '@/plugins'
import { type Asked, META, metaOf } from './messages.ts'
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

const SPLICED_FROM_BYTES = 16_384
const PLAIN_FIELDS = new Set(['name', 'arguments', '_meta'])
/** Each decides something, or holds what does. */
const KEYS = ['"jsonrpc"', '"id"', '"method"', '"params"', '"name"', '"arguments"', '"_meta"']

export function compose(it: Composing): string | Uint8Array<ArrayBuffer> {
  return spliced(it) ?? written(it)
}

function written({ id, asked, params, isModern, meta, progress }: Composing): string {
  const kept: JsonObject = {}
  for (const [name, value] of Object.entries(metaOf(asked.params)))
    if (!name.startsWith(META) && name !== 'progressToken') kept[name] = value
  if (progress) kept['progressToken'] = id
  if (isModern) Object.assign(kept, modernMeta(meta))
  const whole = Object.keys(kept).length === 0 ? params : { ...params, _meta: kept }
  return JSON.stringify({ jsonrpc: '2.0', id, method: asked.method, params: whole })
}

/**
 * Undefined unless the text is long, the client's own metadata can stay as it is, and each name that decides something stands in it once
 * and unescaped: a key that is there twice is read one way here and another way there.
 */
function spliced({ id, asked, target, params, isModern, progress }: Composing): Uint8Array<ArrayBuffer> | undefined {
  const { body, params: given } = asked
  if (body === undefined || body.byteLength < SPLICED_FROM_BYTES || asked.isPlain !== true || !isModern || progress) return undefined
  if (asked.method !== 'tools/call' || params['arguments'] !== given['arguments'] || !isPlain(params) || !isPlain(given)) return undefined
  const meta = metaOf(given)
  if (meta[`${META}protocolVersion`] === undefined || meta['progressToken'] !== undefined) return undefined
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.includes('\\u') || KEYS.some((key) => !isThereOnce(bytes, key))) return undefined
  const name = pieceOf(bytes, '"name"', JSON.stringify(given['name']), JSON.stringify(target.name))
  const ownId = pieceOf(bytes, '"id"', JSON.stringify(asked.id), String(id))
  return name && ownId && exchanged(bytes, name.from < ownId.from ? [name, ownId] : [ownId, name])
}

const isPlain = (fields: JsonObject): boolean => Object.keys(fields).every((field) => PLAIN_FIELDS.has(field))

function isThereOnce(bytes: Buffer, text: string): boolean {
  const first = bytes.indexOf(text)
  return first !== -1 && bytes.indexOf(text, first + text.length) === -1
}

/** Where a value stands, and what is to stand there. */
type Piece = { from: number; to: number; by: Buffer }
const SPACES = new Set([...' \t\n\r'].map((space) => space.charCodeAt(0)))
const COLON = ':'.charCodeAt(0)

/** Undefined where something else stands behind the key. */
function pieceOf(bytes: Buffer, key: string, value: string, by: string): Piece | undefined {
  let from = bytes.indexOf(key) + key.length
  while (SPACES.has(bytes[from] ?? 0)) from += 1
  if (bytes[from] !== COLON) return undefined
  from += 1
  while (SPACES.has(bytes[from] ?? 0)) from += 1
  const written = Buffer.from(value, 'utf8')
  return bytes.subarray(from, from + written.length).equals(written)
    ? { from, to: from + written.length, by: Buffer.from(by, 'utf8') }
    : undefined
}

function exchanged(bytes: Buffer, pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = []
  let at = 0
  for (const { from, to, by } of pieces) {
    parts.push(bytes.subarray(at, from), by)
    at = to
  }
  return Buffer.concat([...parts, bytes.subarray(at)])
}
