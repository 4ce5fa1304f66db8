/** What stands on the page of a call beside the facts: what was sent and answered, what the app may do from now on, and doing it once more. */
import type { Outcome } from './activity.tsx'
import { Badge } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { foreign, latency, unhidden } from './parts/format.ts'

/** `arguments` and `result` are JSON, laid out for reading. `none` says why there is nothing of it. */
export type CallContents = {
  arguments?: string | undefined
  result?: string | undefined
  /** What was kept: all of it, or what was left when secrets had been taken out. */
  keeps?: 'redacted' | 'whole' | undefined
  none?: string | undefined
  /** Where that is set, for whoever may set it. */
  settingHref?: string | undefined
}

const Part = (p: { title: string; text: string | undefined }) => (
  <div class="call-part">
    <h3>{p.title}</h3>
    {p.text === undefined ? (
      <p class="muted">Nothing was kept.</p>
    ) : (
      <CopyBlock text={unhidden(p.text)} label={p.title.toLowerCase()} multiline={true} />
    )}
  </div>
)

export const Contents = ({ contents }: { contents: CallContents }) => (
  <Card
    title="What was sent and answered"
    lead={
      contents.none ??
      (contents.keeps === 'whole' ? 'Kept whole, for your eyes alone.' : 'Secrets and personal data were taken out before it was written.')
    }
    actions={contents.settingHref && <a href={contents.settingHref}>What is kept</a>}
  >
    {contents.none === undefined && (
      <div class="stack">
        <Part title="Arguments" text={contents.arguments} />
        <Part title="Result" text={contents.result} />
      </div>
    )}
  </Card>
)

export type PermissionChoice = {
  client: string
  tool: string
  current: 'allow' | 'ask' | 'refuse'
  /** Prompts and resources are allowed or refused, nobody is asked about them. */
  asks: boolean
}
const PERMISSIONS = [
  ['allow', 'Allow', 'allowed'],
  ['ask', 'Ask me', 'asked about'],
  ['refuse', 'Refuse', 'refused'],
] as const

export const Permit = ({ id, choice }: { id: string; choice: PermissionChoice }) => (
  <Card
    title="From now on"
    lead={
      <>
        <bdi>{foreign(choice.client, 40)}</bdi> and <bdi class="mono">{foreign(choice.tool, 40)}</bdi>:{' '}
        {PERMISSIONS.find(([value]) => value === choice.current)?.[2]}
      </>
    }
  >
    <form method="post" action={`/activity/${id}/permit`} class="actions">
      {PERMISSIONS.filter(([value]) => value !== 'ask' || choice.asks).map(([value, label]) => (
        <Button name="permission" value={value} disabled={value === choice.current}>
          {label}
        </Button>
      ))}
    </form>
  </Card>
)

export type Replayed = { outcome: Outcome; text: string; latencyMs?: number | undefined; rowHref?: string | undefined }
export type ReplayState = {
  tool: string
  /** Why it cannot be done. */
  obstacle?: string | undefined
  done?: Replayed | undefined
}

export const Replay = ({ id, state }: { id: string; state: ReplayState }) => (
  <Card title="Once more" lead={state.obstacle ?? 'Makes the same call again, now and in your name, under what the app may do.'}>
    {state.obstacle === undefined && (
      <Confirm
        label="Call once more"
        confirm={`Call ${foreign(state.tool, 40)}`}
        action={`/activity/${id}/replay`}
        question={
          <>
            Call <bdi class="mono">{foreign(state.tool, 64)}</bdi> with the same arguments?
          </>
        }
        consequences={['It goes to the server like any call, and has a row of its own here.']}
        mild={true}
      />
    )}
  </Card>
)

export const ReplayedCard = ({ done }: { done: Replayed }) => (
  <Card
    title="What it answers now"
    tone={done.outcome === 'ok' ? 'ok' : 'plain'}
    lead={
      <>
        <Badge tone={done.outcome === 'ok' ? 'ok' : 'danger'}>{done.outcome === 'ok' ? 'Served' : 'Not served'}</Badge>
        {done.latencyMs !== undefined && ` in ${latency(done.latencyMs)}`}
      </>
    }
    actions={done.rowHref && <a href={done.rowHref}>Its own row</a>}
  >
    <CopyBlock text={unhidden(done.text)} label="new result" multiline={true} />
  </Card>
)
