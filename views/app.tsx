/**
 * One connected app.
 * POST /apps/:id — device_name (may be empty).
 * POST /apps/:id/revoke — nothing else; without `from` it leads back here.
 */
import { type CallRow, CallTable } from './activity.tsx'
import { type AppSummary, AppStatusWord, RevokeConfirm } from './apps.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { type FormState, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { amountInWords, amountsOf, OfferedName, type OfferedWords } from './parts/offered.tsx'
import { Ago, AgoOr } from './parts/time.tsx'
import { KindBadge, type ToolKind } from './parts/tool.tsx'

export type AppTool = OfferedWords & {
  connection: string
  kind: ToolKind
  calls: number
  lastUsedAt?: number | null | undefined
}
export type AppPageProps = {
  shell: Shell
  app: AppSummary & {
    profileId: string
    /** Where codes go: the host, or the scheme of an app's own addresses. */
    redirectHost: string
    /** How the client is known, in words ("metadata document at claude.ai", "registered itself"). */
    verification: string
    /** An access token that its user made for a script, not an app that asked. */
    script: boolean
    firstUsedAt: number | null
    /** The networks it came from, the latest first. */
    networks: readonly string[]
  }
  tools: readonly AppTool[]
  calls: readonly CallRow[]
  form?: FormState | undefined
}

const Networks = (p: { networks: readonly string[] }) =>
  p.networks.length === 0 ? (
    <span class="muted">not known yet</span>
  ) : (
    <ul>
      {p.networks.map((network) => (
        <li>
          <code class="break">{network}</code>
        </li>
      ))}
    </ul>
  )

const About = ({ app }: { app: AppPageProps['app'] }) => (
  <Card title="About">
    <Facts
      items={[
        ['Profile', <a href={`/profiles/${app.profileId}`}>{foreign(app.profile)}</a>],
        ['Name', app.verification],
        ...(app.script ? [] : [['Sends you back to', <code class="break">{foreign(app.redirectHost, 120)}</code>] as const]),
        [app.script ? 'Made' : 'Let in', <Ago at={app.createdAt} />],
        ['First used', <AgoOr at={app.firstUsedAt} none="never" />],
        ['Last used', <AgoOr at={app.lastUsedAt} none="never" />],
        ['From', <Networks networks={app.networks} />],
        ['Ends', <AgoOr at={app.expiresAt} none="when revoked" />],
      ]}
    />
  </Card>
)

const Tools = (p: { tools: readonly AppTool[] }) => (
  <Card title="What it may use" lead={p.tools.length > 0 && amountInWords(amountsOf(p.tools))} flush={true}>
    {p.tools.length === 0 ? (
      <Empty icon="layers" title="Nothing">
        Nothing of what you allowed is in the profile any more: this app sees an empty list.
      </Empty>
    ) : (
      <table class="table table-lean">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Kind</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Last used
            </th>
          </tr>
        </thead>
        <tbody>
          {p.tools.map((tool) => (
            <tr>
              <td class="cell-main">
                {tool.feature === 'tool' ? <span class="mono strong break">{foreign(tool.name, 128)}</span> : <OfferedName item={tool} />}
                <p class="cell-note">{foreign(tool.connection)}</p>
              </td>
              <td>
                {tool.feature === 'tool' ? (
                  <KindBadge kind={tool.kind} />
                ) : (
                  <Badge>{tool.feature === 'prompt' ? 'prompt' : 'resource'}</Badge>
                )}
              </td>
              <td class="number" data-label="Calls">
                {tool.calls}
              </td>
              <td class="number nowrap muted" data-label="Last used">
                <AgoOr at={tool.lastUsedAt} none="never" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Card>
)

const Device = (p: { app: AppPageProps['app']; form: FormState | undefined }) => (
  <Card title="Device">
    <form class="stack" method="post" action={`/apps/${p.app.id}`}>
      <TextField
        name="device_name"
        label="Name of the device"
        value={p.app.device}
        form={p.form}
        optional={true}
        lengthMax={60}
        placeholder="Work laptop"
        hint="Tells this install from others of the same app."
      />
      <div class="actions">
        <Button>Save name</Button>
      </div>
    </form>
  </Card>
)

export const AppPage = (p: AppPageProps) => {
  const client = foreign(p.app.client, 60)
  const alive = p.app.status === 'active' || p.app.status === 'paused'
  return (
    <Layout shell={p.shell} title={client} current="apps">
      <PageHead
        back={p.app.script ? { href: '/apps/tokens', label: 'Access tokens' } : { href: '/apps', label: 'Connected apps' }}
        title={<bdi>{client}</bdi>}
        badge={<AppStatusWord status={p.app.status} />}
        lead={p.app.device && <bdi>{foreign(p.app.device)}</bdi>}
      />
      <div class="split">
        <div class="stack">
          <Tools tools={p.tools} />
          <Card title="Recent calls" flush={true} actions={p.calls.length > 0 && <a href="/activity">All activity</a>}>
            {p.calls.length === 0 ? (
              <Empty icon="activity" title="No calls yet">
                What this app does with its tools will be here.
              </Empty>
            ) : (
              <CallTable calls={p.calls} width="one-app" />
            )}
          </Card>
        </div>
        <div class="stack">
          <About app={p.app} />
          {!p.app.script && <Device app={p.app} form={p.form} />}
          {alive && (
            <Card
              title="Revoke"
              tone="danger"
              lead={
                p.app.script ? 'Ends what the token is good for, wherever it is used.' : "Ends this app's access, here and on its device."
              }
            >
              <RevokeConfirm app={p.app} place="block" script={p.app.script} />
            </Card>
          )}
        </div>
      </div>
    </Layout>
  )
}
