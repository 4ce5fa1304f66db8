/** Users' accounts at providers: each one its user's, sealed, and opened for nobody else. */
import { and, asc, eq, ne } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { type CredentialId, newCredentialId, type UserId } from '@/lib/ids.ts'
import { parseJson } from '@/lib/json.ts'
import { providerCredentials, type Sealer, type Store, type Writer } from '@/store'
import { refreshDueAt } from '../oauth/renewing.ts'
import type { AccountTokens } from './talking.ts'

export type Account = typeof providerCredentials.$inferSelect
export type AccountKey = { id: CredentialId; userId: UserId }
/** With the version that they were read at, so that a refresh never writes over a later sign-in. */
export type HeldTokens = AccountTokens & { version: number }

/** Of one user; more is a mistake or a script. */
const ACCOUNTS_MAX = 50
const placeOf = (row: CredentialId, owner: UserId, version: number) => ({
  ...{ table: 'provider_credentials', row, column: 'sealed', owner, version },
})

export function createAccounts(deps: { store: Store; sealer: Sealer; clock: Clock }) {
  const { store, sealer, clock } = deps
  const mine = ({ id, userId }: AccountKey) => and(eq(providerCredentials.id, id), eq(providerCredentials.userId, userId))
  const find = async (key: AccountKey): Promise<Account | undefined> =>
    (await store.read.select().from(providerCredentials).where(mine(key)))[0]
  const sealed = ({ id, userId }: AccountKey, tokens: AccountTokens, version: number) => {
    const { bytes, key } = sealer.seal(JSON.stringify(tokens), placeOf(id, userId, version))
    return {
      ...{ sealed: bytes, sealedKey: key, version, updatedAt: clock(), expiresAt: tokens.expiresAt ?? null },
      ...{ status: 'ok' as const, problem: null, scope: tokens.scopes.join(' '), isRefreshable: tokens.refreshToken !== undefined },
    }
  }
  return {
    find,
    /** @throws Failure `not_found`, for somebody else's as well */
    async demand(key: AccountKey): Promise<Account> {
      const found = await find(key)
      if (!found) throw new Failure('not_found', { message: 'This account does not exist.' })
      return found
    },
    list: (userId: UserId): Promise<Account[]> =>
      store.read
        .select()
        .from(providerCredentials)
        .where(eq(providerCredentials.userId, userId))
        .orderBy(asc(providerCredentials.createdAt), asc(providerCredentials.id)),
    listOfProvider: (providerId: string): Promise<Account[]> =>
      store.read.select().from(providerCredentials).where(eq(providerCredentials.providerId, providerId)),
    /** Not of one that is dead. */
    async tokens(key: AccountKey): Promise<HeldTokens | undefined> {
      const row = await find(key)
      if (!row || row.status === 'dead') return undefined
      const text = sealer.open({ bytes: row.sealed, key: row.sealedKey }, placeOf(row.id, row.userId, row.version))
      return { ...(parseJson(text) as AccountTokens), version: row.version }
    },
    /** What a sign-in brought: into the account that was to be signed in anew, else the one of this name, else a new one. */
    async put(userId: UserId, providerId: string, tokens: AccountTokens, name: string | undefined, anew: CredentialId | undefined) {
      return store.transact(async (tx): Promise<CredentialId> => {
        const own = await tx.select().from(providerCredentials).where(eq(providerCredentials.userId, userId))
        const here = own.filter((each) => each.providerId === providerId)
        const known = here.find(({ id }) => id === anew) ?? here.find(({ accountName }) => name !== undefined && accountName === name)
        if (!known && own.length >= ACCOUNTS_MAX) throw new Failure('too_many')
        const id = known?.id ?? newCredentialId()
        // A second sign-in may bring no refresh token; the one that is held stays good for the same account.
        const kept = known && known.accountName === (name ?? null) ? keptRefresh(sealer, known, tokens) : tokens
        const row = { ...sealed({ id, userId }, kept, (known?.version ?? 0) + 1), accountName: name ?? null }
        if (known) await tx.update(providerCredentials).set(row).where(mine(known))
        else await tx.insert(providerCredentials).values({ ...row, id, userId, providerId, createdAt: clock() })
        return id
      })
    },
    ...createUpkeep(deps, { mine, sealed }),
  }
}
export type Accounts = ReturnType<typeof createAccounts>

function keptRefresh(sealer: Sealer, known: Account, tokens: AccountTokens): AccountTokens {
  if (tokens.refreshToken !== undefined || known.status === 'dead') return tokens
  const text = sealer.open({ bytes: known.sealed, key: known.sealedKey }, placeOf(known.id, known.userId, known.version))
  const { refreshToken } = parseJson(text) as AccountTokens
  return refreshToken === undefined ? tokens : { ...tokens, refreshToken }
}

type Parts = {
  mine(key: AccountKey): ReturnType<typeof and>
  sealed(key: AccountKey, tokens: AccountTokens, version: number): Partial<Account>
}

function createUpkeep({ store, clock }: { store: Store; clock: Clock }, { mine, sealed }: Parts) {
  return {
    /** What a refresh brought. Nothing is written where the account was signed in anew or taken away meanwhile. */
    async renewed(key: AccountKey, { version: _, ...tokens }: HeldTokens, from: HeldTokens): Promise<boolean> {
      const isUnchanged = and(mine(key), eq(providerCredentials.version, from.version))
      const row = sealed(key, tokens, from.version + 1)
      return (await store.transact((tx) => tx.update(providerCredentials).set(row).where(isUnchanged).returning())).length > 0
    },
    async mark(key: AccountKey, status: Account['status'], problem: string): Promise<void> {
      await store.transact((tx) => tx.update(providerCredentials).set({ status, problem, updatedAt: clock() }).where(mine(key)))
    },
    async remove(tx: Writer, key: AccountKey): Promise<void> {
      await tx.delete(providerCredentials).where(mine(key))
    },
    async removeOfProvider(tx: Writer, providerId: string): Promise<void> {
      await tx.delete(providerCredentials).where(eq(providerCredentials.providerId, providerId))
    },
    /** Whose tokens end soon and can be renewed. */
    async due(): Promise<Account[]> {
      const isRefreshable = and(eq(providerCredentials.isRefreshable, true), ne(providerCredentials.status, 'dead'))
      return (await store.read.select().from(providerCredentials).where(isRefreshable)).filter(
        ({ expiresAt, updatedAt }) => expiresAt !== null && clock() >= refreshDueAt({ expiresAt, issuedAt: updatedAt }),
      )
    },
  }
}
