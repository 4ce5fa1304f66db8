/** How a client finds its way here: two documents, one issuer, and answers that any web page may read. */
import { describe, expect } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { type Answer, CALLBACK, type Talk } from './talking.ts'
import type { FormEndpoint } from './target.ts'

const { one, each } = await openSuite()

const SERVER = '/.well-known/oauth-authorization-server'
const RESOURCE = '/.well-known/oauth-protected-resource'
const NO_RESOURCE = 'the oracle guards no resource, and has no metadata of one'
const ENDPOINTS = [
  ...['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint', 'introspection_endpoint'],
  ...['pushed_authorization_request_endpoint', 'device_authorization_endpoint'],
] as const
const FORMS: readonly FormEndpoint[] = [
  ...(['token_endpoint', 'revocation_endpoint', 'introspection_endpoint', 'pushed_authorization_request_endpoint'] as const),
  'device_authorization_endpoint',
]

describe('server metadata', () => {
  one('[RFC8414-3] is JSON at the well-known address of the issuer', [200, true], async (talk) => {
    const { status, headers } = await talk.send(talk.issuer + SERVER)
    return [status, /^application\/json\b/.test(headers.get('content-type') ?? '')]
  })
  one('[RFC8414-3] names the issuer byte by byte, without a slash', [true, false], async (talk) => [
    talk.metadata.issuer === talk.issuer,
    talk.metadata.issuer.endsWith('/'),
  ])
  one('[RFC8414-3] is the same bytes each time', true, async (talk) => {
    const [one, other] = [await talk.send(talk.issuer + SERVER), await talk.send(talk.issuer + SERVER)]
    return one.text === other.text
  })
  const elsewhere: Case<string, number>[] = [
    {
      name: '[RFC8414-3] is not behind a slash',
      input: `${SERVER}/`,
      sees: 404,
      oracle: 200,
      differs: 'its router takes a slash for nothing; clients that compare addresses do not',
    },
    { name: '[RFC8414-3] is not below the resource', input: `/mcp${SERVER}`, sees: 404 },
    { name: '[RFC8414-3] is not that of another path', input: `${SERVER}/mcp/work`, sees: 404 },
  ]
  each(elsewhere, async (talk, place) => (await talk.send(talk.issuer + place)).status)
  one('[OAUTH-METADATA] names each endpoint once, below the issuer', [true, true], async (talk) => {
    const named = ENDPOINTS.map((name) => String(talk.metadata[name]))
    return [new Set(named).size === ENDPOINTS.length, named.every((address) => address.startsWith(`${talk.issuer}/`))]
  })
  const members: Case<string, unknown>[] = [
    { name: '[RFC8414-3] knows codes alone', input: 'response_types_supported', sees: ['code'] },
    { name: '[RFC8414-3] knows S256 alone', input: 'code_challenge_methods_supported', sees: ['S256'] },
    { name: '[RFC9207-2] promises iss', input: 'authorization_response_iss_parameter_supported', sees: true },
    {
      name: '[OAUTH-METADATA] has the scopes',
      input: 'scopes_supported',
      sees: ['mcp', 'offline_access'],
      oracle: ['mcp', 'offline_access', 'openid'],
      differs: 'it signs people in as well',
    },
    {
      name: '[OAUTH-METADATA] takes client identifiers that are addresses',
      input: 'client_id_metadata_document_supported',
      sees: true,
      oracle: undefined,
      differs: 'the oracle can, and was not told to',
    },
    {
      name: '[OAUTH-METADATA] answers in the query alone',
      input: 'response_modes_supported',
      sees: ['query'],
      oracle: ['form_post', 'fragment', 'query'],
      differs: 'OpenID Connect has modes beside query; OAuth 2.1 has none',
    },
  ]
  each(members, async (talk, member) => talk.metadata[member])
  const lists: Case<[string, string[]], boolean>[] = [
    { name: '[OAUTH-METADATA] lists clients without a secret', input: ['token_endpoint_auth_methods_supported', ['none']], sees: true },
    {
      name: '[OAUTH-METADATA] lists each way to prove oneself',
      input: ['token_endpoint_auth_methods_supported', ['client_secret_basic', 'client_secret_post', 'private_key_jwt']],
      sees: true,
    },
    {
      name: '[OAUTH-METADATA] lists each grant',
      input: ['grant_types_supported', ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']],
      sees: true,
    },
    {
      name: '[OAUTH-METADATA] lists the algorithms of assertions, none of them symmetric',
      input: ['token_endpoint_auth_signing_alg_values_supported', ['RS256', 'PS256', 'ES256']],
      sees: true,
    },
  ]
  each(lists, async (talk, [member, wanted]) => {
    const listed = talk.metadata[member] as string[]
    return wanted.every((each) => listed.includes(each)) && !listed.some((each) => /^(HS\d+|.*[nN]one_.*)$/.test(each))
  })
  one('[RFC8414-3] promises no grant and no response that is not there', [false, false], async (talk) => [
    (talk.metadata['grant_types_supported'] as string[]).some((each) => /implicit|password|client_credentials/.test(each)),
    (talk.metadata['response_types_supported'] as string[]).some((each) => /token/.test(each)),
  ])
})

describe('one issuer, byte by byte', () => {
  one('[RFC9207-2, RFC8414-3] in the metadata, in what comes back, and in what is said of a token', [true, true], async (talk) => {
    const app = await talk.newApp({ token_endpoint_auth_method: 'client_secret_basic' })
    const answer = await talk.answer(talk.addressOf(talk.asking(app)), 'allow')
    const { access_token } = await talk.tokens(app)
    const { json } = await talk.postAs(app, 'introspection_endpoint', { token: access_token })
    return [answer.searchParams.get('iss') === talk.metadata.issuer, json['iss'] === talk.metadata.issuer]
  })
  one(
    '[RFC9728-3.1, RFC8414-3] in the metadata of the resource',
    [200, true, true],
    async (talk) => {
      const { status, json } = await talk.send(talk.resource.replace('/mcp', `${RESOURCE}/mcp`))
      return [
        status,
        JSON.stringify(json['authorization_servers']) === JSON.stringify([talk.metadata.issuer]),
        json['resource'] === talk.resource,
      ]
    },
    { only: NO_RESOURCE },
  )
  one(
    '[RFC8414-3] at another name of this machine: the document names what was asked',
    true,
    async (talk) => {
      const { port } = new URL(talk.issuer)
      const elsewhere = `http://127.0.0.1:${port}`
      const { status, json } = await talk.send(elsewhere + SERVER)
      return status === 421 || json['issuer'] === elsewhere
    },
    { only: 'the oracle is known by one name' },
  )
})

describe('the way to the server from a resource', () => {
  const challenge = ({ headers }: Answer) => headers.get('www-authenticate') ?? ''
  const asked = (talk: Talk, headers: Record<string, string> = {}, path = '') =>
    talk.send(talk.resource + path, { method: 'POST', headers })
  one(
    '[RFC9728-5.1, RFC6750-3.1] begins with a 401 that names metadata and no error',
    [401, true, false],
    async (talk) => {
      const answer = await asked(talk)
      const metadata = talk.resource.replace('/mcp', `${RESOURCE}/mcp`)
      return [answer.status, challenge(answer).includes(`resource_metadata="${metadata}"`), challenge(answer).includes('error=')]
    },
    { only: NO_RESOURCE },
  )
  one(
    '[RFC9728-5.1] leads to the server by what is written alone',
    true,
    async (talk) => {
      const first = /resource_metadata="([^"]+)"/.exec(challenge(await asked(talk)))?.[1] ?? ''
      const { json } = await talk.send(first)
      const [server] = json['authorization_servers'] as string[]
      return (await talk.send(server + SERVER)).json['token_endpoint'] === talk.metadata.token_endpoint
    },
    { only: NO_RESOURCE },
  )
  one(
    '[RFC6750-3.1] names the error of a bad token',
    [401, true],
    async (talk) => {
      const answer = await asked(talk, { authorization: 'Bearer tpa_made-up' })
      return [answer.status, challenge(answer).includes('error="invalid_token"')]
    },
    { only: NO_RESOURCE },
  )
  one(
    '[ABUSE-19] takes no token from the query',
    401,
    async (talk) => {
      const { access_token } = await talk.tokens(await talk.newApp())
      return (await asked(talk, {}, `?access_token=${access_token}`)).status
    },
    { only: NO_RESOURCE },
  )
  one(
    '[ABUSE-16] takes no token of another profile',
    [200, 401] as unknown[],
    async (talk) => {
      const { access_token } = await talk.tokens(await talk.newApp())
      const elsewhere = await talk.send(`${talk.issuer}/mcp/other`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access_token}` },
      })
      return [(await talk.accepts(access_token)) ? 200 : 401, elsewhere.status]
    },
    { only: NO_RESOURCE },
  )
  one(
    '[RFC9728-3.1] looks alike for a profile that is there and one that is not',
    [200, 200],
    async (talk) => {
      const places = ['work', 'nobody-has-this'].map((name) => talk.send(`${talk.issuer}${RESOURCE}/mcp/${name}`))
      return (await Promise.all(places)).map(({ status }) => status)
    },
    { only: NO_RESOURCE },
  )
  one(
    '[RFC9728-3.1] at the root is for /mcp',
    true,
    async (talk) => (await talk.send(talk.issuer + RESOURCE)).json['resource'] === talk.otherResource,
    {
      only: NO_RESOURCE,
    },
  )
})

describe('a web page of anywhere', () => {
  const ORIGIN = 'https://inspector.example'
  const allows = ({ headers }: Answer) => ['*', ORIGIN].includes(headers.get('access-control-allow-origin') ?? '')
  const credentials = ({ headers }: Answer) => headers.get('access-control-allow-credentials')
  const preflight =
    (address: string, method: string) =>
    ({ send }: Talk) =>
      send(address, {
        method: 'OPTIONS',
        headers: {
          origin: ORIGIN,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization, content-type',
        },
      })
  one('[OAUTH-CORS] reads the server metadata', [true, null], async (talk) => {
    const answer = await talk.send(talk.issuer + SERVER, { headers: { origin: ORIGIN } })
    return [allows(answer), credentials(answer)]
  })
  for (const endpoint of FORMS) {
    one(`[OAUTH-CORS] asks whether it may post to the ${endpoint}`, [true, true, true, true, null], async (talk) => {
      const answer = await preflight(talk.metadata[endpoint], 'POST')(talk)
      const listed = (name: string) => (answer.headers.get(name) ?? '').toLowerCase()
      const headers = listed('access-control-allow-headers')
      const isFine = answer.status === 200 || answer.status === 204
      return [
        isFine,
        allows(answer),
        listed('access-control-allow-methods').includes('post'),
        /authorization/.test(headers) && /content-type/.test(headers),
        credentials(answer),
      ]
    })
    one(`[OAUTH-CORS] reads the error of the ${endpoint}`, [true, true, null], async (talk) => {
      const app = await talk.newApp()
      const answer = await talk.post(endpoint, { client_id: app.id }, { origin: ORIGIN })
      return [answer.status >= 400 || endpoint === 'device_authorization_endpoint', allows(answer), credentials(answer)]
    })
  }
  one('[OAUTH-CORS] reads its tokens', [200, true], async (talk) => {
    const app = await talk.newApp()
    const answer = await talk.redeem(app, await talk.obtain(app), { redirect_uri: CALLBACK }, { origin: ORIGIN })
    return [answer.status, allows(answer)]
  })
  const SERVERS_ONLY = { only: 'the oracle lets no web page register' }
  one(
    '[OAUTH-CORS] registers',
    [true, true, null],
    async (talk) => {
      const { registration_endpoint: address } = talk.metadata
      const asked = await preflight(address, 'POST')(talk)
      const body = JSON.stringify({ redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' })
      const answer = await talk.send(address, { method: 'POST', headers: { origin: ORIGIN, 'content-type': 'application/json' }, body })
      return [allows(asked), allows(answer), credentials(answer)]
    },
    SERVERS_ONLY,
  )
  one(
    '[OAUTH-CORS] reads the resource metadata',
    [true, true],
    async (talk) => {
      const address = talk.issuer + RESOURCE
      return [allows(await preflight(address, 'GET')(talk)), allows(await talk.send(address, { headers: { origin: ORIGIN } }))]
    },
    { only: NO_RESOURCE },
  )
  one('[OAUTH-CORS] never sends cookies along: where any origin may read, none is believed', 0, async (talk) => {
    const addresses = [talk.issuer + SERVER, ...FORMS.map((endpoint) => talk.metadata[endpoint])]
    const answers = await Promise.all(addresses.map((address) => talk.send(address, { method: 'OPTIONS', headers: { origin: ORIGIN } })))
    expect(answers.length).toBeGreaterThan(5)
    return answers.filter((answer) => credentials(answer) !== null).length
  })
})
