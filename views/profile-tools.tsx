/**
 * Which tools are in a profile, and what they cost.
 * POST /profiles/:id/tools — tool_id, once for each tool that is ticked; those that are not come out.
 */
import { Status } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { type FormState, FormProblem } from './parts/field.tsx'
import { foreign, short } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { ContextMeter } from './parts/meter.tsx'
import { KindBadge, ToolDescription, type ToolKind } from './parts/tool.tsx'

export type ProfileTool = {
  id: string
  /** As its upstream calls it. */
  name: string
  title?: string | undefined
  /** As apps see it in this profile. */
  exposedName: string
  description: string
  kind: ToolKind
  contextCost: number
  selected: boolean
  /** A sentence when something is the matter ("The upstream no longer offers it."). */
  note?: string | undefined
}
export type ProfileToolGroup = {
  connection: { id: string; name: string; trouble: boolean }
  tools: readonly ProfileTool[]
}
/** Whether this set fits a well-known client's limits, and the figures that say so. */
export type ClientChip = { client: string; ok: boolean; why: string }

export type ProfileToolsProps = {
  profileId: string
  groups: readonly ProfileToolGroup[]
  chips: readonly ClientChip[]
  form?: FormState | undefined
  /** What is ticked is a proposal: nothing is in the profile yet. */
  suggested?: boolean
}

const Tool = ({ tool }: { tool: ProfileTool }) => (
  <tr class="tool-row">
    <td class="cell-check">
      {/* This label has no words, the one beside has: it only widens what can be hit. */}
      <label class="check">
        <input
          type="checkbox"
          name="tool_id"
          id={`tool-${tool.id}`}
          value={tool.id}
          checked={tool.selected}
          data-cost={tool.contextCost}
          data-kind={tool.kind}
        />
      </label>
    </td>
    <td class="cell-main">
      <label for={`tool-${tool.id}`}>
        <span class="mono strong break">{foreign(tool.name, 128)}</span>
        {tool.title && tool.title !== tool.name && (
          <span class="tool-title">
            <bdi>{foreign(tool.title, 80)}</bdi>
          </span>
        )}
      </label>
      <ToolDescription text={tool.description} />
      {tool.exposedName !== tool.name && (
        <p class="cell-note">
          Apps see it as <code class="break">{tool.exposedName}</code>
        </p>
      )}
      {tool.note && (
        <p class="cell-warning">
          <Icon name="triangle-alert" /> {tool.note}
        </p>
      )}
    </td>
    <td>
      <KindBadge kind={tool.kind} />
    </td>
    <td class="number" data-label="Context cost">
      {short(tool.contextCost)}
    </td>
  </tr>
)

const Pick = () => (
  <span class="group-pick needs-js">
    <button type="button" class="text-button" data-select="read">
      Only read
    </button>
    <button type="button" class="text-button" data-select="all">
      All
    </button>
    <button type="button" class="text-button" data-select="none">
      None
    </button>
  </span>
)

const Group = ({ group }: { group: ProfileToolGroup }) => (
  <tbody data-group={true}>
    <tr class="group-row">
      <th colspan="4" scope="rowgroup">
        <div class="group-head">
          <a class="plain" href={`/connections/${group.connection.id}`}>
            {foreign(group.connection.name)}
          </a>
          {group.connection.trouble && <Status tone="danger">Trouble</Status>}
          <span class="muted" data-group-count={true}>
            {group.tools.filter((tool) => tool.selected).length} of {group.tools.length}
          </span>
          {group.tools.length > 0 && <Pick />}
        </div>
      </th>
    </tr>
    {group.tools.length === 0 ? (
      <tr>
        <td colspan="4" class="muted">
          This connection has shown no tools yet.
        </td>
      </tr>
    ) : (
      group.tools.map((tool) => <Tool tool={tool} />)
    )}
  </tbody>
)

const Chips = (p: { chips: readonly ClientChip[] }) => (
  <ul class="chips">
    {p.chips.map((chip) => (
      <li class={`chip tone-${chip.ok ? 'ok' : 'warning'}`}>
        <Icon name={chip.ok ? 'check' : 'triangle-alert'} />
        <span>
          <strong>{chip.client}</strong> {chip.ok ? 'fits' : 'does not fit'}
          <span class="chip-why">{chip.why}</span>
        </span>
      </li>
    ))}
  </ul>
)

/** Also the reply to POST /profiles/:id/tools. */
export const ProfileTools = (p: ProfileToolsProps) => {
  const tools = p.groups.flatMap((group) => group.tools)
  const selected = tools.filter((tool) => tool.selected)
  if (p.groups.length === 0) return <NoConnections />
  return (
    <form
      id="profile-tools"
      class="picker"
      method="post"
      action={`/profiles/${p.profileId}/tools`}
      hx-post={`/profiles/${p.profileId}/tools`}
      hx-swap="outerHTML"
      hx-disable="find .picker-save button"
      data-recount={true}
    >
      <Card
        title="Tools"
        lead={
          p.suggested
            ? 'Tools that only read are ticked for you; tick what else an app should be able to use, then save.'
            : 'Tick what an app should be able to use. A tool that comes up later stays out until you tick it.'
        }
        flush={true}
      >
        <FormProblem form={p.form} />
        <table class="table table-lean table-tools">
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden-text">In the profile</span>
              </th>
              <th scope="col">Tool</th>
              <th scope="col">Kind</th>
              <th scope="col" class="number">
                Context cost
              </th>
            </tr>
          </thead>
          {p.groups.map((group) => (
            <Group group={group} />
          ))}
        </table>
      </Card>
      <div class="picker-side">
        <div class="card picker-save">
          <ContextMeter cost={selected.reduce((sum, tool) => sum + tool.contextCost, 0)} tools={selected.length} of={tools.length} />
          <Button tone="primary">Save tools</Button>
          <p class="picker-unsaved" aria-live="polite">
            Not saved yet
          </p>
        </div>
        {p.chips.length > 0 && (
          <section class="card picker-chips" aria-label="Limits of well-known apps">
            <h3>Limits of well-known apps</h3>
            <Chips chips={p.chips} />
            <p class="picker-stale">Counted for what was saved last.</p>
          </section>
        )}
      </div>
    </form>
  )
}

const NoConnections = () => (
  <div id="profile-tools">
    <Card title="Tools" flush={true}>
      <Empty
        icon="plug"
        title="No connection yet"
        action={
          <LinkButton href="/connections/new" tone="primary" icon="plus">
            Add a connection
          </LinkButton>
        }
      >
        Tools come from connections. Add one first, then pick here what belongs into this profile.
      </Empty>
    </Card>
  </div>
)
