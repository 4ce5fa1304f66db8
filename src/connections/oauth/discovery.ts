/** Finding out where an upstream's users sign in (RFC 9728, RFC 8414), through the guarded fetch and nothing else. */
import { Failure } from '@/lib/failure.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { isLoopbackName } from '@/lib/url.ts'
import { type AuthorizationServerMetadata, sdk } from './sdk.ts'

/** What an upstream's sign-in comes down to. Bound to this issuer: another one gets nothing of it. */
export type Place = {
  issuer: string
  metadata: AuthorizationServerMetadata
  /** RFC 8707: exactly as the upstream spells itself. */
  resource: string
  /** What the upstream asked for in its challenge, else what its metadata lists. */
  scope: string | undefined
}

const LIMITS = { timeoutMs: 10_000, bodyBytesMax: 256 * 1024, redirectsMax: 3 }

/**
 * The guarded fetch for everything about sign-in. An administrator's own address may be private, and so may the rest of what
 * they entered; an address that was merely found in a document may not.
 */
export function guardedFetch(outbound: Pick<Outbound, 'asFetch'>, entered: readonly string[]) {
  const hosts = new Set(entered.flatMap((address) => URL.parse(address)?.hostname ?? []))
  const open = outbound.asFetch({ ...LIMITS, privateAllowed: true })
  const closed = outbound.asFetch({ ...LIMITS, privateAllowed: false })
  return (input: string | URL, init?: RequestInit) => (hosts.has(new URL(input).hostname) ? open : closed)(input, init)
}
export type GuardedFetch = ReturnType<typeof guardedFetch>

const refuse = (message: string, cause?: unknown) => new Failure('upstream_unauthorized', { message, cause })

/**
 * @param challenge the `WWW-Authenticate` of the answer that asked for a sign-in, where there was one
 * @param entered the issuer, where somebody entered it because the upstream does not tell
 * @throws Failure `upstream_unauthorized` with the sentence for the page
 */
export async function discover(url: string, challenge: string | undefined, ask: GuardedFetch, entered?: string): Promise<Place> {
  const { discoverAuthorizationServerMetadata, discoverOAuthProtectedResourceMetadata, extractWWWAuthenticateParams } = await sdk()
  const told = challenge
    ? extractWWWAuthenticateParams(new Response(null, { status: 401, headers: { 'www-authenticate': challenge } }))
    : {}
  const at = told.resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl: told.resourceMetadataUrl }
  const described = await discoverOAuthProtectedResourceMetadata(url, at, ask).catch(() => undefined)
  if (described) demandSameResource(url, described.resource)
  const issuer = entered ?? described?.authorization_servers?.[0] ?? new URL(url).origin
  let metadata: AuthorizationServerMetadata | undefined
  try {
    metadata = await discoverAuthorizationServerMetadata(issuer, { fetchFn: ask })
  } catch (error) {
    throw refuse('Its authorization server does not describe itself as it should, so nothing is sent to it.', error)
  }
  if (!metadata) throw refuse('The server asks for a sign-in but offers no way that Toolpass knows. Give it a header or a key instead.')
  demandSafeEndpoints(metadata)
  const listed = described?.scopes_supported?.join(' ')
  return { issuer: metadata.issuer, metadata, resource: described?.resource ?? url, scope: told.scope ?? listed }
}

/** A document that speaks for another resource would have us fetch tokens that are good there (RFC 9728 §3.3, §7.3). */
export function isSameResource(url: string, resource: string): boolean {
  const asked = new URL(url)
  const told = URL.parse(resource)
  const path = told?.pathname.replace(/\/$/, '') ?? ''
  const isWithin = asked.pathname === path || asked.pathname.startsWith(`${path}/`)
  return told?.origin === asked.origin && isWithin && told.search === '' && told.hash === ''
}
function demandSameResource(url: string, resource: string): void {
  if (!isSameResource(url, resource))
    throw refuse('The server’s metadata speaks for another address than its own, so nothing is sent to it.')
}

/** A browser is sent to one of these and secrets to the others: https, or a loopback address of this machine. */
export function demandSafeEndpoints(metadata: AuthorizationServerMetadata): void {
  for (const name of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint'] as const) {
    const text = (metadata as Record<string, unknown>)[name]
    if (text === undefined || text === null) continue
    const url = typeof text === 'string' ? URL.parse(text) : null
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackName(url.hostname))
    if (!isSafe) throw refuse('Its authorization server names an address that is not https, so nothing is sent to it.')
  }
}
