import type { Child } from '../jsx-runtime.ts'

export type Tone = 'neutral' | 'ok' | 'warning' | 'danger' | 'accent'

/** A status: always a word, the colour only repeats it. */
export const Badge = (p: { tone?: Tone | undefined; title?: string | undefined; children: Child }) => (
  <span class={`badge tone-${p.tone ?? 'neutral'}`} title={p.title}>
    {p.children}
  </span>
)

/** The same with a dot in front, for states that last (a connection, a connected app). */
export const Status = (p: { tone: Tone; children: Child }) => (
  <span class={`status tone-${p.tone}`}>
    <span class="status-dot" aria-hidden="true" />
    {p.children}
  </span>
)
