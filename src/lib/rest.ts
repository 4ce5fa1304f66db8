/**
 * Memory is given back when nobody asks for anything: the runtime by itself keeps what a busy minute needed, and a collection in the
 * midst of calls would hold them up. A homelab has other uses for it.
 */
import { type Clock, SECOND_MS } from './clock.ts'

const QUIET_MS = 2 * SECOND_MS
const LOOK_EVERY_MS = SECOND_MS

export function createRest({ clock, collect = () => Bun.gc(true) }: { clock: Clock; collect?: () => void }) {
  let usedAt = clock()
  let collectedAt = Number.NEGATIVE_INFINITY
  const timer = setInterval(() => {
    const isQuiet = clock() - usedAt >= QUIET_MS
    if (!isQuiet || collectedAt >= usedAt) return
    collectedAt = clock()
    collect()
  }, LOOK_EVERY_MS)
  timer.unref()
  return {
    /** On the path of every request. */
    used: (): void => {
      usedAt = clock()
    },
    stop: (): void => clearInterval(timer),
  }
}
