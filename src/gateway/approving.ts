/**
 * A call whose user wants to be asked. It waits for the answer as long as a client has patience, and then says how to go on; whoever makes
 * it again, once it is approved, is served. The user is asked on the page, and inside the app where it can show a form and they want that.
 */
import type { CallRecord } from '@/audit'
import { AskRefused } from '@/connections'
import type { Approvals, Decision, Grant } from '@/grants'
import { approvalHashOf, pausedSentence, state } from '@/grants'
import { type Clock, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { randomSecret } from '@/lib/crypto.ts'
import { Failure, type FailureCode, isFailure } from '@/lib/failure.ts'
import type { ApprovalId, ClientId, GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { Profile, ProfileView } from '@/profiles'
import type { Caller } from './caller.ts'
import { type Asked, isObject, Refusal, textOf } from './messages.ts'
import { formFor, isDecision } from './approval-form.ts'
import { traceIdOf } from './recording.ts'
import { fingerprint, type States } from './states.ts'
import { lacking, type Talk } from './talk.ts'
import type { Target } from './targets.ts'

/** Clients give up after a minute. */
const WAIT_MS = 45 * SECOND_MS
/** Where the client itself asks between two requests, nobody waits on a line; its conversation is kept a little longer than this. */
const WAIT_BETWEEN_ROUNDS_MS = 4.5 * MINUTE_MS
const PROGRESS_EVERY_MS = 5 * SECOND_MS
/** What a call that was approved may still be asked by its server, in rounds of its own. */
const ROUNDS_KEPT_MAX = 1_000
const ROUND_MS = 30 * MINUTE_MS

export type ApprovingDeps = {
  approvals: Pick<Approvals, 'request' | 'wait' | 'decide' | 'inApp' | 'demand'>
  grants: { find(id: GrantId): Promise<Grant | undefined> }
  profiles: {
    findFor(userId: UserId, id: ProfileId): Promise<Profile | undefined>
    viewOf(profile: Profile, userId: UserId): Promise<ProfileView> | ProfileView
  }
  clients: { findById(id: ClientId): Promise<{ blockedAt: number | null } | undefined> }
  users: { find(id: UserId): Promise<{ disabledAt: number | null } | undefined> }
  states: States
  clock: Clock
  /** For tests that cannot wait so long. */
  approvalWaitMs?: number | undefined
}
export type Waiting = { caller: Caller; view: ProfileView; target: Target; asked: Asked; talk: Talk; record: CallRecord }
/** `held`: why it does not run, in a sentence for the person at the app. */
export type Passed = Reached | { held: string }
/** `asked` and `talk`: as far as they go along. */
type Reached = { target: Target; view: ProfileView; asked: Asked; talk: Talk; held?: undefined }
type Resolve = (caller: Caller, view: ProfileView) => Promise<Target> | Target
type Outcome = 'approved' | 'refused' | 'ended' | 'late'

export function createApproving(deps: ApprovingDeps) {
  const { approvals, clock, approvalWaitMs = WAIT_MS } = deps
  const rounds = createRounds(deps)
  const renew = createRenewing(deps)
  const inApp = createInApp(deps)

  const waitingOf = new Map<GrantId, Set<() => void>>()

  const hold = (record: CallRecord, reason: FailureCode, held: string): Passed => {
    record.outcome = 'refused'
    record.reason = reason
    return { held }
  }
  /** Until it is decided, the client's patience is over, or the client is gone. @throws Failure `request_cancelled` */
  const outcomeOf = async (id: ApprovalId, waiting: Waiting, untilMs: number): Promise<Outcome> => {
    const { talk } = waiting
    const waiter = approvals.wait(id)
    const over = new AbortController()
    const { promise: gone, reject } = Promise.withResolvers<never>()
    const onAbort = () => reject(isFailure(talk.signal.reason) ? talk.signal.reason : new Failure('request_cancelled'))
    if (talk.signal.aborted) onAbort()
    else talk.signal.addEventListener('abort', onAbort, { once: true })
    const question = inApp.ask(id, waiting, over.signal)
    // It is waited for in the end; a fault of it must not be taken for one that nobody looks at.
    question.catch(() => undefined)
    const { promise: timed, resolve } = Promise.withResolvers<'late' | 'ended'>()
    const end = () => resolve('ended')
    const ofGrant = waitingOf.get(waiting.caller.grant.id) ?? new Set()
    waitingOf.set(waiting.caller.grant.id, ofGrant.add(end))
    const timer = setTimeout(() => resolve('late'), Math.max(0, untilMs - clock()))
    const progress = tellOfLife(talk, linkTo(waiting.caller, id))
    try {
      return await Promise.race([waiter.verdict, timed, gone])
    } finally {
      clearTimeout(timer)
      ofGrant.delete(end)
      if (ofGrant.size === 0) waitingOf.delete(waiting.caller.grant.id)
      progress.stop()
      talk.signal.removeEventListener('abort', onAbort)
      waiter.stop()
      over.abort()
      await question
    }
  }

  /** Whether it may run, or what came of asking. Undefined where that has to be looked at anew. */
  const asked = async (now: Waiting, untilMs: number, startedAt: number): Promise<Passed | undefined> => {
    const { caller, target, view, record } = now
    const passed = { target, view, asked: shownAlone(now.asked), talk: withoutHeaders(now.talk) }
    if (target.tool.isHeldBack || target.permission === 'allow') return passed
    const requested = await approvals.request(askingOf(now))
    if (requested.kind === 'allowed') return passed
    if (requested.kind === 'too-many') return hold(record, 'too_many_approvals', tooMany(caller))
    record.detail = { ...record.detail, approval: requested.id }
    if (requested.kind === 'go') return passed
    const outcome = await outcomeOf(requested.id, now, untilMs)
    record.detail = { ...record.detail, waitedMs: clock() - startedAt }
    if (outcome === 'refused') return hold(record, 'approval_refused', refusedBy(target))
    // What was ended is asked for again where it still needs asking; not without end.
    const isOver = outcome === 'late' || (outcome === 'ended' && clock() >= untilMs)
    return isOver ? hold(record, 'needs_approval', notYet(linkTo(caller, requested.id))) : undefined
  }
  const patienceMs = async (waiting: Waiting): Promise<number> =>
    inApp.isBetweenRounds(waiting) && (await inApp.isWanted(waiting)) ? Math.max(WAIT_BETWEEN_ROUNDS_MS, approvalWaitMs) : approvalWaitMs

  return {
    rounds,
    /** The grant ended or changed: whoever waits looks again. False where nobody does. */
    endOf(grantId: GrantId): boolean {
      const ends = waitingOf.get(grantId)
      for (const end of ends ?? []) end()
      return ends !== undefined
    },
    /** @param resolve which tool is meant, and whether it is still allowed; asked anew after each wait. @throws Failure, Refusal */
    async pass(first: Waiting, resolve: Resolve): Promise<Passed> {
      if (rounds.goesOn(first)) return { ...first, asked: withoutText(first.asked) }
      const startedAt = clock()
      const untilMs = startedAt + (await patienceMs(first))
      let now = first
      for (;;) {
        const passed = await asked(now, untilMs, startedAt)
        if (passed) return passed
        const { caller, view } = await renew(now.caller)
        now = { ...now, caller, view, target: await resolve(caller, view) }
        if (now.talk.signal.aborted) throw new Failure('request_cancelled')
      }
    },
  }
}
export type Approving = ReturnType<typeof createApproving>

const linkTo = ({ home }: Caller, id: ApprovalId) => `${home}/approvals/${id}`
const refusedBy = ({ tool }: Target) => `The user refused this call of ${tool.exposedName}. Do not repeat it unless they ask for it.`
const notYet = (link: string) => `Waiting for approval; repeat this call once it is approved: ${link}`
const tooMany = ({ home }: Caller) => `Too many calls wait for approval already. They are decided about here: ${home}/approvals`

const askingOf = ({ caller, target, asked, record }: Waiting) => ({
  grant: caller.grant,
  user: { id: caller.userId, username: caller.userName },
  clientName: caller.clientName ?? 'unknown app',
  profileTitle: caller.profile.title,
  // A resource is known by its address: what was granted may stand for many.
  tool: asked.method === 'resources/read' ? { ...target.tool, exposedName: textOf(asked.params['uri']) } : target.tool,
  method: asked.method,
  params: target.params,
  purpose: record.purpose ?? null,
})

/** What may have changed during a wait is read anew: nothing of before it counts. @throws Failure */
function createRenewing({ grants, profiles, clients, users, clock }: ApprovingDeps) {
  return async (caller: Caller): Promise<{ caller: Caller; view: ProfileView }> => {
    const grant = await grants.find(caller.grant.id)
    const now = grant && state(grant, clock())
    if (grant && now === 'paused') throw new Failure('grant_paused', { message: pausedSentence(grant) })
    if (!grant || now !== 'active' || grant.profileId !== caller.profile.id) throw new Failure('tool_not_granted')
    const [client, user] = await Promise.all([clients.findById(caller.clientId), users.find(caller.userId)])
    if (client?.blockedAt !== null) throw new Failure('client_blocked')
    const profile = user?.disabledAt === null ? await profiles.findFor(caller.userId, grant.profileId) : undefined
    if (!profile) throw new Failure('tool_not_granted')
    return { caller: { ...caller, grant, profile }, view: await profiles.viewOf(profile, caller.userId) }
  }
}

/** Written from what was approved, and not from the bytes that it was read from. */
const withoutText = ({ text: _, ...asked }: Asked): Asked => asked
/**
 * What its user was shown, and a trace id. What else an app can put beside it (metadata of its own, answers to questions that this call has
 * not been asked, headers) nobody saw, and so it does not go along.
 */
function shownAlone(asked: Asked): Asked {
  const { inputResponses: _, requestState: __, _meta, ...params } = asked.params
  const traceparent = isObject(_meta) ? _meta['traceparent'] : undefined
  const traced = traceIdOf(traceparent) === null ? {} : { _meta: { traceparent } }
  return { ...withoutText(asked), params: { ...params, ...traced } }
}
const withoutHeaders = ({ headers: _, ...talk }: Talk): Talk => talk

/**
 * A server of 2026-07-28 may answer an approved call with questions, and the client comes back with the answers in another request. That
 * one goes on with what was approved and with nothing else: it carries a mark that is good once, so that a round that is sent twice is no
 * second call.
 */
function createRounds({ states, clock }: Pick<ApprovingDeps, 'states' | 'clock'>) {
  const open = new Map<string, { until: number; hash: string }>()
  const hashFor = ({ profile }: Caller, { tool, params }: Target, { method }: Asked) => approvalHashOf(profile.id, { tool, method, params })
  return {
    /** The mark for the next round. */
    next(caller: Caller, target: Target, asked: Asked): string {
      const mark = randomSecret(12)
      if (open.size >= ROUNDS_KEPT_MAX) open.delete(open.keys().next().value as string)
      open.set(mark, { until: clock() + ROUND_MS, hash: hashFor(caller, target, asked) })
      return mark
    },
    goesOn({ asked, target, caller, record }: Waiting): boolean {
      const { method, params } = asked
      const { requestState } = params
      if (typeof requestState !== 'string') return false
      const mark = states.open(requestState, caller.grant.id, fingerprint(method, params))?.approved
      const known = mark === undefined ? undefined : open.get(mark)
      if (mark === undefined || !known) return false
      open.delete(mark)
      if (known.until <= clock() || known.hash !== hashFor(caller, target, asked)) return false
      record.detail = { ...record.detail, round: true }
      return true
    },
  }
}

/** The user, asked inside the app, where the app can show a form. */
function createInApp({ approvals }: Pick<ApprovingDeps, 'approvals'>) {
  const isWanted = async ({ caller, target, talk }: Waiting): Promise<boolean> => {
    if (lacking(talk.capabilities, { method: 'elicitation/create', params: { mode: 'form' } })) return false
    const wanted = await approvals.inApp(caller.userId)
    return wanted === 'always' || (wanted === 'not-destructive' && target.tool.kind !== 'destructive')
  }
  /** Nothing but a filled-in form counts as yes; a form that was sent back empty, as a program does it, is no answer. */
  const decisionIn = ({ action, content }: JsonObject): Decision | undefined => {
    if (action === 'decline') return 'refuse'
    const decision = action === 'accept' && isObject(content) ? content['decision'] : undefined
    return isDecision(decision) ? decision : undefined
  }
  return {
    isWanted,
    /** A modern client is asked between two requests, and nothing of it waits meanwhile. */
    isBetweenRounds: ({ talk }: Waiting): boolean => talk.isModern,
    async ask(id: ApprovalId, waiting: Waiting, signal: AbortSignal): Promise<void> {
      const { caller, talk } = waiting
      try {
        if (!(await isWanted(waiting)) || signal.aborted) return
        const approval = await approvals.demand(caller.userId, id)
        const params = formFor(approval, { isModern: talk.isModern, link: linkTo(caller, id) })
        const decision = decisionIn(await talk.ask({ method: 'elicitation/create', params }, signal))
        if (decision && !signal.aborted) await approvals.decide({ id: caller.userId, username: caller.userName }, id, decision, 'app')
      } catch (error) {
        // An app that cannot or will not ask leaves it to the page, and so does a decision that came too late.
        if (!(error instanceof AskRefused) && !(error instanceof Refusal) && !isFailure(error)) throw error
      }
    },
  }
}

/** So that a client does not take a call for dead that waits for a person. */
function tellOfLife(talk: Talk, link: string): { stop(): void } {
  const { progressToken } = talk
  if (progressToken === undefined) return { stop: () => undefined }
  let told = 0
  const tell = () => {
    told += 1
    // Its own progress comes after this and may count from zero.
    talk.tell({
      method: 'notifications/progress',
      params: { progressToken, progress: told / STEPS_OF_A_WHOLE, message: `Waiting for approval: ${link}` },
    })
  }
  tell()
  const timer = setInterval(tell, PROGRESS_EVERY_MS)
  return { stop: () => clearInterval(timer) }
}
const STEPS_OF_A_WHOLE = 1_000_000
