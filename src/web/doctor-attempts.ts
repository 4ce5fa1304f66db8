/** The trace, cut into attempts: what one client did on its way in, from the first knock to the first request. Pure. */
import type { TraceEntry, TraceStep } from '@/audit'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import type { ClientId, UserId } from '@/lib/ids.ts'

export type Attempt = {
  /** Number of its first entry. */
  id: number
  entries: TraceEntry[]
  clientId: ClientId | undefined
  userIds: Set<UserId>
  /** Where the program asks from, and where the person's browser does: a web-hosted client has one of each. */
  from: { program: Set<string>; browser: Set<string> }
  startedAt: number
  lastAt: number
}

/** What is further apart was not one try: consent waits ten minutes at most. */
const ONE_TRY_MS = 15 * MINUTE_MS
/** Some clients look the metadata up once more right after they got their token. */
const AFTERWARDS_MS = 30 * SECOND_MS

const BROWSER_STEPS: ReadonlySet<TraceStep> = new Set(['document', 'authorize', 'sign-in', 'consent'])
const sideOf = ({ step }: TraceEntry) => (BROWSER_STEPS.has(step) ? 'browser' : 'program')

/** A knock without a token: how each client finds out that it has to sign in. */
export const isKnock = ({ step, reason }: TraceEntry): boolean => step === 'request' && (reason === 'no_token' || reason === 'no_bearer')

/** Came under a name or by a way that is not ours: nothing behind the door saw it. */
export const isMisled = ({ reason }: Pick<TraceEntry, 'reason'>) => reason === 'wrong_host' || reason === 'plain_http'

/** @param entries oldest first. @returns oldest first */
export function attemptsOf(entries: readonly TraceEntry[]): Attempt[] {
  const attempts: Attempt[] = []
  // What has neither the address nor the client in common with an entry is never its attempt.
  const near = new Map<string, Set<Attempt>>()
  for (const entry of entries) {
    const keys = [`from ${entry.address}`, ...(entry.clientId ? [`of ${entry.clientId}`] : [])]
    const candidates = new Set(keys.flatMap((key) => [...(near.get(key) ?? [])]))
    const open = [...candidates].filter((attempt) => isOpenFor(attempt, entry)).toSorted((one, other) => one.id - other.id)
    const own = entry.clientId && open.findLast(({ clientId }) => clientId === entry.clientId)
    const attempt = own || open.findLast(({ clientId }) => entry.clientId === undefined || clientId === undefined)
    const its = attempt ? add(attempt, entry) : started(entry)
    if (!attempt) attempts.push(its)
    for (const key of keys) near.set(key, (near.get(key) ?? new Set()).add(its))
  }
  return attempts
}

function started(entry: TraceEntry): Attempt {
  const from = { program: new Set<string>(), browser: new Set<string>() }
  const attempt = { id: entry.seq, entries: [], userIds: new Set<UserId>(), from, startedAt: entry.firstAt, lastAt: entry.at }
  return add({ ...attempt, clientId: entry.clientId }, entry)
}

function add(attempt: Attempt, entry: TraceEntry): Attempt {
  attempt.entries.push(entry)
  attempt.clientId ??= entry.clientId
  attempt.lastAt = entry.at
  if (entry.userId) attempt.userIds.add(entry.userId)
  attempt.from[sideOf(entry)].add(entry.address)
  return attempt
}

function isOpenFor(attempt: Attempt, entry: TraceEntry): boolean {
  if (entry.firstAt - attempt.lastAt > ONE_TRY_MS || isOver(attempt, entry)) return false
  const { clientId, userIds } = attempt
  // One metadata document stands for thousands of installs: somebody else's way must not run into this one.
  if (entry.userId && userIds.size > 0 && !userIds.has(entry.userId)) return false
  const isNear = isFrom(attempt, entry.address)
  if (entry.clientId === undefined || clientId === undefined) return isNear
  if (clientId !== entry.clientId) return false
  // From another address it can be anybody's who has the same app, unless its registration or its user tells whose it is.
  return isNear || isOfOneInstall(attempt) || (entry.userId !== undefined && userIds.has(entry.userId))
}

const isOfOneInstall = ({ entries }: Attempt) => entries.some(({ step }) => step === 'register')
const isFrom = ({ from }: Attempt, address: string) => from.program.has(address) || from.browser.has(address)

/** Whether this step can only be the beginning of another try. */
function isOver({ entries, clientId }: Attempt, entry: TraceEntry): boolean {
  const decided = entries.findLast(({ step }) => step === 'consent')
  const arrived = entries.findLast(
    ({ step, outcome }) => outcome === 'ok' && (step === 'token' || step === 'refresh' || step === 'request'),
  )
  const isLate = arrived !== undefined && entry.firstAt - (entries.at(-1) as TraceEntry).at > AFTERWARDS_MS
  switch (entry.step) {
    case 'request':
      return entry.clientId === undefined && (decided?.outcome === 'refused' || isLate || isStrangeTo(entries, entry))
    case 'resource-metadata':
    case 'server-metadata':
      return decided?.outcome === 'refused' || isLate || (entries.at(-1)?.step === 'request' && entries.at(-1)?.outcome === 'ok')
    case 'register':
      return clientId !== undefined && clientId !== entry.clientId
    case 'authorize':
    case 'push':
    case 'device':
      return decided !== undefined || isLate
    case 'document':
      return arrived !== undefined
    default:
      return false
  }
}

/**
 * Of requests without a name: one under a wrong host name has nothing in common with others, who has shown a token would show
 * it again, and who was refused one begins anew.
 */
const isStrangeTo = (entries: readonly TraceEntry[], entry: TraceEntry): boolean =>
  entries.findLast(({ step }) => step === 'token' || step === 'refresh')?.outcome === 'refused' ||
  entries.some((each) => isMisled(each) !== isMisled(entry) || (each.step === 'request' && each.clientId !== undefined))

/** Nothing but requests that were served: an app that simply works. */
export const isQuiet = ({ entries }: Attempt): boolean =>
  entries.every(({ step, outcome }) => outcome === 'ok' && (step === 'request' || step === 'refresh'))

/**
 * What somebody may see of an attempt: what they did in it, what came from their own address, and where they signed in for a
 * registration what that one did. Undefined when they have no part in it. Servers elsewhere ask for many people from one address.
 */
export function ownPart(attempt: Attempt, { userId, address }: { userId: UserId; address: string }): Attempt | undefined {
  const { userIds, entries } = attempt
  if (userIds.size > 0 && !userIds.has(userId)) return undefined
  const isTheirs = userIds.has(userId) && isOfOneInstall(attempt)
  const isOwn = (entry: TraceEntry) =>
    entry.userId === userId ||
    entry.address === address ||
    (isTheirs && entry.clientId !== undefined && entry.clientId === attempt.clientId)
  const [first, ...rest] = entries.filter(isOwn)
  return first && rest.reduce(add, started(first))
}

/* ---- the six stages -------------------------------------------------------------------------------------------- */

export type StageKey = 'found' | 'metadata' | 'registered' | 'asked' | 'token' | 'request'
/** `passed`: nothing was seen of it, and the client is further than that. `ahead`: not reached. */
export type StageState = 'done' | 'waiting' | 'refused' | 'passed' | 'ahead'
export type Stage = { key: StageKey; state: StageState; entries: TraceEntry[]; last: TraceEntry | undefined }

const ORDER: readonly StageKey[] = ['found', 'metadata', 'registered', 'asked', 'token', 'request']
const STAGE_OF: Record<TraceStep, StageKey> = {
  'resource-metadata': 'metadata',
  'server-metadata': 'metadata',
  document: 'registered',
  register: 'registered',
  push: 'asked',
  device: 'asked',
  authorize: 'asked',
  'sign-in': 'asked',
  consent: 'asked',
  token: 'token',
  refresh: 'token',
  request: 'request',
}
/** A device asks again and again until its user has decided: that is no refusal. */
const PATIENT = new Set(['authorization_pending', 'slow_down'])

export function stagesOf({ entries }: Pick<Attempt, 'entries'>): Stage[] {
  const hadToken = entries.find(({ step, outcome }) => outcome === 'ok' && (step === 'token' || step === 'refresh'))
  const keyOf = (entry: TraceEntry): StageKey =>
    isMisled(entry) || (isKnock(entry) && (hadToken === undefined || entry.seq < hadToken.seq)) ? 'found' : STAGE_OF[entry.step]
  const groups = Map.groupBy(entries, keyOf)
  const furthest = ORDER.findLastIndex((key) => groups.has(key))
  return ORDER.map((key, at) => {
    const own = groups.get(key) ?? []
    const last = own.at(-1)
    return { key, entries: own, last, state: stateOf(key, own, at < furthest) }
  })
}

function stateOf(key: StageKey, own: readonly TraceEntry[], isBehind: boolean): StageState {
  const last = own.at(-1)
  // Whatever else was seen of it: who asks for anything has found us.
  if (!last) return isBehind ? (key === 'found' ? 'done' : 'passed') : 'ahead'
  if (key === 'found') return isMisled(last) ? 'refused' : 'done'
  if (key !== 'asked')
    return last.outcome === 'ok' ? 'done' : last.outcome === 'waiting' || PATIENT.has(last.reason ?? '') ? 'waiting' : 'refused'
  if (last.step === 'consent') return last.outcome === 'ok' ? 'done' : last.outcome === 'refused' ? 'refused' : 'waiting'
  // A mistyped password is not the end of it.
  return last.outcome === 'refused' && last.step !== 'sign-in' ? 'refused' : 'waiting'
}

export type AttemptState = 'connected' | 'refused' | 'waiting' | 'stopped'
/** Within this time something may still come by itself. A consent page waits longer, as long as it is good. */
const PATIENCE_MS = 20 * SECOND_MS
const CONSENT_PATIENCE_MS = 10 * MINUTE_MS

export function attemptState(attempt: Attempt, now: number): AttemptState {
  const stages = stagesOf(attempt)
  const current = stages.findLast(({ entries }) => entries.length > 0)
  if (current?.key === 'request' && current.state === 'done') return 'connected'
  if (current?.state === 'refused') return 'refused'
  const patience = current?.key === 'asked' && current.state === 'waiting' ? CONSENT_PATIENCE_MS : PATIENCE_MS
  return now - attempt.lastAt < patience ? 'waiting' : 'stopped'
}
