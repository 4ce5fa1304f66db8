/** One visitor's tools: the way in by OAuth, the list, a call, and the way out. The SDK does the protocols. */
import { timingSafeEqual } from 'node:crypto'
import {
  auth,
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  SdkHttpError,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  type Tool,
  UnauthorizedError,
} from '@modelcontextprotocol/client'

const NAME = 'Bring your tools (sample)'
/** Without `offline_access` there is no refresh token, and the visitor has to allow this again each hour. */
const SCOPE = 'mcp offline_access'

/** What is kept of a visitor. A real application stores the tokens encrypted, and everything here by user, not by browser. */
export type Visitor = {
  tokens?: StoredOAuthTokens | undefined
  /** Of the authorization under way; used once. */
  state?: string | undefined
  verifier?: string | undefined
  discovery?: OAuthDiscoveryState | undefined
  authorizationUrl?: URL | undefined
}

/** What the visitor can do something about, in words for the page. */
export class Trouble extends Error {}

export function createTools({ address, callback }: { address: string; callback: string }) {
  /** The application is registered once with each authorization server, not once for each visitor. Store this too. */
  const registrations = new Map<string, StoredOAuthClientInformation>()

  const providerOf = (visitor: Visitor): OAuthClientProvider => ({
    redirectUrl: callback,
    clientMetadata: {
      client_name: NAME,
      redirect_uris: [callback],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      // There is a server here, which can keep a secret. An application without one says `none`.
      token_endpoint_auth_method: 'client_secret_basic',
      scope: SCOPE,
    },
    clientInformation: (context) => registrations.get(context?.issuer ?? ''),
    saveClientInformation: (information, context) => void registrations.set(context?.issuer ?? '', information),
    state() {
      visitor.state = crypto.randomUUID()
      return visitor.state
    },
    tokens: () => visitor.tokens,
    saveTokens: (tokens) => void Object.assign(visitor, { tokens }),
    redirectToAuthorization: (authorizationUrl) => void Object.assign(visitor, { authorizationUrl }),
    saveCodeVerifier: (verifier) => void Object.assign(visitor, { verifier }),
    codeVerifier: () => visitor.verifier ?? '',
    // Where the answer must come from (RFC 9207), and where the code goes.
    saveDiscoveryState: (discovery) => void Object.assign(visitor, { discovery }),
    discoveryState: () => visitor.discovery,
    invalidateCredentials(what) {
      if (what === 'all' || what === 'client') registrations.clear()
      if (what === 'all' || what === 'tokens') visitor.tokens = undefined
      if (what === 'all' || what === 'verifier') visitor.verifier = undefined
      if (what === 'all' || what === 'discovery') visitor.discovery = undefined
    },
  })

  const transportOf = (visitor: Visitor) => new StreamableHTTPClientTransport(new URL(address), { authProvider: providerOf(visitor) })

  /** A connection for one piece of work; the SDK renews the access token on the way when it has to. */
  async function connected<T>(visitor: Visitor, work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ name: NAME, version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
    try {
      await client.connect(transportOf(visitor))
      return await work(client)
    } catch (error) {
      throw troubleOf(visitor, error)
    } finally {
      await client.close()
    }
  }

  return {
    /** @returns where to send the browser */
    async begin(visitor: Visitor): Promise<string> {
      visitor.tokens = undefined
      visitor.discovery = undefined
      await auth(providerOf(visitor), { serverUrl: address, scope: SCOPE })
      if (!visitor.authorizationUrl) throw new Trouble('There is nothing to sign in to at this address.')
      return visitor.authorizationUrl.href
    },

    /** The answer that the browser brought back. `state` is ours to compare; `iss` and the code are looked at by the SDK. */
    async finish(visitor: Visitor, answer: URLSearchParams): Promise<void> {
      const { state } = visitor
      visitor.state = undefined
      if (state === undefined || !isSame(state, answer.get('state') ?? ''))
        throw new Trouble('This answer belongs to no question of yours.')
      if (answer.get('error') === 'access_denied') throw new Trouble('You did not allow it. Nothing was connected.')
      await transportOf(visitor).finishAuth(answer)
      visitor.verifier = undefined
    },

    list: (visitor: Visitor): Promise<Tool[]> => connected(visitor, async (client) => (await client.listTools()).tools),

    call: (visitor: Visitor, name: string, given: Record<string, unknown>) =>
      connected(visitor, (client) => client.callTool({ name, arguments: given })),

    /** RFC 7009. Forgetting the tokens is not enough: whoever has a copy of them could go on. */
    async end(visitor: Visitor): Promise<void> {
      const { tokens, discovery } = visitor
      const server = discovery?.authorizationServerMetadata
      const client = server && registrations.get(server.issuer)
      visitor.tokens = undefined
      // The SDK's type names it for OpenID providers only; the document has it all the same (RFC 8414 §2).
      const endpoint = server && 'revocation_endpoint' in server && server.revocation_endpoint
      if (!tokens || !client || typeof endpoint !== 'string') return
      // With the refresh token goes all that came of it.
      const body = new URLSearchParams({ token: tokens.refresh_token ?? tokens.access_token })
      const secret = client.client_secret ?? ''
      const authorization = `Basic ${btoa(`${encodeURIComponent(client.client_id)}:${encodeURIComponent(secret)}`)}`
      const { ok } = await fetch(endpoint, { method: 'POST', headers: { authorization }, body })
      if (!ok) throw new Trouble('Forgotten here, but Toolpass did not confirm it: look under Connected apps there.')
    },
  }
}

/** 401 after the SDK has tried to refresh: the access has ended. 403: it is only paused, and the tokens stay good. */
function troubleOf(visitor: Visitor, error: unknown): unknown {
  if (error instanceof UnauthorizedError) {
    visitor.tokens = undefined
    return new Trouble('Your tools are no longer connected: the access was taken away or ran out.')
  }
  if (error instanceof SdkHttpError && error.status === 403)
    return new Trouble('You paused this application in Toolpass. Resume it there, and load this page again.')
  return error
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
