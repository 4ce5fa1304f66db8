/**
 * What was used, how often, and how it went, from the counts by the hour.
 * GET /activity/usage — range (day, week, month, year), user (administrators).
 * POST /activity/usage/remove — profile, tool_id (each tool to take out of it), and back to this page.
 */
import { Layout, type Shell } from './layout.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Legend, type Series } from './parts/chart.tsx'
import { Empty } from './parts/empty.tsx'
import { type Option, SelectField } from './parts/field.tsx'
import { counted, foreign, latency, plural, short } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { ActivityPlaces } from './parts/places.tsx'
import { Lines, Share, StackedBars } from './parts/plots.tsx'
import { Trim, type TrimProps } from './usage-trim.tsx'

export const RANGES = { day: 'Last day', week: 'Last week', month: 'Last 30 days', year: 'Last year' } as const
export type Range = keyof typeof RANGES

export type Counted = {
  calls: number
  failed: number
  refused: number
  cancelled: number
  medianMs?: number | undefined
  /** As long as 19 of 20 took at most. */
  highMs?: number | undefined
}
/** `short` is for under a chart. */
export type UsageStep = Counted & { label: string; short: string }
export type UsageRow = Counted & {
  name: string
  note?: string | undefined
  href?: string | undefined
  /** Of its time at its server, on average. */
  upstreamMs?: number | undefined
}
export type UsageGroup = { title: string; what: string; lead?: string | undefined; rows: readonly UsageRow[]; more: number; mono?: boolean }

export type UsagePageProps = {
  shell: Shell
  range: Range
  rangeHrefs: Record<Range, string>
  /** For administrators: whose. */
  users?: { options: readonly Option[]; chosen: string | undefined } | undefined
  total: Counted
  steps: readonly UsageStep[]
  groups: readonly UsageGroup[]
  trim: TrimProps
  /** Rows of the trail that are not counted yet. */
  behind: number
}

const OUTCOMES = [
  { name: 'Served', tone: 'ok' },
  { name: 'Failed', tone: 'danger' },
  { name: 'Refused', tone: 'warning' },
  { name: 'Cancelled', tone: 'neutral' },
] as const satisfies readonly Series[]
const LATENCIES = [
  { name: 'Half of them within', tone: 'accent' },
  { name: '19 of 20 within', tone: 'warning' },
] as const satisfies readonly Series[]

const servedOf = ({ calls, failed, refused, cancelled }: Counted) => calls - failed - refused - cancelled
const partsOf = (counted: Counted) => [servedOf(counted), counted.failed, counted.refused, counted.cancelled]
const percent = (part: number, whole: number): string => {
  if (part === 0 || whole === 0) return '0 %'
  const value = (part / whole) * 100
  return value < 1 ? 'under 1 %' : `${Math.round(value)} %`
}
const orDash = (ms: number | undefined) => (ms === undefined ? <span class="muted">–</span> : latency(ms))

const Figures = ({ total }: { total: Counted }) => (
  <dl class="figures">
    {(
      [
        ['Calls', counted(total.calls)],
        ['Failed', percent(total.failed, total.calls)],
        ['Refused', percent(total.refused, total.calls)],
        ['Half of them within', total.medianMs === undefined ? '–' : latency(total.medianMs)],
        ['19 of 20 within', total.highMs === undefined ? '–' : latency(total.highMs)],
      ] as const
    ).map(([name, value]) => (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

const StepsTable = (p: { steps: readonly UsageStep[] }) => (
  <details class="chart-table">
    <summary>The same as a table</summary>
    <div class="scrolls" tabindex="0">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">When (UTC)</th>
            {OUTCOMES.map(({ name }) => (
              <th scope="col" class="number">
                {name}
              </th>
            ))}
            {LATENCIES.map(({ name }) => (
              <th scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {p.steps.map((step) => (
            <tr>
              <td class="cell-main">{step.label}</td>
              {partsOf(step).map((value, at) => (
                <td class="number" data-label={OUTCOMES[at]?.name}>
                  {counted(value)}
                </td>
              ))}
              <td class="number" data-label={LATENCIES[0].name}>
                {orDash(step.medianMs)}
              </td>
              <td class="number" data-label={LATENCIES[1].name}>
                {orDash(step.highMs)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </details>
)

const Charts = (p: { steps: readonly UsageStep[]; total: Counted }) => {
  const labels = p.steps.map((step) => ({ text: step.label, short: step.short }))
  const most = p.steps.reduce((top, step) => (step.calls > top.calls ? step : top), p.steps[0] as UsageStep)
  return (
    <>
      <Card title="Calls" lead="By the time they ended, in UTC.">
        <div class="stack">
          <StackedBars
            title="Calls over time"
            description={`${plural(p.total.calls, 'call')}, the most at ${most.label}: ${counted(most.calls)}.`}
            labels={labels}
            tick={short}
            series={OUTCOMES.map((outcome, at) => ({ ...outcome, values: p.steps.map((step) => partsOf(step)[at] ?? 0) }))}
          />
          <Legend series={OUTCOMES} />
        </div>
      </Card>
      <Card title="How long they took" lead="Refused calls aside.">
        <div class="stack">
          <Lines
            title="Latency over time"
            description={`Half of all calls took ${p.total.medianMs === undefined ? 'no time that is known' : `at most ${latency(p.total.medianMs)}`}.`}
            labels={labels}
            tick={latency}
            series={[
              { ...LATENCIES[0], values: p.steps.map(({ medianMs }) => medianMs) },
              { ...LATENCIES[1], values: p.steps.map(({ highMs }) => highMs) },
            ]}
          />
          <Legend series={LATENCIES} />
        </div>
      </Card>
      <StepsTable steps={p.steps} />
    </>
  )
}

const GroupRow = (p: { row: UsageRow; most: number; mono: boolean; servers: boolean }) => {
  const { row } = p
  const name = <bdi>{foreign(row.name, 60)}</bdi>
  const look = p.mono ? 'mono strong break' : 'strong break'
  return (
    <tr>
      <td class="cell-main">
        {row.href ? (
          <a class={look} href={row.href}>
            {name}
          </a>
        ) : (
          <span class={look}>{name}</span>
        )}
        {row.note && (
          <p class="cell-note">
            <bdi>{foreign(row.note, 60)}</bdi>
          </p>
        )}
        <Share of={p.most} parts={partsOf(row).map((value, at) => ({ value, tone: OUTCOMES[at]?.tone ?? 'neutral' }))} />
      </td>
      <td class="number" data-label="Calls">
        {counted(row.calls)}
      </td>
      <td class="number" data-label="Failed">
        {row.failed === 0 ? <span class="muted">–</span> : percent(row.failed, row.calls)}
      </td>
      <td class="number" data-label="Half within">
        {orDash(row.medianMs)}
      </td>
      <td class="number" data-label="19 of 20">
        {orDash(row.highMs)}
      </td>
      {p.servers && (
        <td class="number" data-label="At its server">
          {orDash(row.upstreamMs)}
        </td>
      )}
    </tr>
  )
}

const Group = ({ group }: { group: UsageGroup }) => {
  const most = Math.max(...group.rows.map(({ calls }) => calls))
  const servers = group.rows.some(({ upstreamMs }) => upstreamMs !== undefined)
  return (
    <Card title={group.title} lead={group.lead} flush={true}>
      <table class="table table-lean">
        <thead>
          <tr>
            <th scope="col">{group.what}</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              Half within
            </th>
            <th scope="col" class="number">
              19 of 20
            </th>
            {servers && (
              <th scope="col" class="number">
                At its server
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {group.rows.map((row) => (
            <GroupRow row={row} most={most} mono={group.mono ?? false} servers={servers} />
          ))}
        </tbody>
      </table>
      {group.more > 0 && <p class="looked-back">And {group.more} more.</p>}
    </Card>
  )
}

const Range = (p: Pick<UsagePageProps, 'range' | 'rangeHrefs' | 'users'>) => (
  <div class="usage-range">
    <ul class="chips-row" aria-label="Time">
      {(Object.keys(RANGES) as Range[]).map((range) => (
        <li>
          <a class="chip-link" href={p.rangeHrefs[range]} aria-current={range === p.range ? 'true' : undefined}>
            {RANGES[range]}
          </a>
        </li>
      ))}
    </ul>
    {p.users && (
      <form method="get" action="/activity/usage" class="filter usage-user">
        <input type="hidden" name="range" value={p.range} />
        <SelectField
          name="user"
          label="User"
          value={p.users.chosen ?? ''}
          options={[{ value: '', label: 'Everybody' }, ...p.users.options.map((each) => ({ ...each, label: foreign(each.label, 40) }))]}
        />
        <div class="actions">
          <Button>Show</Button>
        </div>
      </form>
    )}
  </div>
)

export const UsagePage = (p: UsagePageProps) => (
  <Layout shell={p.shell} title="Usage" current="activity">
    <PageHead title="Activity" lead="What is used, how often, how well it works, and what could go." />
    <ActivityPlaces current="/activity/usage" />
    <Range range={p.range} rangeHrefs={p.rangeHrefs} users={p.users} />
    {p.behind > 0 && (
      <Notice tone="warning" title="Still counting">
        {counted(p.behind)} rows of the trail are not counted yet. Look again in a moment.
      </Notice>
    )}
    {p.total.calls === 0 ? (
      <Card>
        <Empty icon="activity" title="Nothing was called" action={<LinkButton href="/profiles">Connect an app</LinkButton>}>
          Calls of this time will be counted here: how many, how they ended, and how long they took.
        </Empty>
      </Card>
    ) : (
      <>
        <Figures total={p.total} />
        <Charts steps={p.steps} total={p.total} />
        {p.groups
          .filter(({ rows }) => rows.length > 0)
          .map((group) => (
            <Group group={group} />
          ))}
      </>
    )}
    <Trim {...p.trim} />
  </Layout>
)
