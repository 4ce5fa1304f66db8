import { type Outline, outlineOf, type Span, shapeOf } from './json/outline.ts'

export type { Key, Outline } from './json/outline.ts'

/** Deeper than any honest message or document; shallow enough for code that walks it by recursion. */
const JSON_DEPTH_MAX = 64
/** From here on it pays to know more of a text than whether it is harmless. */
const OUTLINED_FROM_CHARS = 16 * 1024

export class JsonError extends Error {
  override readonly name = 'JsonError'
  constructor(readonly reason: 'syntax' | 'depth') {
    super(reason === 'depth' ? 'The JSON is nested too deeply.' : 'This is no JSON.')
  }
}

type Rules = { depthMax?: number }

/**
 * Parses JSON of unknown origin. The depth is measured on the text first, so hostile nesting reaches neither the parser's
 * stack nor ours; `__proto__` keys are dropped, since a later `Object.assign` or merge would turn them into a prototype.
 * Throws `JsonError`.
 */
export function parseJson(text: string, { depthMax = JSON_DEPTH_MAX }: Rules = {}): unknown {
  const { depth, isOdd } = shapeOf(text, depthMax)
  if (depth > depthMax) throw new JsonError('depth')
  const value = parse(text)
  return isOdd ? tameJson(value, { depthMax }) : value
}

/** What may be left of a text besides its long strings, for these to be left out of the parsing. */
const REST_CHARS_MAX = 8 * 1024

/**
 * The same, with the outline of a text that is long. Strings in it that are long themselves need not be copied out of one that holds little
 * else: they are parts of it, as `slice` makes them, and the rest is parsed around them. What comes of it is the same.
 * @param bytes of the text in UTF-8
 */
export function readJson(text: string, bytes: number): { value: unknown; outline?: Outline } {
  if (text.length < OUTLINED_FROM_CHARS) return { value: parseJson(text) }
  const outline = outlineOf(text, JSON_DEPTH_MAX)
  const { depth, isOdd, long } = outline
  if (depth > JSON_DEPTH_MAX) throw new JsonError('depth')
  const rest = long.reduce((left, { from, to }) => left - (to - from), text.length)
  // To look through letters of two bytes takes longer than to copy them.
  const isAround = long.length > 0 && rest <= REST_CHARS_MAX && bytes === text.length
  const { value, held } = isAround ? parseAround(text, long) : { value: parse(text), held: undefined }
  const tame = isOdd ? tameJson(value) : value
  // Not before keys that are setters are gone.
  return { value: held ? putBack(tame, held) : tame, outline }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonError('syntax')
  }
}

/** Nobody who writes a text can know what stands for a string of it. */
const PLACE = crypto.randomUUID()
/** The one thing that a string without escapes may not hold (RFC 8259 §7). */
const CONTROLS = /[\0-\x1f]/

function parseAround(text: string, long: readonly Span[]): { value: unknown; held: ReadonlyMap<string, string> } {
  const held = new Map<string, string>()
  let rest = ''
  let at = 0
  for (const { from, to } of long) {
    const string = text.slice(from + 1, to - 1)
    if (CONTROLS.test(string)) throw new JsonError('syntax')
    const place = `${PLACE}${held.size}`
    held.set(place, string)
    rest += `${text.slice(at, from)}"${place}"`
    at = to
  }
  return { value: parse(rest + text.slice(at)), held }
}

function putBack(value: unknown, held: ReadonlyMap<string, string>): unknown {
  const whole = [value]
  let level: object[] = [whole]
  while (level.length > 0) {
    const next: object[] = []
    for (const parent of level as Record<string, unknown>[])
      for (const key of Object.keys(parent)) {
        const child = parent[key]
        if (isObject(child)) next.push(child)
        else if (typeof child === 'string' && held.has(child)) parent[key] = held.get(child)
      }
    level = next
  }
  return whole[0]
}

/**
 * Holds a value that somebody else parsed to the same rules, in place: throws `JsonError` when it is too deep, removes
 * `__proto__` keys. Iterative, so it cannot be made to overflow.
 */
export function tameJson<T>(value: T, { depthMax = JSON_DEPTH_MAX }: Rules = {}): T {
  let level: object[] = isObject(value) ? [value] : []
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > depthMax) throw new JsonError('depth')
    const next: object[] = []
    for (const parent of level) {
      if (!Array.isArray(parent) && Object.hasOwn(parent, '__proto__')) Reflect.deleteProperty(parent, '__proto__')
      for (const child of Array.isArray(parent) ? parent : Object.values(parent)) if (isObject(child)) next.push(child)
    }
    level = next
  }
  return value
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
