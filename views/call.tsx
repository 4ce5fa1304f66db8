/** One call as the audit log holds it. No forms. */
import { doneInWords, OutcomeBadge, type CallRow } from './activity.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { exact, foreign, foreignMiddle, latency, size } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Address, type Feature } from './parts/offered.tsx'
import { KindBadge, type ToolKind } from './parts/tool.tsx'
import { Ago } from './parts/time.tsx'

export type CallPageProps = {
  shell: Shell
  call: CallRow & {
    method: string
    user: string
    kind?: ToolKind | undefined
    feature?: Feature | undefined
    device?: string | undefined
    connection?: { id: string; name: string }
    profileId?: string | undefined
    /** The tool's name at its upstream, or the address of the resource. */
    upstreamTool?: string | undefined
    clientRevision?: string | undefined
    upstreamRevision?: string | undefined
    requestBytes?: number | undefined
    /** Quoted in our log lines. */
    requestId: string
    /** Names and values of the arguments as far as they are recorded, already redacted. */
    arguments?: string | undefined
  }
}

const NONE = <span class="muted">not known</span>

export const CallPage = ({ shell, call }: CallPageProps) => {
  const done = doneInWords(call)
  return (
    <Layout shell={shell} title={foreignMiddle(call.tool, 64)} current="activity">
      <PageHead
        back={{ href: '/activity', label: 'Activity' }}
        title={<bdi class="mono break">{foreign(call.tool, 300)}</bdi>}
        badge={<OutcomeBadge outcome={call.outcome} />}
        lead={
          <>
            {done && `${done}, `}
            <bdi>{foreign(call.client, 60)}</bdi>, <Ago at={call.at} />
          </>
        }
      />
      {call.reason && (
        <Notice
          tone={call.outcome === 'refused' ? 'warning' : 'danger'}
          title={call.outcome === 'refused' ? 'Why it was refused' : 'Why it failed'}
        >
          <bdi>{foreign(call.reason, 600)}</bdi>
        </Notice>
      )}
      {call.purpose && (
        <Card title="What for" lead="As the app's model said. Nobody can check it.">
          <p>
            <bdi>{foreign(call.purpose, 320)}</bdi>
          </p>
        </Card>
      )}
      <div class="columns">
        <Card title="Who">
          <Facts
            items={[
              ['App', call.appId ? <a href={`/apps/${call.appId}`}>{foreign(call.client, 60)}</a> : <bdi>{foreign(call.client, 60)}</bdi>],
              ['Device', call.device ? <bdi>{foreign(call.device)}</bdi> : <span class="muted">not named</span>],
              ['User', call.user],
              ['Profile', call.profileId ? <a href={`/profiles/${call.profileId}`}>{call.profile}</a> : call.profile],
            ]}
          />
        </Card>
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
        <Card title="How it went">
          <Facts
            items={[
              ['When', exact(call.at)],
              ['Latency', call.latencyMs === undefined ? NONE : latency(call.latencyMs)],
              ['Request', call.requestBytes === undefined ? NONE : size(call.requestBytes)],
              ['Result', call.sizeBytes === undefined ? NONE : size(call.sizeBytes)],
            ]}
          />
        </Card>
        <Card title="On the wire">
          <Facts
            items={[
              ['App speaks', call.clientRevision ?? NONE],
              ['Upstream speaks', call.upstreamRevision ?? NONE],
              ['Request id', <code class="break select-all">{call.requestId}</code>],
              ['Record', <code class="break select-all">{call.id}</code>],
            ]}
          />
        </Card>
      </div>
      {call.arguments && (
        <Card title="Arguments" lead="Secrets are left out.">
          <pre class="code" tabindex="0">
            <code>{call.arguments}</code>
          </pre>
        </Card>
      )}
    </Layout>
  )
}
