/**
 * What every app did.
 * GET /activity — what stands in the filters (all may be empty), before or after (another page), live=off. The rows renew themselves by
 * GET `renewHref`, whose reply is `<ActivityRows …/>` again, or nothing where there is nothing new.
 */
import { type ActivityChoices, ActivityFilter, type ActivityFilterValues, type Chip, Chips } from './activity-filter.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge, type Tone } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { exact, foreign, foreignMiddle, latency, size, wholeOf } from './parts/format.ts'
import { ActivityPlaces } from './parts/places.tsx'
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

export const OutcomeBadge = (p: { outcome: Outcome; isAct?: boolean | undefined }) => {
  const [word, tone] = p.isAct && p.outcome === 'ok' ? (['Done', 'ok'] as const) : OUTCOMES[p.outcome]
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
  /** A change made here or a sign-in: `tool` is what was done, in words. */
  isAct?: boolean | undefined
  /** Who, where the reader sees rows of more than themself. */
  user?: string | undefined
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

const App = ({ call }: { call: CallRow }) => (
  <>
    <bdi>
      {call.appId ? (
        <a class="plain" href={`/apps/${call.appId}`}>
          {foreign(call.client, 40)}
        </a>
      ) : (
        foreign(call.client, 40)
      )}
    </bdi>
    {call.user && (
      <p class="cell-note">
        <bdi>{foreign(call.user, 40)}</bdi>
      </p>
    )}
  </>
)

const Row = (p: { call: CallRow; width: Width }) => {
  const { call } = p
  const shown = foreignMiddle(call.tool, 64)
  const done = doneInWords(call)
  return (
    // By its id a row is known again when others come in above it, and keeps the focus.
    <tr id={`call-${call.id}`}>
      <td class="cell-main">
        <a class={call.isAct ? 'strong break' : 'mono strong break'} href={`/activity/${call.id}`} title={wholeOf(call.tool, shown)}>
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
          <App call={call} />
        </td>
      )}
      {p.width === 'whole' && <td data-label="Profile">{foreign(call.profile, 40) || <span class="muted">–</span>}</td>}
      <td>
        <OutcomeBadge outcome={call.outcome} isAct={call.isAct} />
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
  <table class={p.width === 'brief' ? 'table table-brief' : 'table'}>
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
  /** Only rows since then were looked through, and there is more to look through. */
  lookedBack?: { to: number; href: string } | undefined
}

/** Also the reply to GET `renewHref`. Morphed, not replaced, so that focus and selection inside the rows survive. */
export const ActivityRows = (p: ActivityRowsProps) => (
  <div id="activity-rows" hx-get={p.renewHref} hx-trigger={p.renewHref && 'every 2s'} hx-swap={p.renewHref && 'outerMorph'}>
    {p.calls.length > 0 && <CallTable calls={p.calls} />}
    {p.lookedBack ? (
      <p class="looked-back">
        Looked back to {exact(p.lookedBack.to)}. <a href={p.lookedBack.href}>Look further back</a>
      </p>
    ) : p.calls.length > 0 ? undefined : p.filtered ? (
      <Empty icon="activity" title="Nothing fits these filters" action={<LinkButton href="/activity">Show everything</LinkButton>}>
        Nothing of this kind is on record. Take a filter away, or look at another time.
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
  filter: ActivityFilterValues
  choices: ActivityChoices
  chips: readonly Chip[]
  /** Where the rows stop renewing themselves, or do so again. Absent on older pages. */
  live?: { isOn: boolean; href: string } | undefined
  newestHref?: string | undefined
  newerHref?: string | undefined
  olderHref?: string | undefined
  /** Where these rows can be taken away as a file. */
  exports?: readonly { label: string; href: string }[] | undefined
}

const Live = (p: { live: NonNullable<ActivityPageProps['live']> }) => (
  <>
    {p.live.isOn ? <span class="live">live</span> : <span class="live live-paused">paused</span>}
    <a class="live-switch" href={p.live.href}>
      {p.live.isOn ? 'Pause' : 'Go on'}
    </a>
  </>
)

export const ActivityPage = (p: ActivityPageProps) => (
  <Layout shell={p.shell} title="Activity" current="activity">
    <PageHead
      title="Activity"
      badge={p.live && <Live live={p.live} />}
      lead="What every app did, newest first, with what was refused. Changes made here and sign-ins are a filter away."
    />
    <ActivityPlaces current="/activity" />
    <ActivityFilter values={p.filter} choices={p.choices} paused={p.live?.isOn === false} />
    <Chips chips={p.chips} />
    <Card flush={true}>
      <ActivityRows calls={p.calls} renewHref={p.renewHref} filtered={p.filtered} lookedBack={p.lookedBack} />
    </Card>
    <nav class="pager" aria-label="Pages">
      {p.exports && p.exports.length > 0 && (p.calls.length > 0 || p.lookedBack) && (
        <span class="pager-note">
          Save these rows as a file:{' '}
          {p.exports.map(({ label, href }, at) => (
            <>
              {at > 0 && ' · '}
              <a href={href}>{label}</a>
            </>
          ))}
        </span>
      )}
      {p.newestHref && <LinkButton href={p.newestHref}>Newest</LinkButton>}
      {p.newerHref && <LinkButton href={p.newerHref}>Newer</LinkButton>}
      {p.olderHref && <LinkButton href={p.olderHref}>Older</LinkButton>}
    </nav>
  </Layout>
)
