/** What a change of a definition is said to be, in words. */
import { expect, test } from 'bun:test'
import { diffWordsWithSpace } from 'diff'
import { changesIn } from '@/web/definition-diff.ts'
import { ChangeLines, type ChangeLine } from '@views/definition-change.tsx'

type Json = Record<string, unknown>
const plain = (line: ChangeLine): string => {
  const said = (parts: readonly (string | { code: string })[]) =>
    parts.map((part) => (typeof part === 'string' ? part : `\`${part.code}\``)).join('')
  if (line.kind === 'says') return `${line.isGrave ? '! ' : ''}${said(line.parts)}`
  const words = line.words.map(({ text, mark }) => (mark === 'added' ? `{+${text}+}` : mark === 'removed' ? `[-${text}-]` : text))
  return `${said(line.what)}: ${words.join('')}`
}
const told = (before: Json, after: Json) => changesIn(before, after, diffWordsWithSpace).map(plain)
const tool = (properties: Json, more: Json = {}) => ({ name: 't', inputSchema: { type: 'object', properties, ...more } })

test.each<[what: string, before: Json, after: Json, says: string[]]>([
  [
    'words of the description',
    { description: 'Lists all issues.' },
    { description: 'Lists open issues.' },
    ['Description: Lists [-all-]{+open+} issues.'],
  ],
  ['a title', { title: 'Old' }, { annotations: { title: 'New' } }, ['Title: [-Old-]', 'Title: {+New+}']],
  [
    'a new optional argument',
    tool({}),
    tool({ bcc: { type: 'string', description: 'Also to.' } }),
    ['New optional argument `bcc` (string)', 'What `bcc` is said to be: {+Also to.+}'],
  ],
  ['a new required argument', tool({}), tool({ a: { enum: [1] } }, { required: ['a'] }), ['New required argument `a` (a choice)']],
  ['an argument that is gone', tool({ a: {} }), tool({}), ['Argument `a` is gone.']],
  ['no longer required', tool({ path: {} }, { required: ['path'] }), tool({ path: {} }), ['Argument `path` is no longer required.']],
  ['required', tool({ path: {} }), tool({ path: {} }, { required: ['path'] }), ['Argument `path` is required now.']],
  ['a type', tool({ x: { type: 'string' } }), tool({ x: { type: 'number' } }), ['Type of `x`: `string` → `number`']],
  [
    'choices',
    tool({ x: { enum: ['a', 'b'] } }),
    tool({ x: { enum: ['a', 'c'] } }),
    ['`x` may be `c` as well.', '`x` may no longer be `b`.'],
  ],
  ['any value', tool({ x: { enum: ['a'] } }), tool({ x: {} }), ['`x` takes any value now; it was one of `a`']],
  [
    'words of an argument',
    tool({ x: { description: 'Where to.' } }),
    tool({ x: { description: 'Where from.' } }),
    ['Description of `x`: Where [-to-]{+from+}.'],
  ],
  ['a default', tool({ x: { default: 1 } }), tool({ x: { default: 2 } }), ['Default of `x`: `1` → `2`']],
  ['a bound', tool({ x: {} }), tool({ x: { maximum: 9 } }), ['`maximum` of `x` is `9` now; nothing was said of it before.']],
  [
    'something nested',
    tool({ x: { properties: { y: { type: 'string' } } } }),
    tool({ x: { properties: { y: { type: 'null' } } } }),
    ['Type of `x.y`: `string` → `null`'],
  ],
  ['items', tool({ x: { items: { type: 'string' } } }), tool({ x: { items: { type: 'null' } } }), ['Type of `x[]`: `string` → `null`']],
  [
    'other names',
    tool({}, { additionalProperties: false }),
    tool({}, { additionalProperties: true }),
    ['`additionalProperties`: `false` → `true`'],
  ],
  ['branches', tool({}, { oneOf: [{}] }), tool({}, { oneOf: [{}, {}] }), ['`oneOf` is another one; the whole definition below shows how.']],
  [
    'a result',
    { outputSchema: { properties: { a: { type: 'string' } } } },
    { outputSchema: { properties: { a: { type: 'null' } } } },
    ['Type of `a`: `string` → `null`'],
  ],
  ['no result any more', { outputSchema: {} }, {}, ['It no longer promises how its result is built.']],
  ['an icon', { icons: [1] }, { icons: [2] }, ['`icons` is another one; the whole definition below shows how.']],
  [
    'a prompt',
    { arguments: [{ name: 'a', required: true }] },
    { arguments: [{ name: 'a' }, { name: 'b' }] },
    ['Argument `a` is no longer required.', 'New optional argument `b` (anything)'],
  ],
  [
    'nothing that anybody sees',
    { a: 1 },
    { a: 1 },
    ['Something differs that is no word and no argument; the whole definition below shows what.'],
  ],
])('[DEFINITION-DIFF] %s', (_, before, after, says) => {
  expect(told(before, after)).toEqual(says)
})

test('[DEFINITION-DIFF] from read only to destructive is said first, and marked', () => {
  const before = { ...tool({}), annotations: { readOnlyHint: true } }
  const after = { ...tool({}), annotations: { readOnlyHint: false, destructiveHint: true } }
  expect(told(before, after)).toEqual([
    '! By what it says of itself it was `read` and is `destructive` now.',
    '! Hint `readOnlyHint`: `true` → `false`',
    '! Hint `destructiveHint`: `nothing` → `true`',
  ])
})

test('[DEFINITION-DIFF] what came and went is told by more than a colour, what is hidden is shown, and nothing is markup', () => {
  const lines = changesIn({ description: 'Adds <b>two</b>.' }, { description: 'Adds <b>three\u200b</b>.' }, diffWordsWithSpace)
  const html = ChangeLines({ lines }).text()
  expect(html).toContain('<del>two</del>')
  expect(html).toMatch(/<ins>three(⟨U\+200B⟩|<\/ins>)/)
  expect(html).toContain('⟨U+200B⟩')
  expect(html).toContain('&lt;b&gt;')
  expect(html).not.toContain('<b>')
})

test('[DEFINITION-DIFF] where there is no time left, it is said that nothing was compared', () => {
  const [line] = changesIn({ description: 'a' }, { description: 'b' }, diffWordsWithSpace, performance.now() - 1)
  expect(line && plain(line)).toContain('this was not compared')
})

test('[DEFINITION-DIFF] hostile definitions are compared in time, and no more is said than is read', () => {
  const startedMs = performance.now()
  const many = (type: string) => tool(Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`a${at}`, { type }])))
  expect(told(many('string'), many('null')).length).toBe(61)
  const noise = (seed: number) => Array.from({ length: 20_000 }, (_, at) => ((at * seed) % 7919).toString(36)).join(' ')
  expect(told({ description: noise(31) }, { description: noise(17) })).toHaveLength(1)
  let [one, other]: Json[] = [{ type: 'string' }, { type: 'null' }]
  for (let depth = 0; depth < 60; depth += 1) [one, other] = [{ properties: { a: one } }, { properties: { a: other } }]
  expect(told({ inputSchema: one }, { inputSchema: other }).length).toBeGreaterThan(0)
  for (const odd of [null, 7, 'x', []])
    told({ inputSchema: odd, annotations: odd, arguments: odd }, { inputSchema: {}, annotations: {}, arguments: [odd] })
  expect(performance.now() - startedMs).toBeLessThan(3_000)
})
