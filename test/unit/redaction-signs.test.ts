/** The quick look at a text says the same as the expressions that it stands for, always. */
import { describe, expect, test } from 'bun:test'
import { LINTED } from '@/audit/redaction/linting.ts'
import { HINTS } from '@/audit/redaction/patterns.ts'
import { createSigns } from '@/audit/redaction/signs.ts'

const signs = createSigns([LINTED, HINTS])
const saidOf = (text: string) => {
  const found = signs.in(text)
  return [signs.has(0, text, found), signs.has(1, text, found)]
}

/** The same in each run. */
function createRandom(seed: number) {
  let state = seed
  const below = (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  return { below, oneOf: <T>(list: ArrayLike<T>): T => list[below(list.length)] as T }
}
type Random = ReturnType<typeof createRandom>

/** Something that an expression finds, read from its source letter by letter. */
function createSample(source: string, { below, oneOf }: Random) {
  let at = 0
  const escaped = (letter: string): string =>
    letter === 'd' ? oneOf('0123456789') : letter === 'w' ? oneOf('azAZ09_') : letter === 's' ? oneOf(' \t\n\u00a0') : letter
  const fromClass = (): string => {
    const choices: string[] = []
    while (source[at] !== ']') {
      const letter = source[at++] as string
      if (letter === '\\') choices.push(escaped(source[at++] as string))
      else if (source[at] === '-' && source[at + 1] !== ']') {
        choices.push(letter, source[at + 1] as string)
        at += 2
      } else choices.push(letter)
    }
    at += 1
    return oneOf(choices)
  }
  const times = (): number => {
    const [all = '', sign, from, comma, to] = /^(?:([*?+])|\{(\d+)(,?)(\d*)\})/.exec(source.slice(at)) ?? []
    at += all.length
    if (sign) return sign === '+' ? 1 + below(3) : below(sign === '?' ? 2 : 3)
    return from === undefined ? 1 : Number(from) + (comma ? below(to ? Number(to) - Number(from) + 1 : 3) : 0)
  }
  const one = (): string => {
    const letter = source[at++] as string
    if (letter === '(') {
      at += '?:'.length
      const inside = any()
      at += 1
      return inside
    }
    return letter === '[' ? fromClass() : letter === '\\' ? escaped(source[at++] as string) : letter
  }
  const sequence = (): string => {
    let text = ''
    while (at < source.length && source[at] !== '|' && source[at] !== ')') {
      const from = at
      const first = one()
      const count = times()
      const end = at
      let all = count > 0 ? first : ''
      for (let more = 1; more < count; more += 1) {
        at = from
        all += one()
      }
      at = end
      text += all
    }
    return text
  }
  const all = (): string[] => {
    const ways = [sequence()]
    while (source[at] === '|') {
      at += 1
      ways.push(sequence())
    }
    return ways
  }
  const any = (): string => oneOf(all())
  return all()
}

const AROUND = [' ', '"', 'x', '9', '_', ':', '\\', '\n', 'ä', '😀', '-', '/', 'the server answered ', '2026-11-29 ', '"id":12345,', 'é7']

describe('[TRAIL-REDACTED] whatever an expression finds', () => {
  for (const [name, at, expression] of [
    ['of services', 0, LINTED],
    ['of anything', 1, HINTS],
  ] as const)
    test(`is seen by each of its alternatives, wherever it stands: signs ${name}`, () => {
      const random = createRandom(7 + at)
      const around = () => Array.from({ length: random.below(4) }, () => random.oneOf(AROUND)).join('')
      for (let round = 0; round < 60; round += 1)
        for (const sample of createSample(expression.source, random)) {
          const text = `${around()}${sample}${around()}`
          expect([text, expression.test(text)]).toEqual([text, true])
          expect([text, saidOf(text)]).toEqual([text, [LINTED.test(text), HINTS.test(text)]])
        }
    })
  test('and what it just misses is not', () => {
    const random = createRandom(3)
    const samples = [LINTED, HINTS].flatMap(({ source }) => createSample(source, random))
    let missed = 0
    for (let round = 0; round < 20_000; round += 1) {
      const pieces = Array.from({ length: 1 + random.below(3) }, () => {
        const sample = random.oneOf(samples)
        const from = random.below(sample.length)
        return sample.slice(from, from + 1 + random.below(sample.length - from)) + random.oneOf(AROUND)
      })
      const text = pieces.join('')
      const meant = [LINTED.test(text), HINTS.test(text)]
      if (!meant.includes(true)) missed += 1
      expect([text, saidOf(text)]).toEqual([text, meant])
    }
    expect(missed).toBeGreaterThan(2_000)
  })
})

describe('an expression that the quick look cannot stand for', () => {
  for (const source of ['ab', 'a.c', '(?:abc){2}', 'a+b', '^abc', 'a[bc]*d'])
    test(`is refused: ${source}`, () => {
      expect(() => createSigns([new RegExp(source), HINTS]).in('text')).toThrow()
    })
})
