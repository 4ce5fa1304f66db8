/**
 * One's own account.
 * POST /settings/password — current_password, new_password.
 * The forms for notices and approvals are described in notices.tsx.
 * POST /settings/sessions/end-others — nothing else; the reply to htmx is `<SessionsCard …/>`.
 */
import { Layout, type Shell } from './layout.tsx'
import { AskingCard, type InApp, NoticesCard, type NoticesCardProps } from './notices.tsx'
import { Badge } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { FormProblem, type FormState, PasswordOf, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { Ago } from './parts/time.tsx'

export type BrowserSession = {
  current: boolean
  /** In words ("Firefox on Linux"), made from the user agent. */
  browser: string
  address: string
  createdAt: number
  lastSeenAt: number
}
export type SettingsPageProps = {
  shell: Shell
  sessions: readonly BrowserSession[]
  passwordLengthMin: number
  passwordForm?: FormState | undefined
  notices: NoticesCardProps
  inApp: InApp
}

const Password = (p: { shell: Shell; lengthMin: number; form: FormState | undefined }) => (
  <Card title="Password" lead="Changing it signs out every other browser. Connected apps stay connected.">
    <form class="stack narrow" method="post" action="/settings/password">
      <FormProblem form={p.form} />
      <PasswordOf username={p.shell.viewer.username} />
      <TextField
        name="current_password"
        label="Current password"
        type="password"
        form={p.form}
        autocomplete="current-password"
        required={true}
      />
      <TextField
        name="new_password"
        label="New password"
        type="password"
        form={p.form}
        autocomplete="new-password"
        required={true}
        lengthMin={p.lengthMin}
        hint={`At least ${p.lengthMin} characters. A few unrelated words do well.`}
      />
      <div class="actions">
        <Button tone="primary">Change password</Button>
      </div>
    </form>
  </Card>
)

/** Also the reply to POST /settings/sessions/end-others. */
export const SessionsCard = (p: { sessions: readonly BrowserSession[] }) => {
  const others = p.sessions.filter((session) => !session.current).length
  return (
    <div id="sessions">
      <Card title="Browsers where you are signed in" flush={true}>
        <ul class="rows">
          {p.sessions.map((session) => (
            <li class="session">
              <Icon name="monitor" />
              <div>
                <p class="row-title">
                  {foreign(session.browser, 60)} {session.current && <Badge tone="ok">this browser</Badge>}
                </p>
                <p class="row-note">
                  <span class="mono">{session.address}</span> · signed in <Ago at={session.createdAt} /> · seen{' '}
                  <Ago at={session.lastSeenAt} />
                </p>
              </div>
            </li>
          ))}
        </ul>
        <div class="card-foot">
          {others === 0 ? (
            <p class="muted">You are signed in nowhere else.</p>
          ) : (
            <form
              method="post"
              action="/settings/sessions/end-others"
              hx-post="/settings/sessions/end-others"
              hx-target="#sessions"
              hx-swap="outerHTML"
              hx-disable="find button"
            >
              <Button icon="log-out">Sign out {plural(others, 'other browser')}</Button>
            </form>
          )}
        </div>
      </Card>
    </div>
  )
}

export const SettingsPage = (p: SettingsPageProps) => (
  <Layout shell={p.shell} title="Settings" current="settings">
    <PageHead title="Settings" lead={`Your account, ${p.shell.viewer.username}.`} />
    <NoticesCard {...p.notices} />
    <AskingCard inApp={p.inApp} />
    <Password shell={p.shell} lengthMin={p.passwordLengthMin} form={p.passwordForm} />
    <SessionsCard sessions={p.sessions} />
  </Layout>
)
