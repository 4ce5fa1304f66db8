/** What is kept of calls that really went through: the short way and the long one, resources, prompts, refusals, and what the profile says. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AuditRow, KeptContents } from '@/audit'
import type { Profile } from '@/profiles'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { type App, type GatewayHouse, meta, modern, openGatewayHouse } from '../support/gateway-house.ts'

let house: GatewayHouse
let app: App
const SLOW_MS = 40
const PAGE = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
const upstream = startEchoUpstream(
  'modern',
  async ({ id, params }) => {
    const text = (params?.['arguments'] as { text?: string } | undefined)?.text ?? ''
    if (text === 'take your time') await Bun.sleep(SLOW_MS)
    if (text === 'break') return Response.json({ jsonrpc: '2.0', id, error: { code: -32_050, message: 'it broke' } })
    return json(answerText(id, { resultType: 'complete', content: [{ type: 'text', text: `you said ${text}` }] }))
  },
  {
    tools: ['look', 'change'],
    reads: ['look'],
    capabilities: { resources: {}, prompts: {} },
    others: {
      'resources/list': () => ({ result: { ...PAGE, resources: [{ uri: 'file:///one', name: 'one' }] } }),
      'resources/templates/list': () => ({ result: { ...PAGE, resourceTemplates: [] } }),
      'resources/read': () => ({ result: { ...PAGE, contents: [{ uri: 'file:///one', text: 'the one' }] } }),
      'prompts/list': () => ({ result: { ...PAGE, prompts: [{ name: 'plan', arguments: [{ name: 'topic' }] }] } }),
      'prompts/get': () => ({
        result: { resultType: 'complete', messages: [{ role: 'user', content: { type: 'text', text: 'plan it' } }] },
      }),
    },
  },
)

beforeAll(async () => {
  house = await openGatewayHouse()
  const connection = await house.connection(house.admin, 'Echo', { settings: { url: upstream.url } })
  app = await house.app(house.admin, await house.profile(house.admin, 'Work', [connection], 'never'))
})
afterAll(async () => {
  await house.close()
  await upstream.stop()
})

async function written(work: () => Promise<unknown>): Promise<{ row: AuditRow; kept: KeptContents | undefined }> {
  const { audit } = house.house
  await audit.flush()
  const before = audit.lastSeq()
  await work()
  await audit.flush()
  const row = (await audit.list({ kind: 'call', limit: 1 }))[0] as AuditRow
  expect(row.seq).toBeGreaterThan(before)
  return { row, kept: await audit.contentsOf(row.seq) }
}
const call =
  (name: string, args: object, more: Record<string, unknown> = {}) =>
  () =>
    modern(app, 'tools/call', { name, arguments: args, ...more }).then((answer) => answer.text())
/** An app that can be asked goes the long way. */
const askable = { _meta: meta({ elicitation: {} }) }

for (const [way, more] of [
  ['short', {}],
  ['long', askable],
] as const)
  for (const name of ['look', 'change'])
    test(`[TRAIL-CONTENTS] a call of ${name} by the ${way} way stands there with what was asked and answered`, async () => {
      const { row, kept } = await written(call(name, { text: `hello, mail a@example.org`, api_key: 'k-123456' }, more))
      expect(row).toMatchObject({ action: 'tools/call', subject: name, outcome: 'ok', contentHash: expect.any(String) })
      expect(kept?.arguments).toBe('{"text":"hello, mail [redacted: e-mail]","api_key":"[redacted: secret]"}')
      expect(JSON.parse(kept?.result ?? '')).toMatchObject({ content: [{ text: 'you said hello, mail [redacted: e-mail]' }] })
    })
for (const [way, more] of [
  ['short', {}],
  ['long', askable],
] as const)
  test(`a call by the ${way} way tells its time here from its time at its server`, async () => {
    const { row } = await written(call('look', { text: 'take your time' }, more))
    // A timer may be early by part of a millisecond.
    expect(row.upstreamUs).toBeGreaterThan((SLOW_MS - 2) * 1_000)
    expect(row.durationUs).toBeGreaterThan(row.upstreamUs as number)
  })
test('an error of a server, a tool that is not granted, a resource and a prompt as well', async () => {
  const failed = await written(call('look', { text: 'break' }))
  expect(failed.row).toMatchObject({ outcome: 'failed', reason: 'upstream_error -32050' })
  expect(failed.kept).toMatchObject({ arguments: '{"text":"break"}', result: '{"code":-32050,"message":"it broke"}' })
  const refused = await written(call('nowhere', { text: 'let me' }))
  expect(refused.row).toMatchObject({ outcome: 'refused', reason: 'tool_not_granted', subject: 'nowhere' })
  expect(refused.kept).toEqual({ keeps: 'redacted', arguments: '{"text":"let me"}' })
  const read = await written(() => modern(app, 'resources/read', { uri: 'file:///one' }).then((answer) => answer.text()))
  expect(read.row).toMatchObject({ action: 'resources/read', subject: 'file:///one' })
  expect(read.kept?.result).toContain('the one')
  const prompt = await written(() =>
    modern(app, 'prompts/get', { name: 'plan', arguments: { topic: 'tea' } }).then((answer) => answer.text()),
  )
  expect(prompt.row).toMatchObject({ action: 'prompts/get', subject: 'plan' })
  expect(prompt.kept).toMatchObject({ arguments: '{"topic":"tea"}', result: expect.stringContaining('plan it') })
})
test('[TRAIL-KEEPS] the profile says what is kept, from the next call on', async () => {
  const { profiles } = house.house
  const keep = (keeps: Profile['keeps']) => {
    const { id, title, description, naming } = app.profile
    return profiles.update(house.admin, id, { title, description, naming, keeps })
  }
  for (const more of [{}, askable]) {
    await keep('sizes')
    const sizes = await written(call('change', { text: 'nothing of it' }, more))
    expect(sizes).toMatchObject({
      row: { contentHash: null, requestBytes: expect.any(Number), responseBytes: expect.any(Number) },
      kept: undefined,
    })
    await keep('whole')
    const whole = await written(call('change', { text: 'all of it', password: 'of mine' }, more))
    expect(whole.kept).toMatchObject({ keeps: 'whole', arguments: '{"text":"all of it","password":"of mine"}' })
    await keep('redacted')
    const redacted = await written(call('change', { text: 'most of it', password: 'of mine' }, more))
    expect(redacted.kept).toMatchObject({ keeps: 'redacted', arguments: '{"text":"most of it","password":"[redacted: secret]"}' })
  }
})
test('a trace of the client is in the row, by which it is found elsewhere', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const traced = { _meta: { ...meta(), traceparent: `00-${traceId}-00f067aa0ba902b7-01` } }
  expect((await written(call('look', { text: 'x' }, traced))).row.traceId).toBe(traceId)
  expect((await written(call('look', { text: 'x' }, { _meta: { ...meta(), traceparent: 'no trace' } }))).row.traceId).toBeNull()
})
test('[CONTROL-PAUSE] what a paused app goes on asking for stands there once a minute, unread', async () => {
  const { audit, grants } = house.house
  await grants.pause(app.user, app.grantId)
  const { row, kept } = await written(async () => {
    for (let at = 0; at < 20; at += 1)
      expect((await modern(app, 'tools/call', { name: 'look', arguments: { text: 'hello' } })).status).toBe(403)
  })
  expect(row).toMatchObject({ action: 'tools/call', subject: 'look', outcome: 'refused', reason: 'grant_paused', grantId: app.grantId })
  expect(row.clientName).toBeString()
  expect(kept).toBeUndefined()
  const rows = await audit.list({ kind: 'call', limit: 20 })
  expect(rows.filter(({ reason }) => reason === 'grant_paused')).toHaveLength(1)
  await grants.resume(app.user, app.grantId)
})
