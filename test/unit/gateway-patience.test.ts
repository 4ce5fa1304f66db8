/** An upstream that fails again and again is left alone for a while, and a call that waits for an answer of its app not for ever. */
import { expect, test } from 'bun:test'
import { createBreaker } from '@/connections/breaker.ts'
import { createPool, type PoolKey } from '@/connections/pool.ts'
import { createConversations } from '@/gateway/conversations.ts'
import type { Talk } from '@/gateway/talk.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, GrantId, UserId } from '@/lib/ids.ts'
import { ChannelError } from '@/plugins'

const LOST = new ChannelError('lost', 'gone')
const outcome = (work: () => unknown) => {
  try {
    return work() ? 'try' : 'closed'
  } catch (error) {
    return (error as Failure).message
  }
}
function breakerAt() {
  const time = { now: 1_000_000 }
  const breaker = createBreaker(() => time.now)
  const fail = (count: number, key = 'a', isTry = false) => {
    for (let at = 0; at < count; at += 1) breaker.failed(key, LOST, isTry)
  }
  return { time, fail, breaker, look: (key = 'a') => outcome(() => breaker.demandClosed(key)) }
}
const resting = (failures: number, seconds: number) =>
  `The connected server failed ${failures} times in a row. It is tried again in ${seconds} s.`

test('[GATEWAY-TROUBLE] five failures in a row open the circuit, four do not, and a success in between counts from the start', () => {
  const { breaker, fail, look } = breakerAt()
  fail(4)
  expect(look()).toBe('closed')
  breaker.went('a')
  fail(4)
  expect(look()).toBe('closed')
  fail(1)
  expect(look()).toBe(resting(5, 2))
})
test('[GATEWAY-TROUBLE] after its rest one call tries; its success closes the circuit, its failure makes it rest twice as long, up to a minute', () => {
  const { time, breaker, fail, look } = breakerAt()
  fail(5)
  time.now += 1_999
  expect(look()).toBe(resting(5, 1))
  for (const seconds of [4, 8, 16, 32, 60, 60]) {
    time.now += 60_000
    expect([look(), look(), look()]).toEqual([
      'try',
      expect.stringContaining('in a row') as never,
      expect.stringContaining('in a row') as never,
    ])
    fail(1, 'a', true)
    expect(look()).toContain(`again in ${seconds} s`)
  }
  time.now += 60_000
  expect(look()).toBe('try')
  breaker.went('a')
  expect([look(), look()]).toEqual(['closed', 'closed'])
  fail(4)
  expect(look()).toBe('closed')
})
test('[GATEWAY-TROUBLE] calls that were under way when it opened make it rest no longer', () => {
  const { time, fail, look } = breakerAt()
  fail(40)
  expect(look()).toBe(resting(40, 2))
  time.now += 2_000
  expect(look()).toBe('try')
  fail(10)
  time.now += 9_999
  expect(look()).toContain('in 1 s')
})
test('[GATEWAY-TROUBLE] a try that says nothing, or is not over, leaves the next one to try', () => {
  const { time, breaker, fail, look } = breakerAt()
  fail(5)
  time.now += 2_000
  expect(look()).toBe('try')
  breaker.failed('a', new Failure('request_cancelled'), true)
  expect(look()).toBe('try')
  time.now += 10_000
  expect(look()).toBe('try')
})
test.each([
  [new ChannelError('unauthorized', 'no'), 'closed'],
  [new ChannelError('refused', 'no'), 'closed'],
  [new Failure('request_cancelled'), 'closed'],
  [new Failure('upstream_busy'), 'closed'],
  [new Failure('upstream_timeout'), resting(5, 2)],
  [new ChannelError('unreachable', 'no'), resting(5, 2)],
  [new ChannelError('invalid', 'no'), resting(5, 2)],
])('[GATEWAY-TROUBLE] only what says something about the upstream counts: %s', (error, expected) => {
  const { breaker, look } = breakerAt()
  for (let at = 0; at < 5; at += 1) breaker.failed('a', error, false)
  expect(look()).toBe(expected)
})

test('[GATEWAY-TROUBLE] the circuit is of one connection and one credential', async () => {
  const sent: string[] = []
  const keyOf = (connectionId: string, credentialOf: string): PoolKey => ({
    connectionId: connectionId as ConnectionId,
    credentialOf: credentialOf as UserId,
  })
  const isBad = ({ connectionId, credentialOf }: PoolKey) => connectionId === 'con_1' && credentialOf === 'usr_1'
  const open = async (key: PoolKey) => ({
    agreed: { revision: '2026-07-28', isModern: true, capabilities: {}, serverInfo: {} },
    session: {
      channel: { close: async () => undefined },
      inFlight: () => 0,
      request: async () => {
        sent.push(`${key.connectionId} ${key.credentialOf}`)
        if (isBad(key)) throw LOST
        return { jsonrpc: '2.0', id: 1, result: {} }
      },
    } as never,
  })
  const pool = createPool({ open, clock: Date.now })
  const call = async (key: PoolKey) => {
    const upstream = await pool.reach(key)
    return upstream.request('tools/call', {}, { signal: new AbortController().signal, timeoutMs: 1_000 }).then(
      () => 'answered',
      (error: Failure) => error.message,
    )
  }
  const [bad, good, other] = [keyOf('con_1', 'usr_1'), keyOf('con_1', 'usr_2'), keyOf('con_2', 'usr_1')]
  for (let at = 0; at < 5; at += 1) expect(await call(bad)).toBe('gone')
  expect(await call(bad)).toBe(resting(5, 2))
  expect(sent.filter((key) => key === 'con_1 usr_1')).toHaveLength(5)
  expect([await call(good), await call(other)]).toEqual(['answered', 'answered'])
  // Somebody asks to try again: what was is forgotten.
  pool.retry('con_1' as ConnectionId)
  expect(await call(bad)).toBe('gone')
  await pool.close()
})

const QUESTION = { method: 'elicitation/create', params: { message: 'What?' } }
function talkOf(capabilities: object = { elicitation: {} }): { talk: Talk; ending: AbortController } {
  const ending = new AbortController()
  const talk: Talk = {
    isModern: true,
    signal: ending.signal,
    capabilities: { ...capabilities },
    meta: {},
    group: 'g',
    tell: () => undefined,
    reaches: () => undefined,
    ask: () => Promise.reject(new Error('not this way')),
  }
  return { talk, ending }
}
/** A call that asks, and ends with what it is told, or with its signal. */
const asks = async (talk: Talk) => {
  const { promise, reject } = Promise.withResolvers<never>()
  talk.signal.addEventListener('abort', () => reject(new Failure('request_cancelled')))
  return Promise.race([talk.ask(QUESTION, talk.signal), promise])
}
const ADA = 'grt_ada' as GrantId
const BEN = 'grt_ben' as GrantId

test('[GATEWAY-WAITING] a call that waits is one grant’s: another finds nothing under its name, and its own goes on once', async () => {
  const conversations = createConversations()
  const step = await conversations.begin(ADA, talkOf().talk, asks)
  if (step.kind !== 'asks') throw new Error('nothing was asked')
  expect(step.inputRequests).toEqual({ q1: QUESTION })
  const answers = { q1: { action: 'accept' } }
  expect(conversations.goOn(step.conversation, BEN, talkOf().talk, answers)).toBeUndefined()
  expect(await conversations.goOn(step.conversation, ADA, talkOf().talk, answers)).toEqual({ kind: 'done', result: { action: 'accept' } })
  expect(conversations.goOn(step.conversation, ADA, talkOf().talk, answers)).toBeUndefined()
  expect(conversations.grants()).toEqual([])
})
test('[GATEWAY-WAITING] of one grant so many wait and no more, whoever else waits', async () => {
  const conversations = createConversations()
  for (let at = 0; at < 16; at += 1) expect((await conversations.begin(ADA, talkOf().talk, asks)).kind).toBe('asks')
  let signal: AbortSignal | undefined
  const more = conversations.begin(ADA, talkOf().talk, (talk) => {
    signal = talk.signal
    return asks(talk)
  })
  expect(await more.catch((error: Failure) => error.code)).toBe('upstream_busy' as never)
  expect(signal?.aborted).toBe(true)
  expect((await conversations.begin(BEN, talkOf().talk, asks)).kind).toBe('asks')
  expect(conversations.grants()).toHaveLength(17)
  conversations.endOf(ADA)
  expect(conversations.grants()).toEqual([BEN])
  conversations.close()
})
test.each([
  ['its time', (_: ReturnType<typeof createConversations>) => undefined],
  ['its grant', (it: ReturnType<typeof createConversations>) => it.endOf(ADA)],
  ['the house', (it: ReturnType<typeof createConversations>) => it.close()],
])('[GATEWAY-WAITING] a call that waits ends with %s, at the upstream too', async (_, end) => {
  const conversations = createConversations({ awayMsMax: 40 })
  const ended = Promise.withResolvers<string>()
  const step = await conversations.begin(ADA, talkOf().talk, (talk) => {
    talk.signal.addEventListener('abort', () => ended.resolve('ended'))
    return asks(talk)
  })
  end(conversations)
  expect(await ended.promise).toBe('ended')
  expect(step.kind === 'asks' && conversations.goOn(step.conversation, ADA, talkOf().talk, {})).toBeUndefined()
})
test('[GATEWAY-WAITING] a client that gives up while it waits for its round ends the call', async () => {
  const conversations = createConversations()
  const { talk, ending } = talkOf()
  const begun = conversations.begin(ADA, talk, (lasting) => {
    const { promise, reject } = Promise.withResolvers<never>()
    lasting.signal.addEventListener('abort', () => reject(new Failure('request_cancelled')))
    return promise
  })
  ending.abort()
  expect(await begun.catch((error: Failure) => error.code)).toBe('request_cancelled' as never)
})
test('[GATEWAY-WAITING] what the app did not offer is not asked', async () => {
  const begun = createConversations().begin(ADA, talkOf({ roots: {} }).talk, asks)
  expect(await begun.catch((error) => error.error.code)).toBe(-32021 as never)
})
