import { readSync, writeFileSync, writeSync } from 'node:fs'
import { raiseFence, type Fence } from './fence.ts'
import {
  dieWithParent,
  execute,
  gainNoPrivileges,
  leaveNothingToInherit,
  leavePowersBehind,
  limitResources,
  openKernel,
  type ResourceLimits,
} from './kernel.ts'
import { killAllNow } from './processes.ts'

export const RUN_PROGRAM = '__run-program'
export const GUARD_PROGRAMS = '__guard-programs'

/** What the re-executed house becomes. It comes through stdin: arguments and environments of processes are seen by others. */
export type Plan = {
  /** The house's process id. */
  house: number
  file: string
  args: readonly string[]
  env: Record<string, string>
  cwd: string
  fence: Fence
  limits: ResourceLimits
}

/** Decimal length of the plan in bytes, padded, in front of it; what follows on stdin is the program's own. */
export const PLAN_HEAD_BYTES = 10
const CANNOT_RUN = 127

/**
 * To be called before anything else, and before anything else is imported: a start of ours may be meant for a program.
 * False when it is not. For `__run-program` it does not return: the process becomes the program.
 */
export function runProgramEntry(argv: readonly string[] = process.argv): boolean {
  if (argv[2] === RUN_PROGRAM) becomeProgram()
  if (argv[2] === GUARD_PROGRAMS) guardPrograms(argv[3] ?? '')
  return false
}

function becomeProgram(): never {
  const plan = JSON.parse(readExactly(Number(readExactly(PLAN_HEAD_BYTES)))) as Plan
  const kernel = openKernel()
  if (kernel === undefined) return giveUp('this system cannot start programs')
  process.umask(0o077)
  process.chdir(plan.cwd)
  if (!dieWithParent(kernel, plan.house)) return giveUp('Toolpass is gone')
  limitResources(kernel, plan.limits)
  goFirstWhenMemoryEnds()
  leavePowersBehind(kernel)
  gainNoPrivileges(kernel)
  raiseFence(kernel, plan.fence)
  leaveNothingToInherit(kernel)
  execute(kernel, plan.file, plan.args, plan.env)
  return giveUp('the system refused to run the program')
}

/** Where the machine runs out of memory, it is a program that goes, not the house and everybody's connections with it. */
function goFirstWhenMemoryEnds(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '700')
  } catch {
    // No /proc to write to; the kernel chooses by itself.
  }
}

function giveUp(reason: string): never {
  writeSync(2, `toolpass: ${reason}\n`)
  process.exit(CANNOT_RUN)
}

/** Reads no byte more than asked: the rest is the program's first message. */
function readExactly(bytes: number): string {
  const buffer = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; ) {
    const count = readSync(0, buffer, at, bytes - at, null)
    if (count === 0) return giveUp('Toolpass is gone')
    at += count
  }
  return buffer.toString('utf8')
}

/**
 * The guardian of all programs of one house: it holds a pipe to the house and waits for its end. The kernel kills a direct
 * child of ours when we are killed (PDEATHSIG) but not its children; the guardian finds these by session and mark.
 * stdin: `+<session>\n` and `-<session>\n`. It has no event loop to keep, so it may block.
 */
function guardPrograms(houseMark: string): never {
  const sessions = new Set<number>()
  const buffer = Buffer.alloc(4096)
  let rest = ''
  for (;;) {
    const count = readSync(0, buffer, 0, buffer.length, null)
    if (count === 0) break
    const lines = (rest + buffer.toString('latin1', 0, count)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('+')) sessions.add(Number(line.slice(1)))
      else sessions.delete(Number(line.slice(1)))
    }
  }
  if (houseMark.length > 1) killAllNow(sessions, houseMark)
  process.exit(0)
}
