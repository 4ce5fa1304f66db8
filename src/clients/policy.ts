/** Which clients are let near a user at all: an administrator's decision, taken once and for each. */
import { and, eq, isNull } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId } from '@/lib/ids.ts'
import { clientPolicy, clients, type Store, type Writer } from '@/store'
import type { Actor } from '@/users'
import type { Client } from './clients.ts'

export type Admits = (typeof clientPolicy.$inferSelect)['admits']
export type Admission = 'admitted' | 'waits' | 'not-listed' | 'blocked'

/** Pure, so that page and endpoint cannot differ. A client of an administrator's own making is always admitted. */
export function admissionOf(client: Pick<Client, 'kind' | 'approvedAt' | 'blockedAt'>, admits: Admits): Admission {
  if (client.blockedAt !== null) return 'blocked'
  if (admits === 'everyone' || client.approvedAt !== null || client.kind === 'registered' || client.kind === 'script') return 'admitted'
  return admits === 'approved' ? 'waits' : 'not-listed'
}

export const byActor = (by: Actor) => (by === 'command line' ? { userName: by } : { userId: by.id, userName: by.username })

export function createPolicy({ store, clock, audit, changes }: { store: Store; clock: Clock; audit: Audit; changes: Changes }) {
  const policy = async (): Promise<Admits> => (await store.read.select().from(clientPolicy))[0]?.admits ?? 'everyone'
  const change = async (by: Actor, id: ClientId, action: string, values: Partial<Client>): Promise<void> => {
    await store.transact(async (tx) => {
      const [changed] = await tx.update(clients).set(values).where(eq(clients.id, id)).returning()
      if (!changed) throw new Failure('client_not_found')
      const about = { clientId: id, clientName: changed.name, subject: changed.name }
      await audit.report({ kind: 'admin', action, outcome: 'ok', ...byActor(by), ...about }, tx)
    })
  }
  /** Who is let in already stays in: a stricter house must not lock out what its users work with. */
  const approveUsed = async (tx: Writer): Promise<void> => {
    const isUsed = and(isNull(clients.expiresAt), isNull(clients.approvedAt))
    await tx.update(clients).set({ approvedAt: clock() }).where(isUsed)
  }
  return {
    policy,
    admission: async (client: Client): Promise<Admission> => admissionOf(client, await policy()),
    async setPolicy(by: Actor, admits: Admits): Promise<void> {
      await store.transact(async (tx) => {
        await tx.insert(clientPolicy).values({ id: 'house', admits }).onConflictDoUpdate({ target: clientPolicy.id, set: { admits } })
        if (admits !== 'everyone') await approveUsed(tx)
        await audit.report({ kind: 'admin', action: 'client.policy', outcome: 'ok', ...byActor(by), subject: admits }, tx)
      })
    },
    approve: (by: Actor, id: ClientId): Promise<void> => change(by, id, 'client.approve', { approvedAt: clock() }),
    /** Holds on the next request; whoever hears of it ends the streams. */
    async block(by: Actor, id: ClientId): Promise<void> {
      await change(by, id, 'client.block', { blockedAt: clock() })
      changes.announce({ kind: 'client-blocked', clientId: id })
    },
    unblock: (by: Actor, id: ClientId): Promise<void> => change(by, id, 'client.unblock', { blockedAt: null }),
  }
}
