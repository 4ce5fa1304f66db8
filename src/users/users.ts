import { and, asc, count, eq, isNull } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { newUserId, type UserId } from '@/lib/ids.ts'
import { knownDevices, passwords, type Store, users, type Writer } from '@/store'
import { randomSecret } from '@/lib/crypto.ts'
import { createGuessing, type Guess } from './guessing.ts'
import { createLinks, type Link } from './links.ts'
import { createPasswords, demandUsable } from './passwords.ts'
import { createSessions, type Sessions } from './sessions.ts'

export type User = typeof users.$inferSelect
export type Role = User['role']
/** Who did it, for the audit trail: a person in the browser, or the person at the machine. */
export type Actor = { id: UserId; username: string } | 'command line'
export type From = { address: string; userAgent: string; device: string | undefined }
export type Login = { user: User; session: string; device: string }

export type Users = ReturnType<typeof createUsers>

const USERNAME = /^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,63}$/u
const keyOf = (username: string) => username.normalize('NFKC').toLowerCase()

function demandUsername(username: string): void {
  if (!USERNAME.test(username.normalize('NFKC')))
    throw new Failure('invalid_form', { fields: { username: 'Use up to 64 letters, digits, dots, hyphens or underscores.' } })
}

export function createUsers({ store, audit, clock, changes }: { store: Store; audit: Audit; clock: Clock; changes: Changes }) {
  const secrets = createPasswords()
  const guessing = createGuessing()
  const links = createLinks({ store, clock })
  const sessions: Sessions = createSessions({ store, clock })

  const find = async (id: UserId): Promise<User | undefined> => (await store.read.select().from(users).where(eq(users.id, id)))[0]
  const demand = async (id: UserId): Promise<User> => {
    const user = await find(id)
    if (!user) throw new Failure('user_not_found')
    return user
  }
  const findByName = async (username: string): Promise<User | undefined> =>
    (await store.read.select().from(users).where(eq(users.usernameKey, keyOf(username))))[0]

  const told = (action: string, actor: Actor, subject: User, tx?: Writer) =>
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
    )

  const insert = async (tx: Writer, username: string, role: Role): Promise<User> => {
    demandUsername(username)
    const usernameKey = keyOf(username)
    if (await tx.query.users.findFirst({ where: eq(users.usernameKey, usernameKey) })) throw new Failure('username_taken')
    const [user] = await tx.insert(users).values({ id: newUserId(), username, usernameKey, role, createdAt: clock() }).returning()
    return user as User
  }
  const putPassword = async (tx: Writer, userId: UserId, hash: string) => {
    const row = { userId, hash, changedAt: clock() }
    await tx.insert(passwords).values(row).onConflictDoUpdate({ target: passwords.userId, set: row })
  }
  const administratorsLeft = async (tx: Writer) =>
    (await tx.select({ n: count() }).from(users).where(and(eq(users.role, 'admin'), isNull(users.disabledAt))))[0]?.n ?? 0

  const rememberDevice = async (tx: Writer, userId: UserId): Promise<string> => {
    const secret = randomSecret()
    await tx.insert(knownDevices).values({ hash: sha256(secret), userId, createdAt: clock() })
    return secret
  }
  const knownDevice = async (secret: string | undefined, user: User | undefined): Promise<string | undefined> => {
    if (!secret || !user) return undefined
    const [known] = await store.read.select().from(knownDevices).where(and(eq(knownDevices.hash, sha256(secret)), eq(knownDevices.userId, user.id)))
    return known?.hash
  }

  return {
    sessions,
    find,
    demand,
    findByName,
    list: (): Promise<User[]> => store.read.select().from(users).orderBy(asc(users.createdAt)),
    isSetUp: async (): Promise<boolean> => ((await store.read.select({ n: count() }).from(users))[0]?.n ?? 0) > 0,

    /** With a password, or without one and then to be let in by a one-time link. */
    async create(actor: Actor, { username, role, password }: { username: string; role: Role; password?: string }): Promise<User> {
      demandUsername(username)
      if (password !== undefined) demandUsable(password, username)
      const hash = password === undefined ? undefined : await secrets.hash(password)
      return store.transact(async (tx) => {
        const user = await insert(tx, username, role)
        if (hash !== undefined) await putPassword(tx, user.id, hash)
        await told('user.add', actor, user, tx)
        return user
      })
    },

    /** The first link, for the log. Undefined once somebody is here. */
    async setUpLink(): Promise<string | undefined> {
      return (await this.isSetUp()) ? undefined : links.create('set-up', null)
    },
    lookAtLink: (secret: string): Promise<Link | undefined> => links.look(secret),

    /** Consumes the set-up link and makes the administrator, both or neither. */
    async setUp(link: string, username: string, password: string, from: From): Promise<Login> {
      const guess: Guess = { address: from.address, account: 'set-up link', knownDevice: undefined }
      await guessing.demand(guess)
      demandUsername(username)
      demandUsable(password, username)
      const hash = await secrets.hash(password)
      try {
        return await store.transact(async (tx) => {
          const { purpose } = await links.consume(link, tx)
          if (purpose !== 'set-up') throw new Failure('setup_link_dead')
          if (await tx.query.users.findFirst()) throw new Failure('already_set_up')
          const user = await insert(tx, username, 'admin')
          await putPassword(tx, user.id, hash)
          await told('user.set-up', { id: user.id, username }, user, tx)
          return { user, session: await sessions.open(user.id, from, tx), device: await rememberDevice(tx, user.id) }
        })
      } catch (error) {
        if (error instanceof Failure && error.code === 'setup_link_dead') await guessing.failed(guess)
        throw error
      }
    },

    /** A link with which somebody who lost the password (or never had one) sets a new one. */
    async newPasswordLink(actor: Actor, userId: UserId): Promise<string> {
      const user = await demand(userId)
      await told('user.new-password-link', actor, user)
      return links.create('new-password', user.id)
    },
    async usePasswordLink(link: string, password: string, from: From): Promise<Login> {
      const guess: Guess = { address: from.address, account: 'password link', knownDevice: undefined }
      await guessing.demand(guess)
      const owner = (await links.look(link))?.userId
      const user = owner ? await find(owner) : undefined
      if (!user || user.disabledAt !== null) {
        await guessing.failed(guess)
        throw new Failure('setup_link_dead')
      }
      demandUsable(password, user.username)
      const hash = await secrets.hash(password)
      return store.transact(async (tx) => {
        await links.consume(link, tx)
        await putPassword(tx, user.id, hash)
        await sessions.endOthers(user.id, undefined, tx)
        await told('user.new-password', user, user, tx)
        return { user, session: await sessions.open(user.id, from, tx), device: await rememberDevice(tx, user.id) }
      })
    },

    /** @throws Failure `wrong_login` for whatever does not fit, `slow_down` after too much of it */
    async login(username: string, password: string, from: From): Promise<Login> {
      const user = await findByName(username)
      const guess: Guess = { address: from.address, account: keyOf(username), knownDevice: await knownDevice(from.device, user) }
      await guessing.demand(guess)
      // Counted before the password is looked at, so that parallel guesses cannot slip through together.
      await guessing.failed(guess)
      const row = user && (await store.read.select().from(passwords).where(eq(passwords.userId, user.id)))[0]
      const fits = await secrets.verify(row?.hash, password)
      if (!user || !fits || user.disabledAt !== null) {
        await audit.report({ kind: 'auth', action: 'login', outcome: 'refused', subject: username.slice(0, 64), userId: user?.id ?? null, address: from.address })
        throw new Failure('wrong_login')
      }
      await guessing.succeeded(guess)
      return store.transact(async (tx) => {
        await audit.report({ kind: 'auth', action: 'login', outcome: 'ok', userId: user.id, userName: user.username, address: from.address }, tx)
        const device = guess.knownDevice && from.device ? from.device : await rememberDevice(tx, user.id)
        return { user, session: await sessions.open(user.id, from, tx), device }
      })
    },

    /** Ends the other sessions too: whoever changes a password may be shutting somebody out. */
    async changePassword(user: User, session: string, current: string, next: string, address: string): Promise<void> {
      const guess: Guess = { address, account: user.usernameKey, knownDevice: session }
      await guessing.demand(guess)
      const [row] = await store.read.select().from(passwords).where(eq(passwords.userId, user.id))
      if (!(await secrets.verify(row?.hash, current))) {
        await guessing.failed(guess)
        throw new Failure('invalid_form', { fields: { current_password: 'This is not your current password.' } })
      }
      demandUsable(next, user.username, 'new_password')
      const hash = await secrets.hash(next)
      await store.transact(async (tx) => {
        await putPassword(tx, user.id, hash)
        await sessions.endOthers(user.id, session, tx)
        await told('user.change-password', user, user, tx)
      })
    },

    async disable(actor: Actor, userId: UserId): Promise<User> {
      const user = await store.transact(async (tx) => {
        const [changed] = await tx.update(users).set({ disabledAt: clock() }).where(and(eq(users.id, userId), isNull(users.disabledAt))).returning()
        if (!changed) throw new Failure('user_not_found')
        if (changed.role === 'admin' && (await administratorsLeft(tx)) === 0) throw new Failure('last_administrator')
        await sessions.endOthers(userId, undefined, tx)
        await told('user.disable', actor, changed, tx)
        return changed
      })
      changes.announce({ kind: 'user-disabled', userId })
      return user
    },

    async enable(actor: Actor, userId: UserId): Promise<User> {
      return store.transact(async (tx) => {
        const [changed] = await tx.update(users).set({ disabledAt: null }).where(eq(users.id, userId)).returning()
        if (!changed) throw new Failure('user_not_found')
        await told('user.enable', actor, changed, tx)
        return changed
      })
    },

    async setPassword(actor: Actor, userId: UserId, password: string): Promise<void> {
      const user = await demand(userId)
      demandUsable(password, user.username)
      const hash = await secrets.hash(password)
      await store.transact(async (tx) => {
        await putPassword(tx, userId, hash)
        await sessions.endOthers(userId, undefined, tx)
        await told('user.reset-password', actor, user, tx)
      })
    },
  }
}
