/** Calls of one grant, user or connection as they are counted against its limits: in the last minute, today, right now. */
import { type Clock, DAY_MS, SECOND_MS } from '@/lib/clock.ts'

export type Limit = {
  callsPerMinute: number | null
  callsPerDay: number | null
  callsAtOnce: number | null
  resultBytes: number | null
  callSeconds: number | null
}
export type Use = { minute: number; today: number; now: number }
/** Which of them has been reached, and when there will be room again. */
export type Reached = { limit: 'callsPerMinute' | 'callsPerDay' | 'callsAtOnce'; max: number; retryAfterSeconds: number }

const MINUTE_SECONDS = 60
const DAY_SECONDS = DAY_MS / SECOND_MS
/** When a call that runs now will have ended nobody knows. */
const AT_ONCE_RETRY_SECONDS = 1

export type Meter = ReturnType<typeof createMeter>

/** @param today calls of this day that were made before the meter. A day is one of UTC. */
export function createMeter(limit: Limit, clock: Clock, today = 0) {
  /** Calls by the second in which they began, so that no 60 seconds, wherever they begin, hold more than a minute may. */
  const seconds = new Uint32Array(MINUTE_SECONDS)
  let [second, minute] = [0, 0]
  let [day, ofDay] = [Math.floor(clock() / DAY_MS), today]
  let now = 0

  const turn = (): void => {
    const ms = clock()
    const at = Math.floor(ms / SECOND_MS)
    if (at - second >= MINUTE_SECONDS) {
      seconds.fill(0)
      minute = 0
      second = at
    }
    // A clock that is set back changes nothing until it has come as far again.
    while (second < at) {
      second += 1
      minute -= seconds[second % MINUTE_SECONDS] ?? 0
      seconds[second % MINUTE_SECONDS] = 0
    }
    const date = Math.floor(ms / DAY_MS)
    if (date > day) [day, ofDay] = [date, 0]
  }
  /** When enough of the last minute's calls are older than a minute. */
  const untilRoom = (max: number): number => {
    let leaving = minute - max + 1
    for (let at = second - MINUTE_SECONDS + 1; at <= second; at += 1) {
      leaving -= seconds[at % MINUTE_SECONDS] ?? 0
      if (leaving <= 0) return at + MINUTE_SECONDS - second
    }
    return MINUTE_SECONDS
  }
  return {
    limit,
    /** Undefined where one more is within the limits. */
    reached(): Reached | undefined {
      turn()
      const { callsPerDay, callsPerMinute, callsAtOnce } = this.limit
      if (callsPerDay !== null && ofDay >= callsPerDay) {
        const retryAfterSeconds = DAY_SECONDS - (Math.floor(clock() / SECOND_MS) % DAY_SECONDS)
        return { limit: 'callsPerDay', max: callsPerDay, retryAfterSeconds }
      }
      if (callsPerMinute !== null && minute >= callsPerMinute)
        return { limit: 'callsPerMinute', max: callsPerMinute, retryAfterSeconds: untilRoom(callsPerMinute) }
      if (callsAtOnce !== null && now >= callsAtOnce)
        return { limit: 'callsAtOnce', max: callsAtOnce, retryAfterSeconds: AT_ONCE_RETRY_SECONDS }
      return undefined
    },
    /** After `reached` in the same turn. @returns when it was, for `takeBack` */
    begin(): number {
      seconds[second % MINUTE_SECONDS] = (seconds[second % MINUTE_SECONDS] ?? 0) + 1
      minute += 1
      ofDay += 1
      now += 1
      return second
    },
    end(): void {
      now -= 1
    },
    /** It was no call after all: it is made once more, and counted then. */
    takeBack(at: number): void {
      now -= 1
      ofDay = Math.max(0, ofDay - 1)
      if (second - at >= MINUTE_SECONDS) return
      minute -= 1
      seconds[at % MINUTE_SECONDS] = (seconds[at % MINUTE_SECONDS] ?? 0) - 1
    },
    use(): Use {
      turn()
      return { minute, today: ofDay, now }
    },
    /** What was made before it was counted. */
    countToday(calls: number): void {
      turn()
      ofDay = Math.max(ofDay, calls)
    },
  }
}
