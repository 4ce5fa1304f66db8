/**
 * People with an account here; for administrators only.
 * POST /admin/users — username, role (member | admin), password (empty: a one-time link is made and shown once).
 * POST /admin/users/:id/disable, /enable — the reply to htmx is `<UserRow …/>`.
 * POST /admin/users/:id/pause, /resume, /revoke — all apps of theirs.
 * POST /admin/pause, /resume, /revoke — all apps of everyone.
 * POST /admin/users/:id/reset — answers with this page, `link` filled.
 */
import { Layout, type Shell } from './layout.tsx'
import { Badge, Status } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { FormProblem, type FormState, SelectField, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { appsInWords, Many, type ManyStanding, Pause, type PausedWith, Resume } from './parts/paused.tsx'
import { AdminPlaces } from './parts/places.tsx'
import { Ago, AgoOr } from './parts/time.tsx'
import { ActionsHead } from './parts/table.tsx'

export type UserSummary = {
  id: string
  username: string
  role: 'admin' | 'member'
  disabled: boolean
  createdAt: number
  lastSeenAt?: number | null | undefined
  /** The reader: nobody locks themselves out. */
  self: boolean
  apps: number
  /** An administrator paused all apps of theirs. */
  paused?: PausedWith | undefined
}
export type AdminPageProps = {
  shell: Shell
  users: readonly UserSummary[]
  /** All apps of everyone. */
  control: ManyStanding
  /** A one-time link, right after it was made: it is shown this once. */
  link?: { username: string; url: string; hours: number } | undefined
  passwordLengthMin: number
  form?: FormState | undefined
}

const OneTimeLink = ({ link }: { link: NonNullable<AdminPageProps['link']> }) => (
  <Notice tone="ok" alert={true} title={<>One-time link for {link.username}</>}>
    <p>Give it to them by a way you trust. It works once, for {plural(link.hours, 'hour')}, and is not shown again.</p>
    <CopyBlock text={link.url} label="one-time link" />
  </Notice>
)

const Enable = ({ user }: { user: UserSummary }) => (
  <form
    method="post"
    action={`/admin/users/${user.id}/enable`}
    hx-post={`/admin/users/${user.id}/enable`}
    hx-target={`#user-${user.id}`}
    hx-swap="outerHTML"
    hx-disable="find button"
  >
    <Button tone="quiet">Enable</Button>
  </form>
)

/** How many apps they let in, and what is done to all of them; they themselves stay signed in. */
const Apps = ({ user }: { user: UserSummary }) => (
  <>
    {user.apps === 0 && !user.paused ? <span class="muted">none</span> : plural(user.apps, 'app')}
    {user.paused && (
      <p class="cell-note">
        paused by {foreign(user.paused.byName, 40)}, <Ago at={user.paused.at} />
      </p>
    )}
    <div class="actions cell-deeds">
      {user.paused ? (
        <Resume action={`/admin/users/${user.id}/resume`} quiet={true} />
      ) : (
        user.apps > 0 && <Pause action={`/admin/users/${user.id}/pause`} quiet={true} />
      )}
      {user.apps > 0 && (
        <Confirm
          place="row"
          label="Revoke"
          confirm={`Revoke ${plural(user.apps, 'app')}`}
          action={`/admin/users/${user.id}/revoke`}
          question={
            <>
              Revoke every app and access token of <strong>{user.username}</strong>?
            </>
          }
          consequences={[
            `${plural(user.apps, 'app')} ${user.apps === 1 ? 'is' : 'are'} shut out at once`,
            'Each has to ask them again',
            'Access tokens cannot be brought back',
          ]}
        />
      )}
    </div>
  </>
)

const Actions = ({ user }: { user: UserSummary }) => (
  <div class="actions">
    <LinkButton href={`/admin/users/${user.id}/limits`} tone="quiet">
      Limits
    </LinkButton>
    {!user.self && <Changes user={user} />}
  </div>
)

const Changes = ({ user }: { user: UserSummary }) => (
  <>
    <Confirm
      place="row"
      mild={true}
      label="New password"
      confirm="Make a one-time link"
      action={`/admin/users/${user.id}/reset`}
      question={
        <>
          Make a link by which <strong>{user.username}</strong> chooses a new password?
        </>
      }
      consequences={['The old password works until the link is used', 'Earlier links stop working']}
    />
    {user.disabled ? (
      <Enable user={user} />
    ) : (
      <Confirm
        place="row"
        label="Disable"
        confirm={`Disable ${user.username}`}
        action={`/admin/users/${user.id}/disable`}
        target={`#user-${user.id}`}
        question={
          <>
            Disable <strong>{user.username}</strong>?
          </>
        }
        consequences={[
          'They are signed out everywhere, at once',
          user.apps === 0 ? 'No app is connected' : `${plural(user.apps, 'connected app')} are refused until you enable them again`,
          'Nothing is deleted',
        ]}
      />
    )}
  </>
)

/** Also the reply to disable and enable. */
export const UserRow = ({ user }: { user: UserSummary }) => (
  <tr id={`user-${user.id}`} class={user.disabled ? 'row-past' : undefined}>
    <td class="cell-main">
      <span class="strong break">{user.username}</span> {user.self && <Badge>you</Badge>}
    </td>
    <td>
      <Status tone={user.disabled ? 'danger' : 'ok'}>{user.disabled ? 'Disabled' : 'Active'}</Status>
    </td>
    <td data-label="Role">{user.role === 'admin' ? 'Administrator' : 'Member'}</td>
    <td data-label="Created" class="nowrap">
      <Ago at={user.createdAt} />
    </td>
    <td data-label="Last seen" class="nowrap">
      <AgoOr at={user.lastSeenAt} none="never" />
    </td>
    <td data-label="Apps">
      <Apps user={user} />
    </td>
    <td class="cell-actions">
      <Actions user={user} />
    </td>
  </tr>
)

const AddUser = (p: { form: FormState | undefined; lengthMin: number }) => (
  <Card title="Add a user">
    <form class="stack narrow" method="post" action="/admin/users">
      <FormProblem form={p.form} />
      <TextField name="username" label="Username" form={p.form} required={true} lengthMax={64} />
      <SelectField
        name="role"
        label="Role"
        form={p.form}
        value="member"
        options={[
          { value: 'member', label: 'Member: own connections, profiles and apps' },
          { value: 'admin', label: 'Administrator: users and programs that run here as well' },
        ]}
      />
      <TextField
        name="password"
        label="Password"
        type="password"
        form={p.form}
        optional={true}
        autocomplete="new-password"
        lengthMin={p.lengthMin}
        hint="Leave it empty to get a one-time link by which they choose their own."
      />
      <div class="actions">
        <Button tone="primary">Add user</Button>
      </div>
    </form>
  </Card>
)

/** The one button for when something is wrong: it asks once, and everything that it stops goes on with one click. */
const Everything = ({ apps, users, paused }: ManyStanding) => (
  <Card
    title="Everything"
    id="everything"
    tone="danger"
    lead={apps === 0 ? 'No app is let in now.' : `${appsInWords(apps, users)} ${apps === 1 ? 'is' : 'are'} let in now.`}
  >
    {paused ? (
      <Many
        path="/admin"
        apps={apps}
        paused={paused}
        all="everything"
        pausing="Every app is refused, and keeps what it was allowed. So is any that is let in meanwhile."
        revoke={revokeEverything(apps, users)}
      />
    ) : (
      <div class="actions">
        <Confirm
          label="Pause everything"
          confirm="Pause everything"
          icon="pause"
          red={true}
          action="/admin/pause"
          question="Pause every app of everyone here?"
          consequences={[
            `${appsInWords(apps, users)}, and any that is let in meanwhile: each request is refused`,
            'Open streams and running calls end within a second',
            'Nothing is lost: Resume lets all of them go on',
          ]}
        />
        {apps > 0 && <Confirm action="/admin/revoke" {...revokeEverything(apps, users)} />}
      </div>
    )}
  </Card>
)

const revokeEverything = (apps: number, users: number) => ({
  label: 'Revoke everything',
  confirm: `Revoke ${plural(apps, 'app')}`,
  question: 'Revoke every app and access token of everyone here?',
  consequences: [
    `${appsInWords(apps, users)} ${apps === 1 ? 'is' : 'are'} shut out at once, for good`,
    'Everyone has to let each of their apps in again',
    'Access tokens cannot be brought back',
  ],
})

export const AdminPage = (p: AdminPageProps) => (
  <Layout shell={p.shell} title="Users" current="admin">
    <PageHead title="Users" lead="Everyone with an account here. Each has their own connections, profiles and connected apps." />
    <AdminPlaces current="/admin" />
    {p.link && <OneTimeLink link={p.link} />}
    {/* First, and not below however many users: whoever needs it is in a hurry. */}
    <Everything {...p.control} />
    <Card flush={true}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Username</th>
            <th scope="col">Status</th>
            <th scope="col">Role</th>
            <th scope="col">Created</th>
            <th scope="col">Last seen</th>
            <th scope="col">Apps</th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {p.users.map((user) => (
            <UserRow user={user} />
          ))}
        </tbody>
      </table>
    </Card>
    <AddUser form={p.form} lengthMin={p.passwordLengthMin} />
  </Layout>
)
