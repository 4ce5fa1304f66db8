import { afterAll, describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { createOutbound, OutboundError, type WireAnswer } from '@/lib/outbound.ts'
import { eventually } from '../support/outside.ts'
import { answerOf, listenRaw } from '../support/raw-server.ts'

// Row 48 of the abuse table, as far as connections that others share are concerned: a server that does anything at all with
// its sockets harms the request it does it to, and no other.
const LIMITS = { privateAllowed: true, headTimeoutMs: 1_500, bodyBytesMax: 100_000 }

/** What one request is done. */
type Deed = { does: (typeof DEEDS)[number]; cuts: number[]; waitMs: number }
const DEEDS = [
  ...(['length', 'chunks', 'until close', 'old', 'events', 'empty', 'nothing', 'goodbye'] as const),
  ...(['extra', 'extra garbage', 'two lengths', 'short', 'too large', 'garbage', 'half a head', 'hang up', 'reset'] as const),
] as const
/** These have one right answer; the others may only fail. */
const HONEST = new Set<string>([
  'length',
  'chunks',
  'until close',
  'old',
  'events',
  'empty',
  'nothing',
  'goodbye',
  'extra',
  'extra garbage',
])

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n'
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

/** The bytes, and how the connection ends behind them, if it does. */
function bytesOf(does: Deed['does'], mine: string): [bytes: string, end?: 'end' | 'reset'] {
  const half = mine.length >> 1
  const inChunks = `${chunk(mine.slice(0, half))}${chunk(mine.slice(half))}0\r\n\r\n`
  const answers: Record<Deed['does'], [string, ('end' | 'reset')?]> = {
    length: [answerOf(mine)],
    chunks: [`${CHUNKED}\r\n${inChunks}`],
    'until close': [`HTTP/1.1 200 OK\r\n\r\n${mine}`, 'end'],
    old: [`HTTP/1.0 200 OK\r\ncontent-length: ${mine.length}\r\n\r\n${mine}`, 'end'],
    events: [`${CHUNKED}content-type: text/event-stream\r\n\r\n${inChunks}`],
    empty: ['HTTP/1.1 204 No\r\n\r\n'],
    nothing: [answerOf('')],
    goodbye: [answerOf(mine, 'connection: close\r\n'), 'end'],
    extra: [answerOf(mine) + answerOf('stolen')],
    'extra garbage': [`${answerOf(mine)}garbage`],
    'two lengths': [answerOf(mine, 'content-length: 3\r\n')],
    short: [`HTTP/1.1 200 OK\r\ncontent-length: ${mine.length + 5}\r\n\r\n${mine}`, 'end'],
    'too large': [`HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n${mine}`],
    garbage: [`stolen\r\n\r\n${mine}`],
    'half a head': ['HTTP/1.1 200 OK\r\nx-a: ', 'end'],
    'hang up': ['', 'end'],
    reset: ['HTTP/1.1 200 OK\r\n', 'reset'],
  }
  return answers[does]
}

const deeds = new Map<string, Deed>()
async function perform(socket: Socket, name: string): Promise<void> {
  const { does, cuts, waitMs } = deeds.get(name) as Deed
  const [text, end] = bytesOf(does, `of ${name}`)
  // What comes after the next request was written counts as its answer, so what is too much comes along with its own.
  const at = does.startsWith('extra')
    ? [0, text.length]
    : [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((one, other) => one - other), text.length]
  for (let piece = 1; piece < at.length; piece += 1) {
    if (piece > 1) await Bun.sleep(waitMs)
    if (!socket.destroyed) socket.write(text.slice(at[piece - 1], at[piece]))
  }
  if (end === 'end') socket.end()
  if (end === 'reset') socket.resetAndDestroy()
}

const server = await listenRaw((socket, request) => void perform(socket, /\/(\d+) /.exec(request)?.[1] ?? ''))
afterAll(() => server.close())

const deed = fc.record({
  does: fc.constantFrom(...DEEDS),
  cuts: fc.array(fc.nat(300), { maxLength: 3 }),
  waitMs: fc.constantFrom(0, 0, 1),
})
const textOf = async ({ body }: WireAnswer): Promise<string> => new Response(body).text()
let asked = 0

describe('whatever a server does with its connections', () => {
  test('[ABUSE-48] each request gets its own answer or none, all of them end, and nothing is left behind', async () => {
    const outbound = createOutbound({ limits: { openMax: 3 } })
    const served = async (given: Deed): Promise<void> => {
      asked += 1
      const name = String(asked)
      deeds.set(name, given)
      const method = asked % 2 === 0 ? 'POST' : 'GET'
      try {
        const answer = await outbound.exchange(`http://127.0.0.1:${server.port}/${name}`, { ...LIMITS, method })
        const text = await textOf(answer)
        expect([given.does, text]).toEqual([given.does, given.does === 'empty' || given.does === 'nothing' ? '' : `of ${name}`])
        expect(HONEST.has(given.does)).toBe(true)
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error
        // One connection carries several requests here, but no two at once: only a deed of its own can fail a request.
        expect([given.does, error.kind, HONEST.has(given.does)]).toEqual([given.does, error.kind, false])
        expect(['lost', 'too-large']).toContain(error.kind)
      }
      deeds.delete(name)
    }
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 12 }), async (all) => {
        await Promise.all(all.map(served))
        expect(outbound.count().asked).toBe(0)
      }),
      { numRuns: 300 },
    )
    expect(asked).toBeGreaterThan(1_000)
    outbound.close()
    expect(await eventually(() => server.open() === 0)).toBe(true)
    expect(outbound.count()).toEqual({ open: 0, idle: 0, connecting: 0, asked: 0 })
  }, 30_000)
})
