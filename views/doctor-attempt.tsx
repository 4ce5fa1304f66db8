/** One app's way in: a line of steps from top to bottom, and what to do when it ends too early. */
import { Status, type Tone } from './parts/badge.tsx'
import { foreign, latency, plural } from './parts/format.ts'
import { Icon, type IconName } from './parts/icon.tsx'
import { Notice } from './parts/notice.tsx'
import { Ago } from './parts/time.tsx'

export type EntryView = { text: string; at: number; times: number; tone: Tone }
/** `next` is what is waited for now. */
export type StageView = {
  title: string
  state: 'done' | 'waiting' | 'refused' | 'passed' | 'ahead' | 'next'
  word: string
  afterMs?: number | undefined
  at?: number | undefined
  note?: string | undefined
  entries: readonly EntryView[]
}
export type AdviceView = { problem: string; fix: string; link?: { href: string; label: string } }
export type AttemptView = {
  id: number
  /** Empty while it has not said its name. */
  app: string
  /** Who signed in; for administrators, who see other people's attempts too. */
  users: readonly string[]
  from: readonly string[]
  address: string
  state: 'connected' | 'refused' | 'waiting' | 'stopped'
  startedAt: number
  lastAt: number
  stages: readonly StageView[]
  advice: readonly AdviceView[]
  last401?: { at: number; status: number; why: string } | undefined
}

const STATES: Record<AttemptView['state'], readonly [tone: Tone, word: string]> = {
  connected: ['ok', 'Connected'],
  refused: ['danger', 'Refused'],
  waiting: ['accent', 'On its way'],
  stopped: ['warning', 'Stopped'],
}
const LOOKS: Record<StageView['state'], readonly [tone: Tone, icon: IconName]> = {
  done: ['ok', 'check'],
  waiting: ['accent', 'clock'],
  refused: ['danger', 'x'],
  passed: ['neutral', 'check'],
  ahead: ['neutral', 'circle'],
  next: ['accent', 'loader'],
}

const Entry = ({ entry }: { entry: EntryView }) => (
  <li class={`way-entry tone-${entry.tone}`}>
    <span class="break">{foreign(entry.text, 200)}</span>
    {entry.times > 1 && <span class="muted"> {plural(entry.times, 'time')}</span>}
    <span class="way-when">
      <Ago at={entry.at} />
    </span>
  </li>
)

const Stage = ({ stage }: { stage: StageView }) => {
  const [tone, icon] = LOOKS[stage.state]
  return (
    <li
      class={`way-step way-${stage.state} tone-${tone}`}
      aria-current={stage.state === 'next' || stage.state === 'waiting' ? 'step' : undefined}
    >
      <span class="way-mark">
        <Icon name={icon} />
      </span>
      <div class="way-text">
        <p class="way-title">
          <strong>{stage.title}</strong> <span class="way-word">{stage.state === 'next' ? 'Waiting for it …' : stage.word}</span>
          {stage.afterMs !== undefined && stage.afterMs > 0 && <span class="way-after">after {latency(stage.afterMs)}</span>}
        </p>
        {stage.note && <p class="cell-note">{stage.note}</p>}
        {stage.entries.length > 0 && (
          <ul class="way-entries">
            {stage.entries.map((entry) => (
              <Entry entry={entry} />
            ))}
          </ul>
        )}
      </div>
    </li>
  )
}

const Advices = (p: { attempt: AttemptView }) => (
  <div class="way-advice">
    {p.attempt.advice.length > 0 && <h3>{p.attempt.state === 'waiting' ? 'What happens now' : 'What is wrong and how to fix it'}</h3>}
    {p.attempt.advice.map(({ problem, fix, link }, at) => (
      <Notice tone={p.attempt.state === 'waiting' ? 'info' : at === 0 ? 'danger' : 'warning'} title={foreign(problem, 300)}>
        <p>{foreign(fix, 500)}</p>
        {link && (
          <p>
            <a href={link.href}>{link.label}</a>
          </p>
        )}
      </Notice>
    ))}
    {p.attempt.state === 'connected' && (
      <Notice tone="ok" title="It works">
        The app is in. If it shows no tools, look at what you allowed it under <a href="/apps">Connected apps</a>.
      </Notice>
    )}
    {p.attempt.last401 && (
      <p class="cell-note">
        Last refusal at the endpoint: {p.attempt.last401.status}, <Ago at={p.attempt.last401.at} />: {foreign(p.attempt.last401.why, 200)}.
      </p>
    )}
  </div>
)

export const AttemptName = ({ attempt }: { attempt: AttemptView }) => (
  <>
    <bdi>{foreign(attempt.app, 60) || 'An app without a name yet'}</bdi>{' '}
    <Status tone={STATES[attempt.state][0]}>{STATES[attempt.state][1]}</Status>
  </>
)

const Facts = ({ attempt }: { attempt: AttemptView }) => (
  <p class="cell-note break">
    <code>{foreign(attempt.address, 60)}</code> from {foreign(attempt.from.join(', '), 160)}
    {attempt.users.length > 0 && <>, signed in: {foreign(attempt.users.join(', '), 80)}</>}, begun <Ago at={attempt.startedAt} />
  </p>
)

export const AttemptBody = ({ attempt }: { attempt: AttemptView }) => (
  <>
    <Facts attempt={attempt} />
    <div class="way-columns">
      <ol class="way">
        {attempt.stages.map((stage) => (
          <Stage stage={stage} />
        ))}
      </ol>
      <Advices attempt={attempt} />
    </div>
  </>
)
