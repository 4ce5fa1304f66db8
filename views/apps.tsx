/**
 * Connected apps: what each client may use, since when, until when.
 * POST /apps/:id/revoke — `from=list`; the reply to htmx is `<AppRow …/>`, now revoked.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status, type Tone } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign } from './parts/format.ts'
import { type Amounts, amountInWords } from './parts/offered.tsx'
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
}
export type AppsPageProps = { shell: Shell; apps: readonly AppSummary[] }

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

/** Also the reply to POST /apps/:id/revoke from the list. */
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
      <td>
        <AppStatusWord status={app.status} />
      </td>
      <td data-label="Profile" class="cell-name">
        {foreign(app.profile, 40)}
        <span class="cell-note"> {amountInWords(app.holds)}</span>
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
      <td class="cell-actions">{alive && <RevokeConfirm app={app} place="row" target={`#app-${app.id}`} />}</td>
    </tr>
  )
}

export const AppsPage = (p: AppsPageProps) => (
  <Layout shell={p.shell} title="Connected apps" current="apps">
    <PageHead
      title="Connected apps"
      lead="Each line is one app that you let in, on one device, with one profile. Revoking holds on its very next request."
    />
    <AppsPlaces current="/apps" />
    <Card flush={true}>
      {p.apps.length === 0 ? (
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
  </Layout>
)
