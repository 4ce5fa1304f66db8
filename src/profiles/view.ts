import { eq } from 'drizzle-orm'
import { type Connection, type Feature, MODERN_REVISION, type Tool } from '@/connections'
import { contextCost } from '@/lib/context-cost.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { profileTools, type Store } from '@/store'
import { exposedDefinition } from './exposing.ts'
import { purposeNameFor } from './purpose.ts'
import type { Profile, Reading } from './rows.ts'
import type { ProfileTool } from './tool.ts'

/** What the server of a connection said of itself when it was last opened. */
export type ServerSeen = { connectionId: ConnectionId; isModern: boolean; capabilities: JsonObject }
export type ProfileView = {
  profile: Profile
  /** What is served: tools in the narrow sense, and all that a grant can be about. */
  tools: ProfileTool[]
  prompts: ProfileTool[]
  /** Resources and templates. */
  resources: ProfileTool[]
  offered: ProfileTool[]
  heldBack: ProfileTool[]
  /** Those that are held back included, here and below. */
  byExposedName: Map<string, ProfileTool>
  promptsByName: Map<string, ProfileTool>
  byToolId: Map<ToolId, ProfileTool>
  /** The servers behind it, in the order in which they are asked. */
  servers: ServerSeen[]
}

export type ConnectionsSeen = {
  list(user: { id: UserId }): Promise<Connection[]>
  /** Also of what it no longer offers. */
  toolIdsEver(id: ConnectionId): Promise<ToolId[]>
  toolsById(ids: readonly ToolId[]): Promise<Tool[]>
  /** Undefined unless its owner trusts its server with changes of definitions. */
  trusted(id: ConnectionId): Promise<Pick<Connection, 'name' | 'ownerId'> | undefined>
}
type Deps = { store: Store; connections: ConnectionsSeen; reading: Pick<Reading, 'find'> }

const VIEWS_KEPT_MAX = 500

function viewOf(profile: Profile, all: ProfileTool[], servers: readonly ServerSeen[]): ProfileView {
  const served = all.filter((tool) => !tool.isHeldBack)
  const used = new Set(all.map(({ connectionId }) => connectionId))
  const of = (tools: readonly ProfileTool[], ...features: Feature[]) => tools.filter(({ feature }) => features.includes(feature))
  const byName = (feature: Feature) => new Map(of(all, feature).map((tool) => [tool.exposedName, tool]))
  return {
    profile,
    tools: of(served, 'tool'),
    prompts: of(served, 'prompt'),
    resources: of(served, 'resource', 'template'),
    offered: served,
    heldBack: all.filter((tool) => tool.isHeldBack),
    byExposedName: byName('tool'),
    promptsByName: byName('prompt'),
    byToolId: new Map(all.map((tool) => [tool.toolId, tool])),
    servers: servers.filter(({ connectionId }) => used.has(connectionId)),
  }
}

function serverSeen({ id, revision, upstream }: Connection): ServerSeen {
  const capabilities = upstream?.['capabilities']
  const isKnown = typeof capabilities === 'object' && capabilities !== null
  return { connectionId: id, isModern: revision === MODERN_REVISION, capabilities: isKnown ? (capabilities as JsonObject) : {} }
}

/** What a guest of an open profile may use of it; for most profiles that is all of it. */
function createGuestViews() {
  const views = new WeakMap<ProfileView, Map<UserId, ProfileView>>()
  /** On the way of every call, so that a profile is looked through once for each guest and not for its owner. */
  return (view: ProfileView, userId: UserId): ProfileView => {
    if (view.profile.ownerId === userId) return view
    const known = views.get(view) ?? new Map<UserId, ProfileView>()
    views.set(view, known)
    const found = known.get(userId) ?? guestsPart(view, userId)
    known.set(userId, found)
    return found
  }
}

function guestsPart(view: ProfileView, userId: UserId): ProfileView {
  const all = [...view.byToolId.values()]
  const theirs = all.filter(({ usableBy }) => usableBy === 'everyone' || usableBy === userId)
  return theirs.length === all.length ? view : viewOf(view.profile, theirs, view.servers)
}

/** Anew where apps get other words or arguments than its server gave it. */
const measured = (tool: ProfileTool): ProfileTool =>
  tool.feature === 'tool' && (tool.override || tool.purposeName !== undefined)
    ? { ...tool, contextCost: contextCost(exposedDefinition(tool)) }
    : tool

/** What a profile serves, put together once for each of its revisions. */
export function createViews({ store, connections, reading }: Deps) {
  const views = new Map<ProfileId, ProfileView>()
  /** Counts up with each change underneath: what was read before one must not be kept after it. */
  let changesSeen = 0

  const build = async (profile: Profile): Promise<ProfileView> => {
    const picks = await store.read.select().from(profileTools).where(eq(profileTools.profileId, profile.id))
    const pickOf = new Map(picks.map((pick) => [pick.toolId, pick]))
    const tools = await connections.toolsById([...pickOf.keys()])
    // Only what the owner may still see: an open connection can have become private since.
    const seen = new Map((await connections.list({ id: profile.ownerId })).map((connection) => [connection.id, connection]))
    const served = tools.flatMap((tool): ProfileTool[] => {
      const pick = pickOf.get(tool.id)
      const connection = seen.get(tool.connectionId)
      if (!pick || !connection || tool.goneAt !== null) return []
      const { id: toolId, connectionId, name: upstreamName, feature, definition, contextCost, hash } = tool
      const { exposedName, approvedDefinition, isPinned } = pick
      // What a resource says about itself (its size, its date) changes all the time and instructs nobody.
      const isHeldBack = hash !== pick.approvedHash && (feature === 'tool' || feature === 'prompt')
      const { name: connectionName, prefix } = connection
      const usableBy = connection.visibility === 'open' ? ('everyone' as const) : connection.ownerId
      const names = { connectionName, prefix, exposedName, upstreamName }
      const override = pick.override ?? undefined
      const kind = override?.kind ?? tool.kind
      const purposeName = profile.asksPurpose && feature === 'tool' ? purposeNameFor(definition['inputSchema']) : undefined
      const seenAs = { definition, override, isPinned, kind, contextCost, isHeldBack, approvedDefinition, hash, purposeName, usableBy }
      return [measured({ toolId, feature, connectionId, ...names, ...seenAs })]
    })
    return viewOf(profile, served, [...seen.values()].map(serverSeen))
  }

  const guestView = createGuestViews()
  const findView = async (id: ProfileId): Promise<ProfileView | undefined> => {
    const profile = await reading.find(id)
    if (!profile) return undefined
    const known = views.get(id)
    if (known?.profile.revision === profile.revision) return known
    const before = changesSeen
    const built = await build(profile)
    if (before !== changesSeen) return built
    if (views.size >= VIEWS_KEPT_MAX) views.delete(views.keys().next().value as ProfileId)
    views.set(id, built)
    return built
  }
  const view = async (id: ProfileId): Promise<ProfileView> => {
    const found = await findView(id)
    if (!found) throw new Failure('profile_not_found')
    return found
  }

  return {
    /** All of it, as its owner has it. @throws Failure `profile_not_found` */
    view,
    /** The same for whoever comes after the fact, when it may be gone. */
    findView,
    /** The same for a profile that was just read: on the path of every call, where nothing is to be waited for. */
    viewOf(profile: Profile, userId: UserId): ProfileView | Promise<ProfileView> {
      const known = views.get(profile.id)
      return known?.profile.revision === profile.revision ? guestView(known, userId) : view(profile.id).then((it) => guestView(it, userId))
    },
    /** What this user may use of it. Whether they may use the profile at all is asked before. @throws Failure `profile_not_found` */
    viewFor: async (userId: UserId, id: ProfileId): Promise<ProfileView> => guestView(await view(id), userId),
    /** Something underneath changed: tools of a connection, or the connection itself. */
    forgetViews(): void {
      changesSeen += 1
      views.clear()
    },
  }
}
