/**
 * Whether a text may hold what an expression of many alternatives finds. Such an expression is tried again at every letter, which takes ten
 * times as long as everything else that is done with a text. Each of its alternatives needs three letters in a row, though, so that one look
 * at all threes of the text says which of them may be in it, most often none, and no other is asked.
 */

/** What stands at one place: these letters, or undefined where there may be any number of any. */
type Place = string | undefined
/** Ways to be what a part of an expression matches. */
type Ways = Place[][]

const THREE = 3
/**
 * Six bits stand for a letter, so that there are 63 to tell apart: digits are as one, and so is what no expression asks for. Letters that
 * share their bits only mean that an alternative is asked in vain.
 */
const BITS = 6
const THREES = 1 << (BITS * THREE)
const ALIKE = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ _-:/.+)', '?&;', '0123456789']
const CODES = 128
const bitsOf = Uint8Array.from(
  { length: CODES },
  (_, code) => ALIKE.findIndex((letters) => letters.includes(String.fromCharCode(code))) + 1,
)
/** Of the alternatives of one expression. */
const GROUPS = 16

export type Signs = {
  /** What may be in a text, for `has`. */
  in(text: string): number
  /** Whether the expression of this number finds something in a text in which there may be `found`. */
  has(at: 0 | 1, text: string, found: number): boolean
}

/** @param expressions without flags, of letters, classes, groups that are not repeated, and repetitions; read when the first text comes */
export function createSigns(expressions: readonly [RegExp, RegExp]): Signs {
  let made: ReturnType<typeof tableOf> | undefined
  return {
    in(text) {
      made ??= tableOf(expressions)
      const { table, single } = made
      let [three, found] = [0, 0]
      for (let at = 0; at < text.length; at += 1) {
        three = ((three << BITS) | (bitsOf[text.charCodeAt(at) & (CODES - 1)] as number)) & (THREES - 1)
        found |= table[three] as number
      }
      for (const { letter, bit } of single) if (text.includes(letter)) found |= bit
      return found
    },
    has(at, text, found) {
      const mine = (found >>> (at * GROUPS)) & ((1 << GROUPS) - 1)
      if (mine === 0 || !made) return false
      // One for itself is searched for in leaps, and several at once are not.
      return (made.groups[at] as RegExp[][]).some(
        (group, of) => (mine & (1 << of)) !== 0 && group.some((alternative) => alternative.test(text)),
      )
    },
  }
}

function tableOf(expressions: readonly RegExp[]) {
  const table = new Int32Array(THREES)
  const single: { letter: string; bit: number }[] = []
  const groups = expressions.map((expression, which) => {
    const grouped: RegExp[][] = Array.from({ length: GROUPS }, () => [])
    for (const [at, alternative] of splitAt(expression.source).entries()) {
      const of = at % GROUPS
      ;(grouped[of] as RegExp[]).push(new RegExp(alternative))
      const bit = 1 << (which * GROUPS + of)
      for (const way of waysOf(alternative)) {
        const [first = '', second = '', third = ''] = neededBy(way, alternative)
        if (second === '') single.push({ letter: first, bit })
        else for (const three of threesOf(first, second, third)) table[three] = (table[three] as number) | bit
      }
    }
    return grouped
  })
  return { table, single, groups }
}
function threesOf(...places: readonly string[]): number[] {
  const bits = places.map((letters) => [...new Set(Array.from(letters, (letter) => bitsOf[letter.charCodeAt(0)] as number))])
  return bits.reduce<number[]>((threes, each) => threes.flatMap((three) => each.map((more) => (three << BITS) | more)), [0])
}

/** Common letters last: what is rare in texts is a better sign. */
const BY_RARITY = 'zqjxkvbywgpfmucdlhrsnioate'
/** Most answers of servers have them. */
const COMMON = new Set(['ser'])
const rarityOf = (place: string): number => (place.length === 1 ? BY_RARITY.indexOf(place.toLowerCase()) : BY_RARITY.length)

/** The three places in a row that the fewest texts have; one alone where that is all there is. */
function neededBy(way: readonly Place[], alternative: string): string[] {
  if (way.length === 1 && way[0]?.length === 1) return [way[0]]
  let best: { places: string[]; cost: number } | undefined
  for (let at = 0; at + THREE <= way.length; at += 1) {
    const places = way.slice(at, at + THREE)
    if (!places.every((place) => place !== undefined)) continue
    const ways = places.reduce((product, place) => product * place.length, 1) * (COMMON.has(places.join('')) ? 2 : 1)
    const cost = ways * 100 + places.reduce((sum, place) => sum + rarityOf(place), 0)
    if (!best || cost < best.cost) best = { places, cost }
  }
  if (!best) throw new Error(`Nothing of ${alternative} is three letters in a row.`)
  return best.places
}

const WORD = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_'
const CLASSES: Readonly<Record<string, string>> = { d: '0123456789', w: WORD }
/** A letter, an escaped one, a class of them, or a group; and how often. */
const PART = /(\\.|\[(?:\\.|[^\]])+\]|\(\?:(?:\\.|\[(?:\\.|[^\]])+\]|[^()[\]\\])+\)|[^\\[\](){}*+?|^$.])(\*|\?|\+|\{\d+(?:,\d*)?\})?/gy

/** By the bars that stand in no group and no class. */
const splitAt = (source: string): string[] =>
  source.match(/(?:\\.|\[(?:\\.|[^\]])+\]|\((?:\\.|\[(?:\\.|[^\]])+\]|[^()[\]\\])+\)|[^|\\[(])+/g) ?? []

function waysOf(alternative: string): Ways {
  const parts = [...alternative.matchAll(PART)]
  if (parts.reduce((length, [part]) => length + part.length, 0) !== alternative.length) throw new Error(`${alternative} cannot be read.`)
  return parts.reduce<Ways>(
    (ways, [, atom = '', often = '']) => {
      const more = repeated(atom, often)
      return ways.flatMap((way) => more.map((rest) => [...way, ...rest]))
    },
    [[]],
  )
}

function repeated(atom: string, often: string): Ways {
  const [least, most] = timesIn(often)
  if (least === 0 || atom === ANY_SPACE) return [[undefined]]
  if (atom.startsWith('(')) {
    if (most > 1) throw new Error(`${atom} is repeated, and cannot be read.`)
    return splitAt(atom.slice('(?:'.length, -1)).flatMap(waysOf)
  }
  return [[...Array<Place>(least).fill(lettersOf(atom)), ...(most > least ? [undefined] : [])]]
}
/** More than are worth a list. */
const ANY_SPACE = '\\s'

function timesIn(often: string): [least: number, most: number] {
  if (often === '') return [1, 1]
  if (!often.startsWith('{')) return [often === '+' ? 1 : 0, Number.POSITIVE_INFINITY]
  const [least = 0, most = least] = often
    .slice(1, -1)
    .split(',')
    .map((number) => (number === '' ? Number.POSITIVE_INFINITY : Number(number)))
  return [least, most]
}

function lettersOf(atom: string): string {
  if (atom.startsWith('\\')) return CLASSES[atom.slice(1)] ?? atom.slice(1)
  if (!atom.startsWith('[')) return atom
  const inside = atom.slice(1, -1)
  return inside.replace(/\\(.)|(.)-(.)/g, (_, escaped: string | undefined, from: string, to: string) =>
    escaped === undefined ? between(from, to) : (CLASSES[escaped] ?? escaped),
  )
}
const between = (from: string, to: string): string => {
  const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)]
  return String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, at) => first + at))
}
