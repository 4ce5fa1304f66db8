/**
 * The ways in, one tab a client: the common ones side by side, the others behind the last tab. Every line and link comes
 * ready from the server, so that it all works without a script.
 */
import { LinkButton } from './parts/button.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { Notice } from './parts/notice.tsx'
import { Tabs } from './parts/tabs.tsx'
import type { Reach } from './setup.tsx'

export type Way = {
  id: string
  client: string
  common: boolean
  /** What to do, code between backticks. */
  steps: string
  copy?: { text: string; label: string; multiline?: boolean } | undefined
  link?: { href: string; label: string } | undefined
  otherLink?: { href: string; label: string } | undefined
  hints: readonly string[]
  /** Why it will not work as things are: the address, or the size of the profile. */
  warnings: readonly string[]
  /** Where its maker says so, and when that was looked at (YYYY-MM-DD). */
  source: { href: string; checked: string }
}

const Sentence = (p: { text: string }) => <p>{p.text.split('`').map((part, at) => (at % 2 === 1 ? <code>{part}</code> : part))}</p>

const Follow = (p: { slug: string; client?: string }) => (
  <p class="way-in-foot">
    Does it not connect? <a href={`/apps/doctor?profile=${p.slug}${p.client === undefined ? '' : `&client=${p.client}`}`}>Follow it live</a>
  </p>
)

const WayIn = ({ way, slug }: { way: Way; slug: string }) => (
  <div class="way-in">
    {way.warnings.map((warning) => (
      <Notice tone="warning">{warning}</Notice>
    ))}
    <Sentence text={way.steps} />
    {way.link && (
      <div class="actions">
        <LinkButton href={way.link.href} icon="app-window" newTab={way.link.href.startsWith('https:')}>
          {way.link.label}
        </LinkButton>
        {way.otherLink && (
          <a href={way.otherLink.href} target="_blank" rel="noopener noreferrer">
            {way.otherLink.label}
          </a>
        )}
      </div>
    )}
    {way.copy && <CopyBlock text={way.copy.text} label={way.copy.label} multiline={way.copy.multiline} />}
    {way.hints.length > 0 && (
      <ul class="way-in-hints">
        {way.hints.map((hint) => (
          <li>{hint}</li>
        ))}
      </ul>
    )}
    <Follow slug={slug} client={way.id} />
    <p class="way-in-foot">
      <a href={way.source.href} target="_blank" rel="noopener noreferrer">
        What its maker says
      </a>
      , as of <time datetime={way.source.checked}>{way.source.checked}</time>
    </p>
  </div>
)

const NEAR: Record<Exclude<Reach, 'internet'>, string> = {
  'this-computer': 'Apps on this computer can use this address. Web-hosted apps (claude.ai, ChatGPT) cannot reach it.',
  'this-network': 'Apps in your network can use this address. Web-hosted apps (claude.ai, ChatGPT) cannot reach it.',
}

const AnyClient = (p: { slug: string; url: string; reach: Reach }) => (
  <div class="way-in">
    <p>Paste it where the app asks for the address of an MCP server.</p>
    <CopyBlock text={p.url} label="address" />
    <p>
      Or, for apps that keep an <code>mcp.json</code>:
    </p>
    <CopyBlock
      multiline={true}
      text={JSON.stringify({ mcpServers: { [p.slug]: { type: 'http', url: p.url } } }, null, 2)}
      label="mcp.json"
    />
    {p.reach !== 'internet' && <Notice tone="warning">{NEAR[p.reach]}</Notice>}
    <ul class="way-in-hints">
      <li>
        An app or a script that can only send a header: <a href="/apps/tokens">make an access token</a>, and let it send{' '}
        <code>Authorization: Bearer</code> and the token.
      </li>
    </ul>
    <Follow slug={p.slug} />
  </div>
)

export const WaysIn = (p: { slug: string; url: string; reach: Reach; ways: readonly Way[] }) => {
  const tabOf = (way: Way) => ({ id: way.id, title: way.client, panel: <WayIn way={way} slug={p.slug} /> })
  const others = p.ways.filter((way) => !way.common)
  return (
    <Tabs
      name="connect"
      label="Which app"
      tabs={[
        { id: 'any', title: 'Any client', panel: <AnyClient slug={p.slug} url={p.url} reach={p.reach} /> },
        ...p.ways.filter((way) => way.common).map(tabOf),
        ...(others.length === 0
          ? []
          : [
              {
                id: 'others',
                title: 'More',
                panel: <Tabs name="connect-others" label="Which other app" look="chips" tabs={others.map(tabOf)} />,
              },
            ]),
      ]}
    />
  )
}
