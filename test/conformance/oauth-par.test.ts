/** Pushed authorization requests (RFC 9126), asked from outside. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { MINUTE_MS } from '@/lib/clock.ts'
import { pushedRequests } from '@/store'
import { CALLBACK, openHouse, ORIGIN, sentTo, told, type Tokens } from '../support/oauth.ts'

const house = await openHouse()
afterAll(house.close)
let cookie: string
let clientId: string
let people = 0
beforeEach(async () => {
  cookie = (await house.signIn(`person-${++people}`)).cookie
  clientId = (await house.newClient()).client_id
})

type Pushed = { request_uri: string; expires_in: number }
const pushed = async (change: Record<string, string | undefined> = {}) =>
  ((await (await house.push(clientId, change)).json()) as Pushed).request_uri
const open = (requestUri: string, change: Record<string, string> = {}) =>
  house.authorize(new URLSearchParams({ client_id: clientId, request_uri: requestUri, ...change }), cookie)
const shown = (page: Response) => [page.status, page.headers.get('location')]
const stored = () => house.store.read.select().from(pushedRequests)

test('[PAR-PUSH] a pushed request goes the whole way, and its answer is never stored by caches', async () => {
  const answer = await house.push(clientId, { state: 'pushed' })
  expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('access-control-allow-origin')]).toEqual([
    201,
    'no-store',
    '*',
  ])
  const { request_uri, expires_in } = (await answer.json()) as Pushed
  expect([request_uri, expires_in]).toEqual([expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{43}$/), 600])
  expect(JSON.stringify(await stored())).not.toContain(request_uri)
  const back = sentTo(await house.decide(await house.secretIn(await open(request_uri)), cookie))
  expect(back).toMatchObject({ state: 'pushed', iss: ORIGIN })
  expect((await house.redeem(clientId, back['code'] ?? '')).status).toBe(200)
})

test('[PAR-PUSH] what stands in the query beside it is not looked at', async () => {
  const uri = await pushed({ scope: 'mcp' })
  const beside = { redirect_uri: 'https://evil.example/cb', scope: 'mcp offline_access', state: 'other', resource: `${ORIGIN}/mcp/home` }
  const answer = await house.decide(await house.secretIn(await open(uri, beside)), cookie)
  expect(answer.headers.get('location')).toStartWith(`${CALLBACK}?`)
  expect(sentTo(answer)['state']).toBe('xyz')
  const { scope } = (await (await house.redeem(clientId, sentTo(answer)['code'] ?? '')).json()) as Tokens
  expect(scope).toBe('mcp')
})

test.each(['allow', 'deny'])('[PAR-REUSE] loading its page again is harmless, after the decision to %s it is used up', async (decision) => {
  const uri = await pushed()
  const [first, second] = [await house.secretIn(await open(uri)), await house.secretIn(await open(uri))]
  expect((await house.decide(first, cookie, { decision })).status).toBe(303)
  expect(shown(await open(uri))).toEqual([400, null])
  expect(shown(await house.decide(second, cookie))).toEqual([400, null])
})

test('[PAR-REUSE] of many answers to one pushed request, given at once, one counts', async () => {
  const uri = await pushed()
  const secrets = await Promise.all(Array.from({ length: 10 }, async () => house.secretIn(await open(uri))))
  const answers = await Promise.all(secrets.map((secret) => house.decide(secret, cookie)))
  expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
})

test("[PAR-BOUND] another client's, an expired, an unknown or a doubled one is a page, never a redirect", async () => {
  const uri = await pushed()
  const other = (await house.newClient()).client_id
  expect(shown(await open(uri, { client_id: other }))).toEqual([400, null])
  expect(shown(await house.authorize(new URLSearchParams({ request_uri: uri }), cookie))).toEqual([400, null])
  expect(shown(await open(`${uri.slice(0, -1)}${uri.endsWith('A') ? 'B' : 'A'}`))).toEqual([400, null])
  for (const twice of [`request_uri=${encodeURIComponent(uri)}`, `client_id=${other}`])
    expect(shown(await house.authorize(`${new URLSearchParams({ client_id: clientId, request_uri: uri })}&${twice}`, cookie))).toEqual([
      400,
      null,
    ])
  expect((await open(uri)).status).toBe(200)
  house.time.now += 10 * MINUTE_MS
  expect(shown(await open(uri))).toEqual([400, null])
  await house.oauth.sweep()
  expect(await stored()).toEqual([])
})

test.each<[string, Record<string, string | undefined>, string]>([
  ['a request_uri inside', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
  ['a request object', { request: 'e30.e30.' }, 'request_not_supported'],
  ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/cb' }, 'invalid_request'],
  ['no redirect URI', { redirect_uri: undefined }, 'invalid_request'],
  ['no challenge', { code_challenge: undefined }, 'invalid_request'],
  ['plain', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a foreign resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
  ['an unknown scope', { scope: 'mcp admin' }, 'invalid_scope'],
  ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
])('[PAR-JUDGED] %s is refused as it is pushed', async (_, change, error) => {
  const before = (await stored()).length
  expect(await told(house.push(clientId, change))).toEqual([400, error])
  expect((await stored()).length).toBe(before)
})
test('[PAR-JUDGED] a doubled parameter and more than 16 KB are refused as they are pushed', async () => {
  const form = house.asking(clientId)
  form.append('state', 'other')
  expect(await told(house.post('/oauth/par', form))).toEqual([400, 'invalid_request'])
  const two = house.asking(clientId)
  two.append('resource', `${ORIGIN}/mcp/home`)
  expect(await told(house.post('/oauth/par', two))).toEqual([400, 'invalid_target'])
  expect(await told(house.push(clientId, { state: 'x'.repeat(20_000) }))).toEqual([413, 'invalid_request'])
})
test('[PAR-JUDGED] prompt=none is answered where the browser is', async () => {
  const uri = await pushed({ prompt: 'none' })
  expect(sentTo(await open(uri))).toMatchObject({ error: 'consent_required', state: 'xyz', iss: ORIGIN })
  expect(sentTo(await house.authorize(new URLSearchParams({ client_id: clientId, request_uri: uri })))).toMatchObject({
    error: 'login_required',
  })
})

test('[PAR-AUTH] a client with a secret proves itself, and leaves no secret behind', async () => {
  const { client_id, client_secret = '' } = await house.newClient({ token_endpoint_auth_method: 'client_secret_post' })
  expect(await told(house.push(client_id))).toEqual([401, 'invalid_client'])
  expect(await told(house.push(client_id, { client_secret: 'wrong' }))).toEqual([401, 'invalid_client'])
  expect(await told(house.push('nobody'))).toEqual([401, 'invalid_client'])
  const basic = { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` }
  expect(await told(house.push(client_id, { client_secret }, basic))).toEqual([400, 'invalid_request'])
  expect((await house.push(client_id, { client_id: undefined }, basic)).status).toBe(201)
  const answer = await house.push(client_id, { client_secret })
  expect(JSON.stringify(await stored())).not.toContain(client_secret)
  const { request_uri } = (await answer.json()) as Pushed
  expect((await open(request_uri, { client_id })).status).toBe(200)
})

test('[OAUTH-TRACE] a push is noted with the client and the error, and with nothing that was sent', async () => {
  const since = house.trace.lastSeq()
  await pushed({ state: 'sentinel-state' })
  await house.push(clientId, { scope: 'sentinel-scope' })
  await house.push('nobody')
  const notes = house.trace.since(since)
  expect(notes.map(({ step, outcome, reason, clientName }) => [step, outcome, reason, clientName])).toEqual([
    ['push', 'ok', undefined, 'Test app'],
    ['push', 'refused', 'invalid_scope', 'Test app'],
    ['push', 'refused', 'invalid_client', undefined],
  ])
  expect(notes.every(({ address, origin }) => address === '203.0.113.5' && origin === ORIGIN)).toBe(true)
  expect(JSON.stringify(notes)).not.toContain('sentinel')
})
