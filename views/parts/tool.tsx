import type { Html } from '../jsx-runtime.ts'
import { Badge, type Tone } from './badge.tsx'
import { foreign } from './format.ts'

/** What a tool does to the world, by its annotations: looks, changes, or destroys. */
export type ToolKind = 'read' | 'write' | 'destructive'

const TONES: Record<ToolKind, Tone> = { read: 'neutral', write: 'warning', destructive: 'danger' }

export const KindBadge = (p: { kind: ToolKind }) => <Badge tone={TONES[p.kind]}>{p.kind}</Badge>

const SHOWN_MAX = 110
const DESCRIPTION_MAX = 4_000

/**
 * A tool's description as its upstream wrote it: text, whatever it contains. The first words are shown, the rest opens
 * on a click, since what a model reads and a person does not see is where instructions get hidden.
 */
export const ToolDescription = (p: { text: string }): Html => {
  const whole = foreign(p.text, DESCRIPTION_MAX)
  if (!whole) return <p class="description muted">No description.</p>
  const line = whole.replace(/\s+/g, ' ')
  if (line.length <= SHOWN_MAX && line === whole)
    return (
      <p class="description">
        <bdi>{whole}</bdi>
      </p>
    )
  return (
    <details class="description">
      <summary>
        <bdi>{foreign(line, SHOWN_MAX)}</bdi> <span class="more">more</span>
      </summary>
      <p class="description-whole">
        <bdi>{whole}</bdi>
      </p>
    </details>
  )
}
