/** Which app hears a question that came over a pipe with the calls of several on it. */
import { expect, test } from 'bun:test'
import { type Asker, createAsking } from '@/connections/asking.ts'
import { createSession, type RawSending } from '@/connections/session.ts'
import type { Channel, Exchange, JsonRpcResponse } from '@/plugins'

function pipe() {
  const responses: JsonRpcResponse[] = []
  const asked: string[] = []
  const asking = createAsking({ respond: async (response) => void responses.push(response) })
  const leaving = (it: Asker) => {
    const entered = asking.enter(it)
    return (isGivenUp: boolean) => asking.leave(entered, isGivenUp)
  }
  /** One call's asker, who thinks until told otherwise. */
  const asker = (group: string, call: string) => {
    const { promise, resolve } = Promise.withResolvers<object>()
    const it: Asker = {
      group,
      tell: () => undefined,
      ask: ({ params }, signal) => {
        asked.push(`${call} ${params['message']}`)
        signal.addEventListener('abort', () => asked.push(`${call} no more`))
        return promise as never
      },
    }
    return { answer: () => resolve({ action: 'accept', by: call }), leave: leaving(it), it }
  }
  const question = (id: number, own?: Asker) =>
    asking.take({ jsonrpc: '2.0', id, method: 'elicitation/create', params: { message: `q${id}` } }, own)
  return { asking, responses, asked, asker, question, settled: () => Bun.sleep(1) }
}

test('[GATEWAY-DOUBT] a question whose call is over goes on to the other call of the same app, and is answered once', async () => {
  const { responses, asked, asker, question, settled } = pipe()
  const first = asker('ada', 'one')
  const second = asker('ada', 'two')
  question(1)
  second.leave(false)
  expect(asked).toEqual(['two q1', 'two no more', 'one q1'])
  second.answer()
  first.answer()
  await settled()
  expect(responses).toEqual([{ jsonrpc: '2.0', id: 1, result: { action: 'accept', by: 'one' } }])
})
test('[GATEWAY-DOUBT] it is refused, not left without an answer, where nobody of the same app is at work any more', async () => {
  const { responses, asked, asker, question, settled } = pipe()
  const ada = asker('ada', 'one')
  question(1)
  const ben = asker('ben', 'two')
  ada.leave(false)
  await settled()
  expect(asked).toEqual(['one q1', 'one no more'])
  expect(responses).toMatchObject([{ id: 1, error: { code: -32603 } }])
  ben.leave(false)
})
test('[GATEWAY-DOUBT] one that came on the stream of its own call is put to no other, also of the same app', async () => {
  const { responses, asked, asker, question, settled } = pipe()
  const own = asker('ada', 'one')
  asker('ada', 'two')
  question(1, own.it)
  own.leave(false)
  await settled()
  expect(asked).toEqual(['one q1', 'one no more'])
  expect(responses).toMatchObject([{ id: 1, error: { code: -32603 } }])
})
test('[GATEWAY-DOUBT] while a call that was given up may go on, nobody else is asked, and its own app is', () => {
  const { responses, asked, asker, question } = pipe()
  asker('ada', 'one').leave(true)
  const ben = asker('ben', 'two')
  question(1)
  expect(asked).toEqual([])
  expect(responses).toMatchObject([{ id: 1, error: { code: -32601 } }])
  ben.leave(false)
  asker('ada', 'three')
  question(2)
  expect(asked).toEqual(['three q2'])
})

/** A channel on which requests stay open, and what was written to it. */
function session(traits: Pick<Channel, 'shared'>, isModern: boolean) {
  const told: unknown[] = []
  const exchanges: Exchange[] = []
  const never = (exchange: Exchange) => {
    exchanges.push(exchange)
    return new Promise<never>((_, reject) => exchange.signal.addEventListener('abort', () => reject(new Error('given up'))))
  }
  const channel: Channel = {
    ...traits,
    request: (_, exchange) => never(exchange),
    forward: (_, exchange) => never(exchange),
    notify: async (message) => void told.push(message),
    respond: async (message) => void told.push(message),
    close: async () => undefined,
  }
  const made = createSession(channel, () => undefined)
  made.agree({ revision: isModern ? '2026-07-28' : '2025-11-25', isModern, capabilities: {}, serverInfo: {} })
  const forward = (more: Partial<RawSending> = {}) =>
    made.forward?.({ signal: new AbortController().signal, build: () => '{}', method: 'tools/call', ...more }).catch(() => undefined)
  return { ...made, told, exchanges, forward }
}
const QUESTION = { jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: {} } as const

test.each([true, false])(
  '[GATEWAY-DOUBT] what the call of an app that cannot be asked leads to is not put to another app (one pipe for all: %p)',
  async (shared) => {
    const { forward, receive, exchanges, told } = session({ shared }, false)
    const asked: unknown[] = []
    const asker: Asker = { group: 'ada', tell: () => undefined, ask: async (request) => (asked.push(request), {}) }
    void forward({ asker })
    void forward()
    if (shared) receive(QUESTION)
    else exchanges[1]?.receive(QUESTION)
    await Bun.sleep(1)
    expect([asked, told]).toMatchObject([[], [{ id: 1, error: { code: -32601 } }]])
  },
)
test.each([
  [true, true, 1],
  [true, false, 1],
  [false, true, 0],
  [false, false, 1],
])('giving up is said where no stream ends with it (one pipe for all: %p, modern: %p)', async (shared, isModern, times) => {
  const { forward, told } = session({ shared }, isModern)
  const stop = new AbortController()
  void forward({ signal: stop.signal })
  stop.abort()
  await Bun.sleep(1)
  expect(told).toMatchObject(Array(times).fill({ method: 'notifications/cancelled', params: { requestId: 1 } }))
})
