/** Introspection (RFC 7662): what a client that proves itself learns about its own tokens, and about all others. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { HOUR_MS, MINUTE_MS } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { openHouse, ORIGIN, told, type Tokens } from '../support/oauth.ts'

const house = await openHouse()
afterAll(house.close)
let cookie: string
let user: Awaited<ReturnType<typeof house.signIn>>['user']
let secretive: Record<'client_id' | 'client_secret', string>
let people = 0

const withSecret = async () => {
  const { client_id, client_secret = '' } = await house.newClient({ token_endpoint_auth_method: 'client_secret_post' })
  return { client_id, client_secret }
}
beforeEach(async () => {
  ;({ cookie, user } = await house.signIn(`person-${++people}`))
  secretive = await withSecret()
})

const connect = async (by = secretive, change = {}) => {
  const code = await house.obtainCode(by.client_id, cookie, change)
  return (await (await house.redeem(by.client_id, code, { client_secret: by.client_secret })).json()) as Tokens
}
const introspect = async (token: string, by: Record<string, string> = secretive) => {
  const answer = await house.post('/oauth/introspect', { ...by, token })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  return answer.text()
}
const INACTIVE = '{"active":false}'
const isActive = async (token: string) => JSON.parse(await introspect(token)).active
const grantOf = async (token: string) => (await house.oauth.verify(token))!.grantId

test('[INTROSPECT-ACTIVE] of an access and a refresh token: whose, for what, until when', async () => {
  const { access_token, refresh_token } = await connect()
  const now = Math.floor(house.time.now / 1_000)
  const both = {
    ...{ active: true, scope: 'mcp offline_access', client_id: secretive.client_id, iss: ORIGIN },
    ...{ aud: `${ORIGIN}/mcp/work`, sub: user.id, iat: now },
  }
  expect(JSON.parse(await introspect(access_token))).toEqual({ ...both, token_type: 'Bearer', exp: now + 3_600 })
  expect(JSON.parse(await introspect(refresh_token))).toEqual({ ...both, exp: expect.any(Number) })
  const basic = { authorization: `Basic ${btoa(`${secretive.client_id}:${secretive.client_secret}`)}` }
  const answer = await house.post('/oauth/introspect', { token: access_token, token_type_hint: 'refresh_token' }, basic)
  expect(await answer.json()).toMatchObject({ active: true })
})

test('[ABUSE-20, INTROSPECT-AUTH] without proof, with a wrong one, or by a public client: 401, and nothing said about the token', async () => {
  const { access_token: token } = await connect()
  const open = (await house.newClient()).client_id
  const own = (await (await house.redeem(open, await house.obtainCode(open, cookie))).json()) as Tokens
  const forms: Record<string, string>[] = [
    { token },
    { token, client_id: secretive.client_id },
    { token, client_id: secretive.client_id, client_secret: 'wrong' },
    { token, client_id: 'nobody', client_secret: 'x' },
    { token, client_id: open },
    { token: own.access_token, client_id: open },
    { token: own.access_token, client_id: open, client_secret: '' },
  ]
  for (const form of forms) {
    const answer = await house.post('/oauth/introspect', form)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="Toolpass"'])
    expect(await answer.json()).toEqual({ error: 'invalid_client', error_description: expect.any(String) })
  }
  // A token is no proof of a client.
  const bearer = { authorization: `Bearer ${token}` }
  expect(await told(house.post('/oauth/introspect', { token }, bearer))).toEqual([401, 'invalid_client'])
})

test("[ABUSE-20] revoking another client's token is 200 and has no effect", async () => {
  const { access_token, refresh_token } = await connect()
  const other = await withSecret()
  for (const token of [access_token, refresh_token]) expect((await house.post('/oauth/revoke', { ...other, token })).status).toBe(200)
  expect([await isActive(access_token), await isActive(refresh_token)]).toEqual([true, true])
})

test("[INTROSPECT-INACTIVE] another client's, an unknown, and what is no token at all are exactly inactive", async () => {
  const foreign = await connect(await withSecret())
  const own = await connect()
  const code = await house.obtainCode(secretive.client_id, cookie)
  const session = cookie.split('=')[1] ?? ''
  const tokens = [foreign.access_token, foreign.refresh_token, `tpa_${'x'.repeat(43)}`, 'nonsense', code, session, secretive.client_secret]
  for (const token of [...tokens, sha256(own.access_token), `${own.access_token} `]) expect(await introspect(token)).toBe(INACTIVE)
})

test('[INTROSPECT-INACTIVE] expired, revoked, rotated', async () => {
  const { access_token, refresh_token } = await connect()
  const next = (await (
    await house.refresh(secretive.client_id, refresh_token, { client_secret: secretive.client_secret })
  ).json()) as Tokens
  expect([await introspect(refresh_token), await isActive(next.refresh_token)]).toEqual([INACTIVE, true])
  await house.post('/oauth/revoke', { ...secretive, token: access_token })
  expect([await introspect(access_token), await isActive(next.access_token)]).toEqual([INACTIVE, true])
  house.time.now += HOUR_MS
  expect([await introspect(next.access_token), await isActive(next.refresh_token)]).toEqual([INACTIVE, true])
  house.time.now += 90 * 24 * HOUR_MS
  expect(await introspect(next.refresh_token)).toBe(INACTIVE)
})

test('[INTROSPECT-INACTIVE] a grant that is paused, expired or revoked, and a user who was disabled', async () => {
  const paused = await connect()
  await house.grants.pause(user, await grantOf(paused.access_token))
  for (const token of [paused.access_token, paused.refresh_token]) expect(await introspect(token)).toBe(INACTIVE)
  await house.grants.resume(user, await grantOf(paused.access_token))
  expect(await isActive(paused.access_token)).toBe(true)

  const revoked = await connect()
  await house.grants.revoke(user, await grantOf(revoked.access_token))
  for (const token of [revoked.access_token, revoked.refresh_token]) expect(await introspect(token)).toBe(INACTIVE)

  const expired = await connect()
  house.time.now += 31 * 24 * HOUR_MS
  for (const token of [expired.access_token, expired.refresh_token]) expect(await introspect(token)).toBe(INACTIVE)

  ;({ cookie, user } = await house.signIn(`leaver-${people}`))
  const left = await connect()
  house.time.now += MINUTE_MS
  expect(await isActive(left.access_token)).toBe(true)
  await house.users.disable('command line', user.id)
  for (const token of [left.access_token, left.refresh_token]) expect(await introspect(token)).toBe(INACTIVE)
})

test('[INTROSPECT-AUTH] no token is invalid_request, a doubled one too, a blocked client is refused', async () => {
  expect(await told(house.post('/oauth/introspect', secretive))).toEqual([400, 'invalid_request'])
  const twice = new URLSearchParams({ ...secretive, token: 'x' })
  twice.append('token', 'y')
  expect(await told(house.post('/oauth/introspect', twice))).toEqual([400, 'invalid_request'])
  const { access_token: token } = await connect()
  await house.clients.block('command line', (await house.clients.find(secretive.client_id))!.id)
  expect(await told(house.post('/oauth/introspect', { ...secretive, token }))).toEqual([401, 'invalid_client'])
})
