/**
 * Tools that their servers changed after they were picked: held back until somebody has seen how. On the page of a profile, and of a
 * connection with all profiles of the reader that wait with it.
 * POST /profiles/:id/tools/approve — seen, once for each tool: its id, a space, and the hash of the definition that was shown;
 *   everywhere (on): in all profiles of the reader.
 * POST /profiles/:id/tools/take-out — tool_id.
 * POST /connections/:id/tools/approve — seen, as above: in all profiles of the reader.
 */
import { ChangeLines, type ChangeLine, Suspicions, type SuspicionSeen } from './definition-change.tsx'
import { Badge } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
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
  /** Of the reader, which wait with it as well. */
  profiles: readonly { id: string; title: string }[]
  says: readonly ChangeLine[]
  suspicions: readonly SuspicionSeen[]
  /** Of the whole definition; each begins with a space, a plus or a minus. */
  lines: readonly string[]
}
/** Where they are shown: on a profile, or on a connection for all profiles that wait. */
type Place = { profileId: string } | { connectionId: string }

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

const actionOf = (place: Place): string =>
  'profileId' in place ? `/profiles/${place.profileId}/tools/approve` : `/connections/${place.connectionId}/tools/approve`

const Accept = ({ place, tool }: { place: Place; tool: ChangedTool }) => (
  <form method="post" action={actionOf(place)}>
    <input type="hidden" name="seen" value={`${tool.id} ${tool.hash}`} />
    <Button tone="secondary">Accept</Button>
  </form>
)

const AcceptEverywhere = ({ profileId, tool }: { profileId: string; tool: ChangedTool }) => (
  <form method="post" action={`/profiles/${profileId}/tools/approve`}>
    <input type="hidden" name="seen" value={`${tool.id} ${tool.hash}`} />
    <input type="hidden" name="everywhere" value="on" />
    <Button tone="quiet">Accept in all {tool.profiles.length + 1} profiles</Button>
  </form>
)

const TakeOut = ({ profileId, tool }: { profileId: string; tool: ChangedTool }) => (
  <Confirm
    place="row"
    label="Take out"
    confirm="Take it out"
    action={`/profiles/${profileId}/tools/take-out`}
    fields={{ tool_id: tool.id }}
    question={
      <>
        Take <strong class="break">{foreign(tool.name, 64)}</strong> out of this profile?
      </>
    }
    consequences={['No app gets it from this profile any more', 'It can be picked again, as its server describes it then']}
  />
)

const Where = ({ place, tool }: { place: Place; tool: ChangedTool }) =>
  tool.profiles.length === 0 ? (
    <></>
  ) : (
    <p class="muted">
      {'profileId' in place ? 'Waits in other profiles of yours as well: ' : 'Waits in '}
      {tool.profiles.slice(0, 10).map((profile, at) => (
        <>
          {at > 0 && ', '}
          <a href={`/profiles/${profile.id}#change-${tool.id}`}>{foreign(profile.title, 40)}</a>
        </>
      ))}
    </p>
  )

const Change = ({ place, tool }: { place: Place; tool: ChangedTool }) => (
  <li class="change" id={`change-${tool.id}`}>
    <div class="change-head">
      <h3 class="break">
        <span class="mono">{foreign(unhidden(tool.name), 128)}</span> {tool.feature === 'prompt' && <Badge>prompt</Badge>}{' '}
        {'profileId' in place && <span class="muted">{foreign(tool.connection)}</span>}
      </h3>
      <div class="actions">
        {'profileId' in place && <TakeOut profileId={place.profileId} tool={tool} />}
        {'profileId' in place && tool.profiles.length > 0 && <AcceptEverywhere profileId={place.profileId} tool={tool} />}
        <Accept place={place} tool={tool} />
      </div>
    </div>
    <Suspicions suspicions={tool.suspicions} isOpen={true} />
    <ChangeLines lines={tool.says} />
    <Where place={place} tool={tool} />
    <details class="fold">
      <summary>The whole definition, line by line</summary>
      <section class="diff" aria-label={`What changed in ${foreign(tool.name, 128)}`}>
        {tool.lines.slice(0, LINES_MAX).map((line) => (
          <Line line={line} />
        ))}
      </section>
      {tool.lines.length > LINES_MAX && <p class="muted">{tool.lines.length - LINES_MAX} more lines are not shown.</p>}
    </details>
  </li>
)

const Changes = (p: { place: Place; lead: string; tools: readonly ChangedTool[]; form?: FormState | undefined }) => (
  <Card
    id="changes"
    title={`${plural(p.tools.length, p.tools.every(({ feature }) => feature === 'tool') ? 'changed tool' : 'change')} held back`}
    lead={p.lead}
  >
    <FormProblem form={p.form} />
    <ul class="changes">
      {p.tools.map((tool) => (
        <Change place={p.place} tool={tool} />
      ))}
    </ul>
    {p.tools.length > 1 && (
      <form method="post" action={actionOf(p.place)}>
        {p.tools.map((tool) => (
          <input type="hidden" name="seen" value={`${tool.id} ${tool.hash}`} />
        ))}
        <Button tone="secondary">Accept all {p.tools.length}</Button>
      </form>
    )}
  </Card>
)

export const ProfileChanges = (p: { profileId: string; tools: readonly ChangedTool[]; form?: FormState | undefined }) => (
  <Changes
    place={{ profileId: p.profileId }}
    lead="Their servers describe them otherwise than when you picked them. Apps neither see nor use them until you accept the change; what you do not accept stays held back, or can be taken out."
    tools={p.tools}
    form={p.form}
  />
)

export const ConnectionChanges = (p: { connectionId: string; tools: readonly ChangedTool[]; form?: FormState | undefined }) => (
  <Changes
    place={{ connectionId: p.connectionId }}
    lead="This server describes them otherwise than when you picked them. What you accept here is accepted in all your profiles."
    tools={p.tools}
    form={p.form}
  />
)
