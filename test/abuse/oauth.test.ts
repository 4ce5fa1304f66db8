import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { authorizationRequests, codes, grants as grantTable } from '@/store'
import { CALLBACK, openHouse, ORIGIN, sentTo, type TestHouse, told, type Tokens } from '../support/oauth.ts'

const open: TestHouse[] = []
let house: TestHouse
let cookie: string
let clientId: string
let people = 0

const newHouse = async (options: { refreshGraceSeconds?: number } = {}): Promise<TestHouse> => {
  const opened = await openHouse(options)
  open.push(opened)
  return opened
}
house = await newHouse()
afterAll(() => Promise.all(open.map(({ close }) => close())))
beforeEach(async () => {
  people += 1
  cookie = (await house.signIn(`person-${people}`)).cookie
  clientId = (await house.newClient()).client_id
})

const code = (change = {}) => house.obtainCode(clientId, cookie, change)
const tokens = async (change = {}) => (await (await house.redeem(clientId, await code(change))).json()) as Tokens
const isGood = async (token: string, at = house) => (await at.oauth.verify(token)) !== undefined
const count = async (table: typeof grantTable | typeof codes) =>
  (await house.store.read.select({ n: sql<number>`count(*)` }).from(table))[0]?.n

describe('authorize', () => {
  test.each([
    ...[`${CALLBACK}x`, `${CALLBACK}/`, 'http://127.0.0.1:7777/', `${CALLBACK}/../callback`, 'http://127.0.0.1:7777/Callback'],
    ...['HTTP://127.0.0.1:7777/callback', 'http://u@127.0.0.1:7777/callback', 'http://127.0.0.1:7777/%63allback', `${CALLBACK}?a=1`],
  ])('[ABUSE-01] redirect %p is a page', async (redirect_uri) => {
    const answer = await house.authorize(house.asking(clientId, { redirect_uri }), cookie)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })
  test.each(['http://127.0.0.1:7777/other', 'http://127.0.0.1.evil.example:7777/callback', 'http://localhost:7777/callback'])(
    '[ABUSE-02] loopback redirect %p is a page',
    async (redirect_uri) => {
      const answer = await house.authorize(house.asking(clientId, { redirect_uri }), cookie)
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    },
  )
  test('[ABUSE-02] another loopback port is no abuse', async () => {
    const answer = await house.authorize(house.asking(clientId, { redirect_uri: 'http://127.0.0.1:1/callback' }), cookie)
    expect(answer.status).toBe(200)
  })
  test.each(['https://a.example/#x', 'javascript:alert(1)', 'data:text/html,x', 'http://a.example/cb'])(
    '[ABUSE-03] registering %p is refused',
    async (uri) => expect(await told(house.register({ redirect_uris: [CALLBACK, uri] }))).toEqual([400, 'invalid_redirect_uri']),
  )
  test.each<[string, Record<string, string | undefined>]>([
    ['missing', { code_challenge: undefined, code_challenge_method: undefined }],
    ['plain', { code_challenge_method: 'plain' }],
    ['plain by default', { code_challenge_method: undefined }],
  ])('[ABUSE-04, ABUSE-12] PKCE %s is sent back', async (_, change) => {
    const answer = await house.authorize(house.asking(clientId, change), cookie)
    expect(answer.status).toBe(303)
    expect(sentTo(answer)).toMatchObject({ error: 'invalid_request', state: 'xyz', iss: ORIGIN })
  })
  test.each(['state', 'scope', 'code_challenge', 'response_type'])('[ABUSE-09, ABUSE-12] %s twice is sent back', async (name) => {
    const answer = await house.authorize(`${house.asking(clientId)}&${name}=other`, cookie)
    expect(sentTo(answer)).toMatchObject({ error: 'invalid_request', iss: ORIGIN })
  })
  test('[ABUSE-09] redirect_uri twice is a page', async () => {
    const answer = await house.authorize(`${house.asking(clientId)}&redirect_uri=${encodeURIComponent(CALLBACK)}`, cookie)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })
  test.each(['https://evil.example/mcp', `${ORIGIN}/mcp/work/`, `${ORIGIN}/other`, 'not a url'])(
    '[ABUSE-10, ABUSE-12] resource %p is invalid_target',
    async (resource) => {
      expect(sentTo(await house.authorize(house.asking(clientId, { resource }), cookie))).toMatchObject({
        error: 'invalid_target',
        iss: ORIGIN,
      })
    },
  )
  test('[ABUSE-10] two resources are invalid_target', async () => {
    const answer = await house.authorize(`${house.asking(clientId)}&resource=${ORIGIN}/mcp/home`, cookie)
    expect(sentTo(answer)).toMatchObject({ error: 'invalid_target', iss: ORIGIN })
  })
  test('[ABUSE-12] denial, a foreign flow and prompt=none carry iss', async () => {
    const secret = await house.secretIn(await house.authorize(house.asking(clientId), cookie))
    expect(sentTo(await house.decide(secret, cookie, { decision: 'deny' }))).toMatchObject({
      error: 'access_denied',
      state: 'xyz',
      iss: ORIGIN,
    })
    for (const [change, error] of [
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ prompt: 'none' }, 'consent_required'],
    ] as const)
      expect(sentTo(await house.authorize(house.asking(clientId, change), cookie))).toMatchObject({ error, iss: ORIGIN })
    expect(sentTo(await house.authorize(house.asking(clientId, { prompt: 'none' })))).toMatchObject({
      error: 'login_required',
      iss: ORIGIN,
    })
  })
  test('[ABUSE-29] a new client is asked about, and so is one that was let in before', async () => {
    for (const _ of [1, 2]) {
      const page = await house.authorize(house.asking(clientId), cookie)
      expect([page.status, page.headers.get('location')]).toEqual([200, null])
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(page.headers.get('content-security-policy')).not.toContain('form-action')
      expect(await page.text()).toContain('unverified name')
      await code()
    }
  })
  test('who is not signed in goes to the login and comes back to the same request', async () => {
    const answer = await house.authorize(house.asking(clientId))
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `/login?next=${encodeURIComponent(`/oauth/authorize?${house.asking(clientId)}`)}`,
    ])
  })
})

describe('codes', () => {
  test.each(['v'.repeat(42), 'v'.repeat(129), '', `${'v'.repeat(42)}!`])(
    '[ABUSE-04, ABUSE-05] verifier %p gets no token',
    async (code_verifier) => {
      expect(await told(house.redeem(clientId, await code(), { code_verifier }))).toEqual([400, 'invalid_grant'])
    },
  )
  test('[ABUSE-05] another verifier gets no token, and the column refuses a code without a challenge', async () => {
    expect(await told(house.redeem(clientId, await code(), { code_verifier: 'w'.repeat(43) }))).toEqual([400, 'invalid_grant'])
    const [row] = await house.store.read.select().from(codes)
    const bare = { ...row!, hash: 'another', challenge: null as unknown as string }
    expect(house.store.transact(async (tx) => void (await tx.insert(codes).values(bare)))).rejects.toThrow()
  })
  test('[ABUSE-06] a replayed code ends what it gave', async () => {
    const used = await code()
    const first = (await (await house.redeem(clientId, used)).json()) as Tokens
    expect(await isGood(first.access_token)).toBe(true)
    expect(await told(house.redeem(clientId, used))).toEqual([400, 'invalid_grant'])
    expect(await isGood(first.access_token)).toBe(false)
    expect(await told(house.refresh(clientId, first.refresh_token))).toEqual([400, 'invalid_grant'])
  })
  test('[ABUSE-06] a replay by another client ends nothing', async () => {
    const used = await code()
    const first = (await (await house.redeem(clientId, used)).json()) as Tokens
    expect(await told(house.redeem((await house.newClient()).client_id, used))).toEqual([400, 'invalid_grant'])
    expect(await isGood(first.access_token)).toBe(true)
  })
  test('[ABUSE-07] of fifty redemptions at once one wins', async () => {
    const wanted = await code()
    const answers = await Promise.all(Array.from({ length: 50 }, () => house.redeem(clientId, wanted)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
  test('[ABUSE-08] another client, another redirect, a minute later: no token', async () => {
    expect(await told(house.redeem((await house.newClient()).client_id, await code()))).toEqual([400, 'invalid_grant'])
    expect(await told(house.redeem(clientId, await code(), { redirect_uri: `${CALLBACK}/` }))).toEqual([400, 'invalid_grant'])
    const late = await code()
    house.time.now += MINUTE_MS
    expect(await told(house.redeem(clientId, late))).toEqual([400, 'invalid_grant'])
  })
  test('[ABUSE-10] another resource than authorised is invalid_target and uses nothing up', async () => {
    const wanted = await code()
    for (const resource of [`${ORIGIN}/mcp/home`, 'https://evil.example/mcp'])
      expect(await told(house.redeem(clientId, wanted, { resource }))).toEqual([400, 'invalid_target'])
    expect((await house.redeem(clientId, wanted, { resource: `${ORIGIN}/mcp/work` })).status).toBe(200)
  })
  test.each(['code', 'redirect_uri', 'client_id', 'grant_type'])('[ABUSE-09] %s twice is invalid_request', async (name) => {
    const form = new URLSearchParams({ grant_type: 'authorization_code', client_id: clientId, code: await code(), redirect_uri: CALLBACK })
    form.append(name, form.get(name) ?? '')
    expect(await told(house.post('/oauth/token', form))).toEqual([400, 'invalid_request'])
  })
  test('[ABUSE-11] other grants, other bodies and unknown clients are refused by name', async () => {
    expect(await told(house.post('/oauth/token', { grant_type: 'password', client_id: clientId }))).toEqual([400, 'unsupported_grant_type'])
    expect(await told(house.send('/oauth/token', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }))).toEqual(
      [400, 'invalid_request'],
    )
    const unknown = await house.redeem('cli_nobody', 'tpc_x')
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="Toolpass"'])
  })
})

describe('tokens', () => {
  test('[ABUSE-13] scope only narrows', async () => {
    // Registered for it, as older clients are, without asking for the scope.
    clientId = (await house.newClient({ grant_types: ['authorization_code', 'refresh_token'] })).client_id
    const { refresh_token, scope } = await tokens({ scope: 'mcp' })
    expect(scope).toBe('mcp')
    expect(await told(house.refresh(clientId, refresh_token, { scope: 'mcp offline_access' }))).toEqual([400, 'invalid_scope'])
    expect(await told(house.refresh(clientId, refresh_token, { scope: 'admin' }))).toEqual([400, 'invalid_scope'])
    expect((await house.refresh(clientId, refresh_token, { scope: 'mcp' })).status).toBe(200)
  })
  test('[ABUSE-14] re-use after the grace ends the family', async () => {
    const { refresh_token } = await tokens()
    const next = (await (await house.refresh(clientId, refresh_token)).json()) as Tokens
    house.time.now += 30_000
    expect(await told(house.refresh(clientId, refresh_token))).toEqual([400, 'invalid_grant'])
    expect(await isGood(next.access_token)).toBe(false)
    expect(await told(house.refresh(clientId, next.refresh_token))).toEqual([400, 'invalid_grant'])
  })
  test('[ABUSE-14] re-use within the grace ends the family once the child was used', async () => {
    const { refresh_token } = await tokens()
    const next = (await (await house.refresh(clientId, refresh_token)).json()) as Tokens
    expect((await house.refresh(clientId, next.refresh_token)).status).toBe(200)
    expect(await told(house.refresh(clientId, refresh_token))).toEqual([400, 'invalid_grant'])
  })
  test('[ABUSE-14] another client gets nothing and ends nothing', async () => {
    const { refresh_token } = await tokens()
    expect(await told(house.refresh((await house.newClient()).client_id, refresh_token))).toEqual([400, 'invalid_grant'])
    expect((await house.refresh(clientId, refresh_token)).status).toBe(200)
  })
  test('[ABUSE-14] without a grace the second use is re-use', async () => {
    const strict = await newHouse({ refreshGraceSeconds: 0 })
    const { cookie: own } = await strict.signIn('strict')
    const { client_id } = await strict.newClient()
    const first = (await (await strict.redeem(client_id, await strict.obtainCode(client_id, own))).json()) as Tokens
    expect((await strict.refresh(client_id, first.refresh_token)).status).toBe(200)
    expect(await told(strict.refresh(client_id, first.refresh_token))).toEqual([400, 'invalid_grant'])
  })
  test('[ABUSE-15] five at once get the same child', async () => {
    const { refresh_token } = await tokens()
    const answers = await Promise.all(Array.from({ length: 5 }, () => house.refresh(clientId, refresh_token)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const given = (await Promise.all(answers.map((answer) => answer.json()))) as Tokens[]
    expect(new Set(given.map((each) => each.refresh_token)).size).toBe(1)
    expect(await Promise.all(given.map((each) => isGood(each.access_token)))).toEqual([true, true, true, true, true])
  })
  test('[ABUSE-16, ABUSE-17] in part: a token names its one resource, its one profile and the tools that were switched on', async () => {
    const { access_token } = await tokens()
    const verified = await house.oauth.verify(access_token)
    expect(verified).toMatchObject({ resource: `${ORIGIN}/mcp/work`, reach: 'profile', paused: false })
    const grant = await house.grants.find(verified!.grantId)
    // What was left off is refused by a word of its own, so that it is not taken for what joins later.
    const allowed = [...(grant?.tools ?? [])].filter(([, permission]) => permission !== 'refuse')
    expect(allowed).toEqual([[house.profiles.tools[0]!.toolId, 'allow']])
  })
  test('[ABUSE-19] in part: nothing but an access token is a bearer', async () => {
    const unused = await code()
    const { access_token, refresh_token } = await tokens()
    const jwt = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"x"}')}.`
    for (const bearer of [refresh_token, unused, cookie.split('=')[1]!, jwt, sha256(access_token), `${access_token}x`, ''])
      expect(await isGood(bearer)).toBe(false)
  })
  test('an hour, a pause, a revocation, a block and a disabled user hold at once', async () => {
    const { access_token, expires_in, refresh_token } = await tokens()
    expect(expires_in).toBe(3600)
    const { grantId, userId } = (await house.oauth.verify(access_token))!
    const user = (await house.users.find(userId))!
    await house.grants.pause(user, grantId)
    expect(await house.oauth.verify(access_token)).toMatchObject({ paused: true })
    expect((await house.refresh(clientId, refresh_token)).status).toBe(200)
    await house.grants.resume(user, grantId)
    await house.grants.revoke(user, grantId)
    expect(await isGood(access_token)).toBe(false)
    const second = await tokens()
    house.time.now += 3_600_000
    expect(await isGood(second.access_token)).toBe(false)
    const third = (await (await house.refresh(clientId, second.refresh_token)).json()) as Tokens
    await house.users.disable('command line', userId)
    expect(await isGood(third.access_token)).toBe(false)
    expect(await told(house.refresh(clientId, third.refresh_token))).toEqual([400, 'invalid_grant'])
  })
  test("revoking another client's or an unknown token is 200 and does nothing, one's own ends the family", async () => {
    const { access_token, refresh_token } = await tokens()
    const other = (await house.newClient()).client_id
    for (const token of [access_token, refresh_token, 'unknown'])
      expect((await house.post('/oauth/revoke', { client_id: other, token })).status).toBe(200)
    expect(await isGood(access_token)).toBe(true)
    expect((await house.post('/oauth/revoke', { client_id: clientId, token: refresh_token })).status).toBe(200)
    expect(await isGood(access_token)).toBe(false)
  })
})

describe('consent', () => {
  const page = () => house.authorize(house.asking(clientId), cookie)
  test('[ABUSE-27] without its token, from elsewhere, for another user or session nothing is created', async () => {
    const before = [await count(grantTable), await count(codes)]
    const secret = await house.secretIn(await page())
    const other = (await house.signIn(`other-${people}`)).cookie
    const refused = [
      await house.decide('', cookie),
      await house.decide('made-up', cookie),
      await house.decide(secret, other),
      await house.decide(secret, ''),
      await house.decide(secret, cookie, {}, { origin: 'https://evil.example' }),
      await house.decide(secret, cookie, {}, { 'sec-fetch-site': 'cross-site' }),
      await house.decide(secret, cookie, { tool_id: 'tol_0000000000000000' }),
      await house.decide(secret, cookie, { decision: 'perhaps' }),
      await house.decide(secret, cookie, { expires: 'always' }),
    ]
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400, 401, 403, 403, 422, 400, 422])
    expect(refused.map(({ headers }) => headers.get('location'))).toEqual(refused.map(() => null))
    expect([await count(grantTable), await count(codes)]).toEqual(before)
    expect((await house.decide(secret, cookie)).status).toBe(303)
  })
  test('[ABUSE-27] twice, one after the other or at once, creates one grant', async () => {
    const before = (await count(grantTable)) ?? 0
    const secret = await house.secretIn(await page())
    const answers = await Promise.all([1, 2, 3].map(() => house.decide(secret, cookie)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400, 400])
    expect((await house.decide(secret, cookie, { decision: 'deny' })).status).toBe(400)
    expect(await count(grantTable)).toBe(before + 1)
  })
  test('[ABUSE-27] a request that waited too long is gone', async () => {
    const secret = await house.secretIn(await page())
    house.time.now += 10 * MINUTE_MS
    expect((await house.decide(secret, cookie)).status).toBe(400)
  })
  test('loading the page twice leaves both good, and the secret is not in the database', async () => {
    const [first, second] = [await house.secretIn(await page()), await house.secretIn(await page())]
    const stored = JSON.stringify(await house.store.read.select().from(authorizationRequests))
    expect(stored).not.toContain(first)
    expect([(await house.decide(first, cookie)).status, (await house.decide(second, cookie)).status]).toEqual([303, 303])
  })
  test('a profile that does not exist can be made on the way', async () => {
    const query = house.asking(clientId, { resource: `${ORIGIN}/mcp/play` })
    const secret = await house.secretIn(await house.authorize(query, cookie))
    const made = await house.post('/oauth/authorize/profile', { request: secret, title: 'Play' }, { cookie })
    expect([made.status, made.headers.get('location')]).toEqual([303, `/oauth/authorize?${query}`])
    expect(await (await house.authorize(query, cookie)).text()).toContain('read_file')
  })
})

describe('registration', () => {
  test('[ABUSE-30] a flood from one address meets 429, another address does not', async () => {
    const flooded = await newHouse()
    const flood = await Promise.all(
      Array.from({ length: 520 }, (_, at) => flooded.register({ redirect_uris: [CALLBACK] }, `2001:db8::${at.toString(16)}`)),
    )
    expect(flood.filter(({ status }) => status === 201)).toHaveLength(500)
    const refused = flood.find(({ status }) => status === 429)
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await flooded.register({ redirect_uris: [CALLBACK] }, '2001:db8:0:1::1')).status).toBe(201)
  })
  test('[ABUSE-30] a client that nobody let in expires, one that somebody did stays', async () => {
    const own = await newHouse()
    const { cookie: first } = await own.signIn('first')
    const [unused, used] = [(await own.newClient()).client_id, (await own.newClient()).client_id]
    await own.obtainCode(used, first)
    own.time.now += 30 * DAY_MS
    expect([await own.clients.find(unused), (await own.clients.find(used))?.identifier]).toEqual([undefined, used])
    expect(await own.clients.sweep()).toBe(1)
  })
  test('mixed redirect kinds, a missing type and a secret, as real clients have them', async () => {
    const answer = await house.register({
      client_name: '\u202Eapp',
      redirect_uris: ['https://a.example/cb', 'cursor://x/cb', CALLBACK],
      logo_uri: 'x',
    })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
    const client = (await answer.json()) as Record<string, string>
    expect(client).toMatchObject({ application_type: 'native', client_name: 'app', token_endpoint_auth_method: 'client_secret_basic' })
    const wanted = await house.obtainCode(client['client_id']!, cookie)
    expect(await told(house.redeem(client['client_id']!, wanted))).toEqual([401, 'invalid_client'])
    const basic = { authorization: `Basic ${btoa(`${client['client_id']}:${client['client_secret']}`)}` }
    const form = { grant_type: 'authorization_code', code: wanted, code_verifier: 'v'.repeat(43) }
    expect((await house.post('/oauth/token', form, basic)).status).toBe(200)
    expect(JSON.stringify(await house.clients.find(client['client_id']!))).not.toContain(client['client_secret'])
  })
  test('[REGISTRATION-BOUND] what is too large is 413, what is no JSON is invalid_client_metadata', async () => {
    expect((await house.register({ redirect_uris: [CALLBACK], client_name: 'x'.repeat(16 * 1024) })).status).toBe(413)
    expect(await told(house.send('/oauth/register', { method: 'POST', body: '{' }))).toEqual([400, 'invalid_client_metadata'])
    expect(await told(house.register({ redirect_uris: [CALLBACK], token_endpoint_auth_method: 'private_key_jwt' }))).toEqual([
      400,
      'invalid_client_metadata',
    ])
  })
})

describe('metadata', () => {
  const read = async (path: string) => (await (await house.send(path)).json()) as Record<string, unknown>
  test('fits its place', async () => {
    expect(await read('/.well-known/oauth-authorization-server')).toMatchObject({
      issuer: ORIGIN,
      code_challenge_methods_supported: ['S256'],
    })
    expect((await house.send('/.well-known/oauth-authorization-server/mcp/work')).status).toBe(404)
    for (const path of ['', '/mcp', '/mcp/work', '/mcp/nobody-has-it'])
      expect(await read(`/.well-known/oauth-protected-resource${path}`)).toMatchObject({
        resource: `${ORIGIN}${path || '/mcp'}`,
        authorization_servers: [ORIGIN],
      })
    expect((await house.send('/.well-known/oauth-protected-resource/mcp/No%20Name')).status).toBe(404)
  })
  test('and the machine endpoints may be read from anywhere, the page may not', async () => {
    for (const path of ['/.well-known/oauth-protected-resource/mcp/work', '/oauth/token', '/oauth/register', '/oauth/revoke']) {
      const preflight = await house.send(path, { method: 'OPTIONS' })
      expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
    }
    expect((await house.redeem('x', 'y')).headers.get('access-control-allow-origin')).toBe('*')
    expect((await house.authorize(house.asking(clientId), cookie)).headers.get('access-control-allow-origin')).toBeNull()
  })
})
