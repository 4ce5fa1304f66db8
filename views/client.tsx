/**
 * One registered app, for administrators.
 * POST /admin/clients/:id/approve, /block, /unblock — without `from` they lead back here.
 * POST /admin/clients/:id/remove — leads to the list.
 */
import { Approve, BlockConfirm, type ClientSummary, ClientStatus, reachOf, Unblock } from './clients.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { CopyButton } from './parts/copy.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign } from './parts/format.ts'
import { appsInWords, Many, type ManyStanding } from './parts/paused.tsx'
import { Ago, AgoOr } from './parts/time.tsx'

export type ClientPageProps = {
  shell: Shell
  client: ClientSummary & {
    /** What the client calls itself. */
    identifier: string
    redirectUris: readonly string[]
    /** How it proves itself, in words. */
    authentication: string
    createdFrom: string
    createdBy?: string | undefined
    approvedAt: number | null
    blockedAt: number | null
    /** An unused registration goes away then. */
    expiresAt: number | null
    fetchedAt: number | null
    /** What we know of it from elsewhere: a label, never a reason to trust it. */
    knownAs?: string | undefined
  }
  users: readonly { username: string; apps: number; lastUsedAt: number | null }[]
  /** Those of its apps that are let in now. */
  control: ManyStanding
}

const About = ({ client }: { client: ClientPageProps['client'] }) => (
  <Card title="About">
    <Facts
      items={[
        ['Name', foreign(client.verification, 120)],
        ...(client.knownAs ? [['Looks like', <Badge>{client.knownAs}</Badge>] as const] : []),
        [
          'Client ID',
          <>
            <code class="break select-all">{foreign(client.identifier, 300)}</code>{' '}
            <CopyButton text={client.identifier} label="client ID" />
          </>,
        ],
        ['Proves itself by', client.authentication],
        ['Registered', <Ago at={client.createdAt} />],
        ...(client.kind === 'registered' ? [] : [['From', <code class="break">{client.createdFrom}</code>] as const]),
        ...(client.createdBy ? [['By', client.createdBy] as const] : []),
        ...(client.fetchedAt === null ? [] : [['Document fetched', <Ago at={client.fetchedAt} />] as const]),
        ...(client.approvedAt === null ? [] : [['Approved', <Ago at={client.approvedAt} />] as const]),
        ...(client.blockedAt === null ? [] : [['Blocked', <Ago at={client.blockedAt} />] as const]),
        ['Last used', <AgoOr at={client.lastUsedAt} none="never" />],
        ...(client.expiresAt === null ? [] : [['Goes away unused', <Ago at={client.expiresAt} />] as const]),
      ]}
    />
  </Card>
)

const Redirects = (p: { uris: readonly string[] }) => (
  <Card title="Sends people back to" flush={true}>
    {p.uris.length === 0 ? (
      <Empty icon="corner-down-left" title="Nowhere">
        It has no address to be answered at, so nobody can be asked by it.
      </Empty>
    ) : (
      <ul class="rows">
        {p.uris.map((uri) => (
          <li>
            <code class="break">{foreign(uri, 300)}</code>
          </li>
        ))}
      </ul>
    )}
  </Card>
)

const Users = (p: { users: ClientPageProps['users'] }) => (
  <Card title="Who lets it in" flush={true}>
    {p.users.length === 0 ? (
      <Empty icon="users" title="Nobody yet">
        Users who let this app in will stand here. What they allow it is theirs to see.
      </Empty>
    ) : (
      <table class="table table-lean">
        <thead>
          <tr>
            <th scope="col">User</th>
            <th scope="col" class="number">
              Connected apps
            </th>
            <th scope="col" class="number">
              Last used
            </th>
          </tr>
        </thead>
        <tbody>
          {p.users.map((user) => (
            <tr class={user.apps === 0 ? 'row-past' : undefined}>
              <td class="cell-main">
                <span class="strong break">{user.username}</span>
              </td>
              <td class="number" data-label="Connected apps">
                {user.apps === 0 ? 'none now' : user.apps}
              </td>
              <td class="number nowrap muted" data-label="Last used">
                <AgoOr at={user.lastUsedAt} none="never" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Card>
)

const Decide = ({ client }: { client: ClientPageProps['client'] }) => {
  if (client.state === 'blocked')
    return (
      <Card title="Blocked" lead="It is refused everywhere. Its connected apps wait, unharmed.">
        <Unblock client={client} />
      </Card>
    )
  return (
    <>
      {client.state !== 'admitted' && (
        <Card
          title={client.state === 'waits' ? 'Waits for approval' : 'Not listed'}
          lead="Until you approve it, no user here can let it in. Look at where it sends people back to."
        >
          <Approve client={client} />
        </Card>
      )}
      <Card title="Block" lead="Shuts this app out for everyone here. Can be undone.">
        <BlockConfirm client={client} />
      </Card>
    </>
  )
}

const Apps = (p: { client: ClientPageProps['client']; control: ManyStanding }) => {
  const { apps, users, paused } = p.control
  const met = appsInWords(apps, users)
  return (
    <Card title="Its connected apps" id="control" lead={apps === 0 ? 'Nobody lets it in now.' : met}>
      <Many
        path={`/admin/clients/${p.client.id}`}
        apps={apps}
        paused={paused}
        all={apps === 1 ? 'it' : 'them all'}
        pausing="While they are paused each is told so, and keeps what it was allowed. So is any that is let in meanwhile."
        revoke={{
          label: 'Revoke all',
          confirm: `Revoke ${appsInWords(apps)}`,
          question: (
            <>
              Revoke every <strong>{foreign(p.client.name, 40)}</strong> of everyone here?
            </>
          ),
          consequences: [`${met} ${apps === 1 ? 'is' : 'are'} shut out at once`, 'Each has to ask its user again'],
        }}
      />
    </Card>
  )
}

const Remove = ({ client }: { client: ClientPageProps['client'] }) => (
  <Card title="Delete" tone="danger" lead="Forgets this app and ends whatever it was allowed.">
    <Confirm
      label="Delete"
      icon="trash"
      confirm={`Delete ${foreign(client.name, 40)}`}
      action={`/admin/clients/${client.id}/remove`}
      question={
        <>
          Delete <strong>{foreign(client.name, 40)}</strong>?
        </>
      }
      consequences={[
        client.apps === 0 ? 'No connected app ends: nobody lets it in' : `Ends ${reachOf(client)}, at once`,
        client.kind === 'registered' ? 'Its client ID and secret stop working for good' : 'To come back it has to register and ask anew',
        'What it did stays in the activity, under its name',
      ]}
    />
  </Card>
)

export const ClientPage = (p: ClientPageProps) => (
  <Layout shell={p.shell} title={foreign(p.client.name, 60)} current="admin">
    <PageHead
      back={{ href: '/admin/clients', label: 'Registered apps' }}
      title={<bdi>{foreign(p.client.name, 60) || 'An app without a name'}</bdi>}
      badge={<ClientStatus state={p.client.state} />}
    />
    <div class="split">
      <div class="stack">
        <Users users={p.users} />
        <Redirects uris={p.client.redirectUris} />
      </div>
      <div class="stack">
        <About client={p.client} />
        <Decide client={p.client} />
        <Apps client={p.client} control={p.control} />
        <Remove client={p.client} />
      </div>
    </div>
  </Layout>
)
