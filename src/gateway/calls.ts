/** Calls under way, so that a cancelling notification finds its call, the end of a grant ends them all, and none lasts for ever. */
import { type Clock, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { GrantId } from '@/lib/ids.ts'

export type Call = { readonly signal: AbortSignal; abort(): void; end(): void }

export const CALL_MS_MAX = 10 * MINUTE_MS
/** One look at all of them is cheaper than a clock for each. */
const LOOK_EVERY_MS = 5 * SECOND_MS

export function createCalls({ clock }: { clock: Clock }) {
  const calls = new Map<string, Set<AbortController>>()
  const byGrant = new Map<GrantId, Set<AbortController>>()
  /** In the order in which they began. */
  const begun = new Map<AbortController, number>()
  const timer = setInterval(() => {
    for (const [call, at] of begun) {
      if (clock() - at < CALL_MS_MAX) return
      begun.delete(call)
      call.abort(new Failure('upstream_timeout'))
    }
  }, LOOK_EVERY_MS)
  timer.unref()
  const add = <K>(map: Map<K, Set<AbortController>>, key: K, call: AbortController) => {
    const known = map.get(key)
    if (known) known.add(call)
    else map.set(key, new Set([call]))
  }
  const drop = <K>(map: Map<K, Set<AbortController>>, key: K, call: AbortController) => {
    const set = map.get(key)
    set?.delete(call)
    if (set?.size === 0) map.delete(key)
  }
  return {
    /** @param key finds it again; calls of the modern revision are ended by their stream alone and have none */
    start(grantId: GrantId, key?: string): Call {
      const call = new AbortController()
      begun.set(call, clock())
      add(byGrant, grantId, call)
      if (key !== undefined) add(calls, key, call)
      return {
        signal: call.signal,
        abort: () => call.abort(),
        end: () => {
          begun.delete(call)
          drop(byGrant, grantId, call)
          if (key !== undefined) drop(calls, key, call)
        },
      }
    },
    cancel: (key: string): void => {
      for (const call of calls.get(key) ?? []) call.abort()
    },
    grants: (): GrantId[] => [...byGrant.keys()],
    endOf: (grantId: GrantId): void => {
      for (const call of byGrant.get(grantId) ?? []) call.abort()
    },
    close: (): void => {
      clearInterval(timer)
      for (const set of byGrant.values()) for (const call of set) call.abort()
    },
  }
}
export type Calls = ReturnType<typeof createCalls>
