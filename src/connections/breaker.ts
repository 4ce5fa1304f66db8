/** An upstream that fails again and again is left alone for a while: its calls fail at once, and it is not asked more than it can bear. */
import type { Clock } from '@/lib/clock.ts'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import { ChannelError, type ChannelErrorKind } from '@/plugins'

const FAILURES_MAX = 5
const REST_FIRST_MS = 2 * SECOND_MS
const REST_MAX_MS = MINUTE_MS
/** What says something about the upstream. A refused credential or a tool's own error does not. */
const TROUBLE: ReadonlySet<ChannelErrorKind> = new Set<ChannelErrorKind>(['unreachable', 'lost', 'invalid'])

/** A try that is not over by then is a long call, or lost; another one may go. */
const TRY_MS_MAX = 10 * SECOND_MS

type State = { failures: number; rests: number; until: number }

export function createBreaker(clock: Clock) {
  /** Of the upstreams in trouble only, so that a call to one in order costs one look into an empty map. */
  const states = new Map<string, State>()
  return {
    /**
     * After a rest one call goes through to try; the others wait for what becomes of it. @returns whether this one is it.
     * @throws Failure `upstream_unreachable`
     */
    demandClosed(text: string): boolean {
      const state = states.get(text)
      if (!state || state.failures < FAILURES_MAX) return false
      if (clock() >= state.until) {
        state.until = clock() + TRY_MS_MAX
        return true
      }
      const seconds = Math.max(1, Math.ceil((state.until - clock()) / SECOND_MS))
      throw new Failure('upstream_unreachable', {
        message: `The connected server failed ${state.failures} times in a row. It is tried again in ${seconds} s.`,
      })
    },
    went: (text: string): void => {
      if (states.size > 0) states.delete(text)
    },
    failed(text: string, error: unknown, isTry: boolean): void {
      const state = states.get(text) ?? { failures: 0, rests: 0, until: 0 }
      if (!isTrouble(error)) {
        // It says nothing about the upstream: the next one may try.
        if (isTry) state.until = clock()
        return
      }
      state.failures += 1
      states.set(text, state)
      // Calls that were under way when it opened fail as well; they make it rest no longer.
      if (state.failures !== FAILURES_MAX && !isTry) return
      state.until = clock() + Math.min(REST_FIRST_MS * 2 ** state.rests, REST_MAX_MS)
      state.rests += 1
    },
    forget(isMeant: (text: string) => boolean): void {
      for (const text of states.keys()) if (isMeant(text)) states.delete(text)
    },
  }
}

const isTrouble = (error: unknown): boolean =>
  error instanceof ChannelError ? TROUBLE.has(error.kind) : isFailure(error, 'upstream_timeout')
