/**
 * Servers that can be connected.
 * GET /catalogue — q, way, page (all may be empty).
 * POST /catalogue/:space/:server — from a card: adds it as it is (`way`, nothing else), for those that ask for nothing.
 */
import { Layout, type Shell } from './layout.tsx'
import { Badge, type Tone } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'

export type WayIn = 'open' | 'oauth' | 'oauth-registered' | 'key' | 'local' | 'unknown'
export const WAYS_IN: Record<WayIn, { word: string; tone: Tone; means: string }> = {
  open: { word: 'Open', tone: 'ok', means: 'It asks for nothing.' },
  oauth: { word: 'Sign-in', tone: 'accent', means: 'You sign in there once, in the browser.' },
  'oauth-registered': { word: 'Registered app', tone: 'warning', means: 'Somebody registers an app there first; then you sign in.' },
  key: { word: 'Key', tone: 'neutral', means: 'You enter a key or a token that you get there.' },
  local: { word: 'Runs here', tone: 'neutral', means: 'It is a program that runs on the machine of Toolpass.' },
  unknown: { word: 'Not known', tone: 'neutral', means: 'Nobody wrote down how one gets in. It shows when it is tried.' },
}

export type CatalogueCard = {
  /** The reverse-DNS name, `space/server`: also its address. */
  name: string
  title: string
  description: string
  wayIn: WayIn
  /** A host, or what is started. */
  place: string
  /** The way to add it with one click; without one, its page has questions to ask first. */
  oneClick?: string | undefined
  /** The reader's connections that were made from it. */
  added: readonly { id: string; name: string }[]
}
export type CataloguePageProps = {
  shell: Shell
  cards: readonly CatalogueCard[]
  total: number
  filter: { q: string; way?: WayIn | undefined }
  /** How many there are in each, with the words that are searched for. */
  counts: readonly { way: WayIn; count: number }[]
  earlierHref?: string | undefined
  laterHref?: string | undefined
}

const LETTER_COLOURS = 6
const colourOf = (name: string): number => [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7) % LETTER_COLOURS

/** A mark of our own: a picture from elsewhere would tell its host who looks. */
export const Letter = (p: { name: string; title: string }) => (
  <span class={`letter letter-${colourOf(p.name)}`} aria-hidden="true">
    {([...foreign(p.title).replace(/^[^\p{L}\p{N}]+/u, '')][0] ?? '?').toUpperCase()}
  </span>
)

export const WayInBadge = (p: { wayIn: WayIn }) => (
  <Badge tone={WAYS_IN[p.wayIn].tone} title={WAYS_IN[p.wayIn].means}>
    {WAYS_IN[p.wayIn].word}
  </Badge>
)

const Tile = ({ card }: { card: CatalogueCard }) => (
  <li class="tile entry">
    <div class="entry-head">
      <Letter name={card.name} title={card.title} />
      <div>
        <h2>
          <a class="tile-link" href={`/catalogue/${card.name}`}>
            <bdi>{foreign(card.title, 60)}</bdi>
          </a>
        </h2>
        <p class="cell-note">
          <bdi>{foreign(card.place, 48)}</bdi>
        </p>
      </div>
    </div>
    <p class="tile-text">
      <bdi>{foreign(card.description, 140)}</bdi>
    </p>
    <div class="entry-foot">
      <WayInBadge wayIn={card.wayIn} />
      {card.added[0] ? (
        <a class="entry-act" href={`/connections/${card.added[0].id}`}>
          Added
        </a>
      ) : (
        card.oneClick !== undefined && (
          <form class="entry-act" method="post" action={`/catalogue/${card.name}`}>
            <input type="hidden" name="way" value={card.oneClick} />
            <Button icon="plus">
              Add<span class="hidden-text"> {foreign(card.title, 60)}</span>
            </Button>
          </form>
        )
      )}
    </div>
  </li>
)

const hrefOf = ({ q, way }: { q: string; way?: WayIn | undefined }): string => {
  const query = new URLSearchParams({ ...(q ? { q } : {}), ...(way ? { way } : {}) }).toString()
  return query ? `/catalogue?${query}` : '/catalogue'
}

const Search = (p: CataloguePageProps) => (
  <search class="catalogue-search">
    <form class="filter" method="get" action="/catalogue">
      {p.filter.way && <input type="hidden" name="way" value={p.filter.way} />}
      <TextField name="q" label="Find a server" value={p.filter.q} placeholder="issues, database, calendar …" lengthMax={200} />
      <Button>Find</Button>
    </form>
    <nav aria-label="How one gets in">
      <ul class="chips-row">
        <li>
          <a class="chip-link" href={hrefOf({ q: p.filter.q })} aria-current={p.filter.way ? undefined : 'true'}>
            All
          </a>
        </li>
        {p.counts
          .filter(({ way, count }) => count > 0 || way === p.filter.way)
          .map(({ way, count }) => (
            <li>
              <a
                class="chip-link"
                href={hrefOf({ q: p.filter.q, way })}
                title={WAYS_IN[way].means}
                aria-current={p.filter.way === way ? 'true' : undefined}
              >
                {WAYS_IN[way].word} <span class="muted">{count}</span>
              </a>
            </li>
          ))}
      </ul>
    </nav>
  </search>
)

const Nothing = (p: CataloguePageProps) => (
  <Card flush={true}>
    <Empty
      icon="plug"
      title="Nothing fits"
      action={
        <>
          <LinkButton href="/catalogue">Show all</LinkButton>
          <LinkButton href="/connections/new" tone="primary">
            Add it by its address
          </LinkButton>
        </>
      }
    >
      {p.filter.way ? 'No server of these words can be got into this way.' : 'No server in the catalogue has these words.'} Any MCP server
      can be added by its address.
    </Empty>
  </Card>
)

export const CataloguePage = (p: CataloguePageProps) => (
  <Layout shell={p.shell} title="Catalogue" current="catalogue">
    <PageHead
      title="Catalogue"
      lead="MCP servers that can be connected, as their makers describe them."
      actions={
        <>
          {p.shell.viewer.role === 'admin' && (
            <LinkButton href="/admin/catalogue" tone="quiet">
              Manage
            </LinkButton>
          )}
          <LinkButton href="/connections/import">Import a configuration</LinkButton>
        </>
      }
    />
    <Search {...p} />
    {p.cards.length === 0 ? (
      <Nothing {...p} />
    ) : (
      <ul class="tiles entries">
        {p.cards.map((card) => (
          <Tile card={card} />
        ))}
      </ul>
    )}
    <nav class="pager" aria-label="Pages">
      {p.total > p.cards.length && <span class="pager-note">{plural(p.total, 'server')}</span>}
      {p.earlierHref && <LinkButton href={p.earlierHref}>Back</LinkButton>}
      {p.laterHref && <LinkButton href={p.laterHref}>More</LinkButton>}
    </nav>
  </Layout>
)
