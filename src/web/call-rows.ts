/** Rows of the audit trail as the pages show calls. */
import type { AuditRow } from '@/audit'
import { Failure, type FailureCode } from '@/lib/failure.ts'
import type { User } from '@/users'
import type { CallRow, Outcome } from '@views/activity.tsx'
import { actInWords } from './act-words.ts'

const US_IN_MS = 1_000
const OUTCOMES: Record<AuditRow['outcome'], Outcome> = {
  ok: 'ok',
  'tool-error': 'failed',
  refused: 'refused',
  failed: 'failed',
  cancelled: 'cancelled',
}

/** Rows hold a failure's code or a sentence; people read sentences. */
function sentenceOf({ reason, outcome }: Pick<AuditRow, 'reason' | 'outcome'>): string | undefined {
  if (reason === null) return outcome === 'tool-error' ? 'The tool answered with an error.' : undefined
  if (reason === 'internal_error') return 'Something broke on our side. The log of Toolpass has the details.'
  if (!/^[a-z_]+$/.test(reason)) return reason
  try {
    return new Failure(reason as FailureCode).message
  } catch {
    // A code of an earlier version, which the table does not have any more.
    return reason.replaceAll('_', ' ')
  }
}

export const latencyMsOf = ({ durationUs }: Pick<AuditRow, 'durationUs'>): number | undefined =>
  durationUs === null ? undefined : durationUs / US_IN_MS

/** Methods that are about something else than a tool, as people say it. A tool that is called needs no word for it. */
const ACTIONS: Readonly<Record<string, string>> = {
  'resources/read': 'Resource read',
  'resources/subscribe': 'Resource watched',
  'resources/unsubscribe': 'Resource no longer watched',
  'prompts/get': 'Prompt fetched',
  'completion/complete': 'Completion of an argument',
}
/** Lists stand there by their method alone, so their words are beside it. */
const LISTS: Readonly<Record<string, string>> = {
  request: 'Request turned away unread',
  'tools/list': 'Tools listed',
  'prompts/list': 'Prompts listed',
  'resources/list': 'Resources listed',
  'resources/templates/list': 'Templates listed',
}
const actionOf = ({ action, subject }: Pick<AuditRow, 'action' | 'subject'>): string | undefined =>
  ACTIONS[action] ?? (subject === null ? LISTS[action] : undefined)

/** By which tool of a profile that is served by search. */
function viaOf({ detail, action }: Pick<AuditRow, 'detail' | 'action'>): string | undefined {
  const via = detail?.['via']
  return action === 'tools/call' && typeof via === 'string' && via !== '' ? via : undefined
}

const whatOf = (row: AuditRow): Pick<CallRow, 'tool' | 'action' | 'isAct'> =>
  row.kind === 'call'
    ? { tool: row.subject ?? row.action, action: actionOf(row) }
    : { tool: actInWords(row), action: row.subject ?? undefined, isAct: true }

/** The connected app and profile of somebody else are no pages of the reader's, so there is no link to them. */
export const callRowOf = (row: AuditRow, reader: User): CallRow => ({
  id: String(row.seq),
  at: row.at,
  client: row.clientName ?? (row.kind === 'call' ? 'unknown app' : '–'),
  user: reader.role === 'admin' ? (row.userName ?? undefined) : undefined,
  appId: row.userId === reader.id ? (row.grantId ?? undefined) : undefined,
  profile: row.profileName ?? '',
  ...whatOf(row),
  via: viaOf(row),
  outcome: OUTCOMES[row.outcome],
  reason: sentenceOf(row),
  purpose: row.purpose ?? undefined,
  latencyMs: latencyMsOf(row),
  sizeBytes: row.responseBytes ?? undefined,
})
