/** How a client becomes known, and looks after itself (RFC 7591, RFC 7592). */
import { describe } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { ask, outcomeOf, SHOWN } from './outcome.ts'
import { type Answer, type App, CALLBACK, type Json, type Talk, told } from './talking.ts'

const { one, each } = await openSuite()

type Told = [number, unknown]
const MADE: Told = [201, undefined]
const GOOD: Told = [200, undefined]
const METADATA: Told = [400, 'invalid_client_metadata']
const REDIRECT: Told = [400, 'invalid_redirect_uri']
const TOKEN: Told = [401, 'invalid_token']
const NATIVE = { application_type: 'native' }

describe('a registration', () => {
  one('[RFC7591-3.2.1] is answered 201, uncached, with a client_id', [201, true, 'string'], async (talk) => {
    const { status, headers, json } = await talk.register()
    return [status, /no-store/.test(headers.get('cache-control') ?? ''), typeof json['client_id']]
  })
  one(
    '[RFC7591-3.2.1] is answered with what was registered',
    { client_name: 'Suite', redirect_uris: [CALLBACK], response_types: ['code'] },
    async (talk) => {
      const { client_name, redirect_uris, response_types } = (await talk.register()).json
      return { client_name, redirect_uris, response_types } as { client_name: string; redirect_uris: string[]; response_types: string[] }
    },
  )
  one('makes another client each time', false, async (talk) => {
    const [one, other] = [await talk.newApp(), await talk.newApp()]
    return one.id === other.id
  })
  one('without a word on proof is of a client with a secret', ['client_secret_basic', 'string', 0], async (talk) => {
    const { token_endpoint_auth_method, client_secret, client_secret_expires_at } = (
      await talk.register({ token_endpoint_auth_method: undefined })
    ).json
    return [token_endpoint_auth_method, typeof client_secret, client_secret_expires_at]
  })
  one('of a public client has no secret', undefined as unknown, async (talk) => (await talk.register()).json['client_secret'])
  one(
    'keeps the name it was given, whatever is in it',
    '<b>"Ada" & Söhne</b> 中文' as unknown,
    async (talk) => (await talk.register({ client_name: '<b>"Ada" & Söhne</b> 中文' })).json['client_name'],
  )
  one(
    'does not choose its own client_id',
    false,
    async (talk) => (await talk.register({ client_id: 'chosen' })).json['client_id'] === 'chosen',
  )
  one('is good at once', 'asks' as unknown, (talk) => ask(talk, {}))
})

describe('what a client says of itself', () => {
  const cases: Case<Json, Told>[] = [
    { name: '[RFC7591-3.2.1] two redirect URIs', input: { redirect_uris: [CALLBACK, 'https://app.example.org/other'] }, sees: MADE },
    {
      name: '[RFC7591-3.2.1] redirect URIs of mixed kinds',
      input: { ...NATIVE, redirect_uris: ['http://127.0.0.1/callback', 'org.example.app:/callback'] },
      sees: MADE,
    },
    { name: 'a member nobody knows', input: { favourite_colour: 'blue' }, sees: MADE },
    { name: '[ABUSE-03] a redirect URI with a fragment', input: { redirect_uris: [`${CALLBACK}#x`] }, sees: REDIRECT },
    { name: '[ABUSE-03] a redirect URI that is a script', input: { ...NATIVE, redirect_uris: ['javascript:alert(1)'] }, sees: REDIRECT },
    { name: '[ABUSE-03] a redirect URI that is data', input: { ...NATIVE, redirect_uris: ['data:text/html,x'] }, sees: REDIRECT },
    {
      name: '[ABUSE-03] http to another machine',
      input: { ...NATIVE, redirect_uris: ['http://app.example.org/callback'] },
      sees: REDIRECT,
    },
    { name: '[ABUSE-03] a redirect URI that is none', input: { redirect_uris: ['callback'] }, sees: REDIRECT },
    { name: '[ABUSE-03] no redirect URIs', input: { redirect_uris: [] }, sees: REDIRECT },
    { name: '[ABUSE-03] no list of redirect URIs', input: { redirect_uris: undefined }, sees: REDIRECT },
    { name: '[ABUSE-03] a good one and a bad one', input: { redirect_uris: [CALLBACK, `${CALLBACK}#x`] }, sees: REDIRECT },
    { name: '[ABUSE-03] a text for a list of redirect URIs', input: { redirect_uris: CALLBACK }, sees: REDIRECT },
    {
      name: '[ABUSE-03] a scheme of its own on the web',
      input: { application_type: 'web', redirect_uris: ['org.example.app:/callback'] },
      sees: REDIRECT,
    },
    { name: 'a proof nobody knows', input: { token_endpoint_auth_method: 'magic' }, sees: METADATA },
    { name: 'a number for a name', input: { client_name: 7 }, sees: METADATA },
    { name: 'an application type nobody knows', input: { application_type: 'toaster' }, sees: METADATA },
    { name: 'a key to prove itself with, and no key', input: { token_endpoint_auth_method: 'private_key_jwt' }, sees: METADATA },
    {
      name: 'keys by value and by reference',
      input: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] }, jwks_uri: 'https://app.example.org/keys' },
      sees: METADATA,
    },
    {
      name: 'a private key',
      input: {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43), d: 'd'.repeat(43) }] },
      },
      sees: METADATA,
    },
    {
      name: 'a shared key',
      input: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'eA' }] } },
      sees: METADATA,
    },
    {
      name: 'codes without the grant for codes',
      input: { grant_types: ['refresh_token'], response_types: ['code'] },
      sees: METADATA,
      oracle: MADE,
      differs: 'RFC 7591 §2.1 says that the two should agree, and not what becomes of a client where they do not',
    },
    {
      name: 'a grant that nobody has',
      input: { grant_types: ['authorization_code', 'urn:example:magic'] },
      sees: MADE,
      oracle: METADATA,
      differs: 'RFC 7591 §3.2.1 lets a server leave out what it does not have, and clients ask for much',
    },
    {
      name: 'null where it means nothing',
      input: { client_uri: null, scope: null },
      sees: MADE,
      oracle: METADATA,
      differs: 'clients send null for what they leave out; nothing is lost by taking it so',
    },
  ]
  each(cases, async (talk, said) => told(await talk.register(said)))

  const raw =
    (body: string, type = 'application/json') =>
    async (talk: Talk) =>
      told(await talk.send(talk.metadata.registration_endpoint, { method: 'POST', headers: { 'content-type': type }, body }))
  const REQUEST = { oracle: [400, 'invalid_request'] as Told, differs: 'RFC 7591 §3.2.2 has an error for metadata, RFC 6749 for requests' }
  one('no JSON', METADATA, raw('{"redirect_uris":'), REQUEST)
  one('a list', METADATA, raw('[]'), REQUEST)
  one('nothing', METADATA, raw(''), REQUEST)
  one('more than anybody has to say', true, async (talk) =>
    [400, 413].includes((await talk.register({ client_name: 'x'.repeat(2 ** 18) })).status),
  )
  one('[ABUSE-03] is written down only when all of it is good', SHOWN, async (talk) => {
    const app = await talk.newApp()
    return outcomeOf(talk, await talk.visit(talk.addressOf(talk.asking(app, { redirect_uri: `${CALLBACK}#x` }))))
  })
})

describe('a client that looks after itself', () => {
  const manage = (talk: Talk, { registered }: App, method: string, init: { token?: string; said?: Json } = {}): Promise<Answer> =>
    talk.send(String(registered['registration_client_uri']), {
      method,
      headers: {
        ...(init.token !== '' && { authorization: `Bearer ${init.token ?? registered['registration_access_token']}` }),
        ...(init.said && { 'content-type': 'application/json' }),
      },
      ...(init.said && { body: JSON.stringify(init.said) }),
    })
  /** What it says when it says everything anew: RFC 7592 §2.2 wants the whole, without what only we may say. */
  const whole = ({ id, registered }: App, change: Json = {}): Json => {
    const ours = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at']
    return { ...Object.fromEntries(Object.entries(registered).filter(([name]) => !ours.includes(name))), client_id: id, ...change }
  }

  one('[REGISTRATION-READ] is told where and with which token', [true, 'string'], async (talk) => {
    const { id, registered } = await talk.newApp()
    const { registration_client_uri: uri, registration_access_token: token } = registered
    return [String(uri).startsWith(talk.issuer) && String(uri).endsWith(id), typeof token]
  })
  one('[REGISTRATION-READ] reads what it registered', [200, true, 'Suite'], async (talk) => {
    const app = await talk.newApp()
    const { status, json } = await manage(talk, app, 'GET')
    return [status, json['client_id'] === app.id, json['client_name']]
  })
  one('[REGISTRATION-UPDATE] says it anew', [GOOD, 'Renamed', true] as [Told, unknown, boolean], async (talk) => {
    const app = await talk.newApp()
    const answer = await manage(talk, app, 'PUT', { said: whole(app, { client_name: 'Renamed' }) })
    const { json } = await manage(talk, app, 'GET')
    return [told(answer), json['client_name'], json['client_id'] === app.id]
  })
  one('[REGISTRATION-UPDATE] has other redirect URIs from then on', ['asks', SHOWN] as unknown[], async (talk) => {
    const app = await talk.newApp()
    const redirect_uri = 'https://app.example.org/moved'
    await manage(talk, app, 'PUT', { said: whole(app, { redirect_uris: [redirect_uri] }) })
    const visits = [redirect_uri, CALLBACK].map((to) => talk.visit(talk.addressOf(talk.asking(app, { redirect_uri: to }))))
    return (await Promise.all(visits)).map((page) => outcomeOf(talk, page))
  })
  one('[REGISTRATION-UPDATE] keeps its secret', GOOD, async (talk) => {
    const app = await talk.newApp({ token_endpoint_auth_method: 'client_secret_basic' })
    await manage(talk, app, 'PUT', { said: whole(app, { client_name: 'Renamed' }) })
    return told(await talk.redeem(app, await talk.obtain(app)))
  })
  const refused: Case<Json, [Told, unknown]>[] = [
    {
      name: '[REGISTRATION-UPDATE] with a redirect URI that may not be',
      input: { redirect_uris: ['javascript:x'] },
      sees: [REDIRECT, 'Suite'],
    },
    { name: '[REGISTRATION-UPDATE] with a proof nobody knows', input: { token_endpoint_auth_method: 'magic' }, sees: [METADATA, 'Suite'] },
    {
      name: '[REGISTRATION-UPDATE] with a secret it chose',
      input: { client_secret: 'chosen' },
      sees: [METADATA, 'Suite'],
      oracle: [[400, 'invalid_request'], 'Suite'],
      differs: 'RFC 7592 §2.2 says that it must not, and not with which error',
    },
    {
      name: '[REGISTRATION-UPDATE] under another name',
      input: { client_id: 'other' },
      sees: [METADATA, 'Suite'],
      oracle: [[400, 'invalid_request'], 'Suite'],
      differs: 'RFC 7592 §2.2 says that it must be the same, and not with which error',
    },
  ]
  each(refused, async (talk, change) => {
    const app = await talk.newApp()
    const answer = told(await manage(talk, app, 'PUT', { said: whole(app, { client_name: 'Renamed', ...change }) }))
    return [answer, (await manage(talk, app, 'GET')).json['client_name']]
  })
  one(
    '[REGISTRATION-DELETE] is unknown from then on, everywhere',
    [204, 401, SHOWN, [401, 'invalid_client']] as unknown[],
    async (talk) => {
      const app = await talk.newApp()
      const { status } = await manage(talk, app, 'DELETE')
      const read = await manage(talk, app, 'GET')
      const asked = outcomeOf(talk, await talk.visit(talk.addressOf(talk.asking(app))))
      return [status, read.status, asked, told(await talk.refresh(app, 'x'))]
    },
  )
  one('[REGISTRATION-DELETE] takes its tokens along', [false, [401, 'invalid_client']] as unknown[], async (talk) => {
    const app = await talk.newApp()
    const { access_token, refresh_token } = await talk.tokens(app)
    await manage(talk, app, 'DELETE')
    return [await talk.accepts(access_token), told(await talk.refresh(app, refresh_token))]
  })
  const saying = (method: string) => (method === 'PUT' ? { said: { redirect_uris: [CALLBACK] } } : {})
  for (const method of ['GET', 'PUT', 'DELETE']) {
    one(`[RFC7592-3] ${method} with a wrong token`, TOKEN, async (talk) =>
      told(await manage(talk, await talk.newApp(), method, { token: 'made-up', ...saying(method) })),
    )
    one(`[RFC7592-3] ${method} with the token of another`, TOKEN, async (talk) => {
      const { registration_access_token: token } = (await talk.newApp()).registered
      return told(await manage(talk, await talk.newApp(), method, { token: String(token), ...saying(method) }))
    })
    one(
      `[RFC7592-3] ${method} without a token`,
      401,
      async (talk) => (await manage(talk, await talk.newApp(), method, { token: '', ...saying(method) })).status,
    )
  }
})
