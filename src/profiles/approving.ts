/** Definitions that changed since they were picked: accepted by whoever has the profile, or taken over where their server is trusted. */
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Tool } from '@/connections'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import { profiles, profileTools, type Writer } from '@/store'
import type { User } from '@/users'
import { type Profile, type Reading, type RowsDeps, told } from './rows.ts'
import type { ConnectionsSeen } from './view.ts'

type Deps = RowsDeps & { connections: ConnectionsSeen }
/** Tools with the hash of the definition that was looked at: one that changed once more meanwhile stays held back. */
export type SeenTools = ReadonlyMap<ToolId, string>
type Picked = { profile: Profile; tools: Tool[] }

export function createApproving(deps: Deps, reading: Reading) {
  const { store, changes, connections, clock } = deps

  const seenSame = async (seen: SeenTools): Promise<Tool[]> =>
    (await connections.toolsById([...seen.keys()])).filter((tool) => seen.get(tool.id) === tool.hash)
  const approve = async (tx: Writer, profile: Pick<Profile, 'id'>, tools: readonly Tool[]): Promise<void> => {
    for (const { id: toolId, hash, definition } of tools)
      await tx
        .update(profileTools)
        .set({ approvedHash: hash, approvedDefinition: definition })
        .where(and(eq(profileTools.profileId, profile.id), eq(profileTools.toolId, toolId)))
    await tx
      .update(profiles)
      .set({ revision: sql`${profiles.revision} + 1`, updatedAt: clock() })
      .where(eq(profiles.id, profile.id))
  }
  /** This user's profiles that wait with some of these tools. */
  const waiting = async (ownerId: UserId, tools: readonly Tool[]): Promise<Picked[]> => {
    if (tools.length === 0) return []
    const byId = new Map(tools.map((tool) => [tool.id, tool]))
    const picks = await store.read
      .select({ profile: profiles, toolId: profileTools.toolId, approvedHash: profileTools.approvedHash })
      .from(profileTools)
      .innerJoin(profiles, eq(profiles.id, profileTools.profileId))
      .where(and(eq(profiles.ownerId, ownerId), inArray(profileTools.toolId, [...byId.keys()])))
    const held = picks.filter(({ toolId, approvedHash }) => byId.get(toolId)?.hash !== approvedHash)
    return [...Map.groupBy(held, ({ profile }) => profile.id).values()].flatMap((of) => {
      const [first] = of
      return first ? [{ profile: first.profile, tools: of.flatMap(({ toolId }) => byId.get(toolId) ?? []) }] : []
    })
  }
  const announce = (of: readonly Picked[]) => {
    for (const { profile } of of) changes.announce({ kind: 'profile-changed', profileId: profile.id })
  }

  return {
    /** @throws Failure `profile_not_found`, `tool_changed` */
    async approveTools(user: User, id: ProfileId, seen: SeenTools): Promise<void> {
      const profile = await reading.demand(user.id, id)
      const tools = await seenSame(seen)
      await store.transact(async (tx) => {
        await approve(tx, profile, tools)
        await told(deps, tx, 'profile.approve-tools', user, profile)
      })
      changes.announce({ kind: 'profile-changed', profileId: id })
      if (tools.length < seen.size) throw new Failure('tool_changed')
    },
    /** In each of the user's own profiles that wait with one of them. @throws Failure `tool_changed` */
    async approveEverywhere(user: User, seen: SeenTools): Promise<void> {
      const tools = await seenSame(seen)
      const of = await waiting(user.id, tools)
      await store.transact(async (tx) => {
        for (const { profile, tools: held } of of) {
          await approve(tx, profile, held)
          await told(deps, tx, 'profile.approve-tools', user, profile)
        }
      })
      announce(of)
      if (tools.length < seen.size) throw new Failure('tool_changed')
    },
    ...createTrusting(deps, { waiting, approve, announce }),
  }
}

type Parts = {
  waiting(ownerId: UserId, tools: readonly Tool[]): Promise<Picked[]>
  approve(tx: Writer, profile: Profile, tools: readonly Tool[]): Promise<void>
  announce(of: readonly Picked[]): void
}

function createTrusting({ store, connections, audit }: Deps, { waiting, approve, announce }: Parts) {
  const toolsOf = async (id: ConnectionId) =>
    (await connections.toolsById(await connections.toolIdsEver(id))).filter(
      ({ goneAt, feature }) => goneAt === null && (feature === 'tool' || feature === 'prompt'),
    )
  return {
    /** Where its owner trusts the server, in their own profiles alone: what others let in is theirs to look at. */
    async takeOver(id: ConnectionId): Promise<void> {
      const connection = await connections.trusted(id)
      if (!connection) return
      const of = await waiting(connection.ownerId, await toolsOf(id))
      if (of.length === 0) return
      await store.transact(async (tx) => {
        for (const { profile, tools } of of) {
          await approve(tx, profile, tools)
          const about = { profileId: profile.id, profileName: profile.title, connectionId: id, connectionName: connection.name }
          const detail = { tools: tools.slice(0, 50).map(({ name }) => name) }
          const row = {
            kind: 'admin',
            action: 'profile.take-over-changes',
            outcome: 'ok',
            subject: profile.title,
            detail,
            ...about,
          } as const
          await audit.report({ ...row, userId: profile.ownerId, reason: `${connection.name} is trusted with its changes.` }, tx)
        }
      })
      announce(of)
    },
  }
}
