/** What can be paused, resumed and revoked as a whole, and who may do that for whom. */
import type { Client } from '@/clients'
import { type Connection, may } from '@/connections'
import { Failure } from '@/lib/failure.ts'
import type { ClientId, ConnectionId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { Profile } from '@/profiles'
import type { User } from '@/users'
import type { PauseKey } from './pauses.ts'
import type { Grant, Of } from './reading.ts'

export type Subject =
  | { kind: 'client'; id: ClientId }
  | { kind: 'connection'; id: ConnectionId }
  | { kind: 'profile'; id: ProfileId }
  | { kind: 'user'; id: UserId }
  | { kind: 'everything' }
/** One's own apps alone, or those of everyone here. */
export type Whose = 'own' | 'everyone'
export type By = Pick<User, 'id' | 'username' | 'role'>

export type SubjectsSeen = {
  clients: { findById(id: ClientId): Promise<Client | undefined> }
  /** @throws Failure `connection_not_found` for one that this user does not see */
  connections: { demand(user: By, id: ConnectionId): Promise<Connection>; toolIdsEver(id: ConnectionId): Promise<ToolId[]> }
  profiles: { findFor(userId: UserId, id: ProfileId): Promise<Profile | undefined> }
  users: { demand(id: UserId): Promise<User> }
  grants: { listLive(of: Of): Promise<Grant[]>; listForUser(id: UserId): Promise<Grant[]> }
}

/** A subject that its user may act on: how it stands in the tables and in the trail. */
export type Meant = {
  key: PauseKey
  /** Of a connection there is none: its tools are in grants, not its grants. */
  of: Of | undefined
  name: string
  ids: { clientId?: ClientId; connectionId?: ConnectionId; profileId?: ProfileId }
}

const SAYS_OWNER = 'Only its owner can do this for everyone.'

/** @throws Failure `administrators_only`, or the same as for what does not exist where it is not theirs to know of */
export async function demandSubject(seen: SubjectsSeen, by: By, subject: Subject, whose: Whose): Promise<Meant> {
  const own = whose === 'own' ? { userId: by.id } : {}
  const key = (id: string): PauseKey => ({ kind: subject.kind, subject: id, userId: whose === 'own' ? by.id : '' })
  const demandAdmin = () => {
    if (whose === 'everyone' && by.role !== 'admin') throw new Failure('administrators_only')
  }
  if (subject.kind === 'everything') {
    demandAdmin()
    return { key: key(''), of: own, name: whose === 'own' ? 'all own apps' : 'everything', ids: {} }
  }
  if (subject.kind === 'user') {
    if (by.role !== 'admin') throw new Failure('administrators_only')
    const { username } = await seen.users.demand(subject.id)
    return { key: { kind: 'user', subject: subject.id, userId: '' }, of: { userId: subject.id }, name: username, ids: {} }
  }
  if (subject.kind === 'client') {
    demandAdmin()
    const client = await demandClient(seen, by, subject.id, whose)
    return { key: key(client.id), of: { ...own, clientId: client.id }, name: client.name, ids: { clientId: client.id } }
  }
  if (subject.kind === 'profile') {
    const profile = await seen.profiles.findFor(by.id, subject.id)
    if (!profile) throw new Failure('profile_not_found')
    if (whose === 'everyone' && profile.ownerId !== by.id) throw new Failure('administrators_only', { message: SAYS_OWNER })
    return { key: key(profile.id), of: { ...own, profileId: profile.id }, name: profile.title, ids: { profileId: profile.id } }
  }
  const connection = await seen.connections.demand(by, subject.id)
  if (whose === 'everyone' && !may(by, connection).change) throw new Failure('administrators_only', { message: SAYS_OWNER })
  return { key: key(connection.id), of: undefined, name: connection.name, ids: { connectionId: connection.id } }
}

/** An app that this user never let in looks like one that is not registered. */
async function demandClient({ clients, grants }: SubjectsSeen, by: By, id: ClientId, whose: Whose): Promise<Client> {
  const isTheirs = whose === 'everyone' || (await grants.listForUser(by.id)).some((grant) => grant.clientId === id)
  const client = isTheirs ? await clients.findById(id) : undefined
  if (!client) throw new Failure('client_not_found')
  return client
}
