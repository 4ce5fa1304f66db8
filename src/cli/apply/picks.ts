/** What a profile's declared picks mean: which connection, and which of what it has listed. */
import { type Connection, EVERY_RESOURCE, type Feature, type Tool } from '@/connections'
import type { ToolId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { type Ground, keyOf, sameName } from './change.ts'
import { ownOf } from './connections.ts'
import type { DeclaredAdjustment, DeclaredPick, DeclaredProfile } from './shape.ts'

export type Picked = {
  toolIds: Map<ToolId, Feature>
  adjustments: Map<ToolId, { name: string; declared: DeclaredAdjustment }>
  /** What was asked for and is not there, in sentences. */
  missing: string[]
  /** Where it should be: their connections are tried again. */
  without: Connection[]
}

/** What a file speaks of as one word. */
export type Part = 'tools' | 'prompts' | 'resources'
export const PARTS_OF_A_PROFILE = ['tools', 'prompts', 'resources'] as const
export const partOf = (feature: Feature): Part => (feature === 'tool' ? 'tools' : feature === 'prompt' ? 'prompts' : 'resources')

/** Prompts and resources that no pick speaks of are left as they are; tools are spoken of by every pick. */
export const declaredParts = ({ tools }: DeclaredProfile): Part[] =>
  PARTS_OF_A_PROFILE.filter((part) => (part === 'tools' ? tools !== undefined : tools?.some((pick) => pick[part] !== undefined)))

export async function pickProblem(ground: Ground, user: string, pick: DeclaredPick): Promise<string | undefined> {
  const whose = pick.owner ?? user
  const declared = ground.manifest.connections.find((it) => sameName(it.owner, whose) && sameName(it.name, pick.connection))
  const owner = ground.users.get(keyOf(whose))
  const known = owner && (await ownOf(ground, owner, pick.connection))
  if (!declared && !known)
    return `names "${pick.connection}", but ${whose} has no such connection here or in this file.${pick.owner ? '' : ' For an open one of somebody else, add its owner.'}`
  const sharing = declared?.sharing ?? known?.visibility ?? 'private'
  return sameName(whose, user) || sharing !== 'private' ? undefined : `names a connection that ${whose} keeps private.`
}

export async function connectionOf(ground: Ground, user: User, pick: DeclaredPick): Promise<Connection | undefined> {
  const owner = ground.users.get(keyOf(pick.owner ?? user.username))
  const connection = owner && (await ownOf(ground, owner, pick.connection))
  return connection && (owner.id === user.id || connection.visibility === 'open') ? connection : undefined
}

export async function pickedBy(ground: Ground, user: User, picks: readonly DeclaredPick[]): Promise<Picked> {
  const picked: Picked = { toolIds: new Map(), adjustments: new Map(), missing: [], without: [] }
  for (const pick of picks) {
    const connection = await connectionOf(ground, user, pick)
    const all = connection ? await ground.house.connections.everything([connection.id]) : []
    const unmatched = [...pickTools(picked, pick, all), ...pickOthers(picked, pick, all), ...pickAdjustments(picked, pick, all)]
    if (unmatched.length === 0) continue
    if (connection) picked.without.push(connection)
    const why = connection ? (connection.problem ?? (all.length === 0 ? 'It has listed no tools yet.' : undefined)) : 'It is not there yet.'
    for (const what of unmatched) picked.missing.push(`${pick.connection} has no ${what}.${why ? ` ${why}` : ''}`)
  }
  return picked
}

/** @returns what nothing matched, as the end of a sentence */
function pickTools({ toolIds }: Picked, { tools, kind }: DeclaredPick, all: readonly Tool[]): string[] {
  const ofKind = all.filter((tool) => tool.feature === 'tool' && (kind === undefined || tool.kind === kind))
  return unmatchedIn(toolIds, `${kind ? `${kind} ` : ''}tool`, tools, ofKind)
}

function pickOthers({ toolIds }: Picked, { prompts = [], resources = [] }: DeclaredPick, all: readonly Tool[]): string[] {
  const every = all.find((tool) => tool.feature === 'resource' && tool.name === EVERY_RESOURCE)
  const single = all.filter((tool) => (tool.feature === 'resource' || tool.feature === 'template') && tool !== every)
  const ofPrompts = unmatchedIn(
    toolIds,
    'prompt',
    prompts,
    all.filter((tool) => tool.feature === 'prompt'),
  )
  if (resources !== 'all') return [...ofPrompts, ...unmatchedIn(toolIds, 'resource', resources, single)]
  if (!every) return [...ofPrompts, 'resources']
  toolIds.set(every.id, every.feature)
  return ofPrompts
}

function unmatchedIn(toolIds: Picked['toolIds'], noun: string, patterns: readonly string[], among: readonly Tool[]): string[] {
  const unmatched = patterns.filter((pattern) => {
    const matching = among.filter(({ name }) => matches(pattern, name))
    for (const { id, feature } of matching) toolIds.set(id, feature)
    return matching.length === 0
  })
  return unmatched.length === 0 ? [] : [`${noun}${unmatched.length > 1 ? 's' : ''} ${unmatched.join(', ')}`]
}

function pickAdjustments({ toolIds, adjustments }: Picked, { adjust }: DeclaredPick, all: readonly Tool[]): string[] {
  return Object.entries(adjust).flatMap(([name, declared]) => {
    const tool = all.find((each) => each.feature === 'tool' && each.name === name && toolIds.has(each.id))
    if (!tool) return [`tool ${name} in this profile to adjust`]
    adjustments.set(tool.id, { name, declared })
    return []
  })
}

/** `*` is any number of characters, anything else is itself. Looks at each character once for each star at most. */
function matches(pattern: string, name: string): boolean {
  let at = 0
  let from = 0
  let star = -1
  let retry = 0
  while (at < name.length) {
    if (pattern[from] === '*') {
      star = from
      from += 1
      retry = at
    } else if (from < pattern.length && pattern[from] === name[at]) {
      from += 1
      at += 1
    } else if (star >= 0) {
      retry += 1
      at = retry
      from = star + 1
    } else return false
  }
  while (pattern[from] === '*') from += 1
  return from === pattern.length
}
