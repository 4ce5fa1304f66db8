/**
 * A configuration of another program, as connections.
 * GET /connections/import — POST /connections/import (text, file) answers with the preview.
 * POST /connections/import/create — token, pick (a number each), name.<number>, sharing, variable.<number>.
 */
import { SHARING_OPTIONS } from './connection-new.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { FieldError, FormProblem, type FormState, RadioField, Switch, TextArea, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { Notice } from './parts/notice.tsx'

export type ImportPageProps = { shell: Shell; form?: FormState | undefined }

const EXAMPLE = `{
  "mcpServers": {
    "linear": { "url": "https://mcp.linear.app/mcp" }
  }
}`

const HEAD = { back: { href: '/connections', label: 'Connections' }, title: 'Import a configuration' }

export const ImportPage = (p: ImportPageProps) => (
  <Layout shell={p.shell} title="Import a configuration" current="connections">
    <PageHead
      {...HEAD}
      lead="From Claude, VS Code, Cursor, Windsurf, Codex, Zed, Gemini and others. You see what it becomes before anything is made."
    />
    <Card>
      <form class="stack" method="post" action="/connections/import" enctype="multipart/form-data">
        <FormProblem form={p.form} />
        <TextArea
          name="text"
          label="Paste the configuration"
          form={p.form}
          mono={true}
          rows={12}
          placeholder={EXAMPLE}
          hint="mcp.json, claude_desktop_config.json, settings.json or config.toml, whole or in part."
        />
        <div class="field">
          <label for="import-file">
            Or choose the file<span class="optional">optional</span>
          </label>
          <input id="import-file" type="file" name="file" accept=".json,.jsonc,.toml,application/json" />
          <p class="hint">Up to 250 KB.</p>
          {p.form?.errors?.['file'] && <FieldError id="import-file-error">{p.form.errors['file']}</FieldError>}
        </div>
        <div class="actions">
          <Button tone="primary">Show what it becomes</Button>
          <LinkButton href="/connections" tone="quiet">
            Cancel
          </LinkButton>
        </div>
      </form>
    </Card>
  </Layout>
)

export type ImportRow = {
  at: number
  /** What the file calls it. */
  key: string
  /** A free name. */
  name: string
  connector: string
  /** The address or the command line, secrets hidden. */
  summary: string
  /** Names of what is sealed. */
  sealed: readonly string[]
  warnings: readonly string[]
  problem?: string | undefined
  picked: boolean
}
export type ImportVariable = {
  at: number
  label: string
  description?: string | undefined
  value?: string | undefined
  isSecret: boolean
  /** Rows that use it. */
  usedBy: readonly string[]
}
export type ImportPreviewPageProps = {
  shell: Shell
  token: string
  rows: readonly ImportRow[]
  variables: readonly ImportVariable[]
  notes: readonly string[]
  form?: FormState | undefined
}

const Row = ({ row, form }: { row: ImportRow; form: FormState | undefined }) => (
  <li class={`import-row${row.problem ? ' import-row-out' : ''}`}>
    {row.problem ? (
      <Icon name="circle-x" />
    ) : (
      <Switch
        name="pick"
        on={form?.values ? form.values[`pick.${row.at}`] === 'on' : row.picked}
        attributes={{ value: String(row.at), 'aria-label': `Import ${foreign(row.key, 60)}` }}
      />
    )}
    <div class="import-text">
      <p class="import-title">
        <bdi class="strong">{foreign(row.key, 80)}</bdi> {!row.problem && <Badge>{row.connector}</Badge>}
      </p>
      {row.problem ? (
        <p class="cell-danger">{foreign(row.problem, 300)}</p>
      ) : (
        <>
          <p class="cell-note mono break">{foreign(row.summary, 300)}</p>
          {row.sealed.length > 0 && (
            <p class="cell-note">
              <Icon name="lock" /> Kept sealed: {foreign(row.sealed.join(', '), 300)}
            </p>
          )}
          {row.warnings.map((warning) => (
            <p class="cell-warning">
              <Icon name="triangle-alert" /> <span>{foreign(warning, 300)}</span>
            </p>
          ))}
          <TextField name={`name.${row.at}`} label="Name" form={form} value={row.name} lengthMax={60} />
        </>
      )}
    </div>
  </li>
)

const Variables = (p: ImportPreviewPageProps) => (
  <Card title="To fill in" lead="The file leaves these to be asked for, or took them from the environment of another program.">
    <div class="stack narrow">
      {p.variables.map((variable) => (
        <TextField
          name={`variable.${variable.at}`}
          label={foreign(variable.label, 60)}
          hint={
            <>
              {variable.description && `${foreign(variable.description, 200).replace(/[.:]*$/, '')}. `}
              For {foreign(variable.usedBy.join(', '), 200)}.
            </>
          }
          type={variable.isSecret ? 'password' : 'text'}
          form={p.form}
          value={variable.value}
          lengthMax={8000}
          optional={true}
        />
      ))}
    </div>
  </Card>
)

export const ImportPreviewPage = (p: ImportPreviewPageProps) => {
  const usable = p.rows.filter((row) => !row.problem).length
  return (
    <Layout shell={p.shell} title="Import a configuration" current="connections">
      <PageHead {...HEAD} lead="Nothing is made yet. Untick what you do not want." />
      {p.notes.map((note) => (
        <Notice tone="info">{foreign(note, 300)}</Notice>
      ))}
      <form class="stack import-form" method="post" action="/connections/import/create">
        <FormProblem form={p.form} />
        <input type="hidden" name="token" value={p.token} />
        <Card title={plural(p.rows.length, 'server')} flush={true}>
          <ul class="import-rows">
            {p.rows.map((row) => (
              <Row row={row} form={p.form} />
            ))}
          </ul>
        </Card>
        {p.variables.length > 0 && <Variables {...p} />}
        {usable > 0 && (
          <Card>
            <RadioField name="sharing" label="Who may use them" value="private" form={p.form} options={SHARING_OPTIONS} />
          </Card>
        )}
        <div class="actions">
          {usable > 0 && <Button tone="primary">Import what is ticked</Button>}
          <LinkButton href="/connections/import" tone="quiet">
            Start over
          </LinkButton>
        </div>
      </form>
    </Layout>
  )
}

export type ImportDonePageProps = {
  shell: Shell
  made: readonly { id: string; name: string }[]
  refused: readonly { name: string; problem: string }[]
}

export const ImportDonePage = (p: ImportDonePageProps) => (
  <Layout shell={p.shell} title="Imported" current="connections">
    <PageHead
      {...HEAD}
      title={p.made.length === 0 ? 'Nothing was imported' : `${plural(p.made.length, 'connection')} imported`}
      lead={p.made.length > 0 && 'Each is being tried now. Its page says what is left to do, such as signing in.'}
      actions={
        <LinkButton href="/connections" tone="primary">
          All connections
        </LinkButton>
      }
    />
    {p.refused.map(({ name, problem }) => (
      <Notice tone="danger" title={`${foreign(name, 60)} was not made`}>
        {foreign(problem, 300)}
      </Notice>
    ))}
    <Card flush={true}>
      {p.made.length === 0 ? (
        <Empty icon="plug" title="Nothing was made" action={<LinkButton href="/connections/import">Start over</LinkButton>}>
          Tick at least one server that can be imported.
        </Empty>
      ) : (
        <ul class="rows">
          {p.made.map(({ id, name }) => (
            <li>
              <a class="row-link" href={`/connections/${id}`}>
                <span class="row-title">{foreign(name, 60)}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Card>
  </Layout>
)
