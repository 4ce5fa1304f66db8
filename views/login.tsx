/**
 * POST /login — username, password, next. `next` is where the person wanted to go (one of our own paths, checked by
 * the route again). `errors.form` holds the one sentence for a wrong name or password, the same for both.
 */
import { Bare, type BareShell } from './layout.tsx'
import { Button } from './parts/button.tsx'
import { FormProblem, type FormState, TextField } from './parts/field.tsx'
import { plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'

export type LoginPageProps = {
  shell: BareShell
  next?: string | undefined
  /** Too many attempts: when the next one will be looked at. */
  slowedForSeconds?: number | undefined
  form?: FormState | undefined
}

export const LoginPage = (p: LoginPageProps) => (
  <Bare shell={p.shell} title="Sign in">
    <div class="door">
      <h1>Sign in</h1>
      {p.next?.startsWith('/oauth/authorize') && (
        <p class="lead">An app wants to use your tools. After signing in you will see which, and decide.</p>
      )}
      <form method="post" action="/login" class="stack">
        {p.slowedForSeconds ? (
          <Notice tone="warning" alert={true} title="Too many attempts">
            Wait {plural(p.slowedForSeconds, 'second')}, then try again. Nothing is locked.
          </Notice>
        ) : (
          <FormProblem form={p.form} />
        )}
        <input type="hidden" name="next" value={p.next ?? '/'} />
        <TextField
          name="username"
          label="Username"
          form={p.form}
          autocomplete="username"
          required={true}
          autofocus={!p.form?.values?.username}
        />
        <TextField
          name="password"
          label="Password"
          type="password"
          form={p.form}
          autocomplete="current-password"
          required={true}
          autofocus={Boolean(p.form?.values?.username)}
        />
        <Button tone="primary" large={true}>
          Sign in
        </Button>
      </form>
      <p class="door-foot muted">Forgot your password? An administrator here can give you a one-time link.</p>
    </div>
  </Bare>
)
