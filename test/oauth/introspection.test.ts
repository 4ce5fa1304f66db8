/** Whether a token is good, for the client it was issued to (RFC 7662). */
import { describe } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { twice } from './outcome.ts'
import { type App, basic, type Change, SCOPE, type Talk, told, type Tokens } from './talking.ts'

const { one, each } = await openSuite({ TOOLPASS_REFRESH_GRACE_SECONDS: '0' })

type Told = [number, unknown]
const INACTIVE = '{"active":false}'
const REQUEST: Told = [400, 'invalid_request']
const CLIENT: Told = [401, 'invalid_client']
const BASIC = { token_endpoint_auth_method: 'client_secret_basic' }

const started = async (talk: Talk, said: Record<string, unknown> = BASIC): Promise<[App, Tokens]> => {
  const app = await talk.newApp(said)
  return [app, await talk.tokens(app)]
}
const introspect = (talk: Talk, app: App, form: Change) => talk.postAs(app, 'introspection_endpoint', form)

describe('a good token', () => {
  one('[INTROSPECT-ACTIVE] of access is described', [true, true, SCOPE, 'Bearer', true, true, 3600], async (talk) => {
    const [app, { access_token }] = await started(talk)
    const { active, client_id, scope, token_type, iss, aud, exp, iat } = (await introspect(talk, app, { token: access_token })).json
    return [active, client_id === app.id, scope, token_type, iss === talk.issuer, aud === talk.resource, Number(exp) - Number(iat)]
  })
  one('[INTROSPECT-ACTIVE] of access was issued just now', true, async (talk) => {
    const [app, { access_token }] = await started(talk)
    return Math.abs(Number((await introspect(talk, app, { token: access_token })).json['iat']) - Date.now() / 1000) < 5
  })
  one('[INTROSPECT-ACTIVE] names the same person each time', true, async (talk) => {
    const [app, first] = await started(talk)
    const other = await talk.tokens(app)
    const subjects = [first, other].map(async ({ access_token }) => (await introspect(talk, app, { token: access_token })).json['sub'])
    const [one, two] = await Promise.all(subjects)
    return typeof one === 'string' && one === two
  })
  one('[INTROSPECT-ACTIVE] of refresh is active, and no Bearer', [true, undefined], async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    const { active, token_type } = (await introspect(talk, app, { token: refresh_token })).json
    return [active, token_type]
  })
  one('[INTROSPECT-ACTIVE] is described whatever the hint', [true, true, true], async (talk) => {
    const [app, { access_token }] = await started(talk)
    const hints = ['access_token', 'refresh_token', 'nonsense']
    const answers = hints.map((token_type_hint) => introspect(talk, app, { token: access_token, token_type_hint }))
    return (await Promise.all(answers)).map(({ json }) => json['active'])
  })
  one('[INTROSPECT-ACTIVE] with less scope is described with less', 'mcp' as unknown, async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    const { access_token } = talk.tokensOf(await talk.refresh(app, refresh_token, { scope: 'mcp' }))
    return (await introspect(talk, app, { token: access_token })).json['scope']
  })
  one('is described to a client that sends its secret in the form', true as unknown, async (talk) => {
    const [app, { access_token }] = await started(talk, { token_endpoint_auth_method: 'client_secret_post' })
    return (await introspect(talk, app, { token: access_token })).json['active']
  })
  one('is described uncached, and says nothing of the token itself', [200, true, false], async (talk) => {
    const [app, { access_token }] = await started(talk)
    const { status, headers, text } = await introspect(talk, app, { token: access_token })
    return [status, /no-store/.test(headers.get('cache-control') ?? ''), text.includes(access_token)]
  })
})

describe('anything else is one and the same answer', () => {
  const cases: Case<(talk: Talk, app: App, tokens: Tokens) => Promise<string>, string>[] = [
    { name: '[INTROSPECT-INACTIVE] a token nobody issued', input: async () => 'made-up', sees: INACTIVE },
    { name: '[INTROSPECT-INACTIVE] one that looks like ours', input: async () => `tpa_${'x'.repeat(43)}`, sees: INACTIVE },
    { name: '[INTROSPECT-INACTIVE] one of many characters', input: async () => 'x'.repeat(10_000), sees: INACTIVE },
    {
      name: '[INTROSPECT-INACTIVE] a revoked access token',
      async input(talk, app, { access_token }) {
        await talk.postAs(app, 'revocation_endpoint', { token: access_token })
        return access_token
      },
      sees: INACTIVE,
    },
    {
      name: '[INTROSPECT-INACTIVE] the access token of a revoked refresh token',
      async input(talk, app, { access_token, refresh_token }) {
        await talk.postAs(app, 'revocation_endpoint', { token: refresh_token })
        return access_token
      },
      sees: INACTIVE,
    },
    {
      name: '[INTROSPECT-INACTIVE] a refresh token that was used',
      async input(talk, app, { refresh_token }) {
        await talk.refresh(app, refresh_token)
        return refresh_token
      },
      sees: INACTIVE,
    },
    {
      name: '[INTROSPECT-INACTIVE] a token of a code that was replayed',
      async input(talk, app) {
        const asked = await talk.obtain(app)
        const { access_token } = talk.tokensOf(await talk.redeem(app, asked))
        await talk.redeem(app, asked)
        return access_token
      },
      sees: INACTIVE,
    },
    { name: '[INTROSPECT-INACTIVE] a code', input: async (talk, app) => (await talk.obtain(app)).code, sees: INACTIVE },
    { name: "[INTROSPECT-INACTIVE] another client's token", input: async (talk) => (await started(talk))[1].access_token, sees: INACTIVE },
    {
      name: "[INTROSPECT-INACTIVE] another client's refresh token",
      input: async (talk) => (await started(talk))[1].refresh_token,
      sees: INACTIVE,
    },
  ]
  each(cases, async (talk, input) => {
    const [app, tokens] = await started(talk)
    const { status, text } = await introspect(talk, app, { token: await input(talk, app, tokens) })
    return status === 200 ? text : String(status)
  })
})

describe('a request', () => {
  const malformed: Case<Change, Told>[] = [
    { name: 'without a token', input: {}, sees: REQUEST },
    { name: 'with an empty token', input: { token: '' }, sees: REQUEST },
    { name: '[ABUSE-09] with a token twice', input: { token: twice('x') }, sees: REQUEST },
  ]
  each(malformed, async (talk, form) => told(await introspect(talk, await talk.newApp(BASIC), form)))

  one('[ABUSE-20] without any proof', CLIENT, async (talk) => told(await talk.post('introspection_endpoint', { token: 'x' })), {
    oracle: REQUEST,
    differs: 'RFC 6749 §5.2 fits both: no client authentication, and a parameter is missing',
  })
  one('[ABUSE-20] with the name of a client alone', CLIENT, async (talk) => {
    const [app, { access_token }] = await started(talk)
    return told(await talk.post('introspection_endpoint', { token: access_token, client_id: app.id }))
  })
  one('[ABUSE-20] with a wrong secret', CLIENT, async (talk) => {
    const [app, { access_token }] = await started(talk)
    return told(await talk.post('introspection_endpoint', { token: access_token }, { authorization: basic(app.id, 'wrong') }))
  })
  one(
    '[ABUSE-20] with the token as proof',
    CLIENT,
    async (talk) => {
      const [, { access_token }] = await started(talk)
      return told(await talk.post('introspection_endpoint', { token: access_token }, { authorization: `Bearer ${access_token}` }))
    },
    { oracle: REQUEST, differs: 'it calls a header of another scheme malformed' },
  )
  one(
    '[INTROSPECT-AUTH] of a public client',
    CLIENT,
    async (talk) => {
      const [app, { access_token }] = await started(talk, {})
      return told(await introspect(talk, app, { token: access_token }))
    },
    { oracle: [200, undefined], differs: 'it tells public clients that every token is inactive' },
  )
  one('as JSON', REQUEST, async (talk) =>
    told(await talk.post('introspection_endpoint', '{"token":"x"}', { 'content-type': 'application/json' })),
  )
  one('by GET', true, async (talk) => {
    const { status } = await talk.send(`${talk.metadata.introspection_endpoint}?token=x`)
    return [404, 405].includes(status)
  })
})
