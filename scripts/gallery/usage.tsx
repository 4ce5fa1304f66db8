/** Usage with nothing, one call, and a year of them; names that others chose among them. */
import type { Html } from '@views/jsx-runtime'
import { type Counted, UsagePage, type UsagePageProps, type UsageRow, type UsageStep } from '@views/usage.tsx'
import type { TrimProps } from '@views/usage-trim.tsx'
import { DAY, now, shell } from './samples.ts'
import { EVIL, LONG } from './samples-text.ts'

const rangeHrefs = { day: '/a', week: '/b', month: '/c', year: '/d' }
const nothing: Counted = { calls: 0, failed: 0, refused: 0, cancelled: 0 }
const some = (calls: number, ms: number): Counted => ({
  calls,
  failed: Math.round(calls * 0.04),
  refused: Math.round(calls * 0.02),
  cancelled: Math.round(calls * 0.01),
  medianMs: ms,
  highMs: ms * 4.3,
})
const hours = Array.from({ length: 24 }, (_, at) => `${String((at + 17) % 24).padStart(2, '0')}:00`)
const wave = (at: number) => Math.max(0, Math.round(60 + 50 * Math.sin(at / 3.1) + 18 * Math.sin(at * 1.7)))

const steps = (labels: readonly string[], of: (at: number) => Counted): UsageStep[] =>
  labels.map((label, at) => ({ label, short: label.replace(/^([A-Z]\w+) .*:00$/, '$1'), ...of(at) }))
const row = (name: string, calls: number, more: Partial<UsageRow> = {}): UsageRow => ({
  name,
  ...some(calls, 120),
  href: '/activity',
  ...more,
})

const trim: TrimProps = {
  days: 30,
  profiles: [
    {
      ...{ id: 'prf_1', title: 'Work', listedCost: 18_400, usedCost: 2_100, tools: 74, usedTools: 9 },
      unused: Array.from({ length: 61 }, (_, at) => ({ id: `tol_${at}`, name: at === 1 ? LONG : `linear_tool_${at}`, cost: 240 })),
    },
    { id: 'prf_2', title: EVIL, listedCost: 900, usedCost: 900, tools: 4, usedTools: 4, unused: [] },
  ],
  apps: [{ id: 'grt_1', client: EVIL, device: 'Old laptop', profile: 'Work', lastUsedAt: now - 44 * DAY }],
}
const page = (more: Partial<UsagePageProps>) => (
  <UsagePage
    shell={shell}
    range="day"
    rangeHrefs={rangeHrefs}
    total={nothing}
    steps={[]}
    groups={[]}
    trim={{ days: 30, profiles: [], apps: [] }}
    behind={0}
    {...more}
  />
)

export const usagePages: Record<string, Html> = {
  'usage-empty': page({}),
  'usage-one': page({
    total: { ...nothing, calls: 1, medianMs: 212, highMs: 212 },
    steps: steps(hours, (at) => (at === 20 ? { ...nothing, calls: 1, medianMs: 212, highMs: 212 } : nothing)),
    groups: [
      {
        title: 'By tool',
        what: 'Tool',
        mono: true,
        more: 0,
        rows: [{ ...nothing, name: 'echo', calls: 1, medianMs: 212, highMs: 212, href: '/activity' }],
      },
      { title: 'By app', what: 'App', more: 0, rows: [{ ...nothing, name: 'Claude Code', calls: 1, medianMs: 212, highMs: 212 }] },
    ],
  }),
  usage: page({
    range: 'week',
    users: { options: [{ value: 'usr_1', label: 'kim' }], chosen: undefined },
    total: some(18_204, 146),
    steps: steps(
      Array.from(
        { length: 28 },
        (_, at) => `${['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][Math.floor(at / 4)]} ${String((at % 4) * 6).padStart(2, '0')}:00`,
      ),
      (at) => (at === 9 || at === 10 ? nothing : some(wave(at) * 11, 90 + wave(at))),
    ),
    groups: [
      {
        ...{ title: 'By tool', what: 'Tool', mono: true, more: 31 },
        rows: [
          row('list_issues', 8_211, { note: 'Linear' }),
          row(EVIL, 4_002, { note: EVIL }),
          row(LONG, 812, { note: 'Files' }),
          row('search', 40),
          row('echo', 1),
        ],
      },
      { title: 'By app', what: 'App', more: 0, rows: [row('Claude Code', 14_000), row('VS Code', 4_204)] },
      { title: 'By profile', what: 'Profile', more: 0, rows: [row('Work', 18_000), row('Research', 204)] },
      {
        ...{ title: 'By connection', what: 'Connection', more: 0 },
        rows: [
          row('Linear', 12_000, { upstreamMs: 141 }),
          row('Files', 900, { upstreamMs: 3 }),
          row('Flaky', 300, { failed: 120, upstreamMs: 9_120, highMs: 30_000 }),
        ],
      },
      { title: 'By user', what: 'User', more: 0, rows: [row('kim', 18_000), row('lee', 204)] },
    ],
    trim,
    behind: 12_000,
  }),
  'usage-year': page({
    range: 'year',
    total: some(1_204_000, 146),
    steps: steps(
      Array.from(
        { length: 52 },
        (_, at) =>
          `${['Dec', 'Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov'][Math.floor(at / 4.34)]} ${(at * 7) % 28}`,
      ),
      (at) => some(wave(at) * 310, 60 + wave(at)),
    ),
  }),
}
