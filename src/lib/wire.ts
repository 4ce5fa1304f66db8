import { Bag, NOWHERE } from './bag.ts'
import { OutboundError } from './outbound-error.ts'
import { type Ask, failAsk } from './wire/ask.ts'
import { retireLine } from './wire/line.ts'
import { createPool, type Pool, type Shared, unsent, type WireLimits } from './wire/pool.ts'
import type { WireAnswer, WirePlace, WireRequest } from './wire/request.ts'

export type { WireLimits } from './wire/pool.ts'
export type { WireAnswer, WireBody, WirePlace, WireRequest } from './wire/request.ts'

const LIMITS: WireLimits = { openMax: 512, waitingMax: 4_096, idleMax: 256, idleOfAllMax: 2_048, connectMs: 10_000 }
/** One clock for all time limits: a timer for each request would cost as much as the request. */
const TICK_MS = 100
/** Places that nothing is open to are remembered up to here. */
const PLACES_MAX = 1_000

export type WireDeps = {
  /** PEM certificates to trust instead of the built-in list. */
  ca?: string | undefined
  limits?: Partial<WireLimits> | undefined
}

/**
 * An HTTP/1.1 client over kept-alive connections, one request at a time on each. It checks no address and follows nothing;
 * lib/outbound, which does, is the only one to use it. Rejects with `OutboundError` only; so does reading a streamed body.
 */
export function createWires({ ca, limits }: WireDeps = {}) {
  const pools = new Map<string, Pool>()
  const asks = new Bag<Ask>()
  const clock = createClock(onTick, () => shared.lines.size + shared.attempts.size + asks.size > 0)
  const shared: Shared = {
    ...{ ca, limits: { ...LIMITS, ...limits }, lines: new Set(), attempts: new Set(), idle: 0, isClosed: false },
    wake: clock.start,
  }

  function poolOf(place: WirePlace): Pool {
    const known = pools.get(place.key)
    if (known !== undefined) return known
    if (pools.size >= PLACES_MAX) for (const [key, pool] of pools) if (pool.isUnused()) pools.delete(key)
    const pool = createPool(place, shared)
    pools.set(place.key, pool)
    return pool
  }

  const onOver = (ask: Ask): void => void asks.delete(ask)

  function exchange(place: WirePlace, request: WireRequest): Promise<WireAnswer> {
    const { signal } = request
    if (shared.isClosed) return Promise.reject(unsent(place))
    if (signal?.aborted) return Promise.reject(givenUp(signal.reason))
    const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>()
    const ask: Ask = {
      place,
      request,
      deadlineMs: performance.now() + request.timeoutMs,
      isRepeat: false,
      isAnswered: false,
      isOver: false,
      stop: undefined,
      resolve,
      reject,
      onOver,
      onAbort: undefined,
      index: NOWHERE,
    }
    if (signal !== undefined) {
      ask.onAbort = () => stopAsk(ask, givenUp(signal.reason))
      signal.addEventListener('abort', ask.onAbort, { once: true })
    }
    asks.add(ask)
    poolOf(place).dispatch(ask)
    return promise
  }

  function onTick(): void {
    const nowMs = performance.now()
    for (const { untilMs, giveUp, place } of shared.attempts) if (untilMs <= nowMs) giveUp(unsent(place))
    for (const ask of asks.all()) if (!ask.isAnswered && ask.deadlineMs <= nowMs) stopAsk(ask, late(ask))
    for (const line of shared.lines) if (line.idleUntilMs <= nowMs) retireLine(line)
  }

  return {
    exchange,
    /** Ends all requests of a scope, streams that are still being read included. */
    endScope: (scope: object): void => {
      for (const ask of asks.all()) if (ask.request.scope === scope) stopAsk(ask, givenUp())
    },
    /** Ends everything; nothing is opened after it. Safe to call twice. */
    close: (): void => {
      shared.isClosed = true
      for (const ask of asks.all()) stopAsk(ask, givenUp())
      for (const { giveUp, place } of shared.attempts) giveUp(unsent(place))
      for (const line of shared.lines) retireLine(line)
      clock.stop()
    },
    /** What there is at the moment. */
    count: () => ({ open: shared.lines.size, idle: shared.idle, connecting: shared.attempts.size, asked: asks.size }),
  }
}
export type Wires = ReturnType<typeof createWires>

/** Ends a request wherever it is: a connection with half an answer on it is of no use to anybody. */
function stopAsk(ask: Ask, error: OutboundError): void {
  if (ask.stop !== undefined) ask.stop(error)
  else failAsk(ask, error)
}

const givenUp = (cause?: unknown): OutboundError => new OutboundError('aborted', 'The request was given up.', cause)
const late = ({ request }: Ask): OutboundError =>
  new OutboundError('timeout', `No answer within ${Math.ceil(request.timeoutMs / 1_000)} s.`)

/** Ticks while there is something to watch, and keeps no process alive. */
function createClock(onTick: () => void, isNeeded: () => boolean) {
  let timer: Timer | undefined
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  return {
    start: (): void => {
      if (timer !== undefined) return
      timer = setInterval(() => {
        onTick()
        if (!isNeeded()) stop()
      }, TICK_MS)
      timer.unref()
    },
    stop,
  }
}
