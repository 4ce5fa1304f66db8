import { readdirSync, readFileSync } from 'node:fs'

/** In the environment of all we start, so that what left its process group is still found: `<data folder>.<house's pid>-<number>`. */
export const MARK_NAME = 'TOOLPASS_PROGRAM'

const ROUNDS_MAX = 50
const ROUND_MS = 10
/** Behind the name in /proc/PID/stat. */
const START_TICKS_AT = 19

/** Signals a whole process group. A group that is gone is fine. */
export function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal)
  } catch {
    // ESRCH: nobody is left.
  }
}

/**
 * Living processes of a program: its session (the program leads one), and whoever carries its mark. A process that leaves
 * the session and empties its environment as well escapes; the sandbox it is in stays with it.
 */
function processesOf(sessions: ReadonlySet<number>, mark: string): number[] {
  const found: number[] = []
  for (const name of namesInProc()) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const stat = statOf(pid)
    if (stat === undefined || stat.dead) continue
    if (sessions.has(stat.session) || isMarked(pid, mark)) found.push(pid)
  }
  return found
}

/** Kills until nobody is left; again and again, since a process can fork while we look. True when none is left. */
export async function killAll(sessions: ReadonlySet<number>, mark: string): Promise<boolean> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (killOnce(sessions, mark) === 0) return true
    await Bun.sleep(ROUND_MS)
  }
  return false
}

/** The same for a process that is about to end and must not return to its event loop. */
export function killAllNow(sessions: ReadonlySet<number>, mark: string): void {
  for (let round = 0; round < ROUNDS_MAX && killOnce(sessions, mark) > 0; round += 1) Bun.sleepSync(ROUND_MS)
}

function killOnce(sessions: ReadonlySet<number>, mark: string): number {
  for (const session of sessions) signalGroup(session, 'SIGKILL')
  const left = processesOf(sessions, mark)
  for (const pid of left) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone meanwhile.
    }
  }
  return left.length
}

export function namesInProc(): string[] {
  try {
    return readdirSync('/proc')
  } catch {
    // No /proc (macOS): process groups are all we can reach.
    return []
  }
}

type Stat = { session: number; dead: boolean; startTicks: number }

export function statOf(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // "pid (name) state ppid pgrp session …"; the name may hold anything, parentheses included.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, , , session] = fields
    return { session: Number(session), dead: state === 'Z' || state === 'X', startTicks: Number(fields[START_TICKS_AT]) }
  } catch {
    return undefined
  }
}

/** `mark` may be a whole mark, or its beginning up to a dot or dash, which stands for all that begin so. */
function isMarked(pid: number, mark: string): boolean {
  const found = markOf(pid)
  return /[.-]$/.test(mark) ? found.startsWith(mark) : found === mark
}

/** Empty when the process carries none, or is not ours to look at. */
export function markOf(pid: number): string {
  try {
    const environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`
    const start = environment.indexOf(`\0${MARK_NAME}=`)
    return start === -1 ? '' : (environment.slice(start + MARK_NAME.length + 2).split('\0', 1)[0] ?? '')
  } catch {
    return ''
  }
}
