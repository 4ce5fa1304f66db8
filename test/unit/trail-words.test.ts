/** Words of contents stand in the index as they always did, however they are come by. */
import { expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { contentWords, createHiding, namesOf } from '@/audit/words.ts'

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

test('[TRAIL-SEARCH] a text without accents has the words that it has among others with some', () => {
  const named = { action: null, reason: null, purpose: null, userName: null, clientName: null, profileName: null, connectionName: null }
  for (const text of ['listPull_requests v2Beta HTTPServer', 'a-b.c/d 42x X9', `${'long'.repeat(40)} end`, '', '\0\x7f~tab\tnew\nline']) {
    const alone = namesOf({ ...named, subject: text, traceId: null } as never)
    const among = namesOf({ ...named, subject: text, traceId: 'é' } as never)
    expect([alone, 'e'].join(' ').trim()).toBe(among)
  }
})
