/** Words of contents stand in the index as they always did, however they are come by. */
import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { contentWords, createHiding, createNaming } from '@/audit/words.ts'

const key = new Uint8Array(32).fill(9)
const expected = (word: string): string => createHmac('sha256', key).update(word).digest().readBigUInt64BE().toString(36)

test('[TRAIL-SEARCH] a word is hidden in the same way the first time and ever after, among many others', () => {
  const hidden = createHiding(key)
  const words = Array.from({ length: 10_000 }, (_, at) => `word${at % 7 === 0 ? at % 70 : at}`)
  expect(words.map(hidden)).toEqual(words.map(expected))
  expect(contentWords('{"text":"Größe of listPull_requests, größe"}', hidden)).toBe(
    ['text', 'große', 'of', 'list', 'pull', 'requests'].map((word) => expected(word.normalize('NFKD').replace(/\p{M}/gu, ''))).join(' '),
  )
})

const named = { action: null, reason: null, purpose: null, userName: null, clientName: null, profileName: null, connectionName: null }
const aloneAndAmong = (text: string): [string, string] => {
  const namesOf = createNaming()
  return [namesOf({ ...named, subject: text, traceId: null } as never), namesOf({ ...named, subject: text, traceId: 'é' } as never)]
}

test('[TRAIL-SEARCH] a text without accents has the words that it has among others with some', () => {
  for (const text of ['listPull_requests v2Beta HTTPServer', 'a-b.c/d 42x X9', `${'long'.repeat(40)} end`, '', '\0\x7f~tab\tnew\nline']) {
    const [alone, among] = aloneAndAmong(text)
    expect([alone, 'e'].join(' ').trim()).toBe(among)
  }
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aAbBzZ09_- .E'), maxLength: 40 }), (text) => {
      const [alone, among] = aloneAndAmong(text)
      expect(among.split(' ').filter((word) => word !== 'e')).toEqual(alone.split(' ').filter((word) => word !== 'e' && word !== ''))
    }),
    { numRuns: 2_000 },
  )
})

test('[TRAIL-SEARCH] rows that say the same are found by the same words, however many others there were', () => {
  const namesOf = createNaming()
  const of = (subject: string) => namesOf({ ...named, subject, traceId: null } as never)
  for (let at = 0; at < 2_000; at += 1) expect(of(`tool${at % 600} of it`)).toBe(`tool${at % 600} of it`)
})
