/** A code for tokens: once, for whoever asked, within its minute, with the verifier. */
import { describe, expect } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { twice } from './outcome.ts'
import { type Answer, type App, type Asked, type Change, CALLBACK, challengeOf, formOf, SCOPE, type Talk, told } from './talking.ts'

const { one, each } = await openSuite()

type Told = [number, unknown]
const GOOD: Told = [200, undefined]
const GRANT: Told = [400, 'invalid_grant']
const REQUEST: Told = [400, 'invalid_request']

/** A fresh code, redeemed with something changed. */
async function redeemWith(talk: Talk, change: Change | ((app: App, asked: Asked) => Change), said: Record<string, unknown> = {}) {
  const app = await talk.newApp(said)
  const asked = await talk.obtain(app)
  return talk.redeem(app, asked, typeof change === 'function' ? change(app, asked) : change)
}
const isUncached = ({ headers }: Answer) => /no-store/.test(headers.get('cache-control') ?? '')

describe('a code', () => {
  one('[RFC6749-5.1] becomes a bearer token of an hour', { token_type: 'Bearer', expires_in: 3600, scope: SCOPE }, async (talk) => {
    const { token_type, expires_in, scope } = await talk.tokens(await talk.newApp())
    return { token_type, expires_in, scope }
  })
  one('[RFC6749-5.1] is answered with JSON that no cache keeps', [true, true], async (talk) => {
    const answer = await redeemWith(talk, {})
    return [/^application\/json\b/.test(answer.headers.get('content-type') ?? ''), isUncached(answer)]
  })
  one('becomes an access token that opens the resource, and a refresh token that does not', [true, false], async (talk) => {
    const { access_token, refresh_token } = await talk.tokens(await talk.newApp())
    return [await talk.accepts(access_token), await talk.accepts(refresh_token)]
  })
  one('is no access token itself', false, async (talk) => talk.accepts((await talk.obtain(await talk.newApp())).code))
  one('[RFC6749-5.1] brings the scope that was asked for, not what the token request names', 'mcp', async (talk) => {
    const app = await talk.newApp()
    const answer = await talk.redeem(app, await talk.obtain(app, { scope: 'mcp' }), { scope: SCOPE })
    return talk.tokensOf(answer).scope
  })
  one('brings no refresh token to whoever wants none', undefined as string | undefined, async (talk) => {
    const app = await talk.newApp({ grant_types: ['authorization_code'] })
    return (await talk.tokens(app, { scope: 'mcp' })).refresh_token
  })
  one('[ABUSE-06] is good once; what the first use brought is dead after the second', [GOOD, GRANT, false, GRANT], async (talk) => {
    const app = await talk.newApp()
    const asked = await talk.obtain(app)
    const first = await talk.redeem(app, asked)
    const { access_token, refresh_token } = talk.tokensOf(first)
    const again = await talk.redeem(app, asked)
    return [told(first), told(again), await talk.accepts(access_token), told(await talk.refresh(app, refresh_token))]
  })
  one('[ABUSE-06] is spent for good: a third use is refused like the second', [GOOD, GRANT, GRANT], async (talk) => {
    const app = await talk.newApp()
    const asked = await talk.obtain(app)
    const uses: Told[] = []
    for (let use = 0; use < 3; use += 1) uses.push(told(await talk.redeem(app, asked)))
    return uses
  })
  one(
    '[ABUSE-07] of ten uses at once one brings tokens',
    1,
    async (talk) => {
      const app = await talk.newApp()
      const asked = await talk.obtain(app)
      const answers = await Promise.all(Array.from({ length: 10 }, () => talk.redeem(app, asked)))
      return answers.filter(({ status }) => status === 200).length
    },
    { only: 'the oracle keeps its codes in memory without a lock, which it says itself is for trying out' },
  )
  one('[ABUSE-08] of one client is worth nothing to another', GRANT, async (talk) => {
    const asked = await talk.obtain(await talk.newApp())
    return told(await talk.redeem(await talk.newApp(), asked))
  })
  one('[ABUSE-08] that another client tried is still good for its own', GOOD, async (talk) => {
    const app = await talk.newApp()
    const asked = await talk.obtain(app)
    await talk.redeem(await talk.newApp(), asked)
    return told(await talk.redeem(app, asked))
  })
  one('[RACE-CODE] that was tried with a wrong verifier is still good with the right one', [GRANT, GOOD], async (talk) => {
    const app = await talk.newApp()
    const asked = await talk.obtain(app)
    return [told(await talk.redeem(app, { ...asked, verifier: 'w'.repeat(43) })), told(await talk.redeem(app, asked))]
  })
  one('of one person can be had twice: each request has its own', [GOOD, GOOD, false], async (talk) => {
    const app = await talk.newApp()
    const [one, other] = [await talk.obtain(app), await talk.obtain(app)]
    return [told(await talk.redeem(app, one)), told(await talk.redeem(app, other)), one.code === other.code]
  })
})

describe('PKCE', () => {
  const withVerifier = async (talk: Talk, verifier: string, change: Change = {}) => {
    const app = await talk.newApp()
    const { code } = await talk.obtain(app, { code_challenge: challengeOf(verifier) })
    return told(await talk.redeem(app, { code, verifier }, change))
  }
  const verifiers: Case<string, Told>[] = [
    { name: '[ABUSE-04] a verifier of 43 characters', input: 'v'.repeat(43), sees: GOOD },
    { name: '[ABUSE-04] a verifier of 128 characters', input: 'v'.repeat(128), sees: GOOD },
    { name: '[ABUSE-04] a verifier with each of the signs it may have', input: `${'aZ0-._~'.repeat(7)}`, sees: GOOD },
    ...[
      ['of 42 characters', 'v'.repeat(42)] as const,
      ['of 129 characters', 'v'.repeat(129)] as const,
      ['with a sign it may not have', `${'v'.repeat(42)}+`] as const,
      ['with a letter from elsewhere', `${'v'.repeat(42)}ü`] as const,
    ].map(([how, input]) => ({
      name: `[ABUSE-04] a verifier ${how}`,
      input,
      sees: GRANT,
      oracle: REQUEST,
      differs: 'RFC 7636 §4.6 names invalid_grant for a verifier that does not fit, RFC 6749 §5.2 invalid_request for a malformed one',
    })),
  ]
  each(verifiers, withVerifier)

  const wrong: Case<(asked: Asked) => string | undefined, Told>[] = [
    { name: '[RFC7636-4.6] another verifier', input: () => 'w'.repeat(43), sees: GRANT },
    { name: '[RFC7636-4.6] the challenge in place of the verifier', input: ({ verifier }) => challengeOf(verifier), sees: GRANT },
    { name: '[RFC7636-4.6] the verifier in capitals', input: ({ verifier }) => `${verifier.slice(0, -2).toUpperCase()}-_`, sees: GRANT },
    { name: '[RFC7636-4.6] no verifier', input: () => undefined, sees: GRANT },
    { name: '[RFC7636-4.6] an empty verifier', input: () => '', sees: GRANT },
  ]
  each(wrong, async (talk, input) => told(await redeemWith(talk, (_, asked) => ({ code_verifier: input(asked) }))))

  one('[RFC7636-4.6] binds confidential clients as well', GRANT, async (talk) =>
    told(await redeemWith(talk, { code_verifier: undefined }, { token_endpoint_auth_method: 'client_secret_basic' })),
  )
  one('[RFC7636-4.6] is not talked out of S256 at the token endpoint', GRANT, async (talk) =>
    told(await redeemWith(talk, (_, { verifier }) => ({ code_verifier: challengeOf(verifier), code_challenge_method: 'plain' }))),
  )
})

describe('the token endpoint', () => {
  const cases: Case<Change, Told>[] = [
    { name: '[RFC6749-5.2] without grant_type', input: { grant_type: undefined }, sees: REQUEST },
    { name: '[RFC6749-5.2] with an empty grant_type', input: { grant_type: '' }, sees: REQUEST },
    {
      name: '[ABUSE-11] with a grant_type nobody knows',
      input: { grant_type: 'urn:example:magic' },
      sees: [400, 'unsupported_grant_type'],
    },
    {
      name: '[ABUSE-11] for a password',
      input: { grant_type: 'password', username: 'ada', password: 'x' },
      sees: [400, 'unsupported_grant_type'],
    },
    { name: '[ABUSE-11] for the client itself', input: { grant_type: 'client_credentials' }, sees: [400, 'unsupported_grant_type'] },
    {
      name: '[ABUSE-11] with a grant_type that objects have by nature',
      input: { grant_type: 'constructor' },
      sees: [400, 'unsupported_grant_type'],
    },
    { name: '[RFC6749-5.2] without a code', input: { code: undefined }, sees: REQUEST },
    { name: '[RFC6749-5.2] with an empty code', input: { code: '' }, sees: REQUEST },
    { name: '[RFC6749-5.2] with a code nobody issued', input: { code: 'tpc_made-up' }, sees: GRANT },
    { name: '[ABUSE-08] with another redirect_uri', input: { redirect_uri: 'https://app.example.org/other' }, sees: GRANT },
    { name: '[ABUSE-08] with the redirect_uri and a slash', input: { redirect_uri: `${CALLBACK}/` }, sees: GRANT },
    {
      name: 'without redirect_uri',
      input: { redirect_uri: undefined },
      sees: GOOD,
      oracle: REQUEST,
      differs: 'OAuth 2.1 took the parameter out of the token request, RFC 6749 wants it',
    },
    { name: '[ABUSE-10] for a resource of somebody else', input: { resource: 'https://evil.example/mcp' }, sees: [400, 'invalid_target'] },
    { name: '[ABUSE-09] with grant_type twice', input: { grant_type: twice('authorization_code') }, sees: REQUEST },
    { name: '[ABUSE-09] with redirect_uri twice', input: { redirect_uri: twice(CALLBACK) }, sees: REQUEST },
    { name: '[ABUSE-09] with code_verifier twice', input: { code_verifier: twice('v'.repeat(43)) }, sees: REQUEST },
    { name: '[ABUSE-09] with code twice', input: { code: twice('x') }, sees: REQUEST },
    { name: 'with a parameter nobody knows', input: { extra: 'foobar' }, sees: GOOD },
    { name: '[RFC6749-5.2] as a client nobody knows', input: { client_id: 'nobody' }, sees: [401, 'invalid_client'] },
  ]
  each(cases, async (talk, input) => told(await redeemWith(talk, input)))

  one('[ABUSE-09] with client_id twice', REQUEST, async (talk) => told(await redeemWith(talk, ({ id }) => ({ client_id: twice(id) }))))
  one('[ABUSE-10] for another resource than was authorised', [400, 'invalid_target'] as Told, async (talk) =>
    told(await redeemWith(talk, { resource: talk.otherResource })),
  )
  one(
    '[ABUSE-10] for two resources',
    [400, 'invalid_target'] as Told,
    async (talk) => told(await redeemWith(talk, { resource: [talk.resource, talk.otherResource] })),
    { oracle: GOOD, differs: 'RFC 8707 allows several; a token of ours has one audience' },
  )
  one('[RFC8707-2] for the resource that was authorised', GOOD, async (talk) => told(await redeemWith(talk, { resource: talk.resource })))
  one(
    '[RFC6749-5.2] without client_id',
    [401, 'invalid_client'] as Told,
    async (talk) => told(await redeemWith(talk, { client_id: undefined })),
    {
      oracle: REQUEST,
      differs: 'RFC 6749 §5.2 fits both: no client authentication, and a parameter is missing',
    },
  )

  const sending = (send: (talk: Talk, form: Change) => Promise<Answer>) => async (talk: Talk) => {
    const app = await talk.newApp()
    const { code, verifier } = await talk.obtain(app)
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK, client_id: app.id }
    const answer = await send(talk, form)
    return { told: told(answer), tokens: answer.text.includes('access_token') }
  }
  const typed = (type: string, body: (form: Change) => string) =>
    sending((talk, form) =>
      talk.send(talk.metadata.token_endpoint, { method: 'POST', headers: { 'content-type': type }, body: body(form) }),
    )
  const REFUSED = { told: REQUEST, tokens: false }
  one(
    '[RFC6749-5.2] takes no JSON',
    REFUSED,
    typed('application/json', (form) => JSON.stringify(form)),
  )
  one(
    '[RFC6749-5.2] takes no plain text',
    REFUSED,
    typed('text/plain', (form) => String(formOf(form))),
  )
  one(
    'takes a form that names its charset',
    { told: GOOD, tokens: true },
    typed('application/x-www-form-urlencoded; charset=UTF-8', (form) => String(formOf(form))),
  )
  one(
    'takes a content type in capitals',
    { told: GOOD, tokens: true },
    typed('Application/X-WWW-Form-URLEncoded', (form) => String(formOf(form))),
  )
  one(
    '[RFC6749-5.2] takes no form in parts',
    REFUSED,
    sending((talk, form) => {
      const body = new FormData()
      for (const [name, value] of formOf(form)) body.append(name, value)
      return talk.send(talk.metadata.token_endpoint, { method: 'POST', body })
    }),
  )
  one('[RFC6749-5.2] takes nothing from the query', false, async (talk) => {
    const seen = await sending((speaking, form) =>
      speaking.send(`${speaking.metadata.token_endpoint}?${formOf(form)}`, { method: 'POST' }),
    )(talk)
    return seen.tokens
  })
  for (const method of ['GET', 'PUT', 'HEAD'])
    one(`has no ${method}`, [true, false], async (talk) => {
      const seen = await sending((speaking, form) => speaking.send(`${speaking.metadata.token_endpoint}?${formOf(form)}`, { method }))(talk)
      return [[404, 405].includes(seen.told[0]), seen.tokens]
    })
  one('[RFC6749-5.2] reads no more than a form can be', true, async (talk) => {
    const app = await talk.newApp()
    const { status } = await talk.post('token_endpoint', { grant_type: 'authorization_code', client_id: app.id, code: 'x'.repeat(2 ** 20) })
    return [400, 413].includes(status)
  })
  one(
    '[RFC6749-5.1] answers errors uncached, in signs that JSON and headers can hold, without what was sent',
    [true, true, false],
    async (talk) => {
      const answer = await redeemWith(talk, { code: 'the-code-that-was-sent' })
      return [
        isUncached(answer),
        /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/.test(String(answer.json['error_description'])),
        answer.text.includes('the-code-that-was-sent'),
      ]
    },
  )
  one('issues tokens that say nothing of themselves', false, async (talk) => {
    const { access_token, refresh_token } = await talk.tokens(await talk.newApp())
    expect(access_token.length).toBeGreaterThanOrEqual(43)
    return [access_token, refresh_token].some((token) => /^eyJ/.test(token))
  })
})
