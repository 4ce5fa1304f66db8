/** A connection that uses accounts at a provider: whose, and where in the connection the token goes. */
import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Audit } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { type ConnectionId, CredentialId, type UserId } from '@/lib/ids.ts'
import { type Connector, type JsonObject, type Plugins, settingsForm } from '@/plugins'
import { connections, type Store, type Writer } from '@/store'
import type { User } from '@/users'
import { may } from '../may.ts'
import { addressOf } from '../oauth/sign-in.ts'
import { type Connection, markOf } from '../rows.ts'
import type { Account, Accounts } from './accounts.ts'

/** Names that HTTP itself or the transport speaks with are no place for a token. */
const HEADERS_OF_OURS = /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|accept|mcp-.*|origin|cookie|proxy-.*)$/i
const Place = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('header'),
    name: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, 'Letters, digits and dashes only.')
      .refine((name) => !HEADERS_OF_OURS.test(name), 'This header cannot carry a token.'),
    format: z
      .string()
      .max(200)
      .regex(/^[\x20-\x7e]*\{token\}[\x20-\x7e]*$/, 'Say with {token} where the token goes.'),
  }),
  z.object({ kind: z.literal('setting'), field: z.string().max(100), key: z.string().min(1, 'Enter a name.').max(200).optional() }),
  z.object({ kind: z.literal('env'), name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'A name of a variable, such as API_TOKEN.') }),
])
export type Place = z.output<typeof Place>
/** What can be chosen for a connector, before names are filled in. */
export type PlaceKind = { kind: 'header' } | { kind: 'env' } | { kind: 'setting'; field: string; title: string; isRecord: boolean }

const Use = z.object({
  provider: z.string(),
  place: Place,
  /** Who lets this connection use which account of theirs. Nobody's is used that is not here. */
  accounts: z.record(z.string(), CredentialId).default({}),
})
export type Use = z.output<typeof Use>

export function useOf({ auth, authConfig }: Pick<Connection, 'auth' | 'authConfig'>): Use | undefined {
  if (auth !== 'provider') return undefined
  const read = Use.safeParse(authConfig)
  return read.success ? read.data : undefined
}

/** Secret fields alone take a token, so that it is in no row and on no page. A plain header needs an address to go to. */
export function placesOf(connector: Connector, connection: Pick<Connection, 'settings'>): PlaceKind[] {
  const secret = Object.entries(settingsForm(connector).properties).filter(([, { secret }]) => secret === true)
  const header: PlaceKind[] = addressOf(connection) === undefined ? [] : [{ kind: 'header' }]
  const fields = secret.flatMap(([field, { type, title = field }]): PlaceKind[] => {
    if (type === 'object' && field === 'env') return [{ kind: 'env' }]
    // Where there is an address, a header is already a choice of its own, and one that is never stale.
    if (type === 'object' && field === 'headers' && header.length > 0) return []
    return type === 'object' || type === 'string' ? [{ kind: 'setting', field, title, isRecord: type === 'object' }] : []
  })
  return [...header, ...fields]
}

/** The secret settings with the token in its place. */
export function withToken(secret: JsonObject, place: Place, token: string): JsonObject {
  if (place.kind === 'header') return secret
  const field = place.kind === 'env' ? 'env' : place.field
  const key = place.kind === 'env' ? place.name : place.key
  return { ...secret, [field]: key === undefined ? token : { ...(secret[field] as JsonObject | undefined), [key]: token } }
}

type Deps = {
  store: Store
  audit: Audit
  clock: Clock
  plugins: Pick<Plugins, 'connector' | 'oauthProvider'>
  accounts: Pick<Accounts, 'demand'>
  rows: {
    find(id: ConnectionId): Promise<Connection | undefined>
    demand(user: Pick<User, 'id'>, id: ConnectionId): Promise<Connection>
    demandOwn(user: Pick<User, 'id' | 'role'>, id: ConnectionId): Promise<Connection>
  }
}

export function createUsing({ store, audit, clock, plugins, accounts, rows }: Deps) {
  const told = (tx: Writer, user: User, action: string, it: Pick<Connection, 'id' | 'name'>) =>
    audit.report(
      {
        ...{ kind: 'admin', action, outcome: 'ok', userId: user.id, userName: user.username },
        ...{ connectionId: it.id, connectionName: it.name, subject: it.name },
      },
      tx,
    )
  const write = (tx: Writer, id: ConnectionId, use: Use | undefined) =>
    tx
      .update(connections)
      .set({ auth: use ? 'provider' : 'settings', authConfig: use ?? null, updatedAt: clock() })
      .where(eq(connections.id, id))
  /** Two people may choose at once, so what is there is read where it is written. */
  const change = (id: ConnectionId, to: (use: Use, row: Connection, tx: Writer) => Promise<Use>) =>
    store.transact(async (tx) => {
      const [row] = await tx.select().from(connections).where(eq(connections.id, id))
      const use = row && useOf(row)
      if (row && use) await write(tx, id, await to(use, row, tx))
    })

  return {
    /** Makes it one that uses accounts at this provider; with another place or provider, everybody chooses again. */
    async setUse(user: User, id: ConnectionId, asked: { provider: string; place: unknown }): Promise<void> {
      const row = await rows.demandOwn(user, id)
      const connector = plugins.connector(row.connector)
      if (!connector) throw new Failure('connector_not_found')
      if (!plugins.oauthProvider(asked.provider)) throw new Failure('invalid_form', { fields: { provider: 'There is no such provider.' } })
      const place = demandPlace(placesOf(connector, row), asked.place)
      await store.transact(async (tx) => {
        await write(tx, id, { provider: asked.provider, place, accounts: {} })
        await told(tx, user, 'connection.use-accounts', row)
      })
    },
    /** Back to its own settings. */
    async endUse(user: User, id: ConnectionId): Promise<void> {
      const row = await rows.demandOwn(user, id)
      if (row.auth !== 'provider') return
      await store.transact(async (tx) => {
        await write(tx, id, undefined)
        await told(tx, user, 'connection.use-settings', row)
      })
    },
    /**
     * One's own account, for one's own use of it.
     * @param seenFor the mark of the settings that the user saw: an account is lent to what stood there then
     * @throws Failure `connection_not_found`, `not_found`, `invalid_form`
     */
    async choose(user: User, id: ConnectionId, accountId: CredentialId | undefined, seenFor: string): Promise<void> {
      const row = await rows.demand(user, id)
      const use = useOf(row)
      if (!use || !may(user, row).signIn) throw new Failure('connection_not_found')
      const account = accountId && (await accounts.demand({ id: accountId, userId: user.id }))
      if (account && account.providerId !== use.provider)
        throw new Failure('not_found', { message: 'This account is at another provider.' })
      await change(id, async (now, current, tx) => {
        if (account && (seenFor !== markOf(current) || now.provider !== account.providerId))
          throw new Failure('invalid_form', {
            fields: { account: 'This connection was changed meanwhile. Look where it leads, then choose again.' },
          })
        await told(tx, user, 'connection.account', row)
        const { [user.id]: _, ...others } = now.accounts
        return { ...now, accounts: account ? { ...others, [user.id]: account.id } : others }
      })
    },
    /** The connections that this account is used by. */
    async usersOf({ id, userId }: Pick<Account, 'id' | 'userId'>): Promise<Connection[]> {
      const rows = await store.read.select().from(connections).where(eq(connections.auth, 'provider'))
      return rows.filter((row) => useOf(row)?.accounts[userId as UserId] === id)
    },
    listOfProvider: async (providerId: string): Promise<Connection[]> =>
      (await store.read.select().from(connections).where(eq(connections.auth, 'provider'))).filter(
        (row) => useOf(row)?.provider === providerId,
      ),
  }
}

function demandPlace(kinds: readonly PlaceKind[], asked: unknown): Place {
  const read = Place.safeParse(asked)
  if (!read.success) {
    const [issue] = read.error.issues
    throw new Failure('invalid_form', { fields: { [`place_${String(issue?.path[0] ?? 'kind')}`]: issue?.message ?? 'Choose a place.' } })
  }
  const place = read.data
  const fits = kinds.some(
    (kind) =>
      kind.kind === place.kind &&
      (kind.kind !== 'setting' || (place.kind === 'setting' && kind.field === place.field && kind.isRecord === (place.key !== undefined))),
  )
  if (!fits) throw new Failure('invalid_form', { fields: { place_key: 'Choose one of the places, with a name where it wants one.' } })
  return place
}
