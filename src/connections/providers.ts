/** Accounts at providers: signed in to once by their user, kept alive, and used by the connections that their user chose. */
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import { randomSecret } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, CredentialId, UserId } from '@/lib/ids.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { ChannelError, type JsonObject, type Plugins } from '@/plugins'
import type { Sealer, Store } from '@/store'
import type { Session, User } from '@/users'
import type { Home } from './oauth/clients.ts'
import type { Flows } from './oauth/flows.ts'
import { createRenewing } from './oauth/renewing.ts'
import { addressOf } from './oauth/sign-in.ts'
import type { PoolKey } from './pool.ts'
import { type Account, type AccountKey, createAccounts, type HeldTokens } from './providers/accounts.ts'
import { createProviderClients } from './providers/clients.ts'
import { createTalking, type Kept as KeptForTalk } from './providers/talking.ts'
import { createUsing, useOf, withToken } from './providers/using.ts'
import type { Connection, Rows } from './rows.ts'

type Deps = {
  store: Store
  sealer: Sealer
  audit: Audit
  clock: Clock
  changes: Pick<Changes, 'announce'>
  outbound: Pick<Outbound, 'asFetch'>
  plugins: Pick<Plugins, 'connector' | 'oauthProvider' | 'oauthProviders'>
  flows: Flows
  rows: Pick<Rows, 'find' | 'demand' | 'demandOwn'>
  /** It speaks for another account now, or for none: what was open belongs to the past. */
  changed(id: ConnectionId): Promise<void>
  /** The token that it was opened with is about to end: the next use opens anew, what is under way goes on. */
  retire(key: PoolKey): void
}
/** Sealed while the browser is away. */
type Kept = KeptForTalk & { version: number; accountId: CredentialId | null; connection: AskedSignIn['connection'] | null }
type AskedSignIn = {
  home: Home
  returnTo: string
  scopes: readonly string[]
  /** Signs this one in anew. */
  accountId?: CredentialId
  /** To be used by this connection, as the user saw it, once it is there. */
  connection?: { id: ConnectionId; seenFor: string }
}
/** `isChosen`: what was asked for its connection is done, where something was. */
type Finished = { returnTo: string; title: string; isChosen: boolean }
/** How a connection that uses an account stands, for the user whose credential it goes with. */
export type AccountUse =
  | { state: 'none' }
  | { state: 'missing' }
  | { state: 'ok' | 'failing' | 'dead'; name: string | null; problem: string | null; expiresAt: number | null; isRenewed: boolean }

const SCOPES_MAX = 100
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/
const textOf = ({ id }: AccountKey) => id

/** Of this provider alone, so that an answer of one is never taken for an answer of another (RFC 9700 §4.4.2.2). */
export const providerCallback = ({ origin, base }: Home, providerId: string): string =>
  `${origin}${base}/connections/accounts/${providerId}/callback`

export function createProviders(deps: Deps) {
  const accounts = createAccounts(deps)
  const clients = createProviderClients({ ...deps, dropAccounts: accounts.removeOfProvider })
  const using = createUsing({ ...deps, accounts })
  const inner: Inner = { ...deps, accounts, clients, using, talking: createTalking(deps) }
  const supply = createSupply(inner)
  return {
    ...supply,
    ...createGoing(inner, supply.signedIn),
    ...createManaging(inner),
    all: clients.all,
    entered: clients.entered,
    list: accounts.list,
    account: accounts.demand,
    connectionsOf: using.usersOf,
  }
}
export type Providers = ReturnType<typeof createProviders>
type Inner = Deps & {
  accounts: ReturnType<typeof createAccounts>
  clients: ReturnType<typeof createProviderClients>
  using: ReturnType<typeof createUsing>
  talking: ReturnType<typeof createTalking>
}

/** What a channel needs: the token that is good now of the account that this user chose for it, and of no other. */
function createSupply({ accounts, clients, using, talking, changes, clock, retire }: Inner) {
  const note = async (key: AccountKey, status: Account['status'], problem: string): Promise<void> => {
    await accounts.mark(key, status, problem)
    for (const { id } of await using.usersOf(key)) changes.announce({ kind: 'credential-failing', connectionId: id, userId: key.userId })
  }
  const renewing = createRenewing<AccountKey, HeldTokens>({
    ...{ clock, textOf, note },
    find: accounts.tokens,
    isRenewable: ({ refreshToken }) => refreshToken !== undefined,
    async put(key, tokens, from) {
      if (!(await accounts.renewed(key, tokens, from))) return false
      for (const row of await using.usersOf(key))
        if (useOf(row)?.place.kind !== 'header') retire({ connectionId: row.id, credentialOf: key.userId })
      return true
    },
  })
  const refreshWith = (key: AccountKey, providerId: string) => async (from: HeldTokens) => {
    const client = await clients.demand(providerId)
    const result = await talking.refresh(client, from, clock())
    if ('tokens' in result) return { tokens: { ...result.tokens, version: from.version } }
    const now = await accounts.tokens(key)
    // Its user signed in anew meanwhile: the failure is that of tokens which nobody holds any more.
    return now && now.version !== from.version ? { tokens: now } : result
  }
  const chosen = (connection: Connection, userId: UserId) => {
    const use = useOf(connection)
    const id = use?.accounts[userId]
    return use && id && { use, key: { id, userId } }
  }
  const tokenFor = async (connection: Connection, userId: UserId): Promise<string> => {
    const found = chosen(connection, userId)
    const tokens = found && (await renewing.current(found.key, refreshWith(found.key, found.use.provider)).catch(() => undefined))
    if (!tokens) {
      const isThere = found && (await accounts.find(found.key)) !== undefined
      const what = isThere ? 'uses an account that has to be signed in again' : 'needs an account'
      throw new ChannelError('unauthorized', `${connection.name} ${what}. Open its page in Toolpass to see to it.`)
    }
    return tokens.accessToken
  }

  return {
    signedIn: renewing.rested,
    /** For each request, to the connection's own origin; undefined where the token goes another way. */
    bearerFor(connection: Connection, userId: UserId) {
      const place = useOf(connection)?.place
      const address = addressOf(connection)
      if (place?.kind !== 'header' || address === undefined) return undefined
      return {
        origin: new URL(address).origin,
        async headers(): Promise<Record<string, string>> {
          const token = await tokenFor(connection, userId)
          return { [place.name.toLowerCase()]: place.format.replace('{token}', () => token) }
        },
      }
    },
    /** The secret settings with the token where it belongs, for what is opened with settings alone. */
    async settingsFor(connection: Connection, userId: UserId, secret: JsonObject): Promise<JsonObject> {
      const place = useOf(connection)?.place
      if (!place || place.kind === 'header') return secret
      return withToken(secret, place, await tokenFor(connection, userId))
    },
    /** What was sent then was refused. @returns whether there is another token to try with */
    async refused(connection: Connection, userId: UserId, sentAt: number): Promise<boolean> {
      const found = chosen(connection, userId)
      return found !== undefined && (await renewing.replace(found.key, sentAt, refreshWith(found.key, found.use.provider))) !== undefined
    },
    /** Renews what ends soon. @returns how many were tried */
    async keepAlive(): Promise<number> {
      const due = await accounts.due()
      for (const key of due) await renewing.current(key, refreshWith(key, key.providerId)).catch(() => undefined)
      return due.length
    },
  }
}

/** There and back. */
function createGoing({ accounts, clients, using, talking, flows, clock, audit, changed }: Inner, rested: (key: AccountKey) => void) {
  return {
    /** After the user's own click. @throws Failure `not_found`, `upstream_unauthorized` */
    async begin(session: Session, providerId: string, asked: AskedSignIn): Promise<{ to: string; title: string }> {
      const client = await clients.demand(providerId)
      const { accountId = null, connection = null } = asked
      const known = accountId === null ? undefined : await accounts.demand({ id: accountId, userId: session.user.id })
      if (known && known.providerId !== providerId) throw new Failure('not_found')
      const scopes = [...new Set([...(client.quirks.scopes ?? []), ...asked.scopes])]
        .filter((scope) => SCOPE.test(scope))
        .slice(0, SCOPES_MAX)
      const redirectUri = providerCallback(asked.home, providerId)
      const verifier = randomSecret()
      let to = ''
      await flows.begin(session, { providerId }, asked.returnTo, async (state) => {
        const isFirst = !(known?.isRefreshable && known.status === 'ok')
        to = await talking.authorizationUrl(client, { redirectUri, state, verifier, scopes, isFirst })
        return { redirectUri, state, verifier, scopes, version: client.version, accountId, connection } satisfies Kept
      })
      return { to, title: client.title }
    },
    /** @param answer the parameters that the browser came back with. @throws Failure `bad_request`, `upstream_unauthorized` */
    async finish(session: Session, providerId: string, answer: URLSearchParams): Promise<Finished> {
      const flow = await flows.end<Kept>(session, answer.get('state') ?? '')
      if (flow.providerId !== providerId)
        throw new Failure('bad_request', { message: 'This answer came back another way than it was sent.' })
      const client = await clients.demand(providerId)
      const { kept, returnTo } = flow
      if (kept.version !== client.version)
        throw new Failure('bad_request', { message: 'An administrator changed this provider meanwhile. Sign in once more.' })
      const tokens = await talking.redeem(client, kept, answer, clock())
      const name = await talking.nameOf(client, tokens)
      const { user } = session
      const id = await accounts.put(user.id, providerId, tokens, name, kept.accountId ?? undefined)
      rested({ id, userId: user.id })
      const subject = name === undefined ? client.title : `${client.title}: ${name}`
      await audit.report({ kind: 'auth', action: 'account.sign-in', outcome: 'ok', userId: user.id, userName: user.username, subject })
      // The connection may have been changed, or be out of reach, since the browser went away: then it stays without.
      const chosen = kept.connection && using.choose(user, kept.connection.id, id, kept.connection.seenFor)
      const isChosen = await (chosen ?? Promise.resolve()).then(
        () => true,
        () => false,
      )
      for (const row of await using.usersOf({ id, userId: user.id })) await changed(row.id)
      return { returnTo, title: client.title, isChosen }
    },
  }
}

/** Looking at accounts, ending them, and what a connection does with them. */
function createManaging({ store, accounts, clients, using, talking, audit, changed }: Inner) {
  return {
    /** Ends one's own account here, and there where that is offered. */
    async disconnect(user: User, id: CredentialId): Promise<void> {
      const key = { id, userId: user.id }
      const account = await accounts.demand(key)
      const [held, client, users] = [await accounts.tokens(key), await clients.find(account.providerId), await using.usersOf(key)]
      await store.transact(async (tx) => {
        await accounts.remove(tx, key)
        const subject = [client?.title ?? account.providerId, account.accountName].filter(Boolean).join(': ')
        await audit.report(
          { kind: 'auth', action: 'account.sign-out', outcome: 'ok', userId: user.id, userName: user.username, subject },
          tx,
        )
      })
      for (const row of users) await changed(row.id)
      if (held && client) await talking.revoke(client, held)
    },
    async configure(by: User, providerId: string, settings: JsonObject): Promise<void> {
      await clients.configure(by, providerId, settings)
      for (const { id } of await using.listOfProvider(providerId)) await changed(id)
    },
    /** Takes every account there with it. */
    async remove(by: User, providerId: string): Promise<void> {
      const [client, gone] = [await clients.find(providerId), await accounts.listOfProvider(providerId)]
      const held = await Promise.all(gone.map((account) => accounts.tokens(account).catch(() => undefined)))
      await clients.remove(by, providerId)
      for (const { id } of await using.listOfProvider(providerId)) await changed(id)
      if (client) await Promise.all(held.map((tokens) => tokens && talking.revoke(client, tokens)))
    },
    async setUse(user: User, id: ConnectionId, asked: { provider: string; place: unknown }): Promise<void> {
      await using.setUse(user, id, asked)
      await changed(id)
    },
    async endUse(user: User, id: ConnectionId): Promise<void> {
      await using.endUse(user, id)
      await changed(id)
    },
    async choose(user: User, id: ConnectionId, accountId: CredentialId | undefined, seenFor: string): Promise<void> {
      await using.choose(user, id, accountId, seenFor)
      await changed(id)
    },
    countOf: async (providerId: string): Promise<number> => (await accounts.listOfProvider(providerId)).length,
    async stateOf(connection: Connection, userId: UserId): Promise<AccountUse> {
      const use = useOf(connection)
      if (!use) return { state: 'none' }
      const id = use.accounts[userId]
      const account = id && (await accounts.find({ id, userId }))
      if (!account) return { state: 'missing' }
      const { status, accountName, problem, expiresAt, isRefreshable } = account
      return { state: status, name: accountName, problem, expiresAt, isRenewed: isRefreshable === true }
    },
  }
}
