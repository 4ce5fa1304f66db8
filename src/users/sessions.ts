import { and, eq, ne } from 'drizzle-orm'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { type Clock, DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import type { UserId } from '@/lib/ids.ts'
import { sessions, type Store, users, type Writer } from '@/store'
import type { User } from './types.ts'

const IDLE_MS = 7 * DAY_MS
const ABSOLUTE_MS = 30 * DAY_MS
/** Use is noted this often at most, so that reading a page does not mean writing a row. */
const TOUCH_EVERY_MS = 5 * MINUTE_MS
const USER_AGENT_LENGTH_MAX = 200

export type SessionRow = typeof sessions.$inferSelect
export type Session = { user: User; hash: string; provenAt: number }

export type Sessions = {
  /** A new session, never an old one continued: a session id that somebody planted is worth nothing. Returns the cookie's value. */
  open(userId: UserId, from: { address: string; userAgent: string }, tx?: Writer): Promise<string>
  /** Undefined for unknown, expired, ended, and for users who were disabled. */
  read(secret: string | undefined): Promise<Session | undefined>
  list(userId: UserId): Promise<SessionRow[]>
  end(hash: string): Promise<void>
  endOthers(userId: UserId, keepHash: string | undefined, tx?: Writer): Promise<void>
}

export function createSessions({ store, clock }: { store: Store; clock: Clock }): Sessions {
  return {
    async open(userId, { address, userAgent }, tx) {
      const secret = randomSecret()
      const now = clock()
      const row = {
        hash: sha256(secret),
        userId,
        createdAt: now,
        lastSeenAt: now,
        provenAt: now,
        expiresAt: now + ABSOLUTE_MS,
        address,
        userAgent: userAgent.slice(0, USER_AGENT_LENGTH_MAX),
      }
      const insert = async (writer: Writer) => {
        await writer.insert(sessions).values(row)
        await writer.update(users).set({ lastSeenAt: now }).where(eq(users.id, userId))
      }
      await (tx ? insert(tx) : store.transact(insert))
      return secret
    },

    async read(secret) {
      if (!secret) return undefined
      const hash = sha256(secret)
      const [found] = await store.read
        .select({ session: sessions, user: users })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(eq(sessions.hash, hash))
      const now = clock()
      if (!found || found.user.disabledAt !== null) return undefined
      const { session, user } = found
      if (session.expiresAt <= now || session.lastSeenAt + IDLE_MS <= now) return undefined
      if (session.lastSeenAt + TOUCH_EVERY_MS < now)
        await store.transact(async (tx) => {
          await tx.update(sessions).set({ lastSeenAt: now }).where(eq(sessions.hash, hash))
          await tx.update(users).set({ lastSeenAt: now }).where(eq(users.id, user.id))
        }, 'process')
      return { user, hash, provenAt: session.provenAt }
    },

    list: (userId) => store.read.select().from(sessions).where(eq(sessions.userId, userId)),
    async end(hash) {
      await store.transact(async (tx) => void (await tx.delete(sessions).where(eq(sessions.hash, hash))))
    },
    async endOthers(userId, keepHash, tx) {
      const which = keepHash ? and(eq(sessions.userId, userId), ne(sessions.hash, keepHash)) : eq(sessions.userId, userId)
      const remove = async (writer: Writer) => void (await writer.delete(sessions).where(which))
      await (tx ? remove(tx) : store.transact(remove))
    },
  }
}
