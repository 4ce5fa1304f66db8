import { expect, test } from 'bun:test'
import { mirroredHeaders } from '@/connections'
import { headerProblem } from '@/connections/mirrored.ts'

const tool = (properties: Record<string, unknown>) => ({ name: 't', inputSchema: { type: 'object', properties } })

test.each([
  ['plain text', { type: 'string' }, 'eu-west', 'eu-west'],
  ['a whole number', { type: 'integer' }, 42, '42'],
  ['a truth', { type: 'boolean' }, false, 'false'],
  ['what is not ASCII', { type: 'string' }, 'é', `=?base64?${Buffer.from('é').toString('base64')}?=`],
  ['a line break', { type: 'string' }, 'a\r\nb: c', `=?base64?${Buffer.from('a\r\nb: c').toString('base64')}?=`],
  ['spaces around', { type: 'string' }, ' x ', `=?base64?${Buffer.from(' x ').toString('base64')}?=`],
  ['what looks encoded', { type: 'string' }, '=?base64?eA==?=', `=?base64?${Buffer.from('=?base64?eA==?=').toString('base64')}?=`],
  ['an empty text', { type: 'string' }, '', ''],
])('[UPSTREAM-MIRROR] %s goes along', (_, schema, value, expected) => {
  expect(mirroredHeaders(tool({ region: { ...schema, 'x-mcp-header': 'Region' } }), { region: value })).toEqual({
    'mcp-param-region': expected,
  })
})

test('[UPSTREAM-MIRROR] what is absent, null, inherited, an object or not marked does not', () => {
  const marked = tool({
    a: { type: 'string', 'x-mcp-header': 'A' },
    constructor: { type: 'string', 'x-mcp-header': 'B' },
    c: { type: 'string' },
  })
  for (const args of [{}, { a: null }, { a: { b: 1 } }, { c: 'x' }, [], undefined, 'text'])
    expect(mirroredHeaders(marked, args) ?? {}).toEqual({})
})

test.each([
  ['no text', { type: 'string', 'x-mcp-header': 7 }],
  ['nothing', { type: 'string', 'x-mcp-header': '' }],
  ['a space', { type: 'string', 'x-mcp-header': 'a b' }],
  ['a colon', { type: 'string', 'x-mcp-header': 'a:b' }],
  ['a line break', { type: 'string', 'x-mcp-header': 'a\nb' }],
  ['an object', { type: 'object', 'x-mcp-header': 'A' }],
  ['a fraction', { type: 'number', 'x-mcp-header': 'A' }],
])('[UPSTREAM-MIRROR] a tool whose header is %s is left out', (_, schema) => {
  expect(headerProblem(tool({ a: schema }))).toBeDefined()
})

test('[UPSTREAM-MIRROR] two parameters cannot want one header, however it is spelt', () => {
  const wants = (header: string) => ({ type: 'string', 'x-mcp-header': header })
  expect(headerProblem(tool({ a: wants('Region'), b: wants('region') }))).toContain('two')
  expect(headerProblem(tool({ a: wants('Region'), b: wants('Zone') }))).toBeUndefined()
})
