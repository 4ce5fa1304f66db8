import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Feature } from '@/connections'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, ProfileId, ToolId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { profiles, profileTools, type Writer } from '@/store'
import type { User } from '@/users'
import { createAdjusting } from './adjusting.ts'
import { createApproving } from './approving.ts'
import { exposedNames, exposedUris, type NamedTool, type Naming } from './naming.ts'
import { type ChangedProfile, createMaking, createOwning, createReading, type Profile, type Reading, type RowsDeps, told } from './rows.ts'
import { type ConnectionsSeen, createViews } from './view.ts'

type Deps = RowsDeps & { connections: ConnectionsSeen }

const TOOLS_MAX = 1_000
const ROWS_AT_ONCE = 500

export function createProfiles(deps: Deps) {
  const reading = createReading(deps)
  const { view, findView, viewFor, viewOf, forgetViews } = createViews({ ...deps, reading })
  const { remove, describe } = createOwning(deps, reading)
  const { takeOver, ...approving } = createApproving(deps, reading)
  return {
    ...reading,
    ...createMaking(deps),
    ...createPicking(deps, reading, describe),
    ...createAdjusting(deps, reading),
    ...approving,
    remove,
    view,
    findView,
    viewFor,
    viewOf,
    /**
     * After tools or connections changed. Those who hold a list of an affected profile are told by `profile-changed`.
     * @returns the profiles that have tools of this connection
     */
    async toolsChanged(connectionId: ConnectionId): Promise<ProfileId[]> {
      forgetViews()
      const ids = await deps.connections.toolIdsEver(connectionId)
      if (ids.length === 0) return []
      const affected = await deps.store.read
        .selectDistinct({ id: profileTools.profileId })
        .from(profileTools)
        .where(inArray(profileTools.toolId, ids))
      // What is trusted is taken over first, so that nobody is told of it as held back.
      await takeOver(connectionId)
      for (const { id } of affected) deps.changes.announce({ kind: 'profile-changed', profileId: id })
      return affected.map(({ id }) => id)
    },
    /** The server of this connection is trusted from now on, with what waits as well. */
    takeOver,
    forgetViews,
    /** When each of its tools came in. */
    async pickedAt(id: ProfileId): Promise<Map<ToolId, number>> {
      const { toolId, addedAt } = profileTools
      const picks = await deps.store.read.select({ toolId, addedAt }).from(profileTools).where(eq(profileTools.profileId, id))
      return new Map(picks.map((pick) => [pick.toolId, pick.addedAt]))
    },
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
      const { id, name, feature, hash, definition } = tool
      return connection ? [{ id, name, feature, prefix: connection.prefix, hash, definition }] : []
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

    /** Takes one out that is in it; what else changed meanwhile stays. @throws Failure `tool_not_found` */
    async takeOut(user: User, id: ProfileId, toolId: ToolId): Promise<void> {
      const profile = await reading.demand(user.id, id)
      const mine = and(eq(profileTools.profileId, id), eq(profileTools.toolId, toolId))
      await store.transact(async (tx) => {
        const gone = await tx.delete(profileTools).where(mine).returning({ id: profileTools.toolId })
        if (gone.length === 0) throw new Failure('tool_not_found')
        await tx
          .update(profiles)
          .set({ revision: sql`${profiles.revision} + 1`, updatedAt: deps.clock() })
          .where(eq(profiles.id, id))
        await told(deps, tx, 'profile.tools', user, profile)
      })
      changes.announce({ kind: 'profile-changed', profileId: id })
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

type Usable = NamedTool<ToolId> & { feature: Feature; hash: string; definition: JsonObject }
type Pick_ = typeof profileTools.$inferSelect

/** What each is called: tools and prompts by names that are made, resources and templates by their own addresses. */
function namesOf(usable: readonly Usable[], naming: Naming, existing: ReadonlyMap<ToolId, string>): Map<ToolId, string> {
  const of = (...features: Feature[]) => usable.filter(({ feature }) => features.includes(feature))
  return new Map([
    ...exposedNames(of('tool'), naming, existing),
    ...exposedNames(of('prompt'), naming, existing),
    ...exposedUris(of('resource'), naming, existing),
    ...exposedUris(of('template'), naming, existing),
  ])
}

/** The picks as they shall be, in one go: unique names are swapped freely because the old rows go first. */
async function rewrite(tx: Writer, now: number, profile: Profile, usable: readonly Usable[], naming: Naming, keepNames: boolean) {
  const mine = eq(profileTools.profileId, profile.id)
  const known = new Map((await tx.select().from(profileTools).where(mine)).map((pick) => [pick.toolId, pick]))
  // A name that its user gave stays, whatever becomes of the others.
  const isKept = (pick: Pick_) => keepNames || pick.override?.name !== undefined
  const existing = new Map([...known.values()].filter(isKept).map((pick) => [pick.toolId, pick.exposedName] as const))
  const names = namesOf(usable, naming, existing)
  await tx.delete(profileTools).where(mine)
  const rows = usable.map(({ id: toolId, feature, hash, definition }) => {
    const {
      approvedHash = hash,
      approvedDefinition = definition,
      addedAt = now,
      override = null,
      isPinned = false,
    } = known.get(toolId) ?? {}
    const exposedName = names.get(toolId) as string
    return { profileId: profile.id, toolId, feature, exposedName, approvedHash, approvedDefinition, addedAt, override, isPinned }
  })
  // SQLite takes some thirty thousand values in one statement; a row here has nine.
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) await tx.insert(profileTools).values(rows.slice(at, at + ROWS_AT_ONCE))
  await tx
    .update(profiles)
    .set({ revision: sql`${profiles.revision} + 1`, updatedAt: now })
    .where(eq(profiles.id, profile.id))
}
