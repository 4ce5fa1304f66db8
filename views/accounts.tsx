/**
 * A user's accounts at providers.
 * GET /connections/accounts/:provider/sign-in — account: signs that one in anew. connection: it will use the account.
 * POST /connections/accounts/:provider/sign-in — account, connection (may be empty), scope (once for each that is on), more (separated
 *   by spaces), seen (the mark of the connection as it was shown): goes to the provider.
 * POST /connections/accounts/disconnect — account.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status, type Tone } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { Empty } from './parts/empty.tsx'
import { Switch, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { ConnectionsPlaces } from './parts/places.tsx'
import { Ago } from './parts/time.tsx'
import { ActionsHead } from './parts/table.tsx'

export type AccountState = 'ok' | 'failing' | 'dead'
export type AccountSummary = {
  id: string
  provider: { id: string; title: string }
  /** As the provider says. */
  name: string | null
  state: AccountState
  problem: string | null
  /** Null where the provider does not say. */
  expiresAt: number | null
  isRenewed: boolean
  connections: readonly { id: string; name: string }[]
}
export type AccountsPageProps = {
  shell: Shell
  accounts: readonly AccountSummary[]
  providers: readonly { id: string; title: string }[]
  isAdmin: boolean
}

const STATES: Record<AccountState, readonly [word: string, tone: Tone]> = {
  ok: ['Signed in', 'ok'],
  failing: ['Not renewed', 'warning'],
  dead: ['Signed out over there', 'danger'],
}
export const AccountStatus = (p: { state: AccountState }) => <Status tone={STATES[p.state][1]}>{STATES[p.state][0]}</Status>

/** How long, in the few words that a cell has. */
export const Lasts = (p: { expiresAt: number | null; isRenewed: boolean }) => {
  if (p.isRenewed) return <>renews itself</>
  return p.expiresAt === null ? <>until you disconnect it</> : <Ago at={p.expiresAt} />
}

export const nameOf = (account: Pick<AccountSummary, 'name'>): string =>
  account.name === null ? 'unnamed account' : foreign(account.name, 80)

const Disconnect = ({ account }: { account: AccountSummary }) => (
  <Confirm
    place="row"
    label="Disconnect"
    confirm={`Disconnect ${nameOf(account)}`}
    action="/connections/accounts/disconnect"
    fields={{ account: account.id }}
    question={
      <>
        Disconnect <strong>{nameOf(account)}</strong>?
      </>
    }
    consequences={[
      'What Toolpass holds for it is destroyed, and ended over there where that is offered',
      account.connections.length === 0
        ? 'No connection uses it'
        : `${account.connections.map(({ name }) => foreign(name, 60)).join(', ')} cannot be used until you choose another account`,
    ]}
  />
)

const Row = ({ account }: { account: AccountSummary }) => (
  <tr>
    <td class="cell-main">
      <span class="strong break">
        <bdi>{nameOf(account)}</bdi>
      </span>
      <p class="cell-note">{foreign(account.provider.title, 60)}</p>
      {account.problem && <p class={account.state === 'dead' ? 'cell-danger' : 'cell-warning'}>{foreign(account.problem, 200)}</p>}
    </td>
    <td>
      <AccountStatus state={account.state} />
    </td>
    <td data-label="Lasts" class="nowrap">
      {account.state === 'dead' ? <span class="muted">no longer</span> : <Lasts {...account} />}
    </td>
    <td data-label="Used by" class="cell-name">
      {account.connections.length === 0 ? (
        <span class="muted">nothing yet</span>
      ) : (
        account.connections.map(({ id, name }) => (
          <a class="cell-link" href={`/connections/${id}`}>
            <bdi>{foreign(name, 60)}</bdi>
          </a>
        ))
      )}
    </td>
    <td class="cell-actions">
      <div class="actions">
        <LinkButton href={`/connections/accounts/${account.provider.id}/sign-in?account=${account.id}`} tone="quiet">
          {account.state === 'ok' ? 'Change' : 'Sign in again'}
        </LinkButton>
        <Disconnect account={account} />
      </div>
    </td>
  </tr>
)

const Providers = (p: Pick<AccountsPageProps, 'providers' | 'isAdmin'>) => (
  <Card title="Connect an account" lead="You sign in there; no password comes near Toolpass.">
    {p.providers.length === 0 ? (
      <p>No provider is set up here yet. {p.isAdmin ? <a href="/admin/providers">Set one up</a> : 'An administrator can do that.'}</p>
    ) : (
      <ul class="choices">
        {p.providers.map(({ id, title }) => (
          <li class="choice">
            <Icon name="user" />
            <div>
              <h3>
                <a class="tile-link" href={`/connections/accounts/${id}/sign-in`}>
                  {foreign(title, 60)}
                </a>
              </h3>
            </div>
          </li>
        ))}
      </ul>
    )}
  </Card>
)

export const AccountsPage = (p: AccountsPageProps) => (
  <Layout shell={p.shell} title="Accounts" current="connections">
    <PageHead title="Accounts" lead="Yours alone. A connection uses one only when you choose it on the connection’s page." />
    <ConnectionsPlaces current="/connections/accounts" />
    <Card flush={true}>
      {p.accounts.length === 0 ? (
        <Empty icon="user" title="No account yet">
          Sign in to a service once, and use the account in any of your connections: as a header, a setting or a variable.
        </Empty>
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Status</th>
              <th scope="col">Lasts</th>
              <th scope="col">Used by</th>
              <ActionsHead />
            </tr>
          </thead>
          <tbody>
            {p.accounts.map((account) => (
              <Row account={account} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
    <Providers {...p} />
  </Layout>
)

export type AccountSignInPageProps = {
  shell: Shell
  provider: { id: string; title: string }
  scopes: readonly { name: string; description: string; on: boolean }[]
  /** Asked for in any case. */
  always: readonly string[]
  /** Scopes of the account that are not in the list. */
  more: string
  /** To be signed in anew. */
  account?: { id: string; name: string | null } | undefined
  /** Will use the account. */
  connection?: { id: string; name: string; leadsTo: string; mark: string } | undefined
}

const Scope = (p: { scope: AccountSignInPageProps['scopes'][number]; at: number }) => (
  <li class="scope">
    <label class="switch-line" for={`scope-${p.at}`}>
      <Switch name="scope" on={p.scope.on} attributes={{ id: `scope-${p.at}`, value: p.scope.name }} />
      <span>
        {foreign(p.scope.description, 300)} <span class="cell-note mono">{foreign(p.scope.name, 200)}</span>
      </span>
    </label>
  </li>
)

export const AccountSignInPage = (p: AccountSignInPageProps) => (
  <Layout shell={p.shell} title={`Sign in to ${foreign(p.provider.title, 60)}`} current="connections">
    <PageHead
      back={
        p.connection
          ? { href: `/connections/${p.connection.id}`, label: foreign(p.connection.name, 60) }
          : { href: '/connections/accounts', label: 'Accounts' }
      }
      title={
        <>
          Sign in to <bdi>{foreign(p.provider.title, 60)}</bdi>
        </>
      }
      lead={
        p.account ? (
          <>
            Signs <strong>{nameOf(p.account)}</strong> in anew. With another account over there, that one takes its place.
          </>
        ) : p.connection ? (
          <>
            The account will be used by <strong>{foreign(p.connection.name, 60)}</strong>, which leads to{' '}
            <span class="mono break">{foreign(p.connection.leadsTo, 200)}</span>.
          </>
        ) : undefined
      }
    />
    <Card title="What it may do" lead="Ask for as little as the connection needs. You can add more later.">
      <form class="stack" method="post" action={`/connections/accounts/${p.provider.id}/sign-in`}>
        <input type="hidden" name="account" value={p.account?.id ?? ''} />
        <input type="hidden" name="connection" value={p.connection?.id ?? ''} />
        <input type="hidden" name="seen" value={p.connection?.mark ?? ''} />
        {p.always.length > 0 && (
          <p>
            Always asked for: <span class="mono break">{foreign(p.always.join(' '), 500)}</span>
          </p>
        )}
        {p.scopes.length > 0 && (
          <ul class="scopes">
            {p.scopes.map((scope, at) => (
              <Scope scope={scope} at={at} />
            ))}
          </ul>
        )}
        <div class="narrow">
          <TextField
            name="more"
            label="Other scopes"
            value={p.more}
            optional={true}
            mono={true}
            hint="By their names over there, separated by spaces."
          />
        </div>
        <div class="actions">
          <Button tone="primary" icon="log-in">
            Go to {foreign(p.provider.title, 60)}
          </Button>
          <LinkButton href={p.connection ? `/connections/${p.connection.id}` : '/connections/accounts'} tone="quiet">
            Cancel
          </LinkButton>
        </div>
      </form>
    </Card>
  </Layout>
)
