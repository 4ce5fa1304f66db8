/** What a profile offers to one grant: merged, in a stable order, in pages, written once for as long as it holds. */
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { EVERY_RESOURCE, type Resources, type Tool } from '@/connections'
import type { JsonObject } from '@/plugins'
import { exposedDefinition, prefixedUri, type Profile, type ProfileTool, type ProfileView } from '@/profiles'
import type { Caller } from './caller.ts'
import { CODES, isObject, refuse, textOf } from './messages.ts'
import { legacyDefinition } from './results.ts'
import type { Searching } from './searching.ts'
import type { States } from './states.ts'
import type { Targets } from './targets.ts'

export type ListKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates'
/** `note`: what is missing and why, for who looks into the metadata. */
type Listed = { items: JsonObject[]; note?: string }
export type ListsDeps = {
  profiles: { viewOf(profile: Profile, userId: UserId): Promise<ProfileView> | ProfileView }
  connections: {
    resources(id: ConnectionId, userId: UserId, feature: 'resource' | 'template'): Promise<Resources>
    everything(ids: readonly ConnectionId[]): Promise<Tool[]>
  }
  states: States
  targets: Pick<Targets, 'permissionFor'>
  searching: Pick<Searching, 'listed'>
}

const PAGE_ITEMS = 500
/** Our own remark in a list's metadata, under a name that is ours. */
const NOTE = 'toolpass.dev/note'

export const LISTS: ReadonlyMap<string, ListKind> = new Map([
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
])

export function createLists({ profiles, connections, states, targets, searching }: ListsDeps) {
  const tools = (caller: Caller, view: ProfileView, isModern: boolean): JsonObject[] => {
    if (caller.profile.delivery === 'search') {
      const isOwn = new Set(
        view.tools.filter((tool) => targets.permissionFor(caller, tool) === 'refuse').map(({ exposedName }) => exposedName),
      )
      return searching.listed(view).filter(({ name }) => !isOwn.has(String(name)))
    }
    const granted = view.tools
      .filter((tool) => targets.permissionFor(caller, tool) !== 'refuse')
      .map((tool) => exposedDefinition(tool, uriOf(view, tool)))
    return isModern ? granted : granted.map(legacyDefinition)
  }
  const prompts = (caller: Caller, view: ProfileView): JsonObject[] =>
    view.prompts.filter((prompt) => targets.permissionFor(caller, prompt) !== 'refuse').map((prompt) => exposedDefinition(prompt))

  /** Of each server what it lists for this user right now, as far as it was picked and granted. */
  const resources = async (caller: Caller, view: ProfileView, feature: 'resource' | 'template'): Promise<Listed> => {
    const granted = view.resources.filter((item) => targets.permissionFor(caller, item) !== 'refuse')
    const servers = [...new Set(granted.map(({ connectionId }) => connectionId))]
    const lists = await Promise.all(servers.map(async (id) => ({ id, ...(await connections.resources(id, caller.userId, feature)) })))
    const key = feature === 'resource' ? 'uri' : 'uriTemplate'
    const taken = new Set<string>()
    const items = lists.flatMap(({ id, definitions }) => {
      const own = granted.filter(({ connectionId }) => connectionId === id)
      const isWhole = own.some(({ upstreamName }) => upstreamName === EVERY_RESOURCE)
      const picked = new Map(own.filter((item) => item.feature === feature).map((item) => [item.upstreamName, item]))
      return definitions.flatMap((definition) => {
        const uri = textOf(definition[key])
        const item = picked.get(uri)
        if (!item && !isWhole) return []
        const exposed = item?.exposedName ?? freeUri(uri, own[0], taken)
        taken.add(exposed)
        return [{ ...definition, [key]: exposed }]
      })
    })
    const away = lists.filter(({ isOld }) => isOld).map(({ id }) => granted.find(({ connectionId }) => connectionId === id)?.connectionName)
    return away.length === 0 ? { items } : { items, note: `Not reached just now: ${away.join(', ')}. What they listed before is shown.` }
  }

  const listOf = async (kind: ListKind, caller: Caller, view: ProfileView, isModern: boolean): Promise<Listed> => {
    if (kind === 'tools') return { items: tools(caller, view, isModern) }
    if (kind === 'prompts') return { items: prompts(caller, view) }
    return resources(caller, view, kind === 'resources' ? 'resource' : 'template')
  }
  /** As they were listed last, so that nobody has to be asked: whoever hears of a change asks for the list. */
  const storedResources = async (caller: Caller, view: ProfileView): Promise<unknown[]> => {
    const granted = view.resources.filter((item) => targets.permissionFor(caller, item) !== 'refuse')
    const wholes = granted.filter(({ upstreamName }) => upstreamName === EVERY_RESOURCE).map(({ connectionId }) => connectionId)
    const stored = (await connections.everything(wholes)).filter(({ feature }) => feature === 'resource' || feature === 'template')
    return [...granted.map(({ exposedName, hash }) => [exposedName, hash]), ...stored.map(({ id, hash }) => [id, hash])]
  }
  const cache = createCache()

  return {
    /** One page, as the members of its result. @throws Refusal for a cursor that is none of ours */
    async page(kind: ListKind, caller: Caller, params: JsonObject, isModern: boolean): Promise<JsonObject> {
      const view = await profiles.viewOf(caller.profile, caller.userId)
      const { items, note } = await listOf(kind, caller, view, isModern)
      const about = `${caller.grant.id} ${kind}`
      const { cursor } = params
      const from = cursor === undefined ? 0 : typeof cursor === 'string' ? states.openCursor(cursor, about) : undefined
      if (from === undefined) return refuse(200, CODES.invalidParams, 'Unknown cursor')
      const page: JsonObject = { [kind]: items.slice(from, from + PAGE_ITEMS) }
      if (from + PAGE_ITEMS < items.length) page['nextCursor'] = states.sealCursor(from + PAGE_ITEMS, about)
      return note === undefined ? page : { ...page, _meta: { [NOTE]: note } }
    },
    /** The first page of the tools as text, from what was written before where nothing has changed since. */
    async toolsText(caller: Caller, isModern: boolean, shape: (page: JsonObject) => JsonObject): Promise<string> {
      const view = await profiles.viewOf(caller.profile, caller.userId)
      const known = cache.find(view, caller, isModern)
      if (known !== undefined) return known
      const text = JSON.stringify(shape(await this.page('tools', caller, {}, isModern)))
      cache.keep(view, caller, isModern, text)
      return text
    },
    /** Tells one state of a list from another, for who is to be told of changes. */
    async mark(kind: ListKind, caller: Caller): Promise<string> {
      const view = await profiles.viewOf(caller.profile, caller.userId)
      if (kind === 'tools') return hashOf(tools(caller, view, true))
      return hashOf(kind === 'prompts' ? prompts(caller, view) : await storedResources(caller, view))
    },
  }
}
export type Lists = ReturnType<typeof createLists>

/** Of what was not picked by its address nothing is stored; where two servers have the same, the later one's is told apart. */
function freeUri(uri: string, of: ProfileTool | undefined, taken: ReadonlySet<string>): string {
  return taken.has(uri) && of ? prefixedUri(of.prefix, uri) : uri
}

/** How a tool's own page (MCP Apps) is called here. */
const uriOf =
  (view: ProfileView, { connectionId }: ProfileTool) =>
  (uri: string): string =>
    view.resources.find((item) => item.connectionId === connectionId && item.feature === 'resource' && item.upstreamName === uri)
      ?.exposedName ?? uri

type Kept = { permissions: ReadonlyMap<string, string>; laterTools: string; without: ReadonlySet<string>; text: string }

/** By view, grant and revision; what a grant allows stands in the key, so that a changed one finds nothing. */
function createCache() {
  const texts = new WeakMap<ProfileView, Map<string, Kept>>()
  const keyOf = ({ grant, profile }: Caller, isModern: boolean) => `${grant.id} ${isModern} ${profile.delivery}`
  return {
    find(view: ProfileView, caller: Caller, isModern: boolean): string | undefined {
      const known = texts.get(view)?.get(keyOf(caller, isModern))
      const { grant } = caller
      if (!known || known.laterTools !== grant.laterTools || !hasSame(known.without, grant.without)) return undefined
      return known.permissions === grant.tools || isSame(known.permissions, grant.tools) ? known.text : undefined
    },
    keep(view: ProfileView, caller: Caller, isModern: boolean, text: string): void {
      const ofView = texts.get(view) ?? new Map()
      texts.set(view, ofView)
      if (ofView.size >= TEXTS_OF_A_VIEW_MAX) ofView.clear()
      const { tools: permissions, laterTools, without } = caller.grant
      ofView.set(keyOf(caller, isModern), { permissions, laterTools, without, text })
    },
  }
}
const TEXTS_OF_A_VIEW_MAX = 200
const hashOf = (value: unknown): string => String(Bun.hash(JSON.stringify(value)))

const hasSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one === other || (one.size === other.size && [...one].every((each) => other.has(each)))

const isSame = (one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean =>
  one.size === other.size && [...one].every(([id, permission]) => other.get(id) === permission)

/** What the servers behind a profile can do, as one: what any of them offers is offered. */
export function capabilitiesOf(view: ProfileView, isModern: boolean): JsonObject {
  const { servers, prompts, resources } = view
  const any = (name: string, what?: string) =>
    servers.some(({ capabilities }) => {
      const offered = capabilities[name]
      return what === undefined ? offered !== undefined : isObject(offered) && offered[what] === true
    })
  const extensions = Object.assign(
    {},
    ...servers
      .filter((server) => server.isModern)
      .map(({ capabilities }) => (isObject(capabilities['extensions']) ? capabilities['extensions'] : {})),
  )
  const capabilities: JsonObject = { tools: { listChanged: true } }
  if (prompts.length > 0) capabilities['prompts'] = { listChanged: true }
  if (resources.length > 0) capabilities['resources'] = { listChanged: true, ...(any('resources', 'subscribe') && { subscribe: true }) }
  if (any('logging')) capabilities['logging'] = {}
  if (any('completions')) capabilities['completions'] = {}
  if (isModern && Object.keys(extensions).length > 0) capabilities['extensions'] = extensions
  const hasTasks = servers.some((server) => !server.isModern && isObject(server.capabilities['tasks']))
  if (!isModern && hasTasks) capabilities['tasks'] = { cancel: {}, requests: { tools: { call: {} } } }
  return capabilities
}
