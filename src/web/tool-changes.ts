/** What a server changed about tools that somebody picked, as a person reads it. */
import { inKeyOrder } from '@/connections'
import type { ConnectionId } from '@/lib/ids.ts'
import { createLook } from '@/profiles'
import type { User } from '@/users'
import type { ChangedTool } from '@views/profile-changes.tsx'
import { changesIn } from './definition-diff.ts'
import type { Connections, Profiles, ProfileTool, ProfileView } from './needs.ts'

type Deps = { profiles: Pick<Profiles, 'list' | 'view'>; connections: Pick<Connections, 'list' | 'everything'> }
type Waiting = { tool: ProfileTool; profile: { id: string; title: string } }

const LINES_AROUND = 2
const DIFF_MS = 300
const COMPARING_MS_MAX = 800

/** Of one profile; in which others of the user the same waits is said with each. */
export async function changesOf(
  deps: Deps,
  user: User,
  { profile, heldBack }: Pick<ProfileView, 'profile' | 'heldBack'>,
): Promise<ChangedTool[]> {
  if (heldBack.length === 0) return []
  const elsewhere = (await waitingOf(deps, user)).filter((each) => each.profile.id !== profile.id)
  return changed(
    deps,
    user,
    heldBack.map((tool) => ({ tool, profiles: elsewhere.filter((each) => each.tool.toolId === tool.toolId).map((each) => each.profile) })),
  )
}

/** Of one connection, over all profiles of the user; a tool that they accepted in different forms is shown once for each. */
export async function changesOfConnection(deps: Deps, user: User, id: ConnectionId): Promise<ChangedTool[]> {
  const waiting = (await waitingOf(deps, user)).filter(({ tool }) => tool.connectionId === id)
  const alike = Map.groupBy(waiting, ({ tool }) => `${tool.toolId} ${JSON.stringify(inKeyOrder(tool.approvedDefinition))}`)
  const items = [...alike.values()].flatMap((of) => (of[0] ? [{ tool: of[0].tool, profiles: of.map(({ profile }) => profile) }] : []))
  return items.length === 0 ? [] : changed(deps, user, items)
}

async function waitingOf({ profiles }: Deps, user: User): Promise<Waiting[]> {
  const views = await Promise.all((await profiles.list(user.id)).map(({ id }) => profiles.view(id)))
  return views.flatMap(({ profile, heldBack }) => heldBack.map((tool) => ({ tool, profile: { id: profile.id, title: profile.title } })))
}

async function changed({ connections }: Deps, user: User, items: readonly { tool: ProfileTool; profiles: ChangedTool['profiles'] }[]) {
  // Comparing is rare, and no start should wait for it.
  const { diffWordsWithSpace, structuredPatch } = await import('diff')
  const reachable = await connections.list(user)
  const look = createLook(await connections.everything(reachable.map(({ id }) => id)))
  // Whoever changes everything at once holds up nobody.
  const untilMs = performance.now() + COMPARING_MS_MAX
  return items.map(
    ({ tool, profiles }): ChangedTool => ({
      ...{ id: tool.toolId, feature: tool.feature, hash: tool.hash, name: tool.upstreamName, connection: tool.connectionName, profiles },
      suspicions: look(tool.definition, tool.connectionId),
      says: changesIn(tool.approvedDefinition, tool.definition, diffWordsWithSpace, untilMs),
      lines: performance.now() > untilMs ? [] : linesOf(tool, structuredPatch),
    }),
  )
}

function linesOf({ approvedDefinition, definition }: ProfileTool, structuredPatch: typeof import('diff').structuredPatch): string[] {
  const [before, after] = [textOf(approvedDefinition), textOf(definition)]
  const patch = structuredPatch('', '', before, after, '', '', { context: LINES_AROUND, timeout: DIFF_MS })
  // Two texts that take so long to compare have little in common.
  if (!patch) return [...before.split('\n').map((line) => `-${line}`), ...after.split('\n').map((line) => `+${line}`)]
  return patch.hunks.flatMap(({ lines }, at) => (at === 0 ? lines : [' …', ...lines])).filter((line) => !line.startsWith('\\'))
}

/** Words as they are written, everything else as JSON with its keys in order: only what differs shall look different. */
function textOf(definition: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(inKeyOrder(definition) as typeof definition).map(([key, value]) =>
    typeof value === 'string' ? `${key}: ${value}` : `${key}: ${JSON.stringify(value, undefined, 2)}`,
  )
  return `${parts.join('\n')}\n`
}
