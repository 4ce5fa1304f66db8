/**
 * Tools that their servers changed after they were picked: held back until somebody has seen how.
 * POST /profiles/:id/tools/approve — seen, once for each tool: its id, a space, and the hash of the definition that was shown.
 */
import { Badge } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { type FormState, FormProblem } from './parts/field.tsx'
import { foreign, plural, unhidden } from './parts/format.ts'
import type { Feature } from './parts/offered.tsx'

export type ChangedTool = {
  id: string
  feature: Feature
  hash: string
  /** As its upstream calls it. */
  name: string
  connection: string
  /** Each begins with a space, a plus or a minus. */
  lines: readonly string[]
}

const LINES_MAX = 400
const LINE_CHARS_MAX = 20_000

const Line = ({ line }: { line: string }) => {
  const sign = line.slice(0, 1)
  const indent = /^ */.exec(line.slice(1))?.[0] ?? ''
  const text = (
    <>
      {indent}
      <bdi>{foreign(unhidden(line.slice(1)), LINE_CHARS_MAX)}</bdi>
    </>
  )
  if (sign === '+') return <ins>+ {text}</ins>
  if (sign === '-') return <del>- {text}</del>
  return (
    <span>
      {'  '}
      {text}
    </span>
  )
}

const Change = ({ profileId, tool }: { profileId: string; tool: ChangedTool }) => (
  <li class="change" id={`change-${tool.id}`}>
    <div class="change-head">
      <h3 class="break">
        <span class="mono">{foreign(tool.name, 128)}</span> {tool.feature === 'prompt' && <Badge>prompt</Badge>}{' '}
        <span class="muted">{foreign(tool.connection)}</span>
      </h3>
      <form method="post" action={`/profiles/${profileId}/tools/approve`}>
        <input type="hidden" name="seen" value={`${tool.id} ${tool.hash}`} />
        <Button tone="secondary">Accept</Button>
      </form>
    </div>
    <section class="diff" aria-label={`What changed in ${foreign(tool.name, 128)}`}>
      {tool.lines.slice(0, LINES_MAX).map((line) => (
        <Line line={line} />
      ))}
    </section>
    {tool.lines.length > LINES_MAX && <p class="muted">{tool.lines.length - LINES_MAX} more lines are not shown.</p>}
  </li>
)

export const ProfileChanges = (p: { profileId: string; tools: readonly ChangedTool[]; form?: FormState | undefined }) => (
  <Card
    title={`${plural(p.tools.length, p.tools.every(({ feature }) => feature === 'tool') ? 'changed tool' : 'change')} held back`}
    lead="Their servers describe them otherwise than when you picked them. Apps neither see nor use them until you accept the change; what you no longer want can be taken out below."
  >
    <FormProblem form={p.form} />
    <ul class="changes">
      {p.tools.map((tool) => (
        <Change profileId={p.profileId} tool={tool} />
      ))}
    </ul>
    {p.tools.length > 1 && (
      <form method="post" action={`/profiles/${p.profileId}/tools/approve`}>
        {p.tools.map((tool) => (
          <input type="hidden" name="seen" value={`${tool.id} ${tool.hash}`} />
        ))}
        <Button tone="secondary">Accept all {p.tools.length}</Button>
      </form>
    )}
  </Card>
)
