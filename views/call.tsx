/**
 * One row of the trail, a call or an act.
 * POST /activity/:id/permit — permission (allow, ask or refuse), back to this page.
 * POST /activity/:id/replay — nothing else; its answer is this page with the new result beside the old one.
 */
import { doneInWords, OutcomeBadge, type CallRow } from './activity.tsx'
import { type CallContents, Contents, type PermissionChoice, Permit, Replay, type ReplayState, ReplayedCard } from './call-parts.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { type Span, TimeLine } from './parts/chart.tsx'
import { exact, foreign, foreignMiddle, size, unhidden } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Address, type Feature } from './parts/offered.tsx'
import { KindBadge, type ToolKind } from './parts/tool.tsx'
import { Ago } from './parts/time.tsx'

export type CallPageProps = {
  shell: Shell
  call: CallRow & {
    /** `tools/call`, `grant.revoke`. */
    method: string
    user: string
    kind?: ToolKind | undefined
    feature?: Feature | undefined
    device?: string | undefined
    connection?: { id: string; name: string }
    profileId?: string | undefined
    /** The tool's name at its upstream, or the address of the resource. */
    upstreamTool?: string | undefined
    requestBytes?: number | undefined
    /** Quoted in our log lines, and by the app's own traces. */
    traceId?: string | undefined
    /** What took how long, in the order in which it was. */
    spans: readonly Span[]
    /** It was refused because nobody had approved it. */
    wasAsked?: boolean | undefined
    /** What else is known of an act, as JSON. */
    detail?: string | undefined
  }
  /** Absent for acts. */
  contents?: CallContents | undefined
  permission?: PermissionChoice | undefined
  replay?: ReplayState | undefined
  /** Calls of the same app before and after this one. */
  olderHref?: string | undefined
  newerHref?: string | undefined
}

const NONE = <span class="muted">not known</span>

const Who = ({ call }: Pick<CallPageProps, 'call'>) => (
  <Card title="Who">
    <Facts
      items={[
        ['App', call.appId ? <a href={`/apps/${call.appId}`}>{foreign(call.client, 60)}</a> : <bdi>{foreign(call.client, 60)}</bdi>],
        ...(call.isAct
          ? []
          : [['Device', call.device ? <bdi>{foreign(call.device)}</bdi> : <span class="muted">not named</span>] as const]),
        ['User', <bdi>{foreign(call.user, 60)}</bdi>],
        [
          'Profile',
          call.profileId ? (
            <a href={`/profiles/${call.profileId}`}>{foreign(call.profile, 60)}</a>
          ) : (
            <bdi>{foreign(call.profile, 60) || '–'}</bdi>
          ),
        ],
      ]}
    />
  </Card>
)

const What = ({ call }: Pick<CallPageProps, 'call'>) => (
  <Card title="What">
    <Facts
      items={[
        ['Method', <code>{call.method}</code>],
        [
          'Kind',
          call.feature !== undefined && call.feature !== 'tool' ? (
            <Badge>{call.feature}</Badge>
          ) : call.kind ? (
            <KindBadge kind={call.kind} />
          ) : (
            NONE
          ),
        ],
        ['Connection', call.connection ? <a href={`/connections/${call.connection.id}`}>{foreign(call.connection.name)}</a> : NONE],
        ['Name at its server', call.upstreamTool ? <Address text={call.upstreamTool} lengthMax={128} /> : NONE],
      ]}
    />
  </Card>
)

const How = ({ call }: Pick<CallPageProps, 'call'>) => (
  <Card title="How it went">
    <Facts
      items={[
        ['When', exact(call.at)],
        ...(call.isAct
          ? []
          : ([
              ['Request', call.requestBytes === undefined ? NONE : size(call.requestBytes)],
              ['Result', call.sizeBytes === undefined ? NONE : size(call.sizeBytes)],
            ] as const)),
        ['Trace', call.traceId ? <code class="break select-all">{foreign(call.traceId, 64)}</code> : <span class="muted">none sent</span>],
        ['Record', <code class="break select-all">{call.id}</code>],
      ]}
    />
  </Card>
)

const Why = ({ call }: Pick<CallPageProps, 'call'>) =>
  call.reason ? (
    <Notice
      tone={call.outcome === 'refused' ? 'warning' : 'danger'}
      title={call.outcome === 'refused' ? 'Why it was refused' : 'Why it failed'}
    >
      <bdi>{foreign(call.reason, 600)}</bdi>
      {call.wasAsked && (
        <>
          {' '}
          What still waits stands under <a href="/approvals">Approvals</a>.
        </>
      )}
    </Notice>
  ) : (
    <></>
  )

export const CallPage = (p: CallPageProps) => {
  const { call } = p
  const done = doneInWords(call)
  return (
    <Layout shell={p.shell} title={foreignMiddle(call.tool, 64)} current="activity">
      <PageHead
        back={{ href: '/activity', label: 'Activity' }}
        title={<bdi class={call.isAct ? 'break' : 'mono break'}>{foreign(call.tool, 300)}</bdi>}
        badge={<OutcomeBadge outcome={call.outcome} isAct={call.isAct} />}
        lead={
          <>
            {done && `${done}, `}
            {call.client !== '–' && (
              <>
                <bdi>{foreign(call.client, 60)}</bdi>,{' '}
              </>
            )}
            <Ago at={call.at} />
          </>
        }
      />
      <Why call={call} />
      {call.purpose && (
        <Card title="What for" lead="As the app's model said. Nobody can check it.">
          <p>
            <bdi>{foreign(call.purpose, 320)}</bdi>
          </p>
        </Card>
      )}
      {call.spans.length > 0 && (
        <Card title="Where the time went">
          <TimeLine spans={call.spans} />
        </Card>
      )}
      <div class="columns">
        <Who call={call} />
        {!call.isAct && <What call={call} />}
        <How call={call} />
        {p.permission && <Permit id={call.id} choice={p.permission} />}
      </div>
      {call.detail && (
        <Card title="Details">
          <pre class="code" tabindex="0">
            <code>{unhidden(call.detail)}</code>
          </pre>
        </Card>
      )}
      <div class={p.replay?.done ? 'columns' : 'stack'}>
        {p.contents && <Contents contents={p.contents} />}
        {p.replay?.done && <ReplayedCard done={p.replay.done} />}
      </div>
      {p.replay && <Replay id={call.id} state={p.replay} />}
      <nav class="pager" aria-label="Calls of this app">
        {p.olderHref && <LinkButton href={p.olderHref}>Call before</LinkButton>}
        {p.newerHref && <LinkButton href={p.newerHref}>Call after</LinkButton>}
      </nav>
    </Layout>
  )
}
