import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { JsonError, parseJson, readJson, tameJson } from '@/lib/json.ts'
import { object, style, value, written } from '../support/odd-json.ts'

const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth)

describe('JSON of unknown origin', () => {
  test('passes at 64 levels and not at 65', () => {
    expect(parseJson(nested(64))).toBeArray()
    expect(() => parseJson(nested(65))).toThrow(JsonError)
  })
  test.each([10_000, 5_000_000])('%d levels are refused without a stack overflow', (depth) => {
    expect(() => parseJson(nested(depth))).toThrow('nested too deeply')
    expect(() => parseJson('{"a":'.repeat(depth))).toThrow('nested too deeply')
  })
  test('brackets in strings do not count, escaped quotes included', () => {
    const text = JSON.stringify({ a: `\\"${'['.repeat(200)}`, b: '\\', c: ['{'.repeat(200)] })
    expect(parseJson(text)).toEqual(JSON.parse(text))
  })
  test.each([['{'], ['"'], ['"\\"'], [''], ['nope'], ['[1,]']])('%p is no JSON', (text) => expect(() => parseJson(text)).toThrow('no JSON'))
  test.each([['{"a":{"__proto__":{"admin":true}}}'], ['{"a":{"\\u005f_proto__":{"admin":true}}}'], ['[{"a":{"__proto__":1}}]']])(
    '%s leaves no prototype behind',
    (text) => {
      const value = parseJson(text)
      expect(JSON.stringify(value)).not.toContain('proto')
      expect(Object.assign({}, (value as { a?: object }).a)).not.toHaveProperty('admin')
    },
  )
  test('no spelling of it leaves a prototype behind', () => {
    const letter = (char: string) => {
      const code = char.charCodeAt(0).toString(16)
      return fc.constantFrom(char, `\\u00${code}`, `\\u00${code.toUpperCase()}`)
    }
    const key = fc.tuple(...[...'__proto__'].map(letter)).map((letters) => letters.join(''))
    const around = fc.array(fc.constantFrom('{"a":', '[', '{"_b_":"\\"_","c":', '[1,"__",'), { maxLength: 6 })
    fc.assert(
      fc.property(key, around, (spelt, opened) => {
        const closed = opened.map((open) => (open.startsWith('{') ? '}' : ']')).toReversed()
        const text = `${opened.join('')}{"x":1,"${spelt}":{"admin":true}}${closed.join('')}`
        expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)).replace(',"__proto__":{"admin":true}', ''))
      }),
      { numRuns: 2_000 },
    )
  })
  test('a value parsed elsewhere is held to the same rules', () => {
    expect(() => tameJson(JSON.parse(nested(100_000)))).toThrow('nested too deeply')
    expect(Object.keys(tameJson(JSON.parse('{"__proto__":1,"b":2}')))).toEqual(['b'])
  })
})

const read = (text: string) => readJson(text, Buffer.byteLength(text))
const LONG = 'x'.repeat(16_384)
/** Undefined where it is refused. */
const attempted = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError)
    return undefined
  }
}

describe('a long text', () => {
  const filling = fc
    .tuple(fc.constantFrom('x', 'x', 'y"', '\\', '\n', 'é', '’'), fc.integer({ min: 1, max: 20_000 }))
    .map(([of, length]) => of.repeat(length))
  const texts = fc
    .tuple(style, fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', 'a"'), fc.oneof(value, filling)), { maxLength: 5 }))
    .map(([it, pairs]) =>
      object(
        pairs.map(([name, each]) => [name, written(each, it)]),
        it,
      ),
    )
  /** Most of them break it. */
  const breaks = fc.array(fc.tuple(fc.nat(60_000), fc.constantFrom('"', '\n', '\0', '\x1f', '\\', '{', ' ', ',')), { maxLength: 1 })

  test('is read as any other: what comes of it, and whether it is JSON at all', () => {
    let long = 0
    fc.assert(
      fc.property(texts, breaks, (whole, broken) => {
        const text = broken.reduce((it, [at, by]) => it.slice(0, at) + by + it.slice(at), whole)
        const expected = attempted(() => parseJson(text))
        expect(attempted(() => read(text).value)).toEqual(expected)
        if (expected !== undefined && read(text).outline?.long.length) long += 1
      }),
      { numRuns: 2_000 },
    )
    expect(long).toBeGreaterThan(50)
  })
  test.each([
    `"${LONG}"`,
    `["${LONG}","${LONG}y"]`,
    `{"a":"${LONG}","b":{"c":["${LONG}z",1]},"a":"${LONG}u"}`,
    `{"${LONG}":"${LONG}v"}`,
    `{"__proto__":"${LONG}","a":{"__proto__":{"a":"${LONG}"}}}`,
    `{"a":"${LONG}\\u0078","b":"${LONG}\x7f"}`,
  ])('keeps every string where it belongs (%#)', (text) => {
    const value = read(text).value
    expect(value).toEqual(parseJson(text))
    expect(Object.getPrototypeOf(Object(value))).toBe(Object.getPrototypeOf(Object(JSON.parse(text))))
  })
  test.each([`{"a":"${LONG}\n"}`, `{"a":"${LONG}`, `"${LONG}" x`, `{"a":"${LONG}"`, `{"a" "${LONG}"}`, `"${LONG}\0"`, `{'a':"${LONG}"}`])(
    'that is no JSON stays none (%#)',
    (text) => expect(() => read(text)).toThrow('no JSON'),
  )
  test('is held to the same depth', () => {
    expect(read(`${'['.repeat(64)}"${LONG}"${']'.repeat(64)}`).outline?.depth).toBe(64)
    expect(() => read(`${'['.repeat(65)}"${LONG}"${']'.repeat(65)}`)).toThrow('nested too deeply')
  })
  test('tells its keys as they are spelt, twice as well, and which of them may be others than they look like', () => {
    const text = `{"a":{"b" : "${LONG}","b":1,"c":["d"]},"e\\"":{"f":{"g":1}},"a":2}`
    const { outer, inner, hasDisguisedKeys, isOdd } = read(text).outline ?? {}
    expect(outer?.map(({ spelt }) => spelt)).toEqual(['a', 'e\\"', 'a'])
    expect(inner?.get('a')?.map(({ spelt }) => spelt)).toEqual(['b', 'b', 'c'])
    expect(outer?.map(({ valueAt }) => text[valueAt])).toEqual(['{', '{', '2'])
    expect([hasDisguisedKeys, isOdd]).toEqual([false, false])
    expect(read(`{"a":"${LONG}","b":[{"c":{"\\u0064":1}}]}`).outline?.hasDisguisedKeys).toBe(true)
    expect(read(`{"a":"${LONG}\\u0064","b":["\\u0064"]}`).outline?.hasDisguisedKeys).toBe(false)
    expect(read(`{"a":"${LONG}","b":[{"\\u005f_proto__":1}]}`).outline?.isOdd).toBe(true)
  })
})
