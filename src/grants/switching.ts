/** A grant for `/mcp` at another profile of its user: the same tokens, the next request is served from there. */
import { and, asc, eq } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import { randomText } from '@/lib/crypto.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import type { GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { Profile, ProfileTool, ProfileView } from '@/profiles'
import { grantSwitches, grants as table, type Store } from '@/store'
import type { User } from '@/users'
import { type Permission, permissionOf, state } from './decide.ts'
import { about, type Grants, writePermissions } from './grants.ts'
import { isTimeZone, lastDue, type Weekly } from './occurrence.ts'
import type { Grant } from './reading.ts'

export type SwitchingDeps = {
  store: Store
  clock: Clock
  audit: Pick<Audit, 'report'>
  changes: Pick<Changes, 'announce'>
  grants: Pick<Grants, 'find' | 'demand'>
  profiles: {
    /** Their own, or one that is open to everybody here. */
    findFor(userId: UserId, id: ProfileId): Promise<Profile | undefined>
    viewFor(userId: UserId, id: ProfileId): Promise<ProfileView>
  }
}
/** What a profile that it has never been at brings: as the consent page proposes it, or nothing but what it may use already. */
export type Newly = 'usual' | 'nothing'
export type Switch = typeof grantSwitches.$inferSelect
type Owner = Pick<User, 'id' | 'username'>

const SWITCHES_MAX = 20
const EVERY_DAY = 0b1111111
const MINUTES_OF_A_DAY = 1_440

/** What reads and writes, as a new app would be let use it; what destroys asks each time. */
export const usual = ({ feature, kind }: Pick<ProfileTool, 'feature' | 'kind'>): Permission =>
  feature === 'tool' && kind === 'destructive' ? 'ask' : 'allow'

/** What is to be decided so that the grant may use this profile: nothing where it has been there before. */
export function newlyOf(grant: Grant, { profile, byToolId }: ProfileView, newly: Newly): Map<ToolId, Permission> {
  if (grant.profileId === profile.id || grant.settled.includes(profile.id)) return new Map()
  const undecided = [...byToolId.values()].filter(({ toolId }) => !grant.tools.has(toolId))
  return new Map(undecided.map((tool) => [tool.toolId, newly === 'usual' ? usual(tool) : 'refuse']))
}

export function createSwitching(deps: SwitchingDeps) {
  const { grants } = deps
  const demandAny = async (user: Owner, id: GrantId): Promise<Grant> => {
    const grant = await grants.demand(user.id, id)
    if (grant.revokedAt !== null || grant.reach !== 'any') throw new Failure('grant_not_found')
    return grant
  }
  const move = createMove(deps)
  return {
    /** @throws Failure `grant_not_found` for one that is bound to its profile's address, `profile_not_found` */
    async switchProfile(user: Owner, id: GrantId, profileId: ProfileId, newly: Newly): Promise<void> {
      await move(await demandAny(user, id), profileId, newly, user)
    },
    ...createSchedule(deps, demandAny),
    runSwitches: createRun(deps, move),
  }
}

type Move = ReturnType<typeof createMove>

function createMove({ store, audit, changes, profiles }: SwitchingDeps) {
  return async (grant: Grant, profileId: ProfileId, newly: Newly, by: Owner | undefined): Promise<void> => {
    const profile = await profiles.findFor(grant.userId, profileId)
    if (!profile) throw new Failure('profile_not_found')
    if (grant.profileId === profileId) return
    const view = await profiles.viewFor(grant.userId, profileId)
    const decided = newlyOf(grant, view, newly)
    const settled = [...new Set([...grant.settled, grant.profileId])]
    const after = { ...grant, tools: new Map([...grant.tools, ...decided]) }
    const count = (permission: Permission) => view.offered.filter(({ toolId }) => permissionOf(after, toolId) === permission).length
    const detail = { from: grant.profileId, allowed: count('allow'), asked: count('ask'), refused: count('refuse') }
    await store.transact(async (tx) => {
      await tx.update(table).set({ profileId, settled }).where(eq(table.id, grant.id))
      await writePermissions(tx, grant.id, decided)
      const told = { ...about(by, grant), profileId, profileName: profile.title, reason: by ? null : 'schedule', detail }
      await audit.report({ kind: 'admin', action: 'grant.switch', outcome: 'ok', ...told }, tx)
    })
    changes.announce({ kind: 'grant-changed', grantId: grant.id })
  }
}

export type NewSwitch = Weekly & { profileId: ProfileId }

function demandSensible({ days, minuteOfDay, timeZone }: NewSwitch): void {
  const wrong = (field: string, says: string) => new Failure('invalid_form', { fields: { [field]: says } })
  if (!Number.isInteger(days) || days <= 0 || days > EVERY_DAY) throw wrong('days', 'Choose at least one day.')
  if (!Number.isInteger(minuteOfDay) || minuteOfDay < 0 || minuteOfDay >= MINUTES_OF_A_DAY) throw wrong('time', 'Enter a time, like 09:00.')
  if (!isTimeZone(timeZone)) throw wrong('time_zone', 'Choose one of the list.')
}

function createSchedule(deps: SwitchingDeps, demandAny: (user: Owner, id: GrantId) => Promise<Grant>) {
  const { store, clock, audit, profiles } = deps
  const read = (grantId: GrantId) =>
    store.read.select().from(grantSwitches).where(eq(grantSwitches.grantId, grantId)).orderBy(asc(grantSwitches.minuteOfDay))
  return {
    /** The user's own, the earliest of the day first. @throws Failure `grant_not_found` */
    async switchesOf(user: Owner, id: GrantId): Promise<Switch[]> {
      await deps.grants.demand(user.id, id)
      return read(id)
    },
    /** @throws Failure `grant_not_found`, `profile_not_found`, `too_many`, `invalid_form` (fields days, time, time_zone) */
    async addSwitch(user: Owner, id: GrantId, asked: NewSwitch): Promise<void> {
      const grant = await demandAny(user, id)
      demandSensible(asked)
      const profile = await profiles.findFor(user.id, asked.profileId)
      if (!profile) throw new Failure('profile_not_found')
      if ((await read(id)).length >= SWITCHES_MAX) throw new Failure('too_many', { message: `Up to ${SWITCHES_MAX} switches for one app.` })
      const { profileId, days, minuteOfDay, timeZone } = asked
      const row = { id: randomText(16), grantId: id, profileId, days, minuteOfDay, timeZone, createdAt: clock() }
      await store.transact(async (tx) => {
        await tx.insert(grantSwitches).values(row)
        const told = { ...about(user, grant), profileId, profileName: profile.title, detail: { days, minuteOfDay, timeZone } }
        await audit.report({ kind: 'admin', action: 'grant.schedule', outcome: 'ok', ...told }, tx)
      })
    },
    /** @throws Failure `grant_not_found`; one that is not there is gone already */
    async removeSwitch(user: Owner, id: GrantId, switchId: string): Promise<void> {
      const grant = await deps.grants.demand(user.id, id)
      await store.transact(async (tx) => {
        const gone = await tx
          .delete(grantSwitches)
          .where(and(eq(grantSwitches.id, switchId), eq(grantSwitches.grantId, id)))
          .returning({ id: grantSwitches.id })
        if (gone.length > 0) await audit.report({ kind: 'admin', action: 'grant.unschedule', outcome: 'ok', ...about(user, grant) }, tx)
      })
    },
  }
}

/** The one of a grant that counts now: the latest that was due. Those before it are history, however long nobody looked. */
export function dueOf(switches: readonly Switch[], now: number): Switch | undefined {
  const dated = switches.flatMap((each) => {
    const at = lastDue(each, now)
    return at === undefined ? [] : [{ each, at }]
  })
  const [latest] = dated.toSorted((a, b) => b.at - a.at || b.each.createdAt - a.each.createdAt)
  // One that was made after it had been due begins with its next time.
  return latest && latest.at > (latest.each.doneAt ?? latest.each.createdAt) ? latest.each : undefined
}

function createRun({ store, clock, grants, audit }: SwitchingDeps, move: Move) {
  const done = (id: string) =>
    store.transact(async (tx) => void (await tx.update(grantSwitches).set({ doneAt: clock() }).where(eq(grantSwitches.id, id))))
  const run = async (due: Switch): Promise<boolean> => {
    const grant = await grants.find(due.grantId)
    if (!grant || ['revoked', 'expired'].includes(state(grant, clock()))) return false
    try {
      const isMoving = grant.profileId !== due.profileId
      await move(grant, due.profileId, 'usual', undefined)
      return isMoving
    } catch (error) {
      // An open profile that was closed again: the app stays where it is, and the trail says why.
      if (!isFailure(error, 'profile_not_found')) throw error
      const told = { ...about(undefined, grant), profileId: due.profileId, reason: 'profile_not_found' }
      await audit.report({ kind: 'admin', action: 'grant.switch', outcome: 'refused', ...told })
      return false
    }
  }
  /** Carries out what is due, once each, also where it was due while nobody could look. @returns how many apps moved */
  return async (): Promise<number> => {
    const all = await store.read.select().from(grantSwitches)
    let moved = 0
    for (const switches of Map.groupBy(all, (each) => each.grantId).values()) {
      const due = dueOf(switches, clock())
      if (!due) continue
      if (await run(due)) moved += 1
      await done(due.id)
    }
    return moved
  }
}
