/**
 * What adds connectors and providers here; for administrators only.
 * POST /admin/plugins/reload — reads the plugins folder again.
 */
import { Layout, type Shell } from './layout.tsx'
import { Badge, Status } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { AdminPlaces } from './parts/places.tsx'

export type PluginSummary = {
  id: string
  title: string
  version: string
  description: string
  /** Where it lies, for one from outside. */
  folder?: string | undefined
  /** "Connector", "OAuth provider" or "Login provider", and its title. */
  brings: readonly { kind: string; title: string }[]
}
export type AsideSummary = {
  id: string
  title?: string | undefined
  version?: string | undefined
  folder?: string | undefined
  /** A sentence. */
  reason: string
}
export type PluginsPageProps = {
  shell: Shell
  running: readonly PluginSummary[]
  setAside: readonly AsideSummary[]
  /** Where the folders of outside plugins are. */
  folder: string
}

const Brings = (p: { brings: PluginSummary['brings'] }) =>
  p.brings.length === 0 ? (
    <span class="muted">nothing yet</span>
  ) : (
    <>
      {p.brings.map(({ kind, title }) => (
        <span class="cell-host">
          {kind}: <bdi>{foreign(title, 60)}</bdi>
        </span>
      ))}
    </>
  )

const Row = ({ plugin }: { plugin: PluginSummary }) => (
  <tr id={`plugin-${plugin.id}`}>
    <td class="cell-main">
      <span class="strong break">
        <bdi>{foreign(plugin.title, 60)}</bdi>
      </span>{' '}
      <Badge>{plugin.folder === undefined ? 'built in' : 'from outside'}</Badge>
      {plugin.description !== '' && <p class="cell-note">{foreign(plugin.description, 200)}</p>}
      {plugin.folder !== undefined && <p class="cell-note">{foreign(plugin.folder, 200)}</p>}
    </td>
    <td>
      <Status tone="ok">Running</Status>
    </td>
    <td data-label="Brings" class="cell-hosts">
      <Brings brings={plugin.brings} />
    </td>
    <td data-label="Version" class="nowrap">
      {foreign(plugin.version, 30)}
    </td>
  </tr>
)

const AsideRow = ({ plugin }: { plugin: AsideSummary }) => (
  <tr>
    <td class="cell-main">
      <span class="strong break">
        <bdi>{foreign(plugin.title ?? plugin.id, 60)}</bdi>
      </span>{' '}
      <Badge>{plugin.folder === undefined ? 'built in' : 'from outside'}</Badge>
      <p class="cell-danger">{foreign(plugin.reason, 500)}</p>
      {plugin.folder !== undefined && <p class="cell-note">{foreign(plugin.folder, 200)}</p>}
    </td>
    <td>
      <Status tone="danger">Set aside</Status>
    </td>
    <td data-label="Brings" class="cell-hosts">
      <span class="muted">nothing while set aside</span>
    </td>
    <td data-label="Version" class="nowrap">
      {foreign(plugin.version ?? 'not known', 30)}
    </td>
  </tr>
)

const Reload = (
  <form method="post" action="/admin/plugins/reload">
    <Button tone="primary" icon="refresh">
      Reload
    </Button>
  </form>
)

const Folder = (p: { folder: string; outside: number }) => (
  <Card title="Plugins from outside">
    <div class="stack">
      <p>
        {p.outside === 0 ? 'There is none yet. ' : ''}
        Each is a folder with a <code>plugin.json</code> and its code, in this place on the machine that runs Toolpass:
      </p>
      <CopyBlock text={p.folder} label="plugins folder" />
      <p>
        Reload starts what is new or changed and stops what is gone. Connections of a plugin that is gone stay; they say what is missing,
        and work again when it is back.
      </p>
      <Notice tone="warning" title="A plugin can do all that Toolpass can">
        <p>
          Its code runs inside Toolpass and reaches every credential. Add only plugins that you have read or whose author you trust. What
          you do not trust belongs in a program (stdio) or a wasm module.
        </p>
      </Notice>
    </div>
  </Card>
)

export const PluginsPage = (p: PluginsPageProps) => (
  <Layout shell={p.shell} title="Plugins" current="admin">
    <PageHead title="Plugins" lead="What adds kinds of connections and ways to sign in." actions={Reload} />
    <AdminPlaces current="/admin/plugins" />
    {p.setAside.length > 0 && (
      <Notice tone="danger" title={`${plural(p.setAside.length, 'plugin')} set aside`}>
        <p>The others run. Mend what is said below and reload.</p>
      </Notice>
    )}
    <Card flush={true}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Plugin</th>
            <th scope="col">State</th>
            <th scope="col">Brings</th>
            <th scope="col">Version</th>
          </tr>
        </thead>
        <tbody>
          {p.setAside.map((plugin) => (
            <AsideRow plugin={plugin} />
          ))}
          {p.running.map((plugin) => (
            <Row plugin={plugin} />
          ))}
        </tbody>
      </table>
    </Card>
    <Folder folder={p.folder} outside={[...p.running, ...p.setAside].filter(({ folder }) => folder !== undefined).length} />
  </Layout>
)
