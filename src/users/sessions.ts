import { and, eq, ne } from 'drizzle-orm'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import type { Audit, NewRow } from '@/audit'
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
  /** Its user left. */
  end(session: Session, address: string): Promise<void>
  /** Its user sent every other browser away. */
  keepAlone(session: Session, address: string): Promise<void>
  /** As a part of something else that stands in the trail. */
  endOthers(userId: UserId, keepHash: string | undefined, tx: Writer): Promise<void>
}

export function createSessions({ store, audit, clock }: { store: Store; audit: Pick<Audit, 'report'>; clock: Clock }): Sessions {
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
    end: (session, address) =>
      store.transact(async (tx) => {
        const gone = await tx.delete(sessions).where(eq(sessions.hash, session.hash)).returning()
        if (gone.length > 0) await audit.report(act('logout', session, address), tx)
      }),
    keepAlone: (session, address) =>
      store.transact(async (tx) => {
        const gone = await tx.delete(sessions).where(othersOf(session.user.id, session.hash)).returning()
        await audit.report({ ...act('session.end-others', session, address), detail: { ended: gone.length } }, tx)
      }),
    async endOthers(userId, keepHash, tx) {
      await tx.delete(sessions).where(keepHash ? othersOf(userId, keepHash) : eq(sessions.userId, userId))
    },
  }
}

const othersOf = (userId: UserId, hash: string) => and(eq(sessions.userId, userId), ne(sessions.hash, hash))

const act = (action: string, { user }: Session, address: string): NewRow => ({
  ...{ kind: 'auth', action, outcome: 'ok', userId: user.id, userName: user.username, address },
})
