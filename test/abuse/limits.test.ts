/** ABUSE row 57: apps that take too much, of one grant, one user, one connection, each way through the gateway. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createKept, type Limit, type LimitSubject } from '@/grants'
import type { ConnectionId, ToolId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { answerText, type Answering, json, startEchoUpstream } from '../support/echo-upstream.ts'
import {
  answerOf,
  type App,
  type GatewayHouse,
  initialize,
  legacy,
  type Message,
  modern,
  openGatewayHouse,
  textIn,
} from '../support/gateway-house.ts'
import { connect } from '../support/matrix/apps.ts'
import { eventually } from '../support/outside.ts'

const NONE: Limit = { callsPerMinute: null, callsPerDay: null, callsAtOnce: null, resultBytes: null, callSeconds: null }
/** What is written into a result, by what was asked for. */
const LONG = 'Grüße 😀 '.repeat(2_000)
const RESULTS: Record<string, object> = {
  long: { content: [{ type: 'text', text: LONG }] },
  task: { task: { taskId: 't1', status: 'working', createdAt: '2026-01-01T00:00:00Z', ttl: 60_000 } },
  picture: {
    content: [
      { type: 'image', data: 'A'.repeat(50_000), mimeType: 'image/png' },
      { type: 'text', text: 'a picture' },
    ],
  },
}
let hanging: (() => void)[] = []
let aborted = 0
const answer: Answering = ({ id, params }, request) => {
  const { account = '' } = (params?.['arguments'] ?? {}) as { account?: string }
  const said = json(answerText(id, { ...(RESULTS[account] ?? { content: [{ type: 'text', text: account }] }), resultType: 'complete' }))
  if (account === 'error') return json(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32099, message: LONG, data: { more: LONG } } }))
  if (account !== 'hang') return said
  request.signal.addEventListener('abort', () => (aborted += 1))
  return new Promise((resolve) => hanging.push(() => resolve(said)))
}
const withTasks = {
  capabilities: { tasks: { requests: { tools: { call: {} } } } },
  others: { 'tasks/result': () => ({ result: RESULTS['long'] }) },
}
const upstreams = { modern: startEchoUpstream('modern', answer), legacy: startEchoUpstream('legacy', answer, withTasks as never) }
const WAYS = [
  ['modern', 'modern'],
  ['modern', 'legacy'],
  ['legacy', 'modern'],
  ['legacy', 'legacy'],
] as const

let house: GatewayHouse
let bob: User
const ids = {} as Record<'modern' | 'legacy', ConnectionId>
const apps = {} as Record<'modern' | 'legacy', App>
let other: App
let guest: App
const set: LimitSubject[] = []

beforeAll(async () => {
  house = await openGatewayHouse()
  bob = await house.user('bob')
  for (const era of ['modern', 'legacy'] as const) {
    ids[era] = await house.connection(house.admin, `Echo ${era}`, { settings: { url: upstreams[era].url }, visibility: 'open' })
    apps[era] = await house.app(house.admin, await house.profile(house.admin, `Echo ${era}`, [ids[era]], 'never'))
  }
  other = await house.app(house.admin, apps.modern.profile)
  guest = await house.app(bob, await house.profile(bob, 'Of Bob', [ids.modern], 'never'))
}, 60_000)
afterEach(async () => {
  for (const finish of hanging) finish()
  hanging = []
  for (const subject of set.splice(0)) await house.house.limits.set(house.admin, subject, 'it', NONE)
})
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
  await Promise.all(Object.values(upstreams).map(({ stop }) => stop()))
})

const limit = async (subject: LimitSubject, asked: Partial<Limit>) => {
  set.push(subject)
  await house.house.limits.set(house.admin, subject, 'it', { ...NONE, ...asked })
}
const sessions = new Map<App, Record<string, string>>()
async function send(era: 'modern' | 'legacy', app: App, account = 'hello', method = 'tools/call', params: object = {}): Promise<Response> {
  const whole = method === 'tools/call' ? { name: 'echo', arguments: { account } } : { ...params }
  if (era === 'modern') return modern(app, method, whole)
  const headers = sessions.get(app) ?? (await initialize(app))
  sessions.set(app, headers)
  return legacy(app, method, whole, { headers })
}
const callsOf = (era: 'modern' | 'legacy') => upstreams[era].calls.length
async function lastRow(app: App) {
  await house.house.audit.flush()
  return (await house.house.audit.list({ grantId: app.grantId, limit: 1 }))[0]
}
async function refusal(answered: Response) {
  expect(answered.status).toBe(429)
  const seconds = Number(answered.headers.get('retry-after'))
  const { error } = (await answered.json()) as Message
  expect(error?.data).toEqual({ retryAfterSeconds: seconds })
  return { seconds, message: error?.message ?? '' }
}

describe.each(WAYS)('a %s app at a %s server', (era, upstream) => {
  const app = () => apps[upstream]

  test('[LIMIT-CALLS] has its calls a minute, then is told in words and figures when there are more', async () => {
    await limit({ kind: 'grant', id: app().grantId }, { callsPerMinute: 3 })
    const before = callsOf(upstream)
    for (let at = 0; at < 3; at += 1) expect(textIn(await answerOf(await send(era, app())))).toBe('hello')
    const { seconds, message } = await refusal(await send(era, app()))
    expect(message).toStartWith('This app may make 3 calls a minute, and that many were made. Try again in')
    expect([seconds > 50, seconds <= 60]).toEqual([true, true])
    expect(callsOf(upstream)).toBe(before + 3)
    expect(await lastRow(app())).toMatchObject({
      ...{ action: 'tools/call', subject: 'echo', outcome: 'refused', reason: message },
      detail: { limit: 'callsPerMinute', of: 'grant' },
    })
    // What is no call goes on, and so does another app of the same user.
    expect((await send(era, app(), '', 'tools/list')).status).toBe(200)
    if (upstream === 'modern') expect((await send(era, other)).status).toBe(200)
  })

  test('[LIMIT-CALLS] what leads nowhere is counted as well', async () => {
    await limit({ kind: 'grant', id: app().grantId }, { callsPerMinute: 2 })
    const tryIt = async () =>
      era === 'modern'
        ? modern(app(), 'tools/call', { name: 'none' })
        : legacy(app(), 'tools/call', { name: 'none' }, { headers: sessions.get(app()) ?? {} })
    for (let at = 0; at < 2; at += 1) expect((await answerOf(await tryIt())).error?.code).toBe(-32_602)
    await refusal(await tryIt())
  })

  test('[LIMIT-AT-ONCE] the one call too many is refused at once, and there is room again when one has ended', async () => {
    await limit({ kind: 'grant', id: app().grantId }, { callsAtOnce: 2 })
    const running = [send(era, app(), 'hang'), send(era, app(), 'hang')]
    expect(await eventually(() => hanging.length === 2)).toBe(true)
    const { message } = await refusal(await send(era, app()))
    expect(message).toBe('This app may make 2 calls at once, and that many were made. Try again when one of them has ended.')
    hanging.shift()?.()
    await Promise.race(running)
    expect(await eventually(async () => (await send(era, app())).status === 200)).toBe(true)
  })

  test('[LIMIT-TIME] a call that takes too long is ended here and at its server', async () => {
    await limit({ kind: 'grant', id: app().grantId }, { callSeconds: 1 })
    const before = aborted
    const { result } = await answerOf(await send(era, app(), 'hang'))
    expect(result?.['isError']).toBe(true)
    expect(textIn({ result: result ?? {} })).toBe('The call took longer than its limit of 1 s, and was ended.')
    expect(await lastRow(app())).toMatchObject({ outcome: 'failed', reason: 'call_too_long' })
    expect(await eventually(() => aborted > before)).toBe(true)
    expect(textIn(await answerOf(await send(era, app())))).toBe('hello')
  })

  test('[LIMIT-SIZE] a large result is cut between characters, and read on by a link, by that app alone', async () => {
    await limit({ kind: 'grant', id: app().grantId }, { resultBytes: 1_024 })
    const { result } = await answerOf(await send(era, app(), 'long'))
    const [text, note, link] = (result?.['content'] ?? []) as { type: string; text: string; uri: string }[]
    expect([Buffer.byteLength(text?.text ?? '') <= 1_024, text?.text.isWellFormed(), LONG.startsWith(text?.text ?? 'x')]).toEqual([
      true,
      true,
      true,
    ])
    expect(Buffer.byteLength(text?.text ?? '')).toBeGreaterThan(1_015)
    expect(note?.text).toMatch(/^\[Cut by Toolpass: the whole result has 2\d kB, and 1 kB are allowed here\./)
    expect([link?.type, note?.text.includes(link?.uri ?? 'x')]).toEqual(['resource_link', true])
    expect((await lastRow(app()))?.responseBytes ?? 0).toBeGreaterThan(20_000)

    const uri = link?.uri ?? ''
    const whole = await answerOf(await send(era, app(), '', 'resources/read', { uri }))
    expect(whole.result?.['contents']).toEqual([{ uri, mimeType: 'text/plain', text: LONG }])
    expect(await lastRow(app())).toMatchObject({ action: 'resources/read', subject: uri, outcome: 'ok' })
    const asked = [uri, `${uri}0`, 'toolpass://results/', `toolpass://results/${'0'.repeat(26)}`]
    const reading = await Promise.all(
      asked.map(async (each) => (await answerOf(await send(era, guest, '', 'resources/read', { uri: each }))).error),
    )
    expect(new Set(reading.map((error) => `${error?.code} ${error?.message}`)).size).toBe(1)
    const listed = await answerOf(await send(era, app(), '', 'resources/list'))
    expect(JSON.stringify(listed)).not.toContain('toolpass://')
  })

  test('[LIMIT-SIZE] a picture that is too large is left out by name, and what fits beside it stays', async () => {
    await limit({ kind: 'connection', id: ids[upstream] }, { resultBytes: 2_048 })
    const { result } = await answerOf(await send(era, app(), 'picture'))
    const [first, second, , link] = (result?.['content'] ?? []) as { text?: string; uri?: string }[]
    expect([first?.text, second?.text]).toEqual(['[image/png of 50 kB left out]', 'a picture'])
    const whole = await answerOf(await send(era, app(), '', 'resources/read', { uri: link?.uri }))
    expect(whole.result?.['contents']).toMatchObject([
      { mimeType: 'image/png', blob: 'A'.repeat(50_000) },
      { mimeType: 'text/plain', text: 'a picture' },
    ])
  })
})

test.each(WAYS)('[LIMIT-SIZE] an error is no way past it: by a %s app, of a %s server', async (era, upstream) => {
  const app = apps[upstream]
  await limit({ kind: 'grant', id: app.grantId }, { resultBytes: 1_024 })
  const { error } = await answerOf(await send(era, app, 'error'))
  expect(error).toMatchObject({ code: -32099 })
  expect([LONG.startsWith((error?.message ?? 'x').replace(/ \[Cut by Toolpass\]$/, '')), error?.data]).toEqual([true, undefined])
  expect(Buffer.byteLength(JSON.stringify(error))).toBeLessThan(1_200)
})

test('[LIMIT-SIZE] what is kept of a tool that is refused by now, or whose connection is paused, is not read on', async () => {
  const [app, connection] = [apps.modern, ids.modern]
  const { grants, control, connections } = house.house
  const [tool] = await connections.everything([connection])
  const toolId = tool?.id as ToolId
  await limit({ kind: 'grant', id: app.grantId }, { resultBytes: 1_024 })
  const { result } = await answerOf(await send('modern', app, 'long'))
  const uri = ((result?.['content'] ?? []) as { uri?: string }[]).find((block) => block.uri)?.uri ?? ''
  const read = async () => (await answerOf(await send('modern', app, '', 'resources/read', { uri }))).result !== undefined
  expect(await read()).toBe(true)
  await grants.permit(app.user, app.grantId, toolId, 'refuse')
  expect(await read()).toBe(false)
  await grants.permit(app.user, app.grantId, toolId, 'allow')
  await control.pause(house.admin, { kind: 'connection', id: connection }, 'own')
  expect(await read()).toBe(false)
  await control.resume(house.admin, { kind: 'connection', id: connection }, 'own')
  expect(await read()).toBe(true)
})

test('[LIMIT-CALLS] a limit of a user is shared by all their apps, and nobody else has it', async () => {
  await limit({ kind: 'user', id: house.admin.id }, { callsPerMinute: 2 })
  expect((await send('modern', apps.modern)).status).toBe(200)
  expect((await send('legacy', apps.legacy)).status).toBe(200)
  const { message } = await refusal(await send('modern', other))
  expect(message).toStartWith('Your account may make 2 calls a minute')
  expect((await send('modern', guest)).status).toBe(200)
})

test('[LIMIT-CALLS] a limit of a connection is shared by everyone who uses it, and holds for no other connection', async () => {
  await limit({ kind: 'connection', id: ids.modern }, { callsPerMinute: 2 })
  expect((await send('modern', apps.modern)).status).toBe(200)
  expect((await send('modern', guest)).status).toBe(200)
  const { message } = await refusal(await send('modern', other))
  expect(message).toStartWith('Echo modern takes 2 calls a minute from everyone together')
  expect((await send('modern', apps.legacy)).status).toBe(200)
})

test('[LIMIT-CALLS] of several limits the strictest decides, and one that is taken away does no more', async () => {
  await limit({ kind: 'grant', id: apps.modern.grantId }, { callsPerMinute: 50 })
  await limit({ kind: 'user', id: house.admin.id }, { callsPerMinute: 1 })
  expect((await send('modern', apps.modern)).status).toBe(200)
  expect((await send('modern', apps.modern)).status).toBe(429)
  await limit({ kind: 'user', id: house.admin.id }, {})
  expect((await send('modern', apps.modern)).status).toBe(200)
})

test('[ABUSE-57] [LIMIT-CALLS] of a flood exactly what is allowed reaches the server, and others are served meanwhile', async () => {
  await limit({ kind: 'grant', id: apps.modern.grantId }, { callsPerMinute: 50 })
  const before = callsOf('modern')
  const flood = Promise.all(Array.from({ length: 400 }, () => send('modern', apps.modern, 'flood')))
  const beside = await Promise.all(Array.from({ length: 10 }, () => send('modern', guest)))
  expect(beside.map(({ status }) => status)).toEqual(Array(10).fill(200))
  const statuses = (await flood).map(({ status }) => status)
  expect([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 429).length]).toEqual([50, 350])
  expect(upstreams.modern.calls.slice(before).filter((text) => text.includes('flood'))).toHaveLength(50)
  await house.house.audit.flush()
  const rows = await house.house.audit.list({ grantId: apps.modern.grantId, outcome: 'refused', limit: 200 })
  expect(rows.filter(({ reason }) => reason?.startsWith('This app may make 50 calls a minute'))).toHaveLength(200)
})

test('[LIMIT-CALLS] of a profile that is found by search, each way of it counts, and what is called through another tool counts once', async () => {
  const profile = await house.house.profiles.create(house.admin, { title: 'Found' })
  await house.house.profiles.update(house.admin, profile.id, { title: 'Found', description: '', naming: 'never', delivery: 'search' })
  const [echo] = await house.house.connections.tools([ids.modern])
  await house.house.profiles.setTools(house.admin, profile.id, [echo?.id as never])
  const app = await house.app(house.admin, profile)
  await limit({ kind: 'grant', id: app.grantId }, { callsPerMinute: 3 })
  const ask = (name: string, args: object) => modern(app, 'tools/call', { name, arguments: args })
  expect((await ask('find_tools', { query: 'echo' })).status).toBe(200)
  expect((await ask('describe_tool', { name: 'echo' })).status).toBe(200)
  expect(textIn(await answerOf(await ask('call_tool', { name: 'echo', arguments: { account: 'hello' } })))).toBe('hello')
  for (const name of ['find_tools', 'call_tool']) await refusal(await ask(name, { query: 'echo', name: 'echo' }))
})

test('[LIMIT-SIZE] the result of a task is cut as well, though it comes by another request', async () => {
  await limit({ kind: 'user', id: house.admin.id }, { resultBytes: 1_000 })
  const { result } = await answerOf(await send('legacy', apps.legacy, 'task'))
  const { taskId } = (result?.['task'] ?? {}) as { taskId?: string }
  const late = await answerOf(await send('legacy', apps.legacy, '', 'tasks/result', { taskId }))
  const [text, note, link] = (late.result?.['content'] ?? []) as { text: string; uri: string }[]
  expect([text?.text.length, note?.text.includes(link?.uri ?? 'x')]).toEqual([expect.any(Number), true])
  expect(Buffer.byteLength(text?.text ?? '')).toBeLessThanOrEqual(1_000)
  const whole = await answerOf(await send('legacy', apps.legacy, '', 'resources/read', { uri: link?.uri }))
  expect(whole.result?.['contents']).toMatchObject([{ text: LONG }])
})

test('[LIMIT-SIZE] a client of 2025-03-26, which knows no links in results, is told the address in words', async () => {
  await limit({ kind: 'grant', id: other.grantId }, { resultBytes: 1_000 })
  const headers = await initialize(other, {}, '2025-03-26')
  const { result } = await answerOf(await legacy(other, 'tools/call', { name: 'echo', arguments: { account: 'long' } }, { headers }))
  const blocks = (result?.['content'] ?? []) as { type: string; text: string }[]
  expect(blocks.map(({ type }) => type)).toEqual(['text', 'text'])
  const uri = /toolpass:\/\/results\/\w+/.exec(blocks[1]?.text ?? '')?.[0]
  const whole = await answerOf(await legacy(other, 'resources/read', { uri }, { headers }))
  expect(whole.result?.['contents']).toMatchObject([{ text: LONG }])
})

test('[LIMIT-SIZE] that results are resources to read on is offered where they may be cut, and not otherwise', async () => {
  const offered = async () =>
    (await answerOf(await modern(apps.modern, 'server/discover'))).result?.['capabilities'] as Record<string, unknown>
  expect((await offered())['resources']).toBeUndefined()
  await limit({ kind: 'connection', id: ids.modern }, { resultBytes: 1_000 })
  expect((await offered())['resources']).toEqual({})
})

test.each(['modern', 'legacy'] as const)(
  '[LIMIT-CALLS] the published %s client reads whose limit it was, and goes on afterwards',
  async (era) => {
    const client = await connect(era, other)
    const call = () => client.call({ name: 'echo', arguments: { account: 'hello' } })
    await limit({ kind: 'grant', id: other.grantId }, { callsPerMinute: 1 })
    expect(await call()).toMatchObject({ content: [{ text: 'hello' }] })
    await expect(call()).rejects.toThrow('This app may make 1 call a minute')
    expect((await client.tools()).tools).toHaveLength(1)
    await limit({ kind: 'grant', id: other.grantId }, {})
    expect(await call()).toMatchObject({ content: [{ text: 'hello' }] })
    await client.close()
  },
)

describe('what is kept', () => {
  const opened = () => {
    const time = { now: Date.now() }
    const { store, sealer } = house.house
    return { time, kept: createKept({ store, sealer, clock: () => time.now }) }
  }
  test('[LIMIT-SIZE] is read for an hour by its own grant, and not in the clear', async () => {
    const { time, kept } = opened()
    const id = (await kept.keep(other.grantId, 'a canary in a result')) ?? ''
    expect(await kept.read(other.grantId, id)).toBe('a canary in a result')
    expect(await kept.read(guest.grantId, id)).toBeUndefined()
    const rows = house.house.store.prepare<{ sealed: Uint8Array }, []>('SELECT sealed FROM kept_results').all()
    expect(rows.some(({ sealed }) => Buffer.from(sealed).includes('canary'))).toBe(false)
    time.now += 59 * 60_000
    expect(await kept.read(other.grantId, id)).toBeDefined()
    time.now += 2 * 60_000
    expect(await kept.read(other.grantId, id)).toBeUndefined()
    await kept.sweep()
    expect(house.house.store.prepare<{ id: string }, [string]>('SELECT id FROM kept_results WHERE id = ?').all(id)).toEqual([])
  })
  test('[LIMIT-SIZE] is so much of one grant and no more: the oldest goes, and another grant loses nothing', async () => {
    const { kept } = opened()
    const theirs = (await kept.keep(guest.grantId, 'theirs')) ?? ''
    const ids: string[] = []
    for (let at = 0; at < 25; at += 1) ids.push((await kept.keep(other.grantId, `result ${at}`)) ?? '')
    const found = await Promise.all(ids.map((id) => kept.read(other.grantId, id)))
    expect(found.map((text) => text !== undefined)).toEqual([...Array(5).fill(false), ...Array(20).fill(true)])
    const large = await kept.keep(other.grantId, 'x'.repeat(30 * 1024 * 1024))
    const larger = await kept.keep(other.grantId, 'x'.repeat(30 * 1024 * 1024))
    expect([await kept.read(other.grantId, large ?? ''), (await kept.read(other.grantId, larger ?? ''))?.length]).toEqual([
      undefined,
      30 * 1024 * 1024,
    ])
    expect(await kept.keep(other.grantId, 'x'.repeat(33 * 1024 * 1024))).toBeUndefined()
    expect(await kept.read(guest.grantId, theirs)).toBe('theirs')
  })
})
