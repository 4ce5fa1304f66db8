/** The three tools of a profile that is served through search. What they find, describe and call is what the grant allows, no more. */
import type { CallRecord } from '@/audit'
import type { JsonObject } from '@/plugins'
import {
  createSearch,
  exposedDefinition,
  type ProfileTool,
  type ProfileView,
  SEARCH_DEFINITIONS,
  SEARCH_TOOLS,
  summaryOf,
} from '@/profiles'
import { Failure } from '@/lib/failure.ts'
import type { Caller } from './caller.ts'
import { type Asked, isObject, textOf } from './messages.ts'
import type { Targets } from './targets.ts'

/** `asked` is the call that was meant. */
type Taken = { result: JsonObject; asked?: undefined } | { asked: Asked; result?: undefined }

export function createSearching({ targets }: { targets: Pick<Targets, 'permissionFor'> }) {
  const search = createSearch()
  const mayUse = (caller: Caller) => (tool: ProfileTool) => targets.permissionFor(caller, tool) !== 'refuse'

  const find = (caller: Caller, view: ProfileView, args: JsonObject): JsonObject => {
    const tools = search.find(view, { query: args['query'], limit: args['limit'] }, mayUse(caller)).map(summaryOf)
    const hint = tools.length === 0 ? ' Nothing fits; try other words.' : ''
    return { content: [{ type: 'text', text: JSON.stringify({ tools }) + hint }], structuredContent: { tools } }
  }
  const describe = (caller: Caller, view: ProfileView, { name }: JsonObject): JsonObject => {
    const tool = view.byExposedName.get(textOf(name))
    if (!tool || tool.isHeldBack || !mayUse(caller)(tool)) throw new Failure('tool_not_granted')
    const definition = exposedDefinition(tool)
    return { content: [{ type: 'text', text: JSON.stringify(definition) }], structuredContent: definition }
  }

  return {
    /** What is listed in place of all tools. */
    listed: (view: ProfileView): JsonObject[] => [
      ...SEARCH_DEFINITIONS,
      ...view.tools.filter(({ isPinned }) => isPinned).map((tool) => exposedDefinition(tool)),
    ],
    /** Undefined for a tool that is no one of the three. @throws Failure `tool_not_granted` */
    take(caller: Caller, view: ProfileView, asked: Asked, record: CallRecord): Taken | undefined {
      const { name, arguments: given, ...rest } = asked.params
      const args = isObject(given) ? given : {}
      if (name === SEARCH_TOOLS.call) {
        record.subject = textOf(args['name']).slice(0, 200)
        record.detail = { via: SEARCH_TOOLS.call }
        const { text: _, ...outer } = asked
        return {
          asked: {
            ...outer,
            params: { ...rest, name: textOf(args['name']), arguments: isObject(args['arguments']) ? args['arguments'] : {} },
          },
        }
      }
      if (name !== SEARCH_TOOLS.find && name !== SEARCH_TOOLS.describe) return undefined
      record.readOnly = true
      return { result: name === SEARCH_TOOLS.find ? find(caller, view, args) : describe(caller, view, args) }
    },
  }
}
export type Searching = ReturnType<typeof createSearching>
