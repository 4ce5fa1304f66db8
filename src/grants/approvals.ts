/**
 * Calls that wait for their user. One is asked for once, however often the same call comes; what was approved is what runs; nothing that
 * was decided is forgotten by a crash, and nothing approved outlives the grant, the permission or the definition that it was about.
 */
import { and, eq, gt, sql } from 'drizzle-orm'
import { type Clock, HOUR_MS, MINUTE_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { type ApprovalId, type GrantId, newApprovalId, type UserId } from '@/lib/ids.ts'
import { approvalSettings, approvals, type Writer } from '@/store'
import { createApprovalEnding } from './approval-ending.ts'
import type { ApprovalDeps, Inner, Notice } from './approval-needs.ts'
import { type Approval, type ApprovalRow, type Asking, createApprovalRows, hashOf, inTrail, type InApp, shownOf } from './approval-rows.ts'
import { createWaiters, type Verdict } from './approval-waiters.ts'
import { decide, pausedSentence, state } from './decide.ts'
import { writePermissions } from './grants.ts'
import type { Grant } from './reading.ts'

export type Decision = 'once' | 'hour' | 'always' | 'refuse'
export type Via = NonNullable<ApprovalRow['decidedVia']>
type Decider = { id: UserId; username: string | null }
/** `go`: approved, and used up where it was for once. */
export type Requested = { kind: 'allowed' } | { kind: 'go'; id: ApprovalId } | { kind: 'waits'; id: ApprovalId } | { kind: 'too-many' }

/** How long somebody may take to decide. */
const DECIDABLE_MS = HOUR_MS
/** How long an approval waits for its call to be made again. */
const USABLE_MS = 15 * MINUTE_MS
/** Of one app, in so long: one that answers its own questions inside the app could ring without end. */
const NOTICES_MAX = 10
const NOTICES_WITHIN_MS = 5 * MINUTE_MS
/** What is over and still shown, of one app. */
const OVER_OF_GRANT_MAX = 100
export const WAITING_OF_GRANT_MAX = 20
export const WAITING_OF_USER_MAX = 100

export function createApprovals(deps: ApprovalDeps) {
  const inner: Inner = { ...deps, rows: createApprovalRows(deps), waiters: createWaiters() }
  return { ...createRequesting(inner), ...createDeciding(inner), ...createShowing(inner), ...createApprovalEnding(inner) }
}
export type Approvals = ReturnType<typeof createApprovals>

function createRequesting(inner: Inner) {
  const { store, clock, audit, notices, rows, waiters, grants: granted } = inner
  const { isFull, unchanged } = createLooking(inner)
  const ringing = createRinging(clock)
  /** Exactly one of any number of repeats gets it: the row is approved for the first and used for the others. */
  const consume = async (tx: Writer, { grant, tool, user }: Asking, hash: string): Promise<ApprovalId | undefined> => {
    const isIt = and(eq(approvals.grantId, grant.id), eq(approvals.toolId, tool.toolId), eq(approvals.argumentsHash, hash))
    const isGood = and(eq(approvals.status, 'approved'), eq(approvals.scope, 'once'), gt(approvals.expiresAt, clock()))
    const one = sql`${approvals.id} = (SELECT id FROM approvals WHERE ${and(isIt, isGood)} LIMIT 1)`
    const [used] = await tx.update(approvals).set({ status: 'used', usedAt: clock() }).where(one).returning()
    if (!used) return undefined
    await audit.report({ ...inTrail(used), action: 'approval.use', userName: user.username, detail: { approval: used.id } }, tx)
    return used.id
  }
  const create = async (tx: Writer, asking: Asking, hash: string): Promise<ApprovalRow | 'too-many'> => {
    const { grant, user, tool, clientName, purpose } = asking
    const now = clock()
    if (await isFull(tx, asking)) return 'too-many'
    const id = newApprovalId()
    const row = {
      id,
      grantId: grant.id,
      userId: user.id,
      profileId: grant.profileId,
      connectionId: tool.connectionId,
      toolId: tool.toolId,
      exposedName: tool.exposedName,
      clientName,
      purpose,
      argumentsHash: hash,
      ...rows.seal(id, user.id, shownOf(asking)),
      status: 'waiting' as const,
      createdAt: now,
      expiresAt: now + DECIDABLE_MS,
    }
    await tx.delete(approvals).where(isLongOver(grant.id))
    const [made] = await tx.insert(approvals).values(row).returning()
    await audit.report({ ...inTrail(row), action: 'approval.ask', userName: user.username, purpose, detail: { approval: id } }, tx)
    return made as ApprovalRow
  }

  return {
    /** Whether this very call may run, or which approval it has to wait for. Asked again after a decision, it uses up what was given. */
    async request(asking: Asking): Promise<Requested> {
      const { grant, tool, user } = asking
      for (const row of await rows.standing(grant, tool.toolId, clock()))
        if (rows.opened(row).shown.definition === tool.hash) return { kind: 'go', id: row.id }
      const hash = hashOf(grant.profileId, asking)
      const known = await unchanged(asking, hash)
      if (known) return known
      let asked: ApprovalRow | undefined
      const requested = await store.transact(async (tx): Promise<Requested> => {
        // Nobody else writes meanwhile: a pause that was committed a moment ago counts.
        const now = await granted.find(grant.id)
        const permission = now ? decide(now, tool, clock()) : 'refuse'
        if (permission === 'allow') return { kind: 'allowed' }
        if (!now || permission === 'refuse') throw refusalOf(now, clock())
        const used = await consume(tx, asking, hash)
        if (used) return { kind: 'go', id: used }
        const waiting = (await rows.same(tx, { grantId: grant.id, toolId: tool.toolId, hash }, clock())).find(isWaiting)
        if (waiting) return { kind: 'waits', id: waiting.id }
        const made = await create(tx, asking, hash)
        if (made === 'too-many') return { kind: 'too-many' }
        asked = made
        return { kind: 'waits', id: made.id }
      })
      const ring = asked ? ringing.of(grant.id) : 'no'
      if (asked && ring !== 'no') notices.tell(user.id, 'approvals', noticeOf(asked, asking, ring === 'last'))
      return requested
    },
    /** Settles once it is decided, also where that was a moment ago. `stop` when nobody waits for it any more. */
    wait(id: ApprovalId): { verdict: Promise<Verdict>; stop(): void } {
      const waiter = waiters.add(id)
      void rows.find(id).then(
        (row) =>
          row?.status !== 'waiting' &&
          waiter.settle(row?.status === 'approved' ? 'approved' : row?.status === 'refused' ? 'refused' : 'ended'),
        () => waiter.settle('ended'),
      )
      return waiter
    },
  }
}

/** What is known without writing anything. */
function createLooking({ store, clock, rows }: Inner) {
  const isFull = async (read: Pick<Writer, 'select'>, { grant, user }: Asking): Promise<boolean> => {
    const { ofUser, ofGrant } = await rows.counts(read, { grantId: grant.id, userId: user.id }, clock())
    return ofUser >= WAITING_OF_USER_MAX || ofGrant >= WAITING_OF_GRANT_MAX
  }
  /** Where there is nothing to write nothing is begun: an app that makes its call over and over costs others nothing. */
  const unchanged = async (asking: Asking, hash: string): Promise<Requested | undefined> => {
    const { grant, tool } = asking
    const same = await rows.same(store.read, { grantId: grant.id, toolId: tool.toolId, hash }, clock())
    if (same.some(({ status, scope }) => status === 'approved' && scope === 'once')) return undefined
    const waiting = same.find(isWaiting)
    if (waiting) return { kind: 'waits', id: waiting.id }
    return (await isFull(store.read, asking)) ? { kind: 'too-many' } : undefined
  }
  return { isFull, unchanged }
}

const isWaiting = ({ status }: ApprovalRow): boolean => status === 'waiting'

/** What an app is told whose access ended while its call was looked at. */
const refusalOf = (grant: Grant | undefined, now: number): Failure =>
  grant && state(grant, now) === 'paused'
    ? new Failure('grant_paused', { message: pausedSentence(grant) })
    : new Failure('tool_not_granted')

/** No arguments: a notice passes through other people's hands. */
const noticeOf = ({ id, exposedName, clientName }: ApprovalRow, { tool, profileTitle }: Asking, isLast: boolean): Notice => ({
  title: `${clientName} waits for you`,
  text: `${isLast ? 'It asks so often that you are not told of the next calls; they are on the page. ' : ''}It wants to use ${exposedName} of ${tool.connectionName} (${tool.kind}), in the profile ${profileTitle}.`,
  path: `/approvals/${id}?via=notice`,
  isUrgent: true,
})

/** Of one app, beyond the latest: each has its arguments beside it, and an app can ask and decline without end. */
const isLongOver = (grantId: GrantId) => sql`${approvals.id} IN (
  SELECT id FROM approvals WHERE grant_id = ${grantId} AND status NOT IN ('waiting', 'approved') ORDER BY created_at DESC LIMIT -1 OFFSET ${OVER_OF_GRANT_MAX})`

function createRinging(clock: Clock) {
  const rung = new Map<GrantId, number[]>()
  return {
    /** Whether its user is told of one more call of this app, and whether that is the last for a while. */
    of(grantId: GrantId): 'yes' | 'last' | 'no' {
      const since = clock() - NOTICES_WITHIN_MS
      for (const [id, times] of rung) if ((times.at(-1) ?? 0) <= since) rung.delete(id)
      const times = (rung.get(grantId) ?? []).filter((at) => at > since)
      if (times.length >= NOTICES_MAX) return 'no'
      rung.set(grantId, [...times, clock()])
      return times.length + 1 === NOTICES_MAX ? 'last' : 'yes'
    },
  }
}

function createDeciding({ store, clock, audit, changes, rows, waiters, grants: granted }: Inner) {
  const settled = new Failure('approval_decided')
  /** Others of the same tool and app that the same decision covers: they run without a word of their own. */
  const cover = async (tx: Writer, { id, grantId, toolId, userId }: ApprovalRow, via: Via): Promise<ApprovalId[]> => {
    const isOther = and(eq(approvals.grantId, grantId), eq(approvals.toolId, toolId), eq(approvals.userId, userId))
    const covered = await tx
      .update(approvals)
      .set({ status: 'approved', scope: null, decidedAt: clock(), decidedVia: via })
      .where(and(isOther, eq(approvals.status, 'waiting')))
      .returning({ id: approvals.id })
    return covered.flatMap((other) => (other.id === id ? [] : [other.id]))
  }
  return {
    /**
     * The user's own word, durable when this returns. Exactly one of several decisions counts.
     * @throws Failure `approval_not_found`, `approval_decided`
     */
    async decide(by: Decider, id: ApprovalId, decision: Decision, via: Via): Promise<void> {
      const known = await rows.find(id)
      if (known?.userId !== by.id) throw new Failure('approval_not_found')
      const now = clock()
      const isRefused = decision === 'refuse'
      const values = {
        status: isRefused ? ('refused' as const) : ('approved' as const),
        scope: decision === 'once' || decision === 'hour' ? decision : null,
        decidedVia: via,
        decidedAt: now,
        expiresAt: now + (decision === 'hour' ? HOUR_MS : USABLE_MS),
      }
      const others = await store.transact(async (tx) => {
        const grant = await granted.find(known.grantId)
        if (!grant || decide(grant, known, now) === 'refuse') throw settled
        const isOpen = and(eq(approvals.id, id), eq(approvals.userId, by.id), eq(approvals.status, 'waiting'), gt(approvals.expiresAt, now))
        const [decided] = await tx.update(approvals).set(values).where(isOpen).returning()
        if (!decided) throw settled
        const detail = { approval: id, via, ...(isRefused ? {} : { for: decision }) }
        const action = isRefused ? 'approval.refuse' : 'approval.approve'
        await audit.report({ ...inTrail(decided), action, userName: by.username, clientId: grant.clientId, detail }, tx)
        if (decision === 'always') {
          await writePermissions(tx, decided.grantId, new Map([[decided.toolId, 'allow']]))
          await audit.report(
            {
              ...inTrail(decided),
              action: 'grant.permit',
              userName: by.username,
              clientId: grant.clientId,
              detail: { ...detail, permission: 'allow' },
            },
            tx,
          )
        }
        return decision === 'hour' || decision === 'always' ? cover(tx, decided, via) : []
      })
      if (decision === 'always') changes.announce({ kind: 'grant-changed', grantId: known.grantId })
      for (const each of [id, ...others]) waiters.settle(each, isRefused ? 'refused' : 'approved')
    },
    /** Whether this user is asked inside apps as well, and about what. */
    async setInApp(by: Decider, inApp: InApp): Promise<void> {
      await store.transact(async (tx) => {
        await tx
          .insert(approvalSettings)
          .values({ userId: by.id, inApp })
          .onConflictDoUpdate({ target: approvalSettings.userId, set: { inApp } })
        const detail = { inApp }
        await audit.report({ kind: 'admin', action: 'approval.settings', outcome: 'ok', userId: by.id, userName: by.username, detail }, tx)
      })
    },
  }
}

function createShowing({ clock, rows, waiters }: Inner) {
  return {
    countWaiting: (userId: UserId): number => rows.countWaiting(userId, clock()),
    listForUser: (userId: UserId): Promise<{ waiting: Approval[]; recent: Approval[] }> => rows.listForUser(userId, clock()),
    /** The user's own. Somebody else's and a missing one look alike. @throws Failure `approval_not_found` */
    async demand(userId: UserId, id: ApprovalId): Promise<Approval> {
      const row = await rows.find(id)
      if (row?.userId !== userId) throw new Failure('approval_not_found')
      return rows.opened(row)
    },
    /** Whether its app is still on the line. */
    isWaitedFor: (id: ApprovalId): boolean => waiters.count(id) > 0,
    inApp: rows.inApp,
  }
}
