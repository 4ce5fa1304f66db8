/**
 * What every app did.
 * GET /activity — outcome, client, profile (all may be empty), before (the older page). The rows renew themselves by
 * GET `renewHref`, whose reply is `<ActivityRows …/>` again.
 */
import { Layout, type Shell } from './layout.tsx'
import { Badge, type Tone } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { type Option, SelectField } from './parts/field.tsx'
import { foreign, foreignMiddle, latency, size, wholeOf } from './parts/format.ts'
import { Ago } from './parts/time.tsx'

/** `refused` is our own no (not granted, paused), `failed` the upstream's or a broken connection. */
export type Outcome = 'ok' | 'failed' | 'refused' | 'cancelled' | 'running'

export const OUTCOMES: Record<Outcome, readonly [word: string, tone: Tone]> = {
  ok: ['Served', 'ok'],
  failed: ['Failed', 'danger'],
  refused: ['Refused', 'warning'],
  cancelled: ['Cancelled', 'neutral'],
  running: ['Running', 'accent'],
}

export const OutcomeBadge = (p: { outcome: Outcome }) => {
  const [word, tone] = OUTCOMES[p.outcome]
  return <Badge tone={tone}>{word}</Badge>
}

export type CallRow = {
  id: string
  at: number
  client: string
  /** The connected app, when it still exists. */
  appId?: string | undefined
  profile: string
  /** The exposed name or the address, or the method when neither is meant (`tools/list`). */
  tool: string
  /** What was done with it, where it was not simply called ("Resource read"). */
  action?: string | undefined
  /** The tool by which it was found and called, where a profile is served by search. */
  via?: string | undefined
  outcome: Outcome
  /** Why it was refused or failed, in one sentence. */
  reason?: string | undefined
  /** What it was for, as the app's model said. */
  purpose?: string | undefined
  latencyMs?: number | undefined
  sizeBytes?: number | undefined
}

/** What is not said by the name alone. */
export const doneInWords = ({ action, via }: Pick<CallRow, 'action' | 'via'>): string | undefined =>
  via === undefined ? action : `${action ?? 'Called'} through ${foreign(via, 64)}`

/** How much of a call is shown: all of it, without what seldom matters, or without the app where it is one app's page. */
type Width = 'whole' | 'brief' | 'one-app'

const Row = (p: { call: CallRow; width: Width }) => {
  const { call } = p
  const shown = foreignMiddle(call.tool, 64)
  const done = doneInWords(call)
  return (
    <tr>
      <td class="cell-main">
        <a class="mono strong break" href={`/activity/${call.id}`} title={wholeOf(call.tool, shown)}>
          <bdi>{shown}</bdi>
        </a>
        {done && <p class="cell-note">{done}</p>}
        {call.purpose && (
          <p class="cell-note">
            For: <bdi>{foreign(call.purpose, 160)}</bdi>
          </p>
        )}
        {call.reason && <p class="cell-note">{foreign(call.reason, 160)}</p>}
      </td>
      {p.width !== 'one-app' && (
        <td data-label="App" class="cell-name">
          <bdi>
            {call.appId ? (
              <a class="plain" href={`/apps/${call.appId}`}>
                {foreign(call.client, 40)}
              </a>
            ) : (
              foreign(call.client, 40)
            )}
          </bdi>
        </td>
      )}
      {p.width === 'whole' && <td data-label="Profile">{foreign(call.profile, 40)}</td>}
      <td>
        <OutcomeBadge outcome={call.outcome} />
      </td>
      <td class="number" data-label="Latency">
        {call.latencyMs === undefined ? <span class="muted">–</span> : latency(call.latencyMs)}
      </td>
      {p.width === 'whole' && (
        <td class="number" data-label="Size">
          {call.sizeBytes === undefined ? <span class="muted">–</span> : size(call.sizeBytes)}
        </td>
      )}
      <td class="number nowrap muted">
        <Ago at={call.at} />
      </td>
    </tr>
  )
}

const Head = (p: { width: Width }) => (
  <thead>
    <tr>
      <th scope="col">What</th>
      {p.width !== 'one-app' && <th scope="col">App</th>}
      {p.width === 'whole' && <th scope="col">Profile</th>}
      <th scope="col">Outcome</th>
      <th scope="col" class="number">
        Latency
      </th>
      {p.width === 'whole' && (
        <th scope="col" class="number">
          Size
        </th>
      )}
      <th scope="col" class="number">
        When
      </th>
    </tr>
  </thead>
)

/** Calls as they are; what renews itself is `ActivityRows`. */
export const CallTable = (p: { calls: readonly CallRow[]; width?: Width | undefined }) => (
  <table class="table">
    <Head width={p.width ?? 'whole'} />
    <tbody>
      {p.calls.map((call) => (
        <Row call={call} width={p.width ?? 'whole'} />
      ))}
    </tbody>
  </table>
)

export type ActivityRowsProps = {
  calls: readonly CallRow[]
  /** Where the rows renew themselves, filter included; absent on older pages, which do not change. */
  renewHref?: string | undefined
  filtered: boolean
}

/** Also the reply to GET `renewHref`. Morphed, not replaced, so that focus and selection inside the rows survive. */
export const ActivityRows = (p: ActivityRowsProps) => (
  <div id="activity-rows" hx-get={p.renewHref} hx-trigger={p.renewHref && 'every 2s'} hx-swap={p.renewHref && 'outerMorph'}>
    {p.calls.length > 0 ? (
      <CallTable calls={p.calls} />
    ) : p.filtered ? (
      <Empty icon="activity" title="Nothing fits this filter" action={<LinkButton href="/activity">Show everything</LinkButton>}>
        No call with this outcome, app and profile is on record.
      </Empty>
    ) : (
      <Empty icon="activity" title="No calls yet" action={<LinkButton href="/profiles">Connect an app</LinkButton>}>
        Each call of each app will stand here while it happens, those that were refused too.
      </Empty>
    )}
  </div>
)

export type ActivityPageProps = ActivityRowsProps & {
  shell: Shell
  filter: { outcome?: string | undefined; client?: string | undefined; profile?: string | undefined }
  clients: readonly Option[]
  profiles: readonly Option[]
  olderHref?: string | undefined
  newestHref?: string | undefined
}

const ALL: Option = { value: '', label: 'All' }

const Filter = (p: ActivityPageProps) => (
  <form method="get" action="/activity" class="filter">
    <SelectField
      name="outcome"
      label="Outcome"
      value={p.filter.outcome ?? ''}
      options={[ALL, ...Object.entries(OUTCOMES).map(([value, [label]]) => ({ value, label }))]}
    />
    <SelectField name="client" label="App" value={p.filter.client ?? ''} options={[ALL, ...p.clients]} />
    <SelectField name="profile" label="Profile" value={p.filter.profile ?? ''} options={[ALL, ...p.profiles]} />
    <div class="actions">
      <Button>Filter</Button>
      {p.filtered && (
        <LinkButton href="/activity" tone="quiet">
          Clear
        </LinkButton>
      )}
    </div>
  </form>
)

export const ActivityPage = (p: ActivityPageProps) => (
  <Layout shell={p.shell} title="Activity" current="activity">
    <PageHead
      title="Activity"
      badge={p.renewHref && <span class="live">live</span>}
      lead="Every call of every app, newest first, with those that were refused."
    />
    <Filter {...p} />
    <Card flush={true}>
      <ActivityRows calls={p.calls} renewHref={p.renewHref} filtered={p.filtered} />
    </Card>
    <nav class="pager" aria-label="Pages">
      {p.newestHref && <LinkButton href={p.newestHref}>Newest</LinkButton>}
      {p.olderHref && <LinkButton href={p.olderHref}>Older</LinkButton>}
    </nav>
  </Layout>
)
