/** The tools on the consent page: by what they do to the world, each with a switch of its own. */
import type { Child } from './jsx-runtime.ts'
import { Switch } from './parts/field.tsx'
import { foreign, plural, short } from './parts/format.ts'
import { ToolDescription, type ToolKind } from './parts/tool.tsx'

export type ConsentTool = {
  id: string
  exposedName: string
  connection: string
  description: string
  kind: ToolKind
  contextCost: number
  /** As the page comes up: read and write on, destructive off, unless the user has decided before. */
  on: boolean
}

const GROUPS: readonly { kind: ToolKind; title: string; hint: string }[] = [
  { kind: 'read', title: 'Read', hint: 'Look things up. As their servers say, they change nothing.' },
  { kind: 'write', title: 'Write', hint: 'Create or change things in your name.' },
  { kind: 'destructive', title: 'Destructive', hint: 'Can delete or overwrite. Off unless you switch them on.' },
]

/** Longer groups fold, with their first names in view, so that Allow and Deny stay within reach on a phone. */
const UNFOLDED_MAX = 6
const NAMES_IN_VIEW = 3

const Tool = ({ tool }: { tool: ConsentTool }) => (
  <li class="consent-tool">
    <Switch
      name="tool_id"
      on={tool.on}
      attributes={{ id: `tool-${tool.id}`, value: tool.id, 'data-cost': tool.contextCost, 'data-kind': tool.kind }}
    />
    <div>
      <label for={`tool-${tool.id}`}>
        <span class="mono strong break">{foreign(tool.exposedName, 64)}</span>{' '}
        <span class="muted nowrap">{foreign(tool.connection, 40)}</span>
      </label>
      <ToolDescription text={tool.description} />
    </div>
    <span class="consent-cost muted" title="Context cost">
      {short(tool.contextCost)}
    </span>
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
  const names = p.tools.slice(0, NAMES_IN_VIEW).map((tool) => foreign(tool.exposedName, 40))
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
        <button type="button" class="text-button" data-select="all" aria-label={`All ${p.group.title} tools on`}>
          All on
        </button>
        <button type="button" class="text-button" data-select="none" aria-label={`All ${p.group.title} tools off`}>
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
        <h2>{p.title ?? `${plural(p.tools.length, 'tool')} it asks for`}</h2>
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
      const tools = p.tools.filter((tool) => tool.kind === group.kind)
      return tools.length > 0 && <Group group={group} tools={tools} />
    })}
  </div>
)
