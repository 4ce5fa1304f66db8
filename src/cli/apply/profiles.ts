/** Profiles as they are declared. Which tools they hold is known once the connections have listed theirs. */
import { type Connection, inKeyOrder } from '@/connections'
import type { ToolId } from '@/lib/ids.ts'
import type { Adjustment, Profile, ProfileView } from '@/profiles'
import type { User } from '@/users'
import { type Change, demandOwner, type Found, type Ground, keyOf, lineOf, roleOf, unknownOwner } from './change.ts'
import { connectionOf, declaredParts, partOf, type Picked, pickedBy, pickProblem } from './picks.ts'
import type { DeclaredAdjustment, DeclaredProfile, Problem } from './shape.ts'

const NOTHING: Picked = { toolIds: new Map(), adjustments: new Map(), missing: [], without: [] }

export type FoundProfiles = Found & Pick<Picked, 'missing' | 'without'> & { used: Connection[] }

export async function profilesOf(ground: Ground): Promise<FoundProfiles> {
  const found: FoundProfiles = { changes: [], problems: [], missing: [], without: [], used: [] }
  for (const [at, declared] of ground.manifest.profiles.entries()) {
    const problems = await problemsOf(ground, declared, ['profiles', at])
    found.problems.push(...problems)
    if (problems.length > 0) continue
    const owner = ground.users.get(keyOf(declared.owner))
    const known = owner && (await ground.house.profiles.list(owner.id)).find(({ name }) => name === declared.name)
    const picked = owner ? await pickedBy(ground, owner, declared.tools ?? []) : NOTHING
    found.missing.push(...picked.missing.map((text) => `profile ${declared.owner}/${declared.name}: ${text}`))
    found.without.push(...picked.without)
    for (const pick of owner ? (declared.tools ?? []) : []) {
      const connection = owner && (await connectionOf(ground, owner, pick))
      if (connection) found.used.push(connection)
    }
    const change = await changeOf(ground, declared, owner, known, picked)
    if (change) found.changes.push(change)
  }
  return found
}

async function problemsOf(ground: Ground, declared: DeclaredProfile, path: Problem['path']): Promise<Problem[]> {
  if (!roleOf(ground, declared.owner)) return [unknownOwner([...path, 'owner'], declared.owner)]
  const problems: Problem[] = []
  for (const [at, pick] of (declared.tools ?? []).entries()) {
    const message = await pickProblem(ground, declared.owner, pick)
    if (message) problems.push({ path: [...path, 'tools', at, 'connection'], message })
  }
  return problems
}

const DETAILS = ['title', 'description', 'naming', 'delivery', 'visibility', 'asksPurpose', 'keeps'] as const

async function changeOf(
  ground: Ground,
  declared: DeclaredProfile,
  owner: User | undefined,
  known: Profile | undefined,
  picked: Picked,
): Promise<Change | undefined> {
  const { profiles } = ground.house
  const line = (sign: '+' | '~', fields: readonly string[]) => lineOf(sign, `profile ${declared.owner}/${declared.name}`, fields)
  if (!known) {
    const isAdjusting = (declared.tools ?? []).some(({ adjust }) => Object.keys(adjust).length > 0)
    const details = DETAILS.filter((field) => declared[field] !== undefined)
    const run = async () => {
      const user = await demandOwner(ground, declared.owner)
      const made = await profiles.create(user, { name: declared.name, title: declared.title ?? declared.name })
      ground.made.add('profiles', made.id)
      await bring(ground, user, made, declared, picked)
      return []
    }
    return { part: 'profiles', line: line('+', [...details, ...declaredParts(declared), ...(isAdjusting ? ['adjust'] : [])]), run }
  }
  const details = DETAILS.filter((field) => declared[field] !== undefined && declared[field] !== known[field])
  const view = await profiles.view(known.id)
  const fields = [
    ...details,
    ...picksDifference(view, declared, picked),
    ...adjustmentsDue(view, picked).map(({ name }) => `adjust ${name}`),
  ]
  if (!owner || fields.length === 0) return undefined
  const run = async () => (await bring(ground, owner, known, declared, picked), [])
  return { part: 'profiles', line: line('~', fields), run }
}

function picksDifference({ byToolId }: ProfileView, declared: DeclaredProfile, { toolIds }: Picked): string[] {
  return declaredParts(declared).flatMap((part) => {
    const more = [...toolIds].filter(([id, feature]) => partOf(feature) === part && !byToolId.has(id)).length
    const less = [...byToolId.values()].filter(({ toolId, feature }) => partOf(feature) === part && !toolIds.has(toolId)).length
    return more + less === 0 ? [] : [`${part}${more ? ` +${more}` : ''}${less ? ` -${less}` : ''}`]
  })
}

/** All that shall be in it: what is declared, and of what the file does not speak of what is there. */
function wantedIds({ byToolId }: ProfileView, declared: DeclaredProfile, { toolIds }: Picked): ToolId[] {
  const parts = new Set(declaredParts(declared))
  const kept = [...byToolId.values()].filter(({ feature }) => !parts.has(partOf(feature))).map(({ toolId }) => toolId)
  return [...toolIds.keys(), ...kept]
}

type Due = { toolId: ToolId; name: string; adjustment: Adjustment }

/** What is declared of a tool against what it has; a part that is left out is left alone. */
function adjustmentsDue({ byToolId }: Pick<ProfileView, 'byToolId'>, { adjustments }: Picked): Due[] {
  return [...adjustments].flatMap(([toolId, { name, declared }]) => {
    const { override: now = {}, isPinned = false } = byToolId.get(toolId) ?? {}
    const { pinned = isPinned, ...parts } = declared
    const override = tidied({ ...now, ...parts })
    const isSame = pinned === isPinned && JSON.stringify(inKeyOrder(override)) === JSON.stringify(inKeyOrder(tidied(now)))
    return isSame ? [] : [{ toolId, name, adjustment: { override, isPinned: pinned } }]
  })
}

/** Without what says nothing: an empty text or list of values takes back what was there. */
function tidied(override: DeclaredAdjustment): Adjustment['override'] {
  const entries = Object.entries(override).flatMap(([part, value]) => {
    if (value === undefined || typeof value === 'boolean') return []
    const tidy = typeof value === 'string' ? value.trim() : value
    return (typeof tidy === 'string' ? tidy === '' : Object.keys(tidy).length === 0) ? [] : [[part, tidy]]
  })
  return Object.fromEntries(entries)
}

/** Makes it as declared. Names that must not collide are asked for once the tools that do are out. */
async function bring(ground: Ground, user: User, profile: Profile, declared: DeclaredProfile, picked: Picked): Promise<void> {
  const { profiles } = ground.house
  const details = async () => {
    if (DETAILS.every((field) => declared[field] === undefined || declared[field] === profile[field])) return
    const { title = profile.title, description = profile.description, naming = profile.naming } = declared
    const {
      visibility = profile.visibility,
      delivery = profile.delivery,
      asksPurpose = profile.asksPurpose,
      keeps = profile.keeps,
    } = declared
    await profiles.update(user, profile.id, { title, description, naming, visibility, delivery, asksPurpose, keeps })
  }
  const tools = async () => {
    const view = await profiles.view(profile.id)
    if (picksDifference(view, declared, picked).length > 0) await profiles.setTools(user, profile.id, wantedIds(view, declared, picked))
  }
  const order = declared.naming === 'never' ? [tools, details] : [details, tools]
  for (const step of order) await step()
  for (const { toolId, adjustment } of adjustmentsDue(await profiles.view(profile.id), picked))
    await profiles.adjustTool(user, profile.id, toolId, adjustment)
}
