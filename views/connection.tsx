/**
 * One connection.
 * POST /connections/:id/check — tries it again; the reply is `<Probe …/>`, which replaces the status card.
 * GET /connections/:id/probe — see probe.tsx.
 * POST /connections/:id — name, sharing (private | open | each), settings.<key> (an empty secret is kept).
 * POST /connections/:id/credential — seen (the mark of the settings that were shown), settings.<key> for the secret ones alone: the reader's own, where each has their own.
 * POST /connections/:id/pause, /resume, /revoke — whose (own | everyone): its tools, for apps.
 * POST /connections/:id/delete — nothing else.
 * POST /connections/:id/limits, /trust, /tools/approve — see limits.tsx, connection-trust.tsx, profile-changes.tsx.
 */
import { ConnectionStatus, type ConnectionState, type Sharing, SHARING_WORDS } from './connections.tsx'
import { SHARING_OPTIONS } from './connection-new.tsx'
import { ConnectionAccount, type ConnectionAccountProps } from './connection-account.tsx'
import { ConnectionTrust } from './connection-trust.tsx'
import { Layout, type Shell } from './layout.tsx'
import { LimitsCard, type LimitsProps } from './limits.tsx'
import { Button } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { Empty } from './parts/empty.tsx'
import { FormProblem, type FormState, RadioField, TextField } from './parts/field.tsx'
import { foreign, plural, short } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { amountInWords, amountsOf, OfferedName, type OfferedWords } from './parts/offered.tsx'
import { appsInWords, Many, type ManyStanding, Pause, PausedBy, type PausedWith, Resume } from './parts/paused.tsx'
import { ProgramFold, type ProgramFoldProps } from './parts/protections.tsx'
import { AgoOr } from './parts/time.tsx'
import { KindBadge, ToolDescription, type ToolKind } from './parts/tool.tsx'
import { Probe, type ProbeProps } from './probe.tsx'
import { type ChangedTool, ConnectionChanges } from './profile-changes.tsx'
import { SettingsFields, type SettingsSchema } from './settings-form.tsx'
import { SignInCard, type SignInCardProps } from './upstream-sign-in.tsx'

export type UpstreamTool = { name: string; title?: string | undefined; description: string; kind: ToolKind; contextCost: number }

export type UpstreamOther = OfferedWords & { description: string }

export type ConnectionPageProps = {
  /** Where the server wants a sign-in. */
  signIn?: SignInCardProps | undefined
  /** Where it uses an account at a provider, or could. */
  account?: ConnectionAccountProps | undefined
  shell: Shell
  connection: {
    id: string
    name: string
    connector: string
    summary: string
    sharing: Sharing
    /** Absent when it is the reader's own. */
    owner?: string | undefined
    state: ConnectionState
    checkedAt?: number | undefined
    problem?: string | undefined
    /** What to do about the problem, in one or two sentences. */
    fix?: string | undefined
    upstream?: { name: string; title?: string | undefined; version?: string | undefined; revision: string } | undefined
  }
  tools: readonly UpstreamTool[]
  /** Prompts, resources and templates. */
  others: readonly UpstreamOther[]
  /** Last lines of a program's stderr and of the connector's remarks; absent where there is no log. */
  log?: readonly string[] | undefined
  /** Where it runs a program here, for those who may change it. */
  program?: ProgramFoldProps | undefined
  /** Present while it is tried, and right after. */
  probe?: ProbeProps | undefined
  /** Absent for those who may use the connection but not change it. */
  edit?:
    | { schema: SettingsSchema; saved: Readonly<Record<string, string>>; sealed: readonly string[]; form?: FormState | undefined }
    | undefined
  /** Tools of it that wait in profiles of the reader. */
  changed?: readonly ChangedTool[] | undefined
  /** Whether its changes are taken over; absent for all but its owner. */
  trust?: boolean | undefined
  /** For those who may change it. */
  limits?: LimitsProps | undefined
  /** The secret fields, where the reader uses it with a credential of their own. */
  own?: { schema: SettingsSchema; sealed: readonly string[]; mark: string; form?: FormState | undefined } | undefined
  /** What its tools are to apps: of everyone here for its owner, of the reader otherwise. */
  control?: (ManyStanding & { whose: 'own' | 'everyone' }) | undefined
  /** By its owner for everyone's apps, or by the reader for their own. */
  paused?: PausedWith | undefined
  /** Where its tools are in use, named when it is to be deleted. */
  usedBy: readonly { id: string; title: string }[]
}

type Connection = ConnectionPageProps['connection']

const CheckAgain = ({ connection }: { connection: Connection }) => (
  <form
    method="post"
    action={`/connections/${connection.id}/check`}
    hx-post={`/connections/${connection.id}/check`}
    hx-target="#probe"
    hx-swap="outerHTML"
    hx-disable="find button"
  >
    <Button icon="refresh">Check again</Button>
  </form>
)

/** Shares its id with `Probe`, which takes its place while the connection is tried. */
const StatusCard = ({ connection }: { connection: Connection }) => (
  <div id="probe">
    {connection.problem && (
      <Notice tone="danger" title={foreign(connection.problem, 300)}>
        {connection.fix}
      </Notice>
    )}
  </div>
)

const About = ({ connection }: { connection: Connection }) => (
  <Card title="About">
    <Facts
      items={[
        ['Status', <ConnectionStatus state={connection.state} />],
        ['Checked', <AgoOr at={connection.checkedAt} none="never" />],
        [
          'Upstream',
          connection.upstream ? (
            <bdi>
              {foreign(connection.upstream.title ?? connection.upstream.name, 80)} {foreign(connection.upstream.version ?? '', 30)}
            </bdi>
          ) : (
            <span class="muted">not known yet</span>
          ),
        ],
        ['MCP revision', connection.upstream?.revision ?? <span class="muted">not known yet</span>],
        ['Connector', connection.connector],
        ['Who may use it', SHARING_WORDS[connection.sharing]],
        ['Owner', connection.owner ?? 'You'],
      ]}
    />
  </Card>
)

const Tools = (p: { tools: readonly UpstreamTool[] }) => (
  <Card
    title="Tools"
    lead={
      p.tools.length > 0 &&
      `${plural(p.tools.length, 'tool')}, context cost ${short(p.tools.reduce((sum, tool) => sum + tool.contextCost, 0))} in all`
    }
    flush={true}
  >
    {p.tools.length === 0 ? (
      <Empty icon="plug" title="No tools">
        They appear when the connection works. Check it again after changing its settings.
      </Empty>
    ) : (
      <table class="table table-lean">
        <thead>
          <tr>
            <th scope="col">Tool</th>
            <th scope="col">Kind</th>
            <th scope="col" class="number">
              Context cost
            </th>
          </tr>
        </thead>
        <tbody>
          {p.tools.map((tool) => (
            <tr>
              <td class="cell-main">
                <span class="mono strong break">{foreign(tool.name, 128)}</span>
                {tool.title && tool.title !== tool.name && (
                  <span class="tool-title">
                    <bdi>{foreign(tool.title, 80)}</bdi>
                  </span>
                )}
                <ToolDescription text={tool.description} />
              </td>
              <td>
                <KindBadge kind={tool.kind} />
              </td>
              <td class="number" data-label="Context cost">
                {short(tool.contextCost)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Card>
)

/** Longer ones fold. */
const UNFOLDED_MAX = 8

const List = (p: { title: string; items: readonly UpstreamOther[] }) =>
  p.items.length === 0 ? (
    <></>
  ) : (
    <details class="offered-fold" open={p.items.length <= UNFOLDED_MAX}>
      <summary>
        <span class="offered-title">{p.title}</span> <span class="muted">{p.items.length}</span>
      </summary>
      <ul class="rows">
        {p.items.map((item) => (
          <li>
            <p>
              <OfferedName item={item} />
            </p>
            {item.description && <ToolDescription text={item.description} />}
          </li>
        ))}
      </ul>
    </details>
  )

const Others = (p: { others: readonly UpstreamOther[] }) =>
  p.others.length === 0 ? (
    <></>
  ) : (
    <Card title="Prompts and resources" lead={`${amountInWords(amountsOf(p.others))}. They cost nothing until they are used.`} flush={true}>
      <List title="Prompts" items={p.others.filter(({ feature }) => feature === 'prompt')} />
      <List title="Resources" items={p.others.filter(({ feature }) => feature !== 'prompt')} />
    </Card>
  )

const Log = (p: { lines: readonly string[] }) => (
  <Card title="Log" id="log" lead="The last lines it wrote.">
    {p.lines.length === 0 ? (
      <p class="muted">Nothing yet.</p>
    ) : (
      <pre class="code log" tabindex="0">
        <code>{p.lines.map((line) => foreign(line, 400)).join('\n')}</code>
      </pre>
    )}
  </Card>
)

const Edit = (p: { connection: Connection; edit: NonNullable<ConnectionPageProps['edit']> }) => (
  <Card title="Settings">
    <form class="stack narrow" method="post" action={`/connections/${p.connection.id}`}>
      <FormProblem form={p.edit.form} />
      <TextField name="name" label="Name" value={p.connection.name} form={p.edit.form} required={true} lengthMax={60} />
      <SettingsFields schema={p.edit.schema} saved={p.edit.saved} sealed={p.edit.sealed} form={p.edit.form} />
      <RadioField name="sharing" label="Who may use it" value={p.connection.sharing} form={p.edit.form} options={SHARING_OPTIONS} />
      <div class="actions">
        <Button>Save and try it</Button>
      </div>
    </form>
  </Card>
)

const OwnCredential = (p: { connection: Connection; own: NonNullable<ConnectionPageProps['own']> }) => (
  <Card
    title="Your credential"
    lead="Each person uses this connection with their own. Nobody else’s is ever used for you, nor yours for them."
  >
    <form class="stack narrow" method="post" action={`/connections/${p.connection.id}/credential`}>
      <FormProblem form={p.own.form} />
      <input type="hidden" name="seen" value={p.own.mark} />
      <SettingsFields schema={p.own.schema} sealed={p.own.sealed} form={p.own.form} />
      <div class="actions">
        <Button tone={p.own.sealed.length === 0 ? 'primary' : 'secondary'}>Save</Button>
      </div>
    </form>
  </Card>
)

type Controlled = { connection: Connection; control: NonNullable<ConnectionPageProps['control']> }

/** At the top as well, where it is looked for in a hurry. */
const PauseTools = ({ connection, control }: Controlled) => {
  const path = `/connections/${connection.id}`
  const fields = { whose: control.whose }
  if (control.paused) return <Resume action={`${path}/resume`} fields={fields} />
  const label = control.whose === 'own' ? 'Pause for my apps' : 'Pause for all apps'
  return control.apps === 0 ? <></> : <Pause action={`${path}/pause`} fields={fields} label={label} />
}

const Control = (p: Controlled) => {
  const { apps, users, paused, whose } = p.control
  const name = foreign(p.connection.name, 40)
  const theirs = whose === 'own' ? 'your' : 'all'
  return (
    <Card title="For apps" id="control" lead={`${appsInWords(apps, users)} may use its tools.`}>
      <Many
        path={`/connections/${p.connection.id}`}
        fields={{ whose }}
        apps={apps}
        paused={paused}
        all={whose === 'own' ? 'for my apps' : 'for all apps'}
        pausing={`While it is paused, its tools are out of the list of ${theirs} apps and refused. What was allowed stays.`}
        revoke={{
          label: 'Take from all apps',
          confirm: `Take from ${appsInWords(apps)}`,
          question: (
            <>
              Take <strong>{name}</strong> from {theirs} apps?
            </>
          ),
          consequences: [
            `Each of its tools is refused to ${appsInWords(apps, users)}, at once`,
            'Profiles keep them; you allow them again app by app',
          ],
        }}
      />
    </Card>
  )
}

const Delete = (p: Pick<ConnectionPageProps, 'connection' | 'usedBy'>) => {
  const name = foreign(p.connection.name)
  return (
    <Card title="Delete this connection" tone="danger" lead="Nothing changes at the upstream itself.">
      <Confirm
        label="Delete connection"
        confirm={`Delete ${name}`}
        icon="trash"
        action={`/connections/${p.connection.id}/delete`}
        question={
          <>
            Delete <strong>{name}</strong> for good?
          </>
        }
        consequences={[
          'Its settings and its sealed credential are destroyed',
          p.usedBy.length === 0
            ? 'No profile uses it'
            : `What it offers goes from ${p.usedBy.map((profile) => foreign(profile.title)).join(', ')}, for every app`,
        ]}
      />
    </Card>
  )
}

export const ConnectionPage = (p: ConnectionPageProps) => (
  <Layout shell={p.shell} title={foreign(p.connection.name)} current="connections">
    <PageHead
      back={{ href: '/connections', label: 'Connections' }}
      title={<bdi>{foreign(p.connection.name)}</bdi>}
      badge={<ConnectionStatus state={p.connection.state} />}
      lead={<span class="mono break">{foreign(p.connection.summary, 200)}</span>}
      actions={
        <>
          <CheckAgain connection={p.connection} />
          {p.control && <PauseTools connection={p.connection} control={p.control} />}
        </>
      }
    />
    {p.paused && (
      <Notice tone="warning" title="Paused">
        <PausedBy by={p.paused} />. Its tools are refused to {p.paused.own ? 'your' : 'all'} apps.
      </Notice>
    )}
    {p.probe ? <Probe {...p.probe} /> : <StatusCard connection={p.connection} />}
    {p.signIn && <SignInCard {...p.signIn} />}
    {p.account?.use && <ConnectionAccount {...p.account} />}
    {p.changed && p.changed.length > 0 && <ConnectionChanges connectionId={p.connection.id} tools={p.changed} />}
    {p.own && <OwnCredential connection={p.connection} own={p.own} />}
    <div class="split split-wide">
      <div class="stack">
        <Tools tools={p.tools} />
        <Others others={p.others} />
      </div>
      <About connection={p.connection} />
    </div>
    {p.program && <ProgramFold {...p.program} />}
    {p.log && <Log lines={p.log} />}
    {p.edit && <Edit connection={p.connection} edit={p.edit} />}
    {p.account && !p.account.use && <ConnectionAccount {...p.account} />}
    {p.trust !== undefined && <ConnectionTrust connectionId={p.connection.id} on={p.trust} />}
    {p.limits && <LimitsCard {...p.limits} />}
    {p.control && <Control connection={p.connection} control={p.control} />}
    {p.edit && <Delete connection={p.connection} usedBy={p.usedBy} />}
  </Layout>
)
