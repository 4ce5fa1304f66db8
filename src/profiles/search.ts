/**
 * A profile with hundreds of tools, served as three: one that finds, one that describes, one that calls. What an app may find is what it
 * may call; the decision is made by whoever asks, on the same grant, each time.
 */
import type { JsonObject } from '@/plugins'
import { createTextIndex, type TextIndex } from '@/store'
import { ownDefinition } from './exposing.ts'
import { SEARCH_TOOLS } from './naming.ts'
import type { ProfileTool } from './tool.ts'
import type { ProfileView } from './view.ts'

const FOUND_MAX = 20
const FOUND_DEFAULT = 8
/** More than are shown, since some of them may not be granted. */
const LOOKED_AT_MAX = 200
const SUMMARY_CHARS_MAX = 240

const READ_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }
const text = (description: string) => ({ type: 'string', description })

/** As they are listed. `call_tool` may do whatever the tool does that is called through it. */
export const SEARCH_DEFINITIONS: readonly JsonObject[] = [
  {
    name: SEARCH_TOOLS.find,
    title: 'Find tools',
    description:
      'Searches the tools that are available here by what they do. Returns names with a short description, the best match first. Use it before saying that something cannot be done.',
    inputSchema: {
      type: 'object',
      properties: {
        query: text('What the tool should do, in a few words.'),
        limit: { type: 'integer', minimum: 1, maximum: FOUND_MAX, default: FOUND_DEFAULT },
      },
      required: ['query'],
    },
    annotations: READ_ONLY,
  },
  {
    name: SEARCH_TOOLS.describe,
    title: 'Describe a tool',
    description: 'Returns the whole definition of one tool that was found: its description and the schema of its arguments.',
    inputSchema: { type: 'object', properties: { name: text('The name, as it was found.') }, required: ['name'] },
    annotations: READ_ONLY,
  },
  {
    name: SEARCH_TOOLS.call,
    title: 'Call a tool',
    description: 'Calls a tool that was found, with arguments that fit its schema, and returns what it returns.',
    inputSchema: {
      type: 'object',
      properties: { name: text('The name, as it was found.'), arguments: { type: 'object', description: 'Its arguments.' } },
      required: ['name'],
    },
    annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  },
]

export function createSearch() {
  /** One for each view, as long as the view lives. */
  const indexes = new WeakMap<ProfileView, TextIndex>()
  const indexOf = (view: ProfileView): TextIndex => {
    const known = indexes.get(view)
    if (known) return known
    const made = createTextIndex(view.tools.map(indexed))
    indexes.set(view, made)
    return made
  }
  return {
    /** @param mayUse whether this caller may use it. An empty query gives the first ones. */
    find(view: ProfileView, { query, limit }: { query: unknown; limit: unknown }, mayUse: (tool: ProfileTool) => boolean): ProfileTool[] {
      const max = typeof limit === 'number' && limit >= 1 ? Math.min(Math.floor(limit), FOUND_MAX) : FOUND_DEFAULT
      const words = typeof query === 'string' ? query.slice(0, 1_000) : ''
      const ids = words.trim() === '' ? view.tools.map(({ toolId }) => toolId) : indexOf(view).search(words, LOOKED_AT_MAX)
      const found: ProfileTool[] = []
      for (const id of ids) {
        const tool = view.byToolId.get(id as ProfileTool['toolId'])
        if (tool && mayUse(tool)) found.push(tool)
        if (found.length >= max) break
      }
      return found
    },
  }
}

/** A line for each, as a model reads it. */
export const summaryOf = (tool: ProfileTool): JsonObject => {
  const { description } = ownDefinition(tool)
  const said = typeof description === 'string' ? description : ''
  return {
    name: tool.exposedName,
    description: said.length > SUMMARY_CHARS_MAX ? `${said.slice(0, SUMMARY_CHARS_MAX)}…` : said,
    kind: tool.kind,
  }
}

function indexed(tool: ProfileTool) {
  const { description, title, inputSchema } = ownDefinition(tool)
  const properties = (inputSchema as { properties?: Record<string, { description?: unknown }> } | undefined)?.properties ?? {}
  const parameters = Object.entries(properties).map(
    ([name, property]) => `${name} ${typeof property?.description === 'string' ? property.description : ''}`,
  )
  return {
    id: tool.toolId,
    name: `${tool.exposedName} ${typeof title === 'string' ? title : ''}`,
    description: `${typeof description === 'string' ? description : ''} ${tool.connectionName}`,
    parameters: parameters.join(' '),
  }
}
