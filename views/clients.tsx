/**
 * Every app that registered here, however it came; for administrators only.
 * GET /admin/clients — q, kind, state (all may be empty), page.
 * POST /admin/clients/policy — admits (everyone | approved | listed).
 * POST /admin/clients/:id/approve, /block, /unblock — `from=list`; the reply to htmx is `<ClientRow …/>`.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status, type Tone } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { Empty } from './parts/empty.tsx'
import { type Option, RadioField, SelectField, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { AdminPlaces } from './parts/places.tsx'
import { Ago, AgoOr } from './parts/time.tsx'
import { ActionsHead } from './parts/table.tsx'

export type ClientKind = 'dynamic' | 'registered' | 'document' | 'script'
export type ClientState = 'admitted' | 'waits' | 'not-listed' | 'blocked'
export type Policy = 'everyone' | 'approved' | 'listed'

const STATES: Record<ClientState, readonly [word: string, tone: Tone]> = {
  admitted: ['Admitted', 'ok'],
  waits: ['Waits for approval', 'warning'],
  'not-listed': ['Not listed', 'neutral'],
  blocked: ['Blocked', 'danger'],
}
const KINDS: Record<ClientKind, string> = {
  dynamic: 'Registered itself',
  registered: 'Registered by an administrator',
  document: 'Metadata document',
  script: 'Access token',
}

export type ClientSummary = {
  id: string
  /** The client's own word for itself. */
  name: string
  kind: ClientKind
  /** How it is known, in words ("metadata document at claude.ai"). */
  verification: string
  state: ClientState
  /** Where it may send people back to: hosts, or schemes of an app's own addresses. */
  redirectHosts: readonly string[]
  createdAt: number
  lastUsedAt: number | null
  /** Users who let it in, and in how many connected apps; those that hold now. */
  users: number
  apps: number
}

export const ClientStatus = (p: { state: ClientState }) => {
  const [word, tone] = STATES[p.state]
  return <Status tone={tone}>{word}</Status>
}

type Acting = { client: Pick<ClientSummary, 'id' | 'name' | 'users' | 'apps'>; list?: boolean }
const LIST = { from: 'list' }
const targetOf = ({ client, list }: Acting) => (list ? `#client-${client.id}` : undefined)

/** "3 connected apps of 2 users", the measure of what a decision here touches. */
export const reachOf = ({ apps, users }: Acting['client']): string => `${plural(apps, 'connected app')} of ${plural(users, 'user')}`

export const BlockConfirm = (p: Acting) => (
  <Confirm
    place={p.list ? 'row' : 'block'}
    label="Block"
    confirm={`Block ${foreign(p.client.name, 40)}`}
    action={`/admin/clients/${p.client.id}/block`}
    fields={p.list ? LIST : {}}
    target={targetOf(p)}
    question={
      <>
        Block <strong>{foreign(p.client.name, 40)}</strong> for everyone here?
      </>
    }
    consequences={[
      p.client.apps === 0 ? 'Nobody has let it in' : `Shuts out ${reachOf(p.client)}, on their very next request`,
      'Open streams close now',
      'Nothing is deleted: unblock it, and they work again',
    ]}
  />
)

const Plain = (p: Acting & { deed: 'approve' | 'unblock'; children: string }) => {
  const action = `/admin/clients/${p.client.id}/${p.deed}`
  const target = targetOf(p)
  return (
    <form
      method="post"
      action={action}
      hx-post={target && action}
      hx-target={target}
      hx-swap={target && 'outerHTML'}
      hx-disable={target && 'find button'}
    >
      {p.list && <input type="hidden" name="from" value="list" />}
      <Button tone={p.list ? 'quiet' : 'secondary'}>{p.children}</Button>
    </form>
  )
}

export const Approve = (p: Acting) => (
  <Plain {...p} deed="approve">
    Approve
  </Plain>
)
export const Unblock = (p: Acting) => (
  <Plain {...p} deed="unblock">
    Unblock
  </Plain>
)

const HOSTS_SHOWN_MAX = 2

export const Hosts = (p: { hosts: readonly string[] }) => {
  if (p.hosts.length === 0) return <span class="muted">nowhere</span>
  const more = p.hosts.length - HOSTS_SHOWN_MAX
  return (
    <>
      {p.hosts.slice(0, HOSTS_SHOWN_MAX).map((host) => (
        <span class="cell-host">{foreign(host, 40)}</span>
      ))}
      {more > 0 && <span class="cell-note"> and {more} more</span>}
    </>
  )
}

/** Also the reply to approve, block and unblock from the list. */
export const ClientRow = ({ client }: { client: ClientSummary }) => (
  <tr id={`client-${client.id}`} class={client.state === 'blocked' ? 'row-past' : undefined}>
    <td class="cell-main">
      <a class="strong break" href={`/admin/clients/${client.id}`}>
        <bdi>{foreign(client.name, 60) || 'An app without a name'}</bdi>
      </a>
      <p class="cell-note">{foreign(client.verification, 80)}</p>
    </td>
    <td>
      <ClientStatus state={client.state} />
    </td>
    <td data-label="Sends back to" class="cell-hosts">
      <Hosts hosts={client.redirectHosts} />
    </td>
    <td data-label="Registered" class="nowrap">
      <Ago at={client.createdAt} />
    </td>
    <td data-label="Users" class="number">
      {client.users}
    </td>
    <td data-label="Last used" class="nowrap">
      <AgoOr at={client.lastUsedAt} none="never" />
    </td>
    <td class="cell-actions">
      <div class="actions">
        {(client.state === 'waits' || client.state === 'not-listed') && <Approve client={client} list={true} />}
        {client.state === 'blocked' ? <Unblock client={client} list={true} /> : <BlockConfirm client={client} list={true} />}
      </div>
    </td>
  </tr>
)

export type ClientsPageProps = {
  shell: Shell
  clients: readonly ClientSummary[]
  /** How many fit the filter, on all its pages. */
  total: number
  filter: { q?: string | undefined; kind?: string | undefined; state?: string | undefined }
  filtered: boolean
  /** How many wait for approval, whatever the filter. */
  waiting: number
  policy: Policy
  earlierHref?: string | undefined
  laterHref?: string | undefined
}

const ALL: Option = { value: '', label: 'All' }

const Filter = (p: ClientsPageProps) => (
  <form method="get" action="/admin/clients" class="filter">
    <TextField name="q" label="Name or address" value={p.filter.q ?? ''} lengthMax={200} />
    <SelectField
      name="kind"
      label="How it came"
      value={p.filter.kind ?? ''}
      options={[ALL, ...Object.entries(KINDS).map(([value, label]) => ({ value, label }))]}
    />
    <SelectField
      name="state"
      label="State"
      value={p.filter.state ?? ''}
      options={[ALL, ...Object.entries(STATES).map(([value, [label]]) => ({ value, label }))]}
    />
    <div class="actions">
      <Button>Find</Button>
      {p.filtered && (
        <LinkButton href="/admin/clients" tone="quiet">
          Clear
        </LinkButton>
      )}
    </div>
  </form>
)

const POLICIES: readonly Option[] = [
  { value: 'everyone', label: 'Every app', hint: 'Each user decides alone, on the page that asks them.' },
  {
    value: 'approved',
    label: 'Apps that an administrator approved',
    hint: 'A new app can register and waits here. What is in use now counts as approved.',
  },
  {
    value: 'listed',
    label: 'Only apps that an administrator listed',
    hint: 'You register it here, or list its metadata document, beforehand. Any other is turned away. What is in use now stays.',
  },
]

const PolicyCard = (p: { policy: Policy }) => (
  <Card id="policy" title="Which apps may ask" lead="Who is let in is always for each user to decide. This says who may ask them.">
    <form class="stack" method="post" action="/admin/clients/policy">
      <RadioField name="admits" label="Users here may be asked by" value={p.policy} options={POLICIES} />
      <div class="actions">
        <Button>Save</Button>
      </div>
    </form>
  </Card>
)

const HEAD = (
  <thead>
    <tr>
      <th scope="col">App</th>
      <th scope="col">State</th>
      <th scope="col">Sends back to</th>
      <th scope="col">Registered</th>
      <th scope="col" class="number">
        Users
      </th>
      <th scope="col">Last used</th>
      <ActionsHead />
    </tr>
  </thead>
)

const Nothing = (p: { filtered: boolean }) =>
  p.filtered ? (
    <Empty icon="app-window" title="Nothing fits" action={<LinkButton href="/admin/clients">Show all</LinkButton>}>
      No app of this name, kind and state is registered.
    </Empty>
  ) : (
    <Empty icon="app-window" title="No app registered yet" action={<LinkButton href="/profiles">Choose a profile to connect</LinkButton>}>
      Most apps register themselves when somebody gives them the link of a profile. For one that cannot, register it above.
    </Empty>
  )

export const ClientsPage = (p: ClientsPageProps) => (
  <Layout shell={p.shell} title="Registered apps" current="admin">
    <PageHead
      title="Registered apps"
      lead="Every app that may ask users here to let it in. What it can do is in each user's connected apps, not here."
      actions={
        <LinkButton href="/admin/clients/new" tone="primary" icon="plus">
          Register an app
        </LinkButton>
      }
    />
    <AdminPlaces current="/admin/clients" />
    {p.waiting > 0 && p.filter.state !== 'waits' && (
      <Notice tone="warning" title={`${plural(p.waiting, 'app')} ${p.waiting === 1 ? 'waits' : 'wait'} for approval`}>
        <a href="/admin/clients?state=waits">Look at {p.waiting === 1 ? 'it' : 'them'}</a>
      </Notice>
    )}
    {(p.filtered || p.clients.length > 0) && <Filter {...p} />}
    <Card flush={true}>
      {p.clients.length === 0 ? (
        <Nothing filtered={p.filtered} />
      ) : (
        <table class="table table-clients">
          {HEAD}
          <tbody>
            {p.clients.map((client) => (
              <ClientRow client={client} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
    <nav class="pager" aria-label="Pages">
      {p.total > p.clients.length && <span class="pager-note">{plural(p.total, 'app')}</span>}
      {p.earlierHref && <LinkButton href={p.earlierHref}>Newer</LinkButton>}
      {p.laterHref && <LinkButton href={p.laterHref}>Older</LinkButton>}
    </nav>
    <PolicyCard policy={p.policy} />
  </Layout>
)
