/**
 * Notices on their way out. They never hold anything up: what is told waits here, in bounds, is tried a few times with growing pauses, and
 * what came of it stands on the settings page. After a restart nothing is sent again; what it was about is on the pages.
 */
import { SECOND_MS } from '@/lib/clock.ts'
import type { NoticeWayId, UserId } from '@/lib/ids.ts'
import type { Log } from '@/lib/log.ts'
import { OutboundError, type OutboundErrorKind } from '@/lib/outbound.ts'

/** `again`: it may go better later. `gone`: there is nobody at this address any more, and never will be. */
export type Sent = { ok: true } | { ok: false; problem: string; again: boolean; gone?: boolean; afterMs?: number }
export type Job = { wayId: NoticeWayId; userId: UserId; send(): Promise<Sent>; over(sent: Sent): Promise<void> }

const AT_ONCE_MAX = 4
const WAITING_MAX = 500
/** Of one user, so that nobody's flood keeps others from being told. */
const WAITING_OF_USER_MAX = 40
const PAUSES_MS = [2 * SECOND_MS, 15 * SECOND_MS, 60 * SECOND_MS]
const PAUSE_MS_MAX = 120 * SECOND_MS

export function createDelivery({ log, pausesMs = PAUSES_MS }: { log: Pick<Log, 'error'>; pausesMs?: readonly number[] | undefined }) {
  const waiting: { job: Job; tries: number }[] = []
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const ofUser = new Map<UserId, number>()
  let running = 0
  let isClosed = false

  const leave = ({ userId }: Job) => {
    const left = (ofUser.get(userId) ?? 1) - 1
    if (left > 0) ofUser.set(userId, left)
    else ofUser.delete(userId)
  }
  const later = (job: Job, tries: number, ms: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      waiting.push({ job, tries })
      pump()
    }, ms)
    timer.unref()
    timers.add(timer)
  }
  /** True where it is tried once more later. */
  const attempt = async (job: Job, tries: number): Promise<boolean> => {
    const sent = await job.send()
    if (isClosed) return false
    await job.over(sent)
    const pauseMs = pausesMs[tries]
    if (sent.ok || !sent.again || pauseMs === undefined) return false
    later(job, tries + 1, Math.min(PAUSE_MS_MAX, Math.max(pauseMs, sent.afterMs ?? 0)))
    return true
  }
  const pump = (): void => {
    while (running < AT_ONCE_MAX && !isClosed) {
      const next = waiting.shift()
      if (!next) return
      running += 1
      void attempt(next.job, next.tries)
        .catch((error) => {
          log.error('a notice could not be sent', error)
          return false
        })
        .then((isLater) => {
          running -= 1
          if (!isLater) leave(next.job)
          pump()
        })
    }
  }
  return {
    /** False where too many wait already. */
    add(job: Job): boolean {
      const count = ofUser.get(job.userId) ?? 0
      if (isClosed || count >= WAITING_OF_USER_MAX || waiting.length + timers.size >= WAITING_MAX) return false
      ofUser.set(job.userId, count + 1)
      waiting.push({ job, tries: 0 })
      pump()
      return true
    },
    close(): void {
      isClosed = true
      waiting.length = 0
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}

const AGAIN: ReadonlySet<OutboundErrorKind> = new Set<OutboundErrorKind>(['resolve', 'connect', 'lost', 'timeout'])

/** What an attempt came to, in a sentence for the settings page. */
export async function outcomeOf(host: string, attempt: Promise<Response>): Promise<Sent> {
  try {
    const { status, headers, body } = await attempt
    void body?.cancel().catch(() => undefined)
    if (status >= 200 && status < 300) return { ok: true }
    const again = status === 408 || status === 425 || status === 429 || status >= 500
    const seconds = Number(headers.get('retry-after') ?? 0)
    const afterMs = Number.isFinite(seconds) && seconds > 0 ? { afterMs: seconds * SECOND_MS } : {}
    return { ok: false, problem: sentenceOf(host, status), again, gone: status === 404 || status === 410, ...afterMs }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    return { ok: false, problem: error.message, again: AGAIN.has(error.kind) }
  }
}

function sentenceOf(host: string, status: number): string {
  if (status === 401 || status === 403) return `${host} did not accept the token, or does not let it write there (${status}).`
  if (status >= 300 && status < 400) return `${host} sends elsewhere (${status}). Enter the address where it leads.`
  if (status === 413) return `${host} found the notice too large (413).`
  if (status === 429) return `${host} takes no more for the moment (429).`
  return `${host} answered with ${status}.`
}
