/**
 * At which profile an app is that came to `/mcp`, and when it moves by itself.
 * POST /apps/:id/switch — profile (its id), newly (usual | nothing). The reply to htmx leads to the page, as for a plain browser.
 * POST /apps/:id/switches — profile, day (0 to 6, once for each, 0 is Monday), time (hh:mm), time_zone.
 * POST /apps/:id/switches/:switchId/remove — nothing else.
 */
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { FieldError, FormProblem, type FormState, SelectField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Segments } from './parts/segments.tsx'

/** What a profile would be for this app. */
export type SwitchChoice = {
  id: string
  title: string
  /** Whose it is, where it is somebody else's that is open. */
  owner?: string | undefined
  current: boolean
  allowed: number
  asked: number
  refused: number
  /** It was never at it: so many would be decided by the choice below. */
  newly: number
}
export type ScheduledSwitch = { id: string; profile: string; days: number; time: string; timeZone: string }
export type AppSwitchProps = {
  appId: string
  choices: readonly SwitchChoice[]
  switches: readonly ScheduledSwitch[]
  timeZones: readonly string[]
  /** The one that comes up chosen: of the latest switch, else the house's own. */
  timeZone: string
  form?: FormState | undefined
  /** Days that a refused form was sent with. */
  days?: number | undefined
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const WORKDAYS = 0b0011111
const WEEKEND = 0b1100000
const EVERY_DAY = 0b1111111

export function daysInWords(days: number): string {
  if (days === EVERY_DAY) return 'Every day'
  if (days === WORKDAYS) return 'Monday to Friday'
  if (days === WEEKEND) return 'Saturday and Sunday'
  return DAYS.filter((_, at) => (days & (1 << at)) !== 0).join(', ')
}

const holdsInWords = ({ allowed, asked, refused }: SwitchChoice): string =>
  [allowed > 0 && `${allowed} allowed`, asked > 0 && `${asked} ask first`, refused > 0 && `${refused} refused`]
    .filter((part) => part !== false)
    .join(', ') || 'nothing in it'

const Choice = (p: { choice: SwitchChoice; form: string }) => {
  const { choice } = p
  const title = foreign(choice.title, 64)
  return (
    <li class="switch-choice">
      <div>
        <span class="row-title">
          <bdi>{title}</bdi>
        </span>
        <p class="row-note">
          {choice.owner && `of ${foreign(choice.owner, 40)}, `}
          {holdsInWords(choice)}
          {choice.newly > 0 && ', new to this app'}
        </p>
      </div>
      {choice.current ? (
        <span class="status tone-ok">
          <span class="status-dot" aria-hidden="true" />
          now
        </span>
      ) : (
        <button
          type="submit"
          class="button button-secondary"
          form={p.form}
          name="profile"
          value={choice.id}
          aria-label={`Switch to ${title}`}
        >
          Switch
        </button>
      )}
    </li>
  )
}

const NEWLY = [
  { value: 'usual', label: 'As a new app', tone: 'accent' as const },
  { value: 'nothing', label: 'Nothing more', tone: 'neutral' as const },
]

const Schedule = (p: AppSwitchProps) => (
  <details class="fold" open={p.form !== undefined || p.switches.length > 0}>
    <summary>By schedule</summary>
    {p.switches.length > 0 && (
      <ul class="schedule">
        {p.switches.map((each) => (
          <li>
            <span>
              {daysInWords(each.days)} at {each.time}: <strong>{foreign(each.profile, 64)}</strong>{' '}
              <span class="muted nowrap">{each.timeZone}</span>
            </span>
            <form method="post" action={`/apps/${p.appId}/switches/${each.id}/remove`}>
              <button type="submit" class="text-button" aria-label={`Remove ${daysInWords(each.days)} at ${each.time}`}>
                Remove
              </button>
            </form>
          </li>
        ))}
      </ul>
    )}
    <form class="stack" method="post" action={`/apps/${p.appId}/switches`}>
      <FormProblem form={p.form} />
      <SelectField
        scope="schedule"
        name="profile"
        label="Switch to"
        form={p.form}
        options={p.choices.map(({ id, title }) => ({ value: id, label: foreign(title, 64) }))}
      />
      <fieldset class="field">
        <legend>On</legend>
        <div class="weekdays">
          {DAYS.map((day, at) => (
            <label class="weekday">
              <input type="checkbox" name="day" value={String(at)} checked={((p.days ?? WORKDAYS) & (1 << at)) !== 0} />
              <span>{day}</span>
            </label>
          ))}
        </div>
        {p.form?.errors?.['days'] && <FieldError>{p.form.errors['days']}</FieldError>}
      </fieldset>
      <TextField scope="schedule" name="time" label="At" form={p.form} value="09:00" type="time" />
      {/* Where nothing was chosen yet, a script puts in the place of the browser. */}
      <div data-own-zone={p.switches.length === 0 && p.form === undefined}>
        <SelectField
          scope="schedule"
          name="time_zone"
          label="Time zone"
          form={p.form}
          value={p.timeZone}
          options={p.timeZones.map((zone) => ({ value: zone, label: zone }))}
        />
      </div>
      <div class="actions">
        <Button>Add</Button>
      </div>
      <p class="hint">
        What a profile brings that is new to this app is then decided as for a new app: what reads and writes is allowed, what destroys asks
        first.
      </p>
    </form>
  </details>
)

export const AppSwitch = (p: AppSwitchProps) => {
  const form = 'switch-profile'
  return (
    <Card title="Profile" lead="Switch it here; the app stays connected and finds the other tools at once." id="profile">
      <div class="stack">
        <form id={form} method="post" action={`/apps/${p.appId}/switch`} hidden={true} />
        <ul class="switch-choices">
          {p.choices.map((choice) => (
            <Choice choice={choice} form={form} />
          ))}
        </ul>
        {p.choices.length < 2 && (
          <p class="muted">
            There is no other profile yet. <a href="/profiles">Make one</a>, and this app can be switched to it.
          </p>
        )}
        {p.choices.some(({ newly }) => newly > 0) && (
          <div class="stack-tight">
            <Segments name="newly" label="What it may use of a profile that is new to it" form={form} value="usual" segments={NEWLY} />
            <p class="hint">
              Of a profile that is new to this app. As a new app: what reads and writes is allowed, what destroys asks first. What you
              decided before stays decided.
            </p>
          </div>
        )}
        <Schedule {...p} />
      </div>
    </Card>
  )
}
