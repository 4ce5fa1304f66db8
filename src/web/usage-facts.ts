/** The counts by the hour in the words of the usage page. */
import { quantile, type Usage } from '@/audit'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import type { ClientId, UserId } from '@/lib/ids.ts'
import type { Counted, Range, UsageGroup, UsageRow, UsageStep } from '@views/usage.tsx'
import { nameOf } from './app-facts.ts'
import type { Audit, Clients } from './needs.ts'

/** How long, and in which steps. Each step is whole hours, which is what is counted. */
export const SPANS: Record<Range, { ms: number; stepMs: number }> = {
  day: { ms: DAY_MS, stepMs: HOUR_MS },
  week: { ms: 7 * DAY_MS, stepMs: 6 * HOUR_MS },
  month: { ms: 30 * DAY_MS, stepMs: DAY_MS },
  year: { ms: 364 * DAY_MS, stepMs: 7 * DAY_MS },
}
const MEDIAN = 0.5
const HIGH = 0.95
const US_IN_MS = 1_000
const ROWS_SHOWN_MAX = 15

type Sums = Usage['all']
type By = keyof Usage['by']

export const countedOf = ({ calls, failed, refused, cancelled, latencies }: Sums): Counted => ({
  ...{ calls, failed, refused, cancelled },
  medianMs: quantile(latencies, MEDIAN),
  highMs: quantile(latencies, HIGH),
})

const NOTHING: Sums = {
  ...{ calls: 0, failed: 0, refused: 0, cancelled: 0, durationUs: 0, upstreamUs: 0, requestBytes: 0, responseBytes: 0 },
  latencies: [],
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
function labelOf(range: Range, time: number): Pick<UsageStep, 'label' | 'short'> {
  const at = new Date(time)
  const hour = `${String(at.getUTCHours()).padStart(2, '0')}:00`
  const date = `${MONTHS[at.getUTCMonth()]} ${at.getUTCDate()}`
  if (range === 'day') return { label: hour, short: hour }
  if (range !== 'week') return { label: date, short: date }
  const day = DAYS[at.getUTCDay()] ?? ''
  return { label: `${day} ${hour}`, short: day }
}

/** The steps that end with the hour that is under way. */
export function spanOf(range: Range, now: number): { from: number; to: number; stepMs: number } {
  const { ms, stepMs } = SPANS[range]
  const to = (Math.floor(now / HOUR_MS) + 1) * HOUR_MS
  return { from: to - ms, to, stepMs }
}

export const stepsOf = (range: Range, { from, to, stepMs }: { from: number; to: number; stepMs: number }, usage: Usage): UsageStep[] =>
  Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, at) => ({
    ...labelOf(range, from + at * stepMs),
    ...countedOf(usage.steps.get(at) ?? NOTHING),
  }))

/** As rows of the trail name them; what each was called last, so that what is gone keeps its name. */
const NAMES = {
  toolId: ['subject', 'connectionName'],
  clientId: ['clientName', undefined],
  grantId: ['clientName', 'profileName'],
  profileId: ['profileName', undefined],
  connectionId: ['connectionName', undefined],
  userId: ['userName', undefined],
} as const

type Asked = { audit: Pick<Audit, 'list'>; clients: Clients; usage: Usage; range: Range; userId: UserId | undefined; byUser: boolean }

async function namesOf({ audit, clients, userId }: Asked, by: By, id: string): Promise<{ name: string; note?: string | undefined }> {
  // What its user did with an app's call, from a page, is not called after the app.
  const client = by === 'clientId' ? await clients.findById(id as ClientId) : undefined
  if (client) return { name: nameOf(client) }
  const [row] = await audit.list({ [by]: id, userId: by === 'userId' ? (id as UserId) : userId, kind: 'call', limit: 1 })
  const [name, note] = NAMES[by]
  return { name: row?.[name] ?? 'no name any more', note: note && (row?.[note] ?? undefined) }
}

type GroupAsked = Pick<UsageGroup, 'title' | 'what'> & { by: By; filter: string; lead?: string; mono?: boolean; withServer?: boolean }
const GROUPS: readonly GroupAsked[] = [
  { by: 'toolId', filter: 'tool', title: 'By tool', what: 'Tool', mono: true },
  { by: 'clientId', filter: 'client', title: 'By app', what: 'App' },
  { by: 'profileId', filter: 'profile', title: 'By profile', what: 'Profile' },
  { by: 'connectionId', filter: 'connection', title: 'By connection', what: 'Connection', withServer: true },
]
const BY_USER: GroupAsked = { by: 'userId', filter: 'user', title: 'By user', what: 'User' }

export async function groupsOf(asked: Asked): Promise<UsageGroup[]> {
  const { usage, range, userId, byUser } = asked
  const groups = byUser ? [...GROUPS, BY_USER] : GROUPS
  return Promise.all(
    groups.map(async ({ by, filter, withServer = false, ...group }) => {
      const sorted = [...usage.by[by]].sort(([, a], [, b]) => b.calls - a.calls)
      const rows = sorted.slice(0, ROWS_SHOWN_MAX).map(async ([id, sums]): Promise<UsageRow> => {
        const query = new URLSearchParams({
          [filter]: id,
          ...(range !== 'year' && { last: range }),
          ...(userId && by !== 'userId' && { user: userId }),
        })
        const served = sums.calls - sums.refused
        return {
          ...(await namesOf(asked, by, id)),
          ...countedOf(sums),
          href: `/activity?${query}`,
          upstreamMs: withServer && served > 0 ? sums.upstreamUs / served / US_IN_MS : undefined,
        }
      })
      return { ...group, rows: await Promise.all(rows), more: Math.max(0, sorted.length - ROWS_SHOWN_MAX) }
    }),
  )
}
