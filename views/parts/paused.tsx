/** What is paused, by whom, and the buttons for it; the same words wherever it stands. */
import type { Child, Html } from '../jsx-runtime.ts'
import { Button } from './button.tsx'
import { Confirm } from './confirm.tsx'
import { foreign, plural } from './format.ts'
import { Posting, type Target } from './posting.tsx'
import { Ago } from './time.tsx'

/** `grant` is the app itself. */
export type PausedKind = 'grant' | 'client' | 'connection' | 'profile' | 'user' | 'everything'
export type PausedWith = {
  kind: PausedKind
  /** The reader did it, for their own apps: they can let it go on. Otherwise it is for everyone here. */
  own: boolean
  byName: string
  at: number
}

/** "Paused with everything": in a row, where the rest is on the page behind it. */
export function pausedInWords({ kind, own }: PausedWith): string {
  if (kind === 'everything') return own ? 'with all your apps' : 'with everything'
  if (kind === 'user') return 'with all your apps, by an administrator'
  if (kind === 'client') return own ? 'with all installs of this app' : 'for everyone, by an administrator'
  if (kind === 'profile') return 'with its profile'
  return kind === 'connection' ? 'with its connection' : 'by itself'
}

export const PausedBy = ({ by }: { by: PausedWith }): Html => (
  <>
    {by.own ? 'By you' : `By ${foreign(by.byName, 40)}`}, <Ago at={by.at} />
  </>
)

// One click: nothing is lost by it.
type Look = Target & { label?: string | undefined; quiet?: boolean | undefined }
export const Pause = (p: Look) => (
  <Posting action={p.action} fields={p.fields} target={p.target}>
    <Button tone={p.quiet ? 'quiet' : 'secondary'} icon={p.quiet ? undefined : 'pause'}>
      {p.label ?? 'Pause'}
    </Button>
  </Posting>
)
export const Resume = (p: Look) => (
  <Posting action={p.action} fields={p.fields} target={p.target}>
    <Button tone={p.quiet ? 'quiet' : 'primary'} icon={p.quiet ? undefined : 'play'}>
      {p.label ?? 'Resume'}
    </Button>
  </Posting>
)

/** How many a deed would meet, and whether it is done already. */
export type ManyStanding = { apps: number; users: number; paused: PausedWith | undefined }

export type ManyProps = {
  /** `/apps`, `/profiles/prf_1`, ...: the deeds are below it. */
  path: string
  apps: number
  paused: PausedWith | undefined
  /** Goes with each of the forms. */
  fields?: Readonly<Record<string, string>>
  /** In the buttons: "all 3 apps". */
  all: string
  /** What pausing means here, for who reads it before they do it. */
  pausing: Child
  revoke: { label: string; confirm: string; question: Child; consequences: readonly Child[] }
}

/** Pausing and revoking many at once: how it stands, one button, and one that asks first. */
export const Many = (p: ManyProps) => {
  const fields = p.fields ?? {}
  return (
    <div class="stack many">
      {p.paused ? (
        <p>
          <strong>Paused.</strong> <PausedBy by={p.paused} />. {p.pausing}
        </p>
      ) : (
        <p class="muted">{p.pausing}</p>
      )}
      <div class="actions">
        {p.paused ? (
          <Resume action={`${p.path}/resume`} fields={fields} label={`Resume ${p.all}`} />
        ) : (
          <Pause action={`${p.path}/pause`} fields={fields} label={`Pause ${p.all}`} />
        )}
        {p.apps > 0 && (
          <Confirm
            label={p.revoke.label}
            confirm={p.revoke.confirm}
            action={`${p.path}/revoke`}
            fields={fields}
            question={p.revoke.question}
            consequences={p.revoke.consequences}
          />
        )}
      </div>
    </div>
  )
}

/** "3 apps of 2 users": what a deed meets. */
export const appsInWords = (apps: number, users?: number): string =>
  users === undefined || users < 2 ? plural(apps, 'app') : `${plural(apps, 'app')} of ${plural(users, 'user')}`
