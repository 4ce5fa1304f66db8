/** How an app gets in: the lines to copy, and the card that turns green when it does. */
import { Card } from './parts/card.tsx'
import { foreign, latency } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { Ago } from './parts/time.tsx'
import { type Way, WaysIn } from './profile-connect-ways.tsx'
import type { Reach } from './setup.tsx'

export type Waiting =
  | { state: 'waiting' }
  /** Let in, and maybe it has listed the tools, but nothing was called yet. */
  | { state: 'connected'; client: string; at: number; listed: boolean }
  | { state: 'called'; client: string; tool: string; latencyMs: number; at: number; callId: string; appId: string }

export type WaitingCardProps = { profileId: string; waiting: Waiting }

const WaitingText = ({ waiting }: { waiting: Waiting }) => {
  if (waiting.state === 'waiting')
    return (
      <>
        <p class="waiting-title">Waiting for the first call …</p>
        <p>Add the link to your app. Nothing to do here: this card turns green by itself.</p>
      </>
    )
  if (waiting.state === 'connected')
    return (
      <>
        <p class="waiting-title">
          <bdi>{foreign(waiting.client, 40)}</bdi> is connected
        </p>
        <p>
          Let in <Ago at={waiting.at} />
          {waiting.listed ? ', and it has seen the tools' : ''}. Now ask it for something that needs a tool.
        </p>
      </>
    )
  return (
    <>
      <p class="waiting-title">It works</p>
      <p>
        <a href={`/apps/${waiting.appId}`}>
          <bdi>{foreign(waiting.client, 40)}</bdi>
        </a>{' '}
        called{' '}
        <a class="mono break" href={`/activity/${waiting.callId}`}>
          {foreign(waiting.tool, 64)}
        </a>
      </p>
      <p>
        <strong>{latency(waiting.latencyMs)}</strong>, <Ago at={waiting.at} />
      </p>
    </>
  )
}

/** Also the reply to GET /profiles/:id/waiting. Once it has seen a call it has no trigger any more and stays. */
export const WaitingCard = (p: WaitingCardProps) => {
  const done = p.waiting.state === 'called'
  return (
    <div
      id="waiting"
      class={`waiting waiting-${p.waiting.state}`}
      role="status"
      hx-get={done ? undefined : `/profiles/${p.profileId}/waiting`}
      hx-trigger={done ? undefined : 'every 2s'}
      hx-swap={done ? undefined : 'outerMorph'}
    >
      <span class="waiting-mark">
        <Icon name={done ? 'circle-check' : p.waiting.state === 'connected' ? 'check' : 'loader'} />
      </span>
      <div>
        <WaitingText waiting={p.waiting} />
        {!done && (
          <noscript>
            <a href={`/profiles/${p.profileId}`}>Look again</a>
          </noscript>
        )}
      </div>
    </div>
  )
}

export type ConnectPanelProps = {
  profileId: string
  /** The last part of the address, which also names the server in a client: `^[a-z0-9-]+$`. */
  slug: string
  url: string
  reach: Reach
  ways: readonly Way[]
  waiting: Waiting
}

export const ConnectPanel = (p: ConnectPanelProps) => (
  <Card id="connect" title="Connect an app" lead="Give the app this address. It sends you here once, to sign in and to allow it.">
    <div class="connect">
      <WaysIn slug={p.slug} url={p.url} reach={p.reach} ways={p.ways} />
      <WaitingCard profileId={p.profileId} waiting={p.waiting} />
    </div>
  </Card>
)
