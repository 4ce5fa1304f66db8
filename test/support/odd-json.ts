/** JSON of every kind, and of every spelling: what clients and servers may send each other, most of which none of them ever does. */
import fc from 'fast-check'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Style = { space: '' | ' ' | '\n\t'; escapes: 'none' | 'beyond ascii' | 'letters' }

const KEYS = [
  'name',
  'id',
  'params',
  'method',
  'arguments',
  '_meta',
  'result',
  'resultType',
  'isError',
  'error',
  'jsonrpc',
  'data',
  'io.modelcontextprotocol/serverInfo',
]
const utf16 = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((codes) => String.fromCharCode(...codes))
const quoted = fc.constantFrom(
  '"name"',
  '\\"id\\":1',
  '"}}',
  '\\',
  '\\u006eame',
  '"result":{',
  '"io.modelcontextprotocol/serverInfo":{"name":"behind","version":"9"}',
)
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
  utf16,
  quoted,
  fc.constantFrom(...KEYS),
)
/** Not `__proto__`: that one is taken out on purpose. */
const key = fc.oneof(fc.constantFrom(...KEYS), text).filter((each) => each !== '__proto__')
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0 || 0),
)

export const value: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
})).value
export const members: fc.Arbitrary<Record<string, Json>> = fc.dictionary(key, value, { maxKeys: 4 })
export const style: fc.Arbitrary<Style> = fc.record({
  space: fc.constantFrom('', '', ' ', '\n\t'),
  escapes: fc.constantFrom('none', 'none', 'beyond ascii', 'letters'),
})
/** Text that makes a message as long as those that are treated otherwise: about 16 KB, now and then 256 KB. */
export const filling: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.integer({ min: 16_000, max: 16_600 }), fc.constantFrom('x', '"', 'é')).map(([length, of]) => of.repeat(length)),
  },
  { weight: 1, arbitrary: fc.integer({ min: 262_000, max: 262_300 }).map((length) => 'y'.repeat(length)) },
)

const escaped = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
function string(of: string, { escapes }: Style): string {
  const plain = JSON.stringify(of)
  if (escapes === 'none') return plain
  return plain.replace(/\\u[0-9a-f]{4}|\\.|[^\\]/gs, (each) => {
    if (each.startsWith('\\')) return each
    return (escapes === 'letters' && /[a-z_]/.test(each)) || each > '\x7f' ? escaped(each) : each
  })
}
/** An object with its members as they are given, twice as well. */
export const object = (pairs: readonly (readonly [string, string])[], it: Style): string =>
  `{${it.space}${pairs.map(([name, text]) => `${string(name, it)}${it.space}:${it.space}${text}`).join(`,${it.space}`)}${it.space}}`
export function written(of: unknown, it: Style): string {
  if (typeof of === 'string') return string(of, it)
  if (Array.isArray(of)) return `[${of.map((each) => written(each, it)).join(`,${it.space}`)}]`
  if (typeof of === 'object' && of !== null)
    return object(
      Object.entries(of).flatMap(([name, each]) => (each === undefined ? [] : [[name, written(each, it)]])),
      it,
    )
  return JSON.stringify(of)
}
