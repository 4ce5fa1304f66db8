/** Calls that wait for their user, and how a user is told. */
import { ApprovalPage } from '@views/approval.tsx'
import { ApprovalsPage, type ApprovalSummary } from '@views/approvals.tsx'
import type { Html } from '@views/jsx-runtime'
import { type NoticesCardProps, WebhookMadePage } from '@views/notices.tsx'
import { SettingsPage } from '@views/settings.tsx'
import { EVIL, LONG, now, sessions, shell } from './samples.ts'

const MINUTE = 60_000

const issue: ApprovalSummary = {
  id: 'apr_0000000000000001',
  tool: 'delete_issue',
  feature: 'tool',
  kind: 'destructive',
  client: 'Claude',
  device: 'Work laptop',
  profile: 'Work',
  connection: 'Linear',
  purpose: 'The issue was filed twice, so the newer one goes.',
  text: JSON.stringify({ id: 'TP-1284', reason: 'Duplicate of TP-1279', notify: ['ada@example.org', 'noor@example.org'] }, null, 2),
  state: 'waiting',
  scope: null,
  via: null,
  createdAt: now - 12_000,
  decidedAt: null,
  expiresAt: now + 59 * MINUTE,
  isOnLine: true,
}
const hostile: ApprovalSummary = {
  ...issue,
  id: 'apr_0000000000000002',
  tool: LONG.slice(0, 128),
  kind: 'write',
  client: `${EVIL}\u202Egnp.exe`,
  device: '',
  profile: LONG.slice(0, 64),
  connection: EVIL,
  purpose: `${EVIL} ${LONG}`,
  text: JSON.stringify({ path: 'notes/safe\u202Etxt.sh', note: 'nothing\u200B to see', html: EVIL, [LONG]: LONG.repeat(8) }, null, 2),
  createdAt: now - 4 * MINUTE,
  expiresAt: now + 56 * MINUTE,
  isOnLine: false,
}
const prompt: ApprovalSummary = {
  ...issue,
  id: 'apr_0000000000000003',
  tool: 'summarise',
  feature: 'prompt',
  kind: 'read',
  purpose: null,
  text: '{}',
}
const decided = (more: Partial<ApprovalSummary>, minutes: number): ApprovalSummary => ({
  ...issue,
  createdAt: now - minutes * MINUTE,
  decidedAt: now - minutes * MINUTE + 9_000,
  isOnLine: false,
  ...more,
})
const recent = [
  decided({ state: 'used', scope: 'once', via: 'notice' }, 3),
  decided({ state: 'approved', scope: 'hour', via: 'page', tool: 'update_issue', kind: 'write' }, 20),
  decided({ state: 'approved', scope: null, via: 'app', tool: 'create_issue', kind: 'write' }, 47),
  decided({ state: 'refused', via: 'page' }, 90),
  decided({ state: 'expired', via: null, decidedAt: null, client: 'Cursor' }, 200),
]
const waitingShell = { ...shell, waiting: 3 }
const links = { app: '/apps/grt_1', profile: '/profiles/prf_1', connection: '/connections/con_1' }

export const notices: NoticesCardProps = {
  ways: [
    {
      id: 'ntw_1',
      kind: 'ntfy',
      name: 'My phone',
      host: 'ntfy.sh',
      topics: ['approvals', 'trouble'],
      problem: null,
      sentAt: now - 3 * MINUTE,
    },
    {
      id: 'ntw_2',
      kind: 'push',
      name: 'Firefox on the desk',
      host: 'updates.push.services.mozilla.com',
      topics: ['approvals'],
      problem: null,
      sentAt: null,
    },
    {
      id: 'ntw_3',
      kind: 'webhook',
      name: LONG.slice(0, 60),
      host: 'automation.example.org',
      topics: [],
      problem: 'automation.example.org did not accept the token, or does not let it write there (403).',
      sentAt: now - 90 * MINUTE,
    },
  ],
  topic: 'toolpass-8f3kq2m4d7xa',
  push: { key: 'BKey', worker: '/settings/notices/worker.js' },
}

const decisionOf = (approval: ApprovalSummary) => ({ shell: waitingShell, approval, via: 'page' as const, others: 2, links, cutChars: 0 })
export const approvalsPages: Record<string, Html> = {
  'settings-new': (
    <SettingsPage
      shell={shell}
      sessions={sessions}
      passwordLengthMin={10}
      notices={{
        ...notices,
        ways: [],
        refused: {
          of: 'ntfy',
          form: { values: { topic: 'a b' }, errors: { topic: 'A topic is up to 64 letters, digits, hyphens and underscores.' } },
        },
      }}
      inApp="not-destructive"
    />
  ),
  approvals: <ApprovalsPage shell={waitingShell} waiting={[issue, hostile, prompt]} recent={recent} />,
  'approvals-empty': <ApprovalsPage shell={shell} waiting={[]} recent={[]} />,
  approval: <ApprovalPage {...decisionOf(issue)} />,
  'approval-hostile': <ApprovalPage {...decisionOf(hostile)} cutChars={91_733} links={{}} />,
  'approval-nothing': <ApprovalPage {...decisionOf(prompt)} />,
  'approval-used': <ApprovalPage {...decisionOf(recent[0] as ApprovalSummary)} />,
  'approval-hour': <ApprovalPage {...decisionOf(recent[1] as ApprovalSummary)} others={0} />,
  'approval-refused': <ApprovalPage {...decisionOf(recent[3] as ApprovalSummary)} />,
  'notice-webhook-made': (
    <WebhookMadePage
      shell={shell}
      name="Home automation"
      host="automation.example.org"
      secret="whsec_kUnVDy9lQm0o8yT7pZk3JxXb2s5v8yBE4tWnZr4u7w0="
    />
  ),
}
