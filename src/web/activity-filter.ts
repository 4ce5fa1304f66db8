/** What the reader of the activity page looks for, as it stands in its address; the same for the page, its rows and what is exported. */
import { z } from 'zod'
import type { Outcome, RowFilter } from '@/audit'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import { ClientId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { User } from '@/users'

/** A tool's own error is a failed call to a person. */
const STORED = {
  ok: ['ok'],
  failed: ['failed', 'tool-error'],
  refused: ['refused'],
  cancelled: ['cancelled'],
} as const satisfies Record<string, readonly Outcome[]>
const KINDS = { calls: ['call'], acts: ['admin'], 'sign-ins': ['auth'], all: [] } as const
export const LASTS = { hour: HOUR_MS, day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS } as const

const TEXT_CHARS_MAX = 200
/** As a field of a form gives it, without a zone; it is taken as UTC, which the form says. */
const Time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$/)
  .refine((text) => !Number.isNaN(Date.parse(`${text}Z`)) || !Number.isNaN(Date.parse(text)))

// A filter that makes no sense is none: an empty field of the form, an address that somebody cut short.
export const ActivityQuery = z.object({
  outcome: z.enum(['ok', 'failed', 'refused', 'cancelled']).optional().catch(undefined),
  kind: z.enum(['calls', 'acts', 'sign-ins', 'all']).optional().catch(undefined),
  client: ClientId.optional().catch(undefined),
  grant: GrantId.optional().catch(undefined),
  profile: ProfileId.optional().catch(undefined),
  connection: ConnectionId.optional().catch(undefined),
  tool: ToolId.optional().catch(undefined),
  user: UserId.optional().catch(undefined),
  last: z.enum(['hour', 'day', 'week', 'month']).optional().catch(undefined),
  from: Time.optional().catch(undefined),
  to: Time.optional().catch(undefined),
  q: z.string().trim().min(1).max(TEXT_CHARS_MAX).optional().catch(undefined),
})
export type ActivityQuery = z.infer<typeof ActivityQuery>

const timeOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text.includes('T') ? `${text}Z` : text)

/**
 * Members find their own rows. Administrators find everybody's by what is known of them, and by what is kept of arguments and results
 * their own alone.
 */
export function filterOf(user: Pick<User, 'id' | 'role'>, query: ActivityQuery, now: number): Omit<RowFilter, 'limit'> {
  const kinds = KINDS[query.kind ?? 'calls']
  return {
    userId: user.role === 'admin' ? query.user : user.id,
    clientId: query.client,
    grantId: query.grant,
    profileId: query.profile,
    connectionId: query.connection,
    toolId: query.tool,
    outcome: query.outcome && STORED[query.outcome],
    kind: kinds.length > 0 ? kinds : undefined,
    from: query.last ? now - LASTS[query.last] : timeOf(query.from),
    to: query.last ? undefined : timeOf(query.to),
    text: query.q,
    contentsOf: user.id,
  }
}

export const isFiltered = (query: ActivityQuery): boolean => FILTERS.some((name) => query[name] !== undefined)
export const FILTERS = ['q', 'outcome', 'kind', 'client', 'grant', 'profile', 'connection', 'tool', 'user', 'last', 'from', 'to'] as const

/** @param more what else stands in the address; what is undefined is left out */
export function addressOf(path: string, query: ActivityQuery, more: Record<string, string | number | undefined> = {}): string {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query[name]]))
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...filters, ...more })) if (value !== undefined) params.set(name, String(value))
  return params.size > 0 ? `${path}?${params}` : path
}
