/**
 * Adding a connection: first which connector (a link, so that the choice has an address), then its form.
 * GET /connections/new?connector=ID
 * POST /connections — connector, name, sharing (private | open | each), settings.<key>.
 */
import { Layout, type Shell } from './layout.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { FormProblem, type FormState, RadioField, TextField } from './parts/field.tsx'
import { Icon, type IconName } from './parts/icon.tsx'
import { Notice } from './parts/notice.tsx'
import { FetchesAsked } from './programs.tsx'
import { SettingsFields, type SettingsSchema } from './settings-form.tsx'

export type ConnectorChoice = {
  id: string
  title: string
  description: string
  /** False when only an administrator may add one, and the reader is none. */
  allowed: boolean
  /** It runs a program here, which the form says plainly. */
  runsHere: boolean
}

export type NewConnectionPageProps = {
  shell: Shell
  connectors: readonly ConnectorChoice[]
  /** What was chosen, with its form. */
  chosen?: { id: string; schema: SettingsSchema } | undefined
  form?: FormState | undefined
}

export const SHARING_OPTIONS = [
  { value: 'private', label: 'Only you', hint: 'Only you can put its tools into profiles.' },
  { value: 'open', label: 'Everyone here, with your credential', hint: 'What they call is done in your name over there.' },
  { value: 'each', label: 'Everyone here, each with their own credential', hint: 'Others see its tools, and sign in for themselves.' },
]

const iconOf = (connector: ConnectorChoice): IconName => (connector.runsHere ? 'terminal' : 'globe')

const Choice = (p: { connector: ConnectorChoice; chosen: boolean }) => (
  <li class={`choice${p.chosen ? ' choice-chosen' : ''}${p.connector.allowed ? '' : ' choice-closed'}`}>
    <Icon name={iconOf(p.connector)} />
    <div>
      <h3>
        {p.connector.allowed ? (
          <a class="tile-link" href={`/connections/new?connector=${p.connector.id}`} aria-current={p.chosen ? 'true' : undefined}>
            {p.connector.title}
          </a>
        ) : (
          p.connector.title
        )}
      </h3>
      <p>{p.connector.description}</p>
      {!p.connector.allowed && <p class="cell-note">Only an administrator can add one.</p>}
    </div>
    {p.chosen && <span class="choice-mark">chosen</span>}
  </li>
)

const NewForm = (p: { connector: ConnectorChoice; schema: SettingsSchema; form: FormState | undefined }) => (
  <Card title={p.connector.title}>
    <form class="stack narrow" method="post" action="/connections">
      <FormProblem form={p.form} />
      {p.connector.runsHere && (
        <Notice tone="warning" title="It runs on the machine of Toolpass">
          Only add a program whose source you trust. It gets a clean environment: what you enter below, and nothing else.
        </Notice>
      )}
      <input type="hidden" name="connector" value={p.connector.id} />
      <TextField
        name="name"
        label="Name"
        form={p.form}
        required={true}
        autofocus={true}
        lengthMax={60}
        placeholder="Linear"
        hint="Stands in front of tool names where two would be alike."
      />
      <SettingsFields schema={p.schema} form={p.form} />
      {p.connector.runsHere && <FetchesAsked />}
      <RadioField name="sharing" label="Who may use it" value="private" form={p.form} options={SHARING_OPTIONS} />
      <div class="actions">
        <Button tone="primary">Add and try it</Button>
        <LinkButton href="/connections" tone="quiet">
          Cancel
        </LinkButton>
      </div>
    </form>
  </Card>
)

export const NewConnectionPage = (p: NewConnectionPageProps) => {
  const connector = p.connectors.find((each) => each.id === p.chosen?.id)
  return (
    <Layout shell={p.shell} title="Add a connection" current="connections">
      <PageHead
        back={{ href: '/connections', label: 'Connections' }}
        title="Add a connection"
        lead={connector ? undefined : 'How is the MCP server reached?'}
      />
      <ul class="choices">
        {p.connectors.map((each) => (
          <Choice connector={each} chosen={each === connector} />
        ))}
      </ul>
      {connector && p.chosen && <NewForm connector={connector} schema={p.chosen.schema} form={p.form} />}
    </Layout>
  )
}
