/** A client looks after its own registration (RFC 7592), and what the metadata says of all endpoints. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { CALLBACK, openHouse, ORIGIN, told } from '../support/oauth.ts'

const house = await openHouse()
afterAll(house.close)

type Registered = Record<string, string> & { client_id: string }
let client: Registered
let cookie: string
let people = 0
beforeEach(async () => {
  cookie = (await house.signIn(`person-${++people}`)).cookie
  client = await house.newClient({ token_endpoint_auth_method: 'client_secret_post' })
})

const pathOf = ({ registration_client_uri = '' }: Registered) => registration_client_uri.slice(ORIGIN.length)
const manage = (
  method: string,
  { path = pathOf(client), token = client['registration_access_token'], body = {} as object | undefined } = {},
) =>
  house.send(path, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    ...(method === 'PUT' && { body: JSON.stringify(body) }),
  })
const changed = (more: object = {}) => ({
  ...{ client_id: client.client_id, client_name: 'Renamed', redirect_uris: [CALLBACK, 'cursor://x/cb'] },
  ...{ grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'client_secret_post', ...more },
})

test('[RFC7592-2] a registration is answered with a token and an address for it, of which the database holds a hash', async () => {
  const { registration_access_token: token = '', registration_client_uri } = client
  expect([token, registration_client_uri]).toEqual([
    expect.stringMatching(/^tpm_[\w-]{43}$/),
    `${ORIGIN}/oauth/register/${client.client_id}`,
  ])
  expect(JSON.stringify(await house.clients.find(client.client_id))).not.toContain(token)
})

test('[RFC7592-2] it may be read and changed; who it is and how it proves itself stays', async () => {
  const read = await manage('GET')
  expect([read.status, read.headers.get('cache-control'), read.headers.get('access-control-allow-origin')]).toEqual([200, 'no-store', '*'])
  expect(await read.json()).toMatchObject({ client_id: client.client_id, client_name: 'Test app', redirect_uris: [CALLBACK] })
  const put = await manage('PUT', { body: changed() })
  expect(put.status).toBe(200)
  expect(await put.json()).toMatchObject({
    client_id: client.client_id,
    client_name: 'Renamed',
    redirect_uris: [CALLBACK, 'cursor://x/cb'],
  })
  expect((await house.authorize(house.asking(client.client_id, { redirect_uri: 'cursor://x/cb' }), cookie)).status).toBe(200)
  const code = await house.obtainCode(client.client_id, cookie)
  expect((await house.redeem(client.client_id, code, { client_secret: client['client_secret'] ?? '' })).status).toBe(200)
})

test.each<[string, () => object, string]>([
  ['another client_id', () => changed({ client_id: 'another' }), 'invalid_client_metadata'],
  ['no client_id', () => changed({ client_id: undefined }), 'invalid_client_metadata'],
  ['a secret of its own choice', () => changed({ client_secret: 'chosen' }), 'invalid_client_metadata'],
  ['a weaker proof', () => changed({ token_endpoint_auth_method: 'none' }), 'invalid_client_metadata'],
  ['a dangerous redirect URI', () => changed({ redirect_uris: ['javascript:alert(1)'] }), 'invalid_redirect_uri'],
  ['no redirect URI', () => changed({ redirect_uris: [] }), 'invalid_redirect_uri'],
])('[RFC7592-2] %s is refused and changes nothing', async (_, body, error) => {
  expect(await told(manage('PUT', { body: body() }))).toEqual([400, error])
  expect(await (await manage('GET')).json()).toMatchObject({ client_name: 'Test app', redirect_uris: [CALLBACK] })
})

describe('[RFC7592-3]', () => {
  const refused = async (answer: Response) => [answer.status, answer.headers.get('www-authenticate'), (await told(answer))[1]]
  const REFUSED = [401, 'Bearer error="invalid_token"', 'invalid_token']
  test('no token, a wrong one, that of another client, and one for an unknown client are refused alike', async () => {
    const other = await house.newClient()
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const body = changed()
      expect(await refused(await manage(method, { token: '', body }))).toEqual(REFUSED)
      expect(await refused(await manage(method, { token: 'wrong', body }))).toEqual(REFUSED)
      expect(await refused(await manage(method, { token: other['registration_access_token'] ?? '', body }))).toEqual(REFUSED)
      expect(await refused(await manage(method, { token: client['client_secret'] ?? '', body }))).toEqual(REFUSED)
      expect(await refused(await manage(method, { path: '/oauth/register/nobody', body }))).toEqual(REFUSED)
    }
    expect((await manage('GET')).status).toBe(200)
  })
  test('what an administrator registered has no such token, and that of a blocked client is dead', async () => {
    const { client: ours } = await house.clients.preregister('command line', {
      name: 'Ours',
      redirectUris: [CALLBACK],
      confidential: false,
    })
    expect(await refused(await manage('GET', { path: `/oauth/register/${ours.identifier}` }))).toEqual(REFUSED)
    await house.clients.block('command line', (await house.clients.find(client.client_id))!.id)
    expect(await refused(await manage('GET'))).toEqual(REFUSED)
  })
  test('a deleted client is 204, then gone with all that was granted to it', async () => {
    const code = await house.obtainCode(client.client_id, cookie)
    const redeemed = await house.redeem(client.client_id, code, { client_secret: client['client_secret'] ?? '' })
    const { access_token } = (await redeemed.json()) as { access_token: string }
    const gone = await manage('DELETE')
    expect([gone.status, await gone.text()]).toEqual([204, ''])
    expect(await refused(await manage('GET'))).toEqual(REFUSED)
    expect(await house.oauth.verify(access_token)).toBeUndefined()
    expect(await told(house.redeem(client.client_id, code, { client_secret: client['client_secret'] ?? '' }))).toEqual([
      401,
      'invalid_client',
    ])
  })
})

const ENDPOINTS = {
  pushed_authorization_request_endpoint: '/oauth/par',
  device_authorization_endpoint: '/oauth/device_authorization',
  introspection_endpoint: '/oauth/introspect',
  token_endpoint: '/oauth/token',
  revocation_endpoint: '/oauth/revoke',
  registration_endpoint: '/oauth/register',
}

test('[OAUTH-METADATA] names every endpoint, and each way to prove oneself', async () => {
  const metadata = (await (await house.send('/.well-known/oauth-authorization-server')).json()) as Record<string, unknown>
  for (const [name, path] of Object.entries(ENDPOINTS)) expect([name, metadata[name]]).toEqual([name, ORIGIN + path])
  const proving = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
  expect(metadata).toMatchObject({
    client_id_metadata_document_supported: true,
    grant_types_supported: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    token_endpoint_auth_methods_supported: ['none', ...proving],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    introspection_endpoint_auth_methods_supported: proving,
    scopes_supported: ['mcp', 'offline_access'],
  })
})

test('[OAUTH-METADATA] each endpoint takes forms or JSON from any web origin, and answers errors in the words of OAuth', async () => {
  for (const path of [...Object.values(ENDPOINTS), pathOf(client)]) {
    const preflight = await house.send(path, { method: 'OPTIONS' })
    expect([path, preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([path, 204, '*'])
    if (path === pathOf(client)) continue
    const answer = await house.send(path, { method: 'POST', body: '<x/>', headers: { 'content-type': 'text/xml' } })
    expect([path, answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([path, 400, '*'])
    expect(await answer.json()).toEqual({ error: expect.stringMatching(/^invalid_/), error_description: expect.any(String) })
  }
})
