/** Profiles as they are declared. Which tools they hold is known once the connections have listed theirs. */
import type { Connection, Tool } from '@/connections'
import type { ToolId } from '@/lib/ids.ts'
import type { Profile } from '@/profiles'
import type { User } from '@/users'
import { type Change, demandOwner, type Found, type Ground, keyOf, lineOf, roleOf, sameName, unknownOwner } from './change.ts'
import { ownOf } from './connections.ts'
import type { DeclaredPick, DeclaredProfile, Problem } from './shape.ts'

type Picked = {
  toolIds: ToolId[]
  /** What was asked for and is not there, in sentences. */
  missing: string[]
  /** Where it should be: their connections are tried again. */
  without: Connection[]
}
export type FoundProfiles = Found & Pick<Picked, 'missing' | 'without'> & { used: Connection[] }

export async function profilesOf(ground: Ground): Promise<FoundProfiles> {
  const found: FoundProfiles = { changes: [], problems: [], missing: [], without: [], used: [] }
  for (const [at, declared] of ground.manifest.profiles.entries()) {
    const problems = await problemsOf(ground, declared, ['profiles', at])
    found.problems.push(...problems)
    if (problems.length > 0) continue
    const owner = ground.users.get(keyOf(declared.owner))
    const known = owner && (await ground.house.profiles.list(owner.id)).find(({ name }) => name === declared.name)
    const picked = owner ? await pickedBy(ground, owner, declared.tools ?? []) : { toolIds: [], missing: [], without: [] }
    found.missing.push(...picked.missing.map((text) => `profile ${declared.owner}/${declared.name}: ${text}`))
    found.without.push(...picked.without)
    for (const pick of owner ? (declared.tools ?? []) : []) {
      const connection = owner && (await connectionOf(ground, owner, pick))
      if (connection) found.used.push(connection)
    }
    const change = await changeOf(ground, declared, owner, known, picked.toolIds)
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

async function pickProblem(ground: Ground, user: string, pick: DeclaredPick): Promise<string | undefined> {
  const whose = pick.owner ?? user
  const declared = ground.manifest.connections.find((it) => sameName(it.owner, whose) && sameName(it.name, pick.connection))
  const owner = ground.users.get(keyOf(whose))
  const known = owner && (await ownOf(ground, owner, pick.connection))
  if (!declared && !known)
    return `names "${pick.connection}", but ${whose} has no such connection here or in this file.${pick.owner ? '' : ' For an open one of somebody else, add its owner.'}`
  const sharing = declared?.sharing ?? known?.visibility ?? 'private'
  return sameName(whose, user) || sharing !== 'private' ? undefined : `names a connection that ${whose} keeps private.`
}

async function connectionOf(ground: Ground, user: User, pick: DeclaredPick): Promise<Connection | undefined> {
  const owner = ground.users.get(keyOf(pick.owner ?? user.username))
  const connection = owner && (await ownOf(ground, owner, pick.connection))
  return connection && (owner.id === user.id || connection.visibility === 'open') ? connection : undefined
}

async function pickedBy(ground: Ground, user: User, picks: readonly DeclaredPick[]): Promise<Picked> {
  const toolIds = new Set<ToolId>()
  const missing: string[] = []
  const without: Connection[] = []
  for (const pick of picks) {
    const connection = await connectionOf(ground, user, pick)
    const tools = connection ? await ground.house.connections.tools([connection.id]) : []
    const ofKind = tools.filter(({ kind }) => pick.kind === undefined || kind === pick.kind)
    const unmatched = pick.tools.filter((pattern) => {
      const matching = ofKind.filter(({ name }) => matches(pattern, name))
      for (const { id } of matching) toolIds.add(id)
      return matching.length === 0
    })
    if (unmatched.length === 0) continue
    if (connection) without.push(connection)
    missing.push(sentenceFor(pick, unmatched, connection, tools))
  }
  return { toolIds: [...toolIds], missing, without }
}

function sentenceFor(pick: DeclaredPick, unmatched: readonly string[], connection: Connection | undefined, tools: readonly Tool[]): string {
  const asked = `${pick.kind ? `${pick.kind} ` : ''}tool${unmatched.length > 1 ? 's' : ''} ${unmatched.join(', ')}`
  const why = connection ? (connection.problem ?? (tools.length === 0 ? 'It has listed no tools yet.' : undefined)) : 'It is not there yet.'
  return `${pick.connection} has no ${asked}.${why ? ` ${why}` : ''}`
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

const DETAILS = ['title', 'description', 'naming', 'visibility'] as const

async function changeOf(
  ground: Ground,
  declared: DeclaredProfile,
  owner: User | undefined,
  known: Profile | undefined,
  toolIds: readonly ToolId[],
): Promise<Change | undefined> {
  const { profiles } = ground.house
  const line = (sign: '+' | '~', fields: readonly string[]) => lineOf(sign, `profile ${declared.owner}/${declared.name}`, fields)
  if (!known) {
    const fields = [...DETAILS.filter((field) => declared[field] !== undefined), ...(declared.tools ? ['tools'] : [])]
    const run = async () => {
      const user = await demandOwner(ground, declared.owner)
      const made = await profiles.create(user, { name: declared.name, title: declared.title ?? declared.name })
      ground.made.add('profiles', made.id)
      await bring(ground, user, made, declared, toolIds)
      return []
    }
    return { part: 'profiles', line: line('+', fields), run }
  }
  const details = DETAILS.filter((field) => declared[field] !== undefined && declared[field] !== known[field])
  const tools = declared.tools ? await toolsDifference(ground, known, toolIds) : []
  if (!owner || (details.length === 0 && tools.length === 0)) return undefined
  const run = async () => (await bring(ground, owner, known, declared, toolIds), [])
  return { part: 'profiles', line: line('~', [...details, ...tools]), run }
}

async function toolsDifference(ground: Ground, profile: Profile, toolIds: readonly ToolId[]): Promise<string[]> {
  const now = (await ground.house.profiles.view(profile.id)).byToolId
  const more = toolIds.filter((id) => !now.has(id)).length
  const wanted = new Set(toolIds)
  const less = [...now.keys()].filter((id) => !wanted.has(id)).length
  return more + less === 0 ? [] : [`tools${more ? ` +${more}` : ''}${less ? ` -${less}` : ''}`]
}

/** Makes it as declared. Names that must not collide are asked for once the tools that do are out. */
async function bring(ground: Ground, user: User, profile: Profile, declared: DeclaredProfile, toolIds: readonly ToolId[]): Promise<void> {
  const { profiles } = ground.house
  const details = async () => {
    if (DETAILS.every((field) => declared[field] === undefined || declared[field] === profile[field])) return
    const { title = profile.title, description = profile.description, naming = profile.naming } = declared
    await profiles.update(user, profile.id, { title, description, naming, visibility: declared.visibility ?? profile.visibility })
  }
  const tools = async () => {
    if (declared.tools && (await toolsDifference(ground, profile, toolIds)).length > 0) await profiles.setTools(user, profile.id, toolIds)
  }
  const order = declared.naming === 'never' ? [tools, details] : [details, tools]
  for (const step of order) await step()
}
