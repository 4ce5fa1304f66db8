/** What the page of a profile shows, gathered from the rooms. */
import { KNOWN_CLIENTS, type KnownClient, type ProfileToConnect } from '@/clients'
import type { Tool } from '@/connections'
import type { ClientLimit } from '@/profiles'
import type { User } from '@/users'
import type { Waiting } from '@views/profile-connect.tsx'
import type { Way } from '@views/profile-connect-ways.tsx'
import type { ProfileToolGroup } from '@views/profile-tools.tsx'
import type { Reach } from '@views/setup.tsx'
import { isAlive, nameOf } from './app-facts.ts'
import { latencyMsOf } from './call-rows.ts'
import type { Audit, Clients, Clock, Connections, Grants, Profile, ProfileTool, ProfileView } from './needs.ts'

type ToolRow = ProfileToolGroup['tools'][number]

/** A tool's definition is its upstream's JSON: only text is taken for text. */
export function wordsOf(definition: Readonly<Record<string, unknown>>): { title: string | undefined; description: string } {
  const annotations = definition['annotations'] as { title?: unknown } | null | undefined
  const title = [definition['title'], annotations?.title].find((each) => typeof each === 'string')
  return { title, description: typeof definition['description'] === 'string' ? definition['description'] : '' }
}

const offeredRow = (tool: Tool, picked: ProfileTool | undefined, selected: boolean): ToolRow => ({
  id: tool.id,
  name: tool.name,
  ...wordsOf(tool.definition),
  exposedName: picked?.exposedName ?? tool.name,
  kind: tool.kind,
  contextCost: tool.contextCost,
  selected,
  note: picked?.isHeldBack === true ? 'Held back: its server changed it since you picked it. See above.' : undefined,
})

const goneRow = (tool: ProfileTool, selected: boolean): ToolRow => ({
  id: tool.toolId,
  name: tool.upstreamName,
  ...wordsOf(tool.definition),
  exposedName: tool.exposedName,
  kind: tool.kind,
  contextCost: tool.contextCost,
  selected,
  note: 'The upstream no longer offers it.',
})

/**
 * @param ticked what a refused form was sent with, so that nobody has to tick it all again; `suggested` ticks what only reads
 *   while the profile is empty
 */
export async function groupsOf(
  user: User,
  view: ProfileView,
  connections: Pick<Connections, 'list' | 'tools'>,
  ticked?: ReadonlySet<string> | 'suggested',
): Promise<ProfileToolGroup[]> {
  const reachable = await connections.list(user)
  const offered = await connections.tools(reachable.map(({ id }) => id))
  const picked = view.byToolId
  const offeredIds = new Set(offered.map(({ id }) => id))
  const gone = [...picked.values()].filter((tool) => !offeredIds.has(tool.toolId))
  const isSuggesting = ticked === 'suggested' && picked.size === 0
  const isTicked = ({ id, kind }: Pick<Tool, 'id' | 'kind'>) =>
    ticked instanceof Set ? ticked.has(id) : picked.has(id) || (isSuggesting && kind === 'read')
  const groups: ProfileToolGroup[] = reachable.map((connection) => ({
    connection: { id: connection.id, name: connection.name, trouble: connection.status === 'failing' },
    tools: [
      ...offered.filter((tool) => tool.connectionId === connection.id).map((tool) => offeredRow(tool, picked.get(tool.id), isTicked(tool))),
      ...gone
        .filter((tool) => tool.connectionId === connection.id)
        .map((tool) => goneRow(tool, isTicked({ id: tool.toolId, kind: tool.kind }))),
    ],
  }))
  // Tools of a connection that its owner closed again stay visible here, so that they can be taken out.
  const known = new Set(reachable.map(({ id }) => id))
  for (const [id, tools] of Map.groupBy(gone, (tool) => tool.connectionId))
    if (!known.has(id))
      groups.push({
        connection: { id, name: tools[0]?.connectionName ?? '', trouble: true },
        tools: tools.map((tool) => goneRow(tool, isTicked({ id: tool.toolId, kind: tool.kind }))),
      })
  return groups
}

/** Rows to look through for a served call: before it an app lists tools a few times at most. */
const ROWS_LOOKED_AT = 50

/** How far the first app has come: let in, has seen the tools, has called one. */
export async function waitingOf(
  user: User,
  profile: Profile,
  rooms: { audit: Pick<Audit, 'list'>; grants: Pick<Grants, 'listForUser'>; clients: Clients; clock: Clock },
): Promise<Waiting> {
  const rows = await rooms.audit.list({ userId: user.id, profileId: profile.id, kind: 'call', limit: ROWS_LOOKED_AT })
  const call = rows.find((row) => row.action === 'tools/call' && row.outcome === 'ok' && row.grantId !== null)
  if (call)
    return {
      state: 'called',
      client: call.clientName ?? 'An app',
      tool: call.subject ?? call.action,
      latencyMs: latencyMsOf(call) ?? 0,
      at: call.at,
      callId: String(call.seq),
      appId: call.grantId ?? '',
    }
  const granted = await rooms.grants.listForUser(user.id)
  const [latest] = granted
    .filter((grant) => grant.profileId === profile.id && grant.activatedAt !== null && isAlive(grant, rooms.clock()))
    .sort((a, b) => b.createdAt - a.createdAt)
  if (!latest) return { state: 'waiting' }
  const client = nameOf(await rooms.clients.findById(latest.clientId))
  const listed = rows.some((row) => row.grantId === latest.id && row.action === 'tools/list')
  return { state: 'connected', client, at: latest.activatedAt ?? latest.createdAt, listed }
}

/** The first of the list stand side by side, the others behind one more tab: so many fit into a line. */
const WAYS_SIDE_BY_SIDE = 5

/** What is known of why this client cannot come to such an address. */
function outOfReach({ name, reaches }: KnownClient, reach: Reach): string | undefined {
  if (reaches === 'internet' && reach !== 'internet')
    return `${name} comes from the internet and cannot reach this address. It needs a public one, with https.`
  if (reaches === 'network' && reach === 'this-computer') return `${name} can reach this address only if it runs on this computer itself.`
  return undefined
}

/** How each known client is connected to a profile, and what stands in its way. */
export const waysInto = (profile: ProfileToConnect, reach: Reach, limits: readonly ClientLimit[]): Way[] =>
  KNOWN_CLIENTS.map((client, at) => {
    const misfit = limits.find((limit) => limit.client === client.name && !limit.ok)?.why
    return {
      id: client.id,
      client: client.name,
      common: at < WAYS_SIDE_BY_SIDE,
      ...client.connect(profile),
      hints: client.hints,
      warnings: [outOfReach(client, reach), misfit].filter((warning) => warning !== undefined),
      source: { href: client.source, checked: client.checked },
    }
  })
