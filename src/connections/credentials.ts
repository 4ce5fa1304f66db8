import { and, eq, ne, or } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { type ConnectionId, type CredentialId, newCredentialId, type UserId } from '@/lib/ids.ts'
import { parseJson } from '@/lib/json.ts'
import type { JsonObject } from '@/plugins'
import {
  connections,
  credentials,
  providerCredentials,
  type Sealer,
  type Store,
  upstreamClients,
  upstreamFlows,
  type Writer,
} from '@/store'

const placeOf = (row: CredentialId, owner: UserId, version: number) => ({ table: 'credentials', row, column: 'sealed', owner, version })

/** The secret settings of a connection, one sealed value for each user; opened only to open a channel or to keep what was not re-entered. */
export function createCredentials({ store, sealer, clock }: { store: Store; sealer: Sealer; clock: Clock }) {
  const mine = (connectionId: ConnectionId, userId: UserId) =>
    and(eq(credentials.connectionId, connectionId), eq(credentials.userId, userId), eq(credentials.kind, 'settings'))

  return {
    async find(connectionId: ConnectionId, userId: UserId): Promise<JsonObject> {
      const [row] = await store.read.select().from(credentials).where(mine(connectionId, userId))
      if (!row) return {}
      return parseJson(sealer.open({ bytes: row.sealed, key: row.sealedKey }, placeOf(row.id, row.userId, row.version))) as JsonObject
    },
    /** Differs once what this user's use goes with has been given, renewed or chosen anew. */
    async markOf({ connectionId, credentialOf }: { connectionId: ConnectionId; credentialOf: UserId }): Promise<string> {
      const own = and(eq(credentials.connectionId, connectionId), eq(credentials.userId, credentialOf))
      const [row] = await store.read.select().from(connections).where(eq(connections.id, connectionId))
      const held = await store.read.select({ at: credentials.updatedAt }).from(credentials).where(own)
      const lent = await store.read
        .select({ at: providerCredentials.updatedAt })
        .from(providerCredentials)
        .where(eq(providerCredentials.userId, credentialOf))
      return JSON.stringify([row?.updatedAt, ...[...held, ...lent].map(({ at }) => at)])
    },
    isHeldByOthers: async (connectionId: ConnectionId): Promise<boolean> => {
      const [row] = await store.read.select().from(connections).where(eq(connections.id, connectionId))
      const isTheirs = and(eq(credentials.connectionId, connectionId), ne(credentials.userId, row?.ownerId ?? ('' as UserId)))
      return (await store.read.select({ id: credentials.id }).from(credentials).where(isTheirs)).length > 0
    },
    /** Nobody but its owner uses it with a credential of their own any more. */
    async dropOthers(tx: Writer, connectionId: ConnectionId, ownerId: UserId): Promise<void> {
      await tx.delete(credentials).where(and(eq(credentials.connectionId, connectionId), ne(credentials.userId, ownerId)))
      await keepAccounts(tx, connectionId, (userId) => userId === ownerId)
    },
    /** The connection leads elsewhere now: every sign-in goes, and whatever others than its owner gave for the old address. */
    async dropForMove(tx: Writer, connectionId: ConnectionId, ownerId: UserId): Promise<void> {
      const isLost = or(eq(credentials.kind, 'oauth'), ne(credentials.userId, ownerId))
      await tx.delete(credentials).where(and(eq(credentials.connectionId, connectionId), isLost))
      await tx.delete(upstreamClients).where(eq(upstreamClients.connectionId, connectionId))
      await tx.delete(upstreamFlows).where(eq(upstreamFlows.connectionId, connectionId))
      // Accounts at providers were lent to what stood there before, and are chosen anew.
      await keepAccounts(tx, connectionId, () => false)
    },
    /** An empty secret leaves no row. Each write is a new version, so that an older sealed value put back does not open. */
    async put(tx: Writer, connectionId: ConnectionId, userId: UserId, secret: JsonObject): Promise<void> {
      const [known] = await tx.select().from(credentials).where(mine(connectionId, userId))
      if (Object.keys(secret).length === 0) {
        await tx.delete(credentials).where(mine(connectionId, userId))
        return
      }
      const id = known?.id ?? newCredentialId()
      const version = (known?.version ?? 0) + 1
      const { bytes, key } = sealer.seal(JSON.stringify(secret), placeOf(id, userId, version))
      const current = { kind: 'settings' as const, sealed: bytes, sealedKey: key, version, updatedAt: clock(), expiresAt: null }
      if (known) await tx.update(credentials).set(current).where(eq(credentials.id, id))
      else await tx.insert(credentials).values({ ...current, id, connectionId, userId, createdAt: clock() })
    },
  }
}
export type Credentials = ReturnType<typeof createCredentials>

/** Of the accounts at a provider that users chose for the connection, those of these users stay chosen. */
async function keepAccounts(tx: Writer, id: ConnectionId, isKept: (userId: string) => boolean): Promise<void> {
  const [row] = await tx.select().from(connections).where(eq(connections.id, id))
  if (row?.auth !== 'provider') return
  const chosen = Object.entries((row.authConfig?.['accounts'] ?? {}) as JsonObject)
  const accounts = Object.fromEntries(chosen.filter(([userId]) => isKept(userId)))
  await tx
    .update(connections)
    .set({ authConfig: { ...row.authConfig, accounts } })
    .where(eq(connections.id, id))
}
