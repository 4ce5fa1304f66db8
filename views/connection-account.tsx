/**
 * The account at a provider that a connection uses.
 * POST /connections/:id/account/use — provider, place (header | env | setting:FIELD), name, format: makes it one that uses accounts.
 * POST /connections/:id/account/end — back to its own settings.
 * POST /connections/:id/account/choose — account (empty: none), seen (the mark): the reader's own, for their own use of it.
 */
import { AccountStatus, type AccountState, Lasts, nameOf } from './accounts.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, Facts } from './parts/card.tsx'
import { RadioField, SelectField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Status } from './parts/badge.tsx'

export type PlaceChoice = { value: string; label: string; wants: 'name' | 'name-and-format' | 'nothing' }
export type ConnectionAccountProps = {
  connectionId: string
  /** Of its settings as the page shows them. */
  mark: string
  /** Whether the reader may say that it uses accounts, and where the token goes. */
  mayChange: boolean
  /** Providers that are set up here. */
  providers: readonly { id: string; title: string }[]
  places: readonly PlaceChoice[]
  /** Absent for a connection that uses its own settings. */
  use?:
    | {
        provider: { id: string; title: string }
        /** In words: where the token goes. */
        place: string
        /** Whether it goes with the reader's own account, which is for them to choose. */
        isOwn: boolean
        /** The one in use, as far as it is there. */
        account?:
          | { id: string; name: string | null; state: AccountState; problem: string | null; expiresAt: number | null; isRenewed: boolean }
          | undefined
        /** The reader's own at this provider. */
        accounts: readonly { id: string; name: string | null }[]
      }
    | undefined
}

const Setting = (p: ConnectionAccountProps) => {
  const [first] = p.places
  const wantsName = p.places.some(({ wants }) => wants !== 'nothing')
  const wantsFormat = p.places.some(({ wants }) => wants === 'name-and-format')
  const isHeader = first?.value === 'header'
  return (
    <form class="stack narrow" method="post" action={`/connections/${p.connectionId}/account/use`}>
      <SelectField
        name="provider"
        label="Provider"
        scope="account"
        value={p.use?.provider.id}
        options={p.providers.map(({ id, title }) => ({ value: id, label: foreign(title, 60) }))}
      />
      {p.places.length === 1 ? (
        <input type="hidden" name="place" value={first?.value} />
      ) : (
        <RadioField name="place" label="Where its token goes" scope="account" value={first?.value} options={p.places} />
      )}
      {wantsName && (
        <TextField
          name="name"
          label={p.places.length > 1 ? 'Name of the header, variable or entry' : (first?.label ?? 'Name')}
          scope="account"
          mono={true}
          optional={isHeader}
          placeholder={isHeader ? 'Authorization' : first?.value === 'env' ? 'GITHUB_TOKEN' : ''}
          hint={isHeader ? 'Authorization, if left empty.' : undefined}
        />
      )}
      {wantsFormat && (
        <TextField
          name="format"
          label="What the header says"
          scope="account"
          mono={true}
          optional={true}
          placeholder="Bearer {token}"
          hint="With {token} where the token goes. For a header alone."
        />
      )}
      <div class="actions">
        <Button>{p.use ? 'Save' : 'Use accounts'}</Button>
      </div>
    </form>
  )
}

const SignIn = (p: { use: NonNullable<ConnectionAccountProps['use']>; connectionId: string }) => (
  <LinkButton
    href={`/connections/accounts/${p.use.provider.id}/sign-in?connection=${p.connectionId}`}
    tone={p.use.accounts.length === 0 ? 'primary' : 'quiet'}
    icon="log-in"
  >
    Sign in to {p.use.accounts.length === 0 ? foreign(p.use.provider.title, 60) : 'another account'}
  </LinkButton>
)

const Chosen = ({ use, connectionId, mark }: { use: NonNullable<ConnectionAccountProps['use']>; connectionId: string; mark: string }) =>
  use.accounts.length === 0 ? (
    <div class="actions">
      <SignIn use={use} connectionId={connectionId} />
    </div>
  ) : (
    <form class="stack narrow" method="post" action={`/connections/${connectionId}/account/choose`}>
      <input type="hidden" name="seen" value={mark} />
      <SelectField
        name="account"
        label="Your account"
        scope="choose"
        value={use.account?.id ?? ''}
        options={[{ value: '', label: 'None' }, ...use.accounts.map(({ id, name }) => ({ value: id, label: nameOf({ name }) }))]}
      />
      <div class="actions">
        <Button tone={use.account ? 'secondary' : 'primary'}>Use this account</Button>
        <SignIn use={use} connectionId={connectionId} />
      </div>
    </form>
  )

const Using = (p: ConnectionAccountProps & { use: NonNullable<ConnectionAccountProps['use']> }) => (
  <Card
    id="account"
    title="Account"
    actions={p.use.account ? <AccountStatus state={p.use.account.state} /> : <Status tone="warning">No account chosen</Status>}
    lead={
      p.use.isOwn
        ? 'What you do with this connection is done by the account that you choose here.'
        : 'It is used with the account of its owner.'
    }
  >
    <div class="stack">
      {p.use.account?.problem && (
        <Notice tone={p.use.account.state === 'dead' ? 'danger' : 'warning'}>{foreign(p.use.account.problem, 300)}</Notice>
      )}
      <Facts
        items={[
          ['Provider', <bdi>{foreign(p.use.provider.title, 60)}</bdi>],
          ['Its token goes into', p.use.place],
          ...(p.use.account && p.use.isOwn
            ? ([
                ['Account', <bdi>{nameOf(p.use.account)}</bdi>],
                ['Lasts', <Lasts {...p.use.account} />],
              ] as const)
            : []),
        ]}
      />
      {p.use.isOwn && <Chosen use={p.use} connectionId={p.connectionId} mark={p.mark} />}
      {p.mayChange && (
        <details class="fold">
          <summary>Another provider or place</summary>
          <div class="stack">
            <p class="hint">Everybody who uses this connection chooses an account anew.</p>
            <Setting {...p} />
            <form method="post" action={`/connections/${p.connectionId}/account/end`}>
              <Button>Use its own settings instead</Button>
            </form>
          </div>
        </details>
      )}
    </div>
  </Card>
)

export const ConnectionAccount = (p: ConnectionAccountProps) => {
  if (p.use) return <Using {...p} use={p.use} />
  return (
    <Card id="account" title="Account" lead="Instead of a key in its settings, it can use an account that is signed in once at a provider.">
      <details class="fold">
        <summary>Use an account</summary>
        <Setting {...p} />
      </details>
    </Card>
  )
}
