import { and, eq, gt, isNull, lt, lte, or } from 'drizzle-orm'
import type { Audit, Trace } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import { type Clock, DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import { equal, randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { type ClientId, newClientId } from '@/lib/ids.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { clients, type Store, type Writer } from '@/store'
import type { Actor } from '@/users'
import { createTurnstile } from './flood.ts'
import { describe, type Described } from './metadata.ts'

export type Client = typeof clients.$inferSelect
type JsonObject = Record<string, unknown>
type Deps = {
  store: Store
  clock: Clock
  audit: Audit
  trace: Pick<Trace, 'note'>
  outbound: Outbound
  changes: Changes
}

/** A registration that no user let in goes away after this. */
const UNUSED_MS = 30 * DAY_MS
const TOUCH_EVERY_MS = MINUTE_MS

export type Clients = ReturnType<typeof createClients>

export const createClients = (deps: Deps) => ({ ...createRegistration(deps), ...createKnown(deps), ...createKeeping(deps) })

function createRegistration({ store, clock, audit }: Deps) {
  const pass = createTurnstile()
  return {
    /**
     * Dynamic registration (RFC 7591). @param from the address that asks
     * @throws OAuthProblem `invalid_redirect_uri`, `invalid_client_metadata`, or one of status 429
     */
    async register(metadata: unknown, from: string): Promise<{ client: Client; answer: JsonObject }> {
      await pass(from)
      const described = describe(metadata)
      const secret = described.authMethod === 'none' ? undefined : `tps_${randomSecret()}`
      const row = rowOf(described, secret, from, clock())
      const client = await store.transact(async (tx) => {
        const [inserted] = await tx.insert(clients).values(row).returning()
        const about = { clientId: row.id, clientName: row.name, subject: row.name, address: from }
        await audit.report({ kind: 'auth', action: 'client.register', outcome: 'ok', ...about }, tx)
        return inserted as Client
      })
      return { client, answer: answerOf(client, secret) }
    },
  }
}

function rowOf(described: Described, secret: string | undefined, from: string, now: number) {
  const id = newClientId()
  return {
    ...described,
    id,
    identifier: id,
    kind: 'dynamic' as const,
    secretHash: secret === undefined ? null : sha256(secret),
    createdAt: now,
    createdFrom: from,
    expiresAt: now + UNUSED_MS,
  }
}

const answerOf = (client: Client, secret: string | undefined): JsonObject => ({
  client_id: client.identifier,
  client_id_issued_at: Math.floor(client.createdAt / 1_000),
  ...client.metadata,
  // 0 means that the secret itself does not expire.
  ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
})

function createKnown({ store, clock }: Deps) {
  const isKnown = () => or(isNull(clients.expiresAt), gt(clients.expiresAt, clock()))
  return {
    /** By what the client calls itself; those that expired unused are gone. */
    find: async (identifier: string): Promise<Client | undefined> =>
      (
        await store.read
          .select()
          .from(clients)
          .where(and(eq(clients.identifier, identifier), isKnown()))
      )[0],
    findById: async (id: ClientId): Promise<Client | undefined> => (await store.read.select().from(clients).where(eq(clients.id, id)))[0],
    list: (): Promise<Client[]> => store.read.select().from(clients).orderBy(clients.createdAt),
    /** Whether this secret is the client's. A client without one knows none. */
    knowsSecret: (client: Client, secret: string): boolean => client.secretHash !== null && equal(client.secretHash, sha256(secret)),
  }
}

function createKeeping({ store, clock, audit, changes }: Deps) {
  return {
    /** A user let it in: it no longer expires unused. Belongs into the transaction that makes the grant. */
    async keep(tx: Writer, id: ClientId): Promise<void> {
      await tx.update(clients).set({ expiresAt: null, lastUsedAt: clock() }).where(eq(clients.id, id))
    },
    /** Notes use, once a minute at most. */
    async touch(id: ClientId): Promise<void> {
      const now = clock()
      const isStale = or(isNull(clients.lastUsedAt), lt(clients.lastUsedAt, now - TOUCH_EVERY_MS))
      const [stale] = await store.read
        .select({ id: clients.id })
        .from(clients)
        .where(and(eq(clients.id, id), isStale))
      if (stale)
        await store.transact(async (tx) => void (await tx.update(clients).set({ lastUsedAt: now }).where(eq(clients.id, id))), 'process')
    },
    /** With everything that was granted to it. End its grants first, so that their streams close. */
    async remove(by: Actor, id: ClientId): Promise<void> {
      await store.transact(async (tx) => {
        const [gone] = await tx.delete(clients).where(eq(clients.id, id)).returning()
        if (!gone) throw new Failure('client_not_found')
        const who = by === 'command line' ? { userName: by } : { userId: by.id, userName: by.username }
        const about = { clientId: id, clientName: gone.name, subject: gone.name }
        await audit.report({ kind: 'admin', action: 'client.remove', outcome: 'ok', ...who, ...about }, tx)
      })
      changes.announce({ kind: 'client-removed', clientId: id })
    },
    /** Forgets registrations that nobody used. @returns how many */
    sweep: (): Promise<number> =>
      store.transact(async (tx) => (await tx.delete(clients).where(lte(clients.expiresAt, clock())).returning({ id: clients.id })).length),
  }
}
