/** Which upstream a request means, and whether this caller's grant covers it. Not there, not in the profile, not granted: all look alike. */
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { EVERY_RESOURCE, type Resources } from '@/connections'
import { decide, permissionOf } from '@/grants'
import type { JsonObject } from '@/plugins'
import { adjustedArguments, type ProfileTool, type ProfileView, type ResolvedUri, resolveUri } from '@/profiles'
import type { Caller } from './caller.ts'
import { CODES, inPlainLetters, isObject, isPlainCall, Refusal, textOf } from './messages.ts'

export type Target = {
  tool: ProfileTool
  connectionId: ConnectionId
  permission: 'allow' | 'ask'
  /** As the upstream knows it. */
  name: string
  /** What goes to the upstream, `_meta` and what belongs to another round aside. */
  params: JsonObject
  /** What the call is for, as its caller says, where the profile asks for it. */
  purpose?: string | undefined
}
export type TargetDeps = {
  connections: { resources(id: ConnectionId, userId: UserId, feature: 'resource' | 'template'): Promise<Resources> }
  clock: Clock
}

/**
 * Fields of requests that we know. A server that reads JSON without regard to case (Go's does) would take `Name` for `name`: what differs
 * from one of these in nothing else is not passed on, or a tool could be called that was never granted.
 */
const FIELDS = [
  'name',
  'uri',
  'arguments',
  '_meta',
  'task',
  'ref',
  'argument',
  'context',
  'cursor',
  'inputResponses',
  'requestState',
  'taskId',
]
const known = new Set(FIELDS)
const spelled = new Set(FIELDS.map(inPlainLetters))

export function cleanParams(params: JsonObject): JsonObject {
  const clean: JsonObject = {}
  for (const [name, value] of Object.entries(params)) {
    if (known.has(name) || !spelled.has(inPlainLetters(name))) clean[name] = value
  }
  return clean
}

/** What goes along beside a name and arguments. */
function othersIn(params: JsonObject): JsonObject {
  const { name: _, arguments: __, inputResponses, requestState, _meta, ...others } = cleanParams(params)
  return others
}

/** Whoever could call it otherwise may know why not: its user can do something about it. */
const isPaused = ({ grant }: Caller, tool: ProfileTool | undefined): boolean =>
  tool !== undefined && grant.without.has(tool.connectionId) && permissionOf(grant, tool.toolId) !== 'refuse'

export function createTargets({ connections, clock }: TargetDeps) {
  const permissionFor = ({ grant }: Caller, tool: ProfileTool | undefined): 'allow' | 'ask' | 'refuse' =>
    tool ? decide(grant, tool, clock()) : 'refuse'
  const demand = (caller: Caller, tool: ProfileTool | undefined): { tool: ProfileTool; permission: 'allow' | 'ask' } => {
    const permission = permissionFor(caller, tool)
    if (!tool || permission === 'refuse') throw new Failure(isPaused(caller, tool) ? 'connection_paused' : 'tool_not_granted')
    return { tool, permission }
  }
  const named = (params: JsonObject, tool: ProfileTool, permission: 'allow' | 'ask'): Target => {
    const name = tool.upstreamName
    const { given, purpose } = adjustedArguments(tool, params['arguments'])
    const own: JsonObject = isPlainCall(params) ? { name } : { name, ...othersIn(params) }
    if (given !== undefined) own['arguments'] = given
    return { tool, permission, purpose, connectionId: tool.connectionId, name, params: own }
  }
  /** Of servers whose every resource was picked, the one that has it: as it lists, or at least of this kind. */
  const owning = async (caller: Caller, candidates: readonly ResolvedUri[]): Promise<ResolvedUri | undefined> => {
    const [only, ...others] = candidates
    if (!only || others.length === 0) return only
    const lists = await Promise.all(
      candidates.map(async (candidate) => ({
        candidate,
        listed: (await connections.resources(candidate.connectionId, caller.userId, 'resource')).definitions.map(({ uri }) => textOf(uri)),
      })),
    )
    const schemeOf = (uri: string) => uri.slice(0, uri.indexOf(':') + 1)
    const found =
      lists.find(({ candidate, listed }) => listed.includes(candidate.upstreamUri)) ??
      lists.find(({ candidate, listed }) => listed.some((uri) => schemeOf(uri) === schemeOf(candidate.upstreamUri)))
    return found?.candidate
  }

  return {
    permissionFor,
    tool: (caller: Caller, view: ProfileView, params: JsonObject): Target => {
      const { tool, permission } = demand(caller, view.byExposedName.get(textOf(params['name'])))
      return named(params, tool, permission)
    },
    prompt: (caller: Caller, view: ProfileView, params: JsonObject): Target => {
      const { tool, permission } = demand(caller, view.promptsByName.get(textOf(params['name'])))
      return named(params, tool, permission)
    },
    async resource(caller: Caller, view: ProfileView, params: JsonObject): Promise<Target> {
      const uri = textOf(params['uri'])
      const granted = resolveUri(view, uri).filter(({ by }) => permissionFor(caller, by) !== 'refuse')
      const isWhole = ({ by }: ResolvedUri) => by.upstreamName === EVERY_RESOURCE
      const found = granted.find((each) => !isWhole(each)) ?? (await owning(caller, granted.filter(isWhole)))
      if (!found) throw new Failure('tool_not_granted')
      const { uri: _, inputResponses, requestState, _meta, ...rest } = cleanParams(params)
      const permission = permissionFor(caller, found.by) === 'ask' ? 'ask' : 'allow'
      return {
        tool: found.by,
        permission,
        connectionId: found.connectionId,
        name: found.upstreamUri,
        params: { uri: found.upstreamUri, ...rest },
      }
    },
    /** What is to be completed: an argument of a prompt, or of a template. */
    async completion(caller: Caller, view: ProfileView, params: JsonObject): Promise<Target> {
      const { ref, _meta, ...rest } = cleanParams(params)
      if (!isObject(ref)) throw new Refusal(200, { code: CODES.invalidParams, message: 'params.ref is missing.' })
      const isPrompt = ref['type'] === 'ref/prompt'
      const found = isPrompt ? view.promptsByName.get(textOf(ref['name'])) : await templateOf(caller, view, textOf(ref['uri']))
      const { tool, permission } = demand(caller, found)
      const own = isPrompt
        ? { type: 'ref/prompt', name: tool.upstreamName }
        : { type: 'ref/resource', uri: templateName(tool, textOf(ref['uri'])) }
      return { tool, permission, connectionId: tool.connectionId, name: tool.upstreamName, params: { ...rest, ref: own } }
    },
  }

  /** A picked one, or one of a server whose every resource was picked. */
  async function templateOf(caller: Caller, view: ProfileView, uri: string): Promise<ProfileTool | undefined> {
    const picked = view.resources.find((item) => item.exposedName === uri && permissionFor(caller, item) !== 'refuse')
    if (picked) return picked
    for (const item of view.resources) {
      if (item.upstreamName !== EVERY_RESOURCE || permissionFor(caller, item) === 'refuse') continue
      const { definitions } = await connections.resources(item.connectionId, caller.userId, 'template')
      if (definitions.some(({ uriTemplate }) => uriTemplate === uri)) return item
    }
    return undefined
  }
}
export type Targets = ReturnType<typeof createTargets>

const templateName = (tool: ProfileTool, asked: string): string => (tool.upstreamName === EVERY_RESOURCE ? asked : tool.upstreamName)
