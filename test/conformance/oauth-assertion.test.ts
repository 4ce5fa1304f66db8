/** Clients that prove themselves with a key (`private_key_jwt`, RFC 7523), at every endpoint for machines. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { exportJWK, generateKeyPair, generateSecret, type JWK, SignJWT } from 'jose'
import { HOUR_MS, MINUTE_MS } from '@/lib/clock.ts'
import { createOutbound, type Transport } from '@/lib/outbound.ts'
import { DEVICE_GRANT, openHouse, ORIGIN, told, type Tokens, VERIFIER } from '../support/oauth.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const DOCUMENT = 'https://app.example/client.json'
const KEYS = 'https://app.example/keys.json'

type Key = { kid: string; alg: string; privateKey: CryptoKey; jwk: JWK }
async function newKey(kid: string, alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg)
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}
const key = await newKey('first')
const rolled = await newKey('second')

/** What app.example serves; tests change it. */
const site = { documents: {} as Record<string, unknown>, keys: [] as JWK[], fetched: [] as string[] }
const CLIENT = {
  ...{ client_name: 'Web app', redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'private_key_jwt' },
  grant_types: ['authorization_code', 'refresh_token'],
}
const transport: Transport = async ({ url }) => {
  site.fetched.push(url.pathname)
  const served = url.href === KEYS ? { keys: site.keys } : site.documents[url.href]
  return served ? Response.json(served) : new Response('', { status: 503 })
}
const house = await openHouse({ outbound: createOutbound({ resolve: async () => ['93.184.216.34'], transport }) })
afterAll(house.close)

let cookie: string
let clientId: string
let people = 0
beforeEach(async () => {
  cookie = (await house.signIn(`person-${++people}`)).cookie
  clientId = await keyed({ jwks: { keys: [key.jwk] } })
})
const keyed = async (metadata: object) =>
  (
    await house.newClient({
      ...{ token_endpoint_auth_method: 'private_key_jwt', grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT] },
      ...metadata,
    })
  ).client_id

const seconds = () => Math.floor(house.time.now / 1_000)
type Claims = Record<string, unknown>
const claimsOf = (of: string): Claims => ({
  ...{ iss: of, sub: of, aud: ORIGIN, iat: seconds(), exp: seconds() + 60, jti: crypto.randomUUID() },
})
/** `undefined` leaves a claim out. */
const sign = (change: Claims = {}, { kid, alg, privateKey }: Pick<Key, 'kid' | 'alg' | 'privateKey'> = key, of = clientId) =>
  new SignJWT({ ...claimsOf(of), ...change }).setProtectedHeader({ alg, kid }).sign(privateKey)
const proof = (client_assertion: string) => ({ client_assertion_type: TYPE, client_assertion })
const unsigned = (header: object, claims: object) =>
  [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

/** Any authenticated request: revoking what nobody knows is 200. */
const tried = (assertion: string, more: Record<string, string> = {}) =>
  house.post('/oauth/revoke', { client_id: clientId, token: 'unknown', ...proof(assertion), ...more })
const REFUSED = [401, 'invalid_client']

describe('[ASSERTION-HOST]', () => {
  const under = async (at: Pick<typeof house, 'newClient' | 'send'>, origin: string) => {
    const { client_id } = await at.newClient({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] } })
    const body = new URLSearchParams({ token: 'unknown', ...proof(await sign({ aud: origin }, key, client_id)) })
    return (await at.send('/oauth/revoke', { method: 'POST', body, headers: { host: new URL(origin).host } })).status
  }
  test('[ASSERTION-HOST] without a public address one for another port is none for us, whatever the Host header says', async () => {
    expect([await under(house, ORIGIN), await under(house, 'http://localhost:4321')]).toEqual([200, 200])
    for (const origin of ['http://localhost:9999', 'http://127.0.0.1:9999', 'http://localhost'])
      expect(await under(house, origin)).toBe(401)
  })
  test('[ASSERTION-HOST] with a public address it is the only one', async () => {
    const named = await openHouse({ url: new URL('http://tools.test:4321') })
    expect([await under(named, 'http://tools.test:4321'), await under(named, ORIGIN)]).toEqual([200, 401])
    await named.close()
  })
})

describe('a right assertion', () => {
  test('[ASSERTION-GOOD] is good at each endpoint, addressed to the issuer, to that endpoint or to the token endpoint', async () => {
    for (const aud of [ORIGIN, `${ORIGIN}/oauth/par`, `${ORIGIN}/oauth/token`, [ORIGIN]])
      expect([aud, (await house.push(clientId, proof(await sign({ aud })))).status]).toEqual([aud, 201])
    const code = await house.obtainCode(clientId, cookie)
    const own = async (endpoint: string) => proof(await sign({ aud: `${ORIGIN}/oauth/${endpoint}` }))
    const redeemed = await house.redeem(clientId, code, await own('token'))
    const { access_token, refresh_token } = (await redeemed.json()) as Tokens
    const introspect = async (token: string) =>
      (await house.post('/oauth/introspect', { client_id: clientId, token, ...(await own('introspect')) })).json()
    expect(await introspect(access_token)).toMatchObject({ active: true })
    expect((await house.refresh(clientId, refresh_token, await own('token'))).status).toBe(200)
    expect((await house.beginDevice(clientId, await own('device_authorization'))).status).toBe(200)
    expect((await house.post('/oauth/revoke', { client_id: clientId, token: refresh_token, ...(await own('revoke')) })).status).toBe(200)
    expect(await introspect(access_token)).toEqual({ active: false })
  })
  test('[ASSERTION-GOOD] a whole device flow', async () => {
    const device = (await (await house.beginDevice(clientId, proof(await sign()))).json()) as Record<string, string>
    await house.answerDevice(device['user_code'] ?? '', cookie)
    const code = device['device_code'] ?? ''
    expect(await told(house.poll(clientId, code))).toEqual(REFUSED)
    expect((await house.poll(clientId, code, proof(await sign()))).status).toBe(200)
  })
  test('[ASSERTION-GOOD] names the client by itself', async () => {
    expect((await house.post('/oauth/revoke', { token: 'unknown', ...proof(await sign()) })).status).toBe(200)
  })
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('[ASSERTION-GOOD] may be signed with %s', async (alg) => {
    const own = await newKey('own', alg)
    clientId = await keyed({ jwks: { keys: [key.jwk, own.jwk] } })
    expect((await tried(await sign({}, own))).status).toBe(200)
  })
})

describe('[ASSERTION-CLAIMS]', () => {
  test.each<[string, () => Claims]>([
    ['another audience', () => ({ aud: 'https://other.example' })],
    ['another endpoint of ours', () => ({ aud: `${ORIGIN}/oauth/par` })],
    ['the issuer with a slash', () => ({ aud: `${ORIGIN}/` })],
    ['two audiences', () => ({ aud: [ORIGIN, 'https://other.example'] })],
    ['no audience', () => ({ aud: undefined })],
    ['another issuer', () => ({ iss: 'somebody' })],
    ['no issuer', () => ({ iss: undefined })],
    ['another subject', () => ({ sub: 'somebody' })],
    ['no subject', () => ({ sub: undefined })],
    ['an end that is over', () => ({ exp: seconds() - 31 })],
    ['no end', () => ({ exp: undefined })],
    ['an end in words', () => ({ exp: 'tomorrow' })],
    ['an end in an hour', () => ({ exp: seconds() + 3_600 })],
    ['a start in the future', () => ({ nbf: seconds() + 60 })],
    ['an issue in the future', () => ({ iat: seconds() + 60 })],
    ['an issue in words', () => ({ iat: 'today' })],
    ['no jti', () => ({ jti: undefined })],
    ['an empty jti', () => ({ jti: '' })],
    ['a jti that is no text', () => ({ jti: 7 })],
    ['a jti of 1000 characters', () => ({ jti: 'x'.repeat(1_000) })],
  ])('%s is invalid_client', async (_, change) => {
    expect(await told(tried(await sign(change())))).toEqual(REFUSED)
    expect((await tried(await sign())).status).toBe(200)
  })
  test('clocks may differ by half a minute', async () => {
    expect((await tried(await sign({ exp: seconds() - 20 }))).status).toBe(200)
    expect((await tried(await sign({ iat: seconds() + 20, nbf: seconds() + 20 }))).status).toBe(200)
  })
})

test('[ASSERTION-ONCE] the same one twice, or many times at once, is good once, until it has expired anyway', async () => {
  const once = await sign()
  const answers = await Promise.all(Array.from({ length: 20 }, () => tried(once)))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(401)])
  expect(await told(house.push(clientId, proof(once)))).toEqual(REFUSED)
  const jti = 'the same'
  expect((await tried(await sign({ jti }))).status).toBe(200)
  expect(await told(tried(await sign({ jti })))).toEqual(REFUSED)
  const other = await keyed({ jwks: { keys: [key.jwk] } })
  expect((await house.post('/oauth/revoke', { token: 'x', ...proof(await sign({ jti }, key, other)) })).status).toBe(200)
  house.time.now += 2 * MINUTE_MS
  await house.oauth.sweep()
  expect(await told(tried(once))).toEqual(REFUSED)
})

describe('[ASSERTION-KEY]', () => {
  test('no signature, a shared secret, a foreign key, an unknown key id, a changed text', async () => {
    const secret = { kid: 'first', alg: 'HS256', privateKey: (await generateSecret('HS256')) as CryptoKey }
    const fromPublic = await crypto.subtle.importKey(
      'raw',
      new TextEncoder().encode(JSON.stringify(key.jwk)),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    const stranger = await newKey('first')
    const good = await sign()
    const [header = '', , signature = ''] = good.split('.')
    const swapped = `${header}.${unsigned(claimsOf(clientId), {}).split('.')[0]}.${signature}`
    const bad = [
      `${unsigned({ alg: 'none' }, claimsOf(clientId))}.`,
      `${unsigned({ alg: 'none', kid: 'first' }, claimsOf(clientId))}.${signature}`,
      await sign({}, secret),
      await sign({}, { ...secret, privateKey: fromPublic }),
      await sign({}, stranger),
      await sign({}, rolled),
      swapped,
      good.slice(0, -4),
      `${good}.more`,
      'nonsense',
      'x'.repeat(10_000),
    ]
    for (const [at, assertion] of bad.entries()) expect([at, ...(await told(tried(assertion)))]).toEqual([at, ...REFUSED])
    expect((await tried(good)).status).toBe(200)
  })
  test("another client's key, or another client's assertion", async () => {
    const other = await keyed({ jwks: { keys: [rolled.jwk] } })
    expect(await told(tried(await sign({}, key, other)))).toEqual(REFUSED)
    expect(await told(house.post('/oauth/revoke', { client_id: clientId, token: 'x', ...proof(await sign({}, rolled, other)) }))).toEqual(
      REFUSED,
    )
  })
  test('a key that cannot be used is a fault of the client, not ours', async () => {
    const broken = await keyed({ jwks: { keys: [{ ...key.jwk, x: 'AAAA' }] } })
    expect(await told(house.post('/oauth/revoke', { token: 'x', ...proof(await sign({}, key, broken)) }))).toEqual(REFUSED)
  })
})

describe('[ASSERTION-ALONE]', () => {
  test('a client with a key is never let in by its name, nor by a secret', async () => {
    const code = await house.obtainCode(clientId, cookie)
    expect(await told(house.redeem(clientId, code))).toEqual(REFUSED)
    expect(await told(house.redeem(clientId, code, { client_secret: '' }))).toEqual(REFUSED)
    expect(await told(house.redeem(clientId, code, { client_secret: 'guess' }))).toEqual(REFUSED)
    for (const form of [{ token: 'x' }, { device_code: 'x', grant_type: DEVICE_GRANT }])
      for (const path of ['revoke', 'introspect', 'token', 'par', 'device_authorization'])
        expect([path, ...(await told(house.post(`/oauth/${path}`, { client_id: clientId, ...form })))]).toEqual([path, ...REFUSED])
    expect((await house.redeem(clientId, code, proof(await sign()))).status).toBe(200)
  })
  test('an assertion needs its type and no second way beside it', async () => {
    const { client_assertion } = proof(await sign())
    const told400 = async (form: Record<string, string>, headers = {}) =>
      told(house.post('/oauth/revoke', { client_id: clientId, token: 'x', ...form }, headers))
    expect(await told400({ client_assertion })).toEqual([400, 'invalid_request'])
    expect(await told400({ client_assertion, client_assertion_type: 'urn:other' })).toEqual([400, 'invalid_request'])
    expect(await told400({ client_assertion_type: TYPE })).toEqual([400, 'invalid_request'])
    expect(await told400({ ...proof(client_assertion), client_secret: 'x' })).toEqual([400, 'invalid_request'])
    expect(await told400(proof(client_assertion), { authorization: `Basic ${btoa(`${clientId}:x`)}` })).toEqual([400, 'invalid_request'])
  })
  test('an assertion is no way in for a client without a key, or for a blocked one', async () => {
    for (const token_endpoint_auth_method of ['none', 'client_secret_basic']) {
      const other = (await house.newClient({ token_endpoint_auth_method })).client_id
      expect(await told(house.post('/oauth/revoke', { token: 'x', ...proof(await sign({}, key, other)) }))).toEqual(REFUSED)
    }
    const { id } = (await house.clients.find(clientId))!
    await house.clients.block('command line', id)
    expect(await told(tried(await sign()))).toEqual(REFUSED)
  })
})

test('[ASSERTION-DOCUMENT] a metadata document brings its keys along, and rolls them over', async () => {
  site.documents[DOCUMENT] = { ...CLIENT, client_id: DOCUMENT, jwks_uri: KEYS }
  site.keys = [key.jwk]
  const change = { redirect_uri: 'https://app.example/cb' }
  const code = await house.obtainCode(DOCUMENT, cookie, change)
  const signed = async (by: Key) => proof(await sign({ aud: `${ORIGIN}/oauth/token` }, by, DOCUMENT))
  expect(await told(house.redeem(DOCUMENT, code, change))).toEqual(REFUSED)
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
  const { refresh_token } = (await (await house.post('/oauth/token', { ...form, ...(await signed(key)) })).json()) as Tokens
  const fetches = () => site.fetched.filter((path) => path === '/keys.json').length
  expect(fetches()).toBe(1)

  expect(await told(house.refresh(DOCUMENT, refresh_token, await signed(rolled)))).toEqual(REFUSED)
  site.keys = [rolled.jwk]
  house.time.now += MINUTE_MS
  const next = (await (await house.refresh(DOCUMENT, refresh_token, await signed(rolled))).json()) as Tokens
  expect([next.refresh_token, fetches()]).toEqual([expect.stringMatching(/^tpr_/), 2])
  expect(await told(house.refresh(DOCUMENT, next.refresh_token, await signed(key)))).toEqual(REFUSED)
  for (let at = 0; at < 5; at++) expect(await told(house.refresh(DOCUMENT, next.refresh_token, await signed(key)))).toEqual(REFUSED)
  expect(fetches()).toBe(2)
})

/** Let in, an hour ago: its document is due to be looked at again. */
async function staleDocument(address: string) {
  site.documents[address] = { ...CLIENT, client_id: address, jwks: { keys: [key.jwk] } }
  const change = { redirect_uri: 'https://app.example/cb' }
  const code = await house.obtainCode(address, cookie, change)
  const signed = async (by: Key) => proof(await sign({}, by, address))
  const redeemed = await house.redeem(address, code, { ...change, ...(await signed(key)) })
  const { refresh_token } = (await redeemed.json()) as Tokens
  house.time.now += HOUR_MS
  return async (by: Key) => house.refresh(address, refresh_token, await signed(by))
}
test('[ASSERTION-DOCUMENT] a key that was taken out of the document is no longer good', async () => {
  const refresh = await staleDocument('https://app.example/rolled.json')
  site.documents['https://app.example/rolled.json'] = {
    ...{ ...CLIENT, client_id: 'https://app.example/rolled.json' },
    jwks: { keys: [rolled.jwk] },
  }
  expect(await told(refresh(key))).toEqual(REFUSED)
  expect((await refresh(rolled)).status).toBe(200)
})
test('[ASSERTION-DOCUMENT] while the host of the document is down the last copy is good', async () => {
  const refresh = await staleDocument('https://app.example/down.json')
  site.documents['https://app.example/down.json'] = undefined
  expect((await refresh(key)).status).toBe(200)
})
