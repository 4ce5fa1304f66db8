/** Authorization servers of the classic kind, each with its own ways, on hosts that answer to the real names over TLS. */
import type { openHosts } from './documents.ts'

export const CLASSIC_HOSTS = [
  ...['github.com', 'api.github.com', 'accounts.google.com', 'oauth2.googleapis.com', 'openidconnect.googleapis.com'],
  ...['slack.com', 'login.microsoftonline.com', 'graph.microsoft.com', 'auth.atlassian.com', 'api.atlassian.com'],
]
export const CLIENT = { id: 'registered-by-hand', secret: 'a-secret-of-the-house' }
type Hosts = Pick<ReturnType<typeof openHosts>, 'put'>

type Style = {
  authorize: string
  token: string
  /** Shapes a good answer. `asked` are the parameters of the authorization request. */
  answer(given: Given): object
  scopesOf(asked: URLSearchParams): string
  givesRefresh(asked: URLSearchParams, scopes: string): boolean
  /** What a refresh brings: the same token again in silence, another one, and whether the old one dies. */
  rotates: boolean
  refreshNeedsScope?: boolean
  errorStatus: number
  error(code: string): object
  /** Beside code and state on the way back. */
  iss?: string
}
type Given = { access: string; refresh: string | undefined; scopes: string; seconds: number | undefined }
const plain = ({ access, refresh, scopes, seconds }: Given) => ({
  ...{ access_token: access, token_type: 'Bearer', scope: scopes },
  ...(refresh && { refresh_token: refresh }),
  ...(seconds && { expires_in: seconds }),
})
const spaced = (asked: URLSearchParams) => asked.get('scope') ?? ''
const refused = (error: string) => ({ error, error_description: 'no' })

const STYLES = {
  github: {
    authorize: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    answer: (given) => ({ ...plain(given), token_type: 'bearer', scope: given.scopes.replaceAll(' ', ',') }),
    scopesOf: spaced,
    givesRefresh: () => false,
    rotates: false,
    errorStatus: 200,
    error: refused,
  },
  google: {
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    // An ID token that nobody could verify: we take access and no identity.
    answer: (given) => ({ ...plain(given), id_token: 'not.a.token' }),
    scopesOf: spaced,
    givesRefresh: (asked) => asked.get('access_type') === 'offline' && asked.get('prompt') === 'consent',
    rotates: false,
    errorStatus: 400,
    error: refused,
    iss: 'https://accounts.google.com',
  },
  microsoft: {
    authorize: 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token',
    answer: (given) => ({ ...plain(given), scope: given.scopes.replace('offline_access', '').trim(), ext_expires_in: 1, foci: null }),
    scopesOf: spaced,
    givesRefresh: (_, scopes) => scopes.split(' ').includes('offline_access'),
    rotates: true,
    refreshNeedsScope: true,
    errorStatus: 400,
    error: refused,
  },
  slack: {
    authorize: 'https://slack.com/oauth/v2/authorize',
    token: 'https://slack.com/api/oauth.v2.access',
    answer: ({ access, scopes, ...given }) => {
      const { token_type: _, ...rest } = plain({ access, scopes: scopes.replaceAll(' ', ','), ...given })
      return { ok: true, team: { name: 'Crew' }, authed_user: { id: 'U1', token_type: 'user', ...rest } }
    },
    scopesOf: (asked) => (asked.get('user_scope') ?? '').replaceAll(',', ' '),
    givesRefresh: () => false,
    rotates: false,
    errorStatus: 200,
    error: (code) => ({ ok: false, error: code === 'invalid_grant' ? 'invalid_code' : code }),
  },
  atlassian: {
    authorize: 'https://auth.atlassian.com/authorize',
    token: 'https://auth.atlassian.com/oauth/token',
    answer: plain,
    scopesOf: spaced,
    givesRefresh: (asked, scopes) => asked.get('audience') === 'api.atlassian.com' && scopes.includes('offline_access'),
    rotates: true,
    errorStatus: 403,
    error: refused,
  },
} as const satisfies Record<string, Style>
export type ProviderName = keyof typeof STYLES
export const PROVIDER_NAMES = Object.keys(STYLES) as ProviderName[]

type Code = { asked: URLSearchParams; account: string; scopes: string }
type Chain = { account: string; scopes: string; provider: ProviderName }

export function startClassic(hosts: Hosts, config: { seconds: () => number | undefined }) {
  const codes = new Map<string, Code>()
  const access = new Map<string, Chain>()
  const refresh = new Map<string, Chain>()
  const requests: { provider: ProviderName; grant: string; form: URLSearchParams; answered: number }[] = []
  const revoked: string[] = []
  const secret = (kind: string) => `${kind}-${crypto.randomUUID()}`

  const give = (style: Style, chain: Chain, refreshToken: string | undefined) => {
    const token = secret('access')
    access.set(token, chain)
    return Response.json(style.answer({ access: token, refresh: refreshToken, scopes: chain.scopes, seconds: config.seconds() }))
  }
  const redeem = async (provider: ProviderName, style: Style, form: URLSearchParams): Promise<Response | string> => {
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    if (!code || form.get('redirect_uri') !== code.asked.get('redirect_uri')) return 'invalid_grant'
    const challenge = code.asked.get('code_challenge')
    const verified = new Bun.CryptoHasher('sha256').update(form.get('code_verifier') ?? '').digest('base64url')
    if (challenge !== null && challenge !== verified) return 'invalid_grant'
    const chain = { account: code.account, scopes: code.scopes, provider }
    if (!style.givesRefresh(code.asked, code.scopes)) return give(style, chain, undefined)
    const token = secret('refresh')
    refresh.set(token, chain)
    return give(style, chain, token)
  }
  const renew = (style: Style, form: URLSearchParams): Response | string => {
    const held = form.get('refresh_token') ?? ''
    const chain = refresh.get(held)
    if (!chain) return 'invalid_grant'
    if (style.refreshNeedsScope && !form.get('scope')) return 'invalid_scope'
    if (!style.rotates) return give(style, chain, undefined)
    refresh.delete(held)
    const next = secret('refresh')
    refresh.set(next, chain)
    return give(style, chain, next)
  }
  for (const provider of PROVIDER_NAMES) {
    const style: Style = STYLES[provider]
    hosts.put(style.token, async (request) => {
      const form = new URLSearchParams(await request.text())
      const isKnown = form.get('client_id') === CLIENT.id && form.get('client_secret') === CLIENT.secret
      const grant = form.get('grant_type') ?? ''
      const result = !isKnown ? 'invalid_client' : grant === 'refresh_token' ? renew(style, form) : await redeem(provider, style, form)
      const answer = typeof result === 'string' ? Response.json(style.error(result), { status: style.errorStatus }) : result
      requests.push({ provider, grant, form, answered: answer.status })
      // GitHub's answer is a form unless JSON is asked for.
      if (provider === 'github' && !request.headers.get('accept')?.includes('json')) return new Response('error=not_json')
      return answer
    })
  }
  const chainOf = (request: Request) => access.get(request.headers.get('authorization')?.replace('Bearer ', '') ?? '')
  const names: readonly [string, (chain: Chain) => object][] = [
    ['https://api.github.com/user', ({ account }) => ({ login: account })],
    ['https://openidconnect.googleapis.com/v1/userinfo', ({ account }) => ({ email: `${account}@gmail.example` })],
    ['https://graph.microsoft.com/v1.0/me', ({ account }) => ({ userPrincipalName: `${account}@contoso.example` })],
    ['https://slack.com/api/auth.test', ({ account }) => ({ ok: true, user: account, team: 'Crew' })],
    ['https://api.atlassian.com/me', ({ account }) => ({ email: `${account}@atlassian.example` })],
  ]
  for (const [address, answer] of names)
    hosts.put(address, (request) => {
      const chain = chainOf(request)
      return chain ? Response.json(answer(chain)) : new Response('no', { status: 401 })
    })
  const end = (token: string) => {
    revoked.push(token)
    access.delete(token)
    refresh.delete(token)
  }
  hosts.put('https://oauth2.googleapis.com/revoke', async (request) => {
    end(new URLSearchParams(await request.text()).get('token') ?? '')
    return new Response()
  })
  hosts.put('https://slack.com/api/auth.revoke', (request) => {
    end(request.headers.get('authorization')?.replace('Bearer ', '') ?? '')
    return Response.json({ ok: true })
  })
  hosts.put(`https://api.github.com/applications/${CLIENT.id}/token`, async (request) => {
    const isKnown = request.headers.get('authorization') === `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}`
    if (isKnown && request.method === 'DELETE') end(((await request.json()) as { access_token: string }).access_token)
    return new Response(null, { status: isKnown ? 204 : 401 })
  })

  return {
    requests,
    revoked,
    /** Whose token this is, as an API of the provider would know. */
    whose: (token: string) => access.get(token)?.account,
    /** The provider forgets these: access tokens, or refresh tokens as well. */
    forget: (what: 'access' | 'all') => {
      access.clear()
      if (what === 'all') refresh.clear()
    },
    /** The person at the provider says yes. @returns where their browser is sent */
    approve(to: string, account: string): URL {
      const url = new URL(to)
      const provider = PROVIDER_NAMES.find((name) => to.startsWith(`${STYLES[name].authorize}?`))
      if (!provider) throw new Error(`nobody answers at ${to}`)
      const style: Style = STYLES[provider]
      const asked = url.searchParams
      if (asked.get('client_id') !== CLIENT.id || asked.get('response_type') !== 'code') throw new Error(`not a request: ${to}`)
      const code = secret('code')
      codes.set(code, { asked, account, scopes: style.scopesOf(asked) })
      const back = new URL(asked.get('redirect_uri') ?? '')
      back.searchParams.set('code', code)
      back.searchParams.set('state', asked.get('state') ?? '')
      if (style.iss) back.searchParams.set('iss', style.iss)
      return back
    },
  }
}
export type Classic = ReturnType<typeof startClassic>
