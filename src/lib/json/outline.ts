/** A key of an object in a JSON text, spelt as it stands there, and where its value begins. */
export type Key = { spelt: string; valueAt: number }
/** Where a string stands, quotes included. */
export type Span = { from: number; to: number }

/** What a value that was parsed no longer tells of its text. */
export type Outline = {
  /** The deepest nesting of brackets outside strings, counted no further than one past what is allowed. */
  depth: number
  /** Whether any string could be the key `__proto__`, however it is spelt. To search for all its spellings would take longer than to parse. */
  isOdd: boolean
  /** Some key, at whatever depth, is spelt with an escape that can stand for a letter or a sign, so that it may be another than it looks like. */
  hasDisguisedKeys: boolean
  /** The keys of the outermost object, as often as they are there. */
  outer: Key[]
  /** Those of the objects that are its values. */
  inner: ReadonlyMap<string, readonly Key[]>
  /** Strings that are long, no keys, and without an escape: what they mean is what stands there, if it is JSON. */
  long: Span[]
}

const LONG_CHARS = 4 * 1024

const QUOTE = 34
const BACKSLASH = 92
const UNDERSCORE = 95
const SPACE = 32
const COLON = 58
const [OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [91, 93, 123, 125]

/** Only the first two, of a text of which no more has to be known. */
export function shapeOf(text: string, depthMax: number): Pick<Outline, 'depth' | 'isOdd'> {
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

/** All of it, in one look. The text need be no JSON: then it says nothing more than that of what is none. */
export function outlineOf(text: string, depthMax: number): Outline {
  const strings = createStrings(text)
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = strings.take(at, depth)
    else if (code === OPENING_BRACE || code === OPENING_BRACKET) {
      depth += 1
      if (depth > deepest) deepest = depth
      if (deepest > depthMax) break
    } else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) depth -= 1
  }
  return { depth: deepest, ...strings.found }
}

function createStrings(text: string) {
  const inner = new Map<string, Key[]>()
  const found = { isOdd: false, hasDisguisedKeys: false, outer: [] as Key[], inner, long: [] as Span[] }
  let backslashAt = text.indexOf('\\')

  function takeKey(from: number, end: number, valueAt: number, isEscaped: boolean, depth: number): void {
    const spelt = depth <= 2 || isEscaped ? text.slice(from + 1, end) : ''
    found.hasDisguisedKeys ||= isEscaped && DISGUISE.test(spelt)
    if (depth === 1) found.outer.push({ spelt, valueAt })
    if (depth !== 2) return
    const of = found.outer.at(-1)?.spelt ?? ''
    const known = inner.get(of)
    if (known) known.push({ spelt, valueAt })
    else inner.set(of, [{ spelt, valueAt }])
  }

  return {
    found,
    /** The string that begins here, at that depth. Returns where it ends. */
    take(from: number, depth: number): number {
      const end = endOfString(text, from)
      found.isOdd ||= couldBePrototype(text.charCodeAt(from + 1), end - from - 1)
      // Looked for once between one backslash and the next, or a text without any would be searched for each string.
      if (backslashAt !== -1 && backslashAt < from) backslashAt = text.indexOf('\\', from)
      const isEscaped = backslashAt !== -1 && backslashAt < end
      const isLong = !isEscaped && end - from > LONG_CHARS && end < text.length
      if (depth > 2 && !isEscaped && !isLong) return end
      const valueAt = valueAfter(text, end + 1)
      if (valueAt > 0) takeKey(from, end, valueAt, isEscaped, depth)
      else if (isLong) found.long.push({ from, to: end + 1 })
      return end
    },
  }
}

/** The other escapes stand for a quote, a backslash or no letter at all. */
const DISGUISE = /\\[u/]/

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
