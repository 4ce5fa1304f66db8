/** One row of the trail: a call with all that is kept of it, with nothing kept, somebody else's, and an act. */
import type { Html } from '@views/jsx-runtime'
import type { CallRow } from '@views/activity.tsx'
import { CallPage, type CallPageProps } from '@views/call.tsx'
import { calls } from './calls.ts'
import { now, shell } from './samples.ts'
import { EVIL } from './samples-text.ts'

const call: CallPageProps['call'] = {
  ...(calls[1] as CallRow),
  id: '10413',
  method: 'tools/call',
  user: 'kim',
  kind: 'read',
  device: 'Work laptop',
  connection: { id: 'con_1', name: 'Linear' },
  profileId: 'prf_1',
  upstreamTool: 'list_issues',
  requestBytes: 320,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spans: [
    { name: 'at us', tone: 'accent', us: 410 },
    { name: 'at its server', tone: 'ok', us: 181_600 },
  ],
}
const kept = {
  keeps: 'redacted' as const,
  arguments: JSON.stringify({ query: EVIL, assignee: '[redacted: e-mail]', limit: 20 }, null, 2),
  result: JSON.stringify({ content: [{ type: 'text', text: `ABC-1 ${'A long line of what was answered. '.repeat(12)}` }] }, null, 2),
  settingHref: '/profiles/prf_1#keeps',
}
const permission = { client: call.client, tool: call.tool, current: 'allow' as const, asks: true }

export const callPages: Record<string, Html> = {
  call: (
    <CallPage
      shell={shell}
      call={call}
      contents={kept}
      permission={permission}
      replay={{ tool: call.tool, obstacle: 'Its arguments were not kept as they were.' }}
      olderHref="/activity/1"
      newerHref="/activity/2"
    />
  ),
  'call-replayed': (
    <CallPage
      shell={shell}
      call={{
        ...call,
        spans: [...call.spans.slice(0, 1), { name: 'waiting for you', tone: 'warning', us: 91_000 }, ...call.spans.slice(1)],
      }}
      contents={{ ...kept, keeps: 'whole' }}
      permission={{ ...permission, current: 'ask' }}
      replay={{ tool: call.tool, done: { outcome: 'ok', text: kept.result, latencyMs: 204, rowHref: '/activity/10414' } }}
      olderHref="/activity/1"
    />
  ),
  'call-refused': (
    <CallPage
      shell={shell}
      call={{
        ...(calls[2] as CallRow),
        ...{
          method: 'tools/call',
          user: 'kim',
          kind: 'destructive',
          requestBytes: 320,
          spans: [{ name: 'at us', tone: 'accent', us: 40 }],
        },
      }}
      contents={{ none: 'Not kept: the profile kept nothing but sizes then.', settingHref: '/profiles/prf_1#keeps' }}
      permission={{ ...permission, current: 'refuse' }}
    />
  ),
  'call-of-another': (
    <CallPage
      shell={shell}
      call={{ ...call, user: 'lee', appId: undefined, profileId: undefined }}
      contents={{ none: 'What was sent and answered is for its user alone. That you looked at this row stands in the trail.' }}
    />
  ),
  'call-act': (
    <CallPage
      shell={shell}
      call={{
        ...{ id: '91', at: now - 90_000, client: 'Claude Code', profile: 'Work', tool: 'Permission of an app changed', isAct: true },
        ...{ outcome: 'ok', method: 'grant.permit', user: 'kim', spans: [] },
        detail: JSON.stringify({ changed: [{ tool: 'delete_issue', from: 'allow', to: 'refuse' }] }, null, 2),
      }}
    />
  ),
}
