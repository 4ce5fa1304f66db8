import type { Trace } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId, GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import { type Addresses, isLoopbackName } from '@/lib/url.ts'
import { type Grant, state } from '@/grants'
import { incomingOf } from '@/http/incoming.ts'
import type { Profile } from '@/profiles'
import { createDoorbell } from './doorbell.ts'

/** What a bearer token stands for. A paused grant may come with its ids or without. */
export type Verified =
  | { userId: UserId; clientId: ClientId; grantId: GrantId; profileId: ProfileId; resource: string; scope: string; paused?: boolean }
  | { paused: true }

export type Caller = {
  userId: UserId
  clientId: ClientId
  grant: Grant
  profile: Profile
  address: string /** Our own address, as this client sees it. */
  home: string
}

export type EntranceDeps = {
  oauth: {
    verify(bearer: string): Promise<Verified | undefined>
    /** For the doctor: why a token was turned away. */
    explain?(bearer: string): Promise<{ reason: string; clientId?: ClientId; userId?: UserId }>
  }
  grants: { find(id: GrantId): Promise<Grant | undefined>; touch(id: GrantId, address: string): Promise<void> }
  profiles: {
    findByName(userId: UserId, name: string): Promise<Profile | undefined>
    findFor(userId: UserId, id: ProfileId): Promise<Profile | undefined>
  }
  clients: { touch(id: ClientId): Promise<unknown> }
  trace: Pick<Trace, 'note'>
  clock: Clock
  addresses: Pick<Addresses, 'base'>
  config: { allowedOrigins: readonly string[] }
}

const whoseOf = ({ clientId, userId }: { clientId: ClientId; userId: UserId }) => ({ clientId, userId })
const pathOf = (name: string | undefined) => (name === undefined ? '/mcp' : `/mcp/${encodeURIComponent(name)}`)

/** What stands between a stranger and the profile; an answer when the way ends here. */
export function createEntrance({ oauth, grants, profiles, clients, trace, clock, addresses, config }: EntranceDeps) {
  const allowed = new Set(config.allowedOrigins)
  const doorbell = createDoorbell({ trace, clock })

  /** A page from elsewhere must not speak to us through its visitor's browser (2026-07-28, "Security Warning"): DNS rebinding. */
  const isOriginAllowed = (request: Request): boolean => {
    const origin = request.headers.get('origin')
    if (origin === null || origin === incomingOf(request).origin || allowed.has(origin)) return true
    const url = URL.parse(origin)
    if (url !== null && /^https?:$/.test(url.protocol) && isLoopbackName(url.hostname)) return true
    doorbell.refused(request, undefined, { reason: 'foreign_origin', detail: { page: url?.host ?? 'no address' } })
    return false
  }

  const challenge = (request: Request, name: string | undefined, isBad: boolean): Response => {
    const metadata = metadataOf(request, name)
    // RFC 6750 §3.1: no error code for who came without a token.
    const error = isBad ? ', error="invalid_token", error_description="The token is unknown, expired or for another address."' : ''
    return Response.json(
      { error: isBad ? 'invalid_token' : 'unauthorized' },
      {
        status: 401,
        headers: { 'www-authenticate': `Bearer resource_metadata="${metadata}", scope="mcp"${error}`, 'cache-control': 'no-store' },
      },
    )
  }

  /** The profile that this address means for this user, if the token was made for it. */
  const profileOf = async (verified: { userId: UserId; profileId: ProfileId }, grant: Grant, name: string | undefined) => {
    if (name === undefined) return grant.reach === 'any' ? profiles.findFor(verified.userId, verified.profileId) : undefined
    const profile = await profiles.findByName(verified.userId, name)
    return profile?.id === verified.profileId ? profile : undefined
  }

  const metadataOf = (request: Request, name: string | undefined) =>
    `${incomingOf(request).origin}/.well-known/oauth-protected-resource${addresses.base}${pathOf(name)}`

  const lacksScope = (request: Request, name: string | undefined): Response =>
    Response.json(
      { error: 'insufficient_scope' },
      {
        status: 403,
        headers: { 'www-authenticate': `Bearer resource_metadata="${metadataOf(request, name)}", error="insufficient_scope", scope="mcp"` },
      },
    )

  /** RFC 8707 §2: the audience, on each request. A token for `/mcp` reaches its profile's own address as well. */
  const isMadeFor = (request: Request, verified: { resource: string }, grant: Grant, name: string | undefined): boolean =>
    grant.reach === 'any' || verified.resource === `${incomingOf(request).origin}${addresses.base}${pathOf(name)}`

  /** The right path under another origin has another cause than the path of another profile, and another cure. */
  const whyElsewhere = ({ resource }: { resource: string }, name: string | undefined) => {
    const { origin, pathname } = new URL(resource)
    return pathname === addresses.base + pathOf(name)
      ? { reason: 'wrong_address', detail: { 'made for': origin } }
      : { reason: 'wrong_resource', detail: { 'made for': pathname } }
  }

  return {
    isOriginAllowed,
    /** @throws Failure `grant_paused` */
    async enter(request: Request, name: string | undefined): Promise<Caller | Response> {
      const bearer = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
      if (bearer === undefined) {
        const isBad = request.headers.has('authorization')
        doorbell.refused(request, name, { reason: isBad ? 'no_bearer' : 'no_token' })
        return challenge(request, name, isBad)
      }
      const verified = await oauth.verify(bearer)
      if (!verified) {
        doorbell.refused(request, name, (await oauth.explain?.(bearer)) ?? { reason: 'unknown_token' })
        return challenge(request, name, true)
      }
      if (!('grantId' in verified)) throw new Failure('grant_paused')
      const grant = await grants.find(verified.grantId)
      if (!grant || ['revoked', 'expired'].includes(state(grant, clock()))) {
        doorbell.refused(request, name, { ...whoseOf(verified), reason: 'revoked' })
        return challenge(request, name, true)
      }
      const profile = await profileOf(verified, grant, name)
      if (!profile || !isMadeFor(request, verified, grant, name)) {
        doorbell.refused(request, name, { ...whoseOf(verified), ...whyElsewhere(verified, name) })
        return challenge(request, name, true)
      }
      // RFC 6750 §3.1: a token may have been narrowed until it no longer reaches any tool.
      if (!verified.scope.split(' ').includes('mcp')) {
        doorbell.refused(request, name, { ...whoseOf(verified), reason: 'insufficient_scope' })
        return lacksScope(request, name)
      }
      if (verified.paused === true || state(grant, clock()) === 'paused') {
        doorbell.refused(request, name, { ...whoseOf(verified), reason: 'paused' })
        throw new Failure('grant_paused')
      }
      const { address, origin } = incomingOf(request)
      if (doorbell.isNews(grant.id, address)) doorbell.served(request, name, grant)
      await Promise.all([grants.touch(grant.id, address), clients.touch(verified.clientId)])
      return { userId: verified.userId, clientId: verified.clientId, grant, profile, address, home: origin + addresses.base }
    },
  }
}
export type Entrance = ReturnType<typeof createEntrance>
