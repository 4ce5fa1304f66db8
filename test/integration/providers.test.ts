/** Accounts at providers, through the pages: the built-in providers against servers that have the ways of the real ones. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openHouse } from '@/app.ts'
import { listen } from '@/app/front.ts'
import { loadConfig } from '@/config'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { createLog } from '@/lib/log.ts'
import { createOutbound } from '@/lib/outbound.ts'
import { createPerson } from '../../bench/person.ts'
import { CLASSIC_HOSTS, type Classic, CLIENT, PROVIDER_NAMES, type ProviderName, startClassic } from '../support/classic-oauth.ts'
import { openHosts } from '../support/documents.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp } from '../support/journey.ts'
import { browse, type OidcUpstream, startOidcUpstream } from '../support/oidc-upstream.ts'
import { freePort, type Running } from '../support/running.ts'
import { buildModule } from '../support/wasm-module.ts'

const folder = mkdtempSync(join(tmpdir(), 'toolpass-providers-'))
const hosts = openHosts(CLASSIC_HOSTS)
const state = { seconds: 3600 as number | undefined }
const classic: Classic = startClassic(hosts, { seconds: () => state.seconds })
const lines: string[] = []
let house: Awaited<ReturnType<typeof openHouse>>
let server: ReturnType<typeof listen>
let running: Running
let oidc: OidcUpstream
let ada: Person
let ben: Person
const ids = { ada: '' as UserId, ben: '' as UserId }
const PASSWORD = 'correct horse battery'

/** MCP servers (any path under /mcp) and an API that say whose token they were asked with, and refuse an unknown one. */
const seen: { path: string; token: string }[] = []
const world: Bun.Server<undefined> = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const { pathname } = new URL(request.url)
    if (pathname === '/openapi.json') return Response.json(DOCUMENT())
    const token = (request.headers.get('authorization') ?? request.headers.get('x-token') ?? '').replace(/^\w+ /, '')
    seen.push({ path: pathname, token })
    const account = classic.whose(token)
    if (account === undefined) return new Response('no', { status: 401, headers: { 'www-authenticate': 'Bearer' } })
    if (!pathname.startsWith('/mcp')) return Response.json({ account })
    const { id, method } = (await request.json()) as { id?: number; method: string }
    const result =
      method === 'server/discover'
        ? { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
        : method === 'tools/list'
          ? { resultType: 'complete', tools: [{ name: 'whoami', inputSchema: { type: 'object' } }] }
          : { resultType: 'complete', content: [{ type: 'text', text: account }] }
    return Response.json({ jsonrpc: '2.0', id, result })
  },
})
const at = (path: string): string => `http://127.0.0.1:${world.port}${path}`
const DOCUMENT = () => ({
  openapi: '3.1.0',
  info: { title: 'Accounts', version: '1' },
  servers: [{ url: at('/api') }],
  components: { securitySchemes: { account: { type: 'http', scheme: 'bearer' } } },
  paths: { '/me': { get: { operationId: 'me', security: [{ account: [] }], responses: { 200: { description: 'ok' } } } } },
})

beforeAll(async () => {
  oidc = await startOidcUpstream({ accessSeconds: 600, clients: [] })
  const port = await freePort()
  const config = loadConfig({ env: { TOOLPASS_PORT: String(port), TOOLPASS_DATA_DIR: folder }, flags: {} })
  const plain = createOutbound({})
  const pick = (address: string | URL) => (CLASSIC_HOSTS.includes(new URL(address).hostname) ? hosts.outbound : plain)
  const outbound: typeof plain = {
    ...plain,
    fetch: (address, request) => pick(address).fetch(address, request),
    asFetch: (limits) => (input, init) => pick(input).asFetch(limits)(input, init),
  }
  house = await openHouse(config, createLog({ level: 'debug', format: 'json', write: (line) => void lines.push(line) }), { outbound })
  server = listen(house)
  running = { url: `http://localhost:${port}` } as Running
  ids.ada = (await house.users.create('command line', { username: 'ada', password: PASSWORD, role: 'admin' })).id
  ids.ben = (await house.users.create('command line', { username: 'ben', password: PASSWORD, role: 'member' })).id
  ;[ada, ben] = (await Promise.all(['ada', 'ben'].map(signedIn))) as [Person, Person]
  for (const name of PROVIDER_NAMES) await setUp(name)
})
beforeEach(() => {
  state.seconds = 3600
})
afterAll(async () => {
  await server.stop(true)
  await house.close()
  await world.stop(true)
  await oidc.stop()
  await hosts.close()
  rmSync(folder, { recursive: true, force: true })
})

async function signedIn(username: string) {
  const person = createPerson(running.url)
  await person.submit(await person.open('/login'), '/login', { username, password: PASSWORD })
  return person
}
async function setUp(name: ProviderName, clientId: string = CLIENT.id) {
  const page = `/admin/providers/${name}`
  const tenant = name === 'microsoft' ? { 'settings.tenant': 'contoso.example' } : {}
  const speaks = name === 'slack' ? { 'settings.speaksAs': 'user' } : {}
  const client = { 'settings.clientId': clientId, 'settings.clientSecret': CLIENT.secret }
  return ada.submit(await ada.open(page), page, { ...client, ...tenant, ...speaks })
}
/** Where the page after the click sends the browser. */
async function leaving(person: Person, provider: string, query = '', fields: Record<string, string> = {}) {
  const page = `/connections/accounts/${provider}/sign-in`
  const { html } = await person.submit(await person.open(page + query), page, fields)
  return (/content="0; url=([^"]+)"/.exec(html)?.[1] ?? html).replaceAll('&amp;', '&')
}
async function signIn(person: Person, provider: ProviderName, account: string, query = '', fields = {}) {
  const back = classic.approve(await leaving(person, provider, query, fields), account)
  return person.open(back.pathname + back.search)
}
const accountOf = async (user: UserId, provider: string) =>
  (await house.connections.providers.list(user)).find(({ providerId }) => providerId === provider)
const idOf = (page: string) => page.split('/').at(-1) as ConnectionId
async function call(user: UserId, page: string, name = 'whoami', args: Record<string, string> = {}) {
  const upstream = await house.connections.reach(idOf(page), user)
  const answer = await upstream.request('tools/call', { name, arguments: args }, { signal: AbortSignal.timeout(20_000), timeoutMs: 15_000 })
  return JSON.stringify(answer)
}
const useAccounts = async (person: Person, page: string, fields: Record<string, string>) =>
  person.submit(await person.open(page), `${page}/account/use`, fields)
const choose = async (person: Person, page: string, account: string) =>
  person.submit(await person.open(page), `${page}/account/choose`, { account })

test('[PROVIDER-SET-UP] administrators alone enter a client; the callback address is shown and the secret never again', async () => {
  expect((await ben.open('/admin/providers')).status).toBe(403)
  const list = await ada.open('/admin/providers')
  for (const title of ['GitHub', 'Google', 'Microsoft', 'Slack', 'Atlassian', 'Another service']) expect(list.html).toContain(title)
  const { html } = await ada.open('/admin/providers/github')
  expect(html).toContain(`${running.url}/connections/accounts/github/callback`)
  expect(html).toContain(CLIENT.id)
  expect(html).not.toContain(CLIENT.secret)
  const row = await house.connections.providers.entered('github')
  expect(row).toEqual({ plain: { clientId: CLIENT.id }, held: ['clientSecret'] })
  // Left empty, it is kept.
  await ada.submit(await ada.open('/admin/providers/github'), '/admin/providers/github', { 'settings.clientSecret': '' })
  expect((await signIn(ben, 'github', 'kept')).html).toContain('Signed in to GitHub')
})

describe.each(PROVIDER_NAMES.map((name) => [name] as const))('%s', (name) => {
  const asked: Record<ProviderName, Record<string, unknown>> = {
    github: { scope: 'read:user', code_challenge_method: 'S256' },
    google: { access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true', code_challenge_method: 'S256' },
    microsoft: { scope: 'offline_access User.Read', code_challenge_method: 'S256' },
    slack: { user_scope: 'users:read,channels:read', scope: null, code_challenge: null },
    atlassian: { audience: 'api.atlassian.com', prompt: 'consent', scope: 'offline_access read:me' },
  }
  const named: Record<ProviderName, string> = {
    github: 'ada-there',
    google: 'ada-there@gmail.example',
    microsoft: 'ada-there@contoso.example',
    slack: 'ada-there at Crew',
    atlassian: 'ada-there@atlassian.example',
  }
  test('[PROVIDER-QUIRKS] is asked and read in its own way', async () => {
    const to = new URL(await leaving(ada, name))
    for (const [parameter, value] of Object.entries(asked[name])) expect(to.searchParams.get(parameter) as unknown).toBe(value)
    expect(to.searchParams.get('redirect_uri')).toBe(`${running.url}/connections/accounts/${name}/callback`)
    const back = classic.approve(to.href, 'ada-there')
    expect((await ada.open(back.pathname + back.search)).url).toBe(`${running.url}/connections/accounts`)
    const account = await accountOf(ids.ada, name)
    expect(account).toMatchObject({ accountName: named[name], status: 'ok' })
    expect(account?.isRefreshable).toBe(name === 'google' || name === 'microsoft' || name === 'atlassian')
    const { html } = await ada.open('/connections/accounts')
    expect(html).toContain(named[name])
  })
  test('[PROVIDER-DENIED] its errors are told apart from its answers, whatever their status', async () => {
    const back = classic.approve(await leaving(ben, name), 'ben-there')
    back.searchParams.set('code', 'made-up')
    const { html, url } = await ben.open(back.pathname + back.search)
    expect(url).toBe(`${running.url}/connections/accounts`)
    expect(html).toContain('refused: invalid_grant')
    expect((await house.connections.providers.list(ids.ben)).map(({ accountName }) => accountName)).not.toContain('ben-there')
  })
})

test('[PROVIDER-STATE] an answer comes back once, to the session that asked, and by its provider’s own way', async () => {
  const back = classic.approve(await leaving(ada, 'google'), 'ada-there')
  const elsewhere = await ben.open(back.pathname + back.search)
  expect(elsewhere.html).toContain('begun in another browser')
  const crossed = await ada.open(back.pathname.replace('google', 'github') + back.search)
  expect(crossed.html).toContain('came back another way')
  // The state was used up by that.
  expect((await ada.open(back.pathname + back.search)).html).toContain('finished already')
  const wrong = classic.approve(await leaving(ada, 'google'), 'ada-there')
  wrong.searchParams.set('iss', 'https://evil.example')
  const before = classic.requests.length
  expect((await ada.open(wrong.pathname + wrong.search)).html).toContain('did not answer as it should')
  expect(classic.requests.length).toBe(before)
})

describe('two people and one connection', () => {
  let page = ''
  test('[PROVIDER-EACH] each uses their own account, and nobody’s is used before they choose it', async () => {
    await signIn(ben, 'github', 'ben-there')
    page = await addHttpConnection(ada, 'Guarded', at('/mcp/each'))
    await useAccounts(ada, page, { provider: 'github', place: 'header', name: '', format: '' })
    const mine = (await accountOf(ids.ada, 'github'))?.id ?? ''
    await choose(ada, page, mine)
    await ada.submit(await ada.open(page), page, { sharing: 'each' })
    await house.connections.waitForProbe(idOf(page))
    expect(await call(ids.ada, page)).toContain('ada-there')
    await expect(call(ids.ben, page)).rejects.toThrow('needs an account')
    expect((await ben.open(page)).html).not.toContain('ada-there')
    // Somebody else’s account is none.
    const stolen = await house.connections.providers
      .choose((await house.users.find(ids.ben)) as never, idOf(page), mine as never, '')
      .catch((error: Error) => error.message)
    expect(stolen).toBe('This account does not exist.')
    const own = (await house.connections.providers.list(ids.ben)).find(({ accountName }) => accountName === 'ben-there')
    await choose(ben, page, own?.id ?? '')
    expect(await Promise.all([1, 2, 3].flatMap(() => [call(ids.ada, page), call(ids.ben, page)]))).toEqual(
      Array(3)
        .fill([expect.stringContaining('ada-there'), expect.stringContaining('ben-there')])
        .flat(),
    )
  })
  test('[PROVIDER-EACH] so it is through the gateway, and the app sees neither token', async () => {
    for (const [person, account] of [
      [ada, 'ada-there'],
      [ben, 'ben-there'],
    ] as const) {
      await makeProfile(person, `Guarded of ${account}`, 1)
      const profile = `guarded-of-${account}`
      const app = await connectApp(running, person, { profile })
      const answer = await readMcp(await callMcp(running, profile, app.access_token, 'tools/call', { name: 'whoami', arguments: {} }))
      expect(answer.result?.['content']).toEqual([{ type: 'text', text: account }])
      expect(seen.some(({ token }) => token === app.access_token)).toBe(false)
    }
  })
  test('[PROVIDER-EACH] taken back and shared again, it has its owner’s account and waits for the others to choose', async () => {
    await ada.submit(await ada.open(page), page, { sharing: 'private' })
    await ada.submit(await ada.open(page), page, { sharing: 'each' })
    expect(await call(ids.ada, page)).toContain('ada-there')
    await expect(call(ids.ben, page)).rejects.toThrow('needs an account')
    const own = (await house.connections.providers.list(ids.ben)).find(({ accountName }) => accountName === 'ben-there')
    await choose(ben, page, own?.id ?? '')
    expect(await call(ids.ben, page)).toContain('ben-there')
  })
  test('[PROVIDER-MOVE] a connection that is pointed elsewhere gets nobody’s account', async () => {
    seen.length = 0
    await ada.submit(await ada.open(page), page, { 'settings.url': at('/mcp/elsewhere'), sharing: 'each' })
    await house.connections.waitForProbe(idOf(page))
    await expect(call(ids.ada, page)).rejects.toThrow('needs an account')
    await expect(call(ids.ben, page)).rejects.toThrow('needs an account')
    expect(
      seen
        .filter(({ path }) => path === '/mcp/elsewhere')
        .map(({ token }) => token)
        .join(''),
    ).toBe('')
    expect((await ben.open('/')).html).toContain('Choose one on its page')
  })
  test('[PROVIDER-MOVE] who chooses on a page that shows the old address lends nothing to the new one', async () => {
    const own = (await house.connections.providers.list(ids.ben)).find(({ accountName }) => accountName === 'ben-there')
    const [old, leave] = [await ben.open(page), await leaving(ben, 'github', `?connection=${idOf(page)}`)]
    await ada.submit(await ada.open(page), page, { 'settings.url': at('/mcp/trap'), sharing: 'each' })
    expect((await ben.submit(old, `${page}/account/choose`, { account: own?.id ?? '' })).html).toContain('changed meanwhile')
    const back = classic.approve(leave, 'ben-there')
    expect((await ben.open(back.pathname + back.search)).html).toContain('changed meanwhile')
    await expect(call(ids.ben, page)).rejects.toThrow('needs an account')
    expect(seen.filter(({ path, token }) => path === '/mcp/trap' && token !== '')).toEqual([])
  })
  test('[PROVIDER-OWNER] used with its owner’s account, it does what others ask with that one and shows them none', async () => {
    const shared = await addHttpConnection(ada, 'Shared', at('/mcp/owner'))
    await useAccounts(ada, shared, { provider: 'github', place: 'header', name: 'X-Token', format: 'token {token}' })
    await choose(ada, shared, (await accountOf(ids.ada, 'github'))?.id ?? '')
    await ada.submit(await ada.open(shared), shared, { sharing: 'open' })
    expect(await call(ids.ben, shared)).toContain('ada-there')
    const { html } = await ben.open(shared)
    expect(html).toContain('account of its owner')
    expect(html).not.toContain('ada-there')
    expect(html).not.toContain('/account/choose')
  })
})

describe('staying signed in', () => {
  const refreshes = (name: ProviderName) => classic.requests.filter(({ provider, grant }) => provider === name && grant === 'refresh_token')
  async function connected(name: ProviderName, account: string) {
    const page = await addHttpConnection(ada, `Renewing ${account}`, at(`/mcp/${account}`))
    await useAccounts(ada, page, { provider: name, place: 'header' })
    await signIn(ada, name, account, `?connection=${idOf(page)}`, { more: '' })
    await house.connections.waitForProbe(idOf(page))
    return page
  }
  test.each([['google'], ['microsoft'], ['atlassian']] as const)(
    '[PROVIDER-RENEW] %s: one refresh for all calls at once, ahead of the end, and again with what it left us',
    async (name) => {
      const account = `${name}-short`
      state.seconds = 1
      const page = await connected(name, account)
      for (let round = 1; round <= 2; round += 1) {
        await Bun.sleep(850)
        const before = refreshes(name).length
        const answers = await Promise.all([1, 2, 3, 4].map(() => call(ids.ada, page)))
        expect(answers.every((answer) => answer.includes(account))).toBe(true)
        expect(refreshes(name).length - before).toBe(1)
      }
      expect(refreshes(name).every(({ answered }) => answered === 200)).toBe(true)
    },
  )
  test('[PROVIDER-REFUSED] a token that the upstream refuses is renewed once, and the call succeeds', async () => {
    const page = await connected('google', 'google-refused')
    classic.forget('access')
    const before = refreshes('google').length
    expect(await call(ids.ada, page)).toContain('google-refused')
    expect(refreshes('google').length - before).toBe(1)
  })
  test('[PROVIDER-DEAD] what cannot be renewed is said on the pages, and a new sign-in mends it', async () => {
    state.seconds = 1
    const page = await connected('atlassian', 'atlassian-dead')
    classic.forget('all')
    await Bun.sleep(1_100)
    await expect(call(ids.ada, page)).rejects.toThrow('has to be signed in again')
    for (const path of ['/connections/accounts', page]) expect((await ada.open(path)).html).toContain('Signed out over there')
    expect((await ada.open('/')).html).toContain('no longer accepts this sign-in')
    state.seconds = 3600
    const dead = (await house.connections.providers.list(ids.ada)).find(({ status }) => status === 'dead')
    await signIn(ada, 'atlassian', 'atlassian-dead', `?account=${dead?.id}`)
    expect(await call(ids.ada, page)).toContain('atlassian-dead')
  })
})

describe('the places of a token', () => {
  const everything = resolve(import.meta.dir, '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js')
  async function added(connector: string, name: string, fields: Record<string, string>) {
    const made = await ada.submit(await ada.open(`/connections/new?connector=${connector}`), '/connections', { name, ...fields })
    return new URL(made.url).pathname
  }
  const mine = async () => (await accountOf(ids.ada, 'slack'))?.id ?? ''
  beforeAll(async () => {
    await signIn(ada, 'slack', 'ada-there')
  })
  test('[PROVIDER-PLACES] a security scheme of an OpenAPI document', async () => {
    const page = await added('openapi', 'Accounts API', { 'settings.document': at('/openapi.json') })
    await useAccounts(ada, page, { provider: 'slack', place: 'setting:credentials', name: 'account' })
    await choose(ada, page, await mine())
    expect(await call(ids.ada, page, 'me')).toContain('ada-there')
  })
  test('[PROVIDER-PLACES] the environment of a program', async () => {
    const page = await added('stdio', 'Everything', { 'settings.command': 'javascript', 'settings.args': `${everything}\nstdio` })
    await useAccounts(ada, page, { provider: 'slack', place: 'env', name: 'CREW_TOKEN' })
    await choose(ada, page, await mine())
    const told = /CREW_TOKEN[^a-z]+(access-[\w-]+)/.exec(await call(ids.ada, page, 'get-env'))?.[1] ?? ''
    expect(classic.whose(told)).toBe('ada-there')
    const rows = JSON.stringify(await house.store.read.query.connections.findMany())
    expect(rows).not.toContain(told)
  }, 30_000)
  test('[PROVIDER-PLACES] the secrets of a WebAssembly module', async () => {
    const module = Buffer.from(buildModule()).toString('base64')
    const page = await added('wasm', 'Module', { 'settings.module': module, 'settings.memoryMb': '64', 'settings.timeoutSeconds': '30' })
    await useAccounts(ada, page, { provider: 'slack', place: 'setting:secrets', name: 'greeting' })
    await choose(ada, page, await mine())
    const told = /access-[\w-]+/.exec(await call(ids.ada, page, 'config', { key: 'greeting' }))?.[0] ?? ''
    expect(classic.whose(told)).toBe('ada-there')
  }, 60_000)
  test('[PROVIDER-PLACES] only secret settings and headers of one’s own choice take a token', async () => {
    const page = await addHttpConnection(ada, 'Picky', at('/mcp/picky'))
    const user = (await house.users.find(ids.ada)) as never
    for (const place of [
      { kind: 'setting', field: 'url' },
      { kind: 'env', name: 'A' },
      { kind: 'header', name: 'Host', format: '{token}' },
      { kind: 'header', name: 'Mcp-Session-Id', format: '{token}' },
      { kind: 'header', name: 'Authorization', format: 'Bearer' },
      { kind: 'header', name: 'Authorization', format: 'Bearer {token}\r\nX: y' },
    ])
      await expect(house.connections.providers.setUse(user, idOf(page), { provider: 'github', place })).rejects.toMatchObject({
        code: 'invalid_form',
      })
  })
})

describe('the generic one', () => {
  const page = '/admin/providers/oauth'
  const fields = (more: Record<string, string>) => ({
    'settings.name': 'House of Oidc',
    'settings.clientId': 'generic',
    'settings.clientAuth': 'post',
    'settings.scopes': 'read',
    ...more,
  })
  const start = async (change: (back: URL) => URL = (back) => back) => {
    const back = change(new URL(await browse(await leaving(ben, 'oauth'), oidc.issuer)))
    return ben.open(back.pathname + back.search)
  }
  beforeAll(async () => {
    await oidc.stop()
    const redirect_uris = [`${running.url}/connections/accounts/oauth/callback`]
    const client = { client_id: 'generic', client_secret: 'generic-secret-of-some-length', redirect_uris, application_type: 'native' }
    const token_endpoint_auth_method = 'client_secret_post'
    oidc = await startOidcUpstream({
      clients: [{ ...client, token_endpoint_auth_method, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }],
    })
  })
  test('[PROVIDER-GENERIC] by its discovery document, with iss held to the issuer', async () => {
    const secret = { 'settings.clientSecret': 'generic-secret-of-some-length' }
    await ada.submit(await ada.open(page), page, fields({ ...secret, 'settings.discovery': oidc.issuer, 'settings.pkce': 'on' }))
    expect((await ben.open('/connections/accounts')).html).toContain('House of Oidc')
    for (const iss of ['https://evil.example', undefined]) {
      const refused = await start((back) => {
        if (iss) back.searchParams.set('iss', iss)
        else back.searchParams.delete('iss')
        return back
      })
      expect(refused.html).toContain('did not answer as it should')
    }
    expect((await start()).html).toContain('Signed in to House of Oidc')
    expect(await accountOf(ids.ben, 'oauth')).toMatchObject({ status: 'ok', isRefreshable: true, scope: 'read' })
  })
  test('[PROVIDER-MOVED] with other addresses everybody is signed out, and the secret has to be entered again', async () => {
    const typed = { 'settings.authorizationUrl': `${oidc.issuer}/auth`, 'settings.tokenUrl': `${oidc.issuer}/token` }
    await ada.submit(
      await ada.open(page),
      page,
      fields({ ...typed, 'settings.discovery': '', 'settings.pkce': 'on', 'settings.clientSecret': '' }),
    )
    expect(await accountOf(ids.ben, 'oauth')).toBeUndefined()
    expect((await house.connections.providers.entered('oauth'))?.held).toEqual([])
    const secret = { 'settings.clientSecret': 'generic-secret-of-some-length' }
    await ada.submit(await ada.open(page), page, fields({ ...typed, ...secret, 'settings.discovery': '', 'settings.pkce': 'on' }))
    expect((await start()).html).toContain('Signed in to House of Oidc')
  })
  test('[PROVIDER-GENERIC] addresses that are not https, nor http on loopback, get nothing', async () => {
    const bad = { 'settings.authorizationUrl': 'http://login.example.com/a', 'settings.tokenUrl': 'http://login.example.com/t' }
    const secret = { 'settings.clientSecret': 'generic-secret-of-some-length' }
    await ada.submit(await ada.open(page), page, fields({ ...bad, ...secret, 'settings.discovery': '', 'settings.pkce': 'on' }))
    expect(await leaving(ben, 'oauth')).toContain('not https')
  })
})

describe('the end of an account', () => {
  test.each([['github'], ['google'], ['slack']] as const)(
    '[PROVIDER-OUT] %s: disconnecting destroys it here and ends it there',
    async (name) => {
      await signIn(ben, name, 'ben-leaves')
      const account = (await house.connections.providers.list(ids.ben)).find(({ accountName }) => accountName?.startsWith('ben-leaves'))
      const before = classic.revoked.length
      await ben.submit(await ben.open('/connections/accounts'), '/connections/accounts/disconnect', { account: account?.id ?? '' })
      expect(classic.revoked.length).toBe(before + 1)
      expect((await house.connections.providers.list(ids.ben)).some(({ id }) => id === account?.id)).toBe(false)
    },
  )
  test('[PROVIDER-MOVED] removing a provider takes its accounts along', async () => {
    await signIn(ben, 'github', 'ben-stays')
    await ada.submit(await ada.open('/admin/providers/github'), '/admin/providers/github/remove', {})
    expect(await accountOf(ids.ben, 'github')).toBeUndefined()
    expect(await accountOf(ids.ada, 'github')).toBeUndefined()
  })
  test('[PROVIDER-SEALED] no token and no secret is in the database, the log or the audit', async () => {
    const tokens = classic.requests.flatMap(({ form }) => [form.get('refresh_token'), form.get('code')]).filter((each) => each !== null)
    const secrets = [CLIENT.secret, ...tokens, ...seen.map(({ token }) => token)].filter((each) => each.length > 10)
    expect(secrets.length).toBeGreaterThan(5)
    await house.audit.flush()
    const database = Buffer.concat(
      await Promise.all(['toolpass.db', 'toolpass.db-wal'].map(async (file) => Buffer.from(await Bun.file(join(folder, file)).bytes()))),
    ).toString('latin1')
    expect(secrets.filter((secret) => database.includes(secret) || lines.join('').includes(secret))).toEqual([])
  })
})
