/** What could go: tools that nobody called for a while, with what they cost, and apps that nobody used. */
import { RevokeConfirm } from './apps.tsx'
import { Card } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { counted, foreign, plural, short } from './parts/format.ts'
import { AgoOr } from './parts/time.tsx'
import { ActionsHead } from './parts/table.tsx'
import { Share } from './parts/plots.tsx'

export type ProfileTrim = {
  id: string
  title: string
  /** Context cost of what it lists, and of what of it was called. */
  listedCost: number
  usedCost: number
  tools: number
  usedTools: number
  /** In the profile for as long as is looked back, and not called. */
  unused: readonly { id: string; name: string; cost: number }[]
}
export type AppTrim = { id: string; client: string; device: string; profile: string; lastUsedAt: number | null }
export type TrimProps = { profiles: readonly ProfileTrim[]; apps: readonly AppTrim[]; days: number }

const NAMED_MAX = 12

const Remove = (p: { profile: ProfileTrim }) => {
  const { id, title, unused } = p.profile
  const cost = unused.reduce((sum, tool) => sum + tool.cost, 0)
  const what = plural(unused.length, 'unused tool')
  return (
    <Confirm
      label="Remove?"
      place="row"
      confirm={`Remove ${what}`}
      action="/activity/usage/remove"
      fields={{ profile: id, tools: unused.map((tool) => tool.id).join(' ') }}
      question={
        <>
          Take {what} out of <strong>{foreign(title, 40)}</strong>? That saves a context cost of {short(cost)}.
        </>
      }
      consequences={[
        ...unused.slice(0, NAMED_MAX).map((tool) => <bdi class="mono">{foreign(tool.name, 64)}</bdi>),
        ...(unused.length > NAMED_MAX ? [`and ${unused.length - NAMED_MAX} more`] : []),
      ]}
    />
  )
}

const ProfileRow = ({ profile }: { profile: ProfileTrim }) => (
  <tr>
    <td class="cell-main">
      <a class="strong break" href={`/profiles/${profile.id}`}>
        <bdi>{foreign(profile.title, 60)}</bdi>
      </a>
      <p class="cell-note">
        Context cost {counted(profile.listedCost)}, {counted(profile.usedCost)} of it used
      </p>
      <Share of={profile.listedCost} parts={[{ value: profile.usedCost, tone: 'ok' }]} />
    </td>
    <td class="number" data-label="Tools used">
      {profile.usedTools} of {profile.tools}
    </td>
    <td class="number" data-label="Unused">
      {profile.unused.length === 0 ? <span class="muted">none</span> : profile.unused.length}
    </td>
    <td class="cell-actions">{profile.unused.length > 0 && <Remove profile={profile} />}</td>
  </tr>
)

const Profiles = (p: { profiles: readonly ProfileTrim[]; days: number }) => (
  <Card
    title="Context cost, and what of it was used"
    lead={`In ${p.days} days, by whoever has your profiles. A tool that came in since is not counted as unused.`}
    flush={true}
  >
    <table class="table table-lean">
      <thead>
        <tr>
          <th scope="col">Profile</th>
          <th scope="col" class="number">
            Tools used
          </th>
          <th scope="col" class="number">
            Unused
          </th>
          <ActionsHead />
        </tr>
      </thead>
      <tbody>
        {p.profiles.map((profile) => (
          <ProfileRow profile={profile} />
        ))}
      </tbody>
    </table>
  </Card>
)

const Apps = (p: { apps: readonly AppTrim[]; days: number }) => (
  <Card title="Apps that did nothing" lead={`Let in more than ${p.days} days ago, and not used since then.`} flush={true}>
    <table class="table table-lean">
      <thead>
        <tr>
          <th scope="col">App</th>
          <th scope="col" class="number">
            Last used
          </th>
          <ActionsHead />
        </tr>
      </thead>
      <tbody>
        {p.apps.map((app) => (
          <tr>
            <td class="cell-main">
              <a class="strong break" href={`/apps/${app.id}`}>
                <bdi>{foreign(app.client, 60)}</bdi>
              </a>
              <p class="cell-note">
                <bdi>{foreign([app.device, app.profile].filter(Boolean).join(', '), 80)}</bdi>
              </p>
            </td>
            <td class="number nowrap muted" data-label="Last used">
              <AgoOr at={app.lastUsedAt} none="never" />
            </td>
            <td class="cell-actions">
              <RevokeConfirm app={app} place="row" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Card>
)

export const Trim = (p: TrimProps) => (
  <>
    {p.profiles.length > 0 && <Profiles profiles={p.profiles} days={p.days} />}
    {p.apps.length > 0 && <Apps apps={p.apps} days={p.days} />}
  </>
)
