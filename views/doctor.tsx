/**
 * The connection doctor: an address to paste, and then, live, how far the app comes and why no further.
 * GET /apps/doctor — profile, client (both may be empty). The live part renews itself by GET `live.href`, whose reply is
 * `<DoctorLive …/>`, or 204 while nothing changed. POST /apps/doctor/check — the reply to htmx is `<DoctorCheck …/>`.
 */
import { AttemptBody, AttemptName, type AdviceView, type AttemptView } from './doctor-attempt.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge, type Tone } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { Empty } from './parts/empty.tsx'
import { type Option, SelectField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { Notice } from './parts/notice.tsx'
import { AppsPlaces } from './parts/places.tsx'
import { Ago } from './parts/time.tsx'

export type CheckRowView = { what: string; url: string; answer: string; verdict: 'ok' | 'wrong' | 'silent'; why?: string }
export type DoctorCheckProps = {
  /** The public address that was set; without one there is nothing to check. */
  publicUrl: string | undefined
  result?: { at: number; rows: readonly CheckRowView[] } | undefined
}
export type DoctorLiveProps = {
  /** Where the live part renews itself, and the page for those without JavaScript. */
  href: string
  pageHref: string
  /** Whose first sign of life is waited for; undefined once something came. */
  waitingFor: string | undefined
  attempts: readonly AttemptView[]
  /** Apps that were served lately and did nothing else. */
  quiet: readonly { app: string; address: string; at: number }[]
}
export type DoctorPageProps = {
  shell: Shell
  profiles: readonly Option[]
  clients: readonly Option[]
  chosen: { profile: string; client: string }
  url: string
  /** How the chosen app wants to be told; code stands between backticks. */
  connect?:
    | { steps: string; copy?: { text: string; label: string; multiline?: boolean }; link?: { href: string; label: string } }
    | undefined
  /** What is wrong before anything was tried. */
  beforehand: readonly AdviceView[]
  hints: readonly string[]
  live: DoctorLiveProps
  check: DoctorCheckProps
  seesAll: boolean
}

const VERDICTS: Record<CheckRowView['verdict'], readonly [tone: Tone, word: string]> = {
  ok: ['ok', 'As it should be'],
  wrong: ['danger', 'Wrong'],
  silent: ['warning', 'No answer'],
}

const Waiting = (p: { name: string; pageHref: string }) => (
  <div class="waiting" role="status">
    <span class="waiting-mark">
      <Icon name="loader" />
    </span>
    <div>
      <p class="waiting-title">Waiting for {foreign(p.name, 40)} …</p>
      <p>Start it now: add the address there, or reload the server in it. Each step appears here by itself.</p>
      <noscript>
        <a href={p.pageHref}>Look again</a>
      </noscript>
    </div>
  </div>
)

/** The newest is open, the others are folded. Also the reply to GET /apps/doctor/live. */
export const DoctorLive = (p: DoctorLiveProps) => {
  const [newest, ...older] = p.attempts
  return (
    <div id="doctor-live" class="stack" hx-get={p.href} hx-trigger="every 2s" hx-swap="outerMorph">
      {p.waitingFor !== undefined && <Waiting name={p.waitingFor} pageHref={p.pageHref} />}
      {newest && (
        <Card title={<AttemptName attempt={newest} />} tone={newest.state === 'connected' ? 'ok' : 'plain'}>
          <AttemptBody attempt={newest} />
        </Card>
      )}
      {older.map((attempt) => (
        <details class="card attempt-older" id={`attempt-${attempt.id}`}>
          <summary>
            <span class="attempt-title">
              <AttemptName attempt={attempt} />
            </span>
            <span class="muted nowrap">
              <Ago at={attempt.startedAt} />
            </span>
          </summary>
          <div class="card-body">
            <AttemptBody attempt={attempt} />
          </div>
        </details>
      ))}
      {p.attempts.length === 0 && p.quiet.length === 0 && (
        <Card flush={true}>
          <Empty icon="activity" title="Nothing was tried yet">
            Start it now in your app. If nothing appears here within ten seconds, the app does not reach Toolpass at all: check the address,
            the firewall, and the card below.
          </Empty>
        </Card>
      )}
      {p.quiet.length > 0 && (
        <Card title="Working already" flush={true}>
          <ul class="rows">
            {p.quiet.map(({ app, address, at }) => (
              <li>
                <span class="row-link">
                  <bdi class="row-title">{foreign(app, 60) || 'An app'}</bdi>
                  <span class="muted nowrap">
                    <Ago at={at} />
                  </span>
                </span>
                <span class="row-note">
                  Served at <code>{foreign(address, 60)}</code>
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  )
}

const CheckRow = ({ row }: { row: CheckRowView }) => (
  <tr>
    <td class="cell-main">
      <span class="strong">{row.what}</span>
      <p class="cell-note mono">{foreign(row.url, 200)}</p>
      {row.why && <p class={row.verdict === 'wrong' ? 'cell-danger' : 'cell-note'}>{foreign(row.why, 400)}</p>}
    </td>
    <td data-label="Answer">{foreign(row.answer, 60)}</td>
    <td>
      <Badge tone={VERDICTS[row.verdict][0]}>{VERDICTS[row.verdict][1]}</Badge>
    </td>
  </tr>
)

const Unseen = (p: { publicUrl: string; isSilent: boolean }) => (
  <Notice tone="info" title="What this check cannot see">
    <p>
      It goes out from this computer and comes back. Whether the internet reaches us, only an app out there can tell
      {p.isSilent ? '; and some routers turn back what comes from inside, so that silence alone proves nothing' : ''}. To try it, open this
      on a phone with Wi-Fi off:
    </p>
    <CopyBlock text={`${p.publicUrl}/healthz`} label="address to open on a phone" />
    <p>It answers "ok". Claude and ChatGPT on the web also need port 443 and a certificate that browsers trust.</p>
  </Notice>
)

/** Also the reply to POST /apps/doctor/check. */
export const DoctorCheck = ({ publicUrl, result }: DoctorCheckProps) => (
  <Card
    id="check"
    title="Our own address"
    lead="Toolpass calls itself at its public address, as an app would, and compares what comes back."
    flush={true}
    actions={
      publicUrl && (
        <form method="post" action="/apps/doctor/check" hx-post="/apps/doctor/check" hx-target="#check" hx-swap="outerHTML">
          <Button icon="refresh">{result ? 'Check again' : 'Check now'}</Button>
        </form>
      )
    }
  >
    {publicUrl === undefined && (
      <Notice tone="info" title="No public address is set">
        Toolpass answers at whatever local address it is called by. For apps from elsewhere set TOOLPASS_URL, for example to
        https://tools.example.org, and restart.
      </Notice>
    )}
    {result && (
      <table class="table table-lean">
        <thead>
          <tr>
            <th scope="col">Asked for</th>
            <th scope="col">Answer</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {result.rows.map((row) => (
            <CheckRow row={row} />
          ))}
        </tbody>
      </table>
    )}
    {publicUrl && <Unseen publicUrl={publicUrl} isSilent={result?.rows.some(({ verdict }) => verdict === 'silent') ?? false} />}
    {result && (
      <p class="card-foot muted">
        Checked <Ago at={result.at} />
      </p>
    )}
  </Card>
)

const Connect = ({ connect, url }: { connect: NonNullable<DoctorPageProps['connect']>; url: string }) => (
  <>
    <p>{connect.steps.split('`').map((text, at) => (at % 2 === 0 ? text : <code>{text}</code>))}</p>
    {connect.copy && connect.copy.text !== url && <CopyBlock {...connect.copy} />}
    {connect.link && (
      <p>
        <a href={connect.link.href}>{connect.link.label}</a>
      </p>
    )}
  </>
)

const Choose = (p: DoctorPageProps) => (
  <Card title="Give your app this address">
    <div class="stack">
      <form method="get" action="/apps/doctor" class="filter doctor-choice">
        <SelectField name="profile" label="Profile" options={p.profiles} value={p.chosen.profile} />
        {p.clients.length > 1 && <SelectField name="client" label="App" options={p.clients} value={p.chosen.client} />}
        <div class="actions">
          <Button>Choose</Button>
        </div>
      </form>
      <CopyBlock text={p.url} label="address" />
      {p.connect && <Connect connect={p.connect} url={p.url} />}
      {p.hints.length > 0 && (
        <ul class="doctor-hints">
          {p.hints.map((hint) => (
            <li>{foreign(hint, 300)}</li>
          ))}
        </ul>
      )}
      {p.beforehand.map(({ problem, fix }) => (
        <Notice tone="warning" title={problem}>
          {fix}
        </Notice>
      ))}
    </div>
  </Card>
)

export const DoctorPage = (p: DoctorPageProps) => (
  <Layout shell={p.shell} title="Connection doctor" current="apps">
    <PageHead
      title="Connection doctor"
      badge={<span class="live">live</span>}
      lead="An app does not connect? Start it and watch each of its steps arrive, with the reason where it stops."
    />
    <AppsPlaces current="/apps/doctor" />
    <Choose {...p} />
    <DoctorLive {...p.live} />
    <DoctorCheck {...p.check} />
    <p class="muted">
      {p.seesAll
        ? 'You see the attempts of everybody, because you are an administrator.'
        : 'You see attempts that come from your address, or in which you signed in.'}{' '}
      They are kept in memory for a day at most. No token, code or query string is among them.
    </p>
  </Layout>
)
