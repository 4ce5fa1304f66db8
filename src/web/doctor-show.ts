/** Attempts in the words of the page. */
import type { TraceEntry } from '@/audit'
import type { AttemptView, EntryView, StageView } from '@views/doctor-attempt.tsx'
import { type Attempt, type AttemptState, attemptState, isKnock, type Stage, type StageKey, stagesOf } from './doctor-attempts.ts'
import type { Facts } from './doctor-case.ts'
import { diagnose } from './doctor-diagnose.ts'
import { plainly } from './doctor-refusals.ts'

const TITLES: Record<StageKey, string> = {
  found: 'Found us',
  metadata: 'Metadata',
  registered: 'Registered',
  asked: 'You were asked',
  token: 'Token',
  request: 'First request',
}
/** What it means that nothing was seen of a stage, for an app that is past it. */
const PASSED: Record<StageKey, string> = {
  found: 'It knew the way.',
  metadata: 'It remembered who signs people in here.',
  registered: 'It was registered before.',
  asked: 'You had answered before.',
  token: 'It had a token already.',
  request: '',
}
const SAID: Partial<Record<TraceEntry['step'], Partial<Record<TraceEntry['outcome'], string>>>> = {
  'resource-metadata': { ok: 'Read what the address is' },
  'server-metadata': { ok: 'Read who signs people in' },
  document: { ok: 'Described itself' },
  register: { ok: 'Registered itself' },
  push: { ok: 'Handed its request in' },
  device: { ok: 'Asked for a code to type', waiting: 'Asked for a code to type' },
  authorize: { ok: 'The page that asks you was opened', waiting: 'An administrator has to approve it first' },
  'sign-in': { ok: 'Signed in', waiting: 'The sign-in page was opened' },
  consent: { ok: 'You allowed it', waiting: 'The page that asks you is open' },
  token: { ok: 'Got its token', waiting: 'Asks whether you have decided' },
  refresh: { ok: 'Renewed its token' },
  request: { ok: 'Came in with its token' },
}
const PATIENT: Record<string, string> = {
  authorization_pending: 'Asks whether you have decided',
  slow_down: 'Asks too often; told to wait',
}

function said(entry: TraceEntry): string {
  const { step, outcome, reason, detail = {}, profileName } = entry
  if (isKnock(entry)) return `Came to ${profileName === undefined ? '/mcp' : `/mcp/${profileName}`} without a token`
  const words = SAID[step]?.[outcome] ?? PATIENT[reason ?? '']
  const host = step === 'document' ? ` at ${detail['host'] ?? 'its own site'}` : ''
  if (words !== undefined) return words + host
  return `Refused: ${plainly(entry)}`
}

const TONES = { ok: 'ok', refused: 'danger', waiting: 'accent' } as const

const entryView = (entry: TraceEntry): EntryView => {
  // That the first knock is refused is how it has to be.
  const tone = isKnock(entry) ? 'neutral' : PATIENT[entry.reason ?? ''] ? 'accent' : TONES[entry.outcome]
  return { text: said(entry), at: entry.at, times: entry.times, tone }
}

function stageView({ key, state, entries, last }: Stage, current: boolean, attempt: Attempt, over: AttemptState): StageView {
  const first = entries[0]
  const words = {
    done: 'Done',
    waiting: over === 'stopped' ? 'Not answered' : 'Waiting',
    refused: 'Refused',
    passed: 'Not needed',
    ahead: 'Not yet',
  }
  // Whatever was seen, it has found us.
  const isImplied = state === 'done' && !last
  return {
    title: TITLES[key],
    state: state === 'ahead' && current && over === 'waiting' ? 'next' : isImplied ? 'passed' : state,
    word: state === 'ahead' && over !== 'waiting' ? 'Did not happen' : isImplied ? words.passed : words[state],
    afterMs: first && first.firstAt - attempt.startedAt,
    at: last?.at,
    note: state === 'passed' || isImplied ? PASSED[key] : undefined,
    entries: entries.map(entryView),
  }
}

/** The last no at the MCP endpoint, in a sentence. */
function last401({ entries }: Attempt, stages: readonly Stage[]): AttemptView['last401'] {
  const last = entries.findLast(({ step, outcome }) => step === 'request' && outcome === 'refused')
  if (!last) return undefined
  const why = stages[0]?.entries.includes(last) ? `${plainly(last)}, as each app does at first` : plainly(last)
  const status = last.reason === 'paused' || last.reason === 'insufficient_scope' || last.reason === 'foreign_origin' ? 403 : 401
  return { at: last.at, status: last.reason === 'wrong_host' || last.reason === 'plain_http' ? 421 : status, why }
}

export function attemptView(
  attempt: Attempt,
  now: number,
  facts: Omit<Facts, 'state' | 'name'>,
  names: { app: string; users: string[] },
): AttemptView {
  const state = attemptState(attempt, now)
  const stages = stagesOf(attempt)
  const next = stages.findIndex((stage) => stage.state === 'ahead')
  const profile = attempt.entries.findLast(({ profileName }) => profileName !== undefined)?.profileName
  return {
    id: attempt.id,
    app: names.app,
    users: names.users,
    from: [...new Set([...attempt.from.program, ...attempt.from.browser])],
    address: profile === undefined ? '/mcp' : `/mcp/${profile}`,
    state,
    startedAt: attempt.startedAt,
    lastAt: attempt.lastAt,
    stages: stages.map((stage, at) => stageView(stage, at === next, attempt, state)),
    advice: diagnose(attempt.entries, { ...facts, state, name: names.app || 'The app' }),
    last401: last401(attempt, stages),
  }
}
