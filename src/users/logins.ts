import { and, eq } from 'drizzle-orm'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { UserId } from '@/lib/ids.ts'
import { knownDevices, passwords, type Writer } from '@/store'
import { type AccountDeps, type AccountRows, demandUsername, keyOf, type Lookups } from './accounts.ts'
import type { Guess, Guessing } from './guessing.ts'
import type { Link, Links } from './links.ts'
import { demandUsable } from './passwords.ts'
import type { Actor, From, Login, User } from './types.ts'

type Deps = AccountDeps & { rows: AccountRows; lookups: Lookups; guessing: Guessing; links: Links }

/** A signed-in browser: a session, and a mark by which this browser is known when it comes again. */
function createEntrance({ store, clock, sessions }: Pick<Deps, 'store' | 'clock' | 'sessions'>) {
  return {
    async known(secret: string | undefined, user: User | undefined): Promise<string | undefined> {
      if (!secret || !user) return undefined
      const isTheirs = and(eq(knownDevices.hash, sha256(secret)), eq(knownDevices.userId, user.id))
      return (await store.read.select().from(knownDevices).where(isTheirs))[0]?.hash
    },
    async enter(tx: Writer, user: User, from: From, device?: string): Promise<Login> {
      const mark = device ?? randomSecret()
      if (!device) await tx.insert(knownDevices).values({ hash: sha256(mark), userId: user.id, createdAt: clock() })
      return { user, session: await sessions.open(user.id, from, tx), device: mark }
    },
  }
}

export function createLogins(deps: Deps) {
  const { store, audit, hashing, guessing, lookups } = deps
  const entrance = createEntrance(deps)
  const passwordOf = async (userId: UserId) => (await store.read.select().from(passwords).where(eq(passwords.userId, userId)))[0]?.hash
  return {
    /** @throws Failure `wrong_login` for whatever does not fit, `slow_down` after too much of it */
    async login(username: string, password: string, from: From): Promise<Login> {
      const user = await lookups.findByName(username)
      const knownDevice = await entrance.known(from.device, user)
      const guess: Guess = { address: from.address, account: keyOf(username), knownDevice }
      await guessing.demand(guess)
      // Counted before the password is looked at, so that parallel guesses cannot slip through together.
      await guessing.failed(guess)
      const fits = await hashing.verify(user && (await passwordOf(user.id)), password)
      const row = {
        kind: 'auth' as const,
        action: 'login',
        address: from.address,
        userId: user?.id ?? null,
        userName: user?.username ?? null,
      }
      if (!user || !fits || user.disabledAt !== null) {
        // What was typed is kept where it is somebody's name alone: people type passwords into the wrong field.
        const reason = !user ? 'There is nobody of this name.' : !fits ? 'The password was wrong.' : 'The user is disabled.'
        await audit.report({ ...row, outcome: 'refused', subject: user?.username ?? null, reason })
        throw new Failure('wrong_login')
      }
      await guessing.succeeded(guess)
      return store.transact(async (tx) => {
        await audit.report({ ...row, outcome: 'ok' }, tx)
        return entrance.enter(tx, user, from, knownDevice ? from.device : undefined)
      })
    },

    /** Ends the other sessions too: whoever changes a password may be shutting somebody out. */
    async changePassword(user: User, session: string, current: string, next: string, address: string): Promise<void> {
      const guess: Guess = { address, account: user.usernameKey, knownDevice: session }
      await guessing.demand(guess)
      await guessing.failed(guess)
      if (!(await hashing.verify(await passwordOf(user.id), current))) {
        const about = { kind: 'auth', action: 'user.change-password', userId: user.id, userName: user.username, address } as const
        await audit.report({ ...about, outcome: 'refused', reason: 'The current password was wrong.' })
        throw new Failure('invalid_form', { fields: { current_password: 'This is not your current password.' } })
      }
      await guessing.succeeded(guess)
      demandUsable(next, user.username, 'new_password')
      const hash = await hashing.hash(next)
      await store.transact(async (tx) => {
        await deps.rows.putPassword(tx, user.id, hash)
        await deps.sessions.endOthers(user.id, session, tx)
        await deps.rows.told('user.change-password', user, user, tx)
      })
    },
  }
}

export function createLinkLogins(deps: Deps) {
  const { store, hashing, guessing, lookups, links, rows, sessions } = deps
  const entrance = createEntrance(deps)
  const guessOf = (from: From): Guess => ({ address: from.address, account: `link from ${from.address}`, knownDevice: undefined })
  return {
    /** The first link, for the log. Undefined once somebody is here. */
    setUpLink: async (): Promise<string | undefined> => ((await lookups.isSetUp()) ? undefined : links.create('set-up', null)),
    lookAtLink: (secret: string): Promise<Link | undefined> => links.look(secret),

    /** Consumes the set-up link and makes the administrator, both or neither. */
    async setUp(link: string, username: string, password: string, from: From): Promise<Login> {
      await guessing.demand(guessOf(from))
      if ((await links.look(link))?.purpose !== 'set-up') {
        await guessing.failed(guessOf(from))
        throw new Failure('setup_link_dead')
      }
      demandUsername(username)
      demandUsable(password, username)
      const hash = await hashing.hash(password)
      return store.transact(async (tx) => {
        await links.consume(link, tx)
        if (await tx.query.users.findFirst()) throw new Failure('already_set_up')
        const user = await rows.insert(tx, username, 'admin')
        await rows.putPassword(tx, user.id, hash)
        await rows.told('user.set-up', user, user, tx)
        return entrance.enter(tx, user, from)
      })
    },

    /** A link with which somebody who lost the password (or never had one) sets a new one. */
    async newPasswordLink(actor: Actor, userId: UserId): Promise<string> {
      const user = await lookups.demand(userId)
      await rows.told('user.new-password-link', actor, user)
      return links.create('new-password', user.id)
    },
    async usePasswordLink(link: string, password: string, from: From): Promise<Login> {
      await guessing.demand(guessOf(from))
      const owner = (await links.look(link))?.userId
      const user = owner ? await lookups.find(owner) : undefined
      if (!user || user.disabledAt !== null) {
        await guessing.failed(guessOf(from))
        throw new Failure('setup_link_dead')
      }
      demandUsable(password, user.username)
      const hash = await hashing.hash(password)
      return store.transact(async (tx) => {
        await links.consume(link, tx)
        await rows.putPassword(tx, user.id, hash)
        await sessions.endOthers(user.id, undefined, tx)
        await rows.told('user.new-password', user, user, tx)
        return entrance.enter(tx, user, from)
      })
    },
  }
}
