import { z } from 'zod'
import { type AuditRow, mayRead } from '@/audit'
import type { Gateway } from '@/gateway'
import { permissionOf } from '@/grants'
import type { Incoming } from '@/http/incoming.ts'
import { Failure } from '@/lib/failure.ts'
import type { User } from '@/users'
import { CallPage, type CallPageProps } from '@views/call.tsx'
import { contentsShown, laidOut, spansOf, unaltered } from './call-contents.ts'
import { callRowOf } from './call-rows.ts'
import { Permission } from './forms.ts'
import { isEvery } from './offered.ts'
import type { Audit, Connections, Control, Grant, Grants, Page } from './needs.ts'

type Deps = Page & {
  audit: Pick<Audit, 'find' | 'list' | 'contentsOf' | 'reportLook' | 'flush'>
  grants: Pick<Grants, 'listForUser'>
  control: Pick<Control, 'permit'>
  connections: Pick<Connections, 'toolsById'>
  gateway: Pick<Gateway, 'replaying'>
}
type Own = { grant: Grant | undefined; isOwn: boolean }

const One = { params: z.object({ seq: z.coerce.number().int().positive() }) }

/** Somebody else's row and a missing one look alike. @throws Failure `not_found` */
async function demandRow(audit: Deps['audit'], user: User, seq: number): Promise<AuditRow> {
  const row = await audit.find(seq)
  if (!row || mayRead(row, user) === 'nothing') throw new Failure('not_found')
  return row
}

async function ownOf({ grants }: Deps, row: AuditRow, user: User): Promise<Own> {
  const isOwn = row.userId === user.id
  const grant = isOwn && row.grantId ? (await grants.listForUser(user.id)).find(({ id }) => id === row.grantId) : undefined
  return { isOwn, grant }
}

async function callOf({ connections }: Deps, row: AuditRow, user: User, { isOwn, grant }: Own): Promise<CallPageProps['call']> {
  const [tool] = row.toolId ? await connections.toolsById([row.toolId]) : []
  const isAct = row.kind !== 'call'
  return {
    ...callRowOf(row, user),
    appId: grant?.id,
    method: row.action,
    user: row.userName ?? 'unknown',
    kind: tool?.kind,
    feature: tool?.feature,
    device: grant?.deviceName || undefined,
    ...(row.connectionId ? { connection: { id: row.connectionId, name: row.connectionName ?? '' } } : {}),
    profileId: isOwn ? (row.profileId ?? undefined) : undefined,
    // Every resource stands for any; which one was read is the subject.
    upstreamTool: tool && !isEvery(tool) ? tool.name : undefined,
    requestBytes: row.requestBytes ?? undefined,
    traceId: row.traceId ?? undefined,
    wasAsked: row.reason === 'needs_approval' && isOwn,
    spans: isAct ? [] : spansOf(row),
    detail: isAct && row.detail ? JSON.stringify(row.detail, null, 2) : undefined,
  }
}

/** What can be said about this app and tool for the future. A grant that was revoked has none. */
function permissionIn(row: AuditRow, { grant }: Own, call: CallPageProps['call']): CallPageProps['permission'] {
  if (!grant || grant.revokedAt !== null || !row.toolId) return undefined
  return { client: call.client, tool: call.tool, current: permissionOf(grant, row.toolId), asks: (call.feature ?? 'tool') === 'tool' }
}

/** Who would be asked what; undefined for what is no call of a tool, and for somebody else's. */
function replayable(row: AuditRow, user: User, { isOwn }: Own) {
  const { grantId, toolId, subject } = row
  if (row.kind !== 'call' || row.action !== 'tools/call' || !isOwn || !grantId || !toolId || !subject) return undefined
  return { userId: user.id, grantId, toolId, subject }
}

export const callRoutes = (deps: Deps) => {
  const { doors, reply, shell, audit, control, gateway } = deps
  const neighbour = async (row: AuditRow, user: User, where: { before: number } | { after: number }) => {
    if (row.kind !== 'call' || !row.grantId) return undefined
    const mine = user.role === 'admin' ? {} : { userId: user.id }
    const [next] = await audit.list({ grantId: row.grantId, kind: 'call', ...mine, ...where, limit: 1 })
    return next && `/activity/${next.seq}`
  }
  const page = async (request: Request, user: User, row: AuditRow, done?: NonNullable<CallPageProps['replay']>['done']) => {
    const own = await ownOf(deps, row, user)
    const [call, kept] = [await callOf(deps, row, user, own), mayRead(row, user) === 'all' ? await audit.contentsOf(row.seq) : undefined]
    const asked = replayable(row, user, own)
    const obstacle = asked && (unaltered(kept) ? await gateway.replaying.obstacle(asked) : 'Its arguments were not kept as they were.')
    return (
      <CallPage
        shell={shell.full(request, user)}
        call={call}
        contents={row.kind === 'call' ? contentsShown(row, kept, own.isOwn) : undefined}
        permission={permissionIn(row, own, call)}
        replay={asked && { tool: call.tool, obstacle, done }}
        olderHref={await neighbour(row, user, { before: row.seq })}
        newerHref={await neighbour(row, user, { after: row.seq })}
      />
    )
  }
  const replay = async (row: AuditRow, user: User, incoming: Incoming) => {
    const asked = replayable(row, user, await ownOf(deps, row, user))
    const given = asked && unaltered(await audit.contentsOf(row.seq))
    if (!asked || !given) throw new Failure('not_found')
    const { address } = incoming
    incoming.hold()
    const began = performance.now()
    const answered = await gateway.replaying.replay({ ...asked, userName: user.username, arguments: given, address })
    const latencyMs = performance.now() - began
    await audit.flush()
    const [own] = await audit.list({ userId: user.id, grantId: asked.grantId, toolId: asked.toolId, kind: 'call', limit: 1 })
    const rowHref = own && `/activity/${own.seq}`
    if ('refusal' in answered) return { outcome: 'failed', text: answered.refusal, latencyMs, rowHref } as const
    const { resultType: _, _meta, ...result } = answered.result
    const outcome = result['isError'] === true ? 'failed' : 'ok'
    return { outcome, text: laidOut(JSON.stringify(result)), latencyMs, rowHref } as const
  }
  return doors
    .member('/activity')
    .get(
      '/:seq',
      async ({ request, incoming, user, params: { seq } }) => {
        const row = await demandRow(audit, user, seq)
        await audit.reportLook(row, user, incoming.address)
        return reply.page(await page(request, user, row), { cookies: shell.said(request) })
      },
      One,
    )
    .post(
      '/:seq/permit',
      async ({ request, incoming, user, params: { seq }, body: { permission } }) => {
        const row = await demandRow(audit, user, seq)
        const { grant } = await ownOf(deps, row, user)
        if (!grant || !row.toolId) throw new Failure('not_found')
        await control.permit(user, grant.id, { tools: new Map([[row.toolId, permission]]) })
        const words = { allow: 'allowed', ask: 'asked about', refuse: 'refused' }[permission]
        const text = `${(row.subject ?? 'It').slice(0, 60)} is ${words} from now on.`
        return reply.to(request, `/activity/${seq}`, { cookies: [reply.notice(incoming, { tone: 'good', text })] })
      },
      { ...One, body: z.object({ permission: Permission }) },
    )
    .post(
      '/:seq/replay',
      async ({ request, incoming, user, params: { seq } }) => {
        const row = await demandRow(audit, user, seq)
        return reply.page(await page(request, user, row, await replay(row, user, incoming)))
      },
      One,
    )
}
