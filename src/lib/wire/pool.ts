import { describeError, OutboundError } from '../outbound-error.ts'
import { type Ask, failAsk } from './ask.ts'
import { createLine, destroyLine, type Line, retireLine, startLine } from './line.ts'
import type { WirePlace } from './request.ts'
import { openSocket } from './socket.ts'

/** Connections and waiting requests, for one place; idle connections also for all places together. */
export type WireLimits = { openMax: number; waitingMax: number; idleMax: number; idleOfAllMax: number; connectMs: number }

/** What the pools have in common. */
export type Shared = {
  readonly ca: string | undefined
  readonly limits: WireLimits
  readonly lines: Set<Line>
  readonly attempts: Set<Attempt>
  idle: number
  isClosed: boolean
  /** Something is there to be watched. */
  wake(): void
}
export type Attempt = { untilMs: number; giveUp(error: OutboundError): void; place: WirePlace }

/** The connections to one place. The one used last is taken first, so that those too many become idle and end. */
export function createPool(place: WirePlace, shared: Shared) {
  const { limits, lines, attempts } = shared
  const idle: Line[] = []
  let waiting: Ask[] = []
  let open = 0

  function takeIdle(): Line | undefined {
    for (let line = idle.at(-1); line !== undefined; line = idle.at(-1)) {
      // One whose time is up may be closed over there already, though it does not show yet.
      if (line.idleUntilMs <= performance.now()) retireLine(line)
      else {
        idle.pop()
        shared.idle -= 1
        line.socket?.ref()
        return line
      }
    }
    return undefined
  }

  /** Whoever has waited longest; those that were given up or came too late have left. */
  function nextWaiting(): Ask | undefined {
    for (let ask = waiting.shift(); ask !== undefined; ask = waiting.shift()) if (!ask.isOver) return ask
    return undefined
  }

  function onFree(line: Line): void {
    const ask = nextWaiting()
    if (ask !== undefined) return startLine(line, ask)
    if (shared.isClosed) return retireLine(line)
    line.idleUntilMs = performance.now() + (line.head?.idleMs ?? limits.connectMs)
    // What lies idle must not keep the process alive.
    line.socket?.unref()
    idle.push(line)
    shared.idle += 1
    if ((idle.length > limits.idleMax || shared.idle > limits.idleOfAllMax) && idle[0] !== undefined) retireLine(idle[0])
  }

  function onDead(line: Line): void {
    const at = idle.indexOf(line)
    if (at >= 0) {
      idle.splice(at, 1)
      shared.idle -= 1
    }
    if (lines.delete(line)) leave()
  }

  function leave(): void {
    open -= 1
    const ask = nextWaiting()
    if (ask !== undefined) void connect(ask)
  }

  /** A new connection for one request; whether that is still wanted shows when it stands. */
  async function connect(ask: Ask): Promise<void> {
    open += 1
    const line = createLine(place, { onFree, onDead, onRepeat: (again) => void connect(again) })
    const { opened, giveUp } = openSocket(line, shared.ca)
    const attempt = { untilMs: performance.now() + limits.connectMs, giveUp, place }
    attempts.add(attempt)
    shared.wake()
    try {
      line.socket = await opened
    } catch (error) {
      attempts.delete(attempt)
      leave()
      return failAsk(ask, describeUnsent(error, place))
    }
    attempts.delete(attempt)
    lines.add(line)
    if (shared.isClosed) destroyLine(line)
    if (line.isDead) lines.delete(line) && leave()
    if (line.isDead) failAsk(ask, unsent(place))
    else if (ask.isOver) onFree(line)
    else startLine(line, ask)
  }

  return {
    isUnused: (): boolean => open + waiting.length === 0,
    dispatch: (ask: Ask): void => {
      const line = takeIdle()
      if (line !== undefined) return startLine(line, ask)
      if (open < limits.openMax) return void connect(ask)
      if (waiting.length >= limits.waitingMax) waiting = waiting.filter(({ isOver }) => !isOver)
      if (waiting.length < limits.waitingMax) waiting.push(ask)
      else failAsk(ask, new OutboundError('connect', `Too many requests are waiting for ${place.hostname}.`))
    },
  }
}
export type Pool = ReturnType<typeof createPool>

export const unsent = ({ hostname }: WirePlace, cause?: unknown): OutboundError =>
  new OutboundError('connect', `${hostname} does not take connections.`, cause)

/** Before the request is written, whatever breaks: nothing was sent. */
function describeUnsent(error: unknown, place: WirePlace): OutboundError {
  const described = describeError(error, place.hostname)
  return described.kind === 'lost' ? unsent(place, error) : described
}
