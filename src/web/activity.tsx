import { z } from 'zod'
import type { AuditRow, Outcome, RowFilter } from '@/audit'
import { Failure } from '@/lib/failure.ts'
import { ClientId, ProfileId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { ActivityPage, ActivityRows } from '@views/activity.tsx'
import { CallPage } from '@views/call.tsx'
import type { Option } from '@views/parts/field.tsx'
import { nameOf } from './app-facts.ts'
import { callRowOf } from './call-rows.ts'
import { isEvery } from './offered.ts'
import type { Audit, Clients, Connections, Grants, Page, Profiles } from './needs.ts'

type Deps = Page & {
  audit: Pick<Audit, 'list' | 'find'>
  grants: Pick<Grants, 'listForUser' | 'demand'>
  profiles: Pick<Profiles, 'list'>
  clients: Clients
  connections: Pick<Connections, 'toolsById'>
}

const ROWS_SHOWN_MAX = 50

/** A tool's own error is a failed call to a person. Rows are written when a call ends, so none of them is running. */
const STORED: Record<string, readonly Outcome[]> = {
  ok: ['ok'],
  failed: ['failed', 'tool-error'],
  refused: ['refused'],
  cancelled: ['cancelled'],
  running: [],
}

// A filter that makes no sense is none: an empty field of the form, an address that somebody cut short.
const Query = z.object({
  outcome: z.enum(['ok', 'failed', 'refused', 'cancelled', 'running']).optional().catch(undefined),
  client: ClientId.optional().catch(undefined),
  profile: ProfileId.optional().catch(undefined),
  before: z.coerce.number().int().positive().optional().catch(undefined),
})
type Query = z.infer<typeof Query>

const isFiltered = ({ outcome, client, profile }: Query) => (outcome ?? client ?? profile) !== undefined

function addressOf(path: string, query: Query): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value))
  return params.size > 0 ? `${path}?${params}` : path
}

/** Members see their own calls, administrators everybody's. */
async function rowsOf(audit: Deps['audit'], user: User, { outcome, client, profile, before }: Query): Promise<AuditRow[]> {
  const filter: RowFilter = {
    kind: 'call',
    limit: ROWS_SHOWN_MAX,
    ...(user.role === 'admin' ? {} : { userId: user.id }),
    ...(client ? { clientId: client } : {}),
    ...(profile ? { profileId: profile } : {}),
    ...(before ? { before } : {}),
  }
  if (outcome === undefined) return audit.list(filter)
  const lists = await Promise.all((STORED[outcome] ?? []).map((stored) => audit.list({ ...filter, outcome: stored })))
  return lists
    .flat()
    .sort((a, b) => b.seq - a.seq)
    .slice(0, ROWS_SHOWN_MAX)
}

export const activityRoutes = (deps: Deps) => {
  const { doors, reply, shell, audit, profiles } = deps
  const piecesOf = async (user: User, query: Query) => {
    const rows = await rowsOf(audit, user, query)
    const renewHref = query.before === undefined ? addressOf('/activity/rows', query) : undefined
    return { rows, calls: rows.map((row) => callRowOf(row, user)), renewHref, filtered: isFiltered(query) }
  }
  return doors
    .member('/activity')
    .get(
      '/',
      async ({ request, user, query }) => {
        const { rows, ...pieces } = await piecesOf(user, query)
        const last = rows.length === ROWS_SHOWN_MAX ? rows.at(-1)?.seq : undefined
        const page = (
          <ActivityPage
            {...pieces}
            shell={shell.full(request, user)}
            filter={{ outcome: query.outcome, client: query.client, profile: query.profile }}
            clients={await appOptions(deps, user, rows)}
            profiles={(await profiles.list(user.id)).map(({ id, title }) => ({ value: id, label: title }))}
            olderHref={last === undefined ? undefined : addressOf('/activity', { ...query, before: last })}
            newestHref={query.before === undefined ? undefined : addressOf('/activity', { ...query, before: undefined })}
          />
        )
        return reply.page(page, { cookies: shell.said(request) })
      },
      { query: Query },
    )
    .get(
      '/rows',
      async ({ request, user, query }) => {
        const { calls, renewHref, filtered } = await piecesOf(user, query)
        return reply.piece(request, <ActivityRows {...{ calls, renewHref, filtered }} />, addressOf('/activity', query))
      },
      { query: Query },
    )
}

/** The reader's own apps, and those in the rows at hand, which for an administrator may be of others. */
async function appOptions({ grants, clients }: Deps, user: User, rows: readonly AuditRow[]): Promise<Option[]> {
  const names = new Map<string, string>()
  for (const { clientId, clientName } of rows) if (clientId) names.set(clientId, clientName ?? 'unknown app')
  for (const { clientId } of await grants.listForUser(user.id))
    if (!names.has(clientId)) names.set(clientId, nameOf(await clients.findById(clientId)))
  return [...names].map(([value, label]) => ({ value, label }))
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
