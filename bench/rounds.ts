/** Legs that take turns, so that whatever else the machine does meets them all; what counts are medians over the rounds. */
import type { Job } from './load.ts'
import { cpuMs } from './proc.ts'
import { JobFailed, type Load } from './processes.ts'

/** One thing to measure in each round; `pids` are those whose CPU time it is charged with. */
export type Course = { key: string; job: Job; pids(): number[]; beside?: () => Promise<number> }
export type Sample = { done: number; callsPerSecond: number; p50Us: number; p99Us: number; cpuUsPerCall: number; beside: number }

export type Scale = {
  isQuick: boolean
  rounds: number
  /** How long one sample takes. */
  ms: number
  warmUp: { requests: number; ms: number }
}
/** What every family of figures is given. */
export type Bench = { scale: Scale; load: Load; say(text: string): void }

export const quantile = (numbers: readonly number[], at: number): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN
}
export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5)

async function take(load: Load, { job, pids, beside }: Course): Promise<Sample> {
  const processes = pids()
  const besideBefore = (await beside?.()) ?? 0
  const before = cpuMs(processes)
  const { done, ms, p50Us, p99Us } = await load.run(job)
  const after = cpuMs(processes)
  return {
    done,
    callsPerSecond: (done * 1_000) / ms,
    p50Us,
    p99Us,
    cpuUsPerCall: before === undefined || after === undefined ? Number.NaN : ((after - before) * 1_000) / done,
    beside: ((await beside?.()) ?? 0) - besideBefore,
  }
}

/** Every other round goes backwards, so that nobody always follows the same. One wrong answer, and a course counts for nothing. */
export async function takeTurns({ load, scale, say }: Bench, what: string, courses: readonly Course[]) {
  const samples = new Map<string, Sample[]>(courses.map(({ key }) => [key, []]))
  const failures = new Map<string, string>()
  const trying = async ({ key }: Course, work: () => Promise<unknown>) => {
    if (failures.has(key)) return
    try {
      await work()
    } catch (error) {
      if (!(error instanceof JobFailed)) throw error
      failures.set(key, `${key}: FAILED: ${error.message.replace(/\s+/g, ' ').slice(0, 400)}`)
      samples.set(key, [])
    }
  }
  for (const course of courses) await trying(course, () => load.run({ ...course.job, ...scale.warmUp }))
  for (let round = 0; round < scale.rounds; round += 1) {
    say(`${what}: round ${round + 1} of ${scale.rounds}`)
    for (const course of round % 2 === 0 ? courses : courses.toReversed())
      await trying(course, async () => samples.get(course.key)?.push(await take(load, course)))
  }
  const of = (key: string) => samples.get(key) ?? []
  // NaN where one of both has failed: the median of nothing.
  const pairs = (a: string, b: string) =>
    of(a).flatMap((sample, at) =>
      of(b)
        .slice(at, at + 1)
        .map((other) => [sample, other] as const),
    )
  return {
    has: (key: string) => of(key).length > 0,
    median: (key: string, value: (sample: Sample) => number) => median(of(key).map(value)),
    /** Of each round for itself, then their median: what slowed a round down slowed down both. */
    ratio: (a: string, b: string) => median(pairs(a, b).map(([one, other]) => one.callsPerSecond / other.callsPerSecond)),
    difference: (a: string, b: string, value: (sample: Sample) => number) =>
      median(pairs(a, b).map(([one, other]) => value(one) - value(other))),
    sum: (key: string, value: (sample: Sample) => number) => of(key).reduce((total, sample) => total + value(sample), 0),
    failures: [...failures.values()],
  }
}
export type Taken = Awaited<ReturnType<typeof takeTurns>>
