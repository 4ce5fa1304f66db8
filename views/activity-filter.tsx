/** The filters of the activity page: a plain form whose fields stand in the address, and a chip for each that is on. */
import { Button, LinkButton } from './parts/button.tsx'
import { type Option, SelectField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'

export type ActivityChoices = {
  apps: readonly Option[]
  grants: readonly Option[]
  profiles: readonly Option[]
  connections: readonly Option[]
  tools: readonly Option[]
  /** Empty for members. */
  users: readonly Option[]
}
/** As they stand in the address. */
export type ActivityFilterValues = Partial<
  Record<
    'q' | 'outcome' | 'kind' | 'client' | 'grant' | 'profile' | 'connection' | 'tool' | 'user' | 'last' | 'from' | 'to',
    string | undefined
  >
>
export type Chip = { label: string; text: string; removeHref: string }

const ALL: Option = { value: '', label: 'All' }
const OUTCOMES: readonly Option[] = [
  ALL,
  { value: 'ok', label: 'Served' },
  { value: 'failed', label: 'Failed' },
  { value: 'refused', label: 'Refused' },
  { value: 'cancelled', label: 'Cancelled' },
]
const KINDS: readonly Option[] = [
  { value: '', label: 'Calls' },
  { value: 'acts', label: 'Changes made here' },
  { value: 'sign-ins', label: 'Sign-ins' },
  { value: 'all', label: 'Everything' },
]
const LASTS: readonly Option[] = [
  { value: '', label: 'Any time' },
  { value: 'hour', label: 'Last hour' },
  { value: 'day', label: 'Last day' },
  { value: 'week', label: 'Last week' },
  { value: 'month', label: 'Last 30 days' },
]
const LABEL_CHARS_MAX = 60
const named = (options: readonly Option[]): Option[] => [
  ALL,
  ...options.map((option) => ({ ...option, label: foreign(option.label, LABEL_CHARS_MAX) })),
]

const MORE = ['kind', 'client', 'profile', 'connection', 'tool', 'user', 'from', 'to'] as const

const TimeField = (p: { name: string; label: string; value: string | undefined }) => (
  <div class="field">
    <label for={`field-${p.name}`}>{p.label}</label>
    <input type="datetime-local" id={`field-${p.name}`} name={p.name} value={p.value} />
  </div>
)

const More = (p: { values: ActivityFilterValues; choices: ActivityChoices }) => (
  <details class="filter-more" open={MORE.some((name) => p.values[name] !== undefined)}>
    <summary>More filters</summary>
    <div class="filter filter-wide">
      <SelectField name="kind" label="What" value={p.values.kind ?? ''} options={KINDS} />
      <SelectField name="client" label="App" value={p.values.client ?? ''} options={named(p.choices.apps)} />
      <SelectField name="tool" label="Tool" value={p.values.tool ?? ''} options={named(p.choices.tools)} />
      <SelectField name="profile" label="Profile" value={p.values.profile ?? ''} options={named(p.choices.profiles)} />
      <SelectField name="connection" label="Connection" value={p.values.connection ?? ''} options={named(p.choices.connections)} />
      {p.choices.users.length > 0 && <SelectField name="user" label="User" value={p.values.user ?? ''} options={named(p.choices.users)} />}
      <TimeField name="from" label="From (UTC)" value={p.values.from} />
      <TimeField name="to" label="Until (UTC)" value={p.values.to} />
    </div>
  </details>
)

export const ActivityFilter = (p: { values: ActivityFilterValues; choices: ActivityChoices; paused: boolean }) => (
  <form method="get" action="/activity" class="activity-filter" aria-label="Filter">
    <div class="filter filter-first">
      <TextField name="q" label="Words" value={p.values.q ?? ''} placeholder="Tool, app, reason, what was sent" lengthMax={200} />
      <SelectField name="outcome" label="Outcome" value={p.values.outcome ?? ''} options={OUTCOMES} />
      <SelectField name="last" label="When" value={p.values.last ?? ''} options={LASTS} />
      <div class="actions">
        <Button>Filter</Button>
      </div>
    </div>
    {p.values.grant && <input type="hidden" name="grant" value={p.values.grant} />}
    {p.paused && <input type="hidden" name="live" value="off" />}
    <More values={p.values} choices={p.choices} />
  </form>
)

export const Chips = (p: { chips: readonly Chip[] }) =>
  p.chips.length === 0 ? (
    <></>
  ) : (
    <ul class="chips-row" aria-label="Filters that are on">
      {p.chips.map((chip) => (
        <li>
          <a class="chip-link" href={chip.removeHref} title={`Show without this filter: ${chip.label}`}>
            <span class="muted">{chip.label}</span>
            <bdi>{foreign(chip.text, LABEL_CHARS_MAX)}</bdi>
            <Icon name="x" />
            <span class="hidden-text">(remove)</span>
          </a>
        </li>
      ))}
      {p.chips.length > 1 && (
        <li>
          <LinkButton href="/activity" tone="quiet">
            Clear all
          </LinkButton>
        </li>
      )}
    </ul>
  )
