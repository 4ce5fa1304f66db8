/** What an approval is bound to. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { hashOf, shownOf } from '@/grants/approval-rows.ts'
import type { ProfileId } from '@/lib/ids.ts'

const tool = {
  toolId: 'tol_1',
  hash: 'h',
  connectionId: 'con_1',
  connectionName: 'Echo',
  exposedName: 'echo',
  kind: 'write',
  feature: 'tool',
}
const of = (params: object, more: object = {}) =>
  hashOf('prf_1' as ProfileId, { tool: { ...tool, ...more } as never, method: 'tools/call', params: params as never })

/** The same value with the keys of each object the other way round. */
const turned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, each]) => [key, turned(each)]),
  )
}

test('[APPROVAL-BOUND] two calls are one for it exactly where their server reads the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      expect(of({ arguments: turned(one) })).toBe(of({ arguments: one }))
      const isSame = Bun.deepEquals(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)), true)
      expect(of({ arguments: one }) === of({ arguments: other })).toBe(isSame)
    }),
    { numRuns: 500 },
  )
})

test('[APPROVAL-BOUND] another tool, definition, method or profile, and a field beside the arguments, make it another call', () => {
  const plain = of({ name: 'echo', arguments: {} })
  expect(of({ name: 'echo', arguments: {} }, { toolId: 'tol_2' })).not.toBe(plain)
  expect(of({ name: 'echo', arguments: {} }, { hash: 'i' })).not.toBe(plain)
  expect(of({ name: 'echo', arguments: {}, task: { ttl: 1 } })).not.toBe(plain)
  const params = { name: 'echo', arguments: {} }
  expect(hashOf('prf_1' as ProfileId, { tool: tool as never, method: 'prompts/get', params })).not.toBe(plain)
  expect(hashOf('prf_2' as ProfileId, { tool: tool as never, method: 'tools/call', params })).not.toBe(plain)
})

test('[APPROVAL-SHOWN] nothing that goes along is missing from what is shown', () => {
  const shown = (params: object) => JSON.parse(shownOf({ tool, params, grant: { deviceName: '' }, profileTitle: 'Work' } as never).text)
  expect(shown({ name: 'echo' })).toEqual({})
  expect(shown({ name: 'echo', arguments: { a: 1 } })).toEqual({ a: 1 })
  expect(shown({ name: 'echo', arguments: { a: 1 }, task: { ttl: 1 } })).toEqual({ arguments: { a: 1 }, task: { ttl: 1 } })
  expect(shown({ uri: 'test://one' })).toEqual({ uri: 'test://one' })
})
