/** Deeper than any honest message or document; shallow enough for code that walks it by recursion. */
const JSON_DEPTH_MAX = 64

export class JsonError extends Error {
  override readonly name = 'JsonError'
  constructor(readonly reason: 'syntax' | 'depth') {
    super(reason === 'depth' ? 'The JSON is nested too deeply.' : 'This is no JSON.')
  }
}

/**
 * Parses JSON of unknown origin. The depth is measured on the text first, so hostile nesting reaches neither the parser's
 * stack nor ours; `__proto__` keys are dropped, since a later `Object.assign` or merge would turn them into a prototype.
 * Throws `JsonError`.
 */
export function parseJson(text: string, { depthMax = JSON_DEPTH_MAX }: { depthMax?: number } = {}): unknown {
  const { depth, isOdd } = shapeOf(text, depthMax)
  if (depth > depthMax) throw new JsonError('depth')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new JsonError('syntax')
  }
  return isOdd ? tameJson(value, { depthMax }) : value
}

/**
 * Holds a value that somebody else parsed to the same rules, in place: throws `JsonError` when it is too deep, removes
 * `__proto__` keys. Iterative, so it cannot be made to overflow.
 */
export function tameJson<T>(value: T, { depthMax = JSON_DEPTH_MAX }: { depthMax?: number } = {}): T {
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

const QUOTE = 34
const BACKSLASH = 92
const UNDERSCORE = 95
const SPACE = 32
const COLON = 58
const [OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [91, 93, 123, 125]

/**
 * The deepest nesting of brackets outside strings, counted no further than one past `depthMax`; and whether any string could be the
 * key `__proto__`, however it is spelt. To search the text for all its spellings would take longer than to parse it.
 */
function shapeOf(text: string, depthMax: number): { depth: number; isOdd: boolean } {
  let depth = 0
  let deepest = 0
  let isOdd = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      isOdd ||= couldBePrototype(text.charCodeAt(at + 1), end - at - 1)
      at = end
    } else if (code === OPENING_BRACE || code === OPENING_BRACKET) {
      depth += 1
      if (depth > deepest) deepest = depth
      if (deepest > depthMax) break
    } else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) depth -= 1
  }
  return { depth: deepest, isOdd }
}

/** It begins with an underscore or with an escape, and each of its nine letters is one character or the six of an escape. */
const couldBePrototype = (first: number, length: number): boolean =>
  (first === UNDERSCORE || first === BACKSLASH) && length >= 9 && length <= 54

/** Strings are skipped by searching for their end: most of a large message is text. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return at
  }
  return text.length
}

/** A key of an object in a JSON text, spelt as it stands there, and where its value begins. */
export type Key = { spelt: string; valueAt: number }

/**
 * The keys of the outermost object and of the objects that are its values, in a text that has been parsed already: how often each is
 * there and how it is spelt, which the parsed value no longer tells; and whether a key that `parseJson` takes out could be among all.
 */
export function keysIn(text: string): { outer: Key[]; inner: ReadonlyMap<string, Key[]>; isOdd: boolean } {
  const outer: Key[] = []
  let isOdd = false
  const inner = new Map<string, Key[]>()
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === OPENING_BRACE || code === OPENING_BRACKET) depth += 1
    else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) depth -= 1
    if (code !== QUOTE) continue
    const end = endOfString(text, at)
    isOdd ||= couldBePrototype(text.charCodeAt(at + 1), end - at - 1)
    const valueAt = depth <= 2 ? valueAfter(text, end + 1) : -1
    if (valueAt > 0) {
      const key = { spelt: text.slice(at + 1, end), valueAt }
      if (depth === 1) outer.push(key)
      else inner.set(outer.at(-1)?.spelt ?? '', [...(inner.get(outer.at(-1)?.spelt ?? '') ?? []), key])
    }
    at = end
  }
  return { outer, inner, isOdd }
}

/** Where the value begins whose key ends here; -1 where this was no key. */
function valueAfter(text: string, from: number): number {
  const colon = pastSpaces(text, from)
  return text.charCodeAt(colon) === COLON ? pastSpaces(text, colon + 1) : -1
}

function pastSpaces(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= SPACE) at += 1
  return at
}
