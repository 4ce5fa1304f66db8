/** When an approval is worth nothing any more: its time, its grant, its permission or its tool's definition is not what it was. */
import { and, eq, inArray, lte, notInArray } from 'drizzle-orm'
import { DAY_MS } from '@/lib/clock.ts'
import type { ConnectionId, GrantId, ProfileId, ToolId } from '@/lib/ids.ts'
import { approvals } from '@/store'
import type { Inner } from './approval-needs.ts'
import { type ApprovalRow, inTrail } from './approval-rows.ts'
import { decide, state } from './decide.ts'

/** Its arguments are sealed in it, and what was decided stands in the trail. */
const KEPT_MS = 7 * DAY_MS

export function createApprovalEnding({ store, clock, audit, rows, waiters, grants }: Inner) {
  /** @param why a word for the trail */
  const end = async (ended: readonly ApprovalRow[], why: string): Promise<void> => {
    if (ended.length === 0) return
    const ids = ended.map(({ id }) => id)
    await store.transact(async (tx) => {
      const which = and(inArray(approvals.id, ids), inArray(approvals.status, ['waiting', 'approved']))
      const gone = await tx.update(approvals).set({ status: 'expired' }).where(which).returning()
      for (const row of gone) {
        const detail = { approval: row.id, was: ended.find(({ id }) => id === row.id)?.status }
        await audit.report({ ...inTrail(row), action: 'approval.expire', reason: why, detail }, tx)
      }
    })
    for (const id of ids) waiters.settle(id, 'ended')
  }
  /** The permission says yes by now: nothing is left to ask. */
  const overtake = async (overtaken: readonly ApprovalRow[]): Promise<void> => {
    if (overtaken.length === 0) return
    const ids = overtaken.map(({ id }) => id)
    const which = and(inArray(approvals.id, ids), eq(approvals.status, 'waiting'))
    await store.transact(
      async (tx) => void (await tx.update(approvals).set({ status: 'approved', scope: null, decidedAt: clock() }).where(which)),
    )
    for (const id of ids) waiters.settle(id, 'approved')
  }
  /** An `always` stays what it was: it is no right of its own. */
  const isSpendable = ({ status, scope }: ApprovalRow) => status === 'waiting' || scope !== null

  const grantChanged = async (grantId: GrantId): Promise<void> => {
    const live = (await rows.live({ grantId })).filter(isSpendable)
    if (live.length === 0) return
    const grant = await grants.find(grantId)
    const now = clock()
    const why = !grant || state(grant, now) !== 'active' ? `grant_${grant ? state(grant, now) : 'gone'}` : undefined
    if (why !== undefined || !grant) return end(live, why ?? 'grant_gone')
    const permissionOf = (row: ApprovalRow) => (row.profileId === grant.profileId ? decide(grant, row, now) : 'refuse')
    await end(
      live.filter((row) => permissionOf(row) === 'refuse' || (permissionOf(row) === 'allow' && row.status === 'approved')),
      'permission_changed',
    )
    await overtake(live.filter((row) => permissionOf(row) === 'allow' && row.status === 'waiting'))
  }

  const pausesChanged = async (): Promise<void> => {
    for (const grantId of new Set((await rows.live({})).map((row) => row.grantId))) await grantChanged(grantId)
  }

  return {
    /** The grant is another than it was: paused, ended, narrowed, widened, moved to another profile. */
    grantChanged,
    /** Something bigger was paused, or goes on. */
    pausesChanged,
    /** What the profile serves is other than it was. @param toolOf the tool by now; undefined where it is gone or held back */
    async profileChanged(profileId: ProfileId, toolOf: (id: ToolId) => { hash: string } | undefined): Promise<void> {
      const live = (await rows.live({ profileId })).filter(isSpendable)
      await end(
        live.filter((row) => toolOf(row.toolId)?.hash !== rows.opened(row).shown.definition),
        'definition_changed',
      )
    },
    /** Whole clients, profiles, connections or users went or were shut out: everything of these grants is over. */
    async endOfGrants(ids: readonly GrantId[], why: string): Promise<void> {
      for (const grantId of ids) await end((await rows.live({ grantId })).filter(isSpendable), why)
    },
    /** It leads elsewhere, signs in otherwise or is gone. @param changedAt what was asked for later was asked about the connection as it is */
    async endOfConnection(connectionId: ConnectionId, changedAt = Number.POSITIVE_INFINITY): Promise<void> {
      const live = await rows.live({ connectionId })
      await end(
        live.filter((row) => isSpendable(row) && row.createdAt <= changedAt),
        'connection_changed',
      )
    },
    /** Rows that went with what they belonged to leave nobody waiting. */
    async endOrphans(): Promise<void> {
      for (const id of waiters.ids()) if (!(await rows.find(id))) waiters.settle(id, 'ended')
    },
    /** Tells the trail of what ran out, and forgets what is long over. */
    async sweep(): Promise<void> {
      // A grant that runs out by itself is announced by nobody.
      await pausesChanged()
      const now = clock()
      const late = and(inArray(approvals.status, ['waiting', 'approved']), lte(approvals.expiresAt, now))
      const ranOut = (await store.read.select().from(approvals).where(late)).filter(isSpendable)
      await end(ranOut, 'time')
      const isOld = and(notInArray(approvals.status, ['waiting']), lte(approvals.createdAt, now - KEPT_MS))
      if ((await store.read.select({ id: approvals.id }).from(approvals).where(isOld).limit(1)).length === 0) return
      await store.transact(async (tx) => void (await tx.delete(approvals).where(isOld)))
    },
  }
}
