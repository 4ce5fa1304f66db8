/** Requests that are no calls: completion, subscriptions to resources, tasks, skills; what goes to one upstream and is not in the trail. */
import { META } from '@/lib/meta-keys.ts'
import { mirroredHeaders, type Resources, type Tool, type Upstream } from '@/connections'
import { Failure, isFailure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { Profile, ProfileView } from '@/profiles'
import type { Caller } from './caller.ts'
import { demandMirrored } from './headers.ts'
import { capabilitiesOf, createLists } from './lists.ts'
import type { Limiting } from './limiting.ts'
import { type Asked, CODES, isObject, refuse, textOf } from './messages.ts'
import { refusalOf, resultOfFailure } from './results.ts'
import type { Searching } from './searching.ts'
import { createSkills } from './skills.ts'
import type { States } from './states.ts'
import { missingCapability, type Talk } from './talk.ts'
import { cleanParams, type Targets } from './targets.ts'
import type { Tasks } from './tasks.ts'

export type OthersDeps = {
  profiles: { viewOf(profile: Profile, userId: UserId): Promise<ProfileView> | ProfileView }
  connections: {
    reach(id: ConnectionId, userId: UserId): Promise<Upstream>
    resources(id: ConnectionId, userId: UserId, feature: 'resource' | 'template'): Promise<Resources>
    everything(ids: readonly ConnectionId[]): Promise<Tool[]>
    watchResource(id: ConnectionId, userId: UserId, uri: string, tell: () => void): Promise<() => void>
    tellOpen(ids: readonly ConnectionId[], userId: UserId, method: string): Promise<void>
  }
  states: States
  targets: Targets
  searching: Searching
  tasks: Tasks
  limiting: Pick<Limiting, 'mayCut' | 'cutLate'>
}
type Other = (caller: Caller, asked: Asked, talk: Talk) => Promise<JsonObject>

const TIMEOUT_MS = 60_000
const TASKS = `${META}tasks`
const MODERN_TASKS = new Set(['tasks/get', 'tasks/update', 'tasks/cancel'])
const LEGACY_TASKS = new Set(['tasks/get', 'tasks/result', 'tasks/cancel'])
/** `tasks/result` waits until the task has ended. */
const TASK_RESULT_TIMEOUT_MS = 10 * 60_000

export function createOthers(deps: OthersDeps) {
  const { profiles, connections, targets } = deps
  const lists = createLists(deps)
  const viewFor = async (caller: Caller) => profiles.viewOf(caller.profile, caller.userId)
  /** Asked of an upstream as it is. A failure is said as an error: none of these is a model's to read. @throws Refusal */
  const relay = async (
    caller: Caller,
    id: ConnectionId,
    asked: Asked,
    params: JsonObject,
    talk: Talk,
    timeoutMs = TIMEOUT_MS,
  ): Promise<JsonObject> => {
    try {
      const upstream = await connections.reach(id, caller.userId)
      const { result, error } = await upstream.request(asked.method, params, { signal: talk.signal, timeoutMs, meta: talk.meta })
      if (error) throw refusalOf(error, talk.isModern)
      return result
    } catch (error) {
      throw isFailure(error) ? asRefusal(error, asked, talk) : error
    }
  }
  const skills = createSkills({ ...deps, relay, viewFor })

  const complete: Other = async (caller, asked, talk) => {
    const target = await targets
      .completion(caller, await viewFor(caller), asked.params)
      .catch((error) => Promise.reject(asRefusal(error, asked, talk)))
    return relay(caller, target.connectionId, asked, target.params, talk)
  }
  const task: Other = async (caller, asked, talk) => {
    if (talk.isModern && !isObject((talk.capabilities['extensions'] as JsonObject | undefined)?.[TASKS]))
      throw missingCapability({ extensions: { [TASKS]: {} } })
    const id = textOf(asked.params['taskId'])
    const ref = deps.states.openTask(id, caller.grant.id)
    const tool = ref && (await viewFor(caller)).byToolId.get(ref.toolId)
    if (!ref || !tool || targets.permissionFor(caller, tool) === 'refuse') return refuse(200, CODES.invalidParams, 'Unknown task')
    const { _meta, ...params } = cleanParams(asked.params)
    const result = await relay(
      caller,
      ref.connectionId,
      asked,
      { ...params, taskId: ref.taskId },
      talk,
      asked.method === 'tasks/result' ? TASK_RESULT_TIMEOUT_MS : TIMEOUT_MS,
    )
    const renamed = deps.tasks.renamed(result, ref.taskId, id)
    const cut = (whole: JsonObject) => deps.limiting.cutLate(whole, caller, tool, talk.lacksLinks === true)
    if (asked.method === 'tasks/result') return cut(renamed)
    return isObject(renamed['result']) ? { ...renamed, result: await cut(renamed['result']) } : renamed
  }

  return {
    lists,
    capabilities: async (caller: Caller, isModern: boolean): Promise<JsonObject> => {
      const view = await viewFor(caller)
      return withKept(capabilitiesOf(view, isModern), view, (ids) => deps.limiting.mayCut(caller, ids))
    },
    modern: (method: string): Other | undefined => {
      if (method === 'completion/complete') return complete
      return MODERN_TASKS.has(method) ? task : skills.of(method)
    },
    legacy: (method: string): Other | undefined => {
      if (method === 'completion/complete') return complete
      return LEGACY_TASKS.has(method) ? task : undefined
    },
    ...createHearing(deps, viewFor),
    /** @throws Refusal where the headers do not say what the arguments of a tool say that wants them mirrored */
    demandMirrored(request: Request, caller: Caller, { params }: Asked): Promise<void> | undefined {
      const check = (view: ProfileView) => {
        const tool = view.byExposedName.get(textOf(params['name']))
        const mirrored = tool && mirroredHeaders(tool.definition, params['arguments'])
        if (mirrored) demandMirrored(request, mirrored)
      }
      const view = profiles.viewOf(caller.profile, caller.userId)
      return view instanceof Promise ? view.then(check) : (check(view), undefined)
    },
    /** A client's roots are others now; servers that asked for them may ask again. */
    async rootsChanged(caller: Caller): Promise<void> {
      const { servers } = await viewFor(caller)
      await connections.tellOpen(
        servers.map(({ connectionId }) => connectionId),
        caller.userId,
        'notifications/roots/list_changed',
      )
    },
  }
}

/** What is told of resources without being asked. */
function createHearing({ connections, targets }: OthersDeps, viewFor: (caller: Caller) => Promise<ProfileView>) {
  return {
    /** Calls `tell` when the resource has changed. @throws Failure `tool_not_granted` where it is not theirs to read */
    async watch(caller: Caller, uri: string, tell: () => void): Promise<() => void> {
      const target = await targets.resource(caller, await viewFor(caller), { uri })
      return connections.watchResource(target.connectionId, caller.userId, target.name, tell)
    },
    /** By what holds now: it may have been refused, or paused, since it was asked for. */
    mayRead: (caller: Caller, uri: string): Promise<boolean> =>
      viewFor(caller)
        .then((view) => targets.resource(caller, view, { uri }))
        .then(
          () => true,
          () => false,
        ),
  }
}
export type Others = ReturnType<typeof createOthers>

/** Results that are cut are resources to read on. */
function withKept(capabilities: JsonObject, { servers }: ProfileView, mayCut: (ids: readonly ConnectionId[]) => boolean): JsonObject {
  if (capabilities['resources'] !== undefined || !mayCut(servers.map(({ connectionId }) => connectionId))) return capabilities
  return { ...capabilities, resources: {} }
}

/** What a failure is as an error of the protocol, whatever the method. */
function asRefusal(error: unknown, { method, params }: Asked, { isModern }: Talk): unknown {
  if (!(error instanceof Failure)) return error
  try {
    resultOfFailure(error, { method, params: isObject(params['ref']) ? params['ref'] : params }, isModern)
  } catch (refusal) {
    return refusal
  }
  return error
}
