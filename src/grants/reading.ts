import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId, GrantId, ToolId, UserId } from '@/lib/ids.ts'
import { grants, grantTools, type Reader, type Store } from '@/store'
import type { Permission } from './decide.ts'

export type GrantRow = typeof grants.$inferSelect
export type Grant = GrantRow & { tools: Map<ToolId, Permission> }
/** How much a client is let in: users and grants that hold now, and the last use by any, ended ones included. */
export type Usage = { users: number; live: number; lastUsedAt: number | null }

const CACHED_MAX = 5_000

export function createReading({ store, clock }: { store: Store; clock: Clock }) {
  const cache = new Map<GrantId, Grant>()
  /** What was read holds as long as nothing that decides about access has been committed since. */
  let epoch = store.epoch()
  const freshen = (): number => {
    if (store.epoch() !== epoch) cache.clear()
    epoch = store.epoch()
    return epoch
  }

  const find = async (id: GrantId): Promise<Grant | undefined> => {
    const before = freshen()
    const cached = cache.get(id)
    if (cached) return cached
    const rows = await store.read.select().from(grants).where(eq(grants.id, id))
    const [grant] = await withTools(store.read, rows)
    if (!grant || before !== store.epoch()) return grant
    if (cache.size >= CACHED_MAX) cache.delete(cache.keys().next().value as GrantId)
    cache.set(id, grant)
    return grant
  }
  return {
    find,
    /** The user's own. @throws Failure `grant_not_found` */
    async demand(userId: UserId, id: GrantId): Promise<Grant> {
      const grant = await find(id)
      if (grant?.userId !== userId) throw new Failure('grant_not_found')
      return grant
    },
    /** The newest first, ended ones included. */
    async listForUser(userId: UserId): Promise<Grant[]> {
      const rows = await store.read.select().from(grants).where(eq(grants.userId, userId)).orderBy(desc(grants.createdAt))
      return withTools(store.read, rows)
    },
    cached: (id: GrantId) => (freshen(), cache.get(id)),
    ...createCounting(store, clock),
  }
}

async function withTools(read: Pick<Reader, 'select'>, rows: readonly GrantRow[]): Promise<Grant[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const found = await read.select().from(grantTools).where(inArray(grantTools.grantId, ids))
  const tools = Map.groupBy(found, (tool) => tool.grantId)
  return rows.map((row) => ({ ...row, tools: new Map((tools.get(row.id) ?? []).map((tool) => [tool.toolId, tool.permission])) }))
}

function createCounting(store: Store, clock: Clock) {
  const live = () => sql`${grants.revokedAt} IS NULL AND (${grants.expiresAt} IS NULL OR ${grants.expiresAt} > ${clock()})`
  const counted = () => ({
    users: sql<number>`count(DISTINCT CASE WHEN ${live()} THEN ${grants.userId} END)`,
    live: sql<number>`count(CASE WHEN ${live()} THEN 1 END)`,
    lastUsedAt: sql<number | null>`max(${grants.lastUsedAt})`,
  })
  return {
    /** One query for any number of clients; those that nobody ever let in are absent. */
    async usageByClient(ids?: readonly ClientId[]): Promise<Map<ClientId, Usage>> {
      const rows = await store.read
        .select({ clientId: grants.clientId, ...counted() })
        .from(grants)
        .where(ids && inArray(grants.clientId, [...ids]))
        .groupBy(grants.clientId)
      return new Map(rows.map(({ clientId, ...usage }) => [clientId, usage]))
    },
    /** The grants of this client that hold now, of whomever. */
    idsOfClient: async (id: ClientId): Promise<GrantId[]> =>
      (
        await store.read
          .select({ id: grants.id })
          .from(grants)
          .where(and(eq(grants.clientId, id), live()))
      ).map((grant) => grant.id),
    /** Who lets this client in, or did: each user once, the latest use first. */
    usersOfClient: (id: ClientId): Promise<{ userId: UserId; live: number; lastUsedAt: number | null }[]> => {
      const { live, lastUsedAt } = counted()
      return store.read
        .select({ userId: grants.userId, live, lastUsedAt })
        .from(grants)
        .where(eq(grants.clientId, id))
        .groupBy(grants.userId)
        .orderBy(desc(lastUsedAt))
    },
  }
}
