/**
 * One call that waits for its user.
 * POST /approvals/:id — decision (`once`, `hour`, `always`, `refuse`), via (`notice` where a notice led here); the reply to htmx is
 * `<ApprovalDecision …/>`, as it is to GET /approvals/:id/state.
 */
import { type ApprovalSummary, stateInWords, ToolKindOf, viaInWords } from './approvals.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Status } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, Facts, PageHead } from './parts/card.tsx'
import { exact, foreign, plural, unhidden } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Ago } from './parts/time.tsx'

export type ApprovalDecisionProps = {
  approval: ApprovalSummary
  via: 'page' | 'notice'
  /** How many others wait. */
  others: number
}
export type ApprovalPageProps = ApprovalDecisionProps & {
  shell: Shell
  /** Where its app, profile and connection are, as far as they are the reader's. */
  links: { app?: string | undefined; profile?: string | undefined; connection?: string | undefined }
  /** Characters of the arguments that are not kept, since there are so many. */
  cutChars: number
}

const CHOICES: readonly { value: string; label: string; hint: string; ofResource?: string }[] = [
  { value: 'once', label: 'Approve once', hint: 'This very call.' },
  { value: 'hour', label: 'For an hour', hint: 'Any call of this tool by this app.', ofResource: 'Anything the same permission covers.' },
  { value: 'always', label: 'Always', hint: 'The app may use it without asking.', ofResource: 'That, without asking, from now on.' },
  { value: 'refuse', label: 'Refuse', hint: 'The app is told no.' },
]

/** A permission for a resource may stand for all of its server's. */
const isResource = ({ feature }: ApprovalSummary) => feature === 'resource' || feature === 'template'

/** All four look alike: what is easiest to hit must not be what one has not thought about. */
const Choices = (p: ApprovalDecisionProps) => (
  <form
    class="decide"
    method="post"
    action={`/approvals/${p.approval.id}`}
    hx-post={`/approvals/${p.approval.id}`}
    hx-target="#decision"
    hx-swap="outerHTML"
    hx-disable="find button"
  >
    <input type="hidden" name="via" value={p.via} />
    {CHOICES.map(({ value, label, hint, ofResource }) => (
      <button class="button button-secondary button-large" type="submit" name="decision" value={value}>
        <span>
          {label}
          <span class="hint">{(isResource(p.approval) && ofResource) || hint}</span>
        </span>
      </button>
    ))}
  </form>
)

const Waits = (p: ApprovalDecisionProps) => (
  <>
    <p>
      {p.approval.isOnLine
        ? 'The app is waiting for it right now.'
        : 'The app does not wait any more. Once approved, the same call runs when it is made again.'}{' '}
      <span class="muted">
        Time to decide runs out <Ago at={p.approval.expiresAt} />.
      </span>
    </p>
    <Choices {...p} />
  </>
)

const outcomeOf = ({ state, scope, expiresAt }: ApprovalSummary) => {
  if (state === 'used') return 'It ran. The same call once more would have to be approved anew.'
  if (state === 'refused') return 'The app was told that you refused it.'
  if (state === 'expired') return 'Nobody decided in time, or what it was about is not as it was. Nothing runs because of it.'
  if (scope === null) return 'The permission says yes by now, so nobody is asked.'
  return scope === 'once' ? (
    <>
      It runs as soon as the app makes the same call; good until <Ago at={expiresAt} />.
    </>
  ) : (
    <>
      Each call of this tool by this app runs; good until <Ago at={expiresAt} />.
    </>
  )
}

/** Renews itself while something can still happen. */
export const ApprovalDecision = (p: ApprovalDecisionProps) => {
  const { approval } = p
  const [word, tone] = stateInWords(approval)
  const isOpen = approval.state === 'waiting' || (approval.state === 'approved' && approval.scope === 'once')
  return (
    <section
      id="decision"
      class="card"
      hx-get={isOpen ? `/approvals/${approval.id}/state?via=${p.via}` : undefined}
      hx-trigger={isOpen ? 'every 2s' : undefined}
      hx-swap={isOpen ? 'outerMorph' : undefined}
    >
      <div class="card-body stack" aria-live="polite">
        <p>
          <Status tone={tone}>{word}</Status>
          {approval.via && <span class="muted"> {viaInWords(approval)}</span>}
          {approval.decidedAt !== null && (
            <span class="muted">
              , <Ago at={approval.decidedAt} />
            </span>
          )}
        </p>
        {approval.state === 'waiting' ? <Waits {...p} /> : <p>{outcomeOf(approval)}</p>}
        {approval.state !== 'waiting' && (
          <div class="actions">
            <LinkButton href="/approvals">{p.others > 0 ? `${plural(p.others, 'other')} waiting` : 'All approvals'}</LinkButton>
          </div>
        )}
      </div>
    </section>
  )
}

const linked = (href: string | undefined, text: string) => (href ? <a href={href}>{foreign(text, 80)}</a> : <bdi>{foreign(text, 80)}</bdi>)

const About = ({ approval, links }: ApprovalPageProps) => (
  <Card title="Who asks">
    <Facts
      items={[
        ['App', linked(links.app, approval.client)],
        ['Device', approval.device ? <bdi>{foreign(approval.device, 60)}</bdi> : <span class="muted">not named</span>],
        ['Profile', linked(links.profile, approval.profile)],
        ['Connection', linked(links.connection, approval.connection)],
        ['Why, it says', approval.purpose ? <bdi>{foreign(approval.purpose, 300)}</bdi> : <span class="muted">not said</span>],
        ['Asked', <Ago at={approval.createdAt} />],
        ['Exactly', exact(approval.createdAt)],
      ]}
    />
  </Card>
)

export const ApprovalPage = (p: ApprovalPageProps) => {
  const { approval } = p
  const shown = unhidden(approval.text)
  const isEmpty = approval.text === '{}'
  return (
    <Layout shell={p.shell} title={foreign(approval.tool, 60)} current="approvals">
      <PageHead
        back={{ href: '/approvals', label: 'Approvals' }}
        title={<bdi class="mono break">{foreign(approval.tool, 300)}</bdi>}
        badge={<ToolKindOf approval={approval} />}
        lead={
          <>
            <bdi>
              <strong>{foreign(approval.client, 60)}</strong>
            </bdi>{' '}
            {approval.device && (
              <>
                {' '}
                on <bdi>{foreign(approval.device, 60)}</bdi>
              </>
            )}{' '}
            wants to use it, of <bdi>{foreign(approval.connection, 64)}</bdi>.
          </>
        }
      />
      <div class="split">
        <div class="stack">
          <Card title="With these arguments" lead={isEmpty ? undefined : 'As the server will get them.'}>
            {shown !== approval.text && (
              <Notice tone="warning" title="There are characters in it that nobody sees">
                They are pointed out as ⟨U+…⟩. Honest text has no need of them.
              </Notice>
            )}
            {isEmpty ? (
              <p class="muted">None.</p>
            ) : (
              <pre class="code arguments-shown" tabindex="0">
                <code>{shown}</code>
              </pre>
            )}
            {p.cutChars > 0 && (
              <Notice tone="warning" title={`${plural(p.cutChars, 'more character')} are not shown`}>
                They are too many to keep. What you decide about is the whole of it all the same: any other arguments need another approval.
              </Notice>
            )}
          </Card>
          <ApprovalDecision approval={approval} via={p.via} others={p.others} />
        </div>
        <About {...p} />
      </div>
    </Layout>
  )
}
