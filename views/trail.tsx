/**
 * The audit trail as a whole; for administrators only.
 * POST /admin/trail/verify — begins; the reply is this page. GET /admin/trail/proof is `<Proof …/>`, asked for while it runs.
 * POST /admin/trail/policy — days, megabytes (empty: without end).
 * GET /admin/trail/forwarders/new?kind= — the form (trail-forwarder.tsx).
 * POST /admin/trail/forwarders/:id/pause, /resume, /test, /remove — plain forms.
 */
import { type CallRow, OutcomeBadge } from './activity.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Status, type Tone } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { Empty } from './parts/empty.tsx'
import { FormProblem, type FormState, TextField } from './parts/field.tsx'
import { counted, foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { AdminPlaces } from './parts/places.tsx'
import { ActionsHead } from './parts/table.tsx'
import { Ago } from './parts/time.tsx'

export type ProofState = {
  startedAt: number
  /** Absent while it runs. */
  endedAt?: number | undefined
  by: string
  proven: number
  old: number
  total: number
  contents: number
  broken?: { seq: number; what: 'row' | 'contents' | 'beginning' | 'checkpoint' | 'end' } | undefined
  from?: { seq: number; at: number } | undefined
}
export type ForwarderKind = 'otlp' | 'syslog' | 'webhook'
export type ForwarderRow = {
  id: string
  kind: ForwarderKind
  name: string
  host: string
  problem?: string | undefined
  paused: boolean
  sentAt?: number | undefined
  behind: number
}
export type TrailPageProps = {
  shell: Shell
  size: { rows: number; megabytes: number; since?: number | undefined }
  policy: { days?: number | undefined; megabytes?: number | undefined }
  /** Where it begins, when rows were removed. */
  checkpoint?: { seq: number; at: number; rows: number; why: 'age' | 'size' } | undefined
  publicKey: string
  proof?: ProofState | undefined
  forwarders: readonly ForwarderRow[]
  acts: readonly CallRow[]
  form?: FormState | undefined
}

const WRONG: Record<NonNullable<ProofState['broken']>['what'], (seq: number) => string> = {
  row: (seq) => `Record ${counted(seq)} does not follow from the one before it. It was altered, or what stood before it was taken out.`,
  contents: (seq) => `What is kept beside record ${counted(seq)} is not what was written.`,
  beginning: (seq) =>
    `The trail begins at record ${counted(seq)}, and no checkpoint of this house says why. Records before it were taken out.`,
  checkpoint: (seq) => `The checkpoint at record ${counted(seq)} does not carry the signature of this house.`,
  end: (seq) => `Records from ${counted(seq)} on are missing at the end.`,
}

const Running = ({ proof }: { proof: ProofState }) => {
  const done = proof.proven + proof.old
  return (
    <>
      <p>
        <Status tone="accent">Verifying</Status> {counted(done)} of {plural(proof.total, 'record')}
      </p>
      <progress class="progress" max={proof.total} value={done}>
        {done}
      </progress>
    </>
  )
}

const Done = ({ proof }: { proof: ProofState }) =>
  proof.broken ? (
    <Notice tone="danger" alert={true} title="The trail is not as it was written">
      <p>{WRONG[proof.broken.what](proof.broken.seq)}</p>
      <p>
        {plural(proof.proven, 'record')} before it {proof.proven === 1 ? 'is' : 'are'} proven. Compare with what was forwarded or exported.
      </p>
    </Notice>
  ) : (
    <Notice tone="ok" title={`${plural(proof.proven, 'record')} proven`}>
      <p>
        Each follows from the one before it{proof.from ? ', from the last checkpoint on' : ', from the first on'}, and what is kept beside{' '}
        {plural(proof.contents, 'call')} is as it was written.
      </p>
      {proof.old > 0 && <p>{plural(proof.old, 'record')} of the first versions cannot be proven and are taken as they are.</p>}
    </Notice>
  )

/** Also the reply to GET /admin/trail/proof. It asks for itself again as long as it runs. */
export const Proof = ({ proof }: { proof: ProofState | undefined }) => {
  const isRunning = proof !== undefined && proof.endedAt === undefined
  return (
    <div
      id="proof"
      class="stack"
      hx-get={isRunning ? '/admin/trail/proof' : undefined}
      hx-trigger={isRunning ? 'every 1s' : undefined}
      hx-swap={isRunning ? 'outerHTML' : undefined}
    >
      {proof === undefined ? (
        <p class="muted">Not verified since Toolpass was started.</p>
      ) : isRunning ? (
        <Running proof={proof} />
      ) : (
        <>
          <Done proof={proof} />
          <p class="muted">
            By {foreign(proof.by, 60)}, <Ago at={proof.startedAt} />
          </p>
        </>
      )}
      {!isRunning && (
        <form method="post" action="/admin/trail/verify">
          <Button icon="circle-check">Verify the trail</Button>
        </form>
      )}
    </div>
  )
}

const Extent = ({ size, checkpoint }: Pick<TrailPageProps, 'size' | 'checkpoint'>) => (
  <Facts
    items={[
      ['Records', counted(size.rows)],
      [
        'Room they take',
        size.megabytes < 0.1
          ? 'less than 0.1 MB'
          : `about ${size.megabytes < 10 ? size.megabytes.toFixed(1) : counted(Math.round(size.megabytes))} MB`,
      ],
      ['Oldest', size.since === undefined ? <span class="muted">none</span> : <Ago at={size.since} />],
      [
        'Removed',
        checkpoint ? (
          <>
            up to record {counted(checkpoint.seq)} <span class="muted">({checkpoint.why === 'age' ? 'too old' : 'too many'},</span>{' '}
            <Ago at={checkpoint.at} />
            <span class="muted">)</span>
          </>
        ) : (
          <span class="muted">nothing yet</span>
        ),
      ],
    ]}
  />
)

const Keeping = ({ policy, form }: Pick<TrailPageProps, 'policy' | 'form'>) => (
  <Card
    title="How much is kept"
    lead="The oldest records go first and leave a signed checkpoint, so that what remains can still be proven. The removal is a record itself."
  >
    <form class="stack narrow" method="post" action="/admin/trail/policy">
      <FormProblem form={form} />
      <TextField
        scope="policy"
        name="days"
        type="number"
        label="Days"
        value={policy.days?.toString()}
        min={1}
        form={form}
        optional={true}
        hint="Empty: however old they are."
      />
      <TextField
        scope="policy"
        name="megabytes"
        type="number"
        label="Megabytes"
        value={policy.megabytes?.toString()}
        min={1}
        form={form}
        optional={true}
        hint="Empty: however many they are. Estimated from samples, with what is kept of calls."
      />
      <div class="actions">
        <Button>Save</Button>
      </div>
    </form>
  </Card>
)

export const KIND_WORDS: Record<ForwarderKind, string> = { otlp: 'OpenTelemetry', syslog: 'Syslog', webhook: 'Webhook' }

const stateOf = ({ paused, problem, behind, sentAt }: ForwarderRow): readonly [word: string, tone: Tone] => {
  if (paused) return ['Paused', 'neutral']
  if (problem) return ['Not taken', 'danger']
  if (behind === 0 || sentAt !== undefined) return ['Sending', 'ok']
  return ['Waiting', 'accent']
}

const Forwarder = ({ row }: { row: ForwarderRow }) => {
  const [word, tone] = stateOf(row)
  const at = (what: string) => `/admin/trail/forwarders/${row.id}/${what}`
  return (
    <tr class={row.paused ? 'row-past' : undefined}>
      <td class="cell-main">
        <span class="strong break">
          <bdi>{foreign(row.name, 60)}</bdi>
        </span>
        <p class="cell-note">
          {KIND_WORDS[row.kind]} to <span class="mono break">{foreign(row.host, 100)}</span>
        </p>
        {row.problem && !row.paused && <p class="cell-note">{foreign(row.problem, 300)}</p>}
      </td>
      <td>
        <Status tone={tone}>{word}</Status>
      </td>
      <td class="number" data-label="Behind">
        {row.behind === 0 ? <span class="muted">–</span> : counted(row.behind)}
      </td>
      <td class="nowrap" data-label="Last taken">
        {row.sentAt === undefined ? <span class="muted">never</span> : <Ago at={row.sentAt} />}
      </td>
      <td class="cell-actions">
        <div class="actions">
          <form method="post" action={at('test')}>
            <Button tone="quiet">Send a test</Button>
          </form>
          <form method="post" action={at(row.paused ? 'resume' : 'pause')}>
            <Button tone="quiet">{row.paused ? 'Resume' : 'Pause'}</Button>
          </form>
          <Confirm
            place="row"
            label="Remove"
            confirm={`Remove ${foreign(row.name, 40)}`}
            action={at('remove')}
            question={
              <>
                Stop forwarding to <strong>{foreign(row.name, 40)}</strong>?
              </>
            }
            consequences={['Its address and secret are deleted here', 'What it has stays there']}
          />
        </div>
      </td>
    </tr>
  )
}

const KINDS = ['otlp', 'syslog', 'webhook'] as const
const AddForwarder = () => (
  <>
    {KINDS.map((kind) => (
      <LinkButton href={`/admin/trail/forwarders/new?kind=${kind}`} icon="plus">
        {KIND_WORDS[kind]}
      </LinkButton>
    ))}
  </>
)

const Forwarding = ({ forwarders }: Pick<TrailPageProps, 'forwarders'>) => (
  <Card
    title="Sent elsewhere"
    lead="Records go out as they come, in order, each at least once. What was in calls is never sent."
    actions={forwarders.length > 0 && <AddForwarder />}
    flush={true}
  >
    {forwarders.length === 0 ? (
      <Empty icon="arrow-right" title="The trail stays here" action={<AddForwarder />}>
        A copy elsewhere is what helps when this machine itself is in doubt.
      </Empty>
    ) : (
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Behind
            </th>
            <th scope="col">Last taken</th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {forwarders.map((row) => (
            <Forwarder row={row} />
          ))}
        </tbody>
      </table>
    )}
  </Card>
)

/** The app, and what else was met: the subject of many a deed is the device, which says little alone. */
const metBy = ({ client, action }: CallRow): readonly string[] =>
  [...new Set([client === '–' ? '' : client, action ?? ''])].filter((name) => name !== '')

const Acts = ({ acts }: Pick<TrailPageProps, 'acts'>) => (
  <table class="table">
    <thead>
      <tr>
        <th scope="col">What</th>
        <th scope="col">Who</th>
        <th scope="col">Outcome</th>
        <th scope="col" class="number">
          When
        </th>
      </tr>
    </thead>
    <tbody>
      {acts.map((act) => (
        <tr>
          <td class="cell-main">
            <a class="strong break" href={`/activity/${act.id}`}>
              {foreign(act.tool, 100)}
            </a>
            <p class="cell-note">
              {metBy(act).map((name, at) => (
                <>
                  {at > 0 && ', '}
                  <bdi>{foreign(name, 100)}</bdi>
                </>
              ))}
            </p>
            {act.reason && <p class="cell-note">{foreign(act.reason, 160)}</p>}
          </td>
          <td data-label="Who">
            <bdi>{foreign(act.user ?? '–', 60)}</bdi>
          </td>
          <td>
            <OutcomeBadge outcome={act.outcome} isAct={true} />
          </td>
          <td class="number nowrap muted">
            <Ago at={act.at} />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)

export const TrailPage = (p: TrailPageProps) => (
  <Layout shell={p.shell} title="Trail" current="admin">
    <PageHead title="Administration" lead="Every call, every change and every sign-in leaves a record that is written once." />
    <AdminPlaces current="/admin/trail" />
    <div class="columns">
      <Card title="Is it as it was written?" lead="Each record carries a hash over itself, what is kept beside it, and the record before.">
        <Proof proof={p.proof} />
      </Card>
      <Card title="What there is">
        <Extent size={p.size} checkpoint={p.checkpoint} />
        <details class="fold">
          <summary>Public key of checkpoints</summary>
          <CopyBlock text={p.publicKey} label="public key" multiline={true} />
        </details>
      </Card>
    </div>
    <Forwarding forwarders={p.forwarders} />
    <Keeping policy={p.policy} form={p.form} />
    <Card
      title="Changes made here"
      lead="By people here, and by Toolpass itself."
      actions={
        <>
          <LinkButton href="/activity?kind=acts" tone="quiet">
            All changes
          </LinkButton>
          <LinkButton href="/activity?kind=sign-ins" tone="quiet">
            Sign-ins
          </LinkButton>
        </>
      }
      flush={true}
    >
      {p.acts.length === 0 ? (
        <Empty icon="activity" title="No changes yet">
          What people change here will stand here.
        </Empty>
      ) : (
        <Acts acts={p.acts} />
      )}
    </Card>
  </Layout>
)
