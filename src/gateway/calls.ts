/** Calls under way, so that a cancelling notification finds its call, the end of a grant ends them all, and none lasts for ever. */
import { CallSignal } from '@/lib/call-signal.ts'
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
  onLate: (() => void) | undefined
}

export const CALL_MS_MAX = 10 * MINUTE_MS
const LATE_MS = 10
/** One look at all of them is cheaper than a clock for each; while there are none nobody looks. */
const LOOK_EVERY_MS = 10

const timedOut = () => new Failure('upstream_timeout')

type Book = {
  /** In the order in which they began. */
  readonly begun: Set<UnderWay>
  readonly byKey: Map<string, Set<UnderWay>>
  readonly byGrant: Map<GrantId, Set<UnderWay>>
}

/** A class, since one is made for each call: nothing but the call itself is allocated. */
class UnderWay implements Call {
  readonly ending = new CallSignal()
  to: ConnectionId | undefined = undefined
  onLate: (() => void) | undefined = undefined
  isLate = false
  msMax = CALL_MS_MAX
  private why: () => Failure = timedOut

  constructor(
    private readonly book: Book,
    readonly grantId: GrantId,
    readonly key: string | undefined,
    readonly at: number,
  ) {}
  get signal(): AbortSignal {
    return this.ending.signal
  }
  abort(why: Failure = new Failure('request_cancelled')): void {
    this.ending.abort(why)
  }
  within(ms: number, why: () => Failure): void {
    this.msMax = ms
    this.why = why
  }
  timeOut(): void {
    this.ending.abort(this.why())
  }
  end(): void {
    // What it held on to goes with it, and not when somebody looks next.
    this.onLate = undefined
    const { begun, byGrant, byKey } = this.book
    begun.delete(this)
    drop(byGrant, this.grantId, this)
    if (this.key !== undefined) drop(byKey, this.key, this)
  }
}

export function createCalls({ clock }: { clock: Clock }) {
  const book: Book = { begun: new Set(), byKey: new Map(), byGrant: new Map() }
  const { begun, byKey, byGrant } = book
  let timer: ReturnType<typeof setInterval> | undefined
  const look = () => {
    if (begun.size > 0) return lookAt(begun, clock())
    clearInterval(timer)
    timer = undefined
  }
  return {
    /** @param key finds it again; calls of the modern revision are ended by their stream alone and have none */
    start(grantId: GrantId, key?: string): Call {
      const call = new UnderWay(book, grantId, key, clock())
      begun.add(call)
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

function add<K>(map: Map<K, Set<UnderWay>>, key: K, call: UnderWay): void {
  const known = map.get(key)
  if (known) known.add(call)
  else map.set(key, new Set([call]))
}

function drop<K>(map: Map<K, Set<UnderWay>>, key: K, call: UnderWay): void {
  const set = map.get(key)
  set?.delete(call)
  if (set?.size === 0) map.delete(key)
}

function lookAt(begun: ReadonlySet<UnderWay>, now: number): void {
  for (const call of begun) {
    const ms = now - call.at
    if (ms < LATE_MS) return
    if (ms >= call.msMax) call.timeOut()
    else if (!call.isLate) {
      call.isLate = true
      call.onLate?.()
    }
  }
}
