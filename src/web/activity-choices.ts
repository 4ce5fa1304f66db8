/** What can be chosen in the filters of the activity page, and what a chosen one is called. */
import { DAY_MS } from '@/lib/clock.ts'
import type { ClientId, ToolId, UserId } from '@/lib/ids.ts'
import type { User, Users } from '@/users'
import type { ActivityChoices, Chip } from '@views/activity-filter.tsx'
import type { Option } from '@views/parts/field.tsx'
import { type ActivityQuery, addressOf, FILTERS } from './activity-filter.ts'
import { nameOf } from './app-facts.ts'
import type { Audit, Clients, Clock, Connections, Grants, Profiles } from './needs.ts'

export type ChoiceDeps = {
  audit: Pick<Audit, 'seen'>
  grants: Pick<Grants, 'listForUser'>
  profiles: Pick<Profiles, 'list'>
  clients: Clients
  connections: Pick<Connections, 'list' | 'toolsById'>
  users: Pick<Users, 'list'>
  clock: Clock
}

const SEEN_FOR_MS = 30 * DAY_MS
const OPTIONS_MAX = 200

const byLabel = (a: Option, b: Option) => a.label.localeCompare(b.label)
/** Chosen before it was known here, as by a link: it stays a choice. */
const withChosen = (options: Option[], chosen: string | undefined): Option[] =>
  chosen === undefined || options.some(({ value }) => value === chosen) ? options : [...options, { value: chosen, label: 'another one' }]

export async function choicesOf(deps: ChoiceDeps, user: User, query: ActivityQuery): Promise<ActivityChoices> {
  const { audit, clients, connections, profiles, grants, users, clock } = deps
  const seen = audit.seen({ userId: user.role === 'admin' ? undefined : user.id, from: clock() - SEEN_FOR_MS, limit: OPTIONS_MAX })
  const granted = await grants.listForUser(user.id)
  const clientIds = new Set([...seen.clients, ...granted.map(({ clientId }) => clientId)] as ClientId[])
  if (query.client) clientIds.add(query.client)
  const toolIds = new Set([...seen.tools, ...(query.tool ? [query.tool] : [])] as ToolId[])
  const [apps, tools, ownProfiles, listed, people] = await Promise.all([
    Promise.all([...clientIds].map(async (id) => ({ value: id as string, label: nameOf(await clients.findById(id)) }))),
    connections.toolsById([...toolIds]),
    profiles.list(user.id),
    connections.list(user),
    user.role === 'admin' ? users.list() : [],
  ])
  const connectionName = new Map(listed.map(({ id, name }) => [id, name]))
  return {
    apps: apps.sort(byLabel),
    grants: granted.map(({ id, deviceName }) => ({ value: id, label: deviceName || 'one connected app' })),
    profiles: withChosen(ownProfiles.map(({ id, title }) => ({ value: id, label: title })).sort(byLabel), query.profile),
    connections: withChosen(listed.map(({ id, name }) => ({ value: id, label: name })).sort(byLabel), query.connection),
    tools: withChosen(
      tools
        .map(({ id, name, connectionId }) => ({ value: id, label: [name, connectionName.get(connectionId)].filter(Boolean).join(' · ') }))
        .sort(byLabel),
      query.tool,
    ),
    users: people.map(({ id, username }) => ({ value: id as UserId as string, label: username })).sort(byLabel),
  }
}

const LABELS: Record<(typeof FILTERS)[number], string> = {
  ...{ q: 'Words', outcome: 'Outcome', kind: 'What', client: 'App', grant: 'Device', profile: 'Profile', connection: 'Connection' },
  ...{ tool: 'Tool', user: 'User', last: 'Last', from: 'From', to: 'Until' },
}
const WORDS: Record<string, string> = {
  ...{ ok: 'Served', failed: 'Failed', refused: 'Refused', cancelled: 'Cancelled' },
  ...{ calls: 'Calls', acts: 'Changes', 'sign-ins': 'Sign-ins', all: 'Everything' },
}

/** Each filter that is on, with the address of the page without it. */
export function chipsOf(query: ActivityQuery, choices: ActivityChoices, live: string | undefined): Chip[] {
  const options: Partial<Record<(typeof FILTERS)[number], readonly Option[]>> = {
    ...{ client: choices.apps, grant: choices.grants, profile: choices.profiles, connection: choices.connections },
    ...{ tool: choices.tools, user: choices.users },
  }
  return FILTERS.flatMap((name) => {
    const value = query[name]
    if (value === undefined) return []
    const named = options[name]?.find((option) => option.value === value)?.label
    const text = options[name] ? (named ?? 'another one') : ((name === 'q' ? undefined : WORDS[value]) ?? value.replace('T', ' '))
    return [{ label: LABELS[name], text, removeHref: addressOf('/activity', { ...query, [name]: undefined }, { live }) }]
  })
}
