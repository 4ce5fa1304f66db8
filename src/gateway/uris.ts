/** Addresses of resources in results: what an upstream calls so may be called otherwise here, where two upstreams have the same. */
import type { JsonObject, JsonRpcError } from '@/plugins'
import type { ProfileView } from '@/profiles'
import { type Asked, isObject, textOf } from './messages.ts'
import type { Target } from './targets.ts'

type Renames = ReadonlyMap<string, string>
const NONE: Renames = new Map()

export function createUris() {
  const known = new WeakMap<ProfileView, Map<string, Renames>>()
  /** Of one upstream, and only those that differ; for nearly every profile there are none. */
  const renamesOf = (view: ProfileView, { connectionId }: Target): Renames => {
    const ofView = known.get(view) ?? new Map<string, Renames>()
    known.set(view, ofView)
    const renames = ofView.get(connectionId)
    if (renames) return renames
    const differing = view.resources.filter((item) => item.connectionId === connectionId && item.feature === 'resource')
    const made = new Map(differing.filter(isRenamed).map((item) => [item.upstreamName, item.exposedName]))
    ofView.set(connectionId, made.size === 0 ? NONE : made)
    return made
  }
  return {
    concern: (view: ProfileView, target: Target): boolean => view.resources.length > 0 && renamesOf(view, target).size > 0,
    /** What was read answers under the address that was asked for; links in other results lead to where they can be followed. */
    exposed(result: JsonObject, target: Target, { method, params }: Asked, view: ProfileView): JsonObject {
      const renames = renamesOf(view, target)
      const asked = textOf(params['uri'])
      if (method === 'resources/read' && asked !== target.name)
        return { ...result, contents: replaced(result['contents'], new Map([[target.name, asked]])) }
      if (renames.size === 0) return result
      return { ...result, ...(result['content'] !== undefined && { content: linked(result['content'], renames) }) }
    },
    inError: ({ data, ...error }: JsonRpcError, { params }: Asked): JsonRpcError =>
      isObject(data) && data['uri'] !== undefined
        ? { ...error, data: { ...data, uri: params['uri'] } }
        : data === undefined
          ? error
          : { ...error, data },
  }
}

const isRenamed = ({ upstreamName, exposedName }: { upstreamName: string; exposedName: string }) =>
  upstreamName !== exposedName && !exposedName.endsWith(':*')

const replaced = (contents: unknown, renames: Renames): unknown =>
  Array.isArray(contents) ? contents.map((each) => (isObject(each) ? renamed(each, renames) : each)) : contents

const renamed = (it: JsonObject, renames: Renames): JsonObject => {
  const uri = renames.get(textOf(it['uri']))
  return uri === undefined ? it : { ...it, uri }
}

const linked = (content: unknown, renames: Renames): unknown =>
  Array.isArray(content)
    ? content.map((block) => {
        if (!isObject(block)) return block
        if (block['type'] === 'resource_link') return renamed(block, renames)
        return block['type'] === 'resource' && isObject(block['resource'])
          ? { ...block, resource: renamed(block['resource'], renames) }
          : block
      })
    : content
