/** Grants and their clients in the words of the pages. */
import { knownClient } from '@/clients'
import { permissionOf, state } from '@/grants'
import type { AppSummary } from '@views/apps.tsx'
import { heldBy } from './offered.ts'
import { pausesOf } from './pauses.ts'
import type { Client, Clients, Clock, Grant, ProfileView, Profiles } from './needs.ts'

export type AppDeps = { clients: Clients; profiles: Pick<Profiles, 'view'>; clock: Clock }

export const isAlive = (grant: Grant, now: number): boolean => ['active', 'paused'].includes(state(grant, now))

/** What it may use, or could when nothing was paused or over: pages of the past show what it was. */
export const toolsOf = (grant: Grant, { offered }: ProfileView): ProfileView['offered'] =>
  offered.filter(({ toolId }) => permissionOf(grant, toolId) !== 'refuse')

export const nameOf = (client: Client | undefined): string => client?.name ?? 'unknown app'

export const isScript = (client: Client | undefined): boolean => client?.kind === 'script'

/** Grants with their clients, each read once, of those clients that are wanted. */
export async function withClients(
  granted: readonly Grant[],
  { clients }: Pick<AppDeps, 'clients'>,
  isWanted: (client?: Client) => boolean,
) {
  const ids = [...new Set(granted.map((grant) => grant.clientId))]
  const found = new Map(await Promise.all(ids.map(async (id) => [id, await clients.findById(id)] as const)))
  return granted.map((grant) => ({ grant, client: found.get(grant.clientId) })).filter(({ client }) => isWanted(client))
}

export async function appOf(grant: Grant, { clients, profiles, clock }: AppDeps, known?: Client): Promise<AppSummary> {
  const now = clock()
  const [client, view] = await Promise.all([known ?? clients.findById(grant.clientId), profiles.view(grant.profileId)])
  return {
    id: grant.id,
    client: nameOf(client),
    profile: view.profile.title,
    device: grant.deviceName,
    holds: heldBy(toolsOf(grant, view)),
    status: state(grant, now),
    createdAt: grant.createdAt,
    lastUsedAt: grant.lastUsedAt,
    expiresAt: grant.expiresAt,
    pausedItself: grant.pausedAt !== null,
    pausedWith: pausesOf(grant)[0],
  }
}

const hostOf = (address: string) => (URL.canParse(address) ? new URL(address) : undefined)

/** How the client is known. Only a document was fetched from where it claims to be from; a name alone proves nothing. */
export function verificationOf({ kind, identifier }: Pick<Client, 'kind' | 'identifier'>): string {
  if (kind === 'document') return `metadata document at ${hostOf(identifier)?.host ?? identifier}`
  if (kind === 'script') return 'access token'
  return kind === 'registered' ? 'registered by an administrator' : 'registered itself'
}

/** The host, or for an app's own scheme the scheme with what stands in the host's place. */
function placeOf(redirectUri: string): string {
  const url = hostOf(redirectUri)
  if (!url) return redirectUri
  return /^https?:$/.test(url.protocol) ? url.host : `${url.protocol}${url.host && `//${url.host}`}`
}

export const redirectHostsOf = ({ redirectUris }: Pick<Client, 'redirectUris'>): string[] => [...new Set(redirectUris.map(placeOf))]

/** What it is taken for, by addresses that others publish: a word to recognise it by, and no reason to trust it. */
export const knownAs = ({ kind, identifier, redirectUris }: Client): string | undefined =>
  [undefined, ...redirectUris]
    .map((redirectUri) => knownClient({ kind, identifier, ...(redirectUri === undefined ? {} : { redirectUri }) })?.client.name)
    .find((name) => name !== undefined)

const AUTHENTICATIONS: Record<Client['authMethod'], string> = {
  none: 'nothing: it runs where no secret can be kept',
  client_secret_basic: 'a client secret',
  client_secret_post: 'a client secret',
  private_key_jwt: 'a key of its own',
}
export const authenticationOf = (client: Client): string => (isScript(client) ? 'its access token' : AUTHENTICATIONS[client.authMethod])
