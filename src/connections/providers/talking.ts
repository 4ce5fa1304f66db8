/** What is said to a provider: there and back, refresh, revocation. By openid-client, through the guarded fetch and nothing else. */
import type * as OpenidClient from 'openid-client'
import { Failure, isFailure } from '@/lib/failure.ts'
import { HOUR_MS, SECOND_MS } from '@/lib/clock.ts'
import { parseJson } from '@/lib/json.ts'
import type { Outbound } from '@/lib/outbound.ts'
import type { JsonObject, OAuthProvider, ProviderContext } from '@/plugins'
import { demandSafeEndpoints, type GuardedFetch, guardedFetch } from '../oauth/discovery.ts'
import { notRenewed, type Refreshed } from '../oauth/renewing.ts'
import type { ProviderClient } from './clients.ts'

export type AccountTokens = {
  accessToken: string
  refreshToken?: string
  /** What was granted, or asked for where the provider does not say. */
  scopes: string[]
  /** Milliseconds since 1970; undefined where the provider did not say. */
  expiresAt?: number
  issuedAt: number
}
type Answer = OpenidClient.TokenEndpointResponse
type Talk = { config: OpenidClient.Configuration; oidc: typeof OpenidClient; hasIssuer: boolean }

const DISCOVERY_KEPT_MS = HOUR_MS
const NAME_CHARS_MAX = 100
/** A provider may say anything, and a date has its bounds. */
const LIFE_SECONDS_MAX = 10 * 365 * 86_400

let loaded: Promise<typeof OpenidClient> | undefined
/** Loaded when somebody first signs in. */
const openid = (): Promise<typeof OpenidClient> => (loaded ??= import('openid-client'))

const refuse = (message: string, cause?: unknown) => new Failure('upstream_unauthorized', { message, cause })

export function createTalking({ outbound }: { outbound: Pick<Outbound, 'asFetch'> }) {
  const talks = new Map<string, { version: number; until: number; talk: Promise<Talk> }>()
  const fetchFor = ({ settings }: ProviderClient): GuardedFetch =>
    guardedFetch(outbound, Object.values(settings).filter((value) => typeof value === 'string' && /^https?:/.test(value)) as string[])
  const talkTo = (client: ProviderClient): Promise<Talk> => {
    const { id } = client.provider
    const known = talks.get(id)
    if (known && known.version === client.version && known.until > Date.now()) return known.talk
    const talk = startTalk(client, fetchFor(client))
    talks.set(id, { version: client.version, until: Date.now() + DISCOVERY_KEPT_MS, talk })
    // What failed is tried again by the next one who asks.
    talk.catch(() => talks.delete(id))
    return talk
  }
  return {
    authorizationUrl: async (client: ProviderClient, asked: Asked) => urlFor(await talkTo(client), client, asked),
    redeem: async (client: ProviderClient, kept: Kept, answer: URLSearchParams, now: number) =>
      redeem(await talkTo(client), client, kept, answer, now),
    refresh: async (client: ProviderClient, from: AccountTokens, now: number): Promise<Refreshed<AccountTokens>> => {
      try {
        return { tokens: await refresh(await talkTo(client), client, from, now) }
      } catch (error) {
        return notRenewed(codeOf(error))
      }
    },
    /** A courtesy: what is over here is over, whatever the other side makes of it. Never rejects. */
    revoke: async (client: ProviderClient, tokens: AccountTokens): Promise<void> => {
      try {
        if (client.provider.revoke) return await client.provider.revoke(contextOf(client, fetchFor(client)), tokens)
        const { config, oidc } = await talkTo(client)
        if (!config.serverMetadata().revocation_endpoint) return
        await oidc.tokenRevocation(config, tokens.refreshToken ?? tokens.accessToken)
      } catch {
        // Said above.
      }
    },
    /** Undefined where the provider does not say; a name is a help and nothing depends on it. */
    nameOf: async (client: ProviderClient, tokens: AccountTokens): Promise<string | undefined> => {
      try {
        const found = await client.provider.whoAmI?.(contextOf(client, fetchFor(client)), tokens)
        return (typeof found?.name === 'string' ? found.name : '').trim().slice(0, NAME_CHARS_MAX) || undefined
      } catch {
        return undefined
      }
    },
  }
}

type Asked = { redirectUri: string; state: string; verifier: string; scopes: readonly string[]; isFirst: boolean }
export type Kept = { redirectUri: string; state: string; verifier: string; scopes: string[] }

const contextOf = (client: ProviderClient, ask: GuardedFetch): ProviderContext => ({
  settings: client.settings,
  fetch: (url, { redirectsMax: _, ...init } = {}) => ask(url, init),
})

async function startTalk(client: ProviderClient, ask: GuardedFetch): Promise<Talk> {
  const oidc = await openid()
  const { metadata, hasIssuer } = await metadataOf(oidc, client, ask)
  demandSafeEndpoints(metadata as Parameters<typeof demandSafeEndpoints>[0])
  const { clientId, clientSecret } = client.settings
  const how = clientSecret === '' ? 'none' : (client.quirks.clientAuth ?? 'post')
  const auth = { none: oidc.None, post: oidc.ClientSecretPost, basic: oidc.ClientSecretBasic }[how]
  const config = new oidc.Configuration(metadata, clientId, clientSecret === '' ? {} : { client_secret: clientSecret }, auth(clientSecret))
  const { token_endpoint: tokenEndpoint = '' } = metadata
  config[oidc.customFetch] = async (url, options) => {
    const answer = await ask(url, options as RequestInit)
    return url === tokenEndpoint ? tidied(client.provider, answer) : answer
  }
  // Said no to above, except on loopback.
  oidc.allowInsecureRequests(config)
  return { config, oidc, hasIssuer }
}

async function metadataOf(oidc: typeof OpenidClient, { endpoints }: ProviderClient, ask: GuardedFetch) {
  if (!('discovery' in endpoints)) {
    const { issuer, authorization, token, revocation } = endpoints
    const metadata: OpenidClient.ServerMetadata = {
      issuer: issuer ?? new URL(token).origin,
      authorization_endpoint: authorization,
      token_endpoint: token,
      ...(revocation === undefined ? {} : { revocation_endpoint: revocation }),
    }
    return { metadata, hasIssuer: issuer !== undefined }
  }
  const server = new URL(endpoints.discovery)
  const discover = (algorithm: 'oidc' | 'oauth2') =>
    oidc.discovery(server, 'nobody', {}, oidc.None(), {
      algorithm,
      [oidc.customFetch]: (url, options) => ask(url, options as RequestInit),
      execute: [oidc.allowInsecureRequests],
    })
  try {
    const found = await discover('oidc').catch(() => discover('oauth2'))
    return { metadata: { ...found.serverMetadata() } as OpenidClient.ServerMetadata, hasIssuer: true }
  } catch (cause) {
    throw refuse('The provider does not describe itself as it should. An administrator has to look at its settings.', cause)
  }
}

async function urlFor({ config, oidc }: Talk, { quirks }: ProviderClient, asked: Asked): Promise<string> {
  const { scopeParameter = 'scope', scopeSeparator = ' ', pkce = true, authorizationParameters, consentParameters } = quirks
  const parameters = new URLSearchParams({
    ...authorizationParameters,
    ...(asked.isFirst ? consentParameters : {}),
    ...(asked.scopes.length === 0 ? {} : { [scopeParameter]: asked.scopes.join(scopeSeparator) }),
    ...(pkce ? { code_challenge: await oidc.calculatePKCECodeChallenge(asked.verifier), code_challenge_method: 'S256' } : {}),
    redirect_uri: asked.redirectUri,
    state: asked.state,
  })
  return oidc.buildAuthorizationUrl(config, parameters).href
}

async function redeem({ config, oidc, hasIssuer }: Talk, client: ProviderClient, kept: Kept, answer: URLSearchParams, now: number) {
  const back = new URL(kept.redirectUri)
  for (const [name, value] of answer) back.searchParams.append(name, value)
  // There is nothing to hold it against; the way back, which is this provider's alone, keeps answers of two of them apart.
  if (!hasIssuer) back.searchParams.delete('iss')
  const { pkce = true } = client.quirks
  try {
    const checks = { expectedState: kept.state, ...(pkce ? { pkceCodeVerifier: kept.verifier } : {}) }
    return tokensOf(await oidc.authorizationCodeGrant(config, back, checks), { scopes: kept.scopes }, now)
  } catch (cause) {
    if (isFailure(cause)) throw cause
    const code = codeOf(cause)
    if (code === 'access_denied') throw refuse('The sign-in was denied over there. Nothing has changed here.', cause)
    const why = code === '' ? 'did not answer as it should' : `refused: ${code}`
    throw refuse(`${client.title} ${why}. Try once more, or ask an administrator.`, cause)
  }
}

async function refresh({ config, oidc }: Talk, { quirks }: ProviderClient, from: AccountTokens, now: number): Promise<AccountTokens> {
  const { refreshWithScope = false, scopeSeparator = ' ' } = quirks
  const parameters: Record<string, string> = refreshWithScope ? { scope: from.scopes.join(scopeSeparator) } : {}
  return tokensOf(await oidc.refreshTokenGrant(config, from.refreshToken ?? '', parameters), from, now)
}

/** A refresh that brings no new refresh token keeps the old one. */
function tokensOf(answer: Answer, from: Pick<AccountTokens, 'scopes' | 'refreshToken'>, now: number): AccountTokens {
  const refreshToken = answer.refresh_token ?? from.refreshToken
  return {
    accessToken: answer.access_token,
    scopes: answer.scope === undefined ? from.scopes : answer.scope.split(/\s+/).filter(Boolean),
    issuedAt: now,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(answer.expires_in === undefined ? {} : { expiresAt: now + Math.min(answer.expires_in, LIFE_SECONDS_MAX) * SECOND_MS }),
  }
}

/** The provider's own shape of an answer, in the one that openid-client reads. We take access and no identity, so no ID token. */
async function tidied(provider: OAuthProvider, answer: Response): Promise<Response> {
  const text = await answer.text()
  let body: JsonObject
  try {
    const read = parseJson(text) as JsonObject
    body = provider.readTokenAnswer?.(read) ?? read
  } catch {
    return new Response(text, { status: answer.status, headers: { 'content-type': 'text/plain' } })
  }
  const { id_token: _, token_type = 'bearer', expires_in, ...rest } = body
  const seconds = Number(expires_in ?? Number.NaN)
  const kept = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== ''))
  const error = typeof body['error'] === 'string'
  const tidy = error ? body : { ...kept, token_type, ...(Number.isFinite(seconds) && seconds > 0 ? { expires_in: seconds } : {}) }
  return Response.json(tidy, { status: error && answer.ok ? 400 : answer.status })
}

/** The OAuth error code, if that is what it is. */
function codeOf(error: unknown): string {
  const code = (error as { error?: unknown } | null)?.error
  return typeof code === 'string' ? code.replace(/[^\w.-]/g, '').slice(0, 60) : ''
}
