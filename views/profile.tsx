/**
 * One profile: its tools, how to connect an app, what it is called and how it is served.
 * POST /profiles/:id — see profile-details.tsx.
 * POST /profiles/:id/tools — see profile-tools.tsx.
 * POST /profiles/:id/tools/approve — see profile-changes.tsx.
 * POST /profiles/:id/pause, /resume, /revoke — nothing else: all apps that use it.
 * POST /profiles/:id/delete — nothing else.
 * GET /profiles/:id/waiting — `WaitingCard`, see profile-connect.tsx.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status } from './parts/badge.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import type { FormState } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { type Amounts, amountInWords, isNothing } from './parts/offered.tsx'
import { appsInWords, Many, type ManyStanding, Pause, PausedBy, Resume } from './parts/paused.tsx'
import { ConnectPanel, type Waiting } from './profile-connect.tsx'
import type { Way } from './profile-connect-ways.tsx'
import { type ChangedTool, ProfileChanges } from './profile-changes.tsx'
import { type Deliveries, ProfileDetails, type ProfileDetailsProps } from './profile-details.tsx'
import { type ClientChip, type ProfileToolGroup, ProfileTools } from './profile-tools.tsx'
import type { Reach } from './setup.tsx'

export type ProfilePageProps = {
  shell: Shell
  profile: ProfileDetailsProps['profile'] & { slug: string; url: string }
  groups: readonly ProfileToolGroup[]
  /** What is in the profile now, whatever is ticked. */
  saved: Amounts
  deliveries: Deliveries
  search?: { cost: number } | undefined
  chips: readonly ClientChip[]
  /** Tools of it that are held back. */
  changed: readonly ChangedTool[]
  reach: Reach
  /** How each known client is connected. */
  ways: readonly Way[]
  waiting: Waiting
  /** Clients of the connected apps that use this profile, named when it is to be deleted. */
  apps: readonly { id: string; client: string }[]
  /** Apps of anybody here that use it. */
  control: ManyStanding
  toolsForm?: FormState | undefined
  changesForm?: FormState | undefined
  detailsForm?: FormState | undefined
}

const DeleteProfile = (p: { profile: ProfilePageProps['profile']; saved: Amounts; apps: ProfilePageProps['apps'] }) => {
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
          `Your choice of ${amountInWords(p.saved)} is lost`,
          p.apps.length === 0 ? 'No app uses it' : `${plural(p.apps.length, 'connected app')} lose access at once: ${clients}`,
        ]}
      />
    </Card>
  )
}

/** At the top as well: the page is as long as its tools are many, and this is looked for in a hurry. */
const PauseApps = ({ profile, control }: Pick<ProfilePageProps, 'profile' | 'control'>) => {
  const path = `/profiles/${profile.id}`
  if (control.paused) return <Resume action={`${path}/resume`} />
  return control.apps === 0 ? <></> : <Pause action={`${path}/pause`} label={control.apps === 1 ? 'Pause its app' : 'Pause its apps'} />
}

const Control = (p: { profile: ProfilePageProps['profile']; control: ManyStanding }) => {
  const { apps, users, paused } = p.control
  const title = foreign(p.profile.title, 60)
  const met = appsInWords(apps, users)
  return (
    <Card
      title="For apps"
      id="control"
      lead={apps === 0 ? 'No app uses this profile.' : `${met} ${apps === 1 ? 'uses' : 'use'} this profile.`}
    >
      <Many
        path={`/profiles/${p.profile.id}`}
        apps={apps}
        paused={paused}
        all={apps === 1 ? 'its app' : 'its apps'}
        pausing="While it is paused, each app that uses it is refused, and keeps what it was allowed. So is any that is let in meanwhile."
        revoke={{
          label: 'Revoke its apps',
          confirm: `Revoke ${appsInWords(apps)}`,
          question: (
            <>
              Revoke every app that uses <strong>{title}</strong>?
            </>
          ),
          consequences: [`${met} ${apps === 1 ? 'is' : 'are'} shut out at once`, 'Each has to ask anew', 'The profile itself stays'],
        }}
      />
    </Card>
  )
}

export const ProfilePage = (p: ProfilePageProps) => {
  const { id, slug, url } = p.profile
  const isEmpty = isNothing(p.saved)
  const connect = <ConnectPanel profileId={id} slug={slug} url={url} reach={p.reach} ways={p.ways} waiting={p.waiting} />
  return (
    <Layout shell={p.shell} title={foreign(p.profile.title)} current="profiles">
      <PageHead
        back={{ href: '/profiles', label: 'Profiles' }}
        title={<bdi>{foreign(p.profile.title)}</bdi>}
        badge={p.control.paused && <Status tone="warning">Paused</Status>}
        lead={p.profile.description && foreign(p.profile.description, 240)}
        actions={<PauseApps profile={p.profile} control={p.control} />}
      />
      {p.control.paused && (
        <Notice tone="warning" title="Paused">
          <PausedBy by={p.control.paused} />. Every app that uses it is refused, and keeps what it was allowed.
        </Notice>
      )}
      {p.changed.length > 0 && <ProfileChanges profileId={id} tools={p.changed} form={p.changesForm} />}
      {/* What comes next comes first: tools while there are none, then the way to connect an app. */}
      {!isEmpty && connect}
      <ProfileTools
        profileId={id}
        search={p.search}
        groups={p.groups}
        chips={p.chips}
        helps={p.search ? [] : p.deliveries.helps}
        form={p.toolsForm}
        suggested={isEmpty}
      />
      {isEmpty && connect}
      <ProfileDetails profile={p.profile} deliveries={p.deliveries} form={p.detailsForm} />
      <Control profile={p.profile} control={p.control} />
      <DeleteProfile profile={p.profile} saved={p.saved} apps={p.apps} />
    </Layout>
  )
}
