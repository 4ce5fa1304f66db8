/** What an earlier apply made and the file no longer names. Nothing else is ever taken away. */
import type { ClientId, ConnectionId, ProfileId, UserId } from '@/lib/ids.ts'
import { BY, type Change, type Ground, keyOf, lineOf, sameName } from './change.ts'
import type { Kind } from './made.ts'

export async function prunedOf(ground: Ground): Promise<Change[]> {
  const parts = [await profilesGone(ground), await connectionsGone(ground), await clientsGone(ground), usersGone(ground)]
  return parts.flat()
}

const removal = ({ made }: Ground, kind: Kind, id: string, what: string, remove: () => Promise<unknown>): Change => ({
  part: 'prune',
  line: lineOf('-', what),
  run: async () => {
    await remove()
    made.drop(kind, id)
    return []
  },
})

async function profilesGone(ground: Ground): Promise<Change[]> {
  const { house, made, manifest, users } = ground
  const changes: Change[] = []
  for (const id of made.ids('profiles') as ProfileId[]) {
    const profile = await house.profiles.find(id)
    const owner = profile && [...users.values()].find((user) => user.id === profile.ownerId)
    if (!profile || !owner) continue
    if (manifest.profiles.some((it) => sameName(it.owner, owner.username) && it.name === profile.name)) continue
    changes.push(removal(ground, 'profiles', id, `profile ${owner.username}/${profile.name}`, () => house.profiles.remove(owner, id)))
  }
  return changes
}

async function connectionsGone(ground: Ground): Promise<Change[]> {
  const { house, made, manifest, users } = ground
  const ids = new Set(made.ids('connections'))
  const changes: Change[] = []
  for (const owner of users.values()) {
    const own = (await house.connections.list(owner)).filter((it) => it.ownerId === owner.id && ids.has(it.id))
    for (const { id, name } of own as { id: ConnectionId; name: string }[]) {
      if (manifest.connections.some((it) => sameName(it.owner, owner.username) && sameName(it.name, name))) continue
      changes.push(removal(ground, 'connections', id, `connection ${owner.username}/${name}`, () => house.connections.remove(owner, id)))
    }
  }
  return changes
}

async function clientsGone(ground: Ground): Promise<Change[]> {
  const { house, made, manifest } = ground
  const changes: Change[] = []
  for (const id of made.ids('clients') as ClientId[]) {
    const client = await house.clients.findById(id)
    if (!client) continue
    const { registered, documents } = manifest.clients
    const isDocument = client.kind === 'document'
    if (isDocument ? documents.includes(client.identifier) : registered.some(({ name }) => sameName(name, client.name))) continue
    const remove = async () => {
      // Its grants first, so that their streams close and each leaves a row in the audit trail.
      await house.grants.revokeForClient(BY, id, 'client_removed')
      await house.clients.remove(BY, id)
    }
    changes.push(removal(ground, 'clients', id, isDocument ? `document ${client.identifier}` : `client ${client.name}`, remove))
  }
  return changes
}

/** Disabled and no more than that: what somebody did stays theirs, and they can be let in again. */
function usersGone(ground: Ground): Change[] {
  const { house, made, manifest, users } = ground
  const ids = new Set(made.ids('users'))
  const declared = new Set(manifest.users.map(({ username }) => keyOf(username)))
  return [...users.values()]
    .filter((user) => ids.has(user.id) && !declared.has(user.usernameKey) && user.disabledAt === null)
    .map(
      ({ id, username }): Change => ({
        part: 'prune',
        line: lineOf('-', `user ${username}`, ['disabled']),
        run: async () => (await house.users.disable(BY, id as UserId), []),
      }),
    )
}
