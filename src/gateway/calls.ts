/** Calls under way, so that a cancelling notification finds its call, the end of a grant ends them all, and none lasts for ever. */
import { Bag, NOWHERE } from '@/lib/bag.ts'
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
  readonly begun: Bag<UnderWay>
  /** How many of each grant. */
  readonly running: Map<GrantId, number>
}

/** A class, since one is made for each call: nothing but the call itself is allocated. */
class UnderWay implements Call {
  readonly ending = new CallSignal()
  index = NOWHERE
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
  isUnderWay(): boolean {
    return this.index !== NOWHERE
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
    const { begun, running } = this.book
    if (!this.isUnderWay()) return
    begun.delete(this)
    const others = (running.get(this.grantId) ?? 1) - 1
    if (others === 0) running.delete(this.grantId)
    else running.set(this.grantId, others)
  }
}

export function createCalls({ clock }: { clock: Clock }) {
  const book: Book = { begun: new Bag(), running: new Map() }
  const { begun, running } = book
  let timer: ReturnType<typeof setInterval> | undefined
  const look = () => {
    if (begun.size > 0) return lookAt(begun, clock())
    clearInterval(timer)
    timer = undefined
  }
  // What ends some of them is rare, and looks at all.
  const endThose = (which: (call: UnderWay) => boolean, why?: () => Failure): void => {
    for (const call of begun.all()) if (call.isUnderWay() && which(call)) call.abort(why?.())
  }
  return {
    /** @param key finds it again; calls of the modern revision are ended by their stream alone and have none */
    start(grantId: GrantId, key?: string): Call {
      const call = new UnderWay(book, grantId, key, clock())
      begun.add(call)
      timer ??= setInterval(look, LOOK_EVERY_MS)
      running.set(grantId, (running.get(grantId) ?? 0) + 1)
      return call
    },
    cancel: (key: string): void => endThose((call) => call.key === key),
    /** How many of this grant are under way. */
    running: (grantId: GrantId): number => running.get(grantId) ?? 0,
    grants: (): GrantId[] => [...running.keys()],
    endOf: (grantId: GrantId): void => endThose((call) => call.grantId === grantId),
    /** Its connection is paused: the app goes on, and is told of these calls. */
    endTo: (grantId: GrantId, connectionId: ConnectionId): void =>
      endThose(
        (call) => call.grantId === grantId && call.to === connectionId,
        () => new Failure('connection_paused'),
      ),
    close: (): void => {
      clearInterval(timer)
      endThose(() => true)
    },
  }
}
export type Calls = ReturnType<typeof createCalls>

function lookAt(begun: Bag<UnderWay>, now: number): void {
  for (const call of begun.all()) {
    // One may end another.
    if (!call.isUnderWay()) continue
    const ms = now - call.at
    if (ms >= call.msMax) call.timeOut()
    else if (ms >= LATE_MS && !call.isLate) {
      call.isLate = true
      call.onLate?.()
    }
  }
}
