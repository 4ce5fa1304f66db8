/** Requests that are pushed before the person is sent (RFC 9126). */
import { describe } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { answerIn, back, callbackWith, type Outcome, outcomeOf, SHOWN, twice } from './outcome.ts'
import { type App, type Answer, basic, CALLBACK, type Change, challengeOf, newVerifier, SCOPE, type Talk, told } from './talking.ts'

const { one, each } = await openSuite()

type Told = [number, unknown]
const GOOD: Told = [200, undefined]
const GRANT: Told = [400, 'invalid_grant']
const REQUEST: Told = [400, 'invalid_request']
const CLIENT: Told = [401, 'invalid_client']
const GRANTED: Outcome = { code: true, state: 'a state', iss: true }

const uriOf = ({ json }: Answer) => String(json['request_uri'])
/** What a browser is sent with: the client, the name of its request, and what somebody added. */
const addressOf = (talk: Talk, { id }: App, request_uri: string, more: Change = {}) =>
  talk.addressOf({ client_id: id, request_uri, ...more })
const pushed = async (talk: Talk, change: Change = {}): Promise<[App, string]> => {
  const app = await talk.newApp()
  return [app, uriOf(await talk.push(app, change))]
}

describe('a pushed request', () => {
  one('[PAR-PUSH] is answered with a name and how long it is good, uncached', [201, true, true, true], async (talk) => {
    const { status, json, headers } = await talk.push(await talk.newApp())
    const name = /^urn:ietf:params:oauth:request_uri:[\w-]{20,}$/.test(String(json['request_uri']))
    return [status, name, Number.isInteger(json['expires_in']), /no-store/.test(headers.get('cache-control') ?? '')]
  })
  one('[PAR-PUSH] has a name of its own each time', false, async (talk) => {
    const app = await talk.newApp()
    const [one, other] = [await talk.push(app), await talk.push(app)]
    return uriOf(one) === uriOf(other)
  })
  one('[PAR-PUSH] is put before the person', 'asks' as Outcome, async (talk) => {
    const [app, uri] = await pushed(talk)
    return outcomeOf(talk, await talk.visit(addressOf(talk, app, uri)))
  })
  one('[PAR-PUSH] is answered as one that is not', GRANTED, async (talk) => {
    const [app, uri] = await pushed(talk)
    return answerIn(talk, await talk.answer(addressOf(talk, app, uri), 'allow'))
  })
  one('[PAR-PUSH] is denied as one that is not', back('access_denied'), async (talk) => {
    const [app, uri] = await pushed(talk)
    return answerIn(talk, await talk.answer(addressOf(talk, app, uri), 'deny'))
  })
  one('[PAR-PUSH] becomes tokens, for the verifier of its challenge alone', [GRANT, GOOD], async (talk) => {
    const verifier = newVerifier()
    const [app, uri] = await pushed(talk, { code_challenge: challengeOf(verifier) })
    const answer = await talk.answer(addressOf(talk, app, uri), 'allow')
    const code = answer.searchParams.get('code') ?? ''
    return [told(await talk.redeem(app, { code, verifier: 'w'.repeat(43) })), told(await talk.redeem(app, { code, verifier }))]
  })
  one('[PAR-PUSH] may be pushed by a client with a secret', [201, GRANTED] as [number, Outcome], async (talk) => {
    const app = await talk.newApp({ token_endpoint_auth_method: 'client_secret_basic' })
    const answer = await talk.push(app)
    return [answer.status, answerIn(talk, await talk.answer(addressOf(talk, app, uriOf(answer)), 'allow'))]
  })
  one('[PAR-REUSE] may be looked at again before it is decided', ['asks', 'asks', GRANTED] as Outcome[], async (talk) => {
    const [app, uri] = await pushed(talk)
    const address = addressOf(talk, app, uri)
    const looks = [outcomeOf(talk, await talk.visit(address)), outcomeOf(talk, await talk.visit(address))]
    return [...looks, answerIn(talk, await talk.answer(address, 'allow'))]
  })
  one('[PAR-REUSE] is good for one answer', [GRANTED, SHOWN] as Outcome[], async (talk) => {
    const [app, uri] = await pushed(talk)
    const address = addressOf(talk, app, uri)
    return [answerIn(talk, await talk.answer(address, 'allow')), outcomeOf(talk, await talk.visit(address))]
  })
  one(
    '[PAR-REUSE] that was denied is spent as well',
    [back('access_denied'), SHOWN] as Outcome[],
    async (talk) => {
      const [app, uri] = await pushed(talk)
      const address = addressOf(talk, app, uri)
      return [answerIn(talk, await talk.answer(address, 'deny')), outcomeOf(talk, await talk.visit(address))]
    },
    { oracle: [back('access_denied'), 'asks'], differs: 'it spends a request with the code that comes of it' },
  )
  one('[PAR-BOUND] of another client', SHOWN, async (talk) => {
    const [, uri] = await pushed(talk)
    return outcomeOf(talk, await talk.visit(addressOf(talk, await talk.newApp(), uri)))
  })
  one('[PAR-BOUND] without the name of its client', SHOWN, async (talk) => {
    const [, uri] = await pushed(talk)
    return outcomeOf(talk, await talk.visit(talk.addressOf({ request_uri: uri })))
  })
  one('[PAR-BOUND] of a name nobody gave', SHOWN, async (talk) =>
    outcomeOf(talk, await talk.visit(addressOf(talk, await talk.newApp(), 'urn:ietf:params:oauth:request_uri:made-up'))),
  )
  one('[ABUSE-09] named twice', SHOWN, async (talk) => {
    const [app, uri] = await pushed(talk)
    return outcomeOf(talk, await talk.visit(talk.addressOf({ client_id: app.id, request_uri: twice(uri) })))
  })
})

describe('what the browser brings beside the name counts for nothing', () => {
  const cases: Case<Change, Outcome>[] = [
    { name: '[PAR-PUSH] another state', input: { state: 'of the browser' }, sees: GRANTED },
    { name: '[PAR-PUSH] another redirect URI', input: { redirect_uri: 'https://evil.example/' }, sees: GRANTED },
    {
      name: '[PAR-PUSH] another response type',
      input: { response_type: 'token' },
      sees: GRANTED,
      oracle: SHOWN,
      differs: 'OpenID Connect compares it with the pushed one; RFC 9126 §4 has nothing beside client_id and request_uri',
    },
    {
      name: '[PAR-PUSH] another challenge',
      input: { code_challenge: challengeOf('w'.repeat(43)), code_challenge_method: 'plain' },
      sees: GRANTED,
    },
    { name: '[PAR-PUSH] prompt=none', input: { prompt: 'none' }, sees: GRANTED },
    { name: '[PAR-PUSH] a parameter nobody knows', input: { extra: 'foobar' }, sees: GRANTED },
  ]
  each(cases, async (talk, more) => {
    const [app, uri] = await pushed(talk)
    const address = addressOf(talk, app, uri, more)
    const look = outcomeOf(talk, await talk.visit(address))
    return look === 'asks' ? answerIn(talk, await talk.answer(address, 'allow')) : look
  })
  one('[PAR-PUSH] more scope', 'mcp', async (talk) => {
    const verifier = newVerifier()
    const [app, uri] = await pushed(talk, { scope: 'mcp', code_challenge: challengeOf(verifier) })
    const answer = await talk.answer(addressOf(talk, app, uri, { scope: SCOPE }), 'allow')
    return talk.tokensOf(await talk.redeem(app, { code: answer.searchParams.get('code') ?? '', verifier })).scope
  })
})

describe('is judged when it is pushed:', () => {
  const cases: Case<Change, Told>[] = [
    { name: '[PAR-JUDGED] a redirect URI that is not registered', input: { redirect_uri: 'https://evil.example/' }, sees: REQUEST },
    { name: '[PAR-JUDGED] a redirect URI with a query added', input: { redirect_uri: callbackWith('?x=1') }, sees: REQUEST },
    { name: '[PAR-JUDGED] no redirect URI', input: { redirect_uri: undefined }, sees: REQUEST },
    { name: '[PAR-JUDGED] no PKCE', input: { code_challenge: undefined, code_challenge_method: undefined }, sees: REQUEST },
    { name: '[PAR-JUDGED] plain', input: { code_challenge_method: 'plain' }, sees: REQUEST },
    { name: '[PAR-JUDGED] no response_type', input: { response_type: undefined }, sees: REQUEST },
    { name: '[PAR-JUDGED] response_type=token', input: { response_type: 'token' }, sees: [400, 'unsupported_response_type'] },
    { name: '[PAR-JUDGED] a resource of somebody else', input: { resource: 'https://evil.example/' }, sees: [400, 'invalid_target'] },
    { name: '[PAR-JUDGED] scope twice', input: { scope: twice('mcp') }, sees: REQUEST },
    { name: '[PAR-JUDGED] redirect_uri twice', input: { redirect_uri: twice(CALLBACK) }, sees: REQUEST },
    {
      name: '[PAR-JUDGED] a request_uri inside',
      input: { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      sees: REQUEST,
      oracle: [400, 'request_uri_not_supported'],
      differs: 'RFC 9126 §2.1 says that it is refused, and not with which error',
    },
    { name: '[PAR-JUDGED] a request object', input: { request: 'e30.e30.' }, sees: [400, 'request_not_supported'] },
    { name: '[PAR-JUDGED] a prompt=none beside another', input: { prompt: 'none login' }, sees: REQUEST },
  ]
  each(cases, async (talk, change) => told(await talk.push(await talk.newApp(), change)))
  one('[PAR-JUDGED] a refusal is uncached and no redirect', [400, true, null], async (talk) => {
    const { status, headers } = await talk.push(await talk.newApp(), { response_type: 'token' })
    return [status, /no-store/.test(headers.get('cache-control') ?? ''), headers.get('location')]
  })
  one('[PAR-PUSH] prompt=none is a matter for the browser', back('consent_required'), async (talk) => {
    const [app, uri] = await pushed(talk, { prompt: 'none' })
    return outcomeOf(talk, await talk.visit(addressOf(talk, app, uri)))
  })
})

describe('who pushes', () => {
  const BASIC = { token_endpoint_auth_method: 'client_secret_basic' }
  one('[PAR-AUTH] is a client nobody knows', CLIENT, async (talk) => told(await talk.push(await talk.newApp(), { client_id: 'nobody' })))
  one('[PAR-AUTH] has a secret and does not send it', CLIENT, async (talk) => {
    const app = await talk.newApp(BASIC)
    return told(await talk.post('pushed_authorization_request_endpoint', talk.asking(app)))
  })
  one('[PAR-AUTH] has a secret and sends another', CLIENT, async (talk) => {
    const app = await talk.newApp(BASIC)
    return told(await talk.post('pushed_authorization_request_endpoint', talk.asking(app), { authorization: basic(app.id, 'wrong') }))
  })
  one('[PAR-AUTH] proves to be one client and names another', REQUEST, async (talk) => {
    const app = await talk.newApp(BASIC)
    return told(await talk.push(app, { client_id: (await talk.newApp()).id }))
  })
  one('does not push by GET', true, async (talk) => {
    const { status } = await talk.send(`${talk.metadata.pushed_authorization_request_endpoint}?client_id=x`)
    return [404, 405].includes(status)
  })
  one('does not push JSON', REQUEST, async (talk) =>
    told(await talk.post('pushed_authorization_request_endpoint', '{}', { 'content-type': 'application/json' })),
  )
})
