import { and, asc, eq, inArray, isNull } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { contextCost } from '@/lib/context-cost.ts'
import { Failure } from '@/lib/failure.ts'
import { type ConnectionId, newToolId, type ToolId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { FEATURES, type Store, tools, type Writer } from '@/store'
import { hashOf, kindOf } from './definitions.ts'
import { headerProblem } from './mirrored.ts'
import { isObject, type Upstream } from './session.ts'

export type Tool = typeof tools.$inferSelect
export type Feature = Tool['feature']
/** Stands for every resource of a server, also those that it adds later. */
export const EVERY_RESOURCE = '*'

const PAGES_MAX = 50
const DEFINITION_CHARS_MAX = 256 * 1024
const NAME_CHARS_MAX = 128
const URI_CHARS_MAX = 2_048
const PAGE_TIMEOUT_MS = 30_000
const METHOD_NOT_FOUND = -32601

/** How each of them is listed, and how many are kept: what is beyond is reached by picking every resource. */
const WAYS: Record<Feature, { method: string; list: string; key: string; capability: string; max: number; charsMax: number }> = {
  tool: { method: 'tools/list', list: 'tools', key: 'name', capability: 'tools', max: 1_000, charsMax: NAME_CHARS_MAX },
  prompt: { method: 'prompts/list', list: 'prompts', key: 'name', capability: 'prompts', max: 300, charsMax: NAME_CHARS_MAX },
  resource: { method: 'resources/list', list: 'resources', key: 'uri', capability: 'resources', max: 300, charsMax: URI_CHARS_MAX },
  template: {
    method: 'resources/templates/list',
    list: 'resourceTemplates',
    key: 'uriTemplate',
    capability: 'resources',
    max: 300,
    charsMax: URI_CHARS_MAX,
  },
}

export type Listed = { feature: Feature; definition: JsonObject }
/** What was listed, and for how long the upstream says that the shortest-lived list holds. */
export type Listing = { listed: Listed[]; ttlMs: number | undefined; isWhole: boolean }

/** Everything that the server offers, what is not usable left out with a remark. @throws Failure */
export async function fetchAll(upstream: Upstream, signal: AbortSignal, remark: (line: string) => void): Promise<Listing> {
  const whole: Listing = { listed: [], ttlMs: undefined, isWhole: true }
  for (const feature of FEATURES) {
    // Tools are asked for in any case: servers forget to announce them.
    if (feature !== 'tool' && !isObject(upstream.capabilities[WAYS[feature].capability])) continue
    const found = await fetchFeature(upstream, feature, signal, remark)
    whole.listed.push(...found.listed)
    whole.isWhole &&= found.isWhole
    if (found.ttlMs !== undefined) whole.ttlMs = Math.min(found.ttlMs, whole.ttlMs ?? Number.POSITIVE_INFINITY)
  }
  if (isObject(upstream.capabilities['resources'])) whole.listed.push({ feature: 'resource', definition: everyResource() })
  return whole
}

const everyResource = (): JsonObject => ({
  uri: EVERY_RESOURCE,
  name: 'Every resource',
  description: 'Also those that its server adds later.',
})

/** All pages of one list. @throws Failure */
export async function fetchFeature(
  upstream: Upstream,
  feature: Feature,
  signal: AbortSignal,
  remark: (line: string) => void,
  timeoutMs = PAGE_TIMEOUT_MS,
): Promise<Listing> {
  const { method, list, key, max } = WAYS[feature]
  let ttlMs: number | undefined
  const found = new Map<string, JsonObject>()
  let cursor: string | undefined
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const response = await upstream.request(method, cursor === undefined ? {} : { cursor }, { signal, timeoutMs })
    // Announced and not there: a server may have resources and no templates.
    if (feature !== 'tool' && response.error?.code === METHOD_NOT_FOUND) break
    const listed = response.result?.[list]
    if (!Array.isArray(listed)) throw new Failure('upstream_failed', { message: `The server would not answer ${method}.` })
    const holds = response.result?.['ttlMs']
    if (typeof holds === 'number' && holds >= 0) ttlMs = Math.min(holds, ttlMs ?? Number.POSITIVE_INFINITY)
    for (const definition of listed) {
      const problem = problemOf(feature, definition, found)
      if (problem) remark(problem)
      else if (found.size < max) found.set(String(definition[key]), definition)
    }
    const next = response.result?.['nextCursor']
    // A cursor is opaque and "" is one (2026-07-28); the same one twice would go round for ever.
    if (typeof next !== 'string' || next === cursor || found.size >= max) break
    cursor = next
  }
  return { listed: [...found.values()].map((definition) => ({ feature, definition })), ttlMs, isWhole: found.size < max }
}

/** Why something is left out, for the log of its connection. */
function problemOf(feature: Feature, definition: unknown, found: ReadonlyMap<string, JsonObject>): string | undefined {
  const name = usableName(feature, definition)
  if (name === undefined || found.has(name)) return `A ${feature} was left out: its definition is not usable, too large or there twice.`
  const problem = feature === 'tool' && headerProblem(definition as JsonObject)
  return problem ? `The tool ${name} was left out: ${problem}.` : undefined
}

function usableName(feature: Feature, definition: unknown): string | undefined {
  const { key, charsMax } = WAYS[feature]
  if (!isObject(definition) || typeof definition[key] !== 'string') return undefined
  if (feature === 'tool' && !isObject(definition['inputSchema'])) return undefined
  const name = definition[key]
  if (name.length === 0 || name.length > charsMax || JSON.stringify(definition).length > DEFINITION_CHARS_MAX) return undefined
  return feature === 'resource' && name === EVERY_RESOURCE ? undefined : name
}

export const nameOf = ({ feature, definition }: Listed): string => definition[WAYS[feature].key] as string

export function createListing({ store, clock }: { store: Store; clock: Clock }) {
  /** Writes what was listed. A tool keeps its id for ever; one that is gone keeps its row. True when anything differs. */
  const save = (connectionId: ConnectionId, all: readonly Listed[]): Promise<boolean> =>
    store.transact(async (tx) => {
      const rows = await tx.select().from(tools).where(eq(tools.connectionId, connectionId))
      const textOf = (feature: Feature, name: string) => `${feature} ${name}`
      const known = new Map(rows.map((row) => [textOf(row.feature, row.name), row]))
      const seen = new Set<string>()
      let changed = false
      for (const [position, listed] of all.entries()) {
        const text = textOf(listed.feature, nameOf(listed))
        seen.add(text)
        changed = (await put(tx, connectionId, position, listed, known.get(text), clock())) || changed
      }
      const gone = rows.filter((row) => row.goneAt === null && !seen.has(textOf(row.feature, row.name))).map((row) => row.id)
      if (gone.length > 0) await tx.update(tools).set({ goneAt: clock() }).where(inArray(tools.id, gone))
      return changed || gone.length > 0
    })

  const everything = async (ids: readonly ConnectionId[]): Promise<Tool[]> =>
    ids.length === 0
      ? []
      : store.read
          .select()
          .from(tools)
          .where(and(inArray(tools.connectionId, [...ids]), isNull(tools.goneAt)))
          .orderBy(asc(tools.connectionId), asc(tools.position), asc(tools.name))
  return {
    save,
    /** Tools in the narrow sense. */
    tools: async (ids: readonly ConnectionId[]): Promise<Tool[]> => (await everything(ids)).filter(({ feature }) => feature === 'tool'),
    /** Prompts, resources and templates as well: whatever can be picked. */
    everything,
    /** Those that are gone included: whoever has one has to hear of it. */
    toolIdsEver: async (id: ConnectionId): Promise<ToolId[]> =>
      (await store.read.select({ id: tools.id }).from(tools).where(eq(tools.connectionId, id))).map((row) => row.id),
    toolsById: async (ids: readonly ToolId[]): Promise<Tool[]> =>
      ids.length === 0
        ? []
        : store.read
            .select()
            .from(tools)
            .where(inArray(tools.id, [...ids]))
            .orderBy(asc(tools.connectionId), asc(tools.position), asc(tools.name)),
  }
}

async function put(tx: Writer, connectionId: ConnectionId, position: number, listed: Listed, known: Tool | undefined, now: number) {
  const { feature, definition } = listed
  const hash = hashOf(definition)
  if (known && known.hash === hash && known.position === position && known.goneAt === null) return false
  const isTool = feature === 'tool'
  const kind = isTool ? kindOf(definition) : ('read' as const)
  const current = { definition, hash, kind, contextCost: isTool ? contextCost(definition) : 0, position, goneAt: null }
  if (known) {
    const changedAt = known.hash === hash ? known.changedAt : now
    await tx
      .update(tools)
      .set({ ...current, changedAt })
      .where(eq(tools.id, known.id))
  } else
    await tx
      .insert(tools)
      .values({ ...current, id: newToolId(), connectionId, feature, name: nameOf(listed), firstSeenAt: now, changedAt: now })
  return true
}
