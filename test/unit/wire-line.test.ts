/** When a request goes out on its connection, and what happens in the moment before. */
import { expect, test } from 'bun:test'
import { NOWHERE } from '@/lib/bag.ts'
import type { OutboundError } from '@/lib/outbound.ts'
import type { Ask } from '@/lib/wire/ask.ts'
import { createLine, endLine, feedLine, type Line, startLine } from '@/lib/wire/line.ts'
import type { WireRequest } from '@/lib/wire/request.ts'
import { answerOf } from '../support/raw-server.ts'

const PLACE = { key: 'k', address: '127.0.0.1', port: 1, isSecure: false, hostname: '127.0.0.1' }
const request: WireRequest = {
  ...{ method: 'POST', head: 'POST / HTTP/1.1\r\n', isAscii: true, body: '{}', timeoutMs: 1_000, bodyBytesMax: 1_000 },
}

/** A kept connection that was used before, with what was written on it and what became of the requests. */
function kept() {
  const [written, repeated, ends]: [string[], Ask[], string[]] = [[], [], []]
  const line: Line = createLine(PLACE, { onFree: () => undefined, onDead: () => undefined, onRepeat: (ask) => void repeated.push(ask) })
  line.socket = { write: (text: string) => written.push(text) && text.length, terminate: () => undefined, end: () => undefined } as never
  line.uses = 1
  const ask = (): Ask => ({
    ...{ place: PLACE, request, deadlineMs: 0, isRepeat: false, isAnswered: false, isOver: false, stop: undefined, onAbort: undefined },
    index: NOWHERE,
    resolve: ({ body }) => void ends.push(Buffer.from(body as Uint8Array).toString()),
    reject: (error: OutboundError) => void ends.push(error.kind),
    onOver: () => undefined,
  })
  return { line, ask, written, repeated, ends }
}
const turn = () => new Promise(setImmediate)

test('requests of one turn go out together, at its end', async () => {
  const [one, other] = [kept(), kept()]
  startLine(one.line, one.ask())
  startLine(other.line, other.ask())
  expect([one.written, other.written]).toEqual([[], []])
  await turn()
  expect([one.written.length, other.written.length]).toEqual([1, 1])
  feedLine(one.line, Buffer.from(answerOf('mine')))
  expect(one.ends).toEqual(['mine'])
})

test('what comes before a request went out is no answer to it, and the request goes over another connection', async () => {
  const { line, ask, written, repeated, ends } = kept()
  startLine(line, ask())
  feedLine(line, Buffer.from(answerOf('somebody else’s')))
  await turn()
  expect([written, ends, repeated.length, line.isDead]).toEqual([[], [], 1, true])
})

test('a request that was given up, or whose connection ended, before it went out is not sent', async () => {
  const [given, ended] = [kept(), kept()]
  const asked = given.ask()
  startLine(given.line, asked)
  asked.stop?.({ kind: 'aborted' } as OutboundError)
  startLine(ended.line, ended.ask())
  endLine(ended.line)
  await turn()
  expect([given.written, ended.written, ended.repeated.length]).toEqual([[], [], 1])
})
