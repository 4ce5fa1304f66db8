/** What the kernel knows of a process: its children, its CPU time, its memory. Undefined where there is no /proc. */
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100
const MB = 1_000_000

/** Of `/proc/PID/stat`, what comes after the name: state, parent, … */
const statOf = (pid: number): string[] => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
const [PARENT, USER, SYSTEM] = [1, 11, 12]

function tolerant<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** A process and all that came of it. */
export function familyOf(pid: number): number[] {
  const parents = (tolerant(() => readdirSync('/proc')) ?? [])
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(tolerant(() => statOf(Number(name)))?.[PARENT])] as const)
  const family = [pid]
  for (const member of family) family.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child))
  return family
}

/** CPU time of processes so far with all their threads, user and system, in steps of 10 ms. */
export const cpuMs = (pids: readonly number[]): number | undefined =>
  tolerant(() => {
    const ticks = pids.map((pid) => Number(statOf(pid)[USER]) + Number(statOf(pid)[SYSTEM]))
    return (ticks.reduce((sum, each) => sum + each, 0) * 1_000) / TICKS_PER_SECOND
  })

/** `resident` is what limits are set by; `own` leaves out what is shared with others, such as the pages of a library. */
export type Memory = { residentMb: number; ownMb: number }

export const memoryOf = (pids: readonly number[]): Memory | undefined =>
  tolerant(() => {
    const sum = (names: string[]) =>
      pids.reduce((total, pid) => {
        const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
        return total + names.reduce((all, name) => all + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0), 0)
      }, 0)
    return { residentMb: (sum(['Rss']) * 1_024) / MB, ownMb: (sum(['Private_Clean', 'Private_Dirty']) * 1_024) / MB }
  })
