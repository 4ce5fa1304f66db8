/**
 * All profiles of a user.
 * POST /profiles — title. Errors come back as this page with `form`.
 */
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { type FormState, FormProblem, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { ContextLine } from './parts/meter.tsx'
import { type Amounts, amountInWords } from './parts/offered.tsx'

export type ProfileSummary = {
  id: string
  title: string
  description?: string | undefined
  /** The address to give to an app, whole. */
  url: string
  holds: Amounts
  /** Apps' models are shown three tools, by which they find the others. */
  bySearch: boolean
  connections: number
  contextCost: number
  apps: number
  /** Tools that their servers changed, which wait to be looked at. */
  heldBack: number
  /** Every app that uses it is refused for now. */
  isPaused?: boolean | undefined
}
/** A profile of somebody else here that everybody may connect their apps to. */
export type OpenProfile = { title: string; owner: string; url: string; holds: Amounts }
export type ProfilesPageProps = {
  shell: Shell
  profiles: readonly ProfileSummary[]
  open: readonly OpenProfile[]
  form?: FormState | undefined
}

const OpenProfiles = (p: { open: readonly OpenProfile[] }) => (
  <Card title="Open to everyone here" lead="Profiles of others. Give an app the address: it gets the tools that are open to you as well.">
    <ul class="stack">
      {p.open.map((profile) => (
        <li>
          <p>
            <strong>
              <bdi>{foreign(profile.title, 64)}</bdi>
            </strong>{' '}
            <span class="muted">
              of {foreign(profile.owner, 40)}, {amountInWords(profile.holds)} for you
            </span>
          </p>
          <CopyBlock text={profile.url} label="address" />
        </li>
      ))}
    </ul>
  </Card>
)

const ProfileCard = ({ profile }: { profile: ProfileSummary }) => (
  <article class="tile" id={`profile-${profile.id}`}>
    <h2>
      <a class="tile-link" href={`/profiles/${profile.id}`}>
        {foreign(profile.title)}
      </a>{' '}
      {profile.isPaused && <Badge tone="warning">paused</Badge>}
    </h2>
    <p class="mono cut muted">{profile.url.replace(/^https?:\/\//, '')}</p>
    {profile.description && <p class="tile-text">{foreign(profile.description, 140)}</p>}
    <p class="tile-facts">
      {profile.connections === 0 ? (
        <strong>No tools yet</strong>
      ) : (
        <span>
          {amountInWords(profile.holds)} from {plural(profile.connections, 'connection')}
          {profile.bySearch && ', found by search'}
        </span>
      )}
      <span class="nowrap">{profile.apps === 0 ? 'no app' : plural(profile.apps, 'app')}</span>
    </p>
    {profile.heldBack > 0 && (
      <p class="cell-warning">
        <Icon name="triangle-alert" />
        <span>{plural(profile.heldBack, 'change')} held back</span>
      </p>
    )}
    <ContextLine cost={profile.contextCost} />
  </article>
)

const NewProfile = (p: { form: FormState | undefined }) => (
  <form class="tile tile-new" method="post" action="/profiles">
    <h2>New profile</h2>
    <FormProblem form={p.form} />
    <TextField
      scope="new"
      name="title"
      label="Title"
      form={p.form}
      placeholder="Research"
      required={true}
      lengthMax={60}
      hint="The address is made from it: Research becomes /mcp/research."
    />
    <Button icon="plus">Create profile</Button>
  </form>
)

export const ProfilesPage = (p: ProfilesPageProps) => (
  <Layout shell={p.shell} title="Profiles" current="profiles">
    <PageHead
      title="Profiles"
      lead="A profile is one MCP server made of the tools you pick. What is not in it, an app can neither see nor use."
    />
    <div class="tiles">
      {p.profiles.map((profile) => (
        <ProfileCard profile={profile} />
      ))}
      <NewProfile form={p.form} />
    </div>
    {p.open.length > 0 && <OpenProfiles open={p.open} />}
  </Layout>
)
