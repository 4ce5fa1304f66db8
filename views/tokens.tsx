/**
 * Access tokens that a person makes for scripts, and for clients that have a field for a header but no OAuth.
 * GET /apps/tokens/new — profile: which one; without it, and with several, the page asks.
 * POST /apps/tokens — profile, name, tool_id (once for each that is on), expires (day | month | year | never). Answered by
 *   `TokenMadePage`, the only place where the token is ever shown.
 * POST /apps/tokens/:id/revoke — the reply to htmx is `<TokenRow …/>`, now revoked.
 */
import { type AppStatus, AppStatusWord } from './apps.tsx'
import { ConsentTools, type ConsentTool, ToolsCost } from './consent-tools.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { Empty } from './parts/empty.tsx'
import { FieldError, FormProblem, type FormState, RadioField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { Notice } from './parts/notice.tsx'
import { type Amounts, amountInWords, isNothing } from './parts/offered.tsx'
import { AppsPlaces } from './parts/places.tsx'
import { Ago, AgoOr } from './parts/time.tsx'
import { ActionsHead } from './parts/table.tsx'

export type TokenSummary = {
  /** The grant behind it. */
  id: string
  name: string
  profile: string
  holds: Amounts
  status: AppStatus
  createdAt: number
  lastUsedAt: number | null
  /** Null: until revoked. */
  expiresAt: number | null
}

const NEW = (
  <LinkButton href="/apps/tokens/new" tone="primary" icon="plus">
    Make a token
  </LinkButton>
)

/** Also the reply to POST /apps/tokens/:id/revoke. */
export const TokenRow = ({ token }: { token: TokenSummary }) => {
  const alive = token.status === 'active' || token.status === 'paused'
  return (
    <tr id={`token-${token.id}`} class={alive ? undefined : 'row-past'}>
      <td class="cell-main">
        <a class="strong break" href={`/apps/${token.id}`}>
          <bdi>{foreign(token.name, 60)}</bdi>
        </a>
      </td>
      <td>
        <AppStatusWord status={token.status} />
      </td>
      <td data-label="Profile" class="cell-name">
        {foreign(token.profile, 40)}
        <span class="cell-note"> {amountInWords(token.holds)}</span>
      </td>
      <td data-label="Made" class="nowrap">
        <Ago at={token.createdAt} />
      </td>
      <td data-label="Last used" class="nowrap">
        <AgoOr at={token.lastUsedAt} none="never" />
      </td>
      <td data-label="Ends" class="nowrap">
        <AgoOr at={token.expiresAt} none="when revoked" />
      </td>
      <td class="cell-actions">{alive && <RevokeToken token={token} />}</td>
    </tr>
  )
}

const RevokeToken = ({ token }: { token: TokenSummary }) => (
  <Confirm
    place="row"
    label="Revoke"
    confirm={`Revoke ${foreign(token.name, 40)}`}
    action={`/apps/tokens/${token.id}/revoke`}
    target={`#token-${token.id}`}
    question={
      <>
        Revoke <strong>{foreign(token.name, 40)}</strong>?
      </>
    }
    consequences={['Whatever uses it is shut out on its very next request', 'Open streams close now', 'It cannot be brought back']}
  />
)

export type TokensPageProps = { shell: Shell; tokens: readonly TokenSummary[] }

export const TokensPage = (p: TokensPageProps) => (
  <Layout shell={p.shell} title="Access tokens" current="apps">
    <PageHead
      title="Access tokens"
      lead="For scripts of your own, and for clients that take a header but cannot sign in. Each is good for one profile and the tools you choose."
      actions={p.tokens.length > 0 && NEW}
    />
    <AppsPlaces current="/apps/tokens" />
    <Card flush={true}>
      {p.tokens.length === 0 ? (
        <Empty icon="terminal" title="No token yet" action={NEW}>
          Apps that can sign in need none: give them the link of a profile. A token is for what has no browser.
        </Empty>
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Status</th>
              <th scope="col">Profile</th>
              <th scope="col">Made</th>
              <th scope="col">Last used</th>
              <th scope="col">Ends</th>
              <ActionsHead />
            </tr>
          </thead>
          <tbody>
            {p.tokens.map((token) => (
              <TokenRow token={token} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  </Layout>
)

const BACK = { href: '/apps/tokens', label: 'Access tokens' }

export type TokenProfilePageProps = { shell: Shell; profiles: readonly { id: string; title: string; holds: Amounts }[] }

/** The first question, where there are several answers. */
export const TokenProfilePage = (p: TokenProfilePageProps) => (
  <Layout shell={p.shell} title="Make a token" current="apps">
    <PageHead back={BACK} title="Make a token" lead="For which profile? The token is good there and nowhere else." />
    <div class="choices">
      {p.profiles.map((profile) => (
        <div class="choice">
          <Icon name="layers" />
          <div>
            <h2>
              <a class="tile-link" href={`/apps/tokens/new?profile=${profile.id}`}>
                {foreign(profile.title, 64)}
              </a>
            </h2>
            <p>{isNothing(profile.holds) ? 'No tools yet' : amountInWords(profile.holds)}</p>
          </div>
        </div>
      ))}
    </div>
  </Layout>
)

export type NewTokenPageProps = {
  shell: Shell
  profile: { id: string; title: string; url: string }
  /** There are others to choose from. */
  several: boolean
  tools: readonly ConsentTool[]
  searchCost?: number | undefined
  form?: FormState | undefined
}

const EXPIRIES = [
  { value: 'day', label: '1 day' },
  { value: 'month', label: '30 days' },
  { value: 'year', label: '1 year' },
  { value: 'never', label: 'Until revoked' },
]

export const NewTokenPage = (p: NewTokenPageProps) => {
  return (
    <Layout shell={p.shell} title="Make a token" current="apps">
      <PageHead
        back={BACK}
        title="Make a token"
        lead={
          <>
            For <strong>{foreign(p.profile.title, 64)}</strong> at <code class="break">{p.profile.url}</code>.{' '}
            {p.several && <a href="/apps/tokens/new">Choose another profile</a>}
          </>
        }
      />
      {p.tools.length === 0 ? (
        <Card>
          <Empty
            icon="layers"
            title="This profile has no tools yet"
            action={
              <LinkButton href={`/profiles/${p.profile.id}`} tone="primary">
                Pick tools
              </LinkButton>
            }
          >
            A token lets a script use tools. Pick some for the profile first, then come back.
          </Empty>
        </Card>
      ) : (
        <form class="token-form" method="post" action="/apps/tokens" data-recount={true}>
          <input type="hidden" name="profile" value={p.profile.id} />
          <FormProblem form={p.form} />
          <TextField
            name="name"
            label="Name"
            form={p.form}
            required={true}
            lengthMax={60}
            placeholder="Nightly report"
            hint="What will use it. It stands beside each call in the activity."
          />
          {p.form?.errors?.['tool_id'] && <FieldError>{p.form.errors['tool_id']}</FieldError>}
          <ConsentTools tools={p.tools} title="What it may use" />
          <ToolsCost tools={p.tools} searchCost={p.searchCost} />
          <RadioField name="expires" label="Until when" value="month" form={p.form} options={EXPIRIES} inline={true} />
          <div class="actions">
            <Button tone="primary">Make token</Button>
            <LinkButton href="/apps/tokens" tone="quiet">
              Cancel
            </LinkButton>
          </div>
        </form>
      )}
    </Layout>
  )
}

export type TokenMadePageProps = {
  shell: Shell
  token: { id: string; name: string; secret: string; profile: string; expiresAt: number | null }
  /** Ready to paste, with the token inside. */
  curl: string
  configuration: string
}

export const TokenMadePage = (p: TokenMadePageProps) => (
  <Layout shell={p.shell} title="Token made" current="apps">
    <PageHead
      back={BACK}
      title={<bdi>{foreign(p.token.name, 60)}</bdi>}
      lead={
        <>
          A token for <strong>{foreign(p.token.profile, 64)}</strong>.{' '}
          {p.token.expiresAt === null ? (
            'It is good until you revoke it.'
          ) : (
            <>
              It ends <Ago at={p.token.expiresAt} />.
            </>
          )}
        </>
      }
    />
    <Notice tone="warning" alert={true} title="This is the only time the token is shown">
      Toolpass keeps no copy of it. Whoever has it can use these tools in your name: keep it where you keep passwords.
    </Notice>
    <Card title="Token">
      <CopyBlock text={p.token.secret} label="token" />
    </Card>
    <Card title="Try it" lead="Lists the tools. A real script reads the token from a file or its environment.">
      <CopyBlock text={p.curl} label="curl command" multiline={true} />
    </Card>
    <Card title="In a client that takes headers" lead="Most read their servers from a JSON file like this one.">
      <CopyBlock text={p.configuration} label="configuration" multiline={true} />
    </Card>
    <div class="actions">
      <LinkButton href="/apps/tokens">I have kept it</LinkButton>
    </div>
  </Layout>
)
