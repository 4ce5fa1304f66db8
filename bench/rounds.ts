/** Legs that take turns, so that whatever else the machine does meets them all; what counts are medians over the rounds. */
import type { Job } from './load.ts'
import { cpuMs } from './proc.ts'
import type { Load } from './processes.ts'

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

/** Every other round goes backwards, so that nobody always follows the same. */
export async function takeTurns({ load, scale, say }: Bench, what: string, courses: readonly Course[]) {
  for (const { job } of courses) await load.run({ ...job, ...scale.warmUp })
  const samples = new Map<string, Sample[]>(courses.map(({ key }) => [key, []]))
  for (let round = 0; round < scale.rounds; round += 1) {
    say(`${what}: round ${round + 1} of ${scale.rounds}`)
    for (const course of round % 2 === 0 ? courses : courses.toReversed()) samples.get(course.key)?.push(await take(load, course))
  }
  const of = (key: string) => samples.get(key) ?? []
  const pairs = (a: string, b: string) => of(a).map((sample, at) => [sample, of(b)[at] ?? sample] as const)
  return {
    has: (key: string) => of(key).length > 0,
    median: (key: string, value: (sample: Sample) => number) => median(of(key).map(value)),
    /** Of each round for itself, then their median: what slowed a round down slowed down both. */
    ratio: (a: string, b: string) => median(pairs(a, b).map(([one, other]) => one.callsPerSecond / other.callsPerSecond)),
    difference: (a: string, b: string, value: (sample: Sample) => number) =>
      median(pairs(a, b).map(([one, other]) => value(one) - value(other))),
    sum: (key: string, value: (sample: Sample) => number) => of(key).reduce((total, sample) => total + value(sample), 0),
  }
}
export type Taken = Awaited<ReturnType<typeof takeTurns>>
