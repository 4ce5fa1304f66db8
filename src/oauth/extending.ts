/** A grant that ends at another time, and what its app holds with it: tokens end with their grant, and are to last as long as it does. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import type { GrantId, UserId } from '@/lib/ids.ts'
import { tokens, type Writer } from '@/store'
import type { Deps } from './needs.ts'
import { NEVER } from './scripts.ts'
import { ACCESS_MS, REFRESH_UNUSED_MS } from './tokens.ts'

export const EXTENDED_MS_MAX = 3_650 * DAY_MS
const EXTENDED_MS_MIN = HOUR_MS / 60

export type Expiry = { expiresAt: number | null }

export function createExtending({ grants, clients, clock }: Pick<Deps, 'grants' | 'clients' | 'clock'>) {
  return {
    /**
     * Until when an app is let in; null is until it is revoked.
     * @throws Failure `grant_not_found` also for one that has ended: what it held is gone, and it asks anew
     */
    async extend(user: { id: UserId; username: string }, id: GrantId, { expiresAt }: Expiry): Promise<void> {
      const { clientId } = await grants.demand(user.id, id)
      const isScript = (await clients.findById(clientId))?.kind === 'script'
      const now = clock()
      const latest = now + EXTENDED_MS_MAX
      const ends = expiresAt === null ? null : Math.min(Math.max(expiresAt, now + EXTENDED_MS_MIN), latest)
      await grants.setExpiry(user, id, ends, (tx) => follow(tx, id, ends, isScript))
    },
  }
}

/** Neither longer than a token lives by itself, nor past the end of its grant. A script's lives as long as its grant. */
async function follow(tx: Writer, grantId: GrantId, ends: number | null, isScript: boolean): Promise<void> {
  const lasts = (ms: number) => (ends === null ? sql`${tokens.issuedAt} + ${ms}` : sql`min(${tokens.issuedAt} + ${ms}, ${ends})`)
  const alive = (kind: 'access' | 'refresh') => and(eq(tokens.grantId, grantId), eq(tokens.kind, kind), isNull(tokens.revokedAt))
  await tx
    .update(tokens)
    .set({ expiresAt: isScript ? (ends ?? NEVER) : lasts(ACCESS_MS) })
    .where(alive('access'))
  await tx
    .update(tokens)
    .set({ expiresAt: lasts(REFRESH_UNUSED_MS) })
    .where(and(alive('refresh'), isNull(tokens.usedAt)))
}
