/** What a user has let in, app by app: one line for each, however many devices it is on. No forms. */
import { Layout, type Shell } from './layout.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign, plural } from './parts/format.ts'
import { AppsPlaces } from './parts/places.tsx'
import { Ago, AgoOr } from './parts/time.tsx'
import { type ClientState, ClientStatus, Hosts } from './clients.tsx'

export type OwnClient = {
  name: string
  verification: string
  state: ClientState
  redirectHosts: readonly string[]
  createdAt: number
  lastUsedAt: number | null
  /** The reader's own connected apps of this client, the newest first. */
  apps: readonly { id: string; label: string; alive: boolean }[]
}
export type OwnClientsPageProps = { shell: Shell; clients: readonly OwnClient[] }

const APPS_SHOWN_MAX = 4

const Apps = (p: { apps: OwnClient['apps'] }) => {
  const alive = p.apps.filter((app) => app.alive)
  const more = alive.length - APPS_SHOWN_MAX
  if (alive.length === 0) return <span class="muted">{p.apps.length === 0 ? 'none yet' : 'all ended'}</span>
  return (
    <>
      {alive.slice(0, APPS_SHOWN_MAX).map((app) => (
        <a class="cell-link" href={`/apps/${app.id}`}>
          <bdi>{foreign(app.label, 40)}</bdi>
        </a>
      ))}
      {more > 0 && <span class="cell-note"> and {plural(more, 'other')}</span>}
    </>
  )
}

const Row = ({ client }: { client: OwnClient }) => (
  <tr>
    <td class="cell-main">
      <span class="strong break">
        <bdi>{foreign(client.name, 60) || 'An app without a name'}</bdi>
      </span>
      <p class="cell-note">{foreign(client.verification, 80)}</p>
    </td>
    <td>
      <ClientStatus state={client.state} />
    </td>
    <td data-label="Sends back to" class="cell-hosts">
      <Hosts hosts={client.redirectHosts} />
    </td>
    <td data-label="Connected apps" class="cell-hosts">
      <Apps apps={client.apps} />
    </td>
    <td data-label="Registered" class="nowrap">
      <Ago at={client.createdAt} />
    </td>
    <td data-label="Last used" class="nowrap">
      <AgoOr at={client.lastUsedAt} none="never" />
    </td>
  </tr>
)

export const OwnClientsPage = (p: OwnClientsPageProps) => (
  <Layout shell={p.shell} title="Known apps" current="apps">
    <PageHead title="Known apps" lead="The apps behind your connected apps: how each is known, and where it sends you back to." />
    <AppsPlaces current="/apps/clients" />
    <Card flush={true}>
      {p.clients.length === 0 ? (
        <Empty icon="app-window" title="No app yet" action={<LinkButton href="/profiles">Choose a profile to connect</LinkButton>}>
          Once you let an app in, how it is known stands here.
        </Empty>
      ) : (
        <table class="table table-clients">
          <thead>
            <tr>
              <th scope="col">App</th>
              <th scope="col">State</th>
              <th scope="col">Sends back to</th>
              <th scope="col">Connected apps</th>
              <th scope="col">Registered</th>
              <th scope="col">Last used</th>
            </tr>
          </thead>
          <tbody>
            {p.clients.map((client) => (
              <Row client={client} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  </Layout>
)
