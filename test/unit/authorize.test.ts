import { describe, expect, test } from 'bun:test'
import { cleanText, matchesRedirect } from '@/clients'
import { decide, state } from '@/grants'
import { type ConnectionId, newConnectionId, newToolId, type ToolId } from '@/lib/ids.ts'
// The table of checks is no part of the room's entrance; it is tested row by row all the same.
import { redirectKind, redirectProblem } from '../../src/clients/redirects.ts'
import { judge } from '../../src/oauth/authorize.ts'
import { parametersOf } from '../../src/oauth/parameters.ts'
import { resourceOf, withAnswer } from '../../src/oauth/places.ts'

const house = { origin: 'https://tools.example', base: '/sso' }
const client = { redirectUris: ['https://app.example/cb?a=1', 'http://127.0.0.1:1/cb'], blockedAt: null }
const GOOD = {
  ...{ client_id: 'x', redirect_uri: 'https://app.example/cb?a=1', response_type: 'code', state: 's' },
  ...{ code_challenge: 'c'.repeat(43), code_challenge_method: 'S256', resource: 'https://tools.example/sso/mcp/work' },
}
const asked = (change: Record<string, string>, more = '') =>
  parametersOf(new URLSearchParams(`${new URLSearchParams({ ...GOOD, ...change })}${more}`))

describe('judge', () => {
  test('puts a good request before the user, each part of it read', () => {
    const verdict = judge(asked({ scope: 'offline_access' }), client, house, true)
    expect(verdict).toMatchObject({
      kind: 'ask-the-user',
      request: { redirectUri: GOOD.redirect_uri, state: 's', scope: 'mcp offline_access', resource: { profileName: 'work' } },
    })
  })
  test('tolerates a missing resource: the user picks', () => {
    expect(judge(asked({ resource: '' }), client, house, true)).toMatchObject({
      request: { resource: { address: 'https://tools.example/sso/mcp', profileName: undefined } },
    })
  })
  test.each<[string, Record<string, string>, string]>([
    ['no redirect_uri', { redirect_uri: '' }, ''],
    ['another redirect_uri', { redirect_uri: 'https://app.example/cb' }, ''],
    ['two redirect_uris', {}, '&redirect_uri=https://app.example/cb'],
    ['two client_ids', {}, '&client_id=y'],
  ])('[AUTHORIZE-CHECKS] shows %s', (_, change, more) => {
    expect(judge(asked(change, more), client, house, true)).toMatchObject({ kind: 'show', problem: { error: 'invalid_request' } })
  })
  test('[AUTHORIZE-CHECKS] shows an unknown and a blocked client', () => {
    expect(judge(asked({}), undefined, house, true)).toMatchObject({ kind: 'show', problem: { error: 'invalid_client' } })
    expect(judge(asked({}), { ...client, blockedAt: 1 }, house, true)).toMatchObject({ problem: { error: 'unauthorized_client' } })
  })
  test.each<[string, Record<string, string>, string, string]>([
    ['no response_type', { response_type: '' }, '', 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, '', 'unsupported_response_type'],
    ['a response in the fragment', { response_mode: 'fragment' }, '', 'invalid_request'],
    ['the implicit flow beside the code', { response_type: 'code token' }, '', 'unsupported_response_type'],
    ['a posted response', { response_mode: 'form_post' }, '', 'invalid_request'],
    ['no challenge', { code_challenge: '' }, '', 'invalid_request'],
    ['no method, which is plain', { code_challenge_method: '' }, '', 'invalid_request'],
    ['plain', { code_challenge_method: 'plain' }, '', 'invalid_request'],
    ['a challenge that is no SHA-256', { code_challenge: 'c'.repeat(44) }, '', 'invalid_request'],
    ['a foreign resource', { resource: 'https://tools.example/mcp/work' }, '', 'invalid_target'],
    ['two resources', {}, '&resource=https://tools.example/sso/mcp/home', 'invalid_target'],
    ['an unknown scope', { scope: 'mcp admin' }, '', 'invalid_scope'],
    ['a doubled scope', { scope: 'mcp' }, '&scope=mcp', 'invalid_request'],
    ['a doubled parameter that nobody knows', {}, '&other=1&other=2', 'invalid_request'],
    ['two resources and two scopes', { scope: 'mcp' }, '&scope=mcp&resource=x', 'invalid_request'],
    ['a request object', { request: 'e30.e30.' }, '', 'request_not_supported'],
    ['a request elsewhere', { request_uri: 'https://app.example/request' }, '', 'request_uri_not_supported'],
    ['prompt=none', { prompt: 'none' }, '', 'consent_required'],
    ['prompt=none with company', { prompt: 'none login' }, '', 'invalid_request'],
  ])('[AUTHORIZE-CHECKS] sends %s back with error, state and iss', (_, change, more, error) => {
    const verdict = judge(asked(change, more), client, house, true)
    const to = new URL(verdict.kind === 'send-back' ? verdict.to : 'about:blank')
    expect(to.href).toStartWith('https://app.example/cb?a=1&')
    expect(Object.fromEntries(to.searchParams)).toMatchObject({ error, state: 's', iss: 'https://tools.example/sso' })
  })
  test.each<[string, Record<string, string>, string]>([
    ['an unknown parameter', { other: '1' }, '&more=2'],
    ['prompt=login and consent', { prompt: 'login consent' }, ''],
    ['the response mode it has anyway', { response_mode: 'query' }, ''],
    ['no scope', { scope: '' }, ''],
    ['a scope named twice', { scope: 'mcp mcp' }, ''],
  ])('[AUTHORIZE-CHECKS] minds not %s', (_, change, more) => {
    expect(judge(asked(change, more), client, house, true).kind).toBe('ask-the-user')
  })
  test('[AUTHORIZE-CHECKS] lets nothing leave while the redirect URI or the client is in doubt, whatever else is wrong', () => {
    const everything = { response_type: 'token', scope: 'admin', code_challenge: '', prompt: 'none', resource: 'x' }
    const doubtful: [string, typeof client | (Omit<typeof client, 'blockedAt'> & { blockedAt: number })][] = [
      ['&redirect_uri=x', client],
      ['&client_id=y', client],
      ['', { ...client, blockedAt: 1 }],
      ['', { ...client, redirectUris: [] }],
    ]
    for (const [more, of] of doubtful) expect(judge(asked(everything, more), of, house, true).kind).toBe('show')
  })
  test('asks to sign in before prompt=none can be answered, and repeats no doubled state', () => {
    expect(judge(asked({ prompt: 'none' }), client, house, false)).toMatchObject({ problem: { error: 'login_required' } })
    const verdict = judge(asked({}, '&state=t'), client, house, true)
    expect(verdict.kind === 'send-back' && new URL(verdict.to).searchParams.has('state')).toBe(false)
  })
})

describe('redirect URIs', () => {
  test.each([
    'https://a.example/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:9/cb',
    'http://localhost:1/',
    'cursor://anysphere.cursor/cb',
    'com.example.app:/cb',
  ])('%p may be registered', (uri) => expect(redirectProblem(uri)).toBeUndefined())
  test.each([
    ...[
      'http://a.example/cb',
      'http://127.0.0.1.evil.example/',
      'http://127.1/',
      'http://localhost.evil/',
      'http://localhost@evil.example/',
    ],
    ...['javascript:alert(1)', 'JavaScript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'https://a.example/#x'],
    ...['https://u:p@a.example/', 'https://@a.example/', 'https:a.example', '/cb', '', 'https://a.example/\n', 'https://a.example\\@b/'],
  ])('%p may not', (uri) => expect(redirectProblem(uri)).toBeString())

  test.each<[string, string, boolean]>([
    ['https://a.example/cb', 'https://a.example/cb', true],
    ['https://a.example/cb', 'https://a.example:443/cb', false],
    ['https://a.example/cb', 'https://A.example/cb', false],
    ['https://a.example/cb', 'https://a.example/cb/', false],
    ['http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb', true],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:9/cb', true],
    ['http://[::1]/cb', 'http://[::1]:9/cb', true],
    ['http://localhost/cb', 'http://127.0.0.1/cb', false],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:99999/cb', false],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:9/cb#x', false],
    ['http://127.0.0.1/cb', 'http://127.0.0.1:9/other', false],
    ['http://127.0.0.1/cb', 'https://127.0.0.1/cb', false],
    ['https://127.0.0.1/cb', 'https://127.0.0.1:9/cb', false],
  ])('registered %p, asked %p: %p', (registered, uri, fits) => expect(matchesRedirect([registered], uri)).toBe(fits))

  test('are told apart by where they lead', () => {
    expect(['https://a.example/', 'http://localhost:1/', 'cursor://x'].map(redirectKind)).toEqual(['web', 'loopback', 'scheme'])
  })
  test('keep their spelling when the answer is put behind them', () => {
    expect(withAnswer('cursor://x/cb', { code: 'a b', state: undefined })).toBe('cursor://x/cb?code=a+b')
    expect(withAnswer('https://a.example/cb?a=%20', { code: '1' })).toBe('https://a.example/cb?a=%20&code=1')
  })
})

test.each<[string, boolean]>([
  ['https://tools.example/sso/mcp', true],
  ['https://tools.example/sso/mcp/work', true],
  ['https://tools.example/sso/mcp/', false],
  ['https://tools.example/sso/mcp/a/b', false],
  ['https://tools.example/sso/mcp/../x', false],
  ['HTTPS://tools.example/sso/mcp', false],
  ['https://tools.example.evil/sso/mcp', false],
])('resource %p is ours: %p', (text, isOurs) => expect(resourceOf(text, house) !== undefined).toBe(isOurs))

test('names lose what hides or turns text, and are cut', () => {
  expect(cleanText('a\u202Eb\u200Bc\nd')).toBe('abc d')
  expect([...cleanText('x'.repeat(10_000))].length).toBe(80)
})

type Tool = { toolId: ToolId; connectionId: ConnectionId }
test('a grant allows what was allowed, while it is active', () => {
  const connectionId = newConnectionId()
  const [allowed, unknown] = [newToolId(), newToolId()].map((toolId) => ({ toolId, connectionId })) as [Tool, Tool]
  const grant = {
    revokedAt: null,
    expiresAt: 10,
    pausedAt: null,
    pauses: [],
    without: new Set<ConnectionId>(),
    laterTools: 'out' as const,
    tools: new Map([[allowed.toolId, 'allow' as const]]),
  }
  expect([decide(grant, allowed, 9), decide(grant, unknown, 9), decide({ ...grant, laterTools: 'in' }, unknown, 9)]).toEqual([
    'allow',
    'refuse',
    'allow',
  ])
  expect([decide(grant, allowed, 10), decide({ ...grant, pausedAt: 1 }, allowed, 9)]).toEqual(['refuse', 'refuse'])
  expect(state({ ...grant, revokedAt: 1, pausedAt: 1 }, 10)).toBe('revoked')
})

test('what is paused with something else is paused, and a paused connection takes its own tools alone', () => {
  const [one, other] = [newConnectionId(), newConnectionId()]
  const toolId = newToolId()
  const grant = {
    ...{ revokedAt: null, expiresAt: null, pausedAt: null, laterTools: 'out' as const, tools: new Map([[toolId, 'allow' as const]]) },
    ...{ pauses: [], without: new Set([one]) },
  }
  expect([decide(grant, { toolId, connectionId: one }, 1), decide(grant, { toolId, connectionId: other }, 1)]).toEqual(['refuse', 'allow'])
  const pause = { kind: 'everything' as const, subject: '', userId: '' as const, at: 1, byName: 'ada' }
  const paused = { ...grant, pauses: [pause] }
  expect([state(paused, 1), decide(paused, { toolId, connectionId: other }, 1)]).toEqual(['paused', 'refuse'])
})
