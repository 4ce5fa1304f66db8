/**
 * Whether one app is let in at all, and until when.
 * POST /apps/:id/pause, /resume — `from=list` answers htmx with `<AppRow …/>`.
 * POST /apps/:id/expiry — expires (day | week | month | quarter | never | date), date (yyyy-mm-dd, with `date`).
 * POST /apps/:id/client/pause, /resume, /revoke — all one's own apps of the same client.
 */
import type { AppFacts } from './app-about.tsx'
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { type FormState, SelectField, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Many, Pause, PausedBy, type PausedWith, Resume } from './parts/paused.tsx'
import { AgoOr } from './parts/time.tsx'

export type AppAccessProps = {
  app: AppFacts
  /** All that it is paused with, itself included. */
  pauses: readonly PausedWith[]
  /** Apps of the same client that its user lets in, this one included. */
  siblings: number
  form?: FormState | undefined
}

const TITLES: Record<PausedWith['kind'], string> = {
  grant: 'Paused',
  client: 'Paused with all installs of this app',
  connection: 'Paused with its connection',
  profile: 'Paused with its profile',
  user: 'Paused with all your apps',
  everything: 'Paused with everything',
}

function liftedAt({ kind, own }: PausedWith, { profileId }: AppFacts) {
  if (kind === 'grant') return 'Each request is refused. What it was allowed stays.'
  if (kind === 'profile') return <a href={`/profiles/${profileId}#control`}>Resume the profile</a>
  return own ? undefined : 'An administrator can let it go on.'
}

const Why = (p: { by: PausedWith; app: AppFacts }) => (
  <Notice tone="warning" title={TITLES[p.by.kind]}>
    <p>
      <PausedBy by={p.by} />. {liftedAt(p.by, p.app)}
    </p>
  </Notice>
)

const EXPIRIES = [
  { value: 'day', label: 'In 1 day' },
  { value: 'week', label: 'In 7 days' },
  { value: 'month', label: 'In 30 days' },
  { value: 'quarter', label: 'In 90 days' },
  { value: 'never', label: 'When it is revoked' },
  { value: 'date', label: 'On a date of your choice' },
]

const Ends = (p: { app: AppFacts; form: FormState | undefined }) => (
  <details class="fold" open={p.form !== undefined}>
    <summary>Change when it ends</summary>
    <form class="stack" method="post" action={`/apps/${p.app.id}/expiry`}>
      <SelectField scope="expiry" name="expires" label="It ends" value="month" form={p.form} options={EXPIRIES} />
      <TextField
        scope="expiry"
        name="date"
        label="Date"
        form={p.form}
        optional={true}
        type="date"
        hint="Only for a date of your choice. It ends when that day does, by UTC."
      />
      <div class="actions">
        <Button>Save</Button>
      </div>
    </form>
  </details>
)

const Siblings = (p: AppAccessProps) => {
  const client = foreign(p.app.client, 40)
  const paused = p.pauses.find(({ kind, own }) => kind === 'client' && own)
  const all = p.siblings === 1 ? 'it' : `all ${p.siblings}`
  return (
    <div class="access-part">
      <h3>Every {client} of yours</h3>
      <Many
        path={`/apps/${p.app.id}/client`}
        apps={p.siblings}
        paused={paused}
        all={all}
        pausing={`${plural(p.siblings, 'connected app')}, and any that you let in while it is paused.`}
        revoke={{
          label: `Revoke ${all}`,
          confirm: `Revoke ${plural(p.siblings, 'app')}`,
          question: (
            <>
              Revoke every <strong>{client}</strong> of yours?
            </>
          ),
          consequences: [`${plural(p.siblings, 'app')} ${p.siblings === 1 ? 'is' : 'are'} shut out at once`, 'Each has to ask you again'],
        }}
      />
    </div>
  )
}

/** Beside the app's name, so that it is at hand on a phone too. */
export const PauseApp = ({ app }: { app: AppFacts }) =>
  app.pausedItself ? <Resume action={`/apps/${app.id}/resume`} /> : <Pause action={`/apps/${app.id}/pause`} />

/** Why nothing of it comes through. What pauses all apps stands above each page already. */
export const AppPauses = (p: { app: AppFacts; pauses: readonly PausedWith[] }) => (
  <>
    {p.pauses
      .filter(({ kind }) => kind !== 'everything' && kind !== 'user')
      .map((by) => (
        <Why by={by} app={p.app} />
      ))}
  </>
)

/** For an app that is let in, paused or not. */
export const AppAccess = (p: AppAccessProps) => {
  const isPausedWithAll = p.pauses.some(({ kind, own }) => kind === 'client' && own)
  return (
    <Card
      title="Access"
      lead={
        <>
          Ends <AgoOr at={p.app.expiresAt} none="when revoked" />
        </>
      }
    >
      <div class="stack">
        <Ends app={p.app} form={p.form} />
        {(p.siblings > 1 || isPausedWithAll) && <Siblings {...p} />}
      </div>
    </Card>
  )
}
