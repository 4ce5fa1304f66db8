/**
 * One connected app.
 * POST /apps/:id — device_name (may be empty).
 * POST /apps/:id/revoke — nothing else; without `from` it leads back here.
 */
import { type CallRow, CallTable } from './activity.tsx'
import { type AppSummary, AppStatusWord, RevokeConfirm } from './apps.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Button } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { type FormState, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { AgoOr } from './parts/time.tsx'
import { KindBadge, type ToolKind } from './parts/tool.tsx'

export type AppTool = {
  exposedName: string
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
    lastAddress?: string | null | undefined
  }
  tools: readonly AppTool[]
  calls: readonly CallRow[]
  form?: FormState | undefined
}

const About = ({ app }: { app: AppPageProps['app'] }) => (
  <Card title="About">
    <Facts
      items={[
        ['Profile', <a href={`/profiles/${app.profileId}`}>{foreign(app.profile)}</a>],
        ['Name', app.verification],
        ['Sends you back to', <code class="break">{foreign(app.redirectHost, 120)}</code>],
        ['Let in', <AgoOr at={app.createdAt} none="" />],
        ['Last used', <AgoOr at={app.lastUsedAt} none="never" />],
        ['From', app.lastAddress ? <code class="break">{app.lastAddress}</code> : <span class="muted">not known yet</span>],
        ['Ends', <AgoOr at={app.expiresAt} none="when revoked" />],
      ]}
    />
  </Card>
)

const Tools = (p: { tools: readonly AppTool[] }) => (
  <Card title="Tools it may use" lead={p.tools.length > 0 && plural(p.tools.length, 'tool')} flush={true}>
    {p.tools.length === 0 ? (
      <Empty icon="layers" title="No tool">
        You let this app in without any tool: it sees an empty list.
      </Empty>
    ) : (
      <table class="table table-lean">
        <thead>
          <tr>
            <th scope="col">Tool</th>
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
                <span class="mono strong break">{foreign(tool.exposedName, 128)}</span>
                <p class="cell-note">{foreign(tool.connection)}</p>
              </td>
              <td>
                <KindBadge kind={tool.kind} />
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
        back={{ href: '/apps', label: 'Connected apps' }}
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
          <Device app={p.app} form={p.form} />
          {alive && (
            <Card title="Revoke" tone="danger" lead="Ends this app's access, here and on its device.">
              <RevokeConfirm app={p.app} place="block" />
            </Card>
          )}
        </div>
      </div>
    </Layout>
  )
}
