/** What the page of a profile shows, gathered from the rooms. */
import { KNOWN_CLIENTS, type KnownClient, type ProfileToConnect } from '@/clients'
import type { Tool } from '@/connections'
import { type ClientLimit, clientLimits, createLook } from '@/profiles'
import type { User } from '@/users'
import type { Waiting } from '@views/profile-connect.tsx'
import type { Way } from '@views/profile-connect-ways.tsx'
import type { Deliveries } from '@views/profile-details.tsx'
import type { ProfileToolGroup } from '@views/profile-tools.tsx'
import type { Reach } from '@views/setup.tsx'
import { isAlive, nameOf } from './app-facts.ts'
import { latencyMsOf } from './call-rows.ts'
import { type Described, inOrder, isEvery, listedTools, SEARCH_COST, totalOf, wordsOf } from './offered.ts'
import type { Audit, Clients, Clock, Connections, Grants, Profile, ProfileTool, ProfileView } from './needs.ts'

type ToolRow = ProfileToolGroup['tools'][number]

type Look = ReturnType<typeof createLook>
type Rowed = Described & { kind: ToolRow['kind']; contextCost: number; connectionId: Tool['connectionId'] }

const rowOf = (tool: Rowed, picked: ProfileTool | undefined, selected: boolean, look: Look) => ({
  feature: tool.feature,
  isEvery: isEvery(tool),
  ...wordsOf(tool),
  kind: picked?.kind ?? tool.kind,
  contextCost: picked?.contextCost ?? tool.contextCost,
  selected,
  saved: picked !== undefined,
  adjusted: picked?.override !== undefined,
  pinned: picked?.isPinned === true,
  heldBack: picked?.isHeldBack === true,
  suspicions: look(tool.definition, tool.connectionId),
})

const offeredRow = (tool: Tool, picked: ProfileTool | undefined, selected: boolean, look: Look): ToolRow => ({
  ...rowOf(tool, picked, selected, look),
  id: tool.id,
  name: tool.name,
  exposedName: picked?.exposedName ?? tool.name,
})

const goneRow = (tool: ProfileTool, selected: boolean, look: Look): ToolRow => ({
  ...rowOf(tool, tool, selected, look),
  id: tool.toolId,
  name: tool.upstreamName,
  exposedName: tool.exposedName,
  note: 'The upstream no longer offers it.',
})

/** While nothing is picked: what only reads. Of resources the one pick that stands for all, so that no list of them grows old. */
const isSuggested = (tool: Described & Pick<Tool, 'kind'>): boolean =>
  tool.feature === 'tool' ? tool.kind === 'read' : tool.feature === 'prompt' || isEvery(tool)

/**
 * @param ticked what a refused form was sent with, so that nobody has to tick it all again; `suggested` ticks what only reads
 *   while the profile is empty
 */
export async function groupsOf(
  user: User,
  view: ProfileView,
  connections: Pick<Connections, 'list' | 'everything'>,
  ticked?: ReadonlySet<string> | 'suggested',
): Promise<ProfileToolGroup[]> {
  const reachable = await connections.list(user)
  const offered = inOrder(await connections.everything(reachable.map(({ id }) => id)))
  const picked = view.byToolId
  const offeredIds = new Set(offered.map(({ id }) => id))
  const gone = inOrder([...picked.values()].filter((tool) => !offeredIds.has(tool.toolId)))
  const look = createLook(offered.filter(({ feature }) => feature === 'tool'))
  const isSuggesting = ticked === 'suggested' && picked.size === 0
  const isTicked = (id: Tool['id'], tool: Described & Pick<Tool, 'kind'>) =>
    ticked instanceof Set ? ticked.has(id) : picked.has(id) || (isSuggesting && isSuggested(tool))
  const offeredOf = Map.groupBy(offered, (tool) => tool.connectionId)
  const goneOf = Map.groupBy(gone, (tool) => tool.connectionId)
  const goneRows = (tools: readonly ProfileTool[] = []) => tools.map((tool) => goneRow(tool, isTicked(tool.toolId, tool), look))
  const groups: ProfileToolGroup[] = reachable.map(({ id, name, status }) => ({
    connection: { id, name, trouble: status === 'failing' },
    tools: [
      ...(offeredOf.get(id) ?? []).map((tool) => offeredRow(tool, picked.get(tool.id), isTicked(tool.id, tool), look)),
      ...goneRows(goneOf.get(id)),
    ],
  }))
  // Tools of a connection that its owner closed again stay visible here, so that they can be taken out.
  const known = new Set(reachable.map(({ id }) => id))
  for (const [id, tools] of goneOf)
    if (!known.has(id)) groups.push({ connection: { id, name: tools[0]?.connectionName ?? '', trouble: true }, tools: goneRows(tools) })
  return groups
}

/** Either way of serving a profile as it is saved, with what an app's model is shown then and what it costs. */
export function deliveriesOf(view: ProfileView): { deliveries: Deliveries; chips: ClientLimit[]; search: { cost: number } | undefined } {
  const { profile } = view
  const listed = { whole: listedTools(view, 'whole'), search: listedTools(view, 'search') }
  const misfits = (delivery: 'whole' | 'search') => clientLimits({ profile, tools: listed[delivery] }).filter(({ ok }) => !ok)
  const helped = new Set(misfits('search').map(({ client }) => client))
  return {
    deliveries: {
      whole: totalOf(listed.whole),
      search: totalOf(listed.search),
      pinned: view.tools.filter(({ isPinned }) => isPinned).length,
      helps: misfits('whole').flatMap(({ client }) => (helped.has(client) ? [] : [client])),
    },
    chips: clientLimits({ profile, tools: listed[profile.delivery] }),
    search: profile.delivery === 'search' ? { cost: SEARCH_COST } : undefined,
  }
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
