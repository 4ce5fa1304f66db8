/** What stands between a stranger and a profile: bearer to caller, and what is known of a caller for as long as it holds. */
import type { Trace } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId, GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import { type Addresses, isLoopbackName } from '@/lib/url.ts'
import { type Grant, pausedSentence, state } from '@/grants'
import { incomingOf } from '@/http/incoming.ts'
import type { Profile } from '@/profiles'
import { createDoorbell } from './doorbell.ts'
import { createTurnedAway, type TurnedAwayDeps } from './turned-away.ts'

/** What a bearer token stands for. A paused grant may come with its ids or without. */
export type Verified =
  | {
      userId: UserId
      clientId: ClientId
      grantId: GrantId
      profileId: ProfileId
      resource: string
      scope: string
      paused?: boolean
      /** When it runs out by itself. */
      until?: number
    }
  | { paused: true }

export type Caller = {
  userId: UserId
  clientId: ClientId
  userName: string | null
  clientName: string | null
  grant: Grant
  profile: Profile
  address: string
  /** Our own address, as this client sees it. */
  home: string
  /** It came to the address of its profile, not to the one whose profile can be switched. */
  isNamed: boolean
  /** What it was let in by holds while nothing has been committed since. */
  epoch: number
}
/** Who called, as the trail keeps it. */
export const inTrail = ({ userId, userName, clientId, clientName, grant, profile, address }: Caller) => ({
  userId,
  userName,
  clientId,
  clientName,
  grantId: grant.id,
  profileId: profile.id,
  profileName: profile.title,
  address,
})

/** A caller without the address it comes from: the same for every request with this token at this address of ours. */
type Seat = Omit<Caller, 'address'> & { until: number; touchedAt: number; taken?: Caller }

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
  users: { find(id: UserId): Promise<{ username: string } | undefined> }
  clients: { touch(id: ClientId): Promise<unknown>; findById(id: ClientId): Promise<{ name: string } | undefined> }
  store: { epoch(): number }
  trace: Pick<Trace, 'note'>
  audit: TurnedAwayDeps['audit']
  clock: Clock
  addresses: Pick<Addresses, 'base'>
  config: { allowedOrigins: readonly string[] }
}

const SEATS_MAX = 10_000
/** As often as the notes about use are written. */
const TOUCH_EVERY_MS = 30_000

const whoseOf = ({ clientId, userId }: { clientId: ClientId; userId: UserId }) => ({ clientId, userId })
const pathOf = (name: string | undefined) => (name === undefined ? '/mcp' : `/mcp/${encodeURIComponent(name)}`)

export function createEntrance(deps: EntranceDeps) {
  const { clock, store, grants, clients, trace } = deps
  const doorbell = createDoorbell({ trace, clock })
  const admit = createAdmission(deps, doorbell)
  /** By the token's hash. A seat holds exactly as long as nothing was committed that could decide otherwise, and no longer than its times. */
  const seats = new Map<string, Seat>()

  /** Most come from where they came from before. */
  const seated = (seat: Seat, address: string): Caller => {
    if (seat.taken?.address === address) return seat.taken
    const { userId, clientId, userName, clientName, grant, profile, home, isNamed, epoch } = seat
    seat.taken = { userId, clientId, userName, clientName, grant, profile, home, isNamed, epoch, address }
    return seat.taken
  }
  const touch = async (seat: Seat, address: string): Promise<void> => {
    seat.touchedAt = clock()
    await Promise.all([grants.touch(seat.grant.id, address), clients.touch(seat.clientId)])
  }
  const take = async (request: Request, name: string | undefined, key: string): Promise<Caller | Response> => {
    // Taken before anything is read: what is read now is true only while this stands still.
    const epoch = store.epoch()
    const admitted = await admit(request, name)
    if (admitted instanceof Response) return admitted
    const seat: Seat = { ...admitted, epoch, touchedAt: Number.NEGATIVE_INFINITY }
    if (seats.size >= SEATS_MAX) seats.delete(seats.keys().next().value as string)
    seats.set(key, seat)
    const { address } = incomingOf(request)
    if (doorbell.isNews(seat.grant.id, address)) doorbell.served(request, name, seat.grant)
    await touch(seat, address)
    return seated(seat, address)
  }

  return {
    isOriginAllowed: createOriginCheck(deps, doorbell),
    /** Whether what it was let in by still holds. */
    isCurrent: (caller: Caller): boolean => caller.epoch === store.epoch(),
    /** @throws Failure `grant_paused` */
    enter(request: Request, name: string | undefined): Promise<Caller | Response> | Caller {
      const { address, origin } = incomingOf(request)
      const key = `${name ?? ''} ${origin} ${sha256(request.headers.get('authorization') ?? '')}`
      const seat = seats.get(key)
      if (!seat || seat.epoch !== store.epoch() || seat.until <= clock()) return take(request, name, key)
      if (doorbell.isNews(seat.grant.id, address)) doorbell.served(request, name, seat.grant)
      if (clock() - seat.touchedAt > TOUCH_EVERY_MS) return touch(seat, address).then(() => seated(seat, address))
      return seated(seat, address)
    },
  }
}
export type Entrance = ReturnType<typeof createEntrance>

/** A page from elsewhere must not speak to us through its visitor's browser (2026-07-28, "Security Warning"): DNS rebinding. */
function createOriginCheck({ config }: Pick<EntranceDeps, 'config'>, doorbell: ReturnType<typeof createDoorbell>) {
  const allowed = new Set(config.allowedOrigins)
  return (request: Request): boolean => {
    const origin = request.headers.get('origin')
    if (origin === null || origin === incomingOf(request).origin || allowed.has(origin)) return true
    const url = URL.parse(origin)
    if (url !== null && /^https?:$/.test(url.protocol) && isLoopbackName(url.hostname)) return true
    doorbell.refused(request, undefined, { reason: 'foreign_origin', detail: { page: url?.host ?? 'no address' } })
    return false
  }
}

/** The whole way in, each time that nothing is known of a token or what was known may not hold any more. */
function createAdmission(deps: EntranceDeps, doorbell: ReturnType<typeof createDoorbell>) {
  const { oauth, grants, profiles, users, clients, clock, addresses } = deps
  const refusing = createRefusing(addresses)
  const turnedAway = createTurnedAway(deps)

  /** The profile that this address means for this user, if the token was made for it. */
  const profileOf = async ({ userId, profileId, reach }: Grant, name: string | undefined) => {
    if (name === undefined) return reach === 'any' ? profiles.findFor(userId, profileId) : undefined
    const profile = await profiles.findByName(userId, name)
    return profile?.id === profileId ? profile : undefined
  }
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
  const verifiedOf = async (request: Request, name: string | undefined) => {
    const bearer = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    if (bearer === undefined) {
      const isBad = request.headers.has('authorization')
      doorbell.refused(request, name, { reason: isBad ? 'no_bearer' : 'no_token' })
      return refusing.challenge(request, name, isBad)
    }
    const verified = await oauth.verify(bearer)
    if (verified) return verified
    doorbell.refused(request, name, (await oauth.explain?.(bearer)) ?? { reason: 'unknown_token' })
    return refusing.challenge(request, name, true)
  }

  return async (
    request: Request,
    name: string | undefined,
  ): Promise<Response | (Omit<Caller, 'address' | 'epoch'> & { until: number })> => {
    const verified = await verifiedOf(request, name)
    if (verified instanceof Response) return verified
    if (!('grantId' in verified)) throw new Failure('grant_paused')
    const grant = await grants.find(verified.grantId)
    if (!grant || ['revoked', 'expired'].includes(state(grant, clock()))) {
      doorbell.refused(request, name, { ...whoseOf(verified), reason: 'revoked' })
      return refusing.challenge(request, name, true)
    }
    const profile = await profileOf(grant, name)
    if (!profile || !isMadeFor(request, verified, grant, name)) {
      doorbell.refused(request, name, { ...whoseOf(verified), ...whyElsewhere(verified, name) })
      return refusing.challenge(request, name, true)
    }
    // RFC 6750 §3.1: a token may have been narrowed until it no longer reaches any tool.
    if (!verified.scope.split(' ').includes('mcp')) {
      doorbell.refused(request, name, { ...whoseOf(verified), reason: 'insufficient_scope' })
      return refusing.lacksScope(request, name)
    }
    if (verified.paused === true || state(grant, clock()) === 'paused') {
      doorbell.refused(request, name, { ...whoseOf(verified), reason: 'paused' })
      await turnedAway(request, grant, profile)
      throw new Failure('grant_paused', { message: pausedSentence(grant) })
    }
    const [user, client] = await Promise.all([users.find(verified.userId), clients.findById(verified.clientId)])
    const names = { userName: user?.username ?? null, clientName: client?.name ?? null }
    const until = Math.min(verified.until ?? Number.POSITIVE_INFINITY, grant.expiresAt ?? Number.POSITIVE_INFINITY)
    const where = { home: incomingOf(request).origin + addresses.base, isNamed: name !== undefined }
    return { ...whoseOf(verified), ...names, grant, profile, ...where, until }
  }
}

function createRefusing(addresses: Pick<Addresses, 'base'>) {
  const metadataOf = (request: Request, name: string | undefined) =>
    `${incomingOf(request).origin}/.well-known/oauth-protected-resource${addresses.base}${pathOf(name)}`
  return {
    challenge(request: Request, name: string | undefined, isBad: boolean): Response {
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
    },
    lacksScope: (request: Request, name: string | undefined): Response =>
      Response.json(
        { error: 'insufficient_scope' },
        {
          status: 403,
          headers: {
            'www-authenticate': `Bearer resource_metadata="${metadataOf(request, name)}", error="insufficient_scope", scope="mcp"`,
          },
        },
      ),
  }
}
