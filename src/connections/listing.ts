import { and, asc, eq, inArray, isNull } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { contextCost } from '@/lib/context-cost.ts'
import { Failure } from '@/lib/failure.ts'
import { type ConnectionId, newToolId, type ToolId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { type Store, tools, type Writer } from '@/store'
import { hashOf, kindOf } from './definitions.ts'
import { headerProblem } from './mirrored.ts'
import { isObject, type Upstream } from './session.ts'

export type Tool = typeof tools.$inferSelect

const PAGES_MAX = 50
const TOOLS_MAX = 1_000
const DEFINITION_CHARS_MAX = 256 * 1024
const NAME_CHARS_MAX = 128
const PAGE_TIMEOUT_MS = 30_000

/** The tools, and for how long the upstream says that the list holds. */
type Listed = { definitions: JsonObject[]; ttlMs: number | undefined }

/** All pages of `tools/list`, what is no usable tool left out with a remark. @throws Failure */
export async function fetchTools(upstream: Upstream, signal: AbortSignal, remark: (line: string) => void): Promise<Listed> {
  let ttlMs: number | undefined
  const found = new Map<string, JsonObject>()
  let cursor: string | undefined
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const response = await upstream.request('tools/list', cursor === undefined ? {} : { cursor }, { signal, timeoutMs: PAGE_TIMEOUT_MS })
    const listed = response.result?.['tools']
    if (!Array.isArray(listed)) throw new Failure('upstream_failed', { message: 'The server would not list its tools.' })
    const holds = response.result?.['ttlMs']
    if (typeof holds === 'number' && holds >= 0) ttlMs = Math.min(holds, ttlMs ?? Number.POSITIVE_INFINITY)
    for (const definition of listed) {
      const problem = problemOf(definition, found)
      if (problem) remark(problem)
      else if (found.size < TOOLS_MAX) found.set(definition.name, definition)
    }
    const next = response.result?.['nextCursor']
    // A cursor is opaque and "" is one (2026-07-28); the same one twice would go round for ever.
    if (typeof next !== 'string' || next === cursor || found.size >= TOOLS_MAX) break
    cursor = next
  }
  return { definitions: [...found.values()], ttlMs }
}

/** Why a tool is left out, for the log of its connection. */
function problemOf(definition: unknown, found: ReadonlyMap<string, JsonObject>): string | undefined {
  const name = usableName(definition)
  if (name === undefined || found.has(name)) return 'A tool was left out: its definition is not usable, too large or there twice.'
  const problem = headerProblem(definition as JsonObject)
  return problem && `The tool ${name} was left out: ${problem}.`
}

function usableName(definition: unknown): string | undefined {
  if (!isObject(definition) || typeof definition['name'] !== 'string' || !isObject(definition['inputSchema'])) return undefined
  const name = definition['name']
  if (name.length === 0 || name.length > NAME_CHARS_MAX || JSON.stringify(definition).length > DEFINITION_CHARS_MAX) return undefined
  return name
}

export function createListing({ store, clock }: { store: Store; clock: Clock }) {
  /** Writes what was listed. A tool keeps its id for ever; one that is gone keeps its row. True when anything differs. */
  const save = (connectionId: ConnectionId, definitions: readonly JsonObject[]): Promise<boolean> =>
    store.transact(async (tx) => {
      const rows = await tx.select().from(tools).where(eq(tools.connectionId, connectionId))
      const known = new Map(rows.map((row) => [row.name, row]))
      const listed = new Set<string>()
      let changed = false
      for (const [position, definition] of definitions.entries()) {
        const name = definition['name'] as string
        listed.add(name)
        changed = (await put(tx, connectionId, position, definition, known.get(name), clock())) || changed
      }
      const gone = rows.filter((row) => row.goneAt === null && !listed.has(row.name)).map((row) => row.id)
      if (gone.length > 0) await tx.update(tools).set({ goneAt: clock() }).where(inArray(tools.id, gone))
      return changed || gone.length > 0
    })

  return {
    save,
    tools: async (ids: readonly ConnectionId[]): Promise<Tool[]> =>
      ids.length === 0
        ? []
        : store.read
            .select()
            .from(tools)
            .where(and(inArray(tools.connectionId, [...ids]), isNull(tools.goneAt)))
            .orderBy(asc(tools.connectionId), asc(tools.position), asc(tools.name)),
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

async function put(tx: Writer, connectionId: ConnectionId, position: number, definition: JsonObject, known: Tool | undefined, now: number) {
  const hash = hashOf(definition)
  if (known && known.hash === hash && known.position === position && known.goneAt === null) return false
  const current = { definition, hash, kind: kindOf(definition), contextCost: contextCost(definition), position, goneAt: null }
  if (known) {
    const changedAt = known.hash === hash ? known.changedAt : now
    await tx
      .update(tools)
      .set({ ...current, changedAt })
      .where(eq(tools.id, known.id))
  } else
    await tx
      .insert(tools)
      .values({ ...current, id: newToolId(), connectionId, name: definition['name'] as string, firstSeenAt: now, changedAt: now })
  return true
}
