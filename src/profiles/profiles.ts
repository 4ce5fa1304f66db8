import { and, eq, inArray, sql } from 'drizzle-orm'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, ProfileId, ToolId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { profiles, profileTools, type Writer } from '@/store'
import type { User } from '@/users'
import { exposedNames, type NamedTool, type Naming } from './naming.ts'
import { type ChangedProfile, createMaking, createOwning, createReading, type Profile, type Reading, type RowsDeps, told } from './rows.ts'
import { type ConnectionsSeen, createViews } from './view.ts'

type Deps = RowsDeps & { connections: ConnectionsSeen }

const TOOLS_MAX = 1_000

export function createProfiles(deps: Deps) {
  const reading = createReading(deps)
  const { view, viewFor, forgetViews } = createViews({ ...deps, reading })
  const { remove, describe } = createOwning(deps, reading)
  return {
    ...reading,
    ...createMaking(deps),
    ...createPicking(deps, reading, describe),
    remove,
    view,
    viewFor,
    /** After tools or connections changed. Those who hold a list of an affected profile are told by `profile-changed`. */
    async toolsChanged(connectionId: ConnectionId): Promise<void> {
      forgetViews()
      const ids = (await deps.connections.tools([connectionId])).map((tool) => tool.id)
      if (ids.length === 0) return
      const affected = await deps.store.read
        .selectDistinct({ id: profileTools.profileId })
        .from(profileTools)
        .where(inArray(profileTools.toolId, ids))
      for (const { id } of affected) deps.changes.announce({ kind: 'profile-changed', profileId: id })
    },
    forgetViews,
  }
}
export type Profiles = ReturnType<typeof createProfiles>

function createPicking(deps: Deps, reading: Reading, describe: ReturnType<typeof createOwning>['describe']) {
  const { store, changes, connections } = deps

  const named = async (user: Pick<User, 'id'>, toolIds: readonly ToolId[]) => {
    const seen = new Map((await connections.list(user)).map((connection) => [connection.id, connection]))
    const tools = await connections.toolsById(toolIds)
    // A tool of a connection that this user does not see looks like none.
    const usable = tools.flatMap((tool) => {
      const connection = seen.get(tool.connectionId)
      return connection ? [{ id: tool.id, name: tool.name, prefix: connection.prefix, hash: tool.hash, definition: tool.definition }] : []
    })
    return usable
  }

  return {
    /** Which tools it serves. Names that apps have seen are kept. @throws Failure `tool_not_found`, `names_collide`, `too_many` */
    async setTools(user: User, id: ProfileId, toolIds: readonly ToolId[]): Promise<void> {
      const wanted = [...new Set(toolIds)]
      if (wanted.length > TOOLS_MAX) throw new Failure('too_many', { message: `A profile holds up to ${TOOLS_MAX} tools.` })
      const profile = await reading.demand(user.id, id)
      const usable = await named(user, wanted)
      if (usable.length !== wanted.length) throw new Failure('tool_not_found')
      await store.transact(async (tx) => {
        await rewrite(tx, deps.clock(), profile, usable, profile.naming, true)
        await told(deps, tx, 'profile.tools', user, profile)
      })
      changes.announce({ kind: 'profile-changed', profileId: id })
    },

    /**
     * Lets tools through again that their servers changed. Each comes with the hash of the definition that was looked at:
     * one that changed once more meanwhile stays held back. @throws Failure `profile_not_found`, `tool_changed`
     */
    async approveTools(user: User, id: ProfileId, seen: ReadonlyMap<ToolId, string>): Promise<void> {
      const profile = await reading.demand(user.id, id)
      const tools = await connections.toolsById([...seen.keys()])
      const same = tools.filter((tool) => seen.get(tool.id) === tool.hash)
      await store.transact(async (tx) => {
        for (const { id: toolId, hash, definition } of same)
          await tx
            .update(profileTools)
            .set({ approvedHash: hash, approvedDefinition: definition })
            .where(and(eq(profileTools.profileId, id), eq(profileTools.toolId, toolId)))
        await tx
          .update(profiles)
          .set({ revision: sql`${profiles.revision} + 1`, updatedAt: deps.clock() })
          .where(eq(profiles.id, id))
        await told(deps, tx, 'profile.approve-tools', user, profile)
      })
      changes.announce({ kind: 'profile-changed', profileId: id })
      if (same.length < seen.size) throw new Failure('tool_changed')
    },

    /** @throws Failure `invalid_form`, `names_collide` */
    async update(user: User, id: ProfileId, asked: ChangedProfile): Promise<void> {
      const profile = await reading.demand(user.id, id)
      const picks = await store.read.select().from(profileTools).where(eq(profileTools.profileId, id))
      const usable = await named(
        user,
        picks.map((pick) => pick.toolId),
      )
      await store.transact(async (tx) => {
        await describe(tx, user, profile, asked)
        await rewrite(tx, deps.clock(), profile, usable, asked.naming, asked.naming === profile.naming)
      })
      changes.announce({ kind: 'profile-changed', profileId: id })
    },
  }
}

type Usable = NamedTool<ToolId> & { hash: string; definition: JsonObject }

/** The picks as they shall be, in one go: unique names are swapped freely because the old rows go first. */
async function rewrite(tx: Writer, now: number, profile: Profile, usable: readonly Usable[], naming: Naming, keepNames: boolean) {
  const mine = eq(profileTools.profileId, profile.id)
  const known = new Map((await tx.select().from(profileTools).where(mine)).map((pick) => [pick.toolId, pick]))
  const existing = new Map(keepNames ? [...known].map(([toolId, pick]) => [toolId, pick.exposedName] as const) : [])
  const names = exposedNames(usable, naming, existing)
  await tx.delete(profileTools).where(mine)
  const rows = usable.map(({ id: toolId, hash, definition }) => ({
    profileId: profile.id,
    toolId,
    exposedName: names.get(toolId) as string,
    approvedHash: known.get(toolId)?.approvedHash ?? hash,
    approvedDefinition: known.get(toolId)?.approvedDefinition ?? definition,
    addedAt: known.get(toolId)?.addedAt ?? now,
  }))
  if (rows.length > 0) await tx.insert(profileTools).values(rows)
  await tx
    .update(profiles)
    .set({ revision: sql`${profiles.revision} + 1`, updatedAt: now })
    .where(eq(profiles.id, profile.id))
}
