import { and, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Audit } from '@/audit'
import { blockOf } from '@/lib/addresses.ts'
import type { Changes } from '@/lib/changes.ts'
import { type Clock, DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { type ClientId, type GrantId, newGrantId, type ProfileId, type ToolId, type UserId } from '@/lib/ids.ts'
import { grants, grantTools, type Store, type Writer } from '@/store'
import type { Actor } from '@/users'
import type { Permission } from './decide.ts'
import { createPauses, type Pauses } from './pauses.ts'
import { createReading, type Grant, type GrantRow, type Of, ofWhere } from './reading.ts'

type Deps = { store: Store; clock: Clock; audit: Audit; changes: Changes }
type Inner = Deps & { reading: ReturnType<typeof createReading>; pauses: Pauses }
/** Who changes one's own grant. */
type Owner = { id: UserId; username: string }

export type NewGrant = {
  userId: UserId
  clientId: ClientId
  profileId: ProfileId
  reach: GrantRow['reach']
  toolIds: readonly ToolId[]
  /** Of these, the ones whose each call the user is asked about. */
  askIds?: readonly ToolId[]
  /** What was offered beside them and left off. */
  refuseIds?: readonly ToolId[]
  deviceName: string
  expiresAt: number | null
}

const DEVICE_NAME_LENGTH_MAX = 60
const TOUCH_EVERY_MS = MINUTE_MS
/** Somebody's home, work and way between them; more would be a diary. */
const NETWORKS_KEPT_MAX = 5
/** A code lives a minute; a grant that nobody came back for is no use a day later. */
const ABANDONED_AFTER_MS = DAY_MS

export type Grants = ReturnType<typeof createGrants>

export function createGrants(deps: Deps) {
  const pauses = createPauses(deps)
  const reading = createReading({ ...deps, pauses })
  const inner = { ...deps, reading, pauses }
  const { find, demand, listForUser, listLive, countLive, idsOfClient, usageByClient, usersOfClient } = reading
  const readable = { find, demand, listForUser, listLive, countLive, idsOfClient, usageByClient, usersOfClient, pauses }
  return { ...readable, ...createMaking(inner), ...createOwning(inner), ...createEnding(inner), ...createUse(inner) }
}

function createMaking({ clock, pauses }: Inner) {
  return {
    /** Only inside the transaction that consumes the user's decision. */
    async create(tx: Writer, { toolIds, askIds = [], refuseIds = [], ...asked }: NewGrant): Promise<Grant> {
      const row = { ...asked, id: newGrantId(), laterTools: 'out' as const, createdAt: clock() }
      const [grant] = await tx.insert(grants).values(row).returning()
      const asks = new Set(askIds)
      const permitted = toolIds.map((toolId): [ToolId, Permission] => [toolId, asks.has(toolId) ? 'ask' : 'allow'])
      const tools = new Map([...refuseIds.map((toolId): [ToolId, Permission] => [toolId, 'refuse']), ...permitted])
      await writePermissions(tx, row.id, tools)
      return { ...(grant as GrantRow), tools, pauses: pauses.of(row), without: pauses.connectionsFor(row.userId) }
    },
    /** The first token was issued: somebody came back with the code. */
    async activate(tx: Writer, id: GrantId): Promise<void> {
      await tx
        .update(grants)
        .set({ activatedAt: clock() })
        .where(and(eq(grants.id, id), isNull(grants.activatedAt)))
    },
  }
}

/** Words about an act that its row in the trail keeps. */
type Detail = { detail?: Record<string, unknown>; profileName?: string }
/** What is to be another than before: permissions of tools, and what becomes of those that join later. */
export type Permitted = { tools: ReadonlyMap<ToolId, Permission>; laterTools?: GrantRow['laterTools'] }

function createOwning({ store, clock, audit, changes, reading }: Inner) {
  /** One change of a grant of one's own that has not been revoked, with its row in the audit trail. */
  const change = async (
    user: Owner,
    id: GrantId,
    action: string,
    work: (tx: Writer, grant: Grant) => Promise<unknown>,
    told: Detail = {},
  ) => {
    const grant = await reading.demand(user.id, id)
    if (grant.revokedAt !== null) throw new Failure('grant_not_found')
    await store.transact(async (tx) => {
      await work(tx, grant)
      await audit.report({ kind: 'admin', action, outcome: 'ok', ...about(user, grant), ...told }, tx)
    })
    changes.announce({ kind: 'grant-changed', grantId: id })
  }
  const set = (tx: Writer, id: GrantId, values: Partial<GrantRow>) => tx.update(grants).set(values).where(eq(grants.id, id))
  const permitMany = (user: Owner, id: GrantId, { tools, laterTools }: Permitted, told?: Detail): Promise<void> =>
    change(
      user,
      id,
      'grant.permit',
      async (tx) => {
        await writePermissions(tx, id, tools)
        if (laterTools !== undefined) await set(tx, id, { laterTools })
      },
      told,
    )
  return {
    async rename(user: Owner, id: GrantId, deviceName: string): Promise<void> {
      const name = deviceName.trim()
      if (name.length > DEVICE_NAME_LENGTH_MAX)
        throw new Failure('invalid_form', { fields: { device_name: `At most ${DEVICE_NAME_LENGTH_MAX} characters.` } })
      await change(user, id, 'grant.rename', (tx) => set(tx, id, { deviceName: name }))
    },
    /** Its tokens stay, and do nothing until `resume`. */
    pause: (user: Owner, id: GrantId): Promise<void> => change(user, id, 'grant.pause', (tx) => set(tx, id, { pausedAt: clock() })),
    resume: (user: Owner, id: GrantId): Promise<void> => change(user, id, 'grant.resume', (tx) => set(tx, id, { pausedAt: null })),
    permit: (user: Owner, id: GrantId, toolId: ToolId, permission: Permission): Promise<void> =>
      permitMany(user, id, { tools: new Map([[toolId, permission]]) }),
    /** All of it at once, with one row in the trail. That the tools are the profile's is for the caller to know (control.ts). */
    permitMany,
    /**
     * Until when it holds; null is until revoked. One that has ended stays so: its tokens are gone.
     * @param also what else has to know when it ends, in the same transaction
     * @throws Failure `grant_not_found`
     */
    async setExpiry(user: Owner, id: GrantId, expiresAt: number | null, also: (tx: Writer) => Promise<unknown>): Promise<void> {
      const before = (await reading.demand(user.id, id)).expiresAt
      if (before !== null && before <= clock()) throw new Failure('grant_not_found')
      const write = async (tx: Writer) => (await set(tx, id, { expiresAt }), also(tx))
      await change(user, id, 'grant.expiry', write, { detail: { before, expiresAt } })
    },
  }
}

/** SQLite takes some thirty thousand values in one statement; a row here has three. */
const ROWS_AT_ONCE = 1_000

export async function writePermissions(tx: Writer, grantId: GrantId, tools: ReadonlyMap<ToolId, Permission>): Promise<void> {
  const rows = [...tools].map(([toolId, permission]) => ({ grantId, toolId, permission }))
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
    await tx
      .insert(grantTools)
      .values(rows.slice(at, at + ROWS_AT_ONCE))
      .onConflictDoUpdate({ target: [grantTools.grantId, grantTools.toolId], set: { permission: sql`excluded.permission` } })
}

function createEnding({ store, clock, audit, changes, reading }: Inner) {
  const announceEnded = (id: GrantId) => changes.announce({ kind: 'grant-ended', grantId: id })
  const isLive = (id: GrantId) => and(eq(grants.id, id), isNull(grants.revokedAt))
  const end = async (tx: Writer, by: Actor | undefined, where: ReturnType<typeof isLive>, why: string | undefined): Promise<GrantRow[]> => {
    const ended = await tx
      .update(grants)
      .set({ revokedAt: clock(), revokedWhy: why ?? null })
      .where(where)
      .returning()
    for (const grant of ended)
      await audit.report({ kind: 'admin', action: 'grant.revoke', outcome: 'ok', reason: why ?? null, ...about(by, grant) }, tx)
    return ended
  }
  /** All of these, each with its row in the trail. @returns how many there were */
  const revokeMany = async (by: Actor | undefined, of: Of, why?: string): Promise<number> => {
    const ended = await store.transact((tx) => end(tx, by, and(ofWhere(of), isNull(grants.revokedAt)), why))
    for (const grant of ended) announceEnded(grant.id)
    return ended.length
  }
  return {
    /** By its user, an administrator, or the person at the machine. @throws Failure `grant_not_found` */
    async revoke(by: (Owner & { role?: 'admin' | 'member' }) | 'command line', id: GrantId, why?: string): Promise<void> {
      const grant = await reading.find(id)
      const mayEnd = by === 'command line' || by.role === 'admin' || grant?.userId === by.id
      if (!grant || !mayEnd) throw new Failure('grant_not_found')
      const ended = await store.transact((tx) => end(tx, by, isLive(id), why))
      if (ended.length > 0) announceEnded(id)
    },
    /** By the house itself where nobody is named: what was allowed was allowed to another. */
    revokeForClient: (by: Actor | undefined, clientId: ClientId, why?: string): Promise<number> => revokeMany(by, { clientId }, why),
    /** Who may is for the caller to know (control.ts). */
    revokeMany,
    /** In the midst of a transaction, by the house itself where nobody is named. Call `announceEnded` after its commit. */
    endWithin: async (tx: Writer, id: GrantId, why: string, by?: Owner): Promise<void> => void (await end(tx, by, isLive(id), why)),
    announceEnded,
    /** Forgets grants that nobody came back for. @returns how many */
    async sweep(): Promise<number> {
      const isAbandoned = and(isNull(grants.activatedAt), lt(grants.createdAt, clock() - ABANDONED_AFTER_MS))
      const gone = await store.transact((tx) => tx.delete(grants).where(isAbandoned).returning({ id: grants.id }))
      return gone.length
    },
  }
}

function createUse({ store, clock, reading }: Inner) {
  const touched = new Map<GrantId, number>()
  return {
    /** Notes use, once a minute at most. The list of apps may lag that much; a call must not cost a write. */
    async touch(id: GrantId, address: string): Promise<void> {
      const now = clock()
      if (now - (touched.get(id) ?? Number.NEGATIVE_INFINITY) < TOUCH_EVERY_MS) return
      touched.set(id, now)
      const grant = await reading.find(id)
      if (!grant) return void touched.delete(id)
      const networks = latestFirst(grant.networks, blockOf(address))
      const used = { lastUsedAt: now, lastAddress: address, firstUsedAt: grant.firstUsedAt ?? now, networks }
      await store.transact(async (tx) => void (await tx.update(grants).set(used).where(eq(grants.id, id))), 'process')
      const cached = reading.cached(id)
      if (cached) Object.assign(cached, used)
    },
  }
}

const latestFirst = (networks: readonly string[], network: string | undefined): string[] =>
  network === undefined ? [...networks] : [network, ...networks.filter((each) => each !== network)].slice(0, NETWORKS_KEPT_MAX)

export const about = (by: Actor | undefined, grant: GrantRow) => ({
  userId: by === undefined ? grant.userId : by === 'command line' ? null : by.id,
  userName: by === undefined ? null : by === 'command line' ? by : by.username,
  clientId: grant.clientId,
  grantId: grant.id,
  profileId: grant.profileId,
  subject: grant.deviceName,
})
