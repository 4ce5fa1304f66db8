/** Calls as the activity shows them. */
import type { CallRow } from '@views/activity.tsx'
import { EVIL, LONG } from './samples-text.ts'
import { now, SECOND } from './samples.ts'

const call = (id: number, more: Partial<CallRow>): CallRow => ({
  id: `cal_${id}`,
  at: now - id * 47 * SECOND,
  client: 'Claude Code',
  appId: 'grt_1',
  profile: 'Work',
  tool: 'list_issues',
  outcome: 'ok',
  latencyMs: 182,
  sizeBytes: 14_220,
  ...more,
})
export const calls: readonly CallRow[] = [
  call(0, { outcome: 'running', latencyMs: undefined, sizeBytes: undefined, tool: 'create_issue' }),
  call(1, { purpose: 'To see whether this bug has been reported before I open another issue.' }),
  call(3, {
    client: 'VS Code',
    tool: 'delete_issue',
    outcome: 'refused',
    reason: 'This tool was not allowed when you let the app in.',
    purpose: 'Cleaning up the duplicates that the user pointed out in the last sprint.',
    latencyMs: 1,
    sizeBytes: 120,
  }),
  call(9, {
    client: EVIL,
    appId: undefined,
    tool: LONG.slice(0, 64),
    outcome: 'failed',
    reason: 'The connected server did not answer in time.',
    latencyMs: 30_000,
    sizeBytes: undefined,
  }),
  call(70, { tool: `file:///srv/shared/projects/2026/${LONG}/notes/meeting.md`, action: 'Resource read', sizeBytes: 9_100 }),
  call(72, { tool: 'summarize_issue', action: 'Prompt fetched', sizeBytes: 900 }),
  call(75, { tool: 'create_issue', via: 'call_tool' }),
  call(80, { tool: 'tools/list', client: 'ChatGPT', sizeBytes: 48_100 }),
  call(3000, { outcome: 'cancelled', latencyMs: 2_210, profile: 'Research' }),
]
