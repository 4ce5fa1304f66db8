import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { JsonError, parseJson, tameJson } from '@/lib/json.ts'

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
