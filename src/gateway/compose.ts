/**
 * The message to an upstream, written from what the client sent. Large ones are not written anew: the names are exchanged where they
 * stand, and the rest keeps its bytes. That is done only where the text can be read in one way, so that no upstream reads another request
 * than the one that was decided about.
 */
import { META, META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL, META_VERSION } from '@/lib/meta-keys.ts'
import { modernMeta } from '@/connections'
import type { Key } from '@/lib/json.ts'
import type { JsonObject, RequestBody } from '@/plugins'
import { type Asked, CALL_FIELDS, inPlainLetters, isPlainCall, metaOf } from './messages.ts'
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

const MESSAGE_FIELDS = new Set(['jsonrpc', 'id', 'method', 'params'])
export function compose(it: Composing): RequestBody {
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
  if (name.startsWith(META)) return true
  const plain = inPlainLetters(name)
  return plain.startsWith(META) || plain === 'progresstoken'
}
/** Reserved metadata that may go on as the client wrote it. */
const CARRIED = new Set([META_VERSION, META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL])

/**
 * Undefined unless the text is long, the client's own metadata can stay as it is, and what decides stands in it once and unescaped: a key
 * that is there twice, or in other letters, is read one way here and another way there.
 */
function spliced({ id, asked, target, params, isModern, progress }: Composing): readonly string[] | undefined {
  const { text, outline, params: given } = asked
  if (text === undefined || outline === undefined || asked.isPlain !== true || !isModern || progress) return undefined
  if (asked.method !== 'tools/call' || params['arguments'] !== given['arguments'] || !isPlainCall(params) || !isPlainCall(given))
    return undefined
  const meta = metaOf(given)
  if (meta[META_VERSION] === undefined || Object.keys(meta).some((field) => isOurs(field) && !CARRIED.has(field))) return undefined
  const { outer, inner, isOdd, hasDisguisedKeys } = outline
  const fields = inner.get('params') ?? []
  if (isOdd || hasDisguisedKeys || !areThese(outer, MESSAGE_FIELDS) || !areThese(fields, CALL_FIELDS)) return undefined
  const ownId = pieceOf(text, outer, 'id', JSON.stringify(asked.id), String(id))
  const name = pieceOf(text, fields, 'name', JSON.stringify(given['name']), JSON.stringify(target.name))
  if (!ownId || !name) return undefined
  const [first, second] = name.from < ownId.from ? [name, ownId] : [ownId, name]
  return [text.slice(0, first.from), first.by, text.slice(first.to, second.from), second.by, text.slice(second.to)]
}

/** No other, and none of them twice. */
const areThese = (keys: readonly Key[], fields: ReadonlySet<string>): boolean =>
  keys.every(({ spelt }) => fields.has(spelt)) && new Set(keys.map(({ spelt }) => spelt)).size === keys.length

/** Where a value stands, and what is to stand there. */
type Piece = { from: number; to: number; by: string }

/** Undefined where something else stands there, or the same in other figures (`0e1` for 0). */
function pieceOf(text: string, keys: readonly Key[], field: string, value: string, by: string): Piece | undefined {
  const from = keys.find(({ spelt }) => spelt === field)?.valueAt ?? -1
  const to = from + value.length
  return from >= 0 && text.startsWith(value, from) && ',} \t\n\r'.includes(text[to] ?? 'x') ? { from, to, by } : undefined
}
