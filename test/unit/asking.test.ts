/** Which app hears a question that came over a pipe with the calls of several on it. */
import { expect, test } from 'bun:test'
import { type Asker, createAsking } from '@/connections/asking.ts'
import type { JsonRpcResponse } from '@/plugins'

function pipe() {
  const responses: JsonRpcResponse[] = []
  const asked: string[] = []
  const asking = createAsking({ respond: async (response) => void responses.push(response) })
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
    return { answer: () => resolve({ action: 'accept', by: call }), leave: asking.enter(it), it }
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
