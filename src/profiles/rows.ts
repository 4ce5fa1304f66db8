import { and, asc, eq, or } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { newProfileId, type ProfileId, type UserId } from '@/lib/ids.ts'
import { profiles, type Store, type Writer } from '@/store'
import type { User } from '@/users'
import type { Naming } from './naming.ts'

export type Profile = typeof profiles.$inferSelect
export type ChangedProfile = {
  title: string
  description: string
  naming: Naming
  visibility?: Profile['visibility']
  delivery?: Profile['delivery']
  /** What the trail keeps of arguments and results. */
  keeps?: Profile['keeps'] | undefined
  asksPurpose?: boolean
}
export type RowsDeps = { store: Store; audit: Audit; changes: Changes; clock: Clock }

const PROFILES_MAX = 100
const TITLE_CHARS_MAX = 64
const DESCRIPTION_CHARS_MAX = 4_000
const NAME_CHARS_MAX = 40
const NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/

export function createReading({ store }: Pick<RowsDeps, 'store'>) {
  const find = async (id: ProfileId): Promise<Profile | undefined> =>
    (await store.read.select().from(profiles).where(eq(profiles.id, id)))[0]
  return {
    find,
    list: async (userId: UserId): Promise<Profile[]> =>
      store.read.select().from(profiles).where(eq(profiles.ownerId, userId)).orderBy(asc(profiles.createdAt), asc(profiles.id)),
    /** The user's own, or one that is open to everybody here. */
    async findFor(userId: UserId, id: ProfileId): Promise<Profile | undefined> {
      const profile = await find(id)
      return profile && (profile.ownerId === userId || profile.visibility === 'open') ? profile : undefined
    },
    /** Open ones of others that this user reaches by their name: an own one of the name stands before it, then the oldest. */
    async listOpen(userId: UserId): Promise<Profile[]> {
      const all = await store.read
        .select()
        .from(profiles)
        .where(or(eq(profiles.ownerId, userId), eq(profiles.visibility, 'open')))
      const taken = new Set(all.filter(({ ownerId }) => ownerId === userId).map(({ name }) => name))
      const others = all.filter(({ ownerId }) => ownerId !== userId).toSorted((a, b) => a.createdAt - b.createdAt)
      return others.filter(({ name }) => !taken.has(name) && taken.add(name))
    },
    /** The user's own. Someone else's and a missing one look alike. @throws Failure `profile_not_found` */
    async demand(userId: UserId, id: ProfileId): Promise<Profile> {
      const profile = await find(id)
      if (profile?.ownerId !== userId) throw new Failure('profile_not_found')
      return profile
    },
    /** The user's own of this name, else an open one; of several open ones the oldest, so that an address keeps its meaning. */
    async findByName(userId: UserId, name: string): Promise<Profile | undefined> {
      const named = await store.read.select().from(profiles).where(eq(profiles.name, name)).orderBy(asc(profiles.createdAt))
      return named.find((profile) => profile.ownerId === userId) ?? named.find((profile) => profile.visibility === 'open')
    },
  }
}
export type Reading = ReturnType<typeof createReading>

export function createMaking(deps: RowsDeps) {
  const { store, clock } = deps
  const insert = async (tx: Writer, user: Pick<User, 'id' | 'username'>, title: string, asked?: string): Promise<Profile> => {
    const own = await tx.select().from(profiles).where(eq(profiles.ownerId, user.id))
    if (own.length >= PROFILES_MAX) throw new Failure('too_many')
    const taken = new Set(own.map((profile) => profile.name))
    const name = asked === undefined || asked === '' ? freeName(title, taken) : demandName(asked, taken)
    const row = {
      id: newProfileId(),
      ownerId: user.id,
      name,
      title,
      description: '',
      visibility: 'private' as const,
      naming: 'on-collision' as const,
      revision: 1,
      createdAt: clock(),
      updatedAt: clock(),
    }
    const [profile] = await tx.insert(profiles).values(row).returning()
    await told(deps, tx, 'profile.create', user, row)
    return profile as Profile
  }
  return {
    async create(user: User, asked: { title: string; name?: string }): Promise<Profile> {
      const title = demandTitle(asked.title)
      return store.transact((tx) => insert(tx, user, title, asked.name))
    },
    /** A new user finds one profile ready, so that the first app can be connected at once. */
    ensureFirst: (user: Pick<User, 'id' | 'username'>): Promise<void> =>
      store.transact(async (tx) => {
        const [any] = await tx.select({ id: profiles.id }).from(profiles).where(eq(profiles.ownerId, user.id)).limit(1)
        if (!any) await insert(tx, user, 'Personal', 'personal')
      }),
  }
}

export function createOwning(deps: RowsDeps, { demand }: Pick<Reading, 'demand'>) {
  const { store, changes, clock } = deps
  return {
    async remove(user: User, id: ProfileId): Promise<void> {
      const profile = await demand(user.id, id)
      await store.transact(async (tx) => {
        await tx.delete(profiles).where(and(eq(profiles.id, id), eq(profiles.ownerId, user.id)))
        await told(deps, tx, 'profile.remove', user, profile)
      })
      changes.announce({ kind: 'profile-removed', profileId: id })
    },
    /** Title and description alone; how tools are named is set where their names are made. */
    async describe(tx: Writer, user: User, profile: Profile, asked: ChangedProfile): Promise<void> {
      if (asked.description.length > DESCRIPTION_CHARS_MAX)
        throw new Failure('invalid_form', { fields: { description: `Use up to ${DESCRIPTION_CHARS_MAX} characters.` } })
      const current = {
        title: demandTitle(asked.title),
        description: asked.description,
        naming: asked.naming,
        visibility: asked.visibility ?? profile.visibility,
        delivery: asked.delivery ?? profile.delivery,
        asksPurpose: asked.asksPurpose ?? profile.asksPurpose,
        keeps: asked.keeps ?? profile.keeps,
      }
      await tx
        .update(profiles)
        .set({ ...current, updatedAt: clock() })
        .where(eq(profiles.id, profile.id))
      const detail = current.keeps === profile.keeps ? undefined : { keeps: current.keeps, before: profile.keeps }
      await told(deps, tx, 'profile.update', user, profile, detail)
    },
  }
}

export const told = (
  { audit }: Pick<RowsDeps, 'audit'>,
  tx: Writer,
  action: string,
  user: Pick<User, 'id' | 'username'>,
  it: Pick<Profile, 'id' | 'title'>,
  detail?: Record<string, unknown>,
) =>
  audit.report(
    {
      kind: 'admin',
      action,
      outcome: 'ok',
      userId: user.id,
      userName: user.username,
      profileId: it.id,
      profileName: it.title,
      subject: it.title,
      ...(detail && { detail }),
    },
    tx,
  )

function demandTitle(title: string): string {
  const tidy = title.trim().replace(/[\p{Cc}\p{Cf}]/gu, '')
  if (tidy.length === 0 || tidy.length > TITLE_CHARS_MAX)
    throw new Failure('invalid_form', { fields: { title: `Give it a title of up to ${TITLE_CHARS_MAX} characters.` } })
  return tidy
}

function demandName(name: string, taken: ReadonlySet<string>): string {
  if (!NAME.test(name)) throw new Failure('invalid_form', { fields: { name: 'Use up to 40 small letters, digits and hyphens.' } })
  if (taken.has(name)) throw new Failure('name_taken')
  return name
}

function freeName(title: string, taken: ReadonlySet<string>): string {
  const plain = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, NAME_CHARS_MAX - 4)
    .replace(/^-+|-+$/g, '')
  const stem = plain === '' ? 'profile' : plain
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? stem : `${stem}-${count}`
    if (!taken.has(name)) return name
  }
}
