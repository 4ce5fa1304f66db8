/** The tokens that an upstream gave for one user of one connection: sealed, refreshed ahead of their end, never two at a time. */
import { and, eq, ne } from 'drizzle-orm'
import { type Clock, SECOND_MS } from '@/lib/clock.ts'
import type { Changes } from '@/lib/changes.ts'
import { type ConnectionId, type CredentialId, newCredentialId, type UserId } from '@/lib/ids.ts'
import { parseJson } from '@/lib/json.ts'
import { credentials, type Sealer, type Store, type Writer } from '@/store'
import type { GuardedFetch } from './discovery.ts'
import { createRenewing, notRenewed, type Refreshed, refreshDueAt } from './renewing.ts'
import { type AuthorizationServerMetadata, type OAuthClientInformationMixed, type OAuthTokens, sdk } from './sdk.ts'

/** All that a refresh needs, so that it asks no document that may have changed since. */
export type TokenSet = {
  accessToken: string
  refreshToken?: string
  /** The connection itself signed in (RFC 6749 §4.4), and can do so again without anybody. */
  byItself?: boolean
  scope?: string
  /** Milliseconds since 1970; undefined where the server did not say. */
  expiresAt?: number
  issuedAt: number
  issuer: string
  resource: string
  metadata: AuthorizationServerMetadata
  client: OAuthClientInformationMixed
}
export type TokenRow = typeof credentials.$inferSelect
export type TokenKey = { connectionId: ConnectionId; credentialOf: UserId }

type Deps = { store: Store; sealer: Sealer; clock: Clock; changes: Pick<Changes, 'announce'> }
const textOf = ({ connectionId, credentialOf }: TokenKey) => `${connectionId} ${credentialOf}`
const placeOf = (row: CredentialId, owner: UserId, version: number) => ({ table: 'credentials', row, column: 'sealed', owner, version })

const isRenewable = ({ refreshToken, byItself }: TokenSet): boolean => refreshToken !== undefined || byItself === true

/** What the server answered, as we keep it. A refresh that brings no new refresh token keeps the old one. */
export function tokenSetOf(answer: OAuthTokens, rest: Omit<TokenSet, 'accessToken' | 'expiresAt' | 'issuedAt'>, now: number): TokenSet {
  const refreshToken = answer.refresh_token ?? rest.refreshToken
  const scope = answer.scope ?? rest.scope
  return {
    ...rest,
    accessToken: answer.access_token,
    issuedAt: now,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(scope !== undefined && { scope }),
    ...(answer.expires_in !== undefined && { expiresAt: now + within(answer.expires_in) * SECOND_MS }),
  }
}

/** A server may say anything: no token is renewed on each use, and none outlives us all. */
const within = (seconds: number): number => Math.min(LIFE_SECONDS_MAX, Math.max(LIFE_SECONDS_MIN, seconds))
const LIFE_SECONDS_MIN = 5
const LIFE_SECONDS_MAX = 10 * 365 * 86_400

/** Where they are kept. What was opened once stays in memory, because each request asks. */
function createVault({ store, sealer, clock }: Deps) {
  const cache = new Map<string, TokenSet>()
  const mine = ({ connectionId, credentialOf }: TokenKey) =>
    and(eq(credentials.connectionId, connectionId), eq(credentials.userId, credentialOf), eq(credentials.kind, 'oauth'))
  const row = async (key: TokenKey): Promise<TokenRow | undefined> => (await store.read.select().from(credentials).where(mine(key)))[0]

  const opened = ({ id, userId, version, sealed, sealedKey }: TokenRow): TokenSet =>
    parseJson(sealer.open({ bytes: sealed, key: sealedKey }, placeOf(id, userId, version))) as TokenSet

  const write = async (tx: Writer, key: TokenKey, tokens: TokenSet): Promise<void> => {
    const [known] = await tx.select().from(credentials).where(mine(key))
    const id = known?.id ?? newCredentialId()
    const version = (known?.version ?? 0) + 1
    const { bytes, key: sealedKey } = sealer.seal(JSON.stringify(tokens), placeOf(id, key.credentialOf, version))
    const current = {
      ...{
        sealed: bytes,
        sealedKey,
        version,
        updatedAt: clock(),
        expiresAt: tokens.expiresAt ?? null,
        status: 'ok' as const,
        problem: null,
      },
      ...{ issuer: tokens.issuer, scope: tokens.scope ?? null, isRefreshable: isRenewable(tokens) },
    }
    if (known) await tx.update(credentials).set(current).where(eq(credentials.id, id))
    else {
      const whose = { id, kind: 'oauth' as const, connectionId: key.connectionId, userId: key.credentialOf, createdAt: clock() }
      await tx.insert(credentials).values({ ...whose, ...current })
    }
  }
  return {
    row,
    async find(key: TokenKey): Promise<TokenSet | undefined> {
      const known = cache.get(textOf(key))
      if (known) return known
      const found = await row(key)
      if (!found || found.status === 'dead') return undefined
      const tokens = opened(found)
      cache.set(textOf(key), tokens)
      return tokens
    },
    async put(key: TokenKey, tokens: TokenSet): Promise<void> {
      await store.transact((tx) => write(tx, key, tokens))
      cache.set(textOf(key), tokens)
    },
    /** What a refresh brought takes the place of what it was made from, and of nothing else: a sign-out meanwhile stays one. */
    async renew(key: TokenKey, tokens: TokenSet, from: TokenSet): Promise<boolean> {
      const isCurrent = await store.transact(async (tx) => {
        const [known] = await tx.select().from(credentials).where(mine(key))
        if (!known || opened(known).accessToken !== from.accessToken) return false
        await write(tx, key, tokens)
        return true
      })
      if (isCurrent) cache.set(textOf(key), tokens)
      return isCurrent
    },
    async mark(key: TokenKey, status: TokenRow['status'], problem: string): Promise<void> {
      await store.transact((tx) => tx.update(credentials).set({ status, problem, updatedAt: clock() }).where(mine(key)))
      if (status === 'dead') cache.delete(textOf(key))
    },
    async remove(key: TokenKey): Promise<void> {
      await store.transact(async (tx) => void (await tx.delete(credentials).where(mine(key))))
      cache.delete(textOf(key))
    },
    /** After a connection was changed or removed. */
    forget(connectionId: ConnectionId): void {
      for (const text of cache.keys()) if (text.startsWith(`${connectionId} `)) cache.delete(text)
    },
    /** Whose tokens end soon and can be renewed, for whoever keeps them alive in the background. */
    async due(): Promise<TokenKey[]> {
      const isRefreshable = and(eq(credentials.kind, 'oauth'), eq(credentials.isRefreshable, true), ne(credentials.status, 'dead'))
      return (await store.read.select().from(credentials).where(isRefreshable))
        .filter(({ expiresAt, updatedAt }) => expiresAt !== null && clock() >= refreshDueAt({ expiresAt, issuedAt: updatedAt }))
        .map(({ connectionId, userId }) => ({ connectionId, credentialOf: userId }))
    },
  }
}

export function createTokenSets(deps: Deps) {
  const { clock, changes } = deps
  const vault = createVault(deps)
  const note = async (key: TokenKey, status: TokenRow['status'], problem: string): Promise<void> => {
    await vault.mark(key, status, problem)
    changes.announce({ kind: 'credential-failing', connectionId: key.connectionId, userId: key.credentialOf })
  }
  const renewing = createRenewing<TokenKey, TokenSet>({ clock, textOf, isRenewable, find: vault.find, put: vault.renew, note })

  return {
    row: vault.row,
    find: vault.find,
    remove: vault.remove,
    forget: vault.forget,
    due: vault.due,
    note,
    async put(key: TokenKey, tokens: TokenSet): Promise<void> {
      await vault.put(key, tokens)
      renewing.rested(key)
    },
    /** Tokens that are good now: renewed when their end is near. Undefined when the user has to sign in. */
    current: (key: TokenKey, ask: GuardedFetch) => renewing.current(key, (from) => refreshOnce(from, ask, clock)),
    /** The upstream refused what was sent then: others, if they can be had without the user. */
    replace: (key: TokenKey, sentAt: number, ask: GuardedFetch) => renewing.replace(key, sentAt, (from) => refreshOnce(from, ask, clock)),
  }
}

async function refreshOnce(from: TokenSet, ask: GuardedFetch, clock: Clock): Promise<Refreshed<TokenSet>> {
  const { refreshAuthorization, OAuthError } = await sdk()
  const { metadata, client, resource, refreshToken = '', issuer } = from
  try {
    const asked = { metadata, clientInformation: client, refreshToken, resource, fetchFn: ask }
    const answer = from.byItself ? await askByItself(from, ask) : await refreshAuthorization(issuer, asked)
    return { tokens: tokenSetOf(answer, from, clock()) }
  } catch (error) {
    return notRenewed(error instanceof OAuthError ? String(error.code) : '')
  }
}

/** RFC 6749 §4.4: the connection itself is who signs in. */
export async function askByItself(
  { issuer, metadata, resource, client, scope }: Pick<TokenSet, 'issuer' | 'metadata' | 'resource' | 'client' | 'scope'>,
  ask: GuardedFetch,
): Promise<OAuthTokens> {
  const { fetchToken } = await sdk()
  const provider = {
    redirectUrl: undefined,
    clientMetadata: { redirect_uris: [], grant_types: ['client_credentials'] },
    clientInformation: () => client,
    tokens: () => undefined,
    saveTokens: () => undefined,
    redirectToAuthorization: () => undefined,
    saveCodeVerifier: () => undefined,
    codeVerifier: () => '',
    prepareTokenRequest: () => new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) }),
  }
  return fetchToken(provider, issuer, { metadata, resource: new URL(resource), fetchFn: ask })
}
