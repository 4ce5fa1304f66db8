import { and, asc, count, eq, isNull } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { newUserId, type UserId } from '@/lib/ids.ts'
import { passwords, type Store, users, type Writer } from '@/store'
import { demandUsable, type Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'
import type { Actor, Role, User } from './types.ts'

export type AccountDeps = { store: Store; audit: Audit; clock: Clock; changes: Changes; hashing: Passwords; sessions: Sessions }

const USERNAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u
export const keyOf = (username: string): string => username.normalize('NFKC').toLowerCase()

export function demandUsername(username: string): void {
  if (!USERNAME.test(username.normalize('NFKC')))
    throw new Failure('invalid_form', { fields: { username: 'Use up to 64 letters, digits, dots, hyphens or underscores.' } })
}

/** Rows of users and what was done to them, inside a transaction of whoever asks. */
export function createAccountRows({ audit, clock }: Pick<AccountDeps, 'audit' | 'clock'>) {
  return {
    told: (action: string, actor: Actor, subject: User, tx?: Writer) =>
      audit.report(
        {
          kind: 'admin',
          action,
          outcome: 'ok',
          userId: actor === 'command line' ? null : actor.id,
          userName: actor === 'command line' ? actor : actor.username,
          subject: subject.username,
        },
        tx,
      ),
    insert: async (tx: Writer, username: string, role: Role): Promise<User> => {
      demandUsername(username)
      const usernameKey = keyOf(username)
      if (await tx.query.users.findFirst({ where: eq(users.usernameKey, usernameKey) })) throw new Failure('username_taken')
      const [user] = await tx.insert(users).values({ id: newUserId(), username, usernameKey, role, createdAt: clock() }).returning()
      return user as User
    },
    putPassword: async (tx: Writer, userId: UserId, hash: string) => {
      const row = { userId, hash, changedAt: clock() }
      await tx.insert(passwords).values(row).onConflictDoUpdate({ target: passwords.userId, set: row })
    },
  }
}
export type AccountRows = ReturnType<typeof createAccountRows>

export function createLookups({ store }: Pick<AccountDeps, 'store'>) {
  const find = async (id: UserId): Promise<User | undefined> => (await store.read.select().from(users).where(eq(users.id, id)))[0]
  return {
    find,
    demand: async (id: UserId): Promise<User> => {
      const user = await find(id)
      if (!user) throw new Failure('user_not_found')
      return user
    },
    findByName: async (username: string): Promise<User | undefined> =>
      (
        await store.read
          .select()
          .from(users)
          .where(eq(users.usernameKey, keyOf(username)))
      )[0],
    list: (): Promise<User[]> => store.read.select().from(users).orderBy(asc(users.createdAt)),
    isSetUp: async (): Promise<boolean> => ((await store.read.select({ n: count() }).from(users))[0]?.n ?? 0) > 0,
  }
}
export type Lookups = ReturnType<typeof createLookups>

export function createAdministration({
  store,
  clock,
  changes,
  hashing,
  sessions,
  rows,
  lookups,
}: AccountDeps & { rows: AccountRows; lookups: Lookups }) {
  const administratorsLeft = async (tx: Writer) =>
    (
      await tx
        .select({ n: count() })
        .from(users)
        .where(and(eq(users.role, 'admin'), isNull(users.disabledAt)))
    )[0]?.n ?? 0
  const setDisabledAt = async (tx: Writer, userId: UserId, disabledAt: number | null): Promise<User> => {
    const [changed] = await tx.update(users).set({ disabledAt }).where(eq(users.id, userId)).returning()
    if (!changed) throw new Failure('user_not_found')
    return changed
  }
  return {
    /** With a password, or without one and then to be let in by a one-time link. */
    async create(actor: Actor, { username, role, password }: { username: string; role: Role; password?: string }): Promise<User> {
      demandUsername(username)
      if (password !== undefined) demandUsable(password, username)
      const hash = password === undefined ? undefined : await hashing.hash(password)
      return store.transact(async (tx) => {
        const user = await rows.insert(tx, username, role)
        if (hash !== undefined) await rows.putPassword(tx, user.id, hash)
        await rows.told('user.add', actor, user, tx)
        return user
      })
    },
    /** @throws Failure `last_administrator`: nobody could undo it */
    async disable(actor: Actor, userId: UserId): Promise<User> {
      const user = await store.transact(async (tx) => {
        const changed = await setDisabledAt(tx, userId, clock())
        if (changed.role === 'admin' && (await administratorsLeft(tx)) === 0) throw new Failure('last_administrator')
        await sessions.endOthers(userId, undefined, tx)
        await rows.told('user.disable', actor, changed, tx)
        return changed
      })
      changes.announce({ kind: 'user-disabled', userId })
      return user
    },
    enable: (actor: Actor, userId: UserId): Promise<User> =>
      store.transact(async (tx) => {
        const changed = await setDisabledAt(tx, userId, null)
        await rows.told('user.enable', actor, changed, tx)
        return changed
      }),
    /** @throws Failure `last_administrator` */
    setRole: (actor: Actor, userId: UserId, role: Role): Promise<User> =>
      store.transact(async (tx) => {
        const [changed] = await tx.update(users).set({ role }).where(eq(users.id, userId)).returning()
        if (!changed) throw new Failure('user_not_found')
        if (role !== 'admin' && (await administratorsLeft(tx)) === 0) throw new Failure('last_administrator')
        await rows.told('user.role', actor, changed, tx)
        return changed
      }),
    async setPassword(actor: Actor, userId: UserId, password: string): Promise<void> {
      const user = await lookups.demand(userId)
      demandUsable(password, user.username)
      const hash = await hashing.hash(password)
      await store.transact(async (tx) => {
        await rows.putPassword(tx, userId, hash)
        await sessions.endOthers(userId, undefined, tx)
        await rows.told('user.reset-password', actor, user, tx)
      })
    },
  }
}
