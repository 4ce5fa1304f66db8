/**
 * Signing in to the server of a connection.
 * POST /connections/:id/sign-in — popup (1 where a window of its own was opened): goes to the authorization server.
 * POST /connections/:id/sign-out
 * POST /connections/:id/sign-in/paste — address: what the browser showed in the end.
 * POST /connections/:id/sign-in/client — client_id, client_secret, issuer (may be empty).
 * POST /connections/:id/sign-in/options — scopes (one a line), grant (code | client_credentials), return_by (callback | paste).
 */
import { Bare, type BareShell } from './layout.tsx'
import { Badge, type Tone } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, Facts } from './parts/card.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { type FormState, FormProblem, RadioField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Ago } from './parts/time.tsx'

export type SignInCardProps = {
  connectionId: string
  state: 'needs-sign-in' | 'signed-in' | 'failing' | 'dead' | 'needs-scope'
  problem?: string | undefined
  expiresAt?: number | undefined
  /** Ahead of its end, by itself. */
  isRenewed: boolean
  scopes: readonly string[]
  /** The host of the authorization server. */
  issuer?: string | undefined
  client?: { how: 'document' | 'dynamic' | 'registered'; id: string } | undefined
  /** Where an authorization server has to send people back to; for registering a client there by hand. */
  callback: string
  /** Whether the reader may change how it is done; anybody may sign in for themselves where each has their own. */
  mayChange: boolean
  options: { scopes: readonly string[]; grant: 'code' | 'client_credentials'; returnBy: 'callback' | 'paste' }
  form?: FormState | undefined
}

const STATES: Record<SignInCardProps['state'], readonly [word: string, tone: Tone]> = {
  'needs-sign-in': ['Sign-in needed', 'warning'],
  'signed-in': ['Signed in', 'ok'],
  failing: ['Not renewed', 'warning'],
  dead: ['Signed out over there', 'danger'],
  'needs-scope': ['Needs more permission', 'warning'],
}
const CLIENTS = {
  document: 'by its own metadata document',
  dynamic: 'registered itself there',
  registered: 'registered by hand',
} as const

const LEADS = {
  renewed: 'Toolpass renews it by itself, ahead of its end.',
  ends: 'The server gives no way to renew it: sign in again before it ends.',
  out: 'This server wants to know who uses it.',
}

/** A window of its own where there is a script, the same one where there is none; both come back to the connection. */
const Start = (p: { id: string; label: string; tone: 'primary' | 'secondary' }) => (
  <form method="post" action={`/connections/${p.id}/sign-in`} data-popup="toolpass-sign-in">
    <Button tone={p.tone} icon="log-in">
      {p.label}
    </Button>
  </form>
)

const Options = (p: SignInCardProps) => (
  <details class="fold">
    <summary>How it signs in</summary>
    <div class="stack">
      <form class="stack narrow" method="post" action={`/connections/${p.connectionId}/sign-in/options`}>
        <RadioField
          name="grant"
          label="Who signs in"
          value={p.options.grant}
          options={[
            { value: 'code', label: 'A person, in the browser' },
            { value: 'client_credentials', label: 'The connection itself, with a client id and secret' },
          ]}
        />
        <RadioField
          name="return_by"
          label="The way back"
          value={p.options.returnBy}
          options={[
            { value: 'callback', label: 'To this Toolpass' },
            { value: 'paste', label: 'Paste the final address', hint: 'For servers that take loopback addresses only.' },
          ]}
        />
        <TextField
          name="scopes"
          label="Scopes to ask for besides its own"
          value={p.options.scopes.join(' ')}
          optional={true}
          hint="Separated by spaces."
        />
        <div class="actions">
          <Button>Save</Button>
        </div>
      </form>
      <form class="stack narrow" method="post" action={`/connections/${p.connectionId}/sign-in/client`}>
        <h3>A client registered by hand</h3>
        <p class="hint">Where the authorization server does not let Toolpass register itself. Enter this address as redirect URI there:</p>
        <CopyBlock text={p.callback} label="redirect URI" />
        <TextField name="client_id" label="Client id" value={p.client?.how === 'registered' ? p.client.id : ''} form={p.form} />
        <TextField
          name="client_secret"
          label="Client secret"
          value=""
          form={p.form}
          optional={true}
          type="password"
          hint="Kept sealed, and sent to that authorization server alone."
        />
        <div class="actions">
          <Button>Save client</Button>
        </div>
      </form>
    </div>
  </details>
)

export const SignInCard = (p: SignInCardProps) => {
  const [word, tone] = STATES[p.state]
  const isIn = p.state === 'signed-in'
  return (
    <Card
      id="sign-in"
      title="Sign-in"
      actions={<Badge tone={tone}>{word}</Badge>}
      lead={LEADS[isIn ? (p.isRenewed ? 'renewed' : 'ends') : 'out']}
    >
      <div class="stack">
        <FormProblem form={p.form} />
        {p.problem && <Notice tone={p.state === 'dead' ? 'danger' : 'warning'}>{foreign(p.problem, 300)}</Notice>}
        {(p.issuer || p.expiresAt || p.client) && (
          <Facts
            items={[
              ['Signs in at', <code class="break">{foreign(p.issuer ?? 'not known yet', 200)}</code>],
              ['Allowed', p.scopes.length > 0 ? foreign(p.scopes.join(', '), 300) : <span class="muted">what the server gives</span>],
              ['Good until', p.expiresAt ? <Ago at={p.expiresAt} /> : <span class="muted">the server does not say</span>],
              ['Toolpass there', p.client ? CLIENTS[p.client.how] : <span class="muted">not known yet</span>],
            ]}
          />
        )}
        <div class="actions">
          <Start id={p.connectionId} label={isIn ? 'Switch account' : 'Sign in'} tone={isIn ? 'secondary' : 'primary'} />
          {p.state !== 'needs-sign-in' && (
            <form method="post" action={`/connections/${p.connectionId}/sign-out`}>
              <Button icon="log-out">Disconnect</Button>
            </form>
          )}
        </div>
        {p.mayChange && <Options {...p} />}
      </div>
    </Card>
  )
}

/** On the way out. The address is shown, because it is where a password may be asked for. */
export const GoingPage = (p: { shell: BareShell; name: string; to: string; host: string }) => (
  <Bare shell={p.shell} title="Signing in" refresh={p.to}>
    <h1>Going to {foreign(p.host, 120)}</h1>
    <p>
      Sign in there to connect <bdi>{foreign(p.name, 60)}</bdi>. If nothing happens, <a href={p.to}>go there now</a>.
    </p>
  </Bare>
)

export const PastePage = (p: { shell: BareShell; connectionId: string; name: string; to: string; host: string; form?: FormState }) => (
  <Bare shell={p.shell} title="Signing in">
    <h1>
      Sign in to <bdi>{foreign(p.name, 60)}</bdi>
    </h1>
    <p>This server sends people back to their own computer only. That takes two steps.</p>
    <ol class="steps">
      <li>
        <LinkButton href={p.to} tone="primary" newTab={true}>
          Open {foreign(p.host, 80)}
        </LinkButton>
        <p class="hint">Sign in and allow it. In the end the browser shows a page that cannot be opened: that is expected.</p>
      </li>
      <li>
        <form class="stack" method="post" action={`/connections/${p.connectionId}/sign-in/paste`}>
          <TextField
            name="address"
            label="Copy the whole address of that page and paste it here"
            value=""
            form={p.form}
            placeholder="http://localhost:38921/callback?code=…"
          />
          <div class="actions">
            <Button>Finish</Button>
          </div>
        </form>
      </li>
    </ol>
  </Bare>
)

/** What a window of its own shows for a moment: its script tells the page that opened it, and closes. */
export const BackPage = (p: { shell: BareShell; to: string; ok: boolean; text: string }) => (
  <Bare shell={p.shell} title={p.ok ? 'Signed in' : 'Not signed in'}>
    <div data-signed-in={p.to}>
      <Notice tone={p.ok ? 'ok' : 'danger'} title={p.ok ? 'Signed in' : 'Not signed in'}>
        {foreign(p.text, 300)}
      </Notice>
      <p>
        <LinkButton href={p.to}>Back to the connection</LinkButton>
      </p>
    </div>
  </Bare>
)
