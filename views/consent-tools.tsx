/** The tools on the consent page: by what they do to the world, then prompts and resources, each with a switch of its own. */
import type { Child } from './jsx-runtime.ts'
import { Suspicions, type SuspicionSeen } from './definition-change.tsx'
import { Badge } from './parts/badge.tsx'
import { Switch } from './parts/field.tsx'
import { foreign, foreignMiddle, short } from './parts/format.ts'
import { ContextMeter } from './parts/meter.tsx'
import { amountInWords, amountsOf, type Feature, OfferedName } from './parts/offered.tsx'
import { ToolDescription, type ToolKind } from './parts/tool.tsx'

export type ConsentTool = {
  id: string
  feature: Feature
  /** Stands for every resource of its server. */
  isEvery: boolean
  exposedName: string
  title?: string | undefined
  connection: string
  description: string
  kind: ToolKind
  contextCost: number
  /** What somebody should look at in its words and names. */
  suspicions?: readonly SuspicionSeen[] | undefined
  /** As the page comes up: read and write on, destructive off, unless the user has decided before. */
  on: boolean
}

type GroupKind = ToolKind | 'beside'
const GROUPS: readonly { kind: GroupKind; title: string; of: string; hint: string }[] = [
  { kind: 'read', title: 'Read', of: 'Read tools', hint: 'Look things up. As their servers say, they change nothing.' },
  { kind: 'write', title: 'Write', of: 'Write tools', hint: 'Create or change things in your name.' },
  { kind: 'destructive', title: 'Destructive', of: 'Destructive tools', hint: 'Can delete or overwrite. Off unless you switch them on.' },
  {
    kind: 'beside',
    title: 'Prompts and resources',
    of: 'prompts and resources',
    hint: 'Texts and data that the app can fetch and show to a model. They change nothing, and cost nothing until they are used.',
  },
]
const groupOf = ({ feature, kind }: ConsentTool): GroupKind => (feature === 'tool' ? kind : 'beside')

/** Longer groups fold, with their first names in view, so that Allow and Deny stay within reach on a phone. */
const UNFOLDED_MAX = 6
const NAMES_IN_VIEW = 3

/** One name in a summary. */
const shortName = ({ feature, isEvery, exposedName, connection }: ConsentTool): string => {
  if (isEvery) return `every resource of ${foreign(connection, 40)}`
  return feature === 'tool' || feature === 'prompt' ? foreign(exposedName, 40) : foreignMiddle(exposedName, 40)
}

const Name = ({ tool }: { tool: ConsentTool }) => {
  const from = <span class="muted nowrap">{foreign(tool.connection, 40)}</span>
  if (tool.feature === 'tool')
    return (
      <>
        <span class="mono strong break">{foreign(tool.exposedName, 64)}</span> {from}
      </>
    )
  const item = { ...tool, name: tool.exposedName }
  if (tool.isEvery) return <OfferedName item={item} more={` of ${foreign(tool.connection, 40)}`} />
  return (
    <>
      <OfferedName item={item} /> {tool.feature === 'prompt' && <Badge>prompt</Badge>} {from}
    </>
  )
}

const Tool = ({ tool }: { tool: ConsentTool }) => (
  <li class="consent-tool">
    <Switch
      name="tool_id"
      on={tool.on}
      attributes={{
        ...{ id: `tool-${tool.id}`, value: tool.id },
        ...{ 'data-cost': tool.contextCost, 'data-kind': tool.kind, 'data-feature': tool.feature },
      }}
    />
    <div>
      <label for={`tool-${tool.id}`}>
        <Name tool={tool} />
      </label>
      {(tool.feature === 'tool' || (tool.description && !tool.isEvery)) && <ToolDescription text={tool.description} />}
      <Suspicions suspicions={tool.suspicions ?? []} />
    </div>
    {tool.feature === 'tool' && (
      <span class="consent-cost muted" title="Context cost">
        {short(tool.contextCost)}
      </span>
    )}
  </li>
)

const List = (p: { tools: readonly ConsentTool[] }) => (
  <ul class="consent-list">
    {p.tools.map((tool) => (
      <Tool tool={tool} />
    ))}
  </ul>
)

const Group = (p: { group: (typeof GROUPS)[number]; tools: readonly ConsentTool[] }) => {
  const names = p.tools.slice(0, NAMES_IN_VIEW).map(shortName)
  return (
    <fieldset class={`consent-group consent-${p.group.kind}`} data-group={true}>
      <legend>
        {p.group.title}
        <span class="consent-count" data-group-count={true}>
          {p.tools.filter((tool) => tool.on).length} of {p.tools.length}
        </span>
      </legend>
      <p class="hint">{p.group.hint}</p>
      <span class="group-pick needs-js">
        <button type="button" class="text-button" data-select="all" aria-label={`All ${p.group.of} on`}>
          All on
        </button>
        <button type="button" class="text-button" data-select="none" aria-label={`All ${p.group.of} off`}>
          All off
        </button>
      </span>
      {p.tools.length <= UNFOLDED_MAX ? (
        <List tools={p.tools} />
      ) : (
        <details class="consent-fold" open={p.group.kind === 'write'}>
          <summary>
            <span class="mono">{names.join(', ')}</span> and {p.tools.length - names.length} more
          </summary>
          <List tools={p.tools} />
        </details>
      )}
    </fieldset>
  )
}

/** `preset`: a button that switches many at once. The count is a status: it is read out when it changes. */
export const ConsentTools = (p: { tools: readonly ConsentTool[]; title?: string | undefined; preset?: Child }) => (
  <div class="consent-tools" data-group={true}>
    <div class="consent-tools-head">
      <div>
        <h2>{p.title ?? `${amountInWords(amountsOf(p.tools))} it asks for`}</h2>
        <p class="hint" role="status">
          <span data-group-count={true}>
            {p.tools.filter((tool) => tool.on).length} of {p.tools.length}
          </span>{' '}
          on
        </p>
      </div>
      {p.preset}
    </div>
    {GROUPS.map((group) => {
      const tools = p.tools.filter((tool) => groupOf(tool) === group.kind)
      return tools.length > 0 && <Group group={group} tools={tools} />
    })}
  </div>
)

/** What a model will hold of it all. With search that is the same whatever is switched on, so there is nothing to recount. */
export const ToolsCost = (p: { tools: readonly ConsentTool[]; searchCost?: number | undefined }) => {
  const tools = p.tools.filter(({ feature }) => feature === 'tool')
  const on = tools.filter((tool) => tool.on)
  if (tools.length === 0) return <></>
  if (p.searchCost !== undefined)
    return (
      <p class="hint">
        The model finds these tools by search: it is shown three that find and call the others, context cost {short(p.searchCost)}, and
        those that are pinned in the profile.
      </p>
    )
  return <ContextMeter cost={on.reduce((sum, tool) => sum + tool.contextCost, 0)} tools={on.length} of={tools.length} />
}
