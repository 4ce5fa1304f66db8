/** Users, and the clients that are known beforehand. */
import { addressProblem, redirectProblem } from '@/clients'
import { isFailure } from '@/lib/failure.ts'
import { demandUsable, demandUsername } from '@/users'
import { BY, type Change, type Found, type Ground, keyOf, lineOf, sameName, sentenceOf } from './change.ts'
import type { Manifest, Problem } from './shape.ts'

type DeclaredUser = Manifest['users'][number]
type DeclaredClient = Manifest['clients']['registered'][number]

export function usersOf(ground: Ground): Found {
  const { manifest, users } = ground
  const problems: Problem[] = []
  const changes: Change[] = []
  for (const [at, declared] of manifest.users.entries()) {
    const known = users.get(keyOf(declared.username))
    if (!known) {
      const problem = problemOf(declared)
      if (problem) problems.push({ path: ['users', at, problem.field], message: problem.message })
      else changes.push(addUser(ground, declared))
    } else if (declared.role !== undefined && declared.role !== known.role) {
      const role = declared.role
      const run = async () => (await ground.house.users.setRole(BY, known.id, role), [])
      changes.push({ part: 'users', line: lineOf('~', `user ${known.username}`, ['role']), run })
    }
  }
  return { changes, problems: [...problems, ...withoutAdministrator(ground)] }
}

function problemOf({ username, password }: DeclaredUser): { field: string; message: string } | undefined {
  try {
    demandUsername(username)
    if (password !== undefined) demandUsable(password, username)
    return undefined
  } catch (error) {
    if (!isFailure(error)) throw error
    const [field = 'username'] = Object.keys(error.fields)
    return { field, message: `cannot be taken: ${sentenceOf(error)}` }
  }
}

/** Nobody could undo it on a page. */
function withoutAdministrator({ manifest, users }: Ground): Problem[] {
  const wanted = new Map(manifest.users.map(({ username, role }) => [keyOf(username), role]))
  const administrators = [...users.values()].filter(({ role, disabledAt }) => role === 'admin' && disabledAt === null)
  const isLeft = administrators.some(({ usernameKey }) => (wanted.get(usernameKey) ?? 'admin') === 'admin')
  const isAdded = manifest.users.some(({ username, role }) => role === 'admin' && users.get(keyOf(username))?.disabledAt == null)
  if (administrators.length === 0 || isLeft || isAdded) return []
  return [{ path: ['users'], message: 'would leave no administrator.' }]
}

function addUser({ house: { users }, made }: Ground, { username, role = 'member', password }: DeclaredUser): Change {
  const run = async () => {
    const user = await users.create(BY, { username, role, ...(password === undefined ? {} : { password }) })
    made.add('users', user.id)
    if (password !== undefined) return []
    const path = `/reset?token=${await users.newPasswordLink(BY, user.id)}`
    return [{ text: `${username} chooses a password here (works once, for a day):`, path }]
  }
  return { part: 'users', line: lineOf('+', `user ${username}`, ['role', ...(password === undefined ? [] : ['password'])]), run }
}

export async function clientsOf(ground: Ground): Promise<Found> {
  const { house, manifest } = ground
  const { policy, registered, documents } = manifest.clients
  const known = (await house.clients.list()).filter(({ kind }) => kind === 'registered')
  const found: Found = { changes: [], problems: [] }
  for (const [at, declared] of registered.entries()) {
    const path = ['clients', 'registered', at]
    const refuse = (field: string, message: string) => found.problems.push({ path: [...path, field], message })
    const problem = declared.redirect_uris.map((uri) => redirectProblem(uri)).find(Boolean)
    const [same, ...others] = known.filter(({ name }) => sameName(name, declared.name))
    const isConfidential = same && same.authMethod !== 'none'
    if (problem) refuse('redirect_uris', `cannot be registered: ${problem}.`)
    else if (others.length > 0) refuse('name', 'is the name of several registered clients; remove all but one first.')
    else if (same && isConfidential !== declared.confidential)
      refuse('confidential', `cannot be changed; remove the client first: toolpass client remove ${same.id}`)
    else if (!same) found.changes.push(addClient(ground, declared))
    else if (same.redirectUris.toSorted().join('\n') !== [...new Set(declared.redirect_uris)].toSorted().join('\n'))
      found.changes.push({
        part: 'clients',
        line: lineOf('~', `client ${same.name}`, ['redirect_uris']),
        run: async () => (await house.clients.setRedirects(BY, same.id, declared.redirect_uris), []),
      })
  }
  const listed = await documentsOf(ground, documents)
  const changes = [...found.changes, ...listed.changes]
  if (policy !== undefined && policy !== (await house.clients.policy()))
    changes.push({
      part: 'clients',
      line: lineOf('~', 'clients', ['policy']),
      run: async () => {
        const inUse = [...(await house.grants.usageByClient())].filter(([, { live }]) => live > 0).map(([id]) => id)
        await house.clients.setPolicy(BY, policy, inUse)
        return []
      },
    })
  return { changes, problems: [...found.problems, ...listed.problems] }
}

function addClient({ house, made }: Ground, { name, redirect_uris: redirectUris, confidential }: DeclaredClient): Change {
  const run = async () => {
    const { client, secret } = await house.clients.preregister(BY, { name, redirectUris, confidential })
    made.add('clients', client.id)
    const told = secret === undefined ? '' : `, client secret, shown this once: ${secret}`
    return [{ text: `  client ID: ${client.identifier}${told}` }]
  }
  return { part: 'clients', line: lineOf('+', `client ${name}`, ['redirect_uris', ...(confidential ? ['confidential'] : [])]), run }
}

async function documentsOf({ house, made }: Ground, documents: readonly string[]): Promise<Found> {
  const found: Found = { changes: [], problems: [] }
  for (const [at, url] of documents.entries()) {
    const problem = addressProblem(url)
    if (problem) found.problems.push({ path: ['clients', 'documents', at], message: `cannot be listed: ${problem}.` })
    const known = problem ? undefined : await house.clients.find(url)
    if (problem || (known && known.approvedAt !== null)) continue
    const run = async () => {
      const { id } = await house.clients.listDocument(BY, url)
      if (!known) made.add('clients', id)
      return []
    }
    found.changes.push({ part: 'clients', line: lineOf('+', `document ${url}`), run })
  }
  return found
}
