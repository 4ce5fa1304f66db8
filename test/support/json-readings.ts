/** JSON as different servers read it: of a key that is there twice the first counts for some and the last for others, and some ignore case. */

type Node = { pairs: [string, Node][] } | { items: Node[] } | { value: unknown }
type Reading = { first: boolean; fold: boolean }

const SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\]|\\.)*"/sy
const OTHER = /-?[0-9][0-9.eE+-]*|true|false|null/y

/** @throws where the text is no JSON */
function nodeOf(text: string): Node {
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  const is = (letter: string): boolean => {
    take(SPACE)
    if (text[at] !== letter) return false
    at += 1
    return true
  }
  const demand = (letter: string) => {
    if (!is(letter)) throw new Error(`no ${letter} at ${at}`)
  }
  const list = (end: string, one: () => void) => {
    if (is(end)) return
    do one()
    while (is(','))
    demand(end)
  }
  const string = (): string => {
    take(SPACE)
    return JSON.parse(take(STRING) ?? '')
  }
  const node = (): Node => {
    if (is('{')) {
      const pairs: [string, Node][] = []
      list('}', () => {
        const key = string()
        demand(':')
        pairs.push([key, node()])
      })
      return { pairs }
    }
    if (is('[')) {
      const items: Node[] = []
      list(']', () => items.push(node()))
      return { items }
    }
    return { value: text[at] === '"' ? string() : JSON.parse(take(OTHER) ?? '') }
  }
  const whole = node()
  take(SPACE)
  if (at !== text.length) throw new Error(`something follows at ${at}`)
  return whole
}

/** As Go compares the names of fields: two letters of other alphabets count as s and k as well. */
const folded = (key: string) => key.toUpperCase().toLowerCase()

function readFrom(node: Node, reading: Reading): unknown {
  if ('value' in node) return node.value
  if ('items' in node) return node.items.map((each) => readFrom(each, reading))
  const read = new Map<string, unknown>()
  for (const [key, each] of node.pairs) {
    const name = reading.fold ? folded(key) : key
    if (!reading.first || !read.has(name)) read.set(name, readFrom(each, reading))
  }
  return Object.fromEntries(read)
}

/** The same text in every way in which it may be read. */
export function readings(text: string): Record<string, unknown>[] {
  const node = nodeOf(text)
  return [false, true].flatMap((fold) => [true, false].map((first) => readFrom(node, { first, fold }) as Record<string, unknown>))
}
