/** Which clients are let near a user at all: an administrator's decision, taken once for the house and for each client. */
import { and, eq, inArray, isNull } from 'drizzle-orm'
import { Failure } from '@/lib/failure.ts'
import type { ClientId } from '@/lib/ids.ts'
import { clientPolicy, clients, type Writer } from '@/store'
import type { Actor } from '@/users'
import { about, type Client, type Deps } from './types.ts'

export type Admits = (typeof clientPolicy.$inferSelect)['admits']
export type Admission = 'admitted' | 'waits' | 'not-listed' | 'blocked'

export function admissionOf(client: Pick<Client, 'kind' | 'approvedAt' | 'blockedAt'>, admits: Admits): Admission {
  if (client.blockedAt !== null) return 'blocked'
  // Made inside the house: by an administrator, or by a user for their own script.
  if (client.kind === 'registered' || client.kind === 'script') return 'admitted'
  if (admits === 'everyone' || client.approvedAt !== null) return 'admitted'
  return admits === 'approved' ? 'waits' : 'not-listed'
}

/** How an audit row names who did it. */
export const byActor = (by: Actor) => (by === 'command line' ? { userName: by } : { userId: by.id, userName: by.username })

export function createPolicy({ store, clock, audit, changes }: Pick<Deps, 'store' | 'clock' | 'audit' | 'changes'>) {
  // Asked for each client of a list; one process owns the data folder, so nobody else changes it.
  let known: Admits | undefined
  const policy = async (): Promise<Admits> => (known ??= (await store.read.select().from(clientPolicy))[0]?.admits ?? 'everyone')

  const decide = async (by: Actor, id: ClientId, action: string, values: Partial<Client>): Promise<void> => {
    await store.transact(async (tx) => {
      const [decided] = await tx.update(clients).set(values).where(eq(clients.id, id)).returning()
      if (!decided) throw new Failure('client_not_found')
      await audit.report({ kind: 'admin', action, outcome: 'ok', ...byActor(by), ...about(decided) }, tx)
    })
  }
  /** A stricter house must not lock out what its users work with already. */
  const approveUsed = async (tx: Writer, inUse: readonly ClientId[]): Promise<void> => {
    const isUsed = and(inArray(clients.id, [...inUse]), isNull(clients.approvedAt))
    await tx.update(clients).set({ approvedAt: clock() }).where(isUsed)
  }
  return {
    policy,
    admission: async (client: Client): Promise<Admission> => admissionOf(client, await policy()),
    /** @param inUse the clients that users let in now: a grant that has ended speaks for nobody */
    async setPolicy(by: Actor, admits: Admits, inUse: readonly ClientId[]): Promise<void> {
      await store.transact(async (tx) => {
        await tx.insert(clientPolicy).values({ id: 'house', admits }).onConflictDoUpdate({ target: clientPolicy.id, set: { admits } })
        if (admits !== 'everyone') await approveUsed(tx, inUse)
        await audit.report({ kind: 'admin', action: 'client.policy', outcome: 'ok', ...byActor(by), subject: admits }, tx)
      })
      known = admits
    },
    /** It no longer expires unused either: somebody decided about it. @throws Failure `client_not_found` */
    approve: (by: Actor, id: ClientId): Promise<void> => decide(by, id, 'client.approve', { approvedAt: clock(), expiresAt: null }),
    /** Holds on the next request; whoever hears of it ends the streams. @throws Failure `client_not_found` */
    async block(by: Actor, id: ClientId): Promise<void> {
      await decide(by, id, 'client.block', { blockedAt: clock() })
      changes.announce({ kind: 'client-blocked', clientId: id })
    },
    unblock: (by: Actor, id: ClientId): Promise<void> => decide(by, id, 'client.unblock', { blockedAt: null }),
  }
}
