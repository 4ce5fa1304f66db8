/**
 * The first page of all, reached by the link in the log.
 * POST /setup — token, username, password. The link is used up by the POST only, so a preview may fetch the page.
 */
import { Bare, type BareShell } from './layout.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { FormProblem, type FormState, PasswordOf, TextField } from './parts/field.tsx'
import { Notice } from './parts/notice.tsx'

/** From where a client can reach the public address, as far as the address tells. */
export type Reach = 'this-computer' | 'this-network' | 'internet'

export type SetupPageProps = {
  shell: BareShell
  token: string
  publicUrl: string
  reach: Reach
  passwordLengthMin: number
  form?: FormState | undefined
}

const REACH: Record<Reach, string> = {
  'this-computer': 'Apps on this computer can use it. Web-hosted apps (claude.ai, ChatGPT) cannot reach this address.',
  'this-network': 'Apps in your network can use it. Web-hosted apps (claude.ai, ChatGPT) cannot reach a private address.',
  internet: 'Apps on your computers and web-hosted ones can use it.',
}

export const PublicAddress = (p: { publicUrl: string; reach: Reach }) => (
  <Notice
    tone={p.reach === 'internet' ? 'ok' : 'warning'}
    title={
      <>
        Public address: <code class="break">{p.publicUrl}</code>
      </>
    }
  >
    {REACH[p.reach]}
    {p.reach !== 'internet' && (
      <>
        {' '}
        Set <code>TOOLPASS_URL</code> to an https address when you want them too; everything else can stay as it is.
      </>
    )}
  </Notice>
)

export const SetupPage = (p: SetupPageProps) => (
  <Bare shell={p.shell} title="Set up">
    <div class="door">
      <h1>Welcome to Toolpass</h1>
      <p class="lead">Create the administrator. This link works once; nobody else can use it after you.</p>
      <form method="post" action="/setup" class="stack">
        <FormProblem form={p.form} />
        <input type="hidden" name="token" value={p.token} />
        <TextField name="username" label="Username" form={p.form} autocomplete="username" required={true} autofocus={true} lengthMax={64} />
        <TextField
          name="password"
          label="Password"
          type="password"
          form={p.form}
          autocomplete="new-password"
          required={true}
          lengthMin={p.passwordLengthMin}
          hint={`At least ${p.passwordLengthMin} characters. A few unrelated words do well.`}
        />
        <PublicAddress publicUrl={p.publicUrl} reach={p.reach} />
        <Button tone="primary" large={true}>
          Create administrator
        </Button>
      </form>
    </div>
  </Bare>
)

export type LinkUsedPageProps = { shell: BareShell; why: 'used' | 'expired' | 'unknown'; purpose: 'setup' | 'reset' }

const WHY: Record<LinkUsedPageProps['why'], string> = {
  used: 'This link was used already',
  expired: 'This link has expired',
  unknown: 'This link is not valid',
}

export const LinkUsedPage = (p: LinkUsedPageProps) => (
  <Bare shell={p.shell} title={WHY[p.why]}>
    <div class="door">
      <h1>{WHY[p.why]}</h1>
      {p.purpose === 'setup' ? (
        <>
          <p class="lead">If it was you, sign in with the account you made. If not, make a new link where Toolpass runs:</p>
          <pre class="code">
            <code>toolpass setup-link</code>
          </pre>
        </>
      ) : (
        <p class="lead">Ask an administrator here for a new one. The old link does nothing any more.</p>
      )}
      <div class="actions">
        <LinkButton href="/login" tone="primary" large={true}>
          Go to sign-in
        </LinkButton>
      </div>
    </div>
  </Bare>
)

/** POST /reset — token, password. Where a one-time link of an administrator leads. */
export type ResetPageProps = {
  shell: BareShell
  token: string
  username: string
  passwordLengthMin: number
  form?: FormState | undefined
}

export const ResetPage = (p: ResetPageProps) => (
  <Bare shell={p.shell} title="Choose a password">
    <div class="door">
      <h1>Choose a password</h1>
      <p class="lead">
        For <strong>{p.username}</strong>. You will be signed in afterwards; sessions elsewhere end.
      </p>
      <form method="post" action="/reset" class="stack">
        <FormProblem form={p.form} />
        <input type="hidden" name="token" value={p.token} />
        <PasswordOf username={p.username} />
        <TextField
          name="password"
          label="New password"
          type="password"
          form={p.form}
          autocomplete="new-password"
          required={true}
          autofocus={true}
          lengthMin={p.passwordLengthMin}
          hint={`At least ${p.passwordLengthMin} characters. A few unrelated words do well.`}
        />
        <Button tone="primary" large={true}>
          Save password
        </Button>
      </form>
    </div>
  </Bare>
)
