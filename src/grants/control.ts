/** Pausing, resuming and revoking many at once: all apps of a client, of a profile, of a user, the tools of a connection, or everything. */
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import { Failure } from '@/lib/failure.ts'
import type { ToolId } from '@/lib/ids.ts'
import type { Store, Writer } from '@/store'
import { type Permission, permissionOf } from './decide.ts'
import { about, type Grants, writePermissions } from './grants.ts'
import type { Pause } from './pauses.ts'
import { createPermitting, type PermittingDeps } from './permitting.ts'
import type { Grant, Met } from './reading.ts'
import { type By, demandSubject, type Meant, type Subject, type SubjectsSeen, type Whose } from './subjects.ts'
import { createSwitching, type SwitchingDeps } from './switching.ts'

type Deps = Omit<SubjectsSeen, 'grants' | 'profiles'> &
  Omit<PermittingDeps, 'profiles'> &
  Omit<SwitchingDeps, 'profiles'> & {
    store: Store
    audit: Pick<Audit, 'report'>
    changes: Pick<Changes, 'announce'>
    grants: Grants
    profiles: SubjectsSeen['profiles'] & PermittingDeps['profiles'] & SwitchingDeps['profiles']
  }

export type Control = ReturnType<typeof createControl>

export function createControl(deps: Deps) {
  const { store, audit, changes, grants } = deps
  const report = (tx: Writer, by: By, { name, ids, key }: Meant, action: string, whose: Whose) =>
    audit.report(
      {
        kind: 'admin',
        action,
        outcome: 'ok',
        ...{ userId: by.id, userName: by.username, subject: name, ...ids },
        detail: { whose, ...(key.kind === 'user' && { user: key.subject }) },
      },
      tx,
    )
  const turn = async (by: By, subject: Subject, whose: Whose, how: 'pause' | 'resume'): Promise<void> => {
    const meant = await demandSubject(deps, by, subject, whose)
    const isNew = await store.transact(async (tx) => {
      const done = how === 'pause' ? await grants.pauses.set(tx, meant.key, by.username) : await grants.pauses.lift(tx, meant.key)
      if (done) await report(tx, by, meant, `${subject.kind}.${how}`, whose)
      return done
    })
    if (isNew) changes.announce({ kind: 'pauses-changed', ...(subject.kind === 'connection' && { connectionId: subject.id }) })
  }
  /** How many apps that hold now this is about. */
  const met = async (by: By, subject: Subject, whose: Whose): Promise<Met> => {
    const meant = await demandSubject(deps, by, subject, whose)
    if (meant.of) return grants.countLive(meant.of)
    const found = await using(deps, await inReach(by, whose), meant)
    return { apps: found.length, users: new Set(found.map(({ userId }) => userId)).size }
  }
  const inReach = (by: By, whose: Whose) => grants.listLive(whose === 'own' ? { userId: by.id } : {})

  return {
    ...createPermitting(deps),
    ...createSwitching(deps),
    met,
    /** This very pause, where there is one. Whether the reader may know of the subject is asked before. */
    paused: (by: Pick<By, 'id'>, subject: Subject, whose: Whose): Pause | undefined => {
      const id = subject.kind === 'everything' ? '' : subject.id
      return grants.pauses.find({ kind: subject.kind, subject: id, userId: whose === 'own' ? by.id : '' })
    },
    /** Their tokens stay, and do nothing until `resume`. */
    pause: (by: By, subject: Subject, whose: Whose): Promise<void> => turn(by, subject, whose, 'pause'),
    /** What is paused by itself, or with something else as well, stays so. */
    resume: (by: By, subject: Subject, whose: Whose): Promise<void> => turn(by, subject, whose, 'resume'),
    /** Ends them for good; of a connection, every tool is refused to every app that it was allowed to. @returns how many apps it met */
    async revoke(by: By, subject: Subject, whose: Whose): Promise<number> {
      const meant = await demandSubject(deps, by, subject, whose)
      const why = `${subject.kind}_revoked`
      if (meant.of) return grants.revokeMany(by, meant.of, why)
      return takeOut(deps, by, await inReach(by, whose), meant, why)
    },
  }
}

type Taking = Pick<Deps, 'store' | 'audit' | 'changes' | 'connections'>

async function toolIdsOf({ connections }: Pick<Deps, 'connections'>, { ids: { connectionId } }: Meant): Promise<ToolId[]> {
  if (connectionId === undefined) throw new Failure('connection_not_found')
  return connections.toolIdsEver(connectionId)
}

/** Those that may use a tool of this connection now, in the profile that they are at. */
async function using(deps: Pick<Deps, 'connections' | 'profiles'>, live: readonly Grant[], meant: Meant): Promise<Grant[]> {
  const ids = new Set(await toolIdsOf(deps, meant))
  const found: Grant[] = []
  for (const grant of live) {
    const { byToolId } = await deps.profiles.viewFor(grant.userId, grant.profileId)
    if ([...byToolId.keys()].some((id) => ids.has(id) && permissionOf(grant, id) !== 'refuse')) found.push(grant)
  }
  return found
}

/**
 * Also of apps that were allowed a tool of it in a profile that they are not at now: they may come back there. Each in its own row of the
 * trail, all in one transaction. @returns how many apps it met
 */
async function takeOut(deps: Taking, by: By, live: readonly Grant[], meant: Meant, why: string): Promise<number> {
  const { store, audit, changes } = deps
  const ids = await toolIdsOf(deps, meant)
  const met = live.filter((grant) => ids.some((id) => permissionOf(grant, id) !== 'refuse'))
  const refused = new Map(ids.map((id): [ToolId, Permission] => [id, 'refuse']))
  await store.transact(async (tx) => {
    for (const grant of met) {
      await writePermissions(tx, grant.id, refused)
      const told = { ...about(by, grant), ...meant.ids, connectionName: meant.name, reason: why }
      await audit.report({ kind: 'admin', action: 'grant.permit', outcome: 'ok', ...told }, tx)
    }
  })
  for (const { id } of met) changes.announce({ kind: 'grant-changed', grantId: id })
  return met.length
}
