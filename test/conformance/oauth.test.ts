/** The authorization server as its specifications have it, asked from outside of a running Toolpass. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { valuesOf } from '../../bench/person.ts'
import { addHttpConnection, CALLBACK, makeProfile, type Person, readMcp, register, signedIn, type Tokens } from '../support/journey.ts'
import { createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

type Json = Record<string, unknown>
type Told = { status: number; headers: Headers; body: Json }

const WELL_KNOWN_SERVER = '/.well-known/oauth-authorization-server'
const WELL_KNOWN_RESOURCE = '/.well-known/oauth-protected-resource'
const TOOLS = [
  { name: 'look_up', inputSchema: { type: 'object' as const }, annotations: { readOnlyHint: true } },
  { name: 'put_down', inputSchema: { type: 'object' as const }, annotations: { readOnlyHint: false, destructiveHint: false } },
  { name: 'wipe_out', inputSchema: { type: 'object' as const }, annotations: { readOnlyHint: false, destructiveHint: true } },
]

/** One tool of each kind. */
function startUpstream() {
  const handler = createMcpHandler(
    () => {
      const server = new Server({ name: 'kinds', version: '1.0.0' }, { capabilities: { tools: {} } })
      server.setRequestHandler('tools/list', async () => ({ tools: TOOLS }))
      return server
    },
    { legacy: 'reject' },
  )
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => handler.fetch(request) })
  return { url: `http://127.0.0.1:${server.port}/mcp`, stop: async () => (await handler.close(), server.stop(true)) }
}

let running: Running
let ada: Person
const upstream = startUpstream()

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  await addHttpConnection(ada, 'Kinds', upstream.url)
  await makeProfile(ada, 'Work', TOOLS.length)
  await makeProfile(ada, 'Home', TOOLS.length)
})
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
})

const told = async (answer: Response): Promise<Told> => {
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? {} : (JSON.parse(text) as Json) }
}
const read = async (path: string) => told(await fetch(running.url + path))
const send = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  told(await fetch(running.url + path, { method: 'POST', body: new URLSearchParams(form), headers }))
const registerAs = async (metadata: Json) =>
  told(
    await fetch(`${running.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(metadata),
    }),
  )
const fault = ({ status, body }: Told) => [status, body['error']]

const sha256 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('base64url')
const newVerifier = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
const work = () => `${running.url}/mcp/work`

/** A whole authorization request; `undefined` leaves a parameter out. */
function asking(clientId: string, verifier: string, changed: Record<string, string | undefined> = {}): string {
  const all: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    code_challenge: sha256(verifier),
    code_challenge_method: 'S256',
    resource: work(),
    scope: 'mcp offline_access',
    state: 'st&te=1',
    ...changed,
  }
  const query = new URLSearchParams(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined))
  return `/oauth/authorize?${query}`
}

type Choice = { clientId?: string; changed?: Record<string, string | undefined>; toolIds?: (all: string[]) => string[]; name?: string }

/** As far as the code. */
async function letIn({ clientId, changed = {}, toolIds = (all) => all, name = 'app' }: Choice = {}) {
  const known = clientId ?? (await register(running, { client_name: name }))
  const verifier = newVerifier()
  const page = await ada.open(asking(known, verifier, changed))
  const tools = toolIds(valuesOf(page.html, 'tool_id'))
  const { location = '' } = await ada.submit(page, '/oauth/authorize/decide', { decision: 'allow', tool_id: tools, expires: 'never' })
  const back = new URL(location)
  return { clientId: known, verifier, back, code: back.searchParams.get('code') ?? '' }
}
type LetIn = Awaited<ReturnType<typeof letIn>>

const redeem = ({ clientId, verifier, code }: LetIn, changed: Record<string, string> = {}) =>
  send('/oauth/token', { grant_type: 'authorization_code', code, client_id: clientId, code_verifier: verifier, ...changed })

async function connected(choice: Choice = {}): Promise<Tokens & { clientId: string }> {
  const app = await letIn(choice)
  const { status, body } = await redeem(app)
  expect(status).toBe(200)
  return { ...(body as Tokens), clientId: app.clientId }
}
const refresh = (clientId: string, token: string, more: Record<string, string> = {}) =>
  send('/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: clientId, ...more })

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }

/** Lists tools at an address, which may be `/mcp` itself. */
const list = (path: string, token?: string) =>
  fetch(running.url + path, {
    method: 'POST',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/list',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } }),
  })
const statusAt = async (path: string, token: string) => (await list(path, token)).status
const namesAt = async (path: string, token: string) => {
  const { result } = await readMcp(await list(path, token))
  return ((result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
}

test('[ABUSE-28] the consent page forbids every frame, in both ways that browsers know', async () => {
  const browser = createBrowser(running.url)
  await browser.post('/login', { username: 'ada', password: 'correct horse battery' })
  const answer = await browser.get(asking(await register(running), newVerifier()))
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('action="/oauth/authorize/decide"')])
  const policy = (answer.headers.get('content-security-policy') ?? '').split(';').map((each) => each.trim())
  expect(policy).toContain("frame-ancestors 'none'")
  expect(answer.headers.get('x-frame-options')).toBe('DENY')
})

test('[RFC9728-3.1] resource metadata answers for any well-formed name alike, and at the root as /mcp', async () => {
  const of = async (path: string) => {
    const { status, body } = await read(WELL_KNOWN_RESOURCE + path)
    expect([path, status]).toEqual([path, 200])
    return body
  }
  const there = await of('/mcp/work')
  const missing = await of('/mcp/nobody-has-it')
  expect(there['resource']).toBe(work())
  expect(missing).toEqual({ ...there, resource: `${running.url}/mcp/nobody-has-it` })
  expect(await of('/mcp')).toEqual({ ...there, resource: `${running.url}/mcp` })
  expect(await of('')).toEqual(await of('/mcp'))
  expect((await fetch(`${running.url + WELL_KNOWN_RESOURCE}/mcp/No%20Name`)).status).toBe(404)
})

test('[RFC9728-5.1] without a token: 401, and the address of the metadata, which is about this very resource', async () => {
  for (const path of ['/mcp', '/mcp/work', '/mcp/nobody-has-it']) {
    const answer = await list(path)
    expect([path, answer.status]).toEqual([path, 401])
    const [, address = ''] = /^Bearer .*\bresource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '') ?? []
    expect(address).toBe(running.url + WELL_KNOWN_RESOURCE + path)
    expect((await told(await fetch(address))).body['resource']).toBe(running.url + path)
  }
})

test('[RFC6750-3.1] no error where there was no token, invalid_token where there was a bad one', async () => {
  const none = (await list('/mcp/work')).headers.get('www-authenticate') ?? ''
  expect(none).toStartWith('Bearer ')
  expect(none).not.toContain('error')
  for (const bad of ['nonsense', `tpa_${'x'.repeat(43)}`]) {
    const answer = await list('/mcp/work', bad)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer .*error="invalid_token"/)])
  }
})

test('[RFC6749-4.1.2.1] an unknown client or redirect URI is shown, every other fault goes back with error and state', async () => {
  const clientId = await register(running)
  const verifier = newVerifier()
  const untrusted: Record<string, string | undefined>[] = [
    { client_id: 'nobody' },
    { client_id: undefined },
    { redirect_uri: 'https://evil.example/callback' },
    { redirect_uri: `${CALLBACK}/more` },
    { redirect_uri: undefined },
  ]
  for (const changed of untrusted) {
    const page = await ada.open(asking(clientId, verifier, changed))
    expect([changed, page.status, page.location]).toEqual([changed, 400, undefined])
    expect(page.html).toContain('This app cannot be let in')
    expect(page.html).not.toContain('/oauth/authorize/decide')
  }
  const faults: [Record<string, string | undefined>, string][] = [
    [{ response_type: undefined }, 'invalid_request'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_mode: 'fragment' }, 'invalid_request'],
    [{ code_challenge: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge_method: undefined }, 'invalid_request'],
    [{ scope: 'everything' }, 'invalid_scope'],
    [{ resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    [{ request: 'eyJ9' }, 'request_not_supported'],
    [{ request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
    [{ prompt: 'none' }, 'consent_required'],
  ]
  for (const [changed, error] of faults) {
    const { location = '' } = await ada.open(asking(clientId, verifier, changed))
    expect([changed, location.startsWith(`${CALLBACK}?`)]).toEqual([changed, true])
    const { searchParams } = new URL(location)
    expect([changed, searchParams.get('error'), searchParams.get('state')]).toEqual([changed, error, 'st&te=1'])
    expect(searchParams.has('code')).toBe(false)
  }
})

test('[RFC6749-5.1] answers with tokens, and those without, are not to be stored', async () => {
  const app = await letIn()
  const first = await redeem(app)
  const { access_token, refresh_token, token_type, expires_in } = first.body as Tokens
  expect([access_token, token_type, expires_in]).toEqual([expect.any(String), 'Bearer', expect.any(Number)])
  const second = await refresh(app.clientId, refresh_token)
  const refused = await refresh(app.clientId, 'nonsense')
  expect([first.status, second.status, refused.status]).toEqual([200, 200, 400])
  for (const { headers } of [first, second, refused])
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
})

test('[RFC6749-5.2] invalid_client is 401, the other errors are 400 and each has its name', async () => {
  const app = await letIn()
  const other = await register(running)
  const { body: confidential } = await registerAs({ redirect_uris: [CALLBACK], token_endpoint_auth_method: 'client_secret_basic' })
  const secretive = String(confidential['client_id'])
  const token = (form: Record<string, string>, headers: Record<string, string> = {}) => send('/oauth/token', form, headers)
  const code = { grant_type: 'authorization_code', code: 'x', code_verifier: app.verifier }
  const basic = { authorization: `Basic ${btoa(`${secretive}:wrong`)}` }

  for (const refused of [
    await token({ ...code, client_id: 'nobody' }),
    await token(code),
    await token({ ...code, client_id: secretive }),
    await token({ ...code, client_id: secretive, client_secret: 'wrong' }),
  ])
    expect(fault(refused)).toEqual([401, 'invalid_client'])
  const challenged = await token(code, basic)
  expect(fault(challenged)).toEqual([401, 'invalid_client'])
  expect(challenged.headers.get('www-authenticate')).toStartWith('Basic')

  const own = { client_id: app.clientId }
  expect(fault(await token(own))).toEqual([400, 'invalid_request'])
  expect(fault(await token({ ...own, grant_type: 'authorization_code' }))).toEqual([400, 'invalid_request'])
  expect(fault(await token({ ...own, grant_type: 'refresh_token' }))).toEqual([400, 'invalid_request'])
  expect(fault(await token({ ...own, grant_type: 'password' }))).toEqual([400, 'unsupported_grant_type'])
  expect(fault(await token({ ...own, ...code }))).toEqual([400, 'invalid_grant'])
  expect(fault(await redeem(app, { client_id: other }))).toEqual([400, 'invalid_grant'])
  expect(fault(await redeem(app, { redirect_uri: 'http://127.0.0.1:9/other' }))).toEqual([400, 'invalid_grant'])
  expect(fault(await redeem(app, { resource: `${running.url}/mcp/home` }))).toEqual([400, 'invalid_target'])
  const { refresh_token } = (await redeem(app)).body as Tokens
  expect(fault(await refresh(app.clientId, refresh_token, { scope: 'everything' }))).toEqual([400, 'invalid_scope'])
})

test('[RFC6749-6] a refresh rotates, may narrow and not widen, and ends with its grant', async () => {
  const name = `refreshing ${crypto.randomUUID()}`
  const { clientId, refresh_token: first, scope } = await connected({ name })
  expect(scope.split(' ').sort()).toEqual(['mcp', 'offline_access'])
  const narrowed = (await refresh(clientId, first, { scope: 'mcp' })).body as Tokens
  expect([narrowed.scope, await statusAt('/mcp/work', narrowed.access_token)]).toEqual(['mcp', 200])
  expect(narrowed.refresh_token).not.toBe(first)
  const again = (await refresh(clientId, narrowed.refresh_token)).body as Tokens
  expect([first, narrowed.refresh_token]).not.toContain(again.refresh_token)

  await takeBack(name)
  expect(fault(await refresh(clientId, again.refresh_token))).toEqual([400, 'invalid_grant'])
  expect(await statusAt('/mcp/work', again.access_token)).toBe(401)

  const rotated = await connected()
  const child = (await refresh(rotated.clientId, rotated.refresh_token)).body as Tokens
  await refresh(rotated.clientId, child.refresh_token)
  expect(fault(await refresh(rotated.clientId, rotated.refresh_token))).toEqual([400, 'invalid_grant'])

  const modest = await letIn({
    clientId: await register(running, { grant_types: ['authorization_code', 'refresh_token'] }),
    changed: { scope: 'mcp' },
  })
  const { refresh_token } = (await redeem(modest)).body as Tokens
  expect(fault(await refresh(modest.clientId, refresh_token, { scope: 'mcp offline_access' }))).toEqual([400, 'invalid_scope'])
})

/** The user ends the one grant of the app of this name. */
async function takeBack(name: string): Promise<void> {
  const { html } = await ada.open('/apps')
  const paths = new Set([...html.matchAll(/"(\/apps\/grt_\w+)"/g)].map(([, path]) => path ?? ''))
  const pages = await Promise.all([...paths].map((path) => ada.open(path)))
  const [own, ...others] = pages.filter((page) => page.html.includes(name))
  expect([own?.status, others]).toEqual([200, []])
  const browser = createBrowser(running.url)
  await browser.post('/login', { username: 'ada', password: 'correct horse battery' })
  expect((await browser.post(`${new URL(own?.url ?? '').pathname}/revoke`, {})).status).toBe(303)
}

test('[RFC7009-2.2] revoking an unknown token is 200, revoking a known one ends it at once', async () => {
  const { clientId, access_token, refresh_token } = await connected()
  const stranger = await register(running)
  const revoke = async (client_id: string, token: string) => (await send('/oauth/revoke', { client_id, token })).status
  expect(await revoke(clientId, 'nonsense')).toBe(200)
  expect(await revoke(stranger, access_token)).toBe(200)
  expect(await statusAt('/mcp/work', access_token)).toBe(200)
  expect(await revoke(clientId, access_token)).toBe(200)
  expect(await statusAt('/mcp/work', access_token)).toBe(401)
  const next = (await refresh(clientId, refresh_token)).body as Tokens
  expect(await statusAt('/mcp/work', next.access_token)).toBe(200)
  expect(await revoke(clientId, next.refresh_token)).toBe(200)
  expect(fault(await refresh(clientId, next.refresh_token))).toEqual([400, 'invalid_grant'])
  expect(await statusAt('/mcp/work', next.access_token)).toBe(401)
  expect(await revoke(clientId, next.refresh_token)).toBe(200)
})

test('[RFC7591-3.2.1] registration answers 201 with what was registered, uncached, redirect URIs of mixed kinds', async () => {
  const asked = {
    client_name: 'Mixed',
    redirect_uris: ['https://app.example/callback', 'cursor://anysphere/callback', 'http://127.0.0.1:7777/callback', 'http://localhost/cb'],
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'mcp offline_access',
  }
  const { status, headers, body } = await registerAs(asked)
  expect([status, headers.get('cache-control'), headers.get('pragma')]).toEqual([201, 'no-store', 'no-cache'])
  const { client_id, client_secret, client_secret_expires_at } = body as Record<string, string>
  expect(body).toMatchObject(asked)
  expect([client_id, client_secret, client_secret_expires_at]).toEqual([expect.any(String), expect.stringMatching(/.{20,}/), 0])
  for (const redirect_uri of asked.redirect_uris)
    expect((await ada.open(asking(client_id ?? '', newVerifier(), { redirect_uri }))).html).toContain('/oauth/authorize/decide')
})

test('[RFC7636-4.6] only the verifier that hashes to the challenge is good', async () => {
  const wrong: ((app: LetIn) => string)[] = [newVerifier, ({ verifier }) => sha256(verifier), ({ verifier }) => `${verifier}A`, () => '']
  for (const verifierOf of wrong) {
    const app = await letIn()
    expect(fault(await redeem(app, { code_verifier: verifierOf(app) }))).toEqual([400, 'invalid_grant'])
  }
  expect((await redeem(await letIn())).status).toBe(200)
})

test('[RFC8252-7.3] a loopback redirect URI is good with any port, and differs in nothing else', async () => {
  for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
    const clientId = await register(running, { redirect_uris: [`http://${host}:8000/callback`] })
    for (const port of [':51234', ':1', '']) {
      const redirect_uri = `http://${host}${port}/callback`
      const app = await letIn({ clientId, changed: { redirect_uri } })
      expect(app.back.href).toStartWith(`${redirect_uri}?`)
      expect((await redeem(app, { redirect_uri })).status).toBe(200)
    }
    const others = [`http://${host}:51234/other`, `https://${host}:51234/callback`, 'http://example.com:8000/callback']
    for (const redirect_uri of others) {
      const { status, location } = await ada.open(asking(clientId, newVerifier(), { redirect_uri }))
      expect([redirect_uri, status, location]).toEqual([redirect_uri, 400, undefined])
    }
  }
  const web = await register(running, { redirect_uris: ['https://app.example/callback'] })
  expect((await ada.open(asking(web, newVerifier(), { redirect_uri: 'https://app.example:8443/callback' }))).status).toBe(400)
})

test('[RFC8707-2] a token is good at its resource; without one, at the chosen profile and at /mcp', async () => {
  const where = async ({ access_token }: Tokens) =>
    Promise.all(['/mcp/work', '/mcp/home', '/mcp'].map((path) => statusAt(path, access_token)))
  expect(await where(await connected())).toEqual([200, 401, 401])
  const clientId = await register(running)
  const page = await ada.open(asking(clientId, newVerifier(), { resource: undefined }))
  expect(page.html).toMatch(/<button[^>]*name="profile"[^>]*value="home"/)
  expect(page.html).toMatch(/<button[^>]*name="profile"[^>]*value="work"/)
  expect(await where(await connected({ changed: { resource: undefined, toolpass_profile: 'home' } }))).toEqual([401, 200, 200])
  expect(await where(await connected({ changed: { resource: undefined, toolpass_profile: 'work' } }))).toEqual([200, 401, 200])
})

test('[RFC9207-2] every way back carries the issuer of the metadata', async () => {
  const { issuer } = (await read(WELL_KNOWN_SERVER)).body
  const clientId = await register(running)
  const allowed = (await letIn({ clientId })).back
  const page = await ada.open(asking(clientId, newVerifier()))
  const denied = await ada.submit(page, '/oauth/authorize/decide', { decision: 'deny' })
  const faulty = await ada.open(asking(clientId, newVerifier(), { scope: 'everything' }))
  expect([allowed.searchParams.has('code'), issuer]).toEqual([true, running.url])
  for (const back of [allowed.href, denied.location ?? '', faulty.location ?? '']) {
    expect(back).toStartWith(`${CALLBACK}?`)
    expect(new URL(back).searchParams.getAll('iss')).toEqual([String(issuer)])
  }
})

test('[OAUTH-ACCESS-DENIED] deny sends access_denied back and creates nothing', async () => {
  const name = `denied ${crypto.randomUUID()}`
  const clientId = await register(running, { client_name: name })
  const page = await ada.open(asking(clientId, newVerifier()))
  const { location = '' } = await ada.submit(page, '/oauth/authorize/decide', {
    decision: 'deny',
    tool_id: valuesOf(page.html, 'tool_id'),
    expires: 'never',
  })
  expect(location).toStartWith(`${CALLBACK}?`)
  const { searchParams } = new URL(location)
  expect([searchParams.get('error'), searchParams.get('state'), searchParams.has('code')]).toEqual(['access_denied', 'st&te=1', false])
  expect((await ada.open('/apps')).html).not.toContain(name)
  await letIn({ clientId }).then(redeem)
  expect((await ada.open('/apps')).html).toContain(name)
})

test('[OAUTH-CONSENT] the page says who asks, how far verified, where to, for which profile, which tools; off is not granted', async () => {
  const clientId = await register(running, { client_name: 'Honest Joe' })
  const { html } = await ada.open(asking(clientId, newVerifier()))
  for (const said of ['Honest Joe', 'unverified name', '127.0.0.1:9', 'a program on this computer', '<strong>Work</strong>', work()])
    expect(html).toContain(said)
  const groups = [...html.matchAll(/<fieldset class="consent-group consent-(\w+)"[\s\S]*?<\/fieldset>/g)]
  const shown = groups.map(([text, kind]) => [kind, TOOLS.map(({ name }) => name).filter((name) => text.includes(name))])
  expect(shown).toEqual([
    ['read', ['look_up']],
    ['write', ['put_down']],
    ['destructive', ['wipe_out']],
  ])
  const web = await register(running, { redirect_uris: ['https://app.example/callback'] })
  const elsewhere = await ada.open(asking(web, newVerifier(), { redirect_uri: 'https://app.example/callback' }))
  expect(elsewhere.html).toContain('app.example')
  expect(elsewhere.html).not.toContain('a program on this computer')

  const all = await namesAt('/mcp/work', (await connected()).access_token)
  const some = await namesAt('/mcp/work', (await connected({ toolIds: (ids) => ids.slice(0, 1) })).access_token)
  expect([all.length, some]).toEqual([3, [expect.stringContaining('look_up')]])
})

test('[OAUTH-CORS] what machines speak to is open to any web origin without credentials, authorize to none', async () => {
  const origin = 'https://inspector.example'
  const posts = ['/oauth/token', '/oauth/register', '/oauth/revoke']
  const gets = [WELL_KNOWN_SERVER, WELL_KNOWN_RESOURCE, `${WELL_KNOWN_RESOURCE}/mcp`, `${WELL_KNOWN_RESOURCE}/mcp/work`]
  const cors = ({ headers }: Response) => [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')]
  for (const path of [...posts, ...gets]) {
    const method = posts.includes(path) ? 'POST' : 'GET'
    const wish = { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization,content-type' }
    const preflight = await fetch(running.url + path, { method: 'OPTIONS', headers: wish })
    expect([path, preflight.ok, ...cors(preflight)]).toEqual([path, true, '*', null])
    expect(preflight.headers.get('access-control-allow-methods')).toContain(method)
    for (const name of ['authorization', 'content-type'])
      expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain(name)
    const answer = await fetch(running.url + path, { method, headers: { origin, 'sec-fetch-site': 'cross-site' } })
    expect([path, ...cors(answer)]).toEqual([path, '*', null])
  }
  const { clientId, verifier, code } = await letIn()
  const form = { grant_type: 'authorization_code', code, client_id: clientId, code_verifier: verifier }
  const good = await fetch(`${running.url}/oauth/token`, { method: 'POST', headers: { origin }, body: new URLSearchParams(form) })
  expect([good.status, ...cors(good)]).toEqual([200, '*', null])

  const asked = running.url + asking(clientId, verifier)
  const wish = { origin, 'access-control-request-method': 'GET' }
  for (const answer of [
    await fetch(asked, { headers: { origin }, redirect: 'manual' }),
    await fetch(asked, { method: 'OPTIONS', headers: wish }),
    await fetch(`${running.url}/oauth/authorize/decide`, { method: 'OPTIONS', headers: wish }),
    await fetch(`${running.url}/oauth/authorize/decide`, { method: 'POST', headers: { origin }, body: new URLSearchParams(form) }),
  ])
    expect(cors(answer)).toEqual([null, null])
})
test('[RFC8414-3] server metadata stands at the root alone, with one issuer, S256 and iss', async () => {
  const { status, headers, body } = await read(WELL_KNOWN_SERVER)
  expect([status, headers.get('content-type')]).toEqual([200, expect.stringMatching(/^application\/json/)])
  expect(body).toMatchObject({
    issuer: running.url,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  })
  for (const name of ['authorization', 'token', 'registration', 'revocation'])
    expect(String(body[`${name}_endpoint`])).toStartWith(`${running.url}/oauth/`)
  for (const path of ['', '/mcp', '/mcp/work'])
    expect((await read(WELL_KNOWN_RESOURCE + path)).body['authorization_servers']).toEqual([body['issuer']])
  expect((await letIn()).back.searchParams.get('iss')).toBe(String(body['issuer']))
  for (const path of [
    `${WELL_KNOWN_SERVER}/mcp`,
    `${WELL_KNOWN_SERVER}/mcp/work`,
    `${WELL_KNOWN_SERVER}/`,
    `/mcp${WELL_KNOWN_SERVER}`,
    `/mcp/work${WELL_KNOWN_SERVER}`,
    `/oauth${WELL_KNOWN_SERVER}`,
    '/.well-known/openid-configuration',
    '/.well-known/openid-configuration/mcp/work',
    '/mcp/work/.well-known/openid-configuration',
  ]) {
    const elsewhere = await fetch(running.url + path, { redirect: 'manual' })
    expect([path, elsewhere.status]).toEqual([path, 404])
  }
})
