/** How one tool of a profile differs from what its server says: name, words, kind, arguments. Widens nothing: grants are about ids. */
import { and, eq, sql } from 'drizzle-orm'
import { Failure } from '@/lib/failure.ts'
import type { ProfileId, ToolId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { type Override, profiles, profileTools } from '@/store'
import type { User } from '@/users'
import { EXPOSED_NAME, isReserved } from './naming.ts'
import { type Reading, type RowsDeps, told } from './rows.ts'
import type { ConnectionsSeen } from './view.ts'

export type Adjustment = { override: Override; isPinned: boolean }
type Deps = RowsDeps & { connections: ConnectionsSeen }

const TITLE_CHARS_MAX = 200
const DESCRIPTION_CHARS_MAX = 10_000
const ARGUMENTS_CHARS_MAX = 16_384

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const wrong = (field: string, says: string) => new Failure('invalid_form', { fields: { [field]: says } })

export function createAdjusting(deps: Deps, reading: Reading) {
  const { store, clock, changes, connections } = deps
  return {
    /** Replaces what was adjusted before; an empty override takes all of it back. @throws Failure `tool_not_found`, `invalid_form` */
    async adjustTool(user: User, id: ProfileId, toolId: ToolId, { override, isPinned }: Adjustment): Promise<void> {
      const profile = await reading.demand(user.id, id)
      const [tool] = await connections.toolsById([toolId])
      const picks = await store.read.select().from(profileTools).where(eq(profileTools.profileId, id))
      const pick = picks.find((each) => each.toolId === toolId)
      if (!tool || !pick) throw new Failure('tool_not_found')
      const tidy = demandOverride(override, tool.definition)
      const others = new Set(picks.filter((each) => each !== pick && each.feature === pick.feature).map((each) => each.exposedName))
      if (tidy.name !== undefined && others.has(tidy.name)) throw wrong('name', 'Another tool of this profile is called so.')
      // What was named by hand and is not any more gets a name as if it had just been picked.
      const unnamed = pick.override?.name !== undefined && tidy.name === undefined
      const exposedName = tidy.name ?? (unnamed ? freeNameFor(tool.name, toolId, others) : pick.exposedName)
      await store.transact(async (tx) => {
        await tx
          .update(profileTools)
          .set({ exposedName, isPinned, override: Object.keys(tidy).length === 0 ? null : tidy })
          .where(and(eq(profileTools.profileId, id), eq(profileTools.toolId, toolId)))
        await tx
          .update(profiles)
          .set({ revision: sql`${profiles.revision} + 1`, updatedAt: clock() })
          .where(eq(profiles.id, id))
        await told(deps, tx, 'profile.adjust-tool', user, profile)
      })
      changes.announce({ kind: 'profile-changed', profileId: id })
    },
  }
}

function freeNameFor(name: string, toolId: ToolId, others: ReadonlySet<string>): string {
  const plain = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 40)
  return others.has(plain) || isReserved(plain) ? `${plain}_${toolId.slice(-6)}` : plain
}

function demandOverride({ name, title, description, defaults, fixed, kind }: Override, definition: JsonObject): Override {
  const tidy: Override = {}
  const of = { name: name?.trim(), title: title?.trim(), description: description?.trim() }
  if (of.name) {
    if (!EXPOSED_NAME.test(of.name)) throw wrong('name', 'Use up to 64 letters, digits, hyphens and underscores.')
    if (isReserved(of.name)) throw wrong('name', 'This name is kept for the tools that find others.')
    tidy.name = of.name
  }
  if (of.title) {
    if (of.title.length > TITLE_CHARS_MAX) throw wrong('title', `Use up to ${TITLE_CHARS_MAX} characters.`)
    tidy.title = of.title
  }
  if (of.description) {
    if (of.description.length > DESCRIPTION_CHARS_MAX) throw wrong('description', `Use up to ${DESCRIPTION_CHARS_MAX} characters.`)
    tidy.description = of.description
  }
  if (defaults && Object.keys(defaults).length > 0) tidy.defaults = demandArguments('defaults', defaults, definition)
  if (fixed && Object.keys(fixed).length > 0) tidy.fixed = demandArguments('fixed', fixed, definition)
  if (kind !== undefined) tidy.kind = kind
  return tidy
}

function demandArguments(field: string, given: JsonObject, { inputSchema }: JsonObject): JsonObject {
  if (JSON.stringify(given).length > ARGUMENTS_CHARS_MAX) throw wrong(field, `Use up to ${ARGUMENTS_CHARS_MAX} characters.`)
  const properties = isObject(inputSchema) && isObject(inputSchema['properties']) ? inputSchema['properties'] : {}
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(properties, name))
  if (unknown !== undefined) throw wrong(field, `This tool has no argument called ${unknown.slice(0, 60)}.`)
  return given
}
