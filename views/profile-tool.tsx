/**
 * One tool, or prompt, of one profile: what its server says and what apps see, side by side, and what makes the difference.
 * POST /profiles/:id/tools/:toolId — seen (the hash of the definition that was shown), name, title, description, kind (empty: as its
 *   server says; read | write | destructive), pinned (on), and for each argument by its place in the schema: use-0 (as-is | default | fixed), value-0.
 * POST /profiles/:id/tools/:toolId/restore — nothing else: takes back all but the pin.
 */
import type { Child } from './jsx-runtime.ts'
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { FieldError, FormProblem, type FormState, SelectField, SwitchField, TextArea, TextField } from './parts/field.tsx'
import { foreign, short, unhidden } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import type { Feature } from './parts/offered.tsx'
import { KindBadge, ToolDescription, type ToolKind } from './parts/tool.tsx'

export type ArgumentKind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json'
export type ArgumentField = {
  /** Its place in the schema, by which its fields are called: a name that an upstream chose need not survive a form. */
  at: number
  name: string
  type: string
  kind: ArgumentKind
  isRequired: boolean
  description: string
  choices: readonly string[]
  use: 'as-is' | 'default' | 'fixed'
  value: string
}
/** One of the two readings of it. */
export type ToolSide = {
  name: string
  title: string | undefined
  description: string
  cost: number | undefined
  kind: ToolKind | undefined
  json: string
}

export type ProfileToolPageProps = {
  shell: Shell
  profile: { id: string; title: string; delivery: 'whole' | 'search' }
  tool: {
    id: string
    feature: Feature
    /** Of the definition that is shown. */
    hash: string
    connection: { id: string; name: string }
    kind: ToolKind
    exposedName: string
    upstreamName: string
    isHeldBack: boolean
    isAdjusted: boolean
    isPinned: boolean
  }
  server: ToolSide
  apps: ToolSide
  /** What was chosen here; empty where nothing was. */
  saved: { name: string; title: string; description: string; kind: string }
  fields: readonly ArgumentField[]
  form?: FormState | undefined
}

const NONE = <span class="muted">none</span>
const JSON_CHARS_MAX = 100_000

/** What differs from the other side is marked, by a word and not by a colour alone. */
const Side = (p: { title: string; lead: string; side: ToolSide; other?: ToolSide | undefined }) => {
  const changed = (differs: boolean, value: Child): Child =>
    p.other && differs ? (
      <>
        {value} <Badge tone="accent">changed here</Badge>
      </>
    ) : (
      value
    )
  const { side, other } = p
  const kind: readonly [Child, Child][] = side.kind ? [['Kind', changed(side.kind !== other?.kind, <KindBadge kind={side.kind} />)]] : []
  const cost: readonly [Child, Child][] = side.cost === undefined ? [] : [['Context cost', short(side.cost)]]
  return (
    <Card title={p.title} lead={p.lead}>
      <Facts
        items={[
          ['Name', changed(side.name !== other?.name, <code class="break">{foreign(side.name, 128)}</code>)],
          ['Title', changed(side.title !== other?.title, side.title ? <bdi>{foreign(side.title, 200)}</bdi> : NONE)],
          ['Description', changed(side.description !== other?.description, <ToolDescription text={side.description} />)],
          ...kind,
          ...cost,
        ]}
      />
      <details class="fold">
        <summary>The whole definition</summary>
        <pre class="code log" tabindex="0">
          <code>{foreign(unhidden(side.json), JSON_CHARS_MAX)}</code>
        </pre>
      </details>
    </Card>
  )
}

const USES = [
  { value: 'as-is', label: 'As it is' },
  { value: 'default', label: 'Default value' },
  { value: 'fixed', label: 'Fixed value, hidden' },
]

const TRUTHS = [
  { value: '', label: 'Choose' },
  { value: 'true', label: 'true' },
  { value: 'false', label: 'false' },
]

const VALUE_HINTS: Partial<Record<ArgumentKind, string>> = { json: 'As JSON.', integer: 'A whole number.' }

const Value = ({ field, form }: { field: ArgumentField; form: FormState | undefined }) => {
  const common = { scope: 'argument', name: `value-${field.at}`, label: 'Value', form, value: field.value, hint: VALUE_HINTS[field.kind] }
  if (field.kind === 'boolean') return <SelectField {...common} options={TRUTHS} />
  if (field.kind === 'choice') {
    const choices = field.choices.map((choice, at) => ({ value: String(at), label: foreign(choice, 80) }))
    return <SelectField {...common} options={[{ value: '', label: 'Choose' }, ...choices]} />
  }
  if (field.kind === 'json' || field.kind === 'text') return <TextArea {...common} rows={1} mono={field.kind === 'json'} />
  return <TextField {...common} mono={true} />
}

const Argument = ({ field, form }: { field: ArgumentField; form: FormState | undefined }) => (
  // biome-ignore lint/a11y/useSemanticElements: a fieldset is no grid in every browser, and its name stands beside its fields here
  <div class="argument" role="group" aria-labelledby={`argument-${field.at}`}>
    <div>
      <p class="argument-name" id={`argument-${field.at}`}>
        <span class="mono strong break">{foreign(unhidden(field.name), 128)}</span> <span class="muted">{foreign(field.type, 60)}</span>
        {field.isRequired && <Badge>required</Badge>}
      </p>
      {field.description && <ToolDescription text={field.description} />}
    </div>
    <div class="argument-fields">
      <SelectField scope="argument" name={`use-${field.at}`} label="How apps get it" form={form} value={field.use} options={USES} />
      <Value field={field} form={form} />
    </div>
  </div>
)

const Arguments = ({ fields, form }: Pick<ProfileToolPageProps, 'fields' | 'form'>) => (
  <Card
    title="Arguments"
    lead="A default is used where an app gives none. A fixed value is always sent, and apps are not even told that there is such an argument."
  >
    {form?.errors?.['defaults'] && <FieldError>{form.errors['defaults']}</FieldError>}
    {form?.errors?.['fixed'] && <FieldError>{form.errors['fixed']}</FieldError>}
    {fields.length === 0 ? (
      <p class="muted">This tool takes no arguments.</p>
    ) : (
      <div class="arguments">
        {fields.map((field) => (
          <Argument field={field} form={form} />
        ))}
      </div>
    )}
  </Card>
)

const KIND_WORDS: Record<ToolKind, string> = { read: 'reads', write: 'writes', destructive: 'can destroy' }
const KINDS = [
  { value: 'read', label: 'Reads: it looks things up and changes nothing' },
  { value: 'write', label: 'Writes: it creates or changes things' },
  { value: 'destructive', label: 'Can destroy: it deletes or overwrites' },
]

const Words = ({ profile, tool, server, saved, form }: ProfileToolPageProps) => (
  <Card title="Name and words" lead="What is left empty stays as its server says. Clearer words help a model to choose.">
    <div class="stack narrow">
      <TextField
        name="name"
        label="Name"
        value={saved.name}
        form={form}
        optional={true}
        mono={true}
        lengthMax={64}
        placeholder={saved.name === '' ? tool.exposedName : foreign(server.name, 64)}
        hint="Up to 64 letters, digits, hyphens and underscores. Apps know it by this name, so those that use it now find it under the new one."
      />
      <TextField
        name="title"
        label="Title"
        value={saved.title}
        form={form}
        optional={true}
        lengthMax={200}
        placeholder={foreign(server.title ?? '', 80)}
      />
      <TextArea
        name="description"
        label="Description"
        value={saved.description}
        form={form}
        optional={true}
        rows={4}
        lengthMax={10_000}
        placeholder={foreign(server.description, 400)}
      />
      {tool.feature === 'tool' && (
        <SelectField
          name="kind"
          label="What it does to the world"
          value={saved.kind}
          form={form}
          options={[{ value: '', label: `As its server says: ${KIND_WORDS[server.kind ?? 'write']}` }, ...KINDS]}
          hint="Correct it where the server is wrong. Apps are told, and what you allow by kind goes by it."
        />
      )}
      {tool.feature === 'tool' && (
        <SwitchField
          name="pinned"
          label="Always show it to the model"
          on={tool.isPinned}
          hint={
            profile.delivery === 'search'
              ? 'Apps find the tools of this profile by search. A pinned one stands beside the three that search, for what is needed each time.'
              : 'Without effect as it is: apps are shown every tool of this profile. It counts once they find them by search.'
          }
        />
      )}
    </div>
  </Card>
)

const Restore = ({ profile, tool }: Pick<ProfileToolPageProps, 'profile' | 'tool'>) => (
  <Card title="Take all back" lead="As its server says, in every part.">
    <Confirm
      label="Take all back"
      confirm="Take all back"
      mild={true}
      action={`/profiles/${profile.id}/tools/${tool.id}/restore`}
      question="Take back everything that was adjusted here?"
      consequences={[
        'The name, title and description of this profile’s own are lost',
        ...(tool.feature === 'tool' ? ['So are its kind, and its default and fixed values: apps are told of each argument again'] : []),
      ]}
    />
  </Card>
)

export const ProfileToolPage = (p: ProfileToolPageProps) => {
  const { profile, tool } = p
  const path = `/profiles/${profile.id}/tools/${tool.id}`
  const what = tool.feature === 'tool' ? 'tool' : 'prompt'
  return (
    <Layout shell={p.shell} title={`Adjust ${foreign(tool.upstreamName, 64)}`} current="profiles">
      <PageHead
        back={{ href: `/profiles/${profile.id}`, label: foreign(profile.title, 64) }}
        title={<bdi class="mono break">{foreign(tool.upstreamName, 128)}</bdi>}
        badge={tool.feature === 'tool' ? <KindBadge kind={tool.kind} /> : <Badge>prompt</Badge>}
        lead={
          <>
            A {what} of <a href={`/connections/${tool.connection.id}`}>{foreign(tool.connection.name, 64)}</a>, adjusted for this profile
            alone. It widens nothing: who may use it stays as it was allowed.
          </>
        }
      />
      {tool.isHeldBack && (
        <Notice tone="warning" title={`This ${what} is held back`}>
          Its server changed it since you picked it, so apps do not see it now. What is shown here is how it is after the change.{' '}
          <a href={`/profiles/${profile.id}#change-${tool.id}`}>See the difference</a>
        </Notice>
      )}
      <div class="two-sides">
        <Side title="What its server says" lead="As it was listed last." side={p.server} />
        <Side
          title="What apps see"
          lead={tool.isHeldBack ? 'Once the change is accepted.' : 'In this profile, as it is saved.'}
          side={p.apps}
          other={p.server}
        />
      </div>
      <form class="stack" method="post" action={path}>
        <input type="hidden" name="seen" value={tool.hash} />
        <FormProblem form={p.form} />
        <Words {...p} />
        {tool.feature === 'tool' && <Arguments fields={p.fields} form={p.form} />}
        <div class="actions">
          <Button tone="primary">Save</Button>
          <LinkButton href={`/profiles/${profile.id}`} tone="quiet">
            Cancel
          </LinkButton>
        </div>
      </form>
      {tool.isAdjusted && <Restore profile={profile} tool={tool} />}
    </Layout>
  )
}
