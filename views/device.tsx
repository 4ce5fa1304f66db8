/**
 * For a device without a browser (RFC 8628): its code is typed here, and what follows is the consent page.
 * POST /device — user_code: shows consent for it.
 */
import { Bare, type BareShell } from './layout.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { type FormState, FormProblem, TextField } from './parts/field.tsx'

export type DeviceCodePageProps = {
  shell: BareShell
  username: string
  /** From the link that the device showed. Never sent by itself: the person compares it with the device. */
  userCode: string
  form?: FormState | undefined
}

export const DeviceCodePage = (p: DeviceCodePageProps) => (
  <Bare shell={p.shell} title="Connect a device">
    <div class="door">
      <h1>Connect a device</h1>
      <p class="lead">
        {p.userCode === ''
          ? 'Type the code that your device shows.'
          : 'Compare this code with the one that your device shows. Go on only if they are the same and you have started this yourself.'}
      </p>
      <form method="post" action="/device" class="stack">
        <FormProblem form={p.form} />
        <TextField
          name="user_code"
          label="Code"
          value={p.userCode}
          form={p.form}
          required={true}
          autofocus={true}
          mono={true}
          lengthMax={40}
          placeholder="BCDF-GHJK"
          hint="Eight letters. Small ones and a missing dash are fine."
        />
        <Button tone="primary" large={true}>
          Continue
        </Button>
      </form>
      <p class="door-foot muted">
        Signed in as <strong>{p.username}</strong>. Nothing is allowed yet: the next page says who asks and for what.
      </p>
    </div>
  </Bare>
)

export type DeviceDonePageProps = { shell: BareShell; allowed: boolean }

export const DeviceDonePage = (p: DeviceDonePageProps) => (
  <Bare shell={p.shell} title={p.allowed ? 'Device connected' : 'Device denied'}>
    <div class="door">
      <h1>{p.allowed ? 'Your device is connected' : 'Denied'}</h1>
      <p class="lead">
        {p.allowed
          ? 'It goes on by itself within a few seconds. You can close this page.'
          : 'The device is told so and gets nothing. You can close this page.'}
      </p>
      <div class="actions">
        <LinkButton href={p.allowed ? '/apps' : '/'} large={true}>
          {p.allowed ? 'Connected apps' : 'Start page'}
        </LinkButton>
      </div>
    </div>
  </Bare>
)
