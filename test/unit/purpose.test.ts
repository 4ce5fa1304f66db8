/** The argument by which a call says what it is for, added to schemas of every kind and taken off again. */
import { describe, expect, test } from 'bun:test'
import Ajv, { type Options } from 'ajv'
import Ajv2020 from 'ajv/dist/2020.js'
import { PURPOSE_CHARS_MAX, purposeNameFor, purposeTaken, withPurpose } from '@/profiles/purpose.ts'

type Json = Record<string, unknown>
const OPTIONS: Options = { strict: false, allErrors: false }
const isValid = (schema: unknown, value: unknown, draft: '2020' | '07') =>
  (draft === '2020' ? new Ajv2020(OPTIONS) : new Ajv(OPTIONS)).compile(schema as Json)(value) === true

const city = { city: { type: 'string' } }
const closed = { type: 'object', properties: city, required: ['city'], additionalProperties: false }
const SCHEMAS: readonly [what: string, schema: Json][] = [
  ['plain', { type: 'object', properties: city, required: ['city'] }],
  ['closed to other arguments', closed],
  ['closed to what nothing evaluated', { ...closed, additionalProperties: undefined, unevaluatedProperties: false }],
  ['without properties', { type: 'object', required: ['city'] }],
  ['a reference', { $ref: '#/$defs/Where', $defs: { Where: closed } }],
  [
    'a reference beside other things',
    { $ref: '#/$defs/Where', properties: { day: { type: 'string' } }, $defs: { Where: { ...closed, additionalProperties: true } } },
  ],
  ['a reference to a reference', { $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/B' }, B: closed } }],
  ['a reference with odd letters', { $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': closed } }],
  [
    'one of several',
    { oneOf: [closed, { type: 'object', properties: { zip: { type: 'integer' } }, required: ['zip'], additionalProperties: false }] },
  ],
  ['any of several that are referred to', { type: 'object', anyOf: [{ $ref: '#/definitions/Where' }], definitions: { Where: closed } }],
  [
    'all of several',
    {
      allOf: [
        { ...closed, additionalProperties: true },
        { type: 'object', maxProperties: 1 },
      ],
    },
  ],
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so, and nobody waits for it
  ['under a condition', { type: 'object', if: { required: ['city'] }, then: closed, else: false }],
  ['with names by a pattern', { type: 'object', propertyNames: { pattern: '^city$' }, properties: city, required: ['city'] }],
  ['one that refers to itself', { ...closed, properties: { ...city, inside: { $ref: '#' } } }],
]

describe.each(SCHEMAS)('[PROFILE-PURPOSE] a schema that is %s', (_, schema) => {
  const drafts = 'unevaluatedProperties' in schema ? (['2020'] as const) : (['2020', '07'] as const)
  test.each(drafts)('takes a purpose and still what it took, and refuses what it refused, by draft %s', (draft) => {
    const before = JSON.stringify(schema)
    const name = purposeNameFor(schema)
    const open = withPurpose(schema, name)
    expect(JSON.stringify(schema)).toBe(before)
    const good = { city: 'Oslo' }
    expect(isValid(schema, good, draft)).toBe(true)
    expect([isValid(open, good, draft), isValid(open, { ...good, [name]: 'To pack.' }, draft)]).toEqual([true, true])
    for (const bad of [{}, { [name]: 'To pack.' }, { city: 'Oslo', [name]: 7 }]) expect(isValid(open, bad, draft)).toBe(false)
    const more = { ...good, more: 1 }
    if (!isValid(schema, more, draft)) expect(isValid(open, { ...more, [name]: 'To pack.' }, draft)).toBe(false)
  })
})

test.each([
  ['none of that name', { properties: { city: {} } }, 'purpose'],
  ['one', { properties: { purpose: {} } }, 'toolpass_purpose'],
  ['one in a branch', { oneOf: [{ properties: { purpose: {} } }] }, 'toolpass_purpose'],
  ['one that is referred to', { $ref: '#/$defs/A', $defs: { A: { properties: { purpose: {} } } } }, 'toolpass_purpose'],
  ['one that is required and not described', { required: ['purpose'] }, 'toolpass_purpose'],
  ['any, whatever their names', { additionalProperties: { type: 'string' } }, 'toolpass_purpose'],
  ['both', { properties: { purpose: {}, toolpass_purpose: {} } }, 'toolpass_purpose_2'],
])('[PROFILE-PURPOSE] beside %s of its own a tool has it under the right name', (_, schema, name) => {
  expect(purposeNameFor(schema)).toBe(name)
})

test('[PROFILE-PURPOSE] what is no schema stays what it is', () => {
  for (const odd of [undefined, null, 'text', 7, [], { properties: [] }]) expect(withPurpose(odd, 'purpose')).toEqual(odd)
})

test('[PROFILE-PURPOSE] is taken off, bounded and put on one line; anything but text says nothing', () => {
  expect(purposeTaken('purpose', { city: 'Oslo', purpose: '  To\n pack. ' })).toEqual({ given: { city: 'Oslo' }, purpose: 'To pack.' })
  for (const said of [7, null, {}, [], '', ' \n'])
    expect(purposeTaken('purpose', { purpose: said })).toEqual({ given: {}, purpose: undefined })
  const { purpose = '' } = purposeTaken('purpose', { purpose: `${'x'.repeat(PURPOSE_CHARS_MAX - 2)}😀 and more` })
  expect([purpose.length <= PURPOSE_CHARS_MAX, purpose.isWellFormed(), purpose.endsWith('…')]).toEqual([true, true, true])
  const without = { city: 'Oslo' }
  expect(purposeTaken('purpose', without).given).toBe(without)
  for (const odd of [undefined, null, 'text', [1]]) expect(purposeTaken('purpose', odd)).toEqual({ given: odd, purpose: undefined })
  expect(purposeTaken('purpose', Object.create({ purpose: 'inherited' })).purpose).toBeUndefined()
})
