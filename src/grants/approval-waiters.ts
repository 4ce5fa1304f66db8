/** Calls that wait for a decision right now. In memory alone: a decision is in the file before anybody here hears of it. */
import type { ApprovalId } from '@/lib/ids.ts'

/** `ended`: nobody will decide any more, or there is nothing left to decide. */
export type Verdict = 'approved' | 'refused' | 'ended'

export function createWaiters() {
  const waiting = new Map<ApprovalId, Set<(verdict: Verdict) => void>>()
  return {
    ids: (): ApprovalId[] => [...waiting.keys()],
    /** How many calls wait for this one. */
    count: (id: ApprovalId): number => waiting.get(id)?.size ?? 0,
    settle(id: ApprovalId, verdict: Verdict): void {
      for (const hear of waiting.get(id) ?? []) hear(verdict)
      waiting.delete(id)
    },
    /** `stop` gives the place back; what was asked for goes on being decidable. */
    add(id: ApprovalId): { verdict: Promise<Verdict>; settle(verdict: Verdict): void; stop(): void } {
      const { promise: verdict, resolve } = Promise.withResolvers<Verdict>()
      const set = waiting.get(id) ?? new Set()
      waiting.set(id, set.add(resolve))
      return {
        verdict,
        settle: resolve,
        stop() {
          set.delete(resolve)
          if (set.size === 0 && waiting.get(id) === set) waiting.delete(id)
        },
      }
    },
  }
}
export type Waiters = ReturnType<typeof createWaiters>
