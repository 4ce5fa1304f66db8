/** Signing in to the server of a connection, once, and staying signed in (STANDARDS §3). */
import type { Audit } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import type { Changes } from '@/lib/changes.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import type { Outbound } from '@/lib/outbound.ts'
import type { Sealer, Store } from '@/store'
import type { Session, User, Users } from '@/users'
import { may } from '../may.ts'
import type { Connection } from '../rows.ts'
import { createOwnClients, type Home, type OwnClient, PASTE_REDIRECT } from './clients.ts'
import { discover, type GuardedFetch, guardedFetch, isSameResource, type Place } from './discovery.ts'
import type { Flows } from './flows.ts'
import { revokeAt } from './revoke.ts'
import { sdk } from './sdk.ts'
import { askByItself, createTokenSets, type TokenKey, type TokenSet, tokenSetOf } from './tokens.ts'

export type AuthConfig = {
  /** Asked for besides what the server itself asks for. */
  scopes?: string[]
  grant?: 'code' | 'client_credentials'
  returnBy?: 'callback' | 'paste'
  /** Entered by hand, where the server does not say. */
  issuer?: string
}
type Options = { scopes: string[]; grant: 'code' | 'client_credentials'; returnBy: 'callback' | 'paste' }
type SignInState = { state: 'not-needed' } | Needed
type Needed = {
  state: 'needs-sign-in' | 'signed-in' | 'failing' | 'dead' | 'needs-scope'
  options: Options
  /** Ahead of its end, by itself. */
  isRenewed: boolean
  problem?: string
  expiresAt?: number
  scopes?: string[]
  issuer?: string
  /** The client at the other side, without its secret. */
  client?: { how: OwnClient['how']; id: string }
}

type Deps = {
  store: Store
  sealer: Sealer
  clock: Clock
  audit: Audit
  changes: Pick<Changes, 'announce'>
  outbound: Pick<Outbound, 'asFetch'>
  users: Pick<Users, 'find'>
  flows: Flows
  rows: {
    find(id: ConnectionId): Promise<Connection | undefined>
    demand(user: Pick<User, 'id'>, id: ConnectionId): Promise<Connection>
    demandOwn(user: Pick<User, 'id' | 'role'>, id: ConnectionId): Promise<Connection>
    setAuth(id: ConnectionId, auth: Connection['auth'], change: (config: AuthConfig) => AuthConfig | null): Promise<void>
  }
  keyFor(connection: Connection, userId: UserId): TokenKey
  /** Whether somebody else than its owner gave a key of their own for it. */
  isUsedWithKeys(id: ConnectionId): Promise<boolean>
  /** Somebody signed in, or out: channels that were open belong to the past. */
  changed(id: ConnectionId): Promise<void>
}

/** Sealed while the browser is away. */
type Kept = {
  verifier: string
  place: Place
  client: OwnClient
  redirectUri: string
  scope: string | undefined
  key: TokenKey
}
export type Begun = { kind: 'go'; to: string; pasted: boolean } | { kind: 'needs-client'; issuer: string } | { kind: 'done' }

export const configOf = (connection: Pick<Connection, 'authConfig'>): AuthConfig => (connection.authConfig ?? {}) as AuthConfig
/** Where the connection's server answers, for connectors that have such an address. */
export const addressOf = ({ settings }: Pick<Connection, 'settings'>): string | undefined =>
  typeof settings['url'] === 'string' ? settings['url'] : undefined

export function createSignIn(deps: Deps) {
  const tokens = createTokenSets(deps)
  const clients = createOwnClients(deps)
  const fetchFor = async (connection: Connection): Promise<GuardedFetch> => {
    const owner = await deps.users.find(connection.ownerId)
    const entered = [addressOf(connection), configOf(connection).issuer].filter((each) => each !== undefined)
    return guardedFetch(deps.outbound, owner?.role === 'admin' ? entered : [])
  }
  const inner = { ...deps, tokens, clients, fetchFor }
  return { ...createSupply(inner), ...createGoing(inner), ...createManaging(inner) }
}
/** How `connections` hands it on. */
export type SignIn = ReturnType<typeof createSignIn>
type Inner = Deps & {
  tokens: ReturnType<typeof createTokenSets>
  clients: ReturnType<typeof createOwnClients>
  fetchFor(connection: Connection): Promise<GuardedFetch>
}

const RENEWED_AT_ONCE_MAX = 8

/** What a channel needs: a token that is good now, and another one when that was refused. */
function createSupply({ tokens, fetchFor, rows, keyFor }: Inner) {
  const needed = (connection: Connection) =>
    new Failure('upstream_unauthorized', { message: `${connection.name} needs a sign-in. Open its page in Toolpass and sign in.` })
  return {
    /** @throws Failure `upstream_unauthorized` */
    async accessToken(connection: Connection, userId: UserId): Promise<string> {
      const found = await tokens.current(keyFor(connection, userId), await fetchFor(connection))
      // Whatever happened to the connection meanwhile: a token goes to the address that it was made for.
      if (!found || !isSameResource(addressOf(connection) ?? '', found.resource)) throw needed(connection)
      return found.accessToken
    },
    /** What was sent then was refused. @returns whether there is another token to try with */
    async refused(connection: Connection, userId: UserId, sentAt: number): Promise<boolean> {
      const key = keyFor(connection, userId)
      if (await tokens.replace(key, sentAt, await fetchFor(connection))) return true
      // Nothing was wrong with it until now and it cannot be renewed: only its user can help.
      if ((await tokens.row(key))?.status === 'ok')
        await tokens.note(key, 'dead', 'The server no longer accepts this sign-in. Sign in again.')
      return false
    },
    /** Even a token that was made a moment ago is refused: the server has moved, or no longer wants this user. */
    async rejected(connection: Connection, userId: UserId): Promise<void> {
      await tokens.note(keyFor(connection, userId), 'dead', 'The server refuses the sign-in that was just renewed. Sign in again.')
    },
    /** The server wants more than was granted (403 `insufficient_scope`): the union of both is asked for at the next sign-in. */
    async wantsScope(connection: Connection, userId: UserId, scope: string): Promise<void> {
      const wanted = scope.split(' ').filter(Boolean)
      await rows.setAuth(connection.id, 'oauth', (config) => ({ ...config, scopes: [...new Set([...(config.scopes ?? []), ...wanted])] }))
      await tokens.note(keyFor(connection, userId), 'failing', 'The server asks for more than was granted. Sign in again to allow it.')
    },
    /** Refreshes what ends soon. @returns how many were tried */
    async keepAlive(): Promise<number> {
      const due = await tokens.due()
      const waiting = [...due]
      const work = async () => {
        for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
          const connection = await rows.find(key.connectionId)
          if (connection) await tokens.current(key, await fetchFor(connection)).catch(() => undefined)
        }
      }
      // One server that hangs must not keep the others waiting until their tokens have run out.
      await Promise.all(Array.from({ length: RENEWED_AT_ONCE_MAX }, work))
      return due.length
    },
    forgetTokens: (id: ConnectionId): void => tokens.forget(id),
  }
}

/** There and back. */
function createGoing(inner: Inner) {
  const { rows, flows, tokens, clients, fetchFor, keyFor, clock, changed, audit, isUsedWithKeys } = inner
  const told = (user: User, connection: Connection, action: string) =>
    audit.report({
      ...{ kind: 'auth', action, outcome: 'ok', userId: user.id, userName: user.username },
      ...{ connectionId: connection.id, connectionName: connection.name, subject: connection.name },
    })
  const keep = async (user: User, connection: Connection, key: TokenKey, tokenSet: TokenSet): Promise<void> => {
    await tokens.put(key, tokenSet)
    if (connection.auth !== 'oauth') await rows.setAuth(connection.id, 'oauth', (config) => config)
    await told(user, connection, 'connection.sign-in')
    await changed(connection.id)
  }
  return {
    /** Whether the server that refused us offers a sign-in; the connection is then one that signs in. */
    async offered(connection: Connection, challenge: string | undefined): Promise<boolean> {
      const address = addressOf(connection)
      if (connection.auth !== 'settings' || address === undefined) return false
      // Somebody's own key works, or shall: how it signs in is then its owner's to change.
      if (await isUsedWithKeys(connection.id)) return false
      const place = await discover(address, challenge, await fetchFor(connection)).catch(() => undefined)
      if (place) await rows.setAuth(connection.id, 'oauth', () => null)
      return place !== undefined
    },
    /** After the user's own click. @throws Failure `upstream_unauthorized`, `connection_not_found` */
    async begin(session: Session, id: ConnectionId, asked: { home: Home; returnTo: string; challenge?: string }): Promise<Begun> {
      const connection = await rows.demand(session.user, id)
      const key = keyFor(connection, session.user.id)
      if (key.credentialOf !== session.user.id) throw new Failure('connection_not_found')
      const address = addressOf(connection)
      if (address === undefined) throw new Failure('bad_request', { message: 'This kind of connection has no sign-in of its own.' })
      const isOwners = may(session.user, connection).change
      if (connection.auth !== 'oauth' && !isOwners)
        throw new Failure('bad_request', {
          message: 'This connection is used with a key or a header. Its owner decides whether it signs in.',
        })
      const config = configOf(connection)
      const ask = await fetchFor(connection)
      const place = await discover(address, asked.challenge ?? (await challengeOf(address, ask)), ask, config.issuer)
      const isPasted = config.returnBy === 'paste'
      const client = await clients.at(id, place, asked.home, isPasted, ask)
      if (!client) return { kind: 'needs-client', issuer: place.issuer }
      const scope = await scopeFor(place, config, await tokens.find(key))
      if (config.grant === 'client_credentials') {
        await keep(session.user, connection, key, await withoutUser(place, client, scope, ask, clock()))
        return { kind: 'done' }
      }
      const { redirectUri = PASTE_REDIRECT } = client
      const { startAuthorization } = await sdk()
      const { information: clientInformation } = client
      let to = ''
      await flows.begin(session, { connectionId: id }, asked.returnTo, async (state) => {
        const request = { metadata: place.metadata, clientInformation, redirectUrl: redirectUri, state, resource: place.resource }
        const begun = await startAuthorization(place.issuer, { ...request, ...(scope === undefined ? {} : { scope }) })
        to = begun.authorizationUrl.href
        return { verifier: begun.codeVerifier, place, client, redirectUri, scope, key } satisfies Kept
      })
      return { kind: 'go', to, pasted: isPasted }
    },
    /**
     * @param answer the parameters that the browser came back with
     * @param cameTo the address it came back to, which is another one for each connection
     * @throws Failure `bad_request`, `upstream_unauthorized`
     */
    async finish(session: Session, answer: URLSearchParams, cameTo: string): Promise<{ connectionId: ConnectionId; returnTo: string }> {
      const { kept, connectionId, returnTo } = await flows.end<Kept>(session, answer.get('state') ?? '')
      if (!connectionId) throw new Failure('bad_request')
      if (cameTo !== kept.redirectUri)
        throw new Failure('upstream_unauthorized', { message: 'The answer was for another connection than the one that was asked for.' })
      const connection = await rows.demand(session.user, connectionId)
      const { place, key } = kept
      const ask = await fetchFor(connection)
      // It was pointed elsewhere while its user was away.
      if (!isSameResource(addressOf(connection) ?? '', place.resource))
        throw new Failure('upstream_unauthorized', { message: 'This connection leads elsewhere by now. Sign in once more.' })
      await demandIssuer(place, answer)
      const error = answer.get('error')
      if (error !== null) throw new Failure('upstream_unauthorized', { message: sentenceFor(error) })
      await keep(session.user, connection, key, await redeem(kept, answer, ask, clock()))
      return { connectionId, returnTo }
    },
  }
}

/** Asks the server without a credential, to hear where its users sign in. */
async function challengeOf(address: string, ask: GuardedFetch): Promise<string | undefined> {
  const answer = await ask(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  }).catch(() => undefined)
  void answer?.body?.cancel()
  return answer?.status === 401 || answer?.status === 403 ? (answer.headers.get('www-authenticate') ?? undefined) : undefined
}

/** Never less than before, so that a step-up does not cost what was granted. */
async function scopeFor(place: Place, config: AuthConfig, known: TokenSet | undefined): Promise<string | undefined> {
  const { computeScopeUnion } = await sdk()
  const held = known?.issuer === place.issuer ? known.scope : undefined
  const supported = place.metadata.scopes_supported ?? []
  const stay = supported.includes('offline_access') ? 'offline_access' : undefined
  return computeScopeUnion(place.scope, config.scopes?.join(' '), held, stay)
}

/** RFC 9207: an answer of another authorization server than the one that was asked stops here, before anything is sent. */
async function demandIssuer({ issuer, metadata }: Place, answer: URLSearchParams): Promise<void> {
  const { validateAuthorizationResponseIssuer } = await sdk()
  const supported = (metadata as Record<string, unknown>)['authorization_response_iss_parameter_supported'] === true
  try {
    validateAuthorizationResponseIssuer({ iss: answer.get('iss') ?? undefined, expectedIssuer: issuer, issParameterSupported: supported })
  } catch (cause) {
    throw new Failure('upstream_unauthorized', {
      message: 'The answer came from another authorization server than the one that was asked.',
      cause,
    })
  }
}

async function redeem({ verifier, place, client, redirectUri, scope }: Kept, answer: URLSearchParams, ask: GuardedFetch, now: number) {
  const { exchangeAuthorization } = await sdk()
  const code = answer.get('code')
  if (!code) throw new Failure('upstream_unauthorized', { message: 'The authorization server sent no code.' })
  const iss = answer.get('iss')
  try {
    const given = await exchangeAuthorization(place.issuer, {
      ...{ metadata: place.metadata, clientInformation: client.information, authorizationCode: code, codeVerifier: verifier },
      ...{ redirectUri, resource: place.resource, fetchFn: ask },
      ...(iss === null ? {} : { iss }),
    })
    return tokenSetOf(given, restOf(place, client, scope), now)
  } catch (cause) {
    if (isFailure(cause)) throw cause
    throw new Failure('upstream_unauthorized', { message: 'The authorization server did not accept its own answer. Try once more.', cause })
  }
}

const restOf = (place: Place, client: OwnClient, scope: string | undefined) => ({
  ...{ issuer: place.issuer, resource: place.resource, metadata: place.metadata, client: client.information },
  ...(scope === undefined ? {} : { scope }),
})

/** @throws Failure `upstream_unauthorized` */
async function withoutUser(place: Place, client: OwnClient, scope: string | undefined, ask: GuardedFetch, now: number): Promise<TokenSet> {
  const rest = { ...restOf(place, client, scope), byItself: true }
  try {
    return tokenSetOf(await askByItself(rest, ask), rest, now)
  } catch (cause) {
    throw new Failure('upstream_unauthorized', { message: 'The authorization server refused the client’s id and secret.', cause })
  }
}

const SENTENCES: Record<string, string> = {
  access_denied: 'The sign-in was denied over there. Nothing has changed here.',
  invalid_scope: 'The authorization server does not know one of the scopes. Take it out and try again.',
}
const sentenceFor = (error: string) =>
  SENTENCES[error] ?? `The authorization server refused: ${error.replace(/[^\w.-]/g, '').slice(0, 60)}.`

/** Looking at a sign-in, ending it, and the client that was registered by hand. */
function createManaging({ rows, tokens, clients, keyFor, fetchFor, changed, audit, store, clock }: Inner) {
  return {
    async stateOf(user: User, id: ConnectionId): Promise<SignInState> {
      const connection = await rows.demand(user, id)
      if (connection.auth !== 'oauth') return { state: 'not-needed' }
      const [row, client] = await Promise.all([tokens.row(keyFor(connection, user.id)), clients.find(id)])
      const { scopes = [], grant = 'code', returnBy = 'callback' } = configOf(connection)
      const about = {
        options: { scopes, grant, returnBy },
        isRenewed: row?.isRefreshable === true,
        ...(client && { client: { how: client.how, id: client.information.client_id } }),
        ...(row?.issuer && { issuer: row.issuer }),
        ...(row?.scope && { scopes: row.scope.split(' ') }),
        ...(row?.problem && { problem: row.problem }),
        ...(row?.expiresAt && { expiresAt: row.expiresAt }),
      }
      if (!row) return { ...about, state: 'needs-sign-in' }
      if (row.status === 'dead') return { ...about, state: 'dead' }
      const lacks = (configOf(connection).scopes ?? []).some((scope) => !(row.scope ?? '').split(' ').includes(scope))
      if (row.status === 'failing') return { ...about, state: lacks ? 'needs-scope' : 'failing' }
      const isOver = row.expiresAt !== null && row.expiresAt <= clock() && row.isRefreshable !== true
      return { ...about, state: isOver ? 'dead' : 'signed-in' }
    },
    /** Ends one's own sign-in here, and there where a revocation is offered. */
    async disconnect(user: User, id: ConnectionId): Promise<void> {
      const connection = await rows.demand(user, id)
      const key = keyFor(connection, user.id)
      if (key.credentialOf !== user.id) throw new Failure('connection_not_found')
      const held = await tokens.find(key)
      await tokens.remove(key)
      await audit.report({
        ...{ kind: 'auth', action: 'connection.sign-out', outcome: 'ok', userId: user.id, userName: user.username },
        ...{ connectionId: id, connectionName: connection.name, subject: connection.name },
      })
      await changed(id)
      if (held) await revokeAt(held, await fetchFor(connection))
    },
    /** A client that somebody registered at the authorization server by hand. An empty issuer is filled in by the first sign-in. */
    async setClient(user: User, id: ConnectionId, asked: { clientId: string; clientSecret: string; issuer: string }): Promise<void> {
      await rows.demandOwn(user, id)
      const clientId = asked.clientId.trim()
      if (clientId === '' || clientId.length > 512) throw new Failure('invalid_form', { fields: { client_id: 'Enter the client id.' } })
      const information = { client_id: clientId, ...(asked.clientSecret === '' ? {} : { client_secret: asked.clientSecret }) }
      await store.transact((tx) => clients.put(tx, id, { issuer: asked.issuer, how: 'registered', information }))
      await rows.setAuth(id, 'oauth', (config) => config)
      await changed(id)
    },
    async configure(user: User, id: ConnectionId, config: AuthConfig): Promise<void> {
      await rows.demandOwn(user, id)
      await rows.setAuth(id, 'oauth', (known) => ({ ...known, ...config }))
    },
  }
}
