/** How one definition differs from another: words with what came and went, arguments in sentences, and what looks suspicious in it. */
import { Badge } from './parts/badge.tsx'
import { foreign, unhidden } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'

/** Our own words, or somebody else's, which are set apart from them. */
export type Said = string | { code: string }
export type Word = { text: string; mark?: 'added' | 'removed' }
export type ChangeLine =
  | { kind: 'says'; parts: readonly Said[]; isGrave?: boolean }
  | { kind: 'words'; what: readonly Said[]; words: readonly Word[] }
export type SuspicionSeen = {
  kind: 'hidden' | 'look-alike' | 'instruction' | 'secret' | 'other-tool' | 'unread'
  where: string
  says: string
  excerpt: string
  from: number
  to: number
}

const WORD_CHARS_MAX = 4_000
/** So much that stayed the same is shown around what did not. */
const AROUND_CHARS = 160

const Saying = (p: { parts: readonly Said[] }) => (
  <>{p.parts.map((part) => (typeof part === 'string' ? part : <code class="break">{foreign(unhidden(part.code), 140)}</code>))}</>
)

/** Spaces at its ends belong to a text that is a part of another one. */
const within = (text: string): string => {
  const shown = unhidden(text)
  const [lead = ''] = /^\s*/.exec(shown) ?? []
  const [trail = ''] = /\s*$/.exec(shown) ?? []
  return shown.trim() === '' ? shown : lead + foreign(shown, WORD_CHARS_MAX) + trail
}

const shortened = (text: string, isFirst: boolean, isLast: boolean): string => {
  if (text.length <= 2 * AROUND_CHARS + 20) return text
  const head = isFirst ? '' : text.slice(0, AROUND_CHARS)
  const tail = isLast ? '' : text.slice(-AROUND_CHARS)
  return `${head} … ${tail}`
}

const Words = (p: { words: readonly Word[] }) => (
  <p class="word-diff">
    <bdi>
      {p.words.map(({ text, mark }, at) => {
        if (mark === 'added') return <ins>{within(text)}</ins>
        if (mark === 'removed') return <del>{within(text)}</del>
        return within(shortened(text, at === 0, at === p.words.length - 1))
      })}
    </bdi>
  </p>
)

export const ChangeLines = (p: { lines: readonly ChangeLine[] }) => (
  <ul class="change-lines">
    {p.lines.map((line) => (
      <li>
        {line.kind === 'says' ? (
          <>
            {line.isGrave && (
              <>
                <Badge tone="danger">look closely</Badge>{' '}
              </>
            )}
            <Saying parts={line.parts} />
          </>
        ) : (
          <>
            <span class="change-what">
              <Saying parts={line.what} />
            </span>
            <Words words={line.words} />
          </>
        )}
      </li>
    ))}
  </ul>
)

const SUSPICION_WORDS: Record<SuspicionSeen['kind'], string> = {
  hidden: 'hidden characters',
  'look-alike': 'look-alike letters',
  instruction: 'instructs the model',
  secret: 'asks for secrets',
  'other-tool': 'about other tools',
  unread: 'not looked through',
}

const Excerpt = ({ excerpt, from, to }: SuspicionSeen) => (
  <q class="excerpt">
    <bdi>
      {within(excerpt.slice(0, from))}
      <mark>{within(excerpt.slice(from, to))}</mark>
      {within(excerpt.slice(to))}
    </bdi>
  </q>
)

/** Words for the kinds that were found, and behind them each place, marked. */
export const Suspicions = (p: { suspicions: readonly SuspicionSeen[]; isOpen?: boolean }) =>
  p.suspicions.length === 0 ? (
    <></>
  ) : (
    <details class="suspicions" open={p.isOpen}>
      <summary>
        <Icon name="triangle-alert" />
        {[...new Set(p.suspicions.map(({ kind }) => kind))].map((kind) => (
          <Badge tone="warning">{SUSPICION_WORDS[kind]}</Badge>
        ))}
        <span class="more">where</span>
      </summary>
      <ul>
        {p.suspicions.map((each) => (
          <li>
            <p>
              <bdi>{foreign(unhidden(each.says), 240)}</bdi>{' '}
              <span class="muted">
                In its <bdi>{foreign(unhidden(each.where), 80)}</bdi>:
              </span>
            </p>
            {each.excerpt !== '' && <Excerpt {...each} />}
          </li>
        ))}
      </ul>
    </details>
  )
