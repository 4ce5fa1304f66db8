import { z } from 'zod'
import type { AuditRow } from '@/audit'
import { Failure } from '@/lib/failure.ts'
import { CallPage } from '@views/call.tsx'
import { callRowOf } from './call-rows.ts'
import { isEvery } from './offered.ts'
import type { Audit, Connections, Grants, Page } from './needs.ts'

type Deps = Page & {
  audit: Pick<Audit, 'find'>
  grants: Pick<Grants, 'listForUser'>
  connections: Pick<Connections, 'toolsById'>
}

const textIn = ({ detail }: AuditRow, name: string) => {
  const value = detail?.[name]
  return typeof value === 'string' ? value : undefined
}

export const callRoutes = ({ doors, reply, shell, audit, grants, connections }: Deps) =>
  doors.member('/activity').get(
    '/:seq',
    async ({ request, user, params: { seq } }) => {
      const row = await audit.find(seq)
      // Somebody else's row and a missing one look alike.
      if (row?.kind !== 'call' || (row.userId !== user.id && user.role !== 'admin')) throw new Failure('not_found')
      const [tool] = row.toolId ? await connections.toolsById([row.toolId]) : []
      const isOwn = row.userId === user.id
      const grant = row.grantId && isOwn ? (await grants.listForUser(user.id)).find(({ id }) => id === row.grantId) : undefined
      const call = {
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
        clientRevision: textIn(row, 'clientRevision'),
        upstreamRevision: textIn(row, 'upstreamRevision'),
        requestBytes: row.requestBytes ?? undefined,
        requestId: row.traceId ?? textIn(row, 'requestId') ?? String(row.seq),
        arguments: textIn(row, 'arguments'),
      }
      return reply.page(<CallPage shell={shell.full(request, user)} call={call} />, { cookies: shell.said(request) })
    },
    { params: z.object({ seq: z.coerce.number().int().positive() }) },
  )
