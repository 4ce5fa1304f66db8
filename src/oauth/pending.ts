/** A request that waits for its user: what was kept of it, and all that its page shows. */
import { type Client, knownClient, redirectKind } from '@/clients'
import { type Grant, state } from '@/grants'
import { sha256 } from '@/lib/crypto.ts'
import type { authorizationRequests } from '@/store'
import type { Session } from '@/users'
import type { Deps, OfferedTool, Profile } from './needs.ts'

/** Ours, not OAuth's: which profile the page shows where the app did not say. */
export const CHOSEN_PROFILE = 'toolpass_profile'
/** More than one person lets one app in at a time by intention. */
const EARLIER_SHOWN_MAX = 5

/** As stored; texts alone, because they come back out of a database. */
export type Asked = {
  scope: string
  resource: string
  issuer: string
  profile_name?: string
  /** For requests that leave the profile to the user: the one that they look at. */
  chosen?: string
} & (KeptRedirect | KeptDevice)
export type Kept = Asked & {
  /** `likenessOf` the client that asked. */
  client: string
}
type KeptRedirect = {
  redirect_uri: string
  challenge: string
  /** The way back to this page. */
  query: string
  state?: string
  /** Its `request_uri`, where it was pushed: good for one decision. */
  pushed?: string
}
type KeptDevice = { device: string; address: string; started: string }

export type Pending = {
  client: Client
  admission: Awaited<ReturnType<Deps['clients']['admission']>>
  /** A well-known client that it resembles; never where anybody on this computer or elsewhere could be the one who asks. */
  known: { name: string; by: 'document' | 'redirect' } | undefined
  answer: { kind: 'redirect'; uri: string } | { kind: 'device'; address: string; startedAt: number }
  /** Our own path that leads here again. */
  returnPath: string
  /** The profile's name that the app was given; undefined where the user picks. */
  profileName: string | undefined
  profile: Profile | undefined
  /** All that the user can pick from; none where the app named one. */
  choices: Profile[]
  tools: OfferedTool[]
  /** What this user lets this client do already, the latest first. */
  earlier: Grant[]
}

/** What a person is shown of a client, and where the answer may go. Whatever it looks like by the time they decide, they decide about this. */
export const likenessOf = ({ name, redirectUris }: Pick<Client, 'name' | 'redirectUris'>): string =>
  sha256(JSON.stringify([name, ...redirectUris.toSorted()]))

type Row = typeof authorizationRequests.$inferSelect

/** The client that asked, as long as it looks as it did then and is not blocked. */
export async function askerOf({ clients }: Pick<Deps, 'clients'>, row: Row): Promise<Client | undefined> {
  const client = await clients.findById(row.clientId)
  const isSame = client?.blockedAt === null && (row.params as Kept).client === likenessOf(client)
  return isSame ? client : undefined
}

export async function pendingOf(deps: Deps, row: Row, session: Session): Promise<Pending | undefined> {
  const { clients, profiles } = deps
  const client = await askerOf(deps, row)
  if (!client) return undefined
  const kept = row.params as Kept
  const { profile_name: profileName, chosen } = kept
  const choices = profileName === undefined ? await choicesOf(deps, session) : []
  const profile =
    profileName === undefined
      ? (choices.find(({ name }) => name === chosen) ?? (await firstWithTools(deps, choices, session)))
      : await profiles.findByName(session.user.id, profileName)
  const [admission, earlier, view] = await Promise.all([
    clients.admission(client),
    earlierOf(deps, client, session),
    profile && profiles.viewFor(session.user.id, profile.id),
  ])
  const shown = { profileName, profile, choices, tools: view?.offered ?? [], earlier }
  if ('device' in kept) {
    const answer = { kind: 'device' as const, address: kept.address, startedAt: Number(kept.started) }
    return { client, admission, known: undefined, answer, returnPath: '/device', ...shown }
  }
  const uri = kept.redirect_uri
  const returnPath = pathTo(kept.query, chosen)
  return { client, admission, known: knownAs(client, uri), answer: { kind: 'redirect', uri }, returnPath, ...shown }
}

/** One's own, and those that others opened to everybody. */
const choicesOf = async ({ profiles }: Deps, { user }: Session): Promise<Profile[]> => [
  ...(await profiles.list(user.id)),
  ...(await profiles.listOpen(user.id)),
]

/** What the page comes up with where nobody has chosen: an empty profile would only have to be changed. */
async function firstWithTools({ profiles }: Deps, choices: readonly Profile[], { user }: Session): Promise<Profile | undefined> {
  for (const choice of choices) if ((await profiles.viewFor(user.id, choice.id)).offered.length > 0) return choice
  return choices[0]
}

function knownAs({ kind, identifier }: Client, redirectUri: string): Pending['known'] {
  if (redirectKind(redirectUri) === 'loopback') return undefined
  const known = knownClient({ kind, identifier, redirectUri })
  return known && { name: known.client.name, by: known.by }
}

/** Those that hold, and that somebody came back for. */
async function earlierOf({ grants, clock }: Deps, client: Client, { user }: Session): Promise<Grant[]> {
  const now = clock()
  const own = await grants.listForUser(user.id)
  return own
    .filter((grant) => grant.clientId === client.id && grant.activatedAt !== null && ['active', 'paused'].includes(state(grant, now)))
    .slice(0, EARLIER_SHOWN_MAX)
}

function pathTo(query: string, chosen: string | undefined): string {
  if (chosen === undefined) return `/oauth/authorize?${query}`
  const changed = new URLSearchParams(query)
  changed.set(CHOSEN_PROFILE, chosen)
  return `/oauth/authorize?${changed}`
}
