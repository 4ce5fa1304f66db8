/**
 * One profile: its tools, how to connect an app, what it is called.
 * POST /profiles/:id — title, description, naming (always | on-collision | never), visibility (private | open). A plain form: the title stands in
 *   the page's head too, so the whole page comes back.
 * POST /profiles/:id/tools — see profile-tools.tsx.
 * POST /profiles/:id/tools/approve — see profile-changes.tsx.
 * POST /profiles/:id/delete — nothing else.
 * GET /profiles/:id/waiting — `WaitingCard`, see profile-connect.tsx.
 */
import { Layout, type Shell } from './layout.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { FormProblem, type FormState, RadioField, TextArea, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { ConnectPanel, type Waiting } from './profile-connect.tsx'
import type { Way } from './profile-connect-ways.tsx'
import { type ChangedTool, ProfileChanges } from './profile-changes.tsx'
import { type ClientChip, type ProfileToolGroup, ProfileTools } from './profile-tools.tsx'
import type { Reach } from './setup.tsx'

/** When the connection's name stands in front of a tool's: `linear__create_issue`. */
export type Naming = 'always' | 'on-collision' | 'never'

type ProfileDetailsProps = {
  profile: { id: string; title: string; description: string; naming: Naming; visibility: 'private' | 'open' }
  form?: FormState | undefined
}

export type ProfilePageProps = {
  shell: Shell
  profile: ProfileDetailsProps['profile'] & { slug: string; url: string }
  groups: readonly ProfileToolGroup[]
  /** Tools that are in the profile now, whatever is ticked. */
  saved: number
  chips: readonly ClientChip[]
  /** Tools of it that are held back. */
  changed: readonly ChangedTool[]
  reach: Reach
  /** How each known client is connected. */
  ways: readonly Way[]
  waiting: Waiting
  /** Clients of the connected apps that use this profile, named when it is to be deleted. */
  apps: readonly { id: string; client: string }[]
  toolsForm?: FormState | undefined
  changesForm?: FormState | undefined
  detailsForm?: FormState | undefined
}

const ProfileDetails = ({ profile, form }: ProfileDetailsProps) => (
  <div id="profile-details">
    <Card title="Details">
      <form class="stack narrow" method="post" action={`/profiles/${profile.id}`}>
        <FormProblem form={form} />
        <TextField
          scope="details"
          name="title"
          label="Title"
          value={profile.title}
          form={form}
          required={true}
          lengthMax={60}
          hint="The address stays as it is."
        />
        <TextArea
          scope="details"
          name="description"
          label="Description"
          value={profile.description}
          form={form}
          optional={true}
          lengthMax={1000}
          hint="Apps read it as the instructions of this server: what the tools are for."
        />
        <RadioField
          scope="details"
          name="naming"
          label="Connection's name in front of a tool's name"
          value={profile.naming}
          form={form}
          options={[
            { value: 'on-collision', label: 'Only when two tools share a name', hint: 'Short names, and never two alike.' },
            { value: 'always', label: 'Always', hint: 'linear__create_issue: names stay the same whatever you add later.' },
            { value: 'never', label: 'Never', hint: 'Names exactly as upstream. Refused while two tools share one.' },
          ]}
        />
        <RadioField
          scope="details"
          name="visibility"
          label="Who may use this profile"
          value={profile.visibility}
          form={form}
          options={[
            { value: 'private', label: 'Only you' },
            {
              value: 'open',
              label: 'Everyone here',
              hint: 'Others connect their own apps to it by its name. They get its tools of connections that are open to them, and change nothing.',
            },
          ]}
        />
        <div class="actions">
          <Button>Save</Button>
        </div>
      </form>
    </Card>
  </div>
)

const DeleteProfile = (p: { profile: ProfilePageProps['profile']; tools: number; apps: ProfilePageProps['apps'] }) => {
  const title = foreign(p.profile.title)
  const clients = p.apps.map((app) => foreign(app.client, 40)).join(', ')
  return (
    <Card title="Delete this profile" tone="danger" lead="Connections and their credentials stay.">
      <Confirm
        label="Delete profile"
        confirm={`Delete ${title}`}
        icon="trash"
        action={`/profiles/${p.profile.id}/delete`}
        question={
          <>
            Delete <strong>{title}</strong> for good?
          </>
        }
        consequences={[
          <>
            <code class="break">{p.profile.url}</code> stops answering
          </>,
          `Your choice of ${plural(p.tools, 'tool')} is lost`,
          p.apps.length === 0 ? 'No app uses it' : `${plural(p.apps.length, 'connected app')} lose access at once: ${clients}`,
        ]}
      />
    </Card>
  )
}

export const ProfilePage = (p: ProfilePageProps) => {
  const { id, slug, url } = p.profile
  const connect = <ConnectPanel profileId={id} slug={slug} url={url} reach={p.reach} ways={p.ways} waiting={p.waiting} />
  return (
    <Layout shell={p.shell} title={foreign(p.profile.title)} current="profiles">
      <PageHead
        back={{ href: '/profiles', label: 'Profiles' }}
        title={<bdi>{foreign(p.profile.title)}</bdi>}
        lead={p.profile.description && foreign(p.profile.description, 240)}
      />
      {p.changed.length > 0 && <ProfileChanges profileId={id} tools={p.changed} form={p.changesForm} />}
      {/* What comes next comes first: tools while there are none, then the way to connect an app. */}
      {p.saved > 0 && connect}
      <ProfileTools profileId={p.profile.id} groups={p.groups} chips={p.chips} form={p.toolsForm} suggested={p.saved === 0} />
      {p.saved === 0 && connect}
      <ProfileDetails profile={p.profile} form={p.detailsForm} />
      <DeleteProfile profile={p.profile} tools={p.saved} apps={p.apps} />
    </Layout>
  )
}
