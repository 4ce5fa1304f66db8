/**
 * What is in a profile, tools, prompts and resources, and what it costs.
 * POST /profiles/:id/tools — tool_id, once for each that is ticked, of whatever feature; those that are not come out.
 */
import { Suspicions, type SuspicionSeen } from './definition-change.tsx'
import { Badge, Status } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { type FormState, FormProblem } from './parts/field.tsx'
import { foreign, short } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { ContextMeter } from './parts/meter.tsx'
import { Address, type Feature, FREE, OfferedName } from './parts/offered.tsx'
import { KindBadge, ToolDescription, type ToolKind } from './parts/tool.tsx'

export type ProfileTool = {
  id: string
  feature: Feature
  /** Stands for every resource of its server, whenever it adds them. */
  isEvery: boolean
  /** As its upstream calls it; the address of a resource. */
  name: string
  title?: string | undefined
  /** As apps see it in this profile. */
  exposedName: string
  description: string
  kind: ToolKind
  contextCost: number
  selected: boolean
  /** It is in the profile already, so it can be adjusted there. */
  saved?: boolean | undefined
  /** With a name, words or arguments of this profile's own. */
  adjusted?: boolean | undefined
  pinned?: boolean | undefined
  /** Its server changed it since it was picked. */
  heldBack?: boolean | undefined
  /** What somebody should look at in its words and names. */
  suspicions?: readonly SuspicionSeen[] | undefined
  /** A sentence when something is the matter ("The upstream no longer offers it."). */
  note?: string | undefined
}
export type ProfileToolGroup = {
  connection: { id: string; name: string; trouble: boolean }
  /** Tools first, then prompts, then resources. */
  tools: readonly ProfileTool[]
}
/** Whether this set fits a well-known client's limits, and the figures that say so. */
export type ClientChip = { client: string; ok: boolean; why: string }

export type ProfileToolsProps = {
  profileId: string
  /** With search, apps are shown three tools at this cost and the pinned ones. */
  search?: { cost: number } | undefined
  groups: readonly ProfileToolGroup[]
  chips: readonly ClientChip[]
  /** Clients that it would fit when tools were found by search. */
  helps?: readonly string[] | undefined
  form?: FormState | undefined
  /** What is ticked is a proposal: nothing is in the profile yet. */
  suggested?: boolean
}

type RowProps = { profileId: string; tool: ProfileTool; bySearch: boolean }

/** This label has no words, the one beside has: it only widens what can be hit. */
const Box = ({ tool, bySearch }: Omit<RowProps, 'profileId'>) => (
  <label class="check">
    <input
      type="checkbox"
      name="tool_id"
      id={`tool-${tool.id}`}
      value={tool.id}
      checked={tool.selected}
      data-cost={bySearch && !tool.pinned ? 0 : tool.contextCost}
      data-kind={tool.kind}
      data-feature={tool.feature}
    />
  </label>
)

const Notes = ({ profileId, tool }: Omit<RowProps, 'bySearch'>) => (
  <>
    {tool.exposedName !== tool.name && !tool.isEvery && (
      <p class="cell-note">
        Apps see it as <Address text={tool.exposedName} />
      </p>
    )}
    {tool.heldBack && (
      <p class="cell-warning">
        <Icon name="triangle-alert" />
        <span>
          Held back: its server changed it since you picked it. <a href={`/profiles/${profileId}#change-${tool.id}`}>See how</a>
        </span>
      </p>
    )}
    {tool.note && (
      <p class="cell-warning">
        <Icon name="triangle-alert" /> {tool.note}
      </p>
    )}
  </>
)

const Adjust = ({ profileId, tool }: Omit<RowProps, 'bySearch'>) =>
  tool.saved ? (
    <a class="cell-adjust" href={`/profiles/${profileId}/tools/${tool.id}`} aria-label={`Adjust ${foreign(tool.name, 64)}`}>
      Adjust
    </a>
  ) : (
    <></>
  )

const Marks = ({ tool }: { tool: ProfileTool }) => (
  <>
    {tool.adjusted && ' '}
    {tool.adjusted && <Badge tone="accent">adjusted</Badge>}
    {tool.pinned && ' '}
    {tool.pinned && <Badge title="Shown to the model even where others are found by search">pinned</Badge>}
  </>
)

const Tool = ({ profileId, tool, bySearch }: RowProps) => (
  <tr class="tool-row" data-row={true}>
    <td class="cell-check">
      <Box tool={tool} bySearch={bySearch} />
    </td>
    <td class="cell-main">
      <label for={`tool-${tool.id}`}>
        <span class="mono strong break">{foreign(tool.name, 128)}</span>
        {tool.title && tool.title !== tool.name && (
          <span class="tool-title">
            <bdi>{foreign(tool.title, 80)}</bdi>
          </span>
        )}
        <Marks tool={tool} />
      </label>
      <ToolDescription text={tool.description} />
      <Suspicions suspicions={tool.suspicions ?? []} />
      <Notes profileId={profileId} tool={tool} />
    </td>
    <td>
      <KindBadge kind={tool.kind} />
    </td>
    <td class="number" data-label="Context cost">
      {short(tool.contextCost)}
      <Adjust profileId={profileId} tool={tool} />
    </td>
  </tr>
)

const Item = ({ profileId, tool, bySearch }: RowProps) => (
  <li class="offered-row" data-row={true}>
    <Box tool={tool} bySearch={bySearch} />
    <div>
      <label for={`tool-${tool.id}`}>
        <OfferedName item={tool} more={<Marks tool={tool} />} />
      </label>
      {tool.isEvery ? (
        <p class="description">With this one ticked, those below need not be.</p>
      ) : (
        tool.description && <ToolDescription text={tool.description} />
      )}
      <Notes profileId={profileId} tool={tool} />
      {tool.feature === 'prompt' && <Adjust profileId={profileId} tool={tool} />}
    </div>
  </li>
)

const Pick = ({ ofTools }: { ofTools: boolean }) => (
  <span class="group-pick needs-js">
    {ofTools && (
      <button type="button" class="text-button" data-select="read">
        Only read
      </button>
    )}
    <button type="button" class="text-button" data-select="all">
      All
    </button>
    <button type="button" class="text-button" data-select="none">
      None
    </button>
  </span>
)

const Count = ({ tools }: { tools: readonly ProfileTool[] }) => (
  <span class="muted" data-group-count={true}>
    {tools.filter((tool) => tool.selected).length} of {tools.length}
  </span>
)

/** Longer ones fold, so that the next connection stays within reach. */
const UNFOLDED_MAX = 5

type PartProps = { profileId: string; connectionId: string; title: string; tools: readonly ProfileTool[]; bySearch: boolean }

/** What is no tool has neither kind nor cost, hence no cells of its own. */
const Part = (p: PartProps) =>
  p.tools.length === 0 ? (
    <></>
  ) : (
    <tbody data-group={true} data-of={p.connectionId}>
      <tr class="offered-part">
        <td colspan="4">
          <details open={p.tools.length <= UNFOLDED_MAX}>
            <summary>
              <span class="offered-title">{p.title}</span> <Count tools={p.tools} />
            </summary>
            {p.tools.length > 1 && <Pick ofTools={false} />}
            <ul>
              {p.tools.map((tool) => (
                <Item profileId={p.profileId} tool={tool} bySearch={p.bySearch} />
              ))}
            </ul>
          </details>
        </td>
      </tr>
    </tbody>
  )

const Group = ({ profileId, group, bySearch }: { profileId: string; group: ProfileToolGroup; bySearch: boolean }) => {
  const of = (...features: Feature[]) => group.tools.filter(({ feature }) => features.includes(feature))
  const tools = of('tool')
  const common = { profileId, connectionId: group.connection.id, bySearch }
  return (
    <>
      <tbody data-group={true} data-of={group.connection.id}>
        <tr class="group-row">
          <th colspan="4" scope="rowgroup">
            <div class="group-head">
              <a class="plain" href={`/connections/${group.connection.id}`}>
                {foreign(group.connection.name)}
              </a>
              {group.connection.trouble && <Status tone="danger">Trouble</Status>}
              {tools.length > 0 && <Count tools={tools} />}
              {tools.length > 0 && <Pick ofTools={true} />}
            </div>
          </th>
        </tr>
        {tools.length === 0 ? (
          <tr>
            <td colspan="4" class="muted">
              {group.tools.length === 0 ? 'This connection has shown no tools yet.' : 'This connection has no tools.'}
            </td>
          </tr>
        ) : (
          tools.map((tool) => <Tool profileId={profileId} tool={tool} bySearch={bySearch} />)
        )}
      </tbody>
      <Part {...common} title="Prompts" tools={of('prompt')} />
      <Part {...common} title="Resources" tools={of('resource', 'template')} />
    </>
  )
}

/** So many lines are more than one looks through. */
const FILTERED_FROM = 12

/** Hides what does not hold the words; it has no name, so it is never sent. Ticks of hidden rows stay as they are. */
const Filter = () => (
  <div class="picker-filter needs-js">
    <input type="text" data-filter={true} placeholder="Filter by name or description" aria-label="Filter by name or description" />
    <p class="muted" role="status" data-filter-none={true} hidden={true}>
      Nothing here has these words.
    </p>
  </div>
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
  const all = p.groups.flatMap((group) => group.tools)
  const tools = all.filter(({ feature }) => feature === 'tool')
  const selected = tools.filter((tool) => tool.selected)
  const bySearch = p.search !== undefined
  const listed = selected.filter((tool) => !bySearch || tool.pinned)
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
        title={all.length > tools.length ? 'Tools, prompts and resources' : 'Tools'}
        lead={
          p.suggested
            ? 'What only reads is ticked for you; tick what else an app should be able to use, then save.'
            : 'Tick what an app should be able to use. What comes up later stays out until you tick it.'
        }
        flush={true}
      >
        <FormProblem form={p.form} />
        {all.length >= FILTERED_FROM && <Filter />}
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
            <Group profileId={p.profileId} group={group} bySearch={bySearch} />
          ))}
        </table>
      </Card>
      <div class="picker-side">
        <div class="card picker-save">
          <ContextMeter
            cost={listed.reduce((sum, tool) => sum + tool.contextCost, p.search?.cost ?? 0)}
            base={p.search?.cost}
            tools={selected.length}
            of={tools.length}
          />
          {all.length > tools.length && <p class="meter-note">{FREE}</p>}
          <Button tone="primary">{all.length > tools.length ? 'Save' : 'Save tools'}</Button>
          <p class="picker-unsaved" aria-live="polite">
            Not saved yet
          </p>
        </div>
        {p.chips.length > 0 && (
          <section class="card picker-chips" aria-label="Limits of well-known apps">
            <h3>Limits of well-known apps</h3>
            <Chips chips={p.chips} />
            {p.helps !== undefined && p.helps.length > 0 && (
              <p class="hint">
                Found by search instead, it would fit: see <a href={`/profiles/${p.profileId}#profile-details`}>Details</a>.
              </p>
            )}
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
