/**
 * Skills of upstreams (the extension of that name, SEP-2640): passed on for servers whose every resource is granted. Where its user wants to
 * be asked about each, skills are left out: they are read by ways on which nobody is asked.
 */
import { META } from '@/lib/meta-keys.ts'
import { EVERY_RESOURCE } from '@/connections'
import type { ConnectionId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { ProfileView } from '@/profiles'
import type { Caller } from './caller.ts'
import { type Asked, CODES, isObject, refuse } from './messages.ts'
import type { Talk } from './talk.ts'
import { cleanParams, type Targets } from './targets.ts'

type Relay = (caller: Caller, id: ConnectionId, asked: Asked, params: JsonObject, talk: Talk) => Promise<JsonObject>
type Deps = { relay: Relay; viewFor(caller: Caller): Promise<ProfileView>; targets: Pick<Targets, 'permissionFor'> }
type Other = (caller: Caller, asked: Asked, talk: Talk) => Promise<JsonObject>

const SKILLS = `${META}skills`
const PAGES_MAX = 50
const SKILLS_MAX = 1_000
const CACHING = { ttlMs: 60_000, cacheScope: 'private' }

export function createSkills({ relay, viewFor, targets }: Deps) {
  const serversOf = async (caller: Caller): Promise<ConnectionId[]> => {
    const view = await viewFor(caller)
    const isGranted = (id: ConnectionId) =>
      view.resources.some(
        (item) => item.connectionId === id && item.upstreamName === EVERY_RESOURCE && targets.permissionFor(caller, item) === 'allow',
      )
    return view.servers
      .filter(
        ({ capabilities, connectionId }) =>
          isObject(capabilities['extensions']) && capabilities['extensions'][SKILLS] !== undefined && isGranted(connectionId),
      )
      .map(({ connectionId }) => connectionId)
  }
  const allOf = async (caller: Caller, id: ConnectionId, asked: Asked, talk: Talk): Promise<unknown[]> => {
    const found: unknown[] = []
    let cursor: unknown
    for (let page = 0; page < PAGES_MAX && found.length < SKILLS_MAX; page += 1) {
      const result = await relay(caller, id, { ...asked, method: 'skills/list' }, cursor === undefined ? {} : { cursor }, talk)
      if (Array.isArray(result['skills'])) found.push(...result['skills'])
      if (typeof result['nextCursor'] !== 'string' || result['nextCursor'] === cursor) break
      cursor = result['nextCursor']
    }
    return found
  }
  /** One page: what several servers have, the servers in their order. One that is away costs its own. */
  const list: Other = async (caller, asked, talk) => {
    if (asked.params['cursor'] !== undefined) return refuse(200, CODES.invalidParams, 'Unknown cursor')
    const servers = await serversOf(caller)
    const lists = await Promise.all(servers.map((id) => allOf(caller, id, asked, talk).catch(() => [])))
    return { skills: lists.flat().slice(0, SKILLS_MAX), ...CACHING }
  }
  /** The first server that knows the address; none of them is told more than that it was asked for. */
  const first: Other = async (caller, asked, talk) => {
    const { _meta, ...params } = cleanParams(asked.params)
    let refusal: unknown
    for (const id of await serversOf(caller)) {
      try {
        return { ...CACHING, ...(await relay(caller, id, asked, params, talk)), cacheScope: 'private' }
      } catch (error) {
        refusal = error
      }
    }
    throw refusal ?? refuse(200, CODES.invalidParams, 'Unknown skill')
  }
  const methods: Readonly<Record<string, Other>> = { 'skills/list': list, 'skills/get': first, 'resources/directory/read': first }
  return { of: (method: string): Other | undefined => (Object.hasOwn(methods, method) ? methods[method] : undefined) }
}
