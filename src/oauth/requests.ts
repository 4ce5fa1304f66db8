/** Authorization requests on their way: judged, kept for the user who is signed in, decided once. */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { type Client, cleanText } from '@/clients'
import { DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId, ToolId } from '@/lib/ids.ts'
import { authorizationRequests, codes, type Writer } from '@/store'
import type { Session } from '@/users'
import { judge, type Verdict } from './authorize.ts'
import type { Deps, OfferedTool, Profile } from './needs.ts'
import { parametersOf } from './parameters.ts'
import { type House, issuerOf, withAnswer } from './places.ts'

const REQUEST_MS = 10 * MINUTE_MS
const CODE_MS = MINUTE_MS
const DEVICE_NAME_LENGTH_MAX = 60
const LASTS = { day: DAY_MS, month: 30 * DAY_MS, never: undefined } as const

/** As stored; texts alone, because they come back out of a database. */
type Kept = {
  redirect_uri: string
  challenge: string
  scope: string
  resource: string
  issuer: string
  /** The way back to this page. */
  query: string
  state?: string
  profile_name?: string
  /** For requests that leave the profile to the user: the one that they look at. */
  chosen?: string
}

/** A request that waits for its user. */
export type Pending = {
  client: Client
  redirectUri: string
  /** Our own path that shows it again. */
  returnPath: string
  /** The profile's name that the app was given; undefined where the user picks. */
  profileName: string | undefined
  profile: Profile | undefined
  otherProfiles: Profile[]
  tools: OfferedTool[]
}
export type Decision = { decision: string; toolIds: readonly string[]; expires: string; deviceName: string }

/** Ours, not OAuth's: which profile the page shows where the app did not say. */
export const CHOSEN_PROFILE = 'toolpass_profile'

type Row = typeof authorizationRequests.$inferSelect

export function createRequests(deps: Deps) {
  const { store, clients, clock } = deps
  const isWaiting = (secret: string, session: Session) =>
    and(
      eq(authorizationRequests.hash, sha256(secret)),
      eq(authorizationRequests.userId, session.user.id),
      eq(authorizationRequests.sessionHash, session.hash),
      isNull(authorizationRequests.decidedAt),
      gt(authorizationRequests.expiresAt, clock()),
    )
  const pending = async (secret: string, session: Session): Promise<Pending | undefined> => {
    const [row] = await store.read.select().from(authorizationRequests).where(isWaiting(secret, session))
    return row && pendingOf(deps, row, session)
  }

  return {
    /** @param query as it was sent, undecoded by any framework */
    async begin(
      query: URLSearchParams,
      house: House,
      session: Session | undefined,
    ): Promise<Exclude<Verdict, { kind: 'ask-the-user' }> | { kind: 'sign-in' } | { kind: 'ask-the-user'; secret: string }> {
      const asked = parametersOf(query)
      const client = await clients.find(asked.get('client_id') ?? '')
      const verdict = judge(asked, client, house, session !== undefined)
      if (verdict.kind !== 'ask-the-user') return verdict
      if (!session) return { kind: 'sign-in' }
      const { redirectUri, state, challenge, scope, resource } = verdict.request
      const chosen = asked.get(CHOSEN_PROFILE)
      const kept: Kept = {
        ...{ redirect_uri: redirectUri, challenge, scope, resource: resource.address, issuer: issuerOf(house), query: String(query) },
        ...(state !== undefined && { state }),
        ...(resource.profileName !== undefined && { profile_name: resource.profileName }),
        ...(chosen !== undefined && { chosen }),
      }
      const secret = randomSecret()
      const now = clock()
      const row = { hash: sha256(secret), clientId: client?.id as ClientId, userId: session.user.id, sessionHash: session.hash }
      await store.transact(async (tx) => {
        await tx.insert(authorizationRequests).values({ ...row, params: kept, createdAt: now, expiresAt: now + REQUEST_MS })
      })
      return { kind: 'ask-the-user', secret }
    },
    /** For the same user in the same browser session, until decided or ten minutes old. */
    pending,

    /**
     * The user's word, once. @returns the address to send the browser to
     * @throws Failure `invalid_form`, or `not_found` when the request is gone, decided, or another's
     */
    async decide(secret: string, session: Session, said: Decision): Promise<string> {
      const waiting = await pending(secret, session)
      if (!waiting) throw new Failure('not_found')
      const allowed = said.decision === 'allow' ? readAllowed(waiting, said, clock()) : undefined
      if (!allowed && said.decision !== 'deny') throw new Failure('bad_request')
      return store.transact(async (tx) => {
        // One statement decides who decides: of two posts the second finds nothing.
        const [row] = await tx.update(authorizationRequests).set({ decidedAt: clock() }).where(isWaiting(secret, session)).returning()
        if (!row) throw new Failure('not_found')
        const { redirect_uri, state, issuer } = row.params as Kept
        const answer = allowed ? { code: await letIn(deps, tx, row, waiting, allowed, session) } : await refuse(deps, tx, waiting, session)
        return withAnswer(redirect_uri, { ...answer, state, iss: issuer })
      })
    },
  }
}

async function pendingOf({ clients, profiles }: Deps, row: Row, session: Session): Promise<Pending | undefined> {
  const client = await clients.findById(row.clientId)
  if (!client || client.blockedAt !== null) return undefined
  const { redirect_uri: redirectUri, query, profile_name: profileName, chosen } = row.params as Kept
  const own = await profiles.list(session.user.id)
  const profile =
    profileName === undefined
      ? (own.find(({ name }) => name === chosen) ?? own[0])
      : await profiles.findByName(session.user.id, profileName)
  const otherProfiles = profileName === undefined ? own.filter(({ id }) => id !== profile?.id) : []
  const tools = profile ? (await profiles.view(profile.id)).tools : []
  return { client, redirectUri, returnPath: `/oauth/authorize?${query}`, profileName, profile, otherProfiles, tools }
}

type Allowed = { profile: Profile; toolIds: ToolId[]; expiresAt: number | null; deviceName: string }

/** What was posted is believed only as far as it was offered. */
function readAllowed({ profile, tools }: Pending, said: Decision, now: number): Allowed {
  const offered = new Set<string>(tools.map(({ toolId }) => toolId))
  if (!profile) throw new Failure('profile_not_found')
  if (said.toolIds.some((id) => !offered.has(id)))
    throw new Failure('invalid_form', { fields: { form: 'The tools of this profile changed meanwhile. Look at them again.' } })
  if (said.toolIds.length === 0) throw new Failure('invalid_form', { fields: { form: 'Switch at least one tool on, or deny.' } })
  if (!Object.hasOwn(LASTS, said.expires)) throw new Failure('invalid_form', { fields: { expires: 'Choose one of these.' } })
  if (said.deviceName.length > DEVICE_NAME_LENGTH_MAX)
    throw new Failure('invalid_form', { fields: { device_name: `At most ${DEVICE_NAME_LENGTH_MAX} characters.` } })
  const lasts = LASTS[said.expires as keyof typeof LASTS]
  const deviceName = cleanText(said.deviceName, DEVICE_NAME_LENGTH_MAX)
  return { profile, toolIds: said.toolIds as ToolId[], expiresAt: lasts === undefined ? null : now + lasts, deviceName }
}

async function letIn(
  deps: Deps,
  tx: Writer,
  row: Row,
  { client, profileName }: Pending,
  allowed: Allowed,
  { user }: Session,
): Promise<string> {
  const { grants, clients, audit, clock } = deps
  const { profile, ...granted } = allowed
  const reach = profileName === undefined ? 'any' : 'profile'
  const grant = await grants.create(tx, { ...granted, userId: user.id, clientId: client.id, profileId: profile.id, reach })
  await clients.keep(tx, client.id)
  const { redirect_uri: redirectUri, resource, scope, challenge } = row.params as Kept
  const code = `tpc_${randomSecret()}`
  const now = clock()
  await tx.insert(codes).values({
    ...{ hash: sha256(code), grantId: grant.id, clientId: client.id, userId: user.id },
    ...{ redirectUri, resource, scope, challenge, issuedAt: now, expiresAt: now + CODE_MS },
  })
  const what = { grantId: grant.id, profileId: profile.id, profileName: profile.name, detail: { tools: granted.toolIds.length } }
  await audit.report({ kind: 'auth', action: 'grant.create', outcome: 'ok', ...byWhom(user, client), ...what }, tx)
  return code
}

async function refuse({ audit }: Deps, tx: Writer, { client }: Pending, { user }: Session) {
  await audit.report({ kind: 'auth', action: 'grant.deny', outcome: 'refused', ...byWhom(user, client) }, tx)
  return { error: 'access_denied', error_description: 'the user denied the request' }
}

const byWhom = (user: Session['user'], client: Client) => ({
  ...{ userId: user.id, userName: user.username },
  ...{ clientId: client.id, clientName: client.name, subject: client.name },
})
