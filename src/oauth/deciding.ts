/** The user's answer to an authorization request, and what follows from it in one transaction. */
import { type Client, cleanText } from '@/clients'
import type { Grant } from '@/grants'
import { DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId, GrantId, ToolId, UserId } from '@/lib/ids.ts'
import { codes, type Writer } from '@/store'
import type { Session } from '@/users'
import type { Problem } from './authorize.ts'
import type { Deps, Profile } from './needs.ts'
import type { Kept, Pending } from './pending.ts'
import { withAnswer } from './places.ts'

const CODE_MS = MINUTE_MS
const DEVICE_NAME_LENGTH_MAX = 60
const LASTS = { day: DAY_MS, month: 30 * DAY_MS, never: undefined } as const

/** How a request comes in beside the query, and how its answer gets there. */
export type Ways = {
  pushed: {
    expand(query: URLSearchParams): Promise<{ query: URLSearchParams; requestUri?: string } | { problem: Problem }>
    useWithin(tx: Writer, requestUri: string): Promise<boolean>
  }
  devices: {
    findByUserCode(code: string, by: { userId: UserId; address: string }): Promise<WaitingDevice>
    decideWithin(tx: Writer, hash: string, grantId: GrantId | undefined): Promise<boolean>
  }
}
type WaitingDevice = {
  hash: string
  clientId: ClientId
  resource: string
  profileName: string | null
  scope: string
  issuer: string
  address: string
  createdAt: number
}

export type Decision = {
  decision: string
  /** The profile that the page showed; checked where it is given. */
  profileId?: string | undefined
  toolIds: readonly string[]
  expires: string
  deviceName: string
  /** Earlier grants of this client that end with this one. */
  replaces: readonly string[]
}
/** `to` is the whole address to send the browser to. */
export type Decided = { kind: 'away'; to: string } | { kind: 'device'; allowed: boolean }

type Allowed = {
  profile: Profile
  toolIds: ToolId[]
  askIds: ToolId[]
  /** What was offered and left off: decided as well, so that it can be told from what joins the profile later. */
  refuseIds: ToolId[]
  expiresAt: number | null
  deviceName: string
  replaced: GrantId[]
}

const wrong = (field: string, says: string) => new Failure('invalid_form', { fields: { [field]: says } })

export function demandAdmitted(admission: Pending['admission']): void {
  if (admission !== 'admitted') throw new Failure(admission === 'not-listed' ? 'client_not_listed' : 'client_waits')
}

/** What was posted is believed only as far as it was offered. */
export function readAllowed(waiting: Pending, said: Decision, now: number): Allowed {
  const { profile, tools, admission, earlier } = waiting
  demandAdmitted(admission)
  if (!profile) throw new Failure('profile_not_found')
  if (said.profileId !== undefined && said.profileId !== profile.id)
    throw wrong('form', 'Another profile was chosen meanwhile. Look at this one again.')
  const offered = new Set<string>(tools.map(({ toolId }) => toolId))
  if (said.toolIds.some((id) => !offered.has(id))) throw wrong('form', 'What this profile holds changed meanwhile. Look at it again.')
  if (said.toolIds.length === 0) throw wrong('form', 'Switch at least one of them on, or deny.')
  if (!Object.hasOwn(LASTS, said.expires)) throw wrong('expires', 'Choose one of these.')
  if (said.deviceName.length > DEVICE_NAME_LENGTH_MAX) throw wrong('device_name', `At most ${DEVICE_NAME_LENGTH_MAX} characters.`)
  const replaceable = new Set<string>(earlier.map(({ id }) => id))
  if (said.replaces.some((id) => !replaceable.has(id)))
    throw wrong('form', 'An earlier connection of this app ended meanwhile. Look at this again.')
  const lasts = LASTS[said.expires as keyof typeof LASTS]
  const chosen = new Set(said.toolIds) as Set<ToolId>
  const toolIds = [...chosen]
  return {
    profile,
    toolIds,
    askIds: toolIds.filter((id) => isAsked(earlier[0], id)),
    refuseIds: tools.flatMap(({ toolId }) => (chosen.has(toolId) ? [] : [toolId])),
    expiresAt: lasts === undefined ? null : now + lasts,
    deviceName: cleanText(said.deviceName, DEVICE_NAME_LENGTH_MAX),
    replaced: [...new Set(said.replaces)] as GrantId[],
  }
}

/** The page has one switch for each tool. Switching on must not quietly end that each call is asked about. */
const isAsked = (earlier: Grant | undefined, id: ToolId): boolean => earlier?.tools.get(id) === 'ask'

type Deciding = { kept: Kept; waiting: Pending; allowed: Allowed | undefined; session: Session; address: string }

/** @throws Failure `not_found` when what it answers was answered elsewhere, or has expired meanwhile */
export async function decideWithin(deps: Deps, { pushed, devices }: Ways, tx: Writer, deciding: Deciding): Promise<Decided> {
  const { kept, allowed } = deciding
  const grant = allowed ? await letIn(deps, tx, deciding, allowed) : await refuse(deps, tx, deciding)
  if ('device' in kept) {
    if (!(await devices.decideWithin(tx, kept.device, grant?.id))) throw new Failure('not_found')
    return { kind: 'device', allowed: grant !== undefined }
  }
  if (kept.pushed !== undefined && !(await pushed.useWithin(tx, kept.pushed))) throw new Failure('not_found')
  const answer = grant
    ? { code: await issueCode(deps, tx, kept, grant) }
    : { error: 'access_denied', error_description: 'the user denied the request' }
  return { kind: 'away', to: withAnswer(kept.redirect_uri, { ...answer, state: kept.state, iss: kept.issuer }) }
}

async function letIn(deps: Deps, tx: Writer, { waiting, session: { user }, address }: Deciding, allowed: Allowed): Promise<Grant> {
  const { grants, clients, audit } = deps
  const { client, profileName } = waiting
  const { profile, replaced, ...granted } = allowed
  const reach = profileName === undefined ? 'any' : 'profile'
  const grant = await grants.create(tx, { ...granted, userId: user.id, clientId: client.id, profileId: profile.id, reach })
  for (const id of replaced) await grants.endWithin(tx, id, 'replaced', user)
  await clients.keep(tx, client.id)
  const detail = { tools: granted.toolIds.length, ...(replaced.length > 0 && { replaced: replaced.length }) }
  const what = { grantId: grant.id, profileId: profile.id, profileName: profile.name, address, detail }
  await audit.report({ kind: 'auth', action: 'grant.create', outcome: 'ok', ...byWhom(user, client), ...what }, tx)
  return grant
}

async function issueCode({ clock }: Deps, tx: Writer, kept: Extract<Kept, { redirect_uri: string }>, grant: Grant): Promise<string> {
  const { redirect_uri: redirectUri, resource, scope, challenge } = kept
  const code = `tpc_${randomSecret()}`
  const now = clock()
  await tx.insert(codes).values({
    ...{ hash: sha256(code), grantId: grant.id, clientId: grant.clientId, userId: grant.userId },
    ...{ redirectUri, resource, scope, challenge, issuedAt: now, expiresAt: now + CODE_MS },
  })
  return code
}

async function refuse({ audit }: Deps, tx: Writer, { waiting: { client }, session: { user }, address }: Deciding): Promise<undefined> {
  await audit.report({ kind: 'auth', action: 'grant.deny', outcome: 'refused', address, ...byWhom(user, client) }, tx)
}

const byWhom = (user: Session['user'], client: Client) => ({
  ...{ userId: user.id, userName: user.username },
  ...{ clientId: client.id, clientName: client.name, subject: client.name },
})
