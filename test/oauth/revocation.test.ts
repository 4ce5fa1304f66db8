/** Taking tokens back (RFC 7009). */
import { describe } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { twice } from './outcome.ts'
import { type App, basic, type Change, type Talk, told, type Tokens } from './talking.ts'

const { one, each } = await openSuite()

type Told = [number, unknown]
const DONE: Told = [200, undefined]
const GRANT: Told = [400, 'invalid_grant']
const REQUEST: Told = [400, 'invalid_request']
const CLIENT: Told = [401, 'invalid_client']
const BASIC = { token_endpoint_auth_method: 'client_secret_basic' }

const started = async (talk: Talk, said: Record<string, unknown> = {}): Promise<[App, Tokens]> => {
  const app = await talk.newApp(said)
  return [app, await talk.tokens(app)]
}
const revoke = (talk: Talk, app: App, form: Change, headers = {}) => talk.postAs(app, 'revocation_endpoint', form, headers)
/** What still works: the access token, the refresh token. */
const alive = async (talk: Talk, app: App, { access_token, refresh_token }: Tokens) =>
  [await talk.accepts(access_token), (await talk.refresh(app, refresh_token)).status === 200] as const

describe('a revoked token', () => {
  one('[RFC7009-2.2] of access opens nothing from then on', [DONE, false] as [Told, boolean], async (talk) => {
    const [app, { access_token }] = await started(talk)
    return [told(await revoke(talk, app, { token: access_token })), await talk.accepts(access_token)]
  })
  one(
    '[RFC7009-2.2] of access leaves the refresh token',
    true,
    async (talk) => {
      const [app, { access_token, refresh_token }] = await started(talk)
      await revoke(talk, app, { token: access_token })
      return (await talk.refresh(app, refresh_token)).status === 200
    },
    { oracle: false, differs: 'RFC 7009 §2.1 leaves it open; it takes the grant along with any of its tokens' },
  )
  one('[RFC7009-2.2] of refresh takes the access token along', [DONE, false, GRANT] as [Told, boolean, Told], async (talk) => {
    const [app, { access_token, refresh_token }] = await started(talk)
    const answer = told(await revoke(talk, app, { token: refresh_token }))
    return [answer, await talk.accepts(access_token), told(await talk.refresh(app, refresh_token))]
  })
  one('[RFC7009-2.2] of refresh takes along what came of it', [false, GRANT] as [boolean, Told], async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    const next = talk.tokensOf(await talk.refresh(app, refresh_token))
    await revoke(talk, app, { token: next.refresh_token })
    return [await talk.accepts(next.access_token), told(await talk.refresh(app, next.refresh_token))]
  })
  one('[RFC7009-2.2] may be revoked again', [DONE, DONE], async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    return [told(await revoke(talk, app, { token: refresh_token })), told(await revoke(talk, app, { token: refresh_token }))]
  })
  one(
    'of one consent leaves those of another',
    [true, true] as readonly [boolean, boolean],
    async (talk) => {
      const [app, first] = await started(talk)
      const other = await talk.tokens(app)
      await revoke(talk, app, { token: first.refresh_token })
      return alive(talk, app, other)
    },
    { oracle: [false, false], differs: 'it has one grant for a client and a person; here each consent is a grant of its own' },
  )
})

describe('what is no token of the client is passed over in silence', () => {
  const cases: Case<string, Told>[] = [
    { name: '[RFC7009-2.2] one nobody issued', input: 'made-up', sees: DONE },
    { name: '[RFC7009-2.2] one that looks like ours', input: `tpa_${'x'.repeat(43)}`, sees: DONE },
    { name: '[RFC7009-2.2] one of many characters', input: 'x'.repeat(10_000), sees: DONE },
    { name: '[RFC7009-2.2] one with odd characters', input: '\u0000 \' " ü 𝄞 %00', sees: DONE },
  ]
  each(cases, async (talk, token) => told(await revoke(talk, await talk.newApp(), { token })))
  one(
    '[RFC7009-2.2] a JWT that nobody issued',
    DONE,
    async (talk) => told(await revoke(talk, await talk.newApp(), { token: 'eyJhbGciOiJub25lIn0.e30.' })),
    {
      oracle: [400, 'unsupported_token_type'],
      differs: 'it issues JWTs as well and says that they cannot be revoked',
    },
  )
  one("[ABUSE-20] another client's token, which stays good", [DONE, true, true], async (talk) => {
    const [app, tokens] = await started(talk)
    const answer = told(await revoke(talk, await talk.newApp(), { token: tokens.refresh_token }))
    return [answer, ...(await alive(talk, app, tokens))]
  })
  one('a code, which stays good', [DONE, DONE], async (talk) => {
    const app = await talk.newApp()
    const asked = await talk.obtain(app)
    return [told(await revoke(talk, app, { token: asked.code })), told(await talk.redeem(app, asked))]
  })
})

describe('a request', () => {
  const hints: Case<string, boolean>[] = ['access_token', 'refresh_token', 'nonsense', ''].map((input) => ({
    name: `with the hint "${input}" revokes all the same`,
    input,
    sees: false,
  }))
  each(hints, async (talk, token_type_hint) => {
    const [app, { access_token }] = await started(talk)
    await revoke(talk, app, { token: access_token, token_type_hint })
    return talk.accepts(access_token)
  })
  const malformed: Case<Change, Told>[] = [
    { name: 'without a token', input: {}, sees: REQUEST },
    { name: 'with an empty token', input: { token: '' }, sees: REQUEST },
    { name: '[ABUSE-09] with a token twice', input: { token: twice('x') }, sees: REQUEST },
    { name: 'with a parameter nobody knows', input: { token: 'x', extra: 'foobar' }, sees: DONE },
    { name: 'of a client nobody knows', input: { token: 'x', client_id: 'nobody' }, sees: CLIENT },
  ]
  each(malformed, async (talk, form) => told(await revoke(talk, await talk.newApp(), form)))

  one('of a confidential client without its secret', [CLIENT, true] as [Told, boolean], async (talk) => {
    const [app, { access_token }] = await started(talk, BASIC)
    return [told(await talk.post('revocation_endpoint', { token: access_token, client_id: app.id })), await talk.accepts(access_token)]
  })
  one('of a confidential client with a wrong secret', [CLIENT, true] as [Told, boolean], async (talk) => {
    const [app, { access_token }] = await started(talk, BASIC)
    const answer = await talk.post('revocation_endpoint', { token: access_token }, { authorization: basic(app.id, 'wrong') })
    return [told(answer), await talk.accepts(access_token)]
  })
  one('of a confidential client with its secret', [DONE, false] as [Told, boolean], async (talk) => {
    const [app, { access_token }] = await started(talk, BASIC)
    return [told(await revoke(talk, app, { token: access_token })), await talk.accepts(access_token)]
  })
  one('as JSON', REQUEST, async (talk) =>
    told(await talk.post('revocation_endpoint', '{"token":"x"}', { 'content-type': 'application/json' })),
  )
  one('by GET', [true, true], async (talk) => {
    const [app, { access_token }] = await started(talk)
    const { status } = await talk.send(`${talk.metadata.revocation_endpoint}?token=${access_token}&client_id=${app.id}`)
    return [[404, 405].includes(status), await talk.accepts(access_token)]
  })
})
