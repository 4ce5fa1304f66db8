import { asc, eq, or } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { type ConnectionId, newConnectionId, type UserId } from '@/lib/ids.ts'
import { type Connector, type JsonObject, type Plugins, splitSettings } from '@/plugins'
import { connections, type Store, type Writer } from '@/store'
import type { User } from '@/users'
import type { Credentials } from './credentials.ts'
import { may } from './may.ts'
import type { ProgramPolicies } from './program-policy.ts'

export type Connection = typeof connections.$inferSelect
type Shared = {
  visibility: Connection['visibility'] /** For an open one; its owner's by default. */
  credentialOf?: Connection['credentialOf']
}
export type NewConnection = Shared & {
  connector: string
  name: string
  settings: JsonObject
  /** The catalogue entry it is made from. */
  catalogueName?: string
}
export type ChangedConnection = Shared & { name: string; settings: JsonObject }

const CONNECTIONS_MAX = 200
const NAME_CHARS_MAX = 64
const PREFIX_CHARS_MAX = 20

type Deps = {
  store: Store
  audit: Audit
  plugins: Pick<Plugins, 'connector'>
  changes: Changes
  clock: Clock
  credentials: Credentials
  programPolicy: Pick<ProgramPolicies, 'demand' | 'demandVariables'>
}

/** The rows of connections: who sees one, who may change it, and what its settings must be. */
export function createRows(deps: Deps) {
  const reading = createReading(deps)
  return { ...reading, ...createWriting(deps, reading), ...createNoting(deps, reading) }
}
export type Rows = ReturnType<typeof createRows>

function createReading({ store }: Pick<Deps, 'store'>) {
  const find = async (id: ConnectionId): Promise<Connection | undefined> =>
    (await store.read.select().from(connections).where(eq(connections.id, id)))[0]

  // Somebody else's private connection and a missing one look alike, so that ids cannot be probed.
  const demandThat = async (id: ConnectionId, may: (connection: Connection) => boolean): Promise<Connection> => {
    const connection = await find(id)
    if (!connection || !may(connection)) throw new Failure('connection_not_found')
    return connection
  }
  const demand = (user: Pick<User, 'id'>, id: ConnectionId) => demandThat(id, (it) => may(user, it).see)
  const demandOwn = (user: Pick<User, 'id' | 'role'>, id: ConnectionId) => demandThat(id, (it) => may(user, it).change)

  return {
    find,
    /** Everybody's, for the house itself. */
    all: (): Promise<Connection[]> => store.read.select().from(connections).orderBy(asc(connections.id)),
    demand,
    demandOwn,
    listOfConnector: (connector: string) =>
      store.read.select({ id: connections.id }).from(connections).where(eq(connections.connector, connector)),
    list: async (user: Pick<User, 'id'>): Promise<Connection[]> =>
      store.read
        .select()
        .from(connections)
        .where(or(eq(connections.ownerId, user.id), eq(connections.visibility, 'open')))
        .orderBy(asc(connections.name), asc(connections.id)),
  }
}
type Reading = ReturnType<typeof createReading>

function createTelling({ audit }: Pick<Deps, 'audit'>) {
  return (tx: Writer, action: string, user: User, it: Pick<Connection, 'id' | 'name'>) =>
    audit.report(
      {
        kind: 'admin',
        action,
        outcome: 'ok',
        userId: user.id,
        userName: user.username,
        connectionId: it.id,
        connectionName: it.name,
        subject: it.name,
      },
      tx,
    )
}

function createWriting(deps: Deps, { demandOwn }: Pick<Reading, 'demandOwn'>) {
  const { store, plugins, changes, clock, credentials, programPolicy } = deps
  const told = createTelling(deps)

  return {
    async add(user: User, asked: NewConnection): Promise<Connection> {
      const connector = demandConnector(plugins, asked.connector)
      await programPolicy.demand(user, connector, asked.settings)
      const name = demandName(asked.name)
      const { plain, secret } = splitSettings(connector, demandSettings(connector, asked.settings))
      const id = newConnectionId()
      return store.transact(async (tx) => {
        const own = await tx.select().from(connections).where(eq(connections.ownerId, user.id))
        if (own.length >= CONNECTIONS_MAX) throw new Failure('too_many')
        demandFreeName(own, name)
        const row = {
          id,
          ownerId: user.id,
          name,
          prefix: freePrefix(name, new Set(own.map((it) => it.prefix))),
          connector: connector.id,
          settings: plain,
          visibility: asked.visibility,
          credentialOf: asked.credentialOf ?? ('owner' as const),
          catalogueName: asked.catalogueName ?? null,
          status: 'new' as const,
          createdAt: clock(),
          updatedAt: clock(),
        }
        const [connection] = await tx.insert(connections).values(row).returning()
        await credentials.put(tx, id, user.id, secret)
        await told(tx, 'connection.add', user, row)
        return connection as Connection
      })
    },

    async update(user: User, id: ConnectionId, asked: ChangedConnection): Promise<void> {
      const known = await demandOwn(user, id)
      demandOwnersWord(user, known, asked)
      const connector = demandConnector(plugins, known.connector)
      const name = demandName(asked.name)
      const settings = await withKeptSecrets(credentials, connector, known, user.id, asked.settings)
      await programPolicy.demand(user, connector, settings)
      const { plain, secret } = splitSettings(connector, demandSettings(connector, settings))
      await store.transact(async (tx) => {
        const own = await tx.select().from(connections).where(eq(connections.ownerId, known.ownerId))
        demandFreeName(
          own.filter((it) => it.id !== id),
          name,
        )
        // The revision belongs to the server that stood there before.
        const shared = { visibility: asked.visibility, credentialOf: asked.credentialOf ?? known.credentialOf }
        const isMoved = isElsewhere(connector, known, plain)
        // Elsewhere may sign in otherwise, and who enters a key wants it to be used.
        const isKeyed = known.auth === 'oauth' && Object.values(secret).some((value) => !isEmpty(value))
        const auth = (isMoved && known.auth === 'oauth') || isKeyed ? { auth: 'settings' as const, authConfig: null } : {}
        // Whoever stands at the new address has earned no trust.
        const trust = isMoved ? { trustsChanges: false } : {}
        const current = { name, ...shared, ...auth, ...trust, settings: plain, revision: null, updatedAt: clock() }
        await tx.update(connections).set(current).where(eq(connections.id, id))
        // What was given for one address is never sent to another: not the owner's sign-in, and nothing of anybody else's.
        if (isMoved) await credentials.dropForMove(tx, id, known.ownerId)
        if (isShared(known) && !isShared({ ...known, ...shared })) await credentials.dropOthers(tx, id, known.ownerId)
        await credentials.put(tx, id, known.ownerId, secret)
        await told(tx, 'connection.update', user, { id, name })
      })
      changes.announce({ kind: 'connection-changed', connectionId: id })
    },

    async remove(user: User, id: ConnectionId): Promise<void> {
      const known = await demandOwn(user, id)
      await store.transact(async (tx) => {
        await tx.delete(connections).where(eq(connections.id, id))
        await told(tx, 'connection.remove', user, known)
      })
      changes.announce({ kind: 'connection-removed', connectionId: id })
    },
  }
}

/** Changes that are no change of the connection's form: a user's own secrets, where credentials come from, what was learnt. */
function createNoting(deps: Deps, { demand }: Pick<Reading, 'demand'>) {
  const { store, plugins, changes, clock, credentials, programPolicy } = deps
  const told = createTelling(deps)
  return {
    /** A user's own secrets for an open connection that each uses with their own. @throws Failure `connection_not_found`, `invalid_form` */
    async setOwnSecrets(user: User, id: ConnectionId, settings: JsonObject, seenFor: string): Promise<void> {
      const known = await demand(user, id)
      if (!may(user, known).signIn || known.ownerId === user.id) throw new Failure('connection_not_found')
      if (seenFor !== markOf(known))
        throw new Failure('invalid_form', {
          fields: { form: 'This connection was changed meanwhile. Look where it leads, then enter it again.' },
        })
      const connector = plugins.connector(known.connector)
      if (!connector) throw new Failure('connector_not_found')
      const { secret } = splitSettings(connector, demandSettings(connector, { ...known.settings, ...settings }))
      await programPolicy.demandVariables(user, connector, secret)
      await store.transact(async (tx) => {
        await credentials.put(tx, id, user.id, secret)
        await told(tx, 'connection.credential', user, known)
      })
      changes.announce({ kind: 'connection-changed', connectionId: id })
    },

    /** By its owner alone: they let it in without looking. @throws Failure `connection_not_found` */
    async setTrust(user: User, id: ConnectionId, trustsChanges: boolean): Promise<void> {
      const known = await demand(user, id)
      if (known.ownerId !== user.id) throw new Failure('connection_not_found')
      await store.transact(async (tx) => {
        await tx.update(connections).set({ trustsChanges, updatedAt: clock() }).where(eq(connections.id, id))
        await told(tx, trustsChanges ? 'connection.trust-changes' : 'connection.look-at-changes', user, known)
      })
    },

    /** Where its credential comes from. */
    async setAuth(id: ConnectionId, auth: Connection['auth'], change: (config: JsonObject) => JsonObject | null): Promise<void> {
      await store.transact(async (tx) => {
        const [row] = await tx.select().from(connections).where(eq(connections.id, id))
        const authConfig = change(row?.authConfig ?? {})
        await tx.update(connections).set({ auth, authConfig, updatedAt: clock() }).where(eq(connections.id, id))
      })
    },

    /** What trying it or opening it taught us; nobody waits for the disk over it. */
    async note(
      id: ConnectionId,
      seen: Partial<Pick<Connection, 'revision' | 'upstream' | 'status' | 'problem' | 'checkedAt'>>,
    ): Promise<void> {
      await store.transact((tx) => tx.update(connections).set(seen).where(eq(connections.id, id)), 'process')
    },
  }
}

/** Each with a credential of their own. */
const isShared = ({ visibility, credentialOf }: Pick<Connection, 'visibility' | 'credentialOf'>): boolean =>
  visibility === 'open' && credentialOf === 'each'

/** Whose credential it is used with is its owner's to say: an administrator must not give away what is another's. */
function demandOwnersWord(user: User, known: Connection, { credentialOf = known.credentialOf }: Shared): void {
  if (user.id !== known.ownerId && known.credentialOf === 'each' && credentialOf === 'owner')
    throw new Failure('invalid_form', { fields: { sharing: 'Only its owner can let others use their credential.' } })
}

function demandConnector(plugins: Pick<Plugins, 'connector'>, id: string): Connector {
  const connector = plugins.connector(id)
  if (!connector) throw new Failure('connector_not_found')
  return connector
}

function demandName(name: string): string {
  const tidy = name.trim().replace(/[\p{Cc}\p{Cf}]/gu, '')
  if (tidy.length === 0 || tidy.length > NAME_CHARS_MAX)
    throw new Failure('invalid_form', { fields: { name: `Give it a name of up to ${NAME_CHARS_MAX} characters.` } })
  return tidy
}

function demandFreeName(others: readonly Connection[], name: string): void {
  if (others.some((it) => it.name.toLowerCase() === name.toLowerCase()))
    throw new Failure('invalid_form', { fields: { name: 'Another connection has this name.' } })
}

function demandSettings(connector: Connector, settings: JsonObject): JsonObject {
  const parsed = connector.settings.safeParse(settings)
  if (parsed.success) return parsed.data
  const fields: Record<string, string> = {}
  for (const issue of parsed.error.issues) fields[`settings.${String(issue.path[0] ?? '')}`] ??= issue.message
  throw new Failure('invalid_form', { fields })
}

/**
 * A secret is never shown again, so a form that leaves it out keeps it. Not when somebody other than its owner points the
 * connection elsewhere: that would send the owner's secret to an address of their choice.
 */
async function withKeptSecrets(credentials: Credentials, connector: Connector, known: Connection, by: UserId, settings: JsonObject) {
  const { plain, secret } = splitSettings(connector, settings)
  const given = Object.fromEntries(Object.entries(secret).filter(([, value]) => !isEmpty(value)))
  if (by !== known.ownerId && isElsewhere(connector, known, plain)) return { ...plain, ...given }
  return { ...plain, ...(await credentials.find(known.id, known.ownerId)), ...given }
}

const isElsewhere = (connector: Connector, known: Connection, plain: JsonObject): boolean =>
  JSON.stringify(splitSettings(connector, known.settings).plain) !== JSON.stringify(splitSettings(connector, plain).plain)

/** Tells one state of a connection's settings from another, for a form that was filled in for the one. */
export const markOf = ({ settings }: Pick<Connection, 'settings'>): string => sha256(JSON.stringify(settings))

/** Whether a setting says nothing. */
export const isEmpty = (value: unknown): boolean =>
  value === '' || value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)

/** What exposed names begin with: from the name, in the characters that every client takes, unique for the owner. */
export function freePrefix(name: string, taken: ReadonlySet<string>): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, PREFIX_CHARS_MAX)
    .replace(/^-+|-+$/g, '')
  const stem = plain === '' ? 'server' : plain
  for (let count = 1; ; count += 1) {
    const prefix = count === 1 ? stem : `${stem}-${count}`
    if (!taken.has(prefix)) return prefix
  }
}
