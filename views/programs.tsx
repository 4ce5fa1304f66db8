/**
 * Programs that run on this machine for connections; for administrators only.
 * POST /admin/programs/policy — user_id (once for each member who may), commands (one a line; none is any).
 * POST /admin/programs/stop — connection_id, user_id.
 * POST /programs/fetches — settings.command, settings.args; the reply is `<Fetches …/>`, for the form of a new connection.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { Empty } from './parts/empty.tsx'
import { FormProblem, type FormState, TextArea } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { AdminPlaces } from './parts/places.tsx'
import { MemoryOf, type Protection, Protections } from './parts/protections.tsx'
import { Ago } from './parts/time.tsx'
import { ActionsHead } from './parts/table.tsx'

export type ProgramRow = {
  connection: { id: string; name: string }
  /** The reader may open the connection's page, where the log is. */
  seen: boolean
  /** Whose credential it runs with. */
  user: { id: string; name: string }
  command: string
  pid: number
  since: number
  memoryBytes: number
  memoryMb: number
  processes: number
  /** Absent while it is being opened. */
  use?: { inFlight: number; usedAt: number } | undefined
}
export type RestingRow = {
  connection: { id: string; name: string }
  seen: boolean
  user: { id: string; name: string }
  until: number
  problem: string
}

export type ProgramsPageProps = {
  shell: Shell
  running: readonly ProgramRow[]
  resting: readonly RestingRow[]
  protections: readonly Protection[]
  members: readonly { id: string; username: string; allowed: boolean }[]
  commands: readonly string[]
  /** Programs without a request for so long are stopped. */
  idleSeconds: number
  form?: FormState | undefined
}

const Named = (p: { row: Pick<ProgramRow, 'connection' | 'seen'> }) =>
  p.row.seen ? (
    <a class="strong break" href={`/connections/${p.row.connection.id}`}>
      <bdi>{foreign(p.row.connection.name)}</bdi>
    </a>
  ) : (
    <span class="strong break">
      <bdi>{foreign(p.row.connection.name)}</bdi>
    </span>
  )

const Activity = ({ use }: Pick<ProgramRow, 'use'>) => {
  if (!use) return <Status tone="neutral">Starting</Status>
  if (use.inFlight > 0) return <Status tone="ok">{plural(use.inFlight, 'request')}</Status>
  return (
    <span>
      idle, used <Ago at={use.usedAt} />
    </span>
  )
}

const Row = ({ row }: { row: ProgramRow }) => (
  <tr>
    <td class="cell-main">
      <Named row={row} /> <span class="muted break">for {foreign(row.user.name, 64)}</span>
      <p class="cell-note mono">{foreign(row.command, 200)}</p>
    </td>
    <td data-label="Process">
      {row.pid}
      {row.processes > 1 && ` and ${plural(row.processes - 1, 'child', 'children')}`}, <Ago at={row.since} />
    </td>
    <td data-label="Memory">
      <MemoryOf {...row} />
    </td>
    <td data-label="Use">
      <Activity use={row.use} />
    </td>
    <td class="cell-actions">
      <div class="actions">
        {row.seen && (
          <a class="button button-quiet" href={`/connections/${row.connection.id}#log`}>
            <span>Log</span>
          </a>
        )}
        <Confirm
          place="row"
          mild={true}
          label="Stop"
          confirm={`Stop ${foreign(row.connection.name, 40)}`}
          action="/admin/programs/stop"
          fields={{ connection_id: row.connection.id, user_id: row.user.id }}
          question={
            <>
              Stop the program of <strong>{foreign(row.connection.name, 40)}</strong>?
            </>
          }
          consequences={[
            row.use && row.use.inFlight > 0 ? `${plural(row.use.inFlight, 'request')} under way will fail` : 'No request is under way',
            'It starts again when it is next used',
          ]}
        />
      </div>
    </td>
  </tr>
)

const Resting = ({ row }: { row: RestingRow }) => (
  <tr>
    <td class="cell-main">
      <Named row={row} /> <span class="muted break">for {foreign(row.user.name, 64)}</span>
      <p class="cell-note">{foreign(row.problem, 300)}</p>
    </td>
    <td data-label="State" class="nowrap" colspan={4}>
      <Status tone="danger">{`Restarts in ${Math.max(1, Math.ceil((row.until - Date.now()) / 1000))} s`}</Status>
    </td>
  </tr>
)

const Running = (p: ProgramsPageProps) => (
  <Card title="Running now" lead={`Started on first use, stopped after ${idleWords(p.idleSeconds)} without any.`} flush={true}>
    {p.running.length + p.resting.length === 0 ? (
      <Empty icon="terminal" title="No program is running">
        One starts when a connection that needs it is used.
      </Empty>
    ) : (
      <table class="table table-programs">
        <thead>
          <tr>
            <th scope="col">Connection</th>
            <th scope="col">Process</th>
            <th scope="col">Memory</th>
            <th scope="col">Use</th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {p.resting.map((row) => (
            <Resting row={row} />
          ))}
          {p.running.map((row) => (
            <Row row={row} />
          ))}
        </tbody>
      </table>
    )}
  </Card>
)

const idleWords = (seconds: number): string => (seconds % 60 === 0 ? plural(seconds / 60, 'minute') : plural(seconds, 'second'))

const Members = ({ members }: Pick<ProgramsPageProps, 'members'>) => (
  <fieldset class="field programs-members">
    <legend>Members who may add programs</legend>
    <p class="hint">Administrators always may. Whoever may can run anything that this account can, within the protections below.</p>
    {members.length === 0 && <p class="muted">There are no members yet.</p>}
    {members.map((member) => (
      <label class="check-line">
        <input type="checkbox" name="user_id" value={member.id} checked={member.allowed} />
        <span>{foreign(member.username, 64)}</span>
      </label>
    ))}
  </fieldset>
)

const Policy = (p: ProgramsPageProps) => (
  <Card
    title="Who may, and what"
    lead="Holds at once, for connections that exist as well: what may not run any more is stopped and says why."
  >
    <form class="stack narrow" method="post" action="/admin/programs/policy">
      <FormProblem form={p.form} />
      <Members members={p.members} />
      <TextArea
        name="commands"
        label="Allowed programs"
        optional={true}
        mono={true}
        rows={5}
        form={p.form}
        value={p.commands.join('\n')}
        placeholder={'npx\njavascript\n/usr/local/bin/our-server'}
        hint="One name or full path a line, as a connection writes it. Empty: any. It says which programs start, not what they do: npx runs any package."
      />
      <div class="actions">
        <Button>Save</Button>
      </div>
    </form>
  </Card>
)

export const ProgramsPage = (p: ProgramsPageProps) => (
  <Layout shell={p.shell} title="Programs" current="admin">
    <PageHead title="Programs" lead="Some connections run a program on the machine of Toolpass. These are the ones that run now." />
    <AdminPlaces current="/admin/programs" />
    <Running {...p} />
    <Policy {...p} />
    <Card title="What protects this machine" lead="For every program, as far as this system offers it.">
      <Protections protections={p.protections} />
    </Card>
  </Layout>
)

/** Under the form of a new connection: what its program will download. Empty until there is something to say. */
export const Fetches = (p: { text?: string | undefined }) => (
  <p id="program-fetches" class="hint" role="status">
    {p.text && foreign(p.text, 300)}
  </p>
)

/** The same with the asking; without JavaScript the hint at the command says it in general. */
export const FetchesAsked = () => (
  <div
    hx-post="/programs/fetches"
    hx-trigger="input from:closest form delay:400ms"
    hx-include="[name='settings.command'],[name='settings.args']"
    hx-target="#program-fetches"
    hx-swap="outerHTML"
  >
    <Fetches />
  </div>
)
