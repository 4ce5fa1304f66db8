/** The authorization endpoint: what is asked, what is shown, and what goes back to the client. */
import { describe } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { answerIn, ask, back, callbackWith, type Outcome, outcomeOf, SHOWN, twice } from './outcome.ts'
import { CALLBACK, type Change, challengeOf, SCOPE } from './talking.ts'

const { one, each } = await openSuite()
const CHALLENGE = challengeOf('v'.repeat(43))

describe('whose redirect URI it is nobody knows: a page, and no way off the site', () => {
  const cases: Case<Change, Outcome>[] = [
    { name: '[RFC6749-4.1.2.1] an unknown client', input: { client_id: 'nobody' }, sees: SHOWN },
    { name: '[RFC6749-4.1.2.1] no client_id', input: { client_id: undefined }, sees: SHOWN },
    { name: '[RFC6749-4.1.2.1] an empty client_id', input: { client_id: '' }, sees: SHOWN },
    { name: '[RFC6749-4.1.2.1] no redirect_uri', input: { redirect_uri: undefined }, sees: SHOWN },
    { name: '[ABUSE-09] redirect_uri twice', input: { redirect_uri: twice(CALLBACK) }, sees: SHOWN },
    {
      name: '[ABUSE-09] redirect_uri twice, the other one foreign',
      input: { redirect_uri: [CALLBACK, 'https://evil.example/callback'] },
      sees: SHOWN,
    },
    { name: '[ABUSE-01] another host', input: { redirect_uri: 'https://evil.example/callback' }, sees: SHOWN },
    { name: '[ABUSE-01] a query added', input: { redirect_uri: callbackWith('?dummy1=lorem&dummy2=ipsum') }, sees: SHOWN },
    { name: '[ABUSE-01] a bare question mark added', input: { redirect_uri: callbackWith('?') }, sees: SHOWN },
    { name: '[ABUSE-01] a path segment added', input: { redirect_uri: callbackWith('/more') }, sees: SHOWN },
    { name: '[ABUSE-01] a slash added', input: { redirect_uri: callbackWith('/') }, sees: SHOWN },
    { name: '[ABUSE-01] a fragment added', input: { redirect_uri: callbackWith('#there') }, sees: SHOWN },
    { name: '[ABUSE-01] dot segments', input: { redirect_uri: callbackWith('/../callback') }, sees: SHOWN },
    { name: '[ABUSE-01] capitals in the path', input: { redirect_uri: 'https://app.example.org/Callback' }, sees: SHOWN },
    { name: '[ABUSE-01] capitals in the host', input: { redirect_uri: 'https://APP.example.org/callback' }, sees: SHOWN },
    { name: '[ABUSE-01] an encoded letter', input: { redirect_uri: 'https://app.example.org/%63allback' }, sees: SHOWN },
    { name: '[ABUSE-01] the default port spelled out', input: { redirect_uri: 'https://app.example.org:443/callback' }, sees: SHOWN },
    { name: '[ABUSE-01] another port', input: { redirect_uri: 'https://app.example.org:8443/callback' }, sees: SHOWN },
    { name: '[ABUSE-01] http for https', input: { redirect_uri: 'http://app.example.org/callback' }, sees: SHOWN },
    {
      name: '[ABUSE-01] the real host as a user name',
      input: { redirect_uri: 'https://app.example.org@evil.example/callback' },
      sees: SHOWN,
    },
    { name: '[ABUSE-01] a host that ends alike', input: { redirect_uri: 'https://evilapp.example.org/callback' }, sees: SHOWN },
    { name: '[ABUSE-01] a space behind', input: { redirect_uri: callbackWith(' ') }, sees: SHOWN },
    { name: '[ABUSE-01] a script', input: { redirect_uri: 'javascript:alert(1)' }, sees: SHOWN },
    {
      name: '[RFC6749-4.1.2.1] a wrong redirect URI is shown whatever else is wrong',
      input: { redirect_uri: 'https://evil.example/', response_type: 'token', prompt: 'none' },
      sees: SHOWN,
    },
  ]
  each(cases, ask)
  one('[ABUSE-09] client_id twice', SHOWN, async (talk) => {
    const app = await talk.newApp()
    return outcomeOf(talk, await talk.visit(talk.addressOf(talk.asking(app, { client_id: twice(app.id) }))))
  })
})

describe('the redirect URI is proven: the error goes back to the client, with state and iss', () => {
  const cases: Case<Change, Outcome>[] = [
    { name: '[RFC6749-4.1.2.1, ABUSE-12] no response_type', input: { response_type: undefined }, sees: back('invalid_request') },
    ...['token', 'code token', 'id_token'].map((response_type) => ({
      name: `[ABUSE-11] response_type=${response_type}`,
      input: { response_type, nonce: 'n' },
      sees: back('unsupported_response_type'),
      oracle: { error: 'unsupported_response_type', state: 'a state', iss: true, fragment: true as const },
      differs: 'OpenID Connect answers such a request in the fragment, which OAuth 2.1 no longer has',
    })),
    { name: '[ABUSE-11] response_type in capitals', input: { response_type: 'CODE' }, sees: back('unsupported_response_type') },
    {
      name: 'response_mode=fragment',
      input: { response_mode: 'fragment' },
      sees: back('invalid_request'),
      oracle: 'asks',
      differs: 'OpenID Connect has modes beside query; OAuth 2.1 has none',
    },
    { name: '[ABUSE-04] no PKCE', input: { code_challenge: undefined, code_challenge_method: undefined }, sees: back('invalid_request') },
    { name: '[ABUSE-04] a method without a challenge', input: { code_challenge: undefined }, sees: back('invalid_request') },
    { name: '[ABUSE-04] plain', input: { code_challenge_method: 'plain' }, sees: back('invalid_request') },
    { name: '[ABUSE-04] no method, which would mean plain', input: { code_challenge_method: undefined }, sees: back('invalid_request') },
    { name: '[ABUSE-04] a method nobody knows', input: { code_challenge_method: 'S512' }, sees: back('invalid_request') },
    { name: '[ABUSE-04] a method in small letters', input: { code_challenge_method: 's256' }, sees: back('invalid_request') },
    { name: '[ABUSE-05] a challenge of 42 characters', input: { code_challenge: 'c'.repeat(42) }, sees: back('invalid_request') },
    { name: '[ABUSE-05] a challenge of 129 characters', input: { code_challenge: 'c'.repeat(129) }, sees: back('invalid_request') },
    { name: '[ABUSE-05] a challenge with padding', input: { code_challenge: `${CHALLENGE}=` }, sees: back('invalid_request') },
    { name: '[ABUSE-09] scope twice', input: { scope: twice(SCOPE) }, sees: back('invalid_request') },
    { name: '[ABUSE-09] response_type twice', input: { response_type: twice('code') }, sees: back('invalid_request') },
    { name: '[ABUSE-09] code_challenge twice', input: { code_challenge: twice(CHALLENGE) }, sees: back('invalid_request') },
    { name: '[ABUSE-09] prompt twice', input: { prompt: twice('consent') }, sees: back('invalid_request') },
    { name: '[ABUSE-09] state twice: neither comes back', input: { state: ['one', 'two'] }, sees: { error: 'invalid_request', iss: true } },
    {
      name: '[ABUSE-09] a parameter nobody knows twice',
      input: { unknown: ['one', 'two'] },
      sees: back('invalid_request'),
      oracle: 'asks',
      differs: 'it drops what it does not know before it counts; RFC 6749 §3.1 says no parameter may come twice',
    },
    { name: '[ABUSE-10] a resource of somebody else', input: { resource: 'https://evil.example/mcp' }, sees: back('invalid_target') },
    { name: '[ABUSE-10] a resource that is no address', input: { resource: 'mcp' }, sees: back('invalid_target') },
    {
      name: '[AUTHORIZE-CHECKS] a scope that nobody has',
      input: { scope: 'mcp admin' },
      sees: back('invalid_scope'),
      oracle: 'asks',
      differs: 'OpenID Connect ignores scopes it does not know; RFC 6749 §3.3 allows either',
    },
    { name: '[AUTHORIZE-CHECKS] prompt=none needs a consent', input: { prompt: 'none' }, sees: back('consent_required') },
    { name: '[AUTHORIZE-CHECKS] prompt=none beside another', input: { prompt: 'none login' }, sees: back('invalid_request') },
    { name: 'a request object', input: { request: 'e30.e30.' }, sees: back('request_not_supported') },
    {
      name: 'a request_uri of the web',
      input: { request_uri: 'https://app.example.org/request' },
      sees: back('request_uri_not_supported'),
    },
  ]
  each(cases, ask)

  one('[AUTHORIZE-CHECKS] prompt=none of somebody who is not signed in', back('login_required'), async (talk) => {
    const app = await talk.newApp()
    return outcomeOf(talk, await talk.visitAsStranger(talk.addressOf(talk.asking(app, { prompt: 'none' }))))
  })
  one(
    '[ABUSE-10] two resources',
    back('invalid_target') as Outcome,
    (talk) => ask(talk, { resource: [talk.resource, talk.otherResource] }),
    { oracle: 'asks', differs: 'RFC 8707 allows several; a token of ours has one audience' },
  )
  one('[OAUTH-ACCESS-DENIED] a person who says no', back('access_denied'), async (talk) => {
    const app = await talk.newApp()
    return answerIn(talk, await talk.answer(talk.addressOf(talk.asking(app)), 'deny'))
  })
  one('[RFC6749-4.1.2.1] the way back is a 303 that no cache keeps', [303, true], async (talk) => {
    const app = await talk.newApp()
    const { status, headers } = await talk.send(talk.addressOf(talk.asking(app, { response_type: undefined })))
    return [status, /no-store/.test(headers.get('cache-control') ?? '')]
  })
  one('[RFC6749-4.1.2.1] without a state none is made up', { error: 'invalid_request', iss: true } as Outcome, (talk) =>
    ask(talk, { state: undefined, response_type: undefined }),
  )
})

describe('a request that is as it should be', () => {
  const cases: Case<Change, Outcome>[] = [
    { name: 'is put before the person', input: {}, sees: 'asks' },
    { name: 'may have a parameter nobody knows', input: { extra: 'foobar', utm_source: 'x' }, sees: 'asks' },
    { name: 'may come without a scope', input: { scope: undefined }, sees: 'asks' },
    { name: 'may come with an empty scope, which counts as none', input: { scope: '' }, sees: 'asks' },
    { name: '[RFC8707-2] may come without a resource', input: { resource: undefined }, sees: 'asks' },
    { name: 'may come without a state', input: { state: undefined }, sees: 'asks' },
    { name: 'may name response_mode=query', input: { response_mode: 'query' }, sees: 'asks' },
    { name: 'may ask for a login page in some language', input: { ui_locales: 'de en' }, sees: 'asks' },
  ]
  each(cases, ask)

  one('is put before a stranger after they signed in', 'asks' as Outcome, async (talk) => {
    const app = await talk.newApp()
    return outcomeOf(talk, await talk.visitAsStranger(talk.addressOf(talk.asking(app))))
  })
  one('[RFC9207-2] is answered with code, state and iss, and nothing else', ['code', 'iss', 'state'], async (talk) => {
    const app = await talk.newApp()
    const answer = await talk.answer(talk.addressOf(talk.asking(app)), 'allow')
    return [...answer.searchParams.keys()].sort()
  })
  one('[RFC9207-2] is answered without a state when it had none', { code: true, iss: true } as Outcome, async (talk) => {
    const app = await talk.newApp()
    return answerIn(talk, await talk.answer(talk.addressOf(talk.asking(app, { state: undefined })), 'allow'))
  })
  one(
    'is answered in the query of a redirect URI that has one',
    [['kept', 'as it is'], true],
    async (talk) => {
      const redirect_uri = callbackWith('?kept=as%20it%20is')
      const app = await talk.newApp({ redirect_uris: [redirect_uri] })
      const answer = await talk.answer(talk.addressOf(talk.asking(app, { redirect_uri })), 'allow')
      return [[...answer.searchParams][0], answer.href.startsWith(`${redirect_uri}&`)]
    },
    { oracle: [['kept', 'as it is'], false], differs: 'it writes the address anew, with the same meaning in other characters' },
  )
})

describe('where an app on a machine listens', () => {
  const native = (redirect_uri: string) => ({ application_type: 'native', redirect_uris: [redirect_uri] })
  const at = (registered: string, redirect_uri: string) => (talk: Parameters<typeof ask>[0]) =>
    ask(talk, { redirect_uri }, native(registered))
  const LOOPBACK = 'http://127.0.0.1:7777/callback'
  one('[RFC8252-7.3] any port of 127.0.0.1 is good', 'asks' as Outcome, at(LOOPBACK, 'http://127.0.0.1:49152/callback'))
  one('[RFC8252-7.3] so is none', 'asks' as Outcome, at(LOOPBACK, 'http://127.0.0.1/callback'))
  one('[RFC8252-7.3] any port of [::1] is good', 'asks' as Outcome, at('http://[::1]/callback', 'http://[::1]:49152/callback'))
  one('[RFC8252-7.3] any port of localhost is good', 'asks' as Outcome, at('http://localhost/callback', 'http://localhost:49152/callback'))
  one('[ABUSE-02] another path is not', SHOWN, at(LOOPBACK, 'http://127.0.0.1:7777/other'))
  one('[ABUSE-02] a query more is not', SHOWN, at(LOOPBACK, 'http://127.0.0.1:7777/callback?x=1'))
  one('[ABUSE-02] localhost for 127.0.0.1 is not', SHOWN, at(LOOPBACK, 'http://localhost:7777/callback'))
  one('[ABUSE-02] a host that begins like loopback is not', SHOWN, at(LOOPBACK, 'http://127.0.0.1.evil.example:7777/callback'))
  one('[ABUSE-02] https for http is not', SHOWN, at(LOOPBACK, 'https://127.0.0.1:7777/callback'))
  one('a scheme of its own is good', 'asks' as Outcome, at('org.example.app:/callback', 'org.example.app:/callback'))
  one('a scheme of its own is exact', SHOWN, at('org.example.app:/callback', 'org.example.app:/callback2'))
})

describe('state comes back as it was sent', () => {
  const odd: Record<string, string> = {
    'with spaces and plus signs': 'a b+c  d',
    'with the signs of a query': '?a=b&c=d#e;f',
    'with percent signs': '%41%%zz%2525',
    'with quotes and markup': `"'<script>&amp;`,
    'with letters from elsewhere': 'ü€𝄞中文\u202e',
    'as JSON in base64': btoa(JSON.stringify({ a: 1, b: ['/', '+'] })),
    'that is very long': 'x'.repeat(6_000),
    'that is a line break': 'a\r\nlocation: https://evil.example',
    'that names other answers': 'code=1&iss=https://evil.example',
  }
  for (const [how, state] of Object.entries(odd)) {
    const sees = [{ code: true, state, iss: true }, { error: 'invalid_request', state, iss: true }, 1]
    one<unknown>(`[RFC6749-4.1.2.1] ${how}`, sees, async (talk) => {
      const app = await talk.newApp()
      const allowed = await talk.answer(talk.addressOf(talk.asking(app, { state })), 'allow')
      const refused = await talk.visit(talk.addressOf(talk.asking(app, { state, response_type: undefined })))
      return [answerIn(talk, allowed), outcomeOf(talk, refused), allowed.searchParams.getAll('iss').length]
    })
  }
})

describe('browsers', () => {
  const headersOf = async (talk: Parameters<typeof ask>[0], init: RequestInit) => {
    const app = await talk.newApp()
    return (await talk.send(talk.addressOf(talk.asking(app)), init)).headers
  }
  one('[OAUTH-CORS] of other sites may not read the answer', null, async (talk) =>
    (await headersOf(talk, { headers: { origin: 'https://evil.example' } })).get('access-control-allow-origin'),
  )
  one('[OAUTH-CORS] are not told that they may', null, async (talk) =>
    (await headersOf(talk, { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' } })).get(
      'access-control-allow-origin',
    ),
  )
})
