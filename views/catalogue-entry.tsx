/**
 * One server of the catalogue, and what it asks for before it can be added.
 * GET /catalogue/:space/:server — way (which of its ways to use).
 * POST /catalogue/:space/:server — way, name, sharing, answer.<key>.
 */
import { Letter, type WayIn, WAYS_IN, WayInBadge } from './catalogue.tsx'
import { SHARING_OPTIONS } from './connection-new.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { FormProblem, type FormState, RadioField, SelectField, TextArea, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Ago } from './parts/time.tsx'

export type EntryQuestion = {
  key: string
  label: string
  description?: string | undefined
  isRequired: boolean
  isSecret: boolean
  isRepeated: boolean
  value?: string | undefined
  placeholder?: string | undefined
  choices?: readonly string[] | undefined
}
export type EntryWay = {
  id: string
  /** The connector's name for people. */
  connector: string
  /** The address or the command line. */
  summary: string
  runsHere: boolean
  questions: readonly EntryQuestion[]
  /** Why it cannot be added, or not by the reader. */
  problem?: string | undefined
}
export type CatalogueEntryPageProps = {
  shell: Shell
  entry: {
    name: string
    title: string
    description: string
    version: string
    wayIn: WayIn
    scopes: readonly string[]
    links: readonly { label: string; href: string }[]
    warnings: readonly string[]
    /** The day on which it was compared with what is published. */
    checked?: string | undefined
    source?: string | undefined
    origin: 'shipped' | 'own' | 'registry' | 'file'
    /** The registry or the file it came from. */
    from?: string | undefined
    seenAt?: number | undefined
  }
  ways: readonly EntryWay[]
  /** Which of the ways the form is for. */
  chosen: EntryWay | undefined
  /** A name that the reader has not used yet. */
  name: string
  added: readonly { id: string; name: string }[]
  form?: FormState | undefined
}

const Question = (p: { question: EntryQuestion; form: FormState | undefined }) => {
  const { question } = p
  const common = {
    name: `answer.${question.key}`,
    label: foreign(question.label, 60),
    hint: question.description === undefined ? undefined : foreign(question.description, 400),
    form: p.form,
    optional: !question.isRequired,
  }
  const placeholder = question.placeholder === undefined ? undefined : foreign(question.placeholder, 120)
  if (question.isRepeated)
    return <TextArea {...common} mono={true} value={question.value} placeholder={placeholder ?? 'One a line'} lengthMax={8000} />
  if (question.choices)
    return (
      <SelectField
        {...common}
        value={question.value}
        options={[...(question.isRequired ? [] : ['']), ...question.choices].map((value) => ({ value, label: value || 'not set' }))}
      />
    )
  return (
    <TextField
      {...common}
      type={question.isSecret ? 'password' : 'text'}
      mono={!question.isSecret}
      value={question.value}
      placeholder={placeholder}
      required={question.isRequired}
      lengthMax={8000}
    />
  )
}

const AddForm = (p: CatalogueEntryPageProps & { way: EntryWay }) => (
  <form class="stack" method="post" action={`/catalogue/${p.entry.name}`}>
    <FormProblem form={p.form} />
    {p.way.runsHere && (
      <Notice tone="warning" title="It runs on the machine of Toolpass">
        Only add a program whose source you trust. What is started stands above.
      </Notice>
    )}
    <input type="hidden" name="way" value={p.way.id} />
    {p.way.questions.map((question) => (
      <Question question={question} form={p.form} />
    ))}
    <TextField
      name="name"
      label="Name"
      form={p.form}
      value={p.name}
      required={true}
      lengthMax={60}
      hint="Stands in front of tool names where two would be alike."
    />
    <RadioField name="sharing" label="Who may use it" value="private" form={p.form} options={SHARING_OPTIONS} />
    <div class="actions">
      <Button tone="primary">Add and try it</Button>
      <LinkButton href="/catalogue" tone="quiet">
        Cancel
      </LinkButton>
    </div>
  </form>
)

const Ways = (p: CatalogueEntryPageProps) =>
  p.ways.length > 1 ? (
    <nav aria-label="Ways to use it">
      <ul class="chips-row">
        {p.ways.map((way) => (
          <li>
            <a
              class="chip-link"
              href={`/catalogue/${p.entry.name}?way=${way.id}`}
              aria-current={way.id === p.chosen?.id ? 'true' : undefined}
            >
              {way.runsHere ? 'Run it here' : 'By its address'}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  ) : (
    <></>
  )

const ORIGINS = {
  shipped: 'came with Toolpass',
  own: 'written by an administrator here',
  registry: 'from a registry',
  file: 'loaded from a file',
}

const Known = ({ entry }: CatalogueEntryPageProps) => (
  <Card title="What is known of it">
    <div class="stack">
      <Facts
        items={[
          ['Name', <span class="mono break">{foreign(entry.name, 200)}</span>],
          ['How one gets in', WAYS_IN[entry.wayIn].means],
          ...(entry.scopes.length > 0 ? [['Scopes', <span class="mono break">{foreign(entry.scopes.join(' '), 400)}</span>] as const] : []),
          ['Version', foreign(entry.version, 60)],
          ['This entry', ORIGINS[entry.origin]],
          ...(entry.from ? [['Read from', <span class="break">{foreign(entry.from, 200)}</span>] as const] : []),
          ...(entry.seenAt ? [['Read', <Ago at={entry.seenAt} />] as const] : []),
          ...(entry.checked ? [['Compared', entry.checked] as const] : []),
        ]}
      />
      {entry.checked && (
        <p class="hint">On that day this was compared with what is published. Whether the server works shows when you add it.</p>
      )}
      {(entry.source || entry.links.length > 0) && (
        <ul class="entry-links">
          {entry.source && (
            <li>
              <a href={entry.source} rel="noopener noreferrer" target="_blank">
                Its documentation
              </a>
            </li>
          )}
          {entry.links.map((link) => (
            <li>
              <a href={link.href} rel="noopener noreferrer" target="_blank">
                {foreign(link.label, 60)}
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  </Card>
)

const Manage = ({ entry }: CatalogueEntryPageProps) => (
  <>
    <LinkButton href={`/admin/catalogue/edit?name=${encodeURIComponent(entry.name)}`} tone="quiet">
      {entry.origin === 'own' ? 'Edit' : 'Write your own'}
    </LinkButton>
    {entry.origin !== 'shipped' && (
      <Confirm
        place="block"
        label="Remove"
        confirm="Remove this entry"
        action="/admin/catalogue/remove"
        fields={{ name: entry.name }}
        question={
          <>
            Remove <strong>{foreign(entry.title, 60)}</strong> from the catalogue?
          </>
        }
        consequences={['Connections made from it stay', 'One that came with Toolpass comes back in its place']}
      />
    )}
  </>
)

export const CatalogueEntryPage = (p: CatalogueEntryPageProps) => (
  <Layout shell={p.shell} title={foreign(p.entry.title, 60)} current="catalogue">
    <PageHead
      back={{ href: '/catalogue', label: 'Catalogue' }}
      title={
        <span class="entry-title">
          <Letter name={p.entry.name} title={p.entry.title} />
          <bdi>{foreign(p.entry.title, 80)}</bdi>
        </span>
      }
      badge={<WayInBadge wayIn={p.entry.wayIn} />}
      lead={<bdi>{foreign(p.entry.description, 1000)}</bdi>}
      actions={p.shell.viewer.role === 'admin' && <Manage {...p} />}
    />
    {p.added.length > 0 && (
      <Notice tone="ok" title="You added it already">
        {p.added.map(({ id, name }, at) => (
          <>
            {at > 0 && ', '}
            <a href={`/connections/${id}`}>{foreign(name, 60)}</a>
          </>
        ))}
      </Notice>
    )}
    {p.entry.warnings.map((warning) => (
      <Notice tone="warning">{foreign(warning, 1000)}</Notice>
    ))}
    <div class="split">
      <Card title="Add it">
        <div class="stack">
          <Ways {...p} />
          {p.chosen && (
            <p>
              <code class="code entry-command">{foreign(p.chosen.summary, 400)}</code>
            </p>
          )}
          {p.chosen?.problem ? <Notice tone="info">{p.chosen.problem}</Notice> : p.chosen && <AddForm {...p} way={p.chosen} />}
        </div>
      </Card>
      <Known {...p} />
    </div>
  </Layout>
)
