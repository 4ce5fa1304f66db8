/**
 * Calls that wait for their user, and what was decided lately. No forms; a call is decided about on its own page.
 * GET /approvals/list — the reply is `<ApprovalsList …/>`, which renews itself.
 */
import { Layout, type Shell } from './layout.tsx'
import { Badge, type Tone } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign, foreignMiddle, unhidden } from './parts/format.ts'
import { Ago } from './parts/time.tsx'
import { KindBadge, type ToolKind } from './parts/tool.tsx'

export type ApprovalState = 'waiting' | 'approved' | 'refused' | 'used' | 'expired'
export type ApprovalSummary = {
  id: string
  tool: string
  feature: 'tool' | 'prompt' | 'resource' | 'template'
  kind: ToolKind
  client: string
  device: string
  profile: string
  connection: string
  purpose: string | null
  /** The arguments as JSON. */
  text: string
  state: ApprovalState
  scope: 'once' | 'hour' | null
  via: 'page' | 'app' | 'notice' | null
  createdAt: number
  decidedAt: number | null
  /** Waiting: until when it can be decided. Approved: until when it can be used. */
  expiresAt: number
  /** The app has not given up yet: it goes on the moment somebody decides. */
  isOnLine: boolean
}
export type ApprovalsListProps = { waiting: readonly ApprovalSummary[]; recent: readonly ApprovalSummary[] }

const VIA: Record<NonNullable<ApprovalSummary['via']>, string> = { page: 'here', app: 'inside the app', notice: 'from a notice' }
export const viaInWords = ({ via }: Pick<ApprovalSummary, 'via'>): string => (via === null ? '' : VIA[via])

/** What became of it, in one word or two. */
export function stateInWords({ state, scope }: Pick<ApprovalSummary, 'state' | 'scope'>): readonly [word: string, tone: Tone] {
  if (state === 'waiting') return ['Waits for you', 'accent']
  if (state === 'refused') return ['Refused', 'warning']
  if (state === 'used') return ['Approved once', 'ok']
  if (state === 'expired') return ['Ran out', 'neutral']
  return scope === null ? ['Allowed', 'ok'] : scope === 'once' ? ['Approved once', 'ok'] : ['Approved for an hour', 'ok']
}

export const ApprovalBadge = (p: { approval: Pick<ApprovalSummary, 'state' | 'scope'> }) => {
  const [word, tone] = stateInWords(p.approval)
  return <Badge tone={tone}>{word}</Badge>
}

export const ToolKindOf = (p: { approval: Pick<ApprovalSummary, 'feature' | 'kind'> }) =>
  p.approval.feature === 'tool' ? <KindBadge kind={p.approval.kind} /> : <Badge>{p.approval.feature}</Badge>

const GIST_MAX = 140
/** The arguments in a line: enough to tell one call from the next. */
const gistOf = (text: string): string => unhidden(text.slice(0, GIST_MAX * 3)).replace(/\s+/g, ' ')

const Waiting = (p: { approval: ApprovalSummary }) => {
  const { approval } = p
  return (
    <li class="asked">
      <div class="asked-what">
        <p class="asked-title">
          <a class="mono strong break" href={`/approvals/${approval.id}`}>
            <bdi>{foreignMiddle(approval.tool, 64)}</bdi>
          </a>{' '}
          <ToolKindOf approval={approval} />
        </p>
        <p class="row-note">
          <bdi>{foreign(approval.client, 60)}</bdi>
          {approval.device && (
            <>
              {' '}
              on <bdi>{foreign(approval.device, 60)}</bdi>
            </>
          )}{' '}
          · {foreign(approval.profile, 64)} · {foreign(approval.connection, 64)}
        </p>
        {approval.purpose && (
          <p class="row-note">
            Why: <bdi>{foreign(approval.purpose, 200)}</bdi>
          </p>
        )}
        {approval.text !== '{}' && (
          <p class="mono asked-gist">
            <bdi>{foreign(gistOf(approval.text), GIST_MAX)}</bdi>
          </p>
        )}
        <p class="row-note">
          Asked <Ago at={approval.createdAt} /> · {approval.isOnLine ? 'the app is waiting' : 'the app will ask again'} · ends{' '}
          <Ago at={approval.expiresAt} />
        </p>
      </div>
      <LinkButton href={`/approvals/${approval.id}`}>Look and decide</LinkButton>
    </li>
  )
}

const Recent = (p: { approvals: readonly ApprovalSummary[] }) => (
  <Card title="Decided lately" lead="Kept for a week. The activity keeps the calls themselves." flush={true}>
    <table class="table">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">App</th>
          <th scope="col">Decision</th>
          <th scope="col" class="number">
            When
          </th>
        </tr>
      </thead>
      <tbody>
        {p.approvals.map((approval) => (
          <tr>
            <td class="cell-main">
              <a class="mono strong break" href={`/approvals/${approval.id}`}>
                <bdi>{foreignMiddle(approval.tool, 64)}</bdi>
              </a>
              <p class="cell-note">
                <bdi>{foreign(gistOf(approval.text), 90)}</bdi>
              </p>
            </td>
            <td data-label="App" class="cell-name">
              <bdi>{foreign(approval.client, 40)}</bdi>
            </td>
            <td>
              <ApprovalBadge approval={approval} />
              {approval.via && <p class="cell-note">{viaInWords(approval)}</p>}
            </td>
            <td class="number nowrap muted">
              <Ago at={approval.decidedAt ?? approval.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Card>
)

/** Also the reply to GET /approvals/list. Morphed, so that focus inside survives. */
export const ApprovalsList = (p: ApprovalsListProps) => (
  <div id="approvals" class="stack approvals" hx-get="/approvals/list" hx-trigger="every 2s" hx-swap="outerMorph">
    <Card flush={true}>
      {p.waiting.length === 0 ? (
        <Empty icon="hand" title="Nothing waits for you" action={<LinkButton href="/apps">Connected apps</LinkButton>}>
          Set a tool of a connected app to ask first, and each of its calls waits here until you say yes or no.
        </Empty>
      ) : (
        <ul class="rows">
          {p.waiting.map((approval) => (
            <Waiting approval={approval} />
          ))}
        </ul>
      )}
    </Card>
    {p.recent.length > 0 && <Recent approvals={p.recent} />}
  </div>
)

export const ApprovalsPage = (p: ApprovalsListProps & { shell: Shell }) => (
  <Layout shell={p.shell} title="Approvals" current="approvals">
    <PageHead
      title="Approvals"
      badge={<span class="live">live</span>}
      lead={
        <>
          Calls of tools that ask first. You can be told on your phone: <a href="/settings#notices">choose how</a>.
        </>
      }
    />
    <ApprovalsList waiting={p.waiting} recent={p.recent} />
  </Layout>
)
