/** MCP as it is written, current revision and older ones, spoken from outside to a running Toolpass. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { addHttpConnection, connectApp, makeProfile, type Person, signedIn } from '../support/journey.ts'
import { eventually } from '../support/outside.ts'
import { ADMIN, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'
import { type Seen, startLegacyUpstream, startModernUpstream } from '../support/upstreams.ts'

type Answer = { id: unknown; result?: Record<string, unknown>; error?: { code: number; message: string; data?: unknown } }
type Message = Answer & { method?: string; params?: Record<string, unknown> }

const P = 'io.modelcontextprotocol/'
const META = { [`${P}protocolVersion`]: '2026-07-28', [`${P}clientCapabilities`]: {} }
const NAMES = ['give', 'hang', 'a.b', 'a/b', 'a b', 'naïve name', `${'x'.repeat(127)}1`, `${'x'.repeat(127)}2`]
const GIVEN = {
  content: [
    { type: 'text', text: 'one 🙂' },
    { type: 'image', data: 'AAAA', mimeType: 'image/png' },
  ],
  structuredContent: { deep: [1, { two: null }] },
}

/** A server of 2026-07-28 by hand: `give` answers with more than text, `hang` never answers and keeps whether it was left. */
function startByHand() {
  const state = { hanging: 0, left: 0, called: [] as string[] }
  const tools = NAMES.map((name) => ({ name, inputSchema: { type: 'object' } }))
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { id, method, params } = (await request.json()) as { id: number; method: string; params: { name: string } }
      const result = (fields: object) =>
        Response.json({
          jsonrpc: '2.0',
          id,
          result: { resultType: 'complete', _meta: { [`${P}serverInfo`]: { name: 'hand', version: '1' } }, ...fields },
        })
      if (method === 'server/discover')
        return result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'private' })
      if (method === 'tools/list') return result({ tools, ttlMs: 0, cacheScope: 'private' })
      if (method !== 'tools/call') return Response.json({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }, { status: 404 })
      state.called.push(params.name)
      if (params.name !== 'hang') return result(GIVEN)
      state.hanging += 1
      const left = Promise.withResolvers<Response>()
      request.signal.addEventListener('abort', () => {
        state.left += 1
        left.resolve(new Response(null))
      })
      return left.promise
    },
  })
  return { url: `http://127.0.0.1:${server.port}/mcp`, state, stop: () => server.stop(true) }
}

const modern = startModernUpstream()
const legacy = startLegacyUpstream()
const byHand = startByHand()
const COUNT = 8 + NAMES.length
let running: Running
let ada: Person
let token: string
let browser: ReturnType<typeof createBrowser>

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  browser = createBrowser(running.url)
  await browser.post('/login', ADMIN)
  await addHttpConnection(ada, 'Modern', modern.url)
  await addHttpConnection(ada, 'Legacy', legacy.url)
  await addHttpConnection(ada, 'Hand', byHand.url)
  await makeProfile(ada, 'Work', COUNT)
  token = (await connectApp(running, ada, { profile: 'work' })).access_token
})
afterAll(async () => {
  await running.stop()
  await Promise.all([modern.stop(), legacy.stop(), byHand.stop()])
  running.remove()
})

type Sent = { bearer?: string; profile?: string; headers?: Record<string, string>; signal?: AbortSignal }
const post = (body: object, { bearer = token, profile = 'work', headers = {}, signal }: Sent = {}) =>
  fetch(`${running.url}/mcp/${profile}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    ...(signal && { signal }),
  })
const mirrored = (method: string, name?: unknown) => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  ...(typeof name === 'string' && { 'mcp-name': name }),
})
/** A request of 2026-07-28 as it should be. */
const ask = (method: string, params: Record<string, unknown> = {}, sent: Sent = {}, meta: object = {}) =>
  post(
    { id: 'a-1', method, params: { ...params, _meta: { ...META, ...meta } } },
    { ...sent, headers: { ...mirrored(method, params['name']), ...sent.headers } },
  )
const refusalOf = async (answer: Response) => [answer.status, ((await answer.json()) as Answer).error?.code]
const messagesIn = (text: string) => [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as Message)
const resultOf = async (answer: Response) => {
  const text = await answer.text()
  const message = text.startsWith('{') ? (JSON.parse(text) as Answer) : messagesIn(text).find((each) => each.result ?? each.error)
  return message?.result ?? {}
}
const namesIn = (result: Record<string, unknown>) => (result['tools'] as { name: string }[]).map(({ name }) => name)
const call = (name: string, message = 'hi') => ({ name, arguments: { message } })
const callsOf = (seen: readonly Seen[]) => seen.filter(({ body }) => body.includes('"tools/call"'))

test('[MCP-2026-07-28-META] a request without the required _meta fields is -32602 with 400', async () => {
  const headers = mirrored('tools/list')
  const { [`${P}clientCapabilities`]: _, ...noCapabilities } = META
  const { [`${P}protocolVersion`]: __, ...noVersion } = META
  for (const params of [undefined, {}, { _meta: {} }, { _meta: noVersion }, { _meta: noCapabilities }])
    expect([params, ...(await refusalOf(await post({ id: 1, method: 'tools/list', ...(params && { params }) }, { headers })))]).toEqual([
      params,
      400,
      -32602,
    ])
})

test('[MCP-2026-07-28-HEADERS] headers that do not mirror the body are -32020 with 400', async () => {
  const before = callsOf(modern.seen).length
  const params = { ...call('modern__echo'), _meta: META }
  const right = mirrored('tools/call', 'modern__echo')
  const { 'mcp-protocol-version': _, ...noVersion } = right
  const { 'mcp-method': __, ...noMethod } = right
  const wrong: Record<string, string>[] = [
    noVersion,
    { ...right, 'mcp-protocol-version': '2025-11-25' },
    noMethod,
    { ...right, 'mcp-method': 'tools/list' },
    mirrored('tools/call'),
    { ...right, 'mcp-name': 'modern__slow' },
    { ...right, 'mcp-name': 'Modern__echo' },
  ]
  for (const headers of wrong)
    expect([headers, ...(await refusalOf(await post({ id: 1, method: 'tools/call', params }, { headers })))]).toEqual([
      headers,
      400,
      -32020,
    ])
  expect(callsOf(modern.seen).length).toBe(before)
  expect((await post({ id: 1, method: 'tools/call', params }, { headers: right })).status).toBe(200)
})

test('[MCP-2026-07-28-VERSION] an unsupported version is -32022 with 400, and says what is supported and was asked for', async () => {
  const _meta = { ...META, [`${P}protocolVersion`]: '2099-01-01' }
  const headers = { ...mirrored('tools/list'), 'mcp-protocol-version': '2099-01-01' }
  const answer = await post({ id: 1, method: 'tools/list', params: { _meta } }, { headers })
  expect(answer.status).toBe(400)
  const { error } = (await answer.json()) as Answer
  expect(error?.code).toBe(-32022)
  expect(error?.data).toEqual({ supported: expect.arrayContaining(['2026-07-28']), requested: '2099-01-01' })
})

test('[MCP-2026-07-28-DISCOVER] server/discover tells versions and capabilities, privately', async () => {
  const answer = await ask('server/discover')
  expect(answer.status).toBe(200)
  const result = await resultOf(answer)
  expect(result['supportedVersions']).toContain('2026-07-28')
  expect(result).toMatchObject({ capabilities: { tools: {} }, cacheScope: 'private', resultType: 'complete', ttlMs: expect.any(Number) })
})

test('[MCP-2026-07-28-UNKNOWN-METHOD] an unknown method is -32601 with 404', async () => {
  for (const method of ['no/such', 'resources/subscribe', 'logging/setLevel', 'toString'])
    expect([method, ...(await refusalOf(await ask(method)))]).toEqual([method, 404, -32601])
})

test('[MCP-2026-07-28-TOOLS-LIST] the granted tools and no others, in one order, not to be shared', async () => {
  const answer = await ask('tools/list')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const result = await resultOf(answer)
  const all = namesIn(result)
  expect(all.length).toBe(COUNT)
  expect(result['cacheScope']).toBe('private')
  const few = await connectApp(running, ada, { profile: 'work', toolIds: (ids) => [ids[5] ?? '', ids[0] ?? '', ids[9] ?? ''] })
  const fewer = namesIn(await resultOf(await ask('tools/list', {}, { bearer: few.access_token })))
  expect(fewer.length).toBe(3)
  expect(fewer).toEqual(all.filter((name) => fewer.includes(name)))
  for (let time = 0; time < 3; time += 1) expect(namesIn(await resultOf(await ask('tools/list')))).toEqual(all)
})

test('[MCP-2026-07-28-TOOLS-CALL] a call reaches the upstream under its own name, and the result comes back whole', async () => {
  const result = await resultOf(await ask('tools/call', call('give')))
  expect(byHand.state.called.at(-1)).toBe('give')
  expect(result).toMatchObject({ ...GIVEN, resultType: 'complete' })
  expect(result['content']).toEqual(GIVEN.content)
  expect((result['_meta'] as Record<string, unknown>)[`${P}serverInfo`]).toMatchObject({ name: 'toolpass-work' })
})

test("[MCP-2026-07-28-PROGRESS] progress comes on the call's own stream with the client's token", async () => {
  for (const name of ['modern__slow', 'legacy__slow']) {
    const answer = await ask('tools/call', call(name, 'done'), {}, { progressToken: `mine ${name}` })
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    const messages = messagesIn(await answer.text())
    const heard = messages.slice(0, -1).map(({ method, params }) => [method, params?.['progressToken'], params?.['progress']])
    expect(heard).toEqual([1, 2, 3].map((step) => ['notifications/progress', `mine ${name}`, step]))
    expect(messages.at(-1)).toMatchObject({ id: 'a-1', result: { content: [{ type: 'text', text: 'done' }] } })
  }
})

test('[MCP-2026-07-28-CANCEL] closing the stream cancels the call at the upstream', async () => {
  for (const meta of [{ progressToken: 'p' }, {}]) {
    const { hanging, left } = byHand.state
    const closing = new AbortController()
    const asked = ask('tools/call', call('hang'), { signal: closing.signal }, meta)
      .then((answer) => answer.text())
      .catch(() => 'closed')
    expect(await eventually(() => byHand.state.hanging === hanging + 1)).toBe(true)
    expect(byHand.state.left).toBe(left)
    closing.abort()
    expect(await asked).toBe('closed')
    expect(await eventually(() => byHand.state.left === left + 1)).toBe(true)
  }
})

const initialize = async (protocolVersion: string, bearer = token) => {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'by hand', version: '1' } }
  const answer = await post({ id: 1, method: 'initialize', params }, { bearer })
  const session = answer.headers.get('mcp-session-id') ?? ''
  return { result: await resultOf(answer), headers: { 'mcp-session-id': session, 'mcp-protocol-version': protocolVersion } }
}

test('[MCP-LEGACY-INITIALIZE] a client of each older revision initialises, lists and calls in a session', async () => {
  for (const revision of ['2025-03-26', '2025-06-18', '2025-11-25']) {
    const { result, headers } = await initialize(revision)
    expect(result).toMatchObject({ protocolVersion: revision, capabilities: { tools: {} }, serverInfo: { name: 'toolpass-work' } })
    expect(headers['mcp-session-id']).toMatch(/^[\x21-\x7e]{20,}$/)
    expect((await post({ method: 'notifications/initialized' }, { headers })).status).toBe(202)
    expect(namesIn(await resultOf(await post({ id: 2, method: 'tools/list' }, { headers }))).length).toBe(COUNT)
    const called = await resultOf(await post({ id: 3, method: 'tools/call', params: call('modern__echo', revision) }, { headers }))
    expect(called).toEqual({ content: [{ type: 'text', text: revision }] })
  }
})

test("[MCP-LEGACY-CANCEL] a legacy client's cancelled notification reaches the upstream", async () => {
  const { headers } = await initialize('2025-11-25')
  const before = legacy.seen.length
  const asked = post({ id: 77, method: 'tools/call', params: { ...call('legacy__slow'), _meta: { progressToken: 'p' } } }, { headers })
  const upstreamCall = () => callsOf(legacy.seen.slice(before))[0]
  expect(await eventually(() => upstreamCall() !== undefined)).toBe(true)
  await post({ method: 'notifications/cancelled', params: { requestId: 77 } }, { headers })
  const cancelled = () => legacy.seen.slice(before).find(({ body }) => body.includes('notifications/cancelled'))
  expect(await eventually(() => cancelled() !== undefined)).toBe(true)
  const { id } = JSON.parse(upstreamCall()?.body ?? '{}') as Answer
  expect(JSON.parse(cancelled()?.body ?? '{}')).toMatchObject({ params: { requestId: id } })
  expect(await (await asked).text()).not.toContain('"result"')

  const { hanging, left } = byHand.state
  const other = post({ id: 78, method: 'tools/call', params: call('hang') }, { headers }).then((answer) => answer.text())
  expect(await eventually(() => byHand.state.hanging === hanging + 1)).toBe(true)
  await post({ method: 'notifications/cancelled', params: { requestId: 78 } }, { headers })
  expect(await eventually(() => byHand.state.left === left + 1)).toBe(true)
  expect(await other).not.toContain('"result"')
})

const requestInit = () => ({ headers: { authorization: `Bearer ${token}` } })
const mcpUrl = () => new URL(`${running.url}/mcp/work`)

test('[MCP-BRIDGE-UP] a client of the current revision uses an upstream of an older one', async () => {
  const client = new ModernClient({ name: 'modern', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new ModernTransport(mcpUrl(), { requestInit: requestInit() }))
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('legacy__echo')
  const heard: number[] = []
  const result = await client.callTool(call('legacy__slow', 'up 🙂'), { onprogress: ({ progress }) => void heard.push(progress) })
  expect(result.content).toEqual([{ type: 'text', text: 'up 🙂' }])
  expect(heard).toEqual([1, 2, 3])
  const seen = callsOf(legacy.seen).at(-1)
  expect(seen?.headers['mcp-protocol-version']).toBe('2025-11-25')
  expect(seen?.body).not.toContain(P)
  await client.close()
})

test('[MCP-BRIDGE-DOWN] a client of an older revision uses an upstream of the current one', async () => {
  const client = new LegacyClient({ name: 'legacy', version: '1' })
  await client.connect(new LegacyTransport(mcpUrl(), { requestInit: requestInit() }) as never)
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('modern__echo')
  const heard: number[] = []
  const result = await client.callTool(call('modern__slow', 'down 🙂'), undefined, {
    onprogress: ({ progress }) => void heard.push(progress),
  })
  expect(result).toEqual({ content: [{ type: 'text', text: 'down 🙂' }] })
  expect(heard).toEqual([1, 2, 3])
  const seen = callsOf(modern.seen).at(-1)
  expect(seen?.headers['mcp-protocol-version']).toBe('2026-07-28')
  expect(JSON.parse(seen?.body ?? '{}')).toMatchObject({ params: { name: 'slow', _meta: { [`${P}protocolVersion`]: '2026-07-28' } } })
  await client.close()
})

test('[HOUSE-UPSTREAM-DOWN] an upstream that is down costs its own tools, says so, and leaves the others alone', async () => {
  const passing = startModernUpstream()
  await addHttpConnection(ada, 'Passing', passing.url)
  await makeProfile(ada, 'Shaky', COUNT + 4)
  const sent = { profile: 'shaky', bearer: (await connectApp(running, ada, { profile: 'shaky' })).access_token }
  expect((await resultOf(await ask('tools/call', call('passing__echo', 'up'), sent)))['content']).toEqual([{ type: 'text', text: 'up' }])
  await passing.stop()
  for (let time = 0; time < 2; time += 1) {
    const down = await resultOf(await ask('tools/call', call('passing__echo'), sent))
    expect(down).toMatchObject({ isError: true, content: [{ type: 'text', text: expect.stringContaining('cannot be reached') }] })
  }
  for (const name of ['modern__echo', 'legacy__echo']) {
    const result = await resultOf(await ask('tools/call', call(name, 'still here'), sent))
    expect(result['isError'] ?? false).toBe(false)
    expect(result['content']).toEqual([{ type: 'text', text: 'still here' }])
  }
  expect(namesIn(await resultOf(await ask('tools/list', {}, sent)))).toEqual(
    expect.arrayContaining(['modern__echo', 'legacy__echo', 'give']),
  )
})

test('[HOUSE-REVOKE] after a revocation the next request is 401, and open streams end within a second', async () => {
  const appIds = async () => new Set([...(await (await browser.get('/apps')).text()).matchAll(/\/apps\/(\w+)/g)].map(([, id = '']) => id))
  const before = await appIds()
  const bearer = (await connectApp(running, ada, { profile: 'work' })).access_token
  const [id] = [...(await appIds())].filter((each) => !before.has(each))
  const { hanging, left } = byHand.state
  const { headers } = await initialize('2025-11-25', bearer)
  const open = await Promise.all([
    fetch(mcpUrl(), { headers: { ...headers, authorization: `Bearer ${bearer}`, accept: 'text/event-stream' } }),
    ask('subscriptions/listen', { notifications: { toolsListChanged: true } }, { bearer }),
    ask('tools/call', call('hang'), { bearer }, { progressToken: 'p' }),
  ])
  expect(open.map(({ status }) => status)).toEqual([200, 200, 200])
  let ended = 0
  const texts = open.map((answer) => answer.text().finally(() => (ended += 1)))
  expect(await eventually(() => byHand.state.hanging === hanging + 1)).toBe(true)
  await Bun.sleep(100)
  expect(ended).toBe(0)
  const from = performance.now()
  expect((await browser.post(`/apps/${id}/revoke`, {})).status).toBe(303)
  expect((await ask('tools/list', {}, { bearer })).status).toBe(401)
  await Promise.all(texts)
  expect(performance.now() - from).toBeLessThan(1_000)
  expect(await eventually(() => byHand.state.left === left + 1, 1_000)).toBe(true)
  expect((await ask('tools/list')).status).toBe(200)
})

test('[MCP-EXPOSED-NAMES] exposed names fit what clients accept, are stable, and two tools never share one', async () => {
  const before = namesIn(await resultOf(await ask('tools/list')))
  for (const name of before) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
  expect(new Set(before).size).toBe(COUNT)
  // Each still means a tool of its own, however alike they look.
  const called: string[] = []
  for (const name of before.filter((each) => each === 'give' || each.startsWith('hand__'))) {
    await (await ask('tools/call', call(name))).text()
    called.push(byHand.state.called.at(-1) ?? '')
  }
  expect(called.sort()).toEqual(NAMES.filter((name) => name !== 'hang').sort())
  await running.stop()
  running = await startToolpass({ dataDir: running.dataDir, port: running.port })
  expect(namesIn(await resultOf(await ask('tools/list')))).toEqual(before)
})
test('[MCP-2026-07-28-NAME-HEADER] an upstream gets its own name encoded, and Mcp-Param headers as they came', async () => {
  const naive = namesIn(await resultOf(await ask('tools/list'))).find((name) => name.startsWith('modern__na')) ?? ''
  await (await ask('tools/call', call('modern__echo'), { headers: { 'mcp-param-region': 'eu-west' } })).text()
  expect(callsOf(modern.seen).at(-1)?.headers['mcp-name']).toBe('echo')
  expect(callsOf(modern.seen).at(-1)?.headers['mcp-param-region']).toBe('eu-west')
  await (await ask('tools/call', call(naive))).text()
  expect(callsOf(modern.seen).at(-1)?.headers['mcp-name']).toBe(`=?base64?${Buffer.from('naïve name').toString('base64')}?=`)
})

test('[MCP-LEGACY-SESSION] an unknown session is 404, and a session answers only to who opened it', async () => {
  const { headers } = await initialize('2025-11-25')
  const list = { id: 2, method: 'tools/list' }
  expect((await post(list, { headers })).status).toBe(200)
  expect((await post(list, { headers: { ...headers, 'mcp-session-id': crypto.randomUUID() } })).status).toBe(404)
  const other = await connectApp(running, ada, { profile: 'work' })
  expect((await post(list, { headers, bearer: other.access_token })).status).toBe(404)
})
