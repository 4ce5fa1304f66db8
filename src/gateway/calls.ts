/** Calls under way, so that a cancelling notification finds its call, the end of a grant ends them all, and none lasts for ever. */
import { type CallSignal, createCallSignal } from '@/lib/call-signal.ts'
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, GrantId } from '@/lib/ids.ts'

/** `onLate` is called once where it takes longer than most: what costs something is begun only then. */
export type Call = {
  readonly signal: AbortSignal
  /** Whose tool it is, as soon as that is known. */
  to: ConnectionId | undefined
  abort(why?: Failure): void
  end(): void
  /** It ends by itself after so long. */
  within(ms: number, why: () => Failure): void
  onLate?: () => void
}
type Under = { call: Call; ending: CallSignal; at: number; isLate: boolean; msMax: number; why: () => Failure }

export const CALL_MS_MAX = 10 * MINUTE_MS
const LATE_MS = 10
/** One look at all of them is cheaper than a clock for each; while there are none nobody looks. */
const LOOK_EVERY_MS = 10

export function createCalls({ clock }: { clock: Clock }) {
  const byKey = new Map<string, Set<Call>>()
  const byGrant = new Map<GrantId, Set<Call>>()
  /** In the order in which they began. */
  const begun = new Map<Call, Under>()
  let timer: ReturnType<typeof setInterval> | undefined
  const look = () => {
    if (begun.size > 0) return lookAt(begun, clock())
    clearInterval(timer)
    timer = undefined
  }
  const add = <K>(map: Map<K, Set<Call>>, key: K, call: Call) => {
    const known = map.get(key)
    if (known) known.add(call)
    else map.set(key, new Set([call]))
  }
  const drop = <K>(map: Map<K, Set<Call>>, key: K, call: Call) => {
    const set = map.get(key)
    set?.delete(call)
    if (set?.size === 0) map.delete(key)
  }
  return {
    /** @param key finds it again; calls of the modern revision are ended by their stream alone and have none */
    start(grantId: GrantId, key?: string): Call {
      const ending = createCallSignal()
      const call: Call = {
        signal: ending.signal,
        to: undefined,
        abort: (why = new Failure('request_cancelled')) => ending.abort(why),
        within: (ms, why) => void Object.assign(begun.get(call) ?? {}, { msMax: ms, why }),
        end: () => {
          begun.delete(call)
          drop(byGrant, grantId, call)
          if (key !== undefined) drop(byKey, key, call)
        },
      }
      begun.set(call, { call, ending, at: clock(), isLate: false, msMax: CALL_MS_MAX, why: timedOut })
      timer ??= setInterval(look, LOOK_EVERY_MS)
      add(byGrant, grantId, call)
      if (key !== undefined) add(byKey, key, call)
      return call
    },
    cancel: (key: string): void => {
      for (const call of byKey.get(key) ?? []) call.abort()
    },
    /** How many of this grant are under way. */
    running: (grantId: GrantId): number => byGrant.get(grantId)?.size ?? 0,
    grants: (): GrantId[] => [...byGrant.keys()],
    endOf: (grantId: GrantId): void => {
      for (const call of byGrant.get(grantId) ?? []) call.abort()
    },
    /** Its connection is paused: the app goes on, and is told of these calls. */
    endTo: (grantId: GrantId, connectionId: ConnectionId): void => {
      for (const call of byGrant.get(grantId) ?? []) if (call.to === connectionId) call.abort(new Failure('connection_paused'))
    },
    close: (): void => {
      clearInterval(timer)
      for (const set of byGrant.values()) for (const call of set) call.abort()
    },
  }
}
export type Calls = ReturnType<typeof createCalls>

const timedOut = () => new Failure('upstream_timeout')

function lookAt(begun: ReadonlyMap<Call, Under>, now: number): void {
  for (const under of begun.values()) {
    const ms = now - under.at
    if (ms < LATE_MS) return
    if (ms >= under.msMax) under.ending.abort(under.why())
    else if (!under.isLate) {
      under.isLate = true
      under.call.onLate?.()
    }
  }
}
