/** Counts what a job has begun and ended, and keeps its latencies. */
export type Result = { done: number; ms: number; p50Us: number; p99Us: number }

/** Stands in a body where each request gets its number. */
export const MARK = '#00000000#'
export const mark = (number: number): string => `#${String(number).padStart(MARK.length - 2, '0')}#`

const LATENCIES_FIRST = 65_536

export function createTally({ requests, ms }: { requests: number; ms: number }) {
  let latenciesNs = new Float64Array(LATENCIES_FIRST)
  let begun = 0
  let done = 0
  let startedNs = Bun.nanoseconds()
  let endedNs = startedNs
  const quantile = (sorted: Float64Array, at: number) => (sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? 0) / 1_000
  return {
    start(): void {
      startedNs = Bun.nanoseconds()
    },
    /** @returns the number of the request that may be sent now, or undefined when it was enough */
    begin(): number | undefined {
      if (begun >= requests || Bun.nanoseconds() - startedNs > ms * 1e6) return undefined
      begun += 1
      return begun
    },
    end(sentNs: number): void {
      endedNs = Bun.nanoseconds()
      if (done === latenciesNs.length) {
        const larger = new Float64Array(done * 2)
        larger.set(latenciesNs)
        latenciesNs = larger
      }
      latenciesNs[done] = endedNs - sentNs
      done += 1
    },
    result(): Result {
      const sorted = latenciesNs.subarray(0, done).toSorted()
      return { done, ms: (endedNs - startedNs) / 1e6, p50Us: quantile(sorted, 0.5), p99Us: quantile(sorted, 0.99) }
    },
  }
}
