import { and, eq, gt, isNull } from 'drizzle-orm'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { type Clock, DAY_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { UserId } from '@/lib/ids.ts'
import { oneTimeLinks, type Store, type Writer } from '@/store'

type Purpose = (typeof oneTimeLinks.$inferSelect)['purpose']
export type Link = { purpose: Purpose; userId: UserId | null }

const LIFE_MS: Record<Purpose, number> = { 'set-up': DAY_MS, 'new-password': DAY_MS }

/** One-time links. Looking at one (GET) leaves it whole, since mail scanners and chat previews follow links; only the POST consumes it. */
export function createLinks({ store, clock }: { store: Store; clock: Clock }) {
  const isAlive = (hash: string) => and(eq(oneTimeLinks.hash, hash), isNull(oneTimeLinks.usedAt), gt(oneTimeLinks.expiresAt, clock()))
  return {
    /** A new link ends the earlier ones of its purpose and user. Returns the secret for its address. */
    async create(purpose: Purpose, userId: UserId | null): Promise<string> {
      const secret = randomSecret()
      const now = clock()
      const same = and(eq(oneTimeLinks.purpose, purpose), userId === null ? isNull(oneTimeLinks.userId) : eq(oneTimeLinks.userId, userId))
      await store.transact(async (tx) => {
        await tx.delete(oneTimeLinks).where(same)
        await tx.insert(oneTimeLinks).values({ hash: sha256(secret), purpose, userId, createdAt: now, expiresAt: now + LIFE_MS[purpose] })
      })
      return secret
    },
    async look(secret: string): Promise<Link | undefined> {
      const [link] = await store.read
        .select()
        .from(oneTimeLinks)
        .where(isAlive(sha256(secret)))
      return link
    },
    /** @throws Failure `setup_link_dead` when it was used, also by somebody who was faster */
    async consume(secret: string, tx: Writer): Promise<Link> {
      const [link] = await tx
        .update(oneTimeLinks)
        .set({ usedAt: clock() })
        .where(isAlive(sha256(secret)))
        .returning()
      if (!link) throw new Failure('setup_link_dead')
      return link
    },
  }
}
export type Links = ReturnType<typeof createLinks>
