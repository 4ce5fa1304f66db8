import { and, eq, gt, isNull, lt, lte, ne, or } from 'drizzle-orm'
import type { Audit, Trace } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import { equal, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId } from '@/lib/ids.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { clients, type Store, type Writer } from '@/store'
import type { Actor } from '@/users'
import { createKeys } from './keys.ts'
import { byActor, createPolicy } from './policy.ts'
import { createManagement, createRegistration } from './registering.ts'
import { createResolving } from './resolving.ts'

export type Client = typeof clients.$inferSelect
export type JsonObject = Record<string, unknown>
type Deps = {
  store: Store
  clock: Clock
  audit: Audit
  trace: Pick<Trace, 'note'>
  outbound: Pick<Outbound, 'fetch'>
  changes: Changes
}

const TOUCH_EVERY_MS = MINUTE_MS

export type Clients = ReturnType<typeof createClients>

export function createClients(deps: Deps) {
  const policy = createPolicy(deps)
  const known = createKnown(deps)
  const inner = { ...deps, policy: policy.policy, find: known.find }
  return {
    ...policy,
    ...known,
    ...createRegistration(inner),
    ...createManagement(inner),
    ...createResolving(inner),
    ...createKeys(deps),
    ...createKeeping(deps),
  }
}

function createKnown({ store, clock }: Deps) {
  const isKnown = () => or(isNull(clients.expiresAt), gt(clients.expiresAt, clock()))
  return {
    /** By what the client calls itself, without asking anybody; those that expired unused are gone. */
    find: async (identifier: string): Promise<Client | undefined> =>
      (
        await store.read
          .select()
          .from(clients)
          .where(and(eq(clients.identifier, identifier), ne(clients.kind, 'script'), isKnown()))
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
        const about = { clientId: id, clientName: gone.name, subject: gone.name }
        await audit.report({ kind: 'admin', action: 'client.remove', outcome: 'ok', ...byActor(by), ...about }, tx)
      })
      changes.announce({ kind: 'client-removed', clientId: id })
    },
    /** Forgets registrations that nobody used. @returns how many */
    sweep: (): Promise<number> =>
      store.transact(async (tx) => (await tx.delete(clients).where(lte(clients.expiresAt, clock())).returning({ id: clients.id })).length),
  }
}
