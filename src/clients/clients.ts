import { and, eq, isNull, lt, lte, or } from 'drizzle-orm'
import { MINUTE_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId } from '@/lib/ids.ts'
import { clients, type Writer } from '@/store'
import type { Actor } from '@/users'
import { createChanging } from './changing.ts'
import { createCopies } from './copies.ts'
import { createRest } from './flood.ts'
import { createKeys } from './keys.ts'
import { createListing } from './listing.ts'
import { createManagement } from './managing.ts'
import { byActor, createPolicy } from './policy.ts'
import { createRegistration } from './registering.ts'
import { createFinding, createResolving } from './resolving.ts'
import { about, type Deps } from './types.ts'

const TOUCH_EVERY_MS = MINUTE_MS

export type Clients = ReturnType<typeof createClients>

export function createClients(deps: Deps) {
  const finding = createFinding(deps)
  const rest = createRest()
  const copies = createCopies({ ...deps, rest })
  const policy = createPolicy(deps)
  return {
    ...finding,
    ...createResolving({ ...deps, ...finding, copies }),
    ...createKeys({ ...deps, ...finding, copies, rest }),
    ...createRegistration(deps),
    ...createManagement(deps),
    ...createChanging(deps),
    ...policy,
    ...createListing({ ...deps, ...policy }),
    ...createKeeping(deps),
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
        await audit.report({ kind: 'admin', action: 'client.remove', outcome: 'ok', ...byActor(by), ...about(gone) }, tx)
      })
      changes.announce({ kind: 'client-removed', clientId: id })
    },
    /** Forgets registrations that nobody used. @returns how many */
    sweep: (): Promise<number> =>
      store.transact(async (tx) => (await tx.delete(clients).where(lte(clients.expiresAt, clock())).returning({ id: clients.id })).length),
  }
}
