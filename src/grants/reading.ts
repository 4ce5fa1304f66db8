import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import { grants, grantTools, type Store } from '@/store'
import type { Permission } from './decide.ts'
import type { Pause, Pauses } from './pauses.ts'

export type GrantRow = typeof grants.$inferSelect
export type Grant = GrantRow & {
  tools: Map<ToolId, Permission>
  /** What it is paused with, beside itself. */
  pauses: readonly Pause[]
  /** Connections that are paused for its user. */
  without: ReadonlySet<ConnectionId>
}
/** How much a client is let in: users and grants that hold now, and the last use by any, ended ones included. */
export type Usage = { users: number; live: number; lastUsedAt: number | null }

const CACHED_MAX = 5_000
/** SQLite takes some thirty thousand values in one statement. */
const IDS_AT_ONCE = 10_000

type Deps = { store: Store; clock: Clock; pauses: Pick<Pauses, 'of' | 'connectionsFor'> }

export function createReading({ store, clock, pauses }: Deps) {
  const cache = new Map<GrantId, Grant>()
  /** What was read holds as long as nothing that decides about access has been committed since. */
  let epoch = store.epoch()
  const freshen = (): number => {
    if (store.epoch() !== epoch) cache.clear()
    epoch = store.epoch()
    return epoch
  }

  const whole = async (rows: readonly GrantRow[]): Promise<Grant[]> => {
    const found: (typeof grantTools.$inferSelect)[] = []
    for (let at = 0; at < rows.length; at += IDS_AT_ONCE) {
      const ids = rows.slice(at, at + IDS_AT_ONCE).map((row) => row.id)
      found.push(...(await store.read.select().from(grantTools).where(inArray(grantTools.grantId, ids))))
    }
    const tools = Map.groupBy(found, (tool) => tool.grantId)
    return rows.map((row) => ({
      ...row,
      tools: new Map((tools.get(row.id) ?? []).map((tool) => [tool.toolId, tool.permission])),
      pauses: pauses.of(row),
      without: pauses.connectionsFor(row.userId),
    }))
  }
  const find = async (id: GrantId): Promise<Grant | undefined> => {
    const before = freshen()
    const cached = cache.get(id)
    if (cached) return cached
    const rows = await store.read.select().from(grants).where(eq(grants.id, id))
    const [grant] = await whole(rows)
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
      return whole(rows)
    },
    /** Those that hold now, paused ones included, of whomever nothing narrower is said. */
    async listLive(of: Of): Promise<Grant[]> {
      return whole(
        await store.read
          .select()
          .from(grants)
          .where(and(liveWhere(clock()), ofWhere(of))),
      )
    },
    /** How many of them, and of how many users. */
    async countLive(of: Of): Promise<Met> {
      const counted = { apps: sql<number>`count(*)`, users: sql<number>`count(DISTINCT ${grants.userId})` }
      const [row] = await store.read
        .select(counted)
        .from(grants)
        .where(and(liveWhere(clock()), ofWhere(of)))
      return row ?? { apps: 0, users: 0 }
    },
    cached: (id: GrantId) => (freshen(), cache.get(id)),
    ...createCounting(store, clock),
  }
}

/** Apps that a deed meets, and whose they are. */
export type Met = { apps: number; users: number }
/** Of what a question or an act is about; what is not named is not asked for. */
export type Of = { userId?: UserId | undefined; clientId?: ClientId | undefined; profileId?: ProfileId | undefined }
export const ofWhere = ({ userId, clientId, profileId }: Of) =>
  and(
    userId === undefined ? undefined : eq(grants.userId, userId),
    clientId === undefined ? undefined : eq(grants.clientId, clientId),
    profileId === undefined ? undefined : eq(grants.profileId, profileId),
  )
const liveWhere = (now: number) => sql`${grants.revokedAt} IS NULL AND (${grants.expiresAt} IS NULL OR ${grants.expiresAt} > ${now})`

function createCounting(store: Store, clock: Clock) {
  const live = () => liveWhere(clock())
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
