/** Calls that wait for their user, and the word about them. */
import { z } from 'zod'
import type { Approval, Approvals, Decision } from '@/grants'
import { isHtmx } from '@/http/reply.ts'
import { isFailure } from '@/lib/failure.ts'
import { ApprovalId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { ApprovalDecision, ApprovalPage } from '@views/approval.tsx'
import { ApprovalsList, ApprovalsPage, type ApprovalSummary } from '@views/approvals.tsx'
import { WaitingCount } from '@views/layout.tsx'
import type { Connections, Page, Profiles } from './needs.ts'

type Deps = Page & {
  approvals: Pick<Approvals, 'listForUser' | 'demand' | 'decide' | 'countWaiting' | 'isWaitedFor'>
  profiles: Pick<Profiles, 'list'>
  connections: Pick<Connections, 'list'>
  clock: () => number
}

const DECISIONS = ['once', 'hour', 'always', 'refuse'] as const satisfies readonly Decision[]
const SAID: Record<Decision, string> = {
  once: 'Approved once.',
  hour: 'Approved for an hour.',
  always: 'Allowed from now on.',
  refuse: 'Refused.',
}
const Via = z.enum(['page', 'notice']).catch('page')
const One = { params: z.object({ id: ApprovalId }) }

export const approvalsRoutes = (deps: Deps) => {
  const { doors, reply, shell, approvals } = deps
  const summary = createSummaries(deps)
  const lists = async (user: User) => {
    const { waiting, recent } = await approvals.listForUser(user.id)
    return { waiting: waiting.map(summary), recent: recent.map(summary) }
  }
  const decision = (user: User, approval: Approval, via: 'page' | 'notice') => {
    const shown = summary(approval)
    return { approval: shown, via, others: approvals.countWaiting(user.id) - (shown.state === 'waiting' ? 1 : 0) }
  }
  return doors
    .member('/approvals')
    .get('/', async ({ request, user }) =>
      reply.page(<ApprovalsPage shell={shell.full(request, user)} {...(await lists(user))} />, { cookies: shell.said(request) }),
    )
    .get('/list', async ({ request, user }) => reply.piece(request, <ApprovalsList {...(await lists(user))} />, '/approvals'))
    .get('/count', ({ request, user }) => reply.piece(request, <WaitingCount waiting={approvals.countWaiting(user.id)} />, '/approvals'))
    .get(
      '/:id',
      async ({ request, user, params: { id }, query: { via } }) => {
        const approval = await approvals.demand(user.id, id)
        const page = (
          <ApprovalPage
            {...decision(user, approval, via)}
            shell={shell.full(request, user)}
            links={await linksOf(deps, user, approval)}
            cutChars={approval.shown.cutChars}
          />
        )
        return reply.page(page, { cookies: shell.said(request) })
      },
      { ...One, query: z.object({ via: Via }) },
    )
    .get(
      '/:id/state',
      async ({ request, user, params: { id }, query: { via } }) =>
        reply.piece(request, <ApprovalDecision {...decision(user, await approvals.demand(user.id, id), via)} />, `/approvals/${id}`),
      { ...One, query: z.object({ via: Via }) },
    )
    .post(
      '/:id',
      async ({ request, incoming, user, params: { id }, body }) => {
        const late = await approvals.decide(user, id, body.decision, body.via).then(
          () => undefined,
          (error) => (isFailure(error, 'approval_decided') ? error.message : Promise.reject(error)),
        )
        if (isHtmx(request)) {
          const piece = <ApprovalDecision {...decision(user, await approvals.demand(user.id, id), body.via)} />
          // The number beside the navigation does not wait for its next look.
          return reply.piece(request, piece, `/approvals/${id}`, { headers: { 'hx-trigger': 'decided' } })
        }
        const notice = late === undefined ? { tone: 'good' as const, text: SAID[body.decision] } : { tone: 'bad' as const, text: late }
        return reply.to(request, `/approvals/${id}`, { cookies: [reply.notice(incoming, notice)] })
      },
      { ...One, body: z.object({ decision: z.enum(DECISIONS), via: Via }) },
    )
}

const createSummaries =
  ({ approvals, clock }: Pick<Deps, 'approvals' | 'clock'>) =>
  ({ shown, ...row }: Approval): ApprovalSummary => {
    const { id, exposedName, clientName, purpose, status, scope, decidedVia, createdAt, decidedAt, expiresAt } = row
    const { feature, kind, connectionName, profileTitle, deviceName, text } = shown
    // What ran out a moment ago is told as such before anybody has swept.
    const isOver = (status === 'waiting' || (status === 'approved' && scope !== null)) && expiresAt <= clock()
    return {
      id,
      tool: exposedName,
      feature,
      kind,
      client: clientName,
      device: deviceName,
      profile: profileTitle,
      connection: connectionName,
      purpose,
      text,
      state: isOver ? 'expired' : status,
      scope,
      via: decidedVia,
      createdAt,
      decidedAt,
      expiresAt,
      isOnLine: approvals.isWaitedFor(id),
    }
  }

/** Where its app, profile and connection are, as far as they are this reader's. */
async function linksOf({ profiles, connections }: Deps, user: User, { grantId, profileId, connectionId }: Approval) {
  const [own, reachable] = await Promise.all([profiles.list(user.id), connections.list(user)])
  return {
    app: `/apps/${grantId}`,
    ...(own.some(({ id }) => id === profileId) && { profile: `/profiles/${profileId}` }),
    ...(reachable.some(({ id }) => id === connectionId) && { connection: `/connections/${connectionId}` }),
  }
}
