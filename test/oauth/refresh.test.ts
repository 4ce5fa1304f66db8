/** Refresh tokens where every one is good once: the grace is set to nothing (later.test.ts has one). */
import { describe } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { twice } from './outcome.ts'
import { type App, type Change, SCOPE, type Talk, told, type Tokens } from './talking.ts'

const { one, each } = await openSuite({ TOOLPASS_REFRESH_GRACE_SECONDS: '0' })

type Told = [number, unknown]
const GOOD: Told = [200, undefined]
const GRANT: Told = [400, 'invalid_grant']
const REQUEST: Told = [400, 'invalid_request']

const started = async (talk: Talk, said: Record<string, unknown> = {}): Promise<[App, Tokens]> => {
  const app = await talk.newApp(said)
  return [app, await talk.tokens(app)]
}

describe('a refresh', () => {
  one('[RFC6749-6] brings a new access token and a new refresh token', [true, false, false, 'Bearer', 3600], async (talk) => {
    const [app, first] = await started(talk)
    const next = talk.tokensOf(await talk.refresh(app, first.refresh_token))
    const isNew = [
      await talk.accepts(next.access_token),
      next.access_token === first.access_token,
      next.refresh_token === first.refresh_token,
    ]
    return [...isNew, next.token_type, next.expires_in]
  })
  one('[RFC6749-5.1] is answered uncached', true, async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    return /no-store/.test((await talk.refresh(app, refresh_token)).headers.get('cache-control') ?? '')
  })
  one('[RFC6749-6] goes on, link by link', [GOOD, GOOD, GOOD, GOOD, GOOD], async (talk) => {
    const [app, first] = await started(talk)
    let { refresh_token } = first
    const links: Told[] = []
    for (let link = 0; link < 5; link += 1) {
      const answer = await talk.refresh(app, refresh_token)
      links.push(told(answer))
      refresh_token = talk.tokensOf(answer).refresh_token
    }
    return links
  })
  one('leaves the access token of before as it is', true, async (talk) => {
    const [app, { access_token, refresh_token }] = await started(talk)
    talk.tokensOf(await talk.refresh(app, refresh_token))
    return talk.accepts(access_token)
  })
  one('[ABUSE-14] with a token that was used ends the whole family', [GRANT, GRANT, false, false], async (talk) => {
    const [app, first] = await started(talk)
    const next = talk.tokensOf(await talk.refresh(app, first.refresh_token))
    const again = told(await talk.refresh(app, first.refresh_token))
    const child = told(await talk.refresh(app, next.refresh_token))
    return [again, child, await talk.accepts(first.access_token), await talk.accepts(next.access_token)]
  })
  one('[ABUSE-14] with a grandparent ends the whole family', [GRANT, GRANT], async (talk) => {
    const [app, first] = await started(talk)
    const second = talk.tokensOf(await talk.refresh(app, first.refresh_token))
    const third = talk.tokensOf(await talk.refresh(app, second.refresh_token))
    return [told(await talk.refresh(app, first.refresh_token)), told(await talk.refresh(app, third.refresh_token))]
  })
  one(
    '[ABUSE-14] that is stolen and used does not harm another family of the client',
    [GRANT, GOOD],
    async (talk) => {
      const [app, first] = await started(talk)
      const other = talk.tokensOf(await talk.redeem(app, await talk.obtain(app)))
      talk.tokensOf(await talk.refresh(app, first.refresh_token))
      return [told(await talk.refresh(app, first.refresh_token)), told(await talk.refresh(app, other.refresh_token))]
    },
    { oracle: [GRANT, GRANT], differs: 'it has one grant for a client and a person; here each consent is a grant of its own' },
  )
  one('[ABUSE-14] by another client is refused and harms nobody', [GRANT, GOOD], async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    return [told(await talk.refresh(await talk.newApp(), refresh_token)), told(await talk.refresh(app, refresh_token))]
  })
  one(
    '[ABUSE-14] of five at once without a grace: one is answered',
    1,
    async (talk) => {
      const [app, { refresh_token }] = await started(talk)
      const answers = await Promise.all(Array.from({ length: 5 }, () => talk.refresh(app, refresh_token)))
      return answers.filter(({ status }) => status === 200).length
    },
    { only: 'the oracle keeps its tokens in memory without a lock, which it says itself is for trying out' },
  )
  one('[RFC6749-5.2] of a confidential client wants its proof', [401, 'invalid_client'] as Told, async (talk) => {
    const [app, { refresh_token }] = await started(talk, { token_endpoint_auth_method: 'client_secret_basic' })
    return told(await talk.post('token_endpoint', { grant_type: 'refresh_token', refresh_token, client_id: app.id }))
  })
})

describe('the scope', () => {
  const narrowing: Case<string | undefined, string>[] = [
    { name: '[RFC6749-6] may be narrowed', input: 'mcp', sees: 'mcp' },
    { name: '[RFC6749-6] may be named as it is', input: SCOPE, sees: SCOPE },
    { name: '[RFC6749-6] may be left out, and is as it was', input: undefined, sees: SCOPE },
  ]
  each(narrowing, async (talk, scope) => {
    const [app, { refresh_token }] = await started(talk)
    return talk.tokensOf(await talk.refresh(app, refresh_token, { scope })).scope
  })
  one('[RFC6749-6] that was narrowed once is whole again the next time', ['mcp', SCOPE], async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    const narrow = talk.tokensOf(await talk.refresh(app, refresh_token, { scope: 'mcp' }))
    return [narrow.scope, talk.tokensOf(await talk.refresh(app, narrow.refresh_token)).scope]
  })
  one('[ABUSE-13] is never more than was granted', [400, 'invalid_scope'] as Told, async (talk) => {
    const app = await talk.newApp()
    const { refresh_token } = await talk.tokens(app, { scope: 'mcp' })
    return told(await talk.refresh(app, refresh_token, { scope: SCOPE }))
  })
  one('[ABUSE-13] that was refused does not use the token up', [[400, 'invalid_scope'], GOOD] as Told[], async (talk) => {
    const app = await talk.newApp()
    const { refresh_token } = await talk.tokens(app, { scope: 'mcp' })
    return [told(await talk.refresh(app, refresh_token, { scope: SCOPE })), told(await talk.refresh(app, refresh_token))]
  })
  one('[ABUSE-13] that nobody has is refused', [400, 'invalid_scope'] as Told, async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    return told(await talk.refresh(app, refresh_token, { scope: 'mcp admin' }))
  })
})

describe('a request', () => {
  const cases: Case<(tokens: Tokens) => Change, Told>[] = [
    { name: '[RFC6749-5.2] without refresh_token', input: () => ({ refresh_token: undefined }), sees: REQUEST },
    { name: '[RFC6749-5.2] with an empty refresh_token', input: () => ({ refresh_token: '' }), sees: REQUEST },
    { name: '[RFC6749-5.2] with a refresh token nobody issued', input: () => ({ refresh_token: 'tpr_made-up' }), sees: GRANT },
    { name: '[RFC6749-5.2] with the access token', input: ({ access_token }) => ({ refresh_token: access_token }), sees: GRANT },
    { name: '[RFC6749-5.2] with a letter changed', input: ({ refresh_token }) => ({ refresh_token: `${refresh_token}x` }), sees: GRANT },
    { name: '[ABUSE-09] with refresh_token twice', input: ({ refresh_token }) => ({ refresh_token: twice(refresh_token) }), sees: REQUEST },
    { name: '[ABUSE-09] with scope twice', input: () => ({ scope: twice('mcp') }), sees: REQUEST },
    {
      name: '[ABUSE-10] for a resource of somebody else',
      input: () => ({ resource: 'https://evil.example/' }),
      sees: [400, 'invalid_target'],
    },
    { name: 'with a parameter nobody knows', input: () => ({ extra: 'foobar' }), sees: GOOD },
    { name: 'with a redirect_uri, which has no meaning here', input: () => ({ redirect_uri: 'https://evil.example/' }), sees: GOOD },
  ]
  each(cases, async (talk, input) => {
    const [app, tokens] = await started(talk)
    return told(await talk.refresh(app, tokens.refresh_token, input(tokens)))
  })
  one('[RFC8707-2] for the resource of the grant', GOOD, async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    return told(await talk.refresh(app, refresh_token, { resource: talk.resource }))
  })
  one('[ABUSE-10] for another resource than was authorised', [400, 'invalid_target'] as Told, async (talk) => {
    const [app, { refresh_token }] = await started(talk)
    return told(await talk.refresh(app, refresh_token, { resource: talk.otherResource }))
  })
})
