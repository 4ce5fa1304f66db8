/**
 * What one app may use, tool by tool and by kind, and what it used.
 * POST /apps/:id/tools — permission-<id of a tool> (allow | ask | refuse), later_tools (out | in), group (`read allow`: all of one kind).
 *   What is not sent stays. The reply to htmx is `<AppPermissions …/>`, or with `one=on` no more than what is counted.
 */
import { Badge } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign, plural } from './parts/format.ts'
import { OfferedName, type OfferedWords } from './parts/offered.tsx'
import { type Segment, Segments } from './parts/segments.tsx'
import { AgoOr } from './parts/time.tsx'
import type { ToolKind } from './parts/tool.tsx'

export type Permission = 'allow' | 'ask' | 'refuse'
export type AppTool = OfferedWords & {
  id: string
  connection: string
  kind: ToolKind
  calls: number
  lastUsedAt?: number | null | undefined
  permission: Permission
  /** Nobody decided about it: it joined the profile later. */
  isUndecided: boolean
  isHeldBack: boolean
  /** Its connection is paused. */
  isPaused: boolean
}
export type AppPermissionsProps = {
  appId: string
  tools: readonly AppTool[]
  laterTools: 'out' | 'in'
  /** An app that has ended is shown as it was. */
  alive: boolean
}

type GroupKind = ToolKind | 'beside'
type Group = { kind: GroupKind; title: string; hint: string; permissions: readonly Permission[] }
const ALL = ['allow', 'ask', 'refuse'] as const
const GROUPS: readonly Group[] = [
  { kind: 'read', title: 'Read', hint: 'Looks things up and changes nothing.', permissions: ALL },
  { kind: 'write', title: 'Write', hint: 'Creates or changes things in your name.', permissions: ALL },
  { kind: 'destructive', title: 'Destructive', hint: 'Can delete or overwrite.', permissions: ALL },
  { kind: 'beside', title: 'Prompts and resources', hint: 'Texts and data that the app can fetch.', permissions: ['allow', 'refuse'] },
]
const groupOf = ({ feature, kind }: AppTool): GroupKind => (feature === 'tool' ? kind : 'beside')

const WORDS: Record<Permission, string> = { allow: 'Allow', ask: 'Ask', refuse: 'Refuse' }
const TONES = { allow: 'ok', ask: 'warning', refuse: 'neutral' } as const
const DONE: Record<Permission, string> = { allow: 'allowed', ask: 'asks', refuse: 'refused' }
const segmentsOf = (permissions: readonly Permission[]): Segment[] =>
  permissions.map((value) => ({ value, label: WORDS[value], tone: TONES[value] }))

const FORM = 'permissions'

/** "5 allowed, 2 asked for, 1 refused", of all or of one group. */
function countedInWords(tools: readonly AppTool[]): string {
  const of = (permission: Permission) => tools.filter((tool) => tool.permission === permission).length
  const parts = [
    of('allow') > 0 && `${of('allow')} allowed`,
    of('ask') > 0 && `${of('ask')} ${of('ask') === 1 ? 'asks' : 'ask'} first`,
    of('refuse') > 0 && `${of('refuse')} refused`,
  ].filter((part) => part !== false)
  return parts.join(', ')
}

const Count = (p: { id: string; tools: readonly AppTool[]; isAlong?: boolean | undefined }) => (
  <span id={`may-${p.id}`} class="muted" hx-swap-oob={p.isAlong ? 'true' : undefined}>
    {countedInWords(p.tools)}
  </span>
)

/** Along with the change of one tool: its own buttons are right already. */
export const AppPermissionCounts = (p: { tools: readonly AppTool[] }) => (
  <>
    <Count id="all" tools={p.tools} isAlong={true} />
    <WhereDecided tools={p.tools} isAlong={true} />
    {GROUPS.map(({ kind }) => {
      const tools = p.tools.filter((tool) => groupOf(tool) === kind)
      return tools.length > 0 && <Count id={kind} tools={tools} isAlong={true} />
    })}
  </>
)

/** What is to be known of it beside its name, in one line. */
const Notes = ({ tool }: { tool: AppTool }) => (
  <p class="cell-note">
    {foreign(tool.connection)}
    {tool.calls > 0 && `, ${plural(tool.calls, 'call')}`}
    {tool.lastUsedAt != null && (
      <>
        , last <AgoOr at={tool.lastUsedAt} none="" />
      </>
    )}
    {tool.isUndecided && (
      <>
        {' '}
        <Badge tone="accent" title="It joined the profile after you let this app in, and you have not decided about it">
          new
        </Badge>
      </>
    )}
    {tool.isHeldBack && (
      <>
        {' '}
        <Badge tone="warning" title="Its server changed it; it waits until you have looked at the change">
          held back
        </Badge>
      </>
    )}
    {tool.isPaused && (
      <>
        {' '}
        <Badge tone="warning">connection paused</Badge>
      </>
    )}
  </p>
)

/** Sends its own choice alone: it stands in no form, though its fields belong to one. */
const Row = (p: { appId: string; tool: AppTool; group: Group; alive: boolean }) => {
  const { tool } = p
  const name = foreign(tool.name, 128)
  const post = p.alive ? { 'hx-post': `/apps/${p.appId}/tools`, 'hx-trigger': 'change', 'hx-swap': 'none', 'hx-vals': '{"one":"on"}' } : {}
  return (
    <li class="permission" {...post}>
      <div>
        {tool.feature === 'tool' ? <span class="mono strong break">{name}</span> : <OfferedName item={tool} />}
        <Notes tool={tool} />
      </div>
      {p.alive ? (
        <Segments
          name={`permission-${tool.id}`}
          label={name}
          form={FORM}
          value={tool.permission}
          segments={segmentsOf(p.group.permissions)}
        />
      ) : (
        <span class="muted nowrap">{DONE[tool.permission]}</span>
      )}
    </li>
  )
}

const GroupButtons = (p: { appId: string; group: Group }) => (
  <span class="group-deeds">
    {p.group.permissions.map((permission) => (
      <button
        type="submit"
        class="text-button"
        form={FORM}
        name="group"
        value={`${p.group.kind} ${permission}`}
        aria-label={`${WORDS[permission]} all: ${p.group.title}`}
        hx-post={`/apps/${p.appId}/tools`}
        hx-target="#app-permissions"
        hx-swap="outerHTML"
      >
        {WORDS[permission]} all
      </button>
    ))}
  </span>
)

type Grouped = { appId: string; group: Group; tools: readonly AppTool[]; alive: boolean }
/** Longer groups fold, with their first names in view. */
const UNFOLDED_MAX = 12
const NAMES_IN_VIEW = 3

const Rows = (p: Grouped) => (
  <ul class="permission-list">
    {p.tools.map((tool) => (
      <Row appId={p.appId} tool={tool} group={p.group} alive={p.alive} />
    ))}
  </ul>
)

const GroupPart = (p: Grouped) => (
  <section class="permission-group" aria-label={p.group.title}>
    <div class="permission-group-head">
      <div>
        <h3>
          {p.group.title} <Count id={p.group.kind} tools={p.tools} />
        </h3>
        <p class="cell-note">{p.group.hint}</p>
      </div>
      {p.alive && p.tools.length > 1 && <GroupButtons appId={p.appId} group={p.group} />}
    </div>
    {p.tools.length <= UNFOLDED_MAX ? (
      <Rows {...p} />
    ) : (
      <details class="permission-fold">
        <summary>
          <span class="mono">
            {p.tools
              .slice(0, NAMES_IN_VIEW)
              .map(({ name }) => foreign(name, 32))
              .join(', ')}
          </span>{' '}
          and {p.tools.length - NAMES_IN_VIEW} more
        </summary>
        <Rows {...p} />
      </details>
    )}
  </section>
)

const LATER: readonly Segment[] = [
  { value: 'out', label: 'Stay out', tone: 'neutral' },
  { value: 'in', label: 'Come in', tone: 'ok' },
]

/** A form that stands nowhere: its fields are all over the table, and each row sends its own alone. */
const Later = (p: { appId: string; laterTools: 'out' | 'in' }) => (
  <div class="card-foot permission-foot">
    <div class="permission-later" hx-post={`/apps/${p.appId}/tools`} hx-trigger="change" hx-target="#app-permissions" hx-swap="outerHTML">
      <span>
        <span class="strong">Tools that join the profile later</span>
        <span class="cell-note"> What is there now stays as it is.</span>
      </span>
      <Segments name="later_tools" label="Tools that join the profile later" form={FORM} value={p.laterTools} segments={LATER} />
    </div>
    <form id={FORM} class="without-js" method="post" action={`/apps/${p.appId}/tools`} autocomplete="off">
      <Button tone="primary">Save</Button>
    </form>
  </div>
)

/** Where what asks is decided. Stands there without anything that asks, too, so that it can come along with the first that does. */
const WhereDecided = (p: { tools: readonly AppTool[]; isAlong?: boolean | undefined }) => (
  <span id="may-ask" hx-swap-oob={p.isAlong ? 'true' : undefined}>
    {p.tools.some(({ permission }) => permission === 'ask') && (
      <>
        {'. '}
        Calls that ask wait under <a href="/approvals">Approvals</a>
      </>
    )}
  </span>
)

/** Also the reply to POST /apps/:id/tools. */
export const AppPermissions = (p: AppPermissionsProps) => (
  <div id="app-permissions">
    <Card
      title="What it may use"
      lead={
        p.tools.length > 0 && (
          <>
            <Count id="all" tools={p.tools} />
            {p.alive && <WhereDecided tools={p.tools} />}
          </>
        )
      }
      flush={true}
    >
      {p.tools.length === 0 ? (
        <Empty icon="layers" title="Nothing">
          Its profile holds nothing that it could use: this app sees an empty list.
        </Empty>
      ) : (
        GROUPS.map((group) => {
          const tools = p.tools.filter((tool) => groupOf(tool) === group.kind)
          return tools.length > 0 && <GroupPart appId={p.appId} group={group} tools={tools} alive={p.alive} />
        })
      )}
      {p.alive && <Later appId={p.appId} laterTools={p.laterTools} />}
    </Card>
  </div>
)
