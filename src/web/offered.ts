/** What servers offer, tools and the rest, in the words of the pages. */
import { EVERY_RESOURCE, type Feature } from '@/connections'
import { contextCost } from '@/lib/context-cost.ts'
import { createLook, SEARCH_DEFINITIONS } from '@/profiles'
import type { ConsentTool } from '@views/consent-tools.tsx'
import { type Amounts, amountsOf } from '@views/parts/offered.tsx'
import type { ProfileTool, ProfileView } from './needs.ts'

export type Described = { feature: Feature; definition: Readonly<Record<string, unknown>> }

export const isEvery = ({ feature, definition }: Described): boolean => feature === 'resource' && definition['uri'] === EVERY_RESOURCE

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** A definition is its upstream's JSON: only text is taken for text. A resource has a name beside its address, which reads as a title. */
export function wordsOf({ feature, definition }: Described): { title: string | undefined; description: string } {
  const annotations = definition['annotations'] as { title?: unknown } | null | undefined
  const title = textOf(definition['title']) ?? textOf(annotations?.title)
  const named = feature === 'resource' || feature === 'template' ? textOf(definition['name']) : undefined
  return { title: title ?? named, description: textOf(definition['description']) ?? '' }
}

export const heldBy = (items: readonly Described[]): Amounts =>
  amountsOf(items.map((item) => ({ feature: item.feature, isEvery: isEvery(item) })))

/** Tools first, then prompts, then resources, a server's every resource before its single ones. */
export function inOrder<Item extends Described>(items: readonly Item[]): Item[] {
  const rank = (item: Item) => (isEvery(item) ? 2 : { tool: 0, prompt: 1, resource: 3, template: 3 }[item.feature])
  return items.toSorted((a, b) => rank(a) - rank(b))
}

/** In a sentence, where no badge says what it is. */
export function inWords({
  feature,
  definition,
  exposedName,
  connectionName,
}: Described & Pick<ProfileTool, 'exposedName' | 'connectionName'>) {
  if (feature === 'tool') return exposedName
  if (isEvery({ feature, definition })) return `every resource of ${connectionName}`
  return feature === 'prompt' ? `prompt ${exposedName}` : exposedName
}

type Grantable = Described & Pick<ProfileTool, 'toolId' | 'exposedName' | 'connectionId' | 'connectionName' | 'kind' | 'contextCost'>

/** As they are switched on and off one by one. */
export function switchesOf(tools: readonly Grantable[], isOn: (tool: Grantable) => boolean): ConsentTool[] {
  const look = createLook(
    tools
      .filter(({ feature }) => feature === 'tool')
      .map(({ definition, connectionId }) => ({ name: textOf(definition['name']) ?? '', connectionId })),
  )
  return inOrder(tools).map((tool) => ({
    ...{ id: tool.toolId, feature: tool.feature, isEvery: isEvery(tool), exposedName: tool.exposedName, connection: tool.connectionName },
    ...{ kind: tool.kind, contextCost: tool.contextCost, on: isOn(tool) },
    ...wordsOf(tool),
    suspicions: look(tool.definition, tool.connectionId),
  }))
}

type Listed = { exposedName: string; contextCost: number }
const SEARCHES: readonly Listed[] = SEARCH_DEFINITIONS.map((definition) => ({
  exposedName: String(definition['name']),
  contextCost: contextCost(definition),
}))
/** What the three tools cost by which apps find the others. */
export const SEARCH_COST = SEARCHES.reduce((sum, tool) => sum + tool.contextCost, 0)

/** The tools that an app's model is shown, which with search are the three that find others, and the pinned ones. */
export function listedTools({ tools }: Pick<ProfileView, 'tools'>, delivery: 'whole' | 'search'): Listed[] {
  const own = tools.map((tool) => ({ exposedName: tool.exposedName, contextCost: tool.contextCost, isPinned: tool.isPinned }))
  return delivery === 'whole' ? own : [...SEARCHES, ...own.filter(({ isPinned }) => isPinned)]
}

export const totalOf = (listed: readonly Listed[]): { tools: number; cost: number } => ({
  tools: listed.length,
  cost: listed.reduce((sum, tool) => sum + tool.contextCost, 0),
})
