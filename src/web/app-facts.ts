/** Grants and their clients in the words of the pages. */
import { decide, state } from '@/grants'
import type { AppSummary } from '@views/apps.tsx'
import type { Client, Clients, Clock, Grant, ProfileView, Profiles } from './needs.ts'

export type AppDeps = { clients: Clients; profiles: Pick<Profiles, 'view'>; clock: Clock }

export const isAlive = (grant: Grant, now: number): boolean => ['active', 'paused'].includes(state(grant, now))

/** What it may use, or could when it was alive: pages of the past show what it was. */
export const toolsOf = (grant: Grant, { tools }: ProfileView, now: number): ProfileView['tools'] =>
  tools.filter((tool) => decide({ ...grant, revokedAt: null, expiresAt: null, pausedAt: null }, tool.toolId, now) !== 'refuse')

export const nameOf = (client: Client | undefined): string => client?.name ?? 'unknown app'

export async function appOf(grant: Grant, { clients, profiles, clock }: AppDeps): Promise<AppSummary> {
  const now = clock()
  const [client, view] = await Promise.all([clients.findById(grant.clientId), profiles.view(grant.profileId)])
  return {
    id: grant.id,
    client: nameOf(client),
    profile: view.profile.title,
    device: grant.deviceName,
    tools: toolsOf(grant, view, now).length,
    status: state(grant, now),
    createdAt: grant.createdAt,
    lastUsedAt: grant.lastUsedAt,
    expiresAt: grant.expiresAt,
  }
}

const hostOf = (address: string) => (URL.canParse(address) ? new URL(address) : undefined)

/** How the client is known. Only a document was fetched from where it claims to be from; a name alone proves nothing. */
export function verificationOf({ kind, identifier }: Client): string {
  if (kind === 'document') return `metadata document at ${hostOf(identifier)?.host ?? identifier}`
  return kind === 'registered' ? 'registered by an administrator' : 'registered itself'
}

export function redirectHostOf({ redirectUris }: Client): string {
  const [first = ''] = redirectUris
  const url = hostOf(first)
  return url ? url.host || url.protocol : first
}
