import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { createAudit, createCounting, createTrace } from '@/audit'
import { createClients } from '@/clients'
import { createConnections } from '@/connections'
import { createGateway, mcpRoutes, type Verified } from '@/gateway'
import { createApprovals, createGrants, createKept, createLimits } from '@/grants'
import { createFront } from '@/http/incoming.ts'
import { createChanges } from '@/lib/changes.ts'
import { createOutbound } from '@/lib/outbound.ts'
import type { ToolId } from '@/lib/ids.ts'
import { createLog } from '@/lib/log.ts'
import { createAddresses } from '@/lib/url.ts'
import { createProfiles } from '@/profiles'
import { openKeys, openStore } from '@/store'
import { createUsers, type User } from '@/users'
import { openHouse as openChannels } from '../support/channels.ts'
import { eventually } from '../support/outside.ts'
import { startLegacyUpstream, startModernUpstream } from '../support/upstreams.ts'

const ORIGIN = 'http://localhost:7000'
const EVERYTHING = resolve(import.meta.dir, '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const modern = startModernUpstream()
const legacy = startLegacyUpstream()

/** The rooms from the store to the gateway as `app` builds them; only the token's meaning is made up. */
async function openRooms() {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-'))
  const channels = openChannels()
  const clock = Date.now
  const faults: string[] = []
  const log = createLog({ level: 'error', format: 'json', write: (line) => void faults.push(line) })
  const store = openStore(folder)
  const sealer = await openKeys(store, crypto.getRandomValues(new Uint8Array(32)))
  const changes = createChanges((error) => log.error('change', error))
  const audit = createAudit({ store, sealer, clock })
  const trace = createTrace({ clock })
  const users = createUsers({ store, audit, clock, changes })
  const clients = createClients({ store, clock, audit, changes, trace, outbound: createOutbound({}) })
  const connections = createConnections({
    store,
    sealer,
    audit,
    plugins: channels.plugins,
    users,
    changes,
    clock,
    log,
    outbound: createOutbound({}),
  })
  const profiles = createProfiles({ store, audit, changes, clock, connections })
  const grants = createGrants({ store, clock, audit, changes })
  const approvals = createApprovals({ store, sealer, clock, audit, changes, grants, notices: { tell: () => undefined } })
  const addresses = createAddresses({ url: undefined, insecureHttp: true })
  const tokens = new Map<string, Verified>()
  const gateway = createGateway({
    store,
    sealer,
    trace,
    oauth: { verify: async (bearer) => tokens.get(bearer) },
    grants,
    limits: await createLimits({ store, audit, clock, counting: createCounting({ store }) }),
    kept: createKept({ store, sealer, clock }),
    approvals,
    profiles,
    connections,
    clients,
    audit,
    users,
    clock,
    addresses,
    config: { allowedOrigins: ['https://app.example'] },
    log,
  })
  changes.subscribe('grant-ended', ({ grantId }) => gateway.endOf(grantId))
  changes.subscribe('profile-changed', ({ profileId }) => gateway.profileChanged(profileId))
  changes.subscribe('tools-changed', ({ connectionId }) => void profiles.toolsChanged(connectionId))
  const app = mcpRoutes({ gateway })
  const front = createFront({ addresses, trustedProxies: [] })
  const fetchIt = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(url, init)
    if (!request.headers.has('host')) request.headers.set('host', 'localhost:7000')
    front.admit(request, '127.0.0.1')
    return app.fetch(request)
  }
  const close = async () => {
    gateway.close()
    await connections.close()
    await channels.close()
    await audit.flush()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { store, users, clients, connections, profiles, grants, audit, tokens, gateway, fetchIt, faults, close }
}
type Rooms = Awaited<ReturnType<typeof openRooms>>

let rooms: Rooms
let user: User
const exposed: Record<string, ToolId> = {}

async function addConnection(name: string, url: string) {
  const asked = { connector: 'streamable-http', name, visibility: 'private' as const, settings: { url, headers: { 'x-api-key': 'k-123' } } }
  const connection = await rooms.connections.add(user, asked)
  await rooms.connections.waitForProbe(connection.id)
  return connection
}

/** A profile with the tools, and a token for it. */
async function grantFor(title: string, toolIds: ToolId[], bearer: string, granted = toolIds) {
  const profile = await rooms.profiles.create(user, { title })
  await rooms.profiles.setTools(user, profile.id, toolIds)
  const metadata = { client_name: 'Test', redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' }
  const { client } = await rooms.clients.register(metadata, '127.0.0.1', { origin: 'http://localhost', base: '' })
  const grant = await rooms.store.transact((tx) =>
    rooms.grants.create(tx, {
      userId: user.id,
      clientId: client.id,
      profileId: profile.id,
      reach: 'profile',
      toolIds: granted,
      deviceName: 'Test',
      expiresAt: null,
    }),
  )
  const resource = `${ORIGIN}/mcp/${profile.name}`
  rooms.tokens.set(bearer, { userId: user.id, clientId: client.id, grantId: grant.id, profileId: profile.id, resource, scope: 'mcp' })
  return { profile, grant, url: new URL(resource) }
}

const headersOf = (bearer: string) => ({ authorization: `Bearer ${bearer}` })
async function legacyClient(url: URL, bearer: string) {
  const client = new LegacyClient({ name: 'legacy-test', version: '1' })
  const transport = new LegacyTransport(url, { fetch: rooms.fetchIt as never, requestInit: { headers: headersOf(bearer) } })
  await client.connect(transport as never)
  return client
}
async function modernClient(url: URL, bearer: string) {
  const client = new ModernClient({ name: 'modern-test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new ModernTransport(url, { fetch: rooms.fetchIt as never, requestInit: { headers: headersOf(bearer) } }))
  return client
}
const CLIENTS = [
  { era: '2025-11-25 (SDK 1)', connect: legacyClient as (url: URL, bearer: string) => Promise<LegacyClient> },
  { era: '2026-07-28 (SDK 2)', connect: modernClient as never as (url: URL, bearer: string) => Promise<LegacyClient> },
]

const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text
const post = (url: URL, body: unknown, headers: Record<string, string> = {}) =>
  rooms.fetchIt(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const rpc = (method: string, params: object = {}, id = 1) => ({ jsonrpc: '2.0', id, method, params })

let main: Awaited<ReturnType<typeof grantFor>>
beforeAll(async () => {
  rooms = await openRooms()
  user = await rooms.users.create('command line', { username: 'root', role: 'admin' })
  const added = [await addConnection('Modern', modern.url), await addConnection('Legacy', legacy.url)]
  for (const connection of added)
    for (const tool of await rooms.connections.tools([connection.id])) exposed[`${connection.prefix} ${tool.name}`] = tool.id
  main = await grantFor('Main', Object.values(exposed), 'good')
})
afterAll(async () => {
  await rooms.close()
  await Promise.all([modern.stop(), legacy.stop()])
})

describe('a connection', () => {
  test('is tried in plain words, remembers the revision, and keeps its secret out of the row', async () => {
    const [first, second] = await rooms.connections.list(user)
    expect([first?.revision, second?.revision].sort()).toEqual(['2025-11-25', '2026-07-28'])
    expect(JSON.stringify([first, second])).not.toContain('k-123')
    expect(modern.seen.at(-1)?.headers['x-api-key']).toBe('k-123')
    const { steps, done } = rooms.connections.probeOf(first!.id)
    expect(done).toBe(true)
    expect(steps.map((step) => step.state)).toEqual(['ok', 'ok', 'ok'])
    expect(first?.status).toBe('ready')
  })
  test('that nobody answers on says so, in its probe and in its row', async () => {
    const dead = await addConnection('Dead', 'http://127.0.0.1:9/mcp')
    expect(rooms.connections.probeOf(dead.id).steps[0]?.state).toBe('failed')
    expect((await rooms.connections.demand(user, dead.id)).status).toBe('failing')
    await rooms.connections.remove(user, dead.id)
  })
  test('that is changed is tried again with what it says now, and a secret that was left out is kept', async () => {
    const moved = await addConnection('Moved', 'http://127.0.0.1:9/mcp')
    await rooms.connections.update(user, moved.id, { name: 'Moved', visibility: 'private', settings: { url: modern.url } })
    await rooms.connections.waitForProbe(moved.id)
    expect((await rooms.connections.demand(user, moved.id)).status).toBe('ready')
    expect(modern.seen.at(-1)?.headers['x-api-key']).toBe('k-123')
    await rooms.connections.remove(user, moved.id)
    expect(rooms.connections.reach(moved.id, user.id)).rejects.toThrow('does not exist')
  })
  test('of a program is for administrators, and works', async () => {
    const settings = { command: 'javascript', args: [EVERYTHING, 'stdio'], env: {} }
    const member = await rooms.users.create('command line', { username: 'member', role: 'member' })
    const asked = { connector: 'stdio', name: 'Everything', visibility: 'private' as const, settings }
    expect(rooms.connections.add(member, asked)).rejects.toThrow('administrator')
    const connection = await rooms.connections.add(user, asked)
    await rooms.connections.waitForProbe(connection.id)
    expect(rooms.connections.probeOf(connection.id).steps.map((step) => step.text)).toContain('It answers.')
    expect((await rooms.connections.tools([connection.id])).length).toBeGreaterThan(3)
    expect(rooms.connections.demand(member, connection.id)).rejects.toThrow('does not exist')
    await rooms.connections.remove(user, connection.id)
  })
})

describe.each(CLIENTS)('a client of $era', ({ connect }) => {
  test('lists the tools of both servers under names that differ, and calls each', async () => {
    const client = await connect(main.url, 'good')
    if (connect !== CLIENTS[0]!.connect) expect((client as never as ModernClient).getNegotiatedProtocolVersion()).toBe('2026-07-28')
    const names = (await client.listTools()).tools.map((tool) => tool.name)
    expect(names).toContain('modern__echo')
    expect(names).toContain('legacy__echo')
    for (const name of ['modern__echo', 'legacy__echo'])
      expect(textOf(await client.callTool({ name, arguments: { message: `to ${name} 🙂` } }))).toBe(`to ${name} 🙂`)
    expect(client.getServerVersion()?.title).toBe('Main')
    await client.close()
  })
  test('hears progress under its own token, from either server', async () => {
    const client = await connect(main.url, 'good')
    for (const name of ['modern__slow', 'legacy__slow']) {
      const heard: number[] = []
      await client.callTool({ name, arguments: {} }, undefined as never, { onprogress: ({ progress }) => void heard.push(progress) })
      // The second SDK takes its options in the second place.
      if (heard.length === 0)
        await (client as never as ModernClient).callTool(
          { name, arguments: {} },
          { onprogress: ({ progress }) => void heard.push(progress) },
        )
      expect(heard).toEqual([1, 2, 3])
    }
    await client.close()
  })
  test('gets one answer for a tool that is not there and one that is not granted', async () => {
    const some = await grantFor(`Some ${connect.name}`, Object.values(exposed), `some ${connect.name}`.replace(' ', '-'), [
      exposed['modern echo']!,
    ])
    const client = await connect(some.url, `some ${connect.name}`.replace(' ', '-'))
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['modern__echo'])
    const problem = async (name: string) =>
      client.callTool({ name, arguments: {} }).then(
        () => 'answered',
        (error: { code: number; message: string }) => `${error.code} ${error.message.replaceAll(name, 'NAME')}`,
      )
    expect(await problem('legacy__echo')).toContain('-32602')
    expect(await problem('legacy__echo')).toBe(await problem('legacy__none'))
    await client.close()
  })
  test('gives up a call, and the upstream is told in its own way', async () => {
    const client = await connect(main.url, 'good')
    const before = legacy.seen.length
    const options = { signal: AbortSignal.timeout(30), onprogress: () => {} }
    const call =
      connect === CLIENTS[0]!.connect
        ? client.callTool({ name: 'legacy__slow' }, undefined as never, options)
        : (client as never as ModernClient).callTool({ name: 'legacy__slow' }, options)
    expect(
      await call.then(
        () => 'answered',
        () => 'given up',
      ),
    ).toBe('given up')
    expect(await eventually(() => legacy.seen.slice(before).some((seen) => seen.body.includes('notifications/cancelled')))).toBe(true)
    await client.close()
  })
  test('never has its token passed on', async () => {
    const client = await connect(main.url, 'good')
    await client.callTool({ name: 'modern__echo', arguments: {} })
    await client.callTool({ name: 'legacy__echo', arguments: {} })
    expect(JSON.stringify([modern.seen, legacy.seen])).not.toContain('Bearer')
    await client.close()
  })
})

describe('the way in', () => {
  const list = rpc('tools/list')
  const where = 'resource_metadata="http://localhost:7000/.well-known/oauth-protected-resource/mcp/main", scope="mcp"'
  test('without a token names the metadata and no error; with a bad one says so', async () => {
    const none = await post(main.url, list)
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, `Bearer ${where}`])
    const bad = await post(main.url, list, headersOf('bad'))
    expect(bad.status).toBe(401)
    expect(bad.headers.get('www-authenticate')).toContain(`${where}, error="invalid_token"`)
  })
  test('is closed to a token of another profile, as to one of none', async () => {
    await grantFor('Other', [], 'other')
    for (const path of ['main', 'nowhere'])
      expect((await post(new URL(`${ORIGIN}/mcp/${path}`), list, headersOf('other'))).status).toBe(401)
    expect((await post(new URL(`${ORIGIN}/mcp`), list, headersOf('good'))).status).toBe(401)
  })
  test.each([
    ['https://evil.example', 403],
    ['null', 403],
    ['http://localhost.evil.example', 403],
    ['http://localhost:5173', 200],
    ['https://app.example', 200],
    [ORIGIN, 200],
  ])('for a page of %s is %d', async (origin, status) => {
    expect((await post(main.url, list, { ...headersOf('good'), origin })).status).toBe(status)
  })
  test('says that the user paused the app', async () => {
    rooms.tokens.set('paused', { ...rooms.tokens.get('good')!, paused: true })
    const response = await post(main.url, list, headersOf('paused'))
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('paused')
  })
  test.each([
    ['no JSON', '{', 400],
    ['too deep', `${'['.repeat(100)}${']'.repeat(100)}`, 400],
    ['a batch', '[]', 400],
    ['too large', `"${'x'.repeat(4 * 1024 * 1024)}"`, 413],
  ])('refuses a body that is %s', async (_, body, status) => {
    expect((await post(main.url, body, headersOf('good'))).status).toBe(status)
  })
})

describe('revision 2026-07-28', () => {
  const META = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const version = { 'mcp-protocol-version': '2026-07-28' }
  const call = { name: 'modern__echo', arguments: {}, _meta: META }
  test.each([
    ['a method that differs', rpc('tools/list', { _meta: META }), { ...version, 'mcp-method': 'tools/call' }, 400, -32020],
    ['a name that differs', rpc('tools/call', call), { ...version, 'mcp-method': 'tools/call', 'mcp-name': 'x' }, 400, -32020],
    ['no version header', rpc('tools/list', { _meta: META }), { 'mcp-method': 'tools/list' }, 400, -32020],
    ['no _meta', rpc('tools/list'), { ...version, 'mcp-method': 'tools/list' }, 400, -32602],
    ['a version nobody knows', rpc('tools/list'), { 'mcp-protocol-version': '2099-01-01' }, 400, -32022],
    ['an unknown method', rpc('no/such', { _meta: META }), { ...version, 'mcp-method': 'no/such' }, 404, -32601],
  ] as const)('%s is refused', async (_, body, headers, status, code) => {
    const response = await post(main.url, body, { ...headersOf('good'), ...headers })
    expect([response.status, ((await response.json()) as { error: { code: number } }).error.code]).toEqual([status, code])
  })
  test('a name in base64 is read, and lists say how long they hold for whom', async () => {
    const name = `=?base64?${Buffer.from('modern__echo').toString('base64')}?=`
    const called = await post(main.url, rpc('tools/call', call), {
      ...headersOf('good'),
      ...version,
      'mcp-method': 'tools/call',
      'mcp-name': name,
    })
    expect(((await called.json()) as { result: { resultType: string } }).result.resultType).toBe('complete')
    const listed = await post(main.url, rpc('tools/list', { _meta: META }), {
      ...headersOf('good'),
      ...version,
      'mcp-method': 'tools/list',
    })
    expect((await listed.json()) as object).toMatchObject({ result: { ttlMs: 60_000, cacheScope: 'private', resultType: 'complete' } })
  })
  test('a subscription is acknowledged, told of changes, and ends with its grant', async () => {
    const { url, grant, profile } = await grantFor('Listening', [exposed['modern echo']!], 'listening')
    const body = rpc('subscriptions/listen', { _meta: META, notifications: { toolsListChanged: true } }, 7)
    const response = await post(url, body, { ...headersOf('listening'), ...version, 'mcp-method': 'subscriptions/listen' })
    const text = response.text()
    await rooms.profiles.setTools(user, profile.id, [])
    // Changes that come together are told together.
    await Bun.sleep(200)
    await rooms.grants.revoke(user, grant.id)
    const all = await text
    expect(all.indexOf('acknowledged')).toBeGreaterThan(0)
    expect(all.indexOf('tools/list_changed')).toBeGreaterThan(all.indexOf('acknowledged'))
    expect(all).toContain('"io.modelcontextprotocol/subscriptionId":7')
    expect((await post(url, rpc('tools/list'), headersOf('listening'))).status).toBe(401)
  })
})

describe('older revisions', () => {
  const initialize = async (protocolVersion: string) => {
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    const response = await post(main.url, rpc('initialize', params), headersOf('good'))
    expect(response.headers.get('mcp-session-id')).toMatch(/^[\w-]{20,}\.[\w-]{40,}$/)
    return ((await response.json()) as { result: { protocolVersion: string } }).result.protocolVersion
  }
  test('are agreed on where we know them', async () => {
    expect(await initialize('2025-03-26')).toBe('2025-03-26')
    expect(await initialize('2025-06-18')).toBe('2025-06-18')
    expect(await initialize('1999-01-01')).toBe('2025-11-25')
  })
  test('may open thirty-two streams for a user and no more', async () => {
    const ending = new AbortController()
    const { url } = await grantFor('Streams', [], 'streams')
    const get = () => rooms.fetchIt(url, { headers: { ...headersOf('streams'), accept: 'text/event-stream' }, signal: ending.signal })
    const answers = await Promise.all(Array.from({ length: 40 }, get))
    const refused = answers.filter((answer) => answer.status === 429).length
    expect(refused).toBeGreaterThanOrEqual(8)
    ending.abort()
    expect(await eventually(async () => (await get()).status === 200)).toBe(true)
  })
  test('give the room of their streams back when a session ends', async () => {
    const { url } = await grantFor('Ending', [], 'ending')
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    for (let count = 0; count < 40; count += 1) {
      const opened = await post(url, rpc('initialize', params), headersOf('ending'))
      const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '', ...headersOf('ending') }
      const stream = await rooms.fetchIt(url, { headers: { ...session, accept: 'text/event-stream' } })
      expect([count, stream.status]).toEqual([count, 200])
      expect((await rooms.fetchIt(url, { method: 'DELETE', headers: session })).status).toBe(200)
      expect(await stream.text()).toContain('retry:')
    }
  })
  test('cancel a call by a notification, and the upstream hears of it', async () => {
    const before = legacy.seen.length
    const { grant, url } = main
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    const opened = await post(url, rpc('initialize', params), headersOf('good'))
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '', ...headersOf('good') }
    const answered = post(url, rpc('tools/call', { name: 'legacy__slow', _meta: { progressToken: 'p' } }, 99), session)
    const text = (await answered).text()
    await eventually(() => legacy.seen.slice(before).some((seen) => seen.body.includes('tools/call')))
    await post(url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 99 } }, session)
    expect(await text).not.toContain('"result"')
    expect(await eventually(() => legacy.seen.slice(before).some((seen) => seen.body.includes('notifications/cancelled')))).toBe(true)
    await rooms.audit.flush()
    expect((await rooms.audit.list({ grantId: grant.id, limit: 1 }))[0]?.outcome).toBe('cancelled')
  })
})

describe('an upstream', () => {
  test('that announces a change is listed again, and what did not change stays as it was', async () => {
    const listings = () => legacy.seen.filter((seen) => seen.body.includes('tools/list')).length
    const before = listings()
    const ids = (await rooms.connections.list(user)).map((connection) => connection.id)
    const tools = await rooms.connections.tools(ids)
    await legacy.announce()
    expect(await eventually(() => listings() > before)).toBe(true)
    await Bun.sleep(50)
    expect(await rooms.connections.tools(ids)).toEqual(tools)
  })
  test('that forgot the session is opened anew, once, without the client noticing', async () => {
    legacy.forget()
    const client = await legacyClient(main.url, 'good')
    expect(textOf(await client.callTool({ name: 'legacy__echo', arguments: { message: 'again' } }))).toBe('again')
    await client.close()
  })
  test('that is down costs its tools alone, and its calls say so in words', async () => {
    const passing = startModernUpstream()
    const connection = await addConnection('Passing', passing.url)
    const ids = (await rooms.connections.tools([connection.id])).map((tool) => tool.id)
    const { url } = await grantFor('Passing', [...ids, exposed['modern echo']!], 'passing')
    await passing.stop()
    const client = await legacyClient(url, 'passing')
    expect((await client.listTools()).tools.length).toBe(5)
    const result = await client.callTool({ name: 'passing__echo', arguments: {} })
    expect(result.isError).toBe(true)
    expect(textOf(result)).not.toContain('127.0.0.1')
    expect((await client.callTool({ name: 'modern__echo', arguments: {} })).isError).toBeFalsy()
    await client.close()
  })
  test('whose calls were served or refused leaves a row for each, with the names as they were', async () => {
    await rooms.audit.flush()
    const rows = await rooms.audit.list({ kind: 'call', limit: 200 })
    expect(new Set(rows.map((row) => row.outcome))).toEqual(new Set(['ok', 'refused', 'cancelled', 'failed']))
    const served = rows.find((row) => row.subject === 'legacy__echo' && row.outcome === 'ok')
    expect(served).toMatchObject({ userName: 'root', clientName: 'Test', connectionName: 'Legacy', profileName: 'Main' })
    expect(rooms.faults).toEqual([])
  })
})
