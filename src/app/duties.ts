import type { House } from '../app.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../lib/clock.ts'
import { isFailure } from '../lib/failure.ts'
import { createQuietly } from '../lib/log.ts'

const SWEEP_EVERY_MS = HOUR_MS
/** Each registry is due once an hour; whether it is, the catalogue knows. */
const REGISTRIES_EVERY_MS = 10 * MINUTE_MS
/** Often enough for tokens that live a few minutes. */
const RENEW_EVERY_MS = 30 * SECOND_MS
const CHECK_EVERY_MS = MINUTE_MS
/** Rows of the last few seconds are not yet where they are forwarded to. */
const FORWARD_EVERY_MS = 5 * SECOND_MS
/** What a page does not wait for is in the index after this. */
const FOLLOW_EVERY_MS = SECOND_MS
/** A switch of profiles is carried out within a minute of its time. */
const SWITCH_EVERY_MS = 20 * SECOND_MS

/** Each call says of itself that the disk is full; what is tried every second does not say it too. */
const unlessFull = (error: unknown): void => {
  if (!isFailure(error, 'store_unavailable')) throw error
}

/** What the house does by itself, and how often; at once as well what is seldom done, and what was due while nobody was here. Returns how to stop. */
export function startSweeping({
  audit,
  forwarding,
  clients,
  grants,
  limits,
  kept,
  approvals,
  control,
  digests,
  oauth,
  gateway,
  connections,
  catalogue,
  log,
}: House): () => void {
  const { signIn, providers } = connections
  const duties: readonly [what: string, everyMs: number, work: () => Promise<unknown>][] = [
    [
      'removing what has run out',
      SWEEP_EVERY_MS,
      () => Promise.all([clients.sweep(), grants.sweep(), limits.sweep(), kept.sweep(), oauth.sweep(), gateway.sweep()]),
    ],
    ['telling people of their week', SWEEP_EVERY_MS, () => digests.sendDue()],
    ['reading registries', REGISTRIES_EVERY_MS, () => catalogue.syncDue()],
    ['renewing sign-ins', RENEW_EVERY_MS, () => Promise.all([signIn.keepAlive(), providers.keepAlive()])],
    ['checking connections', CHECK_EVERY_MS, () => connections.checkUp()],
    ['following the trail', FOLLOW_EVERY_MS, () => audit.following.follow().catch(unlessFull)],
    ['switching profiles by schedule', SWITCH_EVERY_MS, () => control.runSwitches()],
    ['forwarding the trail', FORWARD_EVERY_MS, () => forwarding.forward()],
    ['removing what the trail no longer keeps', SWEEP_EVERY_MS, () => audit.retention.sweep().then(() => audit.following.sweep())],
    ['ending approvals that ran out', CHECK_EVERY_MS, () => approvals.sweep()],
  ]
  const quietly = createQuietly(log)
  const timers = duties.map(([what, everyMs, work]) => {
    const run = () => quietly(what, work)
    if (everyMs >= REGISTRIES_EVERY_MS || everyMs === SWITCH_EVERY_MS) run()
    return setInterval(run, everyMs)
  })
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}
