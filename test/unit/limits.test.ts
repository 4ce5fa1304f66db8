/** What is counted against limits and when there is room again, and what remains of a result that is too large. */
import { describe, expect, test } from 'bun:test'
import { createAudit, createCounting } from '@/audit'
import { cutResult, cutText } from '@/gateway/cutting.ts'
import { CALLS_AT_ONCE_DEFAULT, createLimits, type Limit, LimitReached } from '@/grants'
import { createMeter } from '@/grants/meter.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@/lib/clock.ts'
import type { ConnectionId, GrantId, UserId } from '@/lib/ids.ts'
import { openKeys } from '@/store'
import { loneStores } from '../support/lone-store.ts'

const NONE: Limit = { callsPerMinute: null, callsPerDay: null, callsAtOnce: null, resultBytes: null, callSeconds: null }
const START = 20_000 * DAY_MS + 10 * HOUR_MS
const openStore = loneStores()

describe('a meter', () => {
  function metered(limit: Partial<Limit>) {
    const time = { now: START }
    const meter = createMeter({ ...NONE, ...limit }, () => time.now)
    /** @returns the seconds to wait, 0 for a call that was made */
    const call = () => {
      const no = meter.reached()
      if (no) return no.retryAfterSeconds
      meter.begin()
      return 0
    }
    return { time, meter, call }
  }

  test('[LIMIT-CALLS] lets no more through in any sixty seconds, wherever they begin', () => {
    const { time, call } = metered({ callsPerMinute: 10 })
    const made: number[] = []
    for (let step = 0; step < 2_000; step += 1) {
      time.now += Math.floor(((step * 7919) % 997) * 1.3)
      if (call() === 0) made.push(Math.floor(time.now / 1_000))
    }
    expect(made.length).toBeGreaterThan(100)
    for (const from of made) expect(made.filter((at) => at >= from && at < from + 60).length).toBeLessThanOrEqual(10)
  })
  test('[LIMIT-CALLS] says when there is room again, to the second', () => {
    const { time, call } = metered({ callsPerMinute: 2 })
    expect([call(), call()]).toEqual([0, 0])
    time.now += 20_000
    const seconds = call()
    expect(seconds).toBe(40)
    time.now += (seconds - 1) * 1_000
    expect(call()).toBe(1)
    time.now += 1_000
    expect([call(), call(), call()]).toEqual([0, 0, 60])
  })
  test('[LIMIT-CALLS] begins a day anew at midnight, and says how long that is', () => {
    const { time, meter, call } = metered({ callsPerDay: 2 })
    meter.countToday(1)
    expect([call(), call()]).toEqual([0, 14 * 3_600])
    time.now += 14 * HOUR_MS
    expect([call(), meter.use().today]).toEqual([0, 1])
  })
  test('[LIMIT-CALLS] a clock that is set back gives nobody more', () => {
    const { time, call } = metered({ callsPerMinute: 2, callsPerDay: 100 })
    expect([call(), call()]).toEqual([0, 0])
    time.now -= 3 * MINUTE_MS
    expect(call()).toBeGreaterThan(0)
    time.now += 4 * MINUTE_MS
    expect(call()).toBe(0)
  })
  test('[LIMIT-AT-ONCE] counts what runs, and what was taken back does not count', () => {
    const { time, meter, call } = metered({ callsPerMinute: 2, callsAtOnce: 1 })
    expect([call(), call()]).toEqual([0, 1])
    meter.end()
    const at = (meter.reached(), meter.begin())
    time.now += 5_000
    meter.use()
    meter.takeBack(at)
    expect(meter.use()).toEqual({ minute: 1, today: 1, now: 0 })
    expect(call()).toBe(0)
  })
})

describe('limits', () => {
  const grantId = 'grt_1' as GrantId
  const userId = 'usr_1' as UserId
  const connectionId = 'con_1' as ConnectionId
  const by = { id: userId, username: 'ada' }
  const taking = { grantId, userId, connectionId, connectionName: 'Linear' }
  async function open() {
    const { store } = openStore()
    const time = { now: START }
    const clock = () => time.now
    const sealer = await openKeys(store, new Uint8Array(32))
    const audit = createAudit({ store, clock, sealer })
    const counting = createCounting({ store })
    return { time, audit, counting, make: () => createLimits({ store, audit, clock, counting }) }
  }

  test('[LIMIT-RESTART] a restart gives nobody a new day: the trail is counted, of this day alone, and what was no call is not', async () => {
    const { time, audit, counting, make } = await open()
    const row = { kind: 'call', action: 'tools/call', outcome: 'ok', grantId, userId, connectionId } as const
    time.now -= 11 * HOUR_MS
    for (let at = 0; at < 5; at += 1) audit.write(row, false)
    await audit.flush()
    time.now = START
    for (let at = 0; at < 3; at += 1) audit.write({ ...row, outcome: at === 0 ? 'refused' : 'ok' }, false)
    audit.write({ ...row, outcome: 'refused', detail: { limit: 'callsPerDay', of: 'grant' } }, false)
    audit.write({ ...row, action: 'completion/complete' }, false)
    audit.write({ ...row, grantId: 'grt_2' as GrantId }, false)
    await audit.flush()
    await audit.report({ kind: 'admin', action: 'grant.pause', outcome: 'ok', grantId, userId })
    const since = START - (START % DAY_MS)
    expect(counting.callsSince({ kind: 'grant', id: grantId }, since)).toBe(3)
    expect(counting.callsSince({ kind: 'user', id: userId }, since)).toBe(4)
    expect(counting.callsSince({ kind: 'connection', id: connectionId }, since - DAY_MS)).toBe(9)

    const before = await make()
    await before.set(by, { kind: 'grant', id: grantId }, 'Claude', { ...NONE, callsPerDay: 4 })
    for (const limits of [before, await make()]) {
      expect(limits.seen(grantId)).toMatchObject({ use: { today: 3 }, byName: 'ada', limit: { callsPerDay: 4 } })
      const first = limits.take(taking, 0)
      expect(first).not.toBeInstanceOf(LimitReached)
      expect(limits.take(taking, 0)).toMatchObject({ code: 'limit_reached', status: 429, retryAfterSeconds: 14 * 3_600 })
    }
  })
  test('[LIMIT-CALLS] where nothing is set nothing is counted, and what is set stands in the trail', async () => {
    const { audit, make } = await open()
    const limits = await make()
    expect([limits.any(), limits.take(taking, 0)]).toEqual([false, undefined])
    await limits.set(by, { kind: 'connection', id: connectionId }, 'Linear', { ...NONE, callsPerMinute: 5, resultBytes: 2_048 })
    expect(limits.take({ grantId, userId }, 0)).toBeUndefined()
    expect(limits.take(taking, 0)).toMatchObject({ resultBytes: 2_048, ms: Number.POSITIVE_INFINITY })
    await limits.set(by, { kind: 'connection', id: connectionId }, 'Linear', NONE)
    expect([limits.any(), limits.take(taking, 0)]).toEqual([false, undefined])
    const rows = await audit.list({ kind: 'admin', limit: 5 })
    expect(rows.map(({ action, subject, detail, userName }) => ({ action, subject, detail, userName }))).toEqual([
      { action: 'connection.limits', subject: 'Linear', detail: { limits: 'none' }, userName: 'ada' },
      { action: 'connection.limits', subject: 'Linear', detail: { callsPerMinute: 5, resultBytes: 2_048 }, userName: 'ada' },
    ])
  })
  test('[LIMIT-AT-ONCE] an app without a limit of its own has so many calls at once, and another one where it was set', async () => {
    const limits = await (await open()).make()
    expect(limits.take(taking, CALLS_AT_ONCE_DEFAULT - 1)).toBeUndefined()
    expect(limits.take(taking, CALLS_AT_ONCE_DEFAULT)).toBeInstanceOf(LimitReached)
    await limits.set(by, { kind: 'grant', id: grantId }, 'Claude', { ...NONE, callsAtOnce: 500 })
    expect(limits.take(taking, CALLS_AT_ONCE_DEFAULT)).not.toBeInstanceOf(LimitReached)
  })
  test.each([
    ['callsPerMinute', 0],
    ['callsPerMinute', 100_001],
    ['callsPerDay', -1],
    ['callsAtOnce', 1.5],
    ['resultBytes', 999],
    ['callSeconds', 601],
  ] as const)('[LIMIT-PAGES] %s of %d is refused at its field', async (part, value) => {
    const limits = await (await open()).make()
    const asked = limits.set(by, { kind: 'grant', id: grantId }, 'Claude', { ...NONE, [part]: value })
    await expect(asked).rejects.toMatchObject({ code: 'invalid_form', fields: { [part]: expect.stringContaining('etween') } })
    expect(limits.any()).toBe(false)
  })
})

describe('cutting', () => {
  const text = (value: string) => ({ type: 'text', text: value })
  const tool = (result: object, limitBytes: number, hasOutputSchema = false) =>
    cutResult(result as never, limitBytes, { method: 'tools/call', uri: '', hasOutputSchema })
  const link = { type: 'resource_link', uri: 'toolpass://results/x', name: 'x' }

  test.each([
    ['äöü', 3, 'ä'],
    ['äöü', 4, 'äö'],
    ['a😀b', 4, 'a'],
    ['a😀b', 5, 'a😀'],
    ['abc', 0, ''],
    ['abc', 3, 'abc'],
    ['日本語', 8, '日本'],
  ])('[LIMIT-SIZE] %p at %d bytes is %p', (whole, bytesMax, left) => {
    expect(cutText(whole, bytesMax)).toBe(left)
  })
  test('[LIMIT-SIZE] what is within the limit stays as it is, whatever stands around it', () => {
    expect(tool({ content: [text('abc'), text('def')], _meta: { note: 'x'.repeat(500) } }, 6)).toBeUndefined()
  })
  test('[LIMIT-SIZE] later blocks go first, and what is empty then is not there', () => {
    const cut = tool({ content: [text('abc'), text('defgh'), text('ijk')], _meta: { a: 1 } }, 5)
    expect(cut?.noted('NOTE', link)).toEqual({ content: [text('abc'), text('de'), text('NOTE'), link], _meta: { a: 1 } })
    expect(cut?.noted('NOTE', undefined)['content']).toEqual([text('abc'), text('de'), text('NOTE')])
    expect(cut?.whole.map((content) => content['text'])).toEqual(['abc', 'defgh', 'ijk'])
  })
  test('[LIMIT-SIZE] a structure goes where nobody was promised one, stays where it fits, and makes an error where it was promised', () => {
    const structuredContent = { list: 'x'.repeat(100) }
    const result = { content: [text('y'.repeat(150))], structuredContent }
    expect(tool(result, 200, false)?.noted('N', undefined)).toEqual({ content: [...result.content, text('N')] })
    expect(tool(result, 200, true)?.noted('N', undefined)).toMatchObject({ structuredContent })
    expect(tool(result, 200, true)?.noted('N', undefined)['isError']).toBeUndefined()
    const none = tool(result, 50, true)?.noted('N', undefined)
    expect([none?.['structuredContent'], none?.['isError']]).toEqual([undefined, true])
    expect(tool(result, 50, true)?.whole.at(-1)).toEqual({ mimeType: 'application/json', text: JSON.stringify(structuredContent) })
  })
  test('[LIMIT-SIZE] of a thousand pictures ten are named, and odd blocks harm nothing', () => {
    const pictures = Array.from({ length: 1_000 }, () => ({ type: 'image', data: 'A'.repeat(100), mimeType: 'image/png' }))
    const cut = tool({ content: [...pictures, null, 7, { type: 'text' }, { type: 'resource', resource: { uri: 'x', text: 'abc' } }] }, 2)
    const left = (cut?.noted('N', undefined)['content'] ?? []) as unknown[]
    expect(left.filter((block) => JSON.stringify(block).includes('left out'))).toHaveLength(10)
    expect(JSON.stringify(cut?.noted('N', undefined)).length).toBeLessThan(1_000)
    expect(tool({ content: 'no list' }, 1)).toBeUndefined()
  })
  test('[LIMIT-SIZE] a resource and a prompt stay what they are', () => {
    const contents = [
      { uri: 'a://b', text: 'abcdef' },
      { uri: 'a://c', blob: 'A'.repeat(100), mimeType: 'image/png' },
    ]
    const read = cutResult({ contents, ttlMs: 0 }, 4, { method: 'resources/read', uri: 'a://b', hasOutputSchema: false })
    expect(read?.noted('N', undefined)).toEqual({
      ttlMs: 0,
      contents: [
        { uri: 'a://b', text: 'abcd' },
        { uri: 'a://c', mimeType: 'text/plain', text: '[image/png of 1 kB left out]' },
        { uri: 'a://b', mimeType: 'text/plain', text: 'N' },
      ],
    })
    const messages = [{ role: 'user', content: text('abcdef') }]
    const got = cutResult({ messages }, 4, { method: 'prompts/get', uri: '', hasOutputSchema: false })
    expect(got?.noted('N', undefined)).toEqual({
      messages: [
        { role: 'user', content: text('abcd') },
        { role: 'user', content: text('N') },
      ],
    })
  })
})
