/**
 * The trail on its way out: each forwarder reads on from where it is, sends in batches, and moves its mark when a batch was taken. So
 * nothing is lost over a restart and some may come twice: who receives tells it by `seq`. It reads what is written and never stands in the
 * way of who writes.
 */
import { asc, gt } from 'drizzle-orm'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import type { Log } from '@/lib/log.ts'
import { type Outbound, OutboundError } from '@/lib/outbound.ts'
import { auditRows } from '@/store'
import type { AuditRow } from '../chain.ts'
import { type Actor, by } from '../retention.ts'
import { createForwarders, type ForwardersDeps } from './forwarders.ts'
import { type ForwarderRow, NotTaken, type Sending, type Source, type Target } from './kinds.ts'
import { sendOtlp } from './otlp.ts'
import { sendSyslog } from './syslog.ts'
import { sendWebhook } from './webhook.ts'

const BATCH_ROWS = 200
/** As many at a time, then it is somebody else's turn; it goes on at the next look. */
const BATCHES_MAX = 25
const REST_MS = 5
const BACK_OFF_FIRST_MS = 5 * SECOND_MS
const BACK_OFF_MAX_MS = 5 * MINUTE_MS

export type ForwardingDeps = ForwardersDeps & {
  outbound: Pick<Outbound, 'fetch' | 'deliver'>
  log: Pick<Log, 'error' | 'warn'>
  source: Source
}
export type Forwarding = ReturnType<typeof createForwarding>

function sendTo(target: Target, sending: Sending): Promise<void> {
  if (target.kind === 'otlp') return sendOtlp(target, sending)
  return target.kind === 'webhook' ? sendWebhook(target, sending) : sendSyslog(target, sending)
}

export function createForwarding(deps: ForwardingDeps) {
  const { store, clock, outbound, source, report, lastSeq, log } = deps
  const forwarders = createForwarders(deps)
  /** By id: until when it is left alone, and for how long the time after. */
  const resting = new Map<string, { until: number; ms: number }>()
  const running = new Map<string, Promise<void>>()
  let isStopped = false

  const after = (seq: number): Promise<AuditRow[]> =>
    store.read.select().from(auditRows).where(gt(auditRows.seq, seq)).orderBy(asc(auditRows.seq)).limit(BATCH_ROWS).execute()
  /** Rows that went by age or size before they were sent: said once, and not waited for. */
  const noteGap = async ({ name }: ForwarderRow, from: number, to: number): Promise<void> => {
    if (from > 0 && to > from + 1)
      await report({
        kind: 'admin',
        action: 'forwarder.gap',
        outcome: 'failed',
        userName: 'Toolpass',
        subject: name,
        detail: { from: from + 1, to: to - 1 },
      })
  }
  const pump = async (forwarder: ForwarderRow): Promise<void> => {
    const target = forwarders.targetOf(forwarder)
    let { seq } = forwarder
    for (let batch = 0; batch < BATCHES_MAX && !isStopped; batch += 1) {
      const rows = await after(seq)
      const [first, last] = [rows[0], rows.at(-1)]
      if (!first || !last) return
      await sendTo(target, { rows, outbound, source, now: clock(), isTest: false })
      // Somebody may have taken it away, or made it pause, while it was sending.
      const now = (await forwarders.rows()).find(({ id }) => id === forwarder.id)
      if (!now) return
      await noteGap(forwarder, seq, first.seq)
      seq = last.seq
      await forwarders.moved(forwarder.id, { seq, sentAt: clock(), problem: null })
      resting.delete(forwarder.id)
      if (now.pausedAt !== null) return
      await Bun.sleep(REST_MS)
    }
  }
  const failed = async ({ id, name }: ForwarderRow, error: unknown): Promise<void> => {
    const ms = Math.min((resting.get(id)?.ms ?? BACK_OFF_FIRST_MS / 2) * 2, BACK_OFF_MAX_MS)
    resting.set(id, { until: clock() + ms, ms })
    if (!(error instanceof OutboundError) && !(error instanceof NotTaken)) log.error(`forwarding to ${name} failed`, error)
    await forwarders.moved(id, { problem: sentenceOf(error) })
  }
  return {
    list: forwarders.list,
    add: forwarders.add,
    pause: forwarders.pause,
    remove: forwarders.remove,
    async resume(actor: Actor, id: string): Promise<void> {
      await forwarders.resume(actor, id)
      resting.delete(id)
    },
    /** How many rows each of them is behind. */
    behind: (seq: number): number => Math.max(0, lastSeq() - seq),
    /** Sends one row of its own now, past any pause. @returns a sentence where it was not taken */
    async test(actor: Actor, id: string): Promise<string | undefined> {
      const forwarder = await forwarders.demand(id)
      await report({ ...by(actor), action: 'forwarder.test', subject: forwarder.name })
      const rows = (await after(lastSeq() - 1)).slice(-1)
      try {
        await sendTo(forwarders.targetOf(forwarder), { rows, outbound, source, now: clock(), isTest: true })
        return undefined
      } catch (error) {
        return sentenceOf(error)
      }
    },
    /** Each that is due takes a turn; one that is still at it is left to it. */
    async forward(): Promise<void> {
      for (const forwarder of await forwarders.rows()) {
        const { id } = forwarder
        if (forwarder.pausedAt !== null || running.has(id) || forwarder.seq >= lastSeq() || (resting.get(id)?.until ?? 0) > clock())
          continue
        const turn = pump(forwarder)
          .catch((error) => failed(forwarder, error))
          .catch((error) => log.error('a forwarder could not be marked', error))
          .finally(() => running.delete(id))
        running.set(id, turn)
      }
    },
    /** When all turns that were begun have ended. */
    settled: async (): Promise<void> => void (await Promise.all(running.values())),
    async stop(): Promise<void> {
      isStopped = true
      await Promise.race([Promise.all(running.values()), Bun.sleep(SECOND_MS)])
    },
  }
}

const sentenceOf = (error: unknown): string =>
  error instanceof OutboundError || error instanceof NotTaken
    ? error.message
    : 'Something broke on our side. The log of Toolpass has the details.'
