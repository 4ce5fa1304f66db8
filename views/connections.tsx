/** All connections that a user may use. No forms. */
import { Layout, type Shell } from './layout.tsx'
import { Badge, Status, type Tone } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign } from './parts/format.ts'
import { ConnectionsPlaces } from './parts/places.tsx'
import { AgoOr } from './parts/time.tsx'

export type ConnectionState = 'ok' | 'checking' | 'sign-in' | 'trouble' | 'unchecked'
export const CONNECTION_STATES: Record<ConnectionState, readonly [word: string, tone: Tone]> = {
  ok: ['Working', 'ok'],
  checking: ['Checking', 'accent'],
  'sign-in': ['Sign-in needed', 'warning'],
  trouble: ['Trouble', 'danger'],
  unchecked: ['Not checked', 'neutral'],
}

/** Who may use it, and with whose credential. */
export type Sharing = 'private' | 'open' | 'each'
export const SHARING_WORDS: Record<Sharing, string> = {
  private: 'Private',
  open: 'Open to everyone here',
  each: 'Open, each with their own credential',
}

export type ConnectionSummary = {
  id: string
  name: string
  connector: string
  /** Where it goes: a host or a command line. */
  summary: string
  state: ConnectionState
  /** What is wrong, when something is. */
  problem?: string | undefined
  tools: number
  sharing: Sharing
  /** Absent when it is the reader's own. */
  owner?: string | undefined
  checkedAt?: number | undefined
  /** Its tools are refused to the reader's apps for now. */
  isPaused?: boolean | undefined
}
export type ConnectionsPageProps = { shell: Shell; connections: readonly ConnectionSummary[] }

export const ConnectionStatus = (p: { state: ConnectionState }) => {
  const [word, tone] = CONNECTION_STATES[p.state]
  return <Status tone={tone}>{word}</Status>
}

const Row = ({ connection }: { connection: ConnectionSummary }) => (
  <tr>
    <td class="cell-main">
      <a class="strong" href={`/connections/${connection.id}`}>
        {foreign(connection.name)}
      </a>
      <p class="cell-note mono break">{foreign(connection.summary, 90)}</p>
      {connection.problem && <p class="cell-danger">{foreign(connection.problem, 200)}</p>}
    </td>
    <td>
      <ConnectionStatus state={connection.state} />
      {connection.isPaused && (
        <p>
          <Badge tone="warning">paused</Badge>
        </p>
      )}
    </td>
    <td data-label="By">{connection.connector}</td>
    <td class="number" data-label="Tools">
      {connection.tools}
    </td>
    <td data-label="Visible">
      {SHARING_WORDS[connection.sharing]}
      {connection.owner && <span class="cell-note"> of {connection.owner}</span>}
    </td>
    <td class="number nowrap muted" data-label="Checked">
      <AgoOr at={connection.checkedAt} none="never" />
    </td>
  </tr>
)

const ADD = (
  <>
    <LinkButton href="/connections/import">Import</LinkButton>
    <LinkButton href="/catalogue">From the catalogue</LinkButton>
    <LinkButton href="/connections/new" tone="primary" icon="plus">
      Add a connection
    </LinkButton>
  </>
)

export const ConnectionsPage = (p: ConnectionsPageProps) => (
  <Layout shell={p.shell} title="Connections" current="connections">
    <PageHead
      title="Connections"
      lead="MCP servers that you signed in to once. Their credentials stay here; apps never see them."
      actions={p.connections.length > 0 && ADD}
    />
    <ConnectionsPlaces current="/connections" />
    <Card flush={true}>
      {p.connections.length === 0 ? (
        <Empty icon="plug" title="No connection yet" action={ADD}>
          Choose an MCP server from the catalogue, enter its address, or bring the configuration of another program. It is tried at once,
          step by step.
        </Empty>
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Status</th>
              <th scope="col">Connector</th>
              <th scope="col" class="number">
                Tools
              </th>
              <th scope="col">Visible</th>
              <th scope="col" class="number">
                Checked
              </th>
            </tr>
          </thead>
          <tbody>
            {p.connections.map((connection) => (
              <Row connection={connection} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  </Layout>
)
