/** What happens while a connection is tried: each step in plain words, live. */
import { Badge, type Tone } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { foreign, latency } from './parts/format.ts'
import { Icon, type IconName } from './parts/icon.tsx'

export type ProbeState = 'waiting' | 'running' | 'ok' | 'warning' | 'failed'
export type ProbeStep = {
  title: string
  state: ProbeState
  /** What was found, and what to do about it, in whole sentences. */
  text?: string | undefined
  durationMs?: number | undefined
}
export type ProbeProps = {
  connectionId: string
  steps: readonly ProbeStep[]
  /** No step will change any more. */
  done: boolean
  /** How much it offers, of whatever can be picked. */
  offers: number
  /** Where the tools can be picked. */
  profiles: readonly { id: string; title: string }[]
}

const STATES: Record<ProbeState, readonly [word: string, tone: Tone, icon: IconName]> = {
  waiting: ['Waiting', 'neutral', 'circle'],
  running: ['Running', 'accent', 'loader'],
  ok: ['Done', 'ok', 'circle-check'],
  warning: ['Careful', 'warning', 'triangle-alert'],
  failed: ['Failed', 'danger', 'circle-x'],
}

const Step = ({ step }: { step: ProbeStep }) => {
  const [word, tone, icon] = STATES[step.state]
  return (
    <li class={`probe-step probe-${step.state} tone-${tone}`}>
      <Icon name={icon} />
      <div class="probe-text">
        <p class="probe-title">{step.title}</p>
        {step.text && <p class="probe-note">{step.text}</p>}
      </div>
      <span class="probe-time">
        {step.durationMs !== undefined && <span class="muted">{latency(step.durationMs)}</span>}
        <Badge tone={tone}>{word}</Badge>
      </span>
    </li>
  )
}

const PROFILES_SHOWN_MAX = 4

const Next = (p: ProbeProps) => {
  if (p.steps.some((step) => step.state === 'failed'))
    return <p class="probe-end">Not working yet. The connection is saved: change its settings below, then check again.</p>
  if (p.steps.some((step) => step.state === 'waiting')) return <p class="probe-end">One step is left: sign in below.</p>
  if (p.offers === 0) return <p class="probe-end">It works, but offers nothing to pick.</p>
  return (
    <div class="probe-end actions">
      {p.profiles.length === 1 && p.profiles[0] ? (
        <LinkButton href={`/profiles/${p.profiles[0].id}`} tone="primary">
          Pick tools
        </LinkButton>
      ) : (
        p.profiles.slice(0, PROFILES_SHOWN_MAX).map((profile, at) => (
          <LinkButton href={`/profiles/${profile.id}`} tone={at === 0 ? 'primary' : 'secondary'}>
            Add to {foreign(profile.title, 40)}
          </LinkButton>
        ))
      )}
    </div>
  )
}

/** Also the reply to GET /connections/:id/probe. It asks for itself until it is done. */
export const Probe = (p: ProbeProps) => (
  <section
    id="probe"
    class="card card-flush"
    aria-label="Trying the connection"
    aria-live="polite"
    aria-busy={p.done ? 'false' : 'true'}
    hx-get={p.done ? undefined : `/connections/${p.connectionId}/probe`}
    hx-trigger={p.done ? undefined : 'every 1s'}
    hx-swap={p.done ? undefined : 'outerMorph'}
  >
    <header class="card-head">
      <div>
        <h2>{p.done ? 'Tried it' : 'Trying it …'}</h2>
      </div>
      {!p.done && (
        <noscript>
          <a href={`/connections/${p.connectionId}`}>See how it goes on</a>
        </noscript>
      )}
    </header>
    <ol class="probe">
      {p.steps.map((step) => (
        <Step step={step} />
      ))}
    </ol>
    {p.done && <Next {...p} />}
  </section>
)
