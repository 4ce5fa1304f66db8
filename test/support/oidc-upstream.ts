/**
 * An MCP server with a real authorization server in front: `oidc-provider` on loopback, which signs in whoever the test names
 * without a form, so that the whole way is redirects alone.
 */
import { createServer } from 'node:http'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import Provider from 'oidc-provider'
import { freePort } from './running.ts'

export type UpstreamOptions = {
  registration?: boolean
  accessSeconds?: number
  clients?: readonly object[]
}
export type OidcUpstream = Awaited<ReturnType<typeof startOidcUpstream>>

const SCOPES = ['read', 'write']

export async function startOidcUpstream({ registration = true, accessSeconds = 600, clients = [] }: UpstreamOptions = {}) {
  const issuer = `http://127.0.0.1:${await freePort()}`
  const port = await freePort()
  const resource = `http://127.0.0.1:${port}/mcp`
  /** What a test may change while it runs. */
  const now = {
    account: 'alice',
    needs: undefined as string | undefined,
    metadata: (described: Record<string, unknown>) => described,
    refused: new Set<string>(),
  }
  const provider = createProvider(issuer, resource, { registration, accessSeconds, clients }, () => now.account)
  const authorization = createServer((request, response) => {
    if (request.url?.startsWith('/interaction/'))
      return void provider.interactionFinished(
        request,
        response,
        { login: { accountId: now.account }, consent: {} },
        { mergeWithLastSubmission: false },
      )
    void provider.callback()(request, response)
  })
  await new Promise<void>((done) => authorization.listen(Number(new URL(issuer).port), '127.0.0.1', done))
  const seen: { authorization: string | null; url: string }[] = []
  const handler = createMcpHandler((context) => createTools(() => accountOf(context)), { legacy: 'stateless' })
  const accounts = new WeakMap<object, string>()
  const accountOf = (context: object) => accounts.get((context as { requestInfo?: object }).requestInfo ?? context) ?? now.account
  const challenge = (status: number, more = '') =>
    new Response('no', {
      status,
      headers: {
        'www-authenticate': `Bearer resource_metadata="http://127.0.0.1:${port}/.well-known/oauth-protected-resource/mcp"${more}`,
      },
    })
  const upstream = Bun.serve({
    port,
    hostname: '127.0.0.1',
    async fetch(request) {
      seen.push({ authorization: request.headers.get('authorization'), url: request.url })
      if (request.url.includes('/.well-known/oauth-protected-resource'))
        return Response.json(now.metadata({ resource, authorization_servers: [issuer], scopes_supported: ['read'] }))
      if (new URL(request.url).pathname !== '/mcp') return new Response('not here', { status: 404 })
      const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
      const token = (await provider.AccessToken.find(bearer)) ?? (await provider.ClientCredentials.find(bearer))
      if (!token || now.refused.has(bearer)) return challenge(401)
      if (
        now.needs &&
        !String(token.scope ?? '')
          .split(' ')
          .includes(now.needs)
      )
        return challenge(403, `, error="insufficient_scope", scope="${now.needs}"`)
      return handler.fetch(request, {
        authInfo: { token: bearer, clientId: token.clientId ?? '', scopes: [], extra: { account: whoseOf(token) } },
      })
    },
  })
  return {
    url: resource,
    issuer,
    now,
    seen,
    provider,
    /** A client that somebody registers there by hand. */
    addClient: (metadata: { client_id: string; [name: string]: unknown }): Promise<void> =>
      (provider.Client as unknown as { adapter: { upsert(id: string, client: object): Promise<void> } }).adapter.upsert(
        metadata.client_id,
        metadata,
      ),
    stop: async () => {
      await handler.close()
      await upstream.stop(true)
      authorization.closeAllConnections()
      await new Promise((done) => authorization.close(done))
    },
  }
}

const whoseOf = (token: object): string => ('accountId' in token ? String(token.accountId) : 'the connection itself')

function createTools(accountOf: () => string) {
  const server = new Server({ name: 'guarded', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', async () => ({ tools: [{ name: 'whoami', inputSchema: { type: 'object' as const } }] }))
  server.setRequestHandler('tools/call', async (_, context) => {
    const account = (context as { http?: { authInfo?: { extra?: { account?: string } } } }).http?.authInfo?.extra?.account ?? accountOf()
    return { content: [{ type: 'text' as const, text: account }] }
  })
  return server
}

function createProvider(issuer: string, resource: string, options: Required<UpstreamOptions>, account: () => string) {
  const { accessSeconds } = options
  const provider = new Provider(issuer, {
    clients: options.clients as never,
    scopes: ['offline_access', ...SCOPES],
    cookies: { keys: ['a key for tests'] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant(context) {
      const { client, provider: own, session } = context.oidc
      const grant = new own.Grant({ clientId: client?.clientId as string, accountId: session?.accountId ?? account() })
      grant.addOIDCScope(['offline_access', ...SCOPES].join(' '))
      grant.addResourceScope(resource, SCOPES.join(' '))
      await grant.save()
      return grant
    },
    ttl: { AccessToken: accessSeconds, ClientCredentials: accessSeconds, Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 60 },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: options.registration },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPES.join(' '),
          accessTokenFormat: 'opaque',
          accessTokenTTL: accessSeconds,
          audience: resource,
        }),
      },
    },
  })
  provider.on('server_error', (_, error) => console.error('authorization server', error))
  return provider
}

/** Follows redirects as a browser does, with cookies of its own, until the address is no longer the authorization server's. */
export async function browse(address: string, issuer: string): Promise<string> {
  const cookies = new Map<string, string>()
  let at = address
  for (let hops = 0; hops < 20 && at.startsWith(issuer); hops += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(at, { redirect: 'manual', headers: { cookie } })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const to = answer.headers.get('location')
    if (to === null) throw new Error(`${at} answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`)
    at = new URL(to, at).href
  }
  return at
}
