/**
 * Connected apps: what each client may use, since when, until when.
 * GET /apps — status (active | paused | ended): which of them.
 * POST /apps/:id/revoke, /pause, /resume — `from=list`; the reply to htmx is `<AppRow …/>` as it is then.
 * POST /apps/pause, /resume, /revoke — all of one's own, access tokens included.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status, type Tone } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign, plural } from './parts/format.ts'
import { type Amounts, amountInWords } from './parts/offered.tsx'
import { Many, Pause, pausedInWords, type PausedWith, Resume } from './parts/paused.tsx'
import { AppsPlaces } from './parts/places.tsx'
import { Ago, AgoOr } from './parts/time.tsx'
import { ActionsHead } from './parts/table.tsx'

export type AppStatus = 'active' | 'paused' | 'expired' | 'revoked'
const TONES: Record<AppStatus, Tone> = { active: 'ok', paused: 'warning', expired: 'neutral', revoked: 'danger' }
const WORDS: Record<AppStatus, string> = { active: 'Active', paused: 'Paused', expired: 'Expired', revoked: 'Revoked' }

export const AppStatusWord = (p: { status: AppStatus }) => <Status tone={TONES[p.status]}>{WORDS[p.status]}</Status>

export type AppSummary = {
  id: string
  /** The client's own word for itself. */
  client: string
  profile: string
  /** What the user called the install; empty when not named. */
  device: string
  holds: Amounts
  status: AppStatus
  createdAt: number
  lastUsedAt?: number | null | undefined
  /** Null or absent: until revoked. */
  expiresAt?: number | null | undefined
  /** Paused by itself, whatever else it is paused with. */
  pausedItself?: boolean | undefined
  /** What it is paused with, the most general first. */
  pausedWith?: PausedWith | undefined
}
export type AppsFilter = 'active' | 'paused' | 'ended'
export type AppsPageProps = {
  shell: Shell
  apps: readonly AppSummary[]
  filter?: AppsFilter | undefined
  /** Of all of them, whatever the filter. */
  counts: Readonly<Record<AppsFilter, number>>
  /** All one's apps and tokens that are let in, for what is done to all of them. */
  all: { apps: number; paused: PausedWith | undefined }
}

/** What revoking means, the same words wherever it is asked. */
export const RevokeConfirm = (p: {
  app: Pick<AppSummary, 'id' | 'client' | 'device'>
  place: 'row' | 'block'
  /** An access token of a script: nobody comes back by themselves. */
  script?: boolean | undefined
  target?: string | undefined
}) => {
  const client = foreign(p.app.client, 40)
  return (
    <Confirm
      place={p.place}
      label="Revoke"
      confirm={`Revoke ${client}`}
      action={`/apps/${p.app.id}/revoke`}
      fields={p.target ? { from: 'list' } : {}}
      {...(p.target ? { target: p.target } : {})}
      question={
        <>
          Revoke <strong>{client}</strong>
          {p.app.device && ` on ${foreign(p.app.device, 40)}`}?
        </>
      }
      consequences={[
        'It is shut out on its very next request',
        'Open streams close now',
        p.script ? 'It cannot be brought back' : 'To come back it has to ask you again',
      ]}
    />
  )
}

const PauseOrResume = (p: { app: AppSummary; target: string }) => {
  const { id, pausedItself } = p.app
  const common = { fields: { from: 'list' }, target: p.target, quiet: true }
  return pausedItself ? <Resume action={`/apps/${id}/resume`} {...common} /> : <Pause action={`/apps/${id}/pause`} {...common} />
}

/** Also the reply to POST /apps/:id/revoke, /pause and /resume from the list. */
export const AppRow = ({ app }: { app: AppSummary }) => {
  const alive = app.status === 'active' || app.status === 'paused'
  return (
    <tr id={`app-${app.id}`} class={alive ? undefined : 'row-past'}>
      <td class="cell-main">
        <a class="strong break" href={`/apps/${app.id}`}>
          <bdi>{foreign(app.client, 60)}</bdi>
        </a>
        <p class="cell-note">
          <bdi>{foreign(app.device, 60) || 'device not named'}</bdi>
        </p>
      </td>
      <td class="cell-status">
        <AppStatusWord status={app.status} />
        {app.status === 'paused' && app.pausedWith && app.pausedWith.kind !== 'grant' && (
          <p class="cell-note">{pausedInWords(app.pausedWith)}</p>
        )}
      </td>
      <td data-label="Profile" class="cell-name">
        {foreign(app.profile, 40)}
        <p class="cell-note">{amountInWords(app.holds)}</p>
      </td>
      <td data-label="Let in" class="nowrap">
        <Ago at={app.createdAt} />
      </td>
      <td data-label="Last used" class="nowrap">
        <AgoOr at={app.lastUsedAt} none="never" />
      </td>
      <td data-label="Ends" class="nowrap">
        <AgoOr at={app.expiresAt} none="when revoked" />
      </td>
      <td class="cell-actions">
        {alive && (
          <div class="actions">
            <PauseOrResume app={app} target={`#app-${app.id}`} />
            <RevokeConfirm app={app} place="row" target={`#app-${app.id}`} />
          </div>
        )}
      </td>
    </tr>
  )
}

/** Fewer are seen at one glance. */
const FILTERED_FROM = 8
const FILTERS: readonly [AppsFilter, string][] = [
  ['active', 'Active'],
  ['paused', 'Paused'],
  ['ended', 'Ended'],
]
const total = (counts: AppsPageProps['counts']): number => counts.active + counts.paused + counts.ended

const StatusFilter = (p: Pick<AppsPageProps, 'filter' | 'counts'>) => (
  <nav class="places" aria-label="Status">
    <ul>
      <li>
        <a href="/apps" aria-current={p.filter === undefined ? 'page' : undefined}>
          All {total(p.counts)}
        </a>
      </li>
      {FILTERS.map(([filter, label]) => (
        <li>
          <a href={`/apps?status=${filter}`} aria-current={p.filter === filter ? 'page' : undefined}>
            {label} {p.counts[filter]}
          </a>
        </li>
      ))}
    </ul>
  </nav>
)

const AllOfThem = ({ apps, paused }: AppsPageProps['all']) => (
  <Card title="All your apps" id="control" tone="danger" lead="For when something is wrong and you would rather look first.">
    <Many
      path="/apps"
      apps={apps}
      paused={paused}
      all="all my apps"
      pausing={`${plural(apps, 'app or access token', 'apps and access tokens')}. While they are paused each is refused, and keeps what it was allowed; so is any that you let in meanwhile.`}
      revoke={{
        label: 'Revoke all',
        confirm: `Revoke ${plural(apps, 'app')}`,
        question: 'Revoke every app and access token of yours?',
        consequences: [
          `${plural(apps, 'app')} ${apps === 1 ? 'is' : 'are'} shut out at once`,
          'Each has to ask you again',
          'Access tokens cannot be brought back',
        ],
      }}
    />
  </Card>
)

export const AppsPage = (p: AppsPageProps) => (
  <Layout shell={p.shell} title="Connected apps" current="apps">
    <PageHead
      title="Connected apps"
      lead="Each line is one app that you let in, on one device, with one profile. Revoking holds on its very next request."
      // Where several are to be stopped at once, nobody scrolls past all of them. Paused, the top of every page has the way back.
      actions={p.all.apps > 1 && !p.all.paused && <Pause action="/apps/pause" label="Pause all my apps" />}
    />
    <AppsPlaces current="/apps" />
    {total(p.counts) > FILTERED_FROM && <StatusFilter filter={p.filter} counts={p.counts} />}
    <Card flush={true}>
      {p.apps.length === 0 && p.filter !== undefined ? (
        <Empty icon="app-window" title={`None is ${p.filter}`}>
          <a href="/apps">All connected apps</a>
        </Empty>
      ) : p.apps.length === 0 ? (
        <Empty
          icon="app-window"
          title="No app connected yet"
          action={
            <LinkButton href="/profiles" tone="primary">
              Choose a profile to connect
            </LinkButton>
          }
        >
          Give an app the link of one of your profiles. It sends you here, you decide, and it appears in this list.
        </Empty>
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">App</th>
              <th scope="col">Status</th>
              <th scope="col">Profile</th>
              <th scope="col">Let in</th>
              <th scope="col">Last used</th>
              <th scope="col">Ends</th>
              <ActionsHead />
            </tr>
          </thead>
          <tbody>
            {p.apps.map((app) => (
              <AppRow app={app} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
    {(p.all.apps > 0 || p.all.paused) && <AllOfThem {...p.all} />}
  </Layout>
)
