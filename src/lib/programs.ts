import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { missingProgram } from './programs/commands.ts'
import { environmentOf, foldersOf, PATH_DEFAULT, type ProgramFolders } from './programs/environment.ts'
import { GUARD_PROGRAMS, PLAN_HEAD_BYTES, type Plan, RUN_PROGRAM } from './programs/entry.ts'
import { landlockVersion } from './programs/fence.ts'
import { type Kernel, openKernel, type ResourceLimits } from './programs/kernel.ts'
import { killAll, killAllNow, MARK_NAME, signalGroup } from './programs/processes.ts'
import { createStdin } from './programs/stdin.ts'
import { createWatch } from './programs/watch.ts'

export { whatItFetches } from './programs/commands.ts'

/** Why a program did not start, in one plain sentence. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
}

export type ProgramToStart = {
  /** A name on the PATH or an absolute path. `javascript` is our own runtime. */
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  /** Names the connection's folders below the data folder. */
  key: string
  /** What it and its children may hold together before they are ended. */
  memoryMb?: number
}
export type Program = {
  pid: number
  stdin: { write(text: string): void; end(): void }
  stdout: ReadableStream<Uint8Array>
  stderr: ReadableStream<Uint8Array>
  /** `because` when it was ended for going beyond a limit: a sentence. */
  exited: Promise<{ code: number | null; signal: string | null; because?: string }>
  /** Stdin closed, SIGTERM, SIGKILL, to the whole group. Settles when no process is left. */
  stop(): Promise<void>
}
export type RunningProgram = { pid: number; key: string; startedAt: number; memoryBytes: number; processes: number; memoryMb: number }
export type Protection = { name: string; active: boolean; detail: string }

export type ProgramsDeps = {
  /** How to start ourselves: `[process.execPath]` compiled, `[process.execPath, '<…>/src/main.ts']` from source. */
  executable: readonly string[]
  dataDir: string
  /** Files and folders of ours outside the data folder: the configuration file, key files. */
  hidden?: readonly string[]
  /** The house's own environment; programs get an allow-list of it. */
  environment: Readonly<Record<string, string | undefined>>
  limits?: Partial<ResourceLimits>
  /** How long a program may take after its stdin closed, and then after SIGTERM, before the next step. */
  patience?: { closedMs: number; terminatedMs: number }
}

const LIMITS: ResourceLimits = { core: 0, processes: 8_192, files: 8_192, fileBytes: 16 * 1024 ** 3, dataBytes: 16 * 1024 ** 3 }
const PATIENCE = { closedMs: 250, terminatedMs: 250 }
const MEMORY_MB_DEFAULT = 2_048
const MEBIBYTE = 1024 * 1024
const KEY = /^[A-Za-z0-9_-]{1,100}$/
/** Package runners that our own runtime can stand in for where they are missing. */
const RUNNERS = new Set(['npx', 'bunx'])

/**
 * Starts programs for connections: each in a session of its own, without a shell, in a clean environment, shut in as far as
 * the system allows. The house starts itself anew, that process takes the restrictions upon itself and then becomes the
 * program (`entry.ts`), so no helper program is needed and nothing of the restricted kind is ever undone.
 */
export function createPrograms(deps: ProgramsDeps) {
  const programsDir = join(deps.dataDir, 'programs')
  mkdirSync(programsDir, { recursive: true, mode: 0o700 })
  const dataDir = realpathSync(deps.dataDir)
  const kernel = openKernel()
  const houseMark = `${Bun.hash(dataDir).toString(36)}.`
  const running = new Map<number, Running>()
  const watch = createWatch(async (pid, because) => {
    const program = running.get(pid)
    if (program === undefined) return
    program.because ??= because
    await killAll(new Set([pid]), program.mark)
  })
  let guardian: ReturnType<typeof startGuardian> | undefined
  let started = 0

  function planFor(what: ProgramToStart, folders: ProgramFolders, mark: string): Plan {
    const env = environmentOf(deps.environment, folders, what.env, { name: MARK_NAME, value: mark })
    // Found on the house's own PATH: a variable of the connection must not make another program of the name it was allowed.
    const { file, args, more } = resolveCommand(what, deps.environment['PATH'] ?? PATH_DEFAULT)
    return {
      house: process.pid,
      file,
      args: [file, ...args],
      env: { ...env, ...more },
      cwd: folders.home,
      fence: { hidden: [dataDir, ...realPaths(deps.hidden ?? [])], own: [join(dataDir, 'programs', what.key)] },
      limits: { ...LIMITS, ...deps.limits },
    }
  }

  async function start(what: ProgramToStart): Promise<Program> {
    if (!KEY.test(what.key)) throw new Error('a program key must be a plain name')
    const folders = foldersOf(join(dataDir, 'programs'), what.key)
    for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 })
    started += 1
    const mark = `${houseMark}${process.pid}-${started}`
    const plan = planFor(what, folders, mark)
    guardian ??= startGuardian(deps.executable, houseMark)
    const child = spawn(deps.executable, kernel, plan, mark)
    guardian.watch(child.pid)
    const stdin = createStdin(child.stdin, () => new ProgramError('The program does not read what it is sent.'))
    const stop = once(() => stopProgram(child, stdin, mark, deps.patience ?? PATIENCE))
    const memoryMb = what.memoryMb ?? MEMORY_MB_DEFAULT
    const program: Running = { mark, stop, key: what.key, startedAt: Date.now(), memoryMb }
    running.set(child.pid, program)
    watch.add(child.pid, mark, memoryMb * MEBIBYTE)
    const exited = child.exited.then(async () => {
      // A program that ended by itself may have left others behind.
      await killAll(new Set([child.pid]), mark)
      running.delete(child.pid)
      watch.remove(child.pid)
      guardian?.forget(child.pid)
      const { signalCode, exitCode } = child
      const how = signalCode === null ? { code: exitCode, signal: null } : { code: null, signal: String(signalCode) }
      return program.because === undefined ? how : { ...how, because: program.because }
    })
    const stopAndSettle = async () => {
      await stop()
      await exited
    }
    return { pid: child.pid, stdin, stdout: child.stdout, stderr: child.stderr, exited, stop: stopAndSettle }
  }

  const sweepNow = () => {
    if (running.size > 0) killAllNow(new Set(running.keys()), `${houseMark}${process.pid}-`)
  }
  process.on('exit', sweepNow)

  return {
    start,
    /** What runs now, with what it and its children hold together. */
    running: async (): Promise<RunningProgram[]> => {
      const sizes = await watch.sizes()
      return [...running].map(([pid, { key, startedAt, memoryMb }]) => {
        const { memoryBytes, processes } = sizes.get(pid) ?? { memoryBytes: 0, processes: 0 }
        return { pid, key, startedAt, memoryMb, memoryBytes, processes }
      })
    },
    /** Which protections hold here, for the page where a program is set up. */
    protections: (): Protection[] => protections(kernel),
    /** Kills what an earlier house with this data folder left behind. Only with the data folder's lock in hand. */
    sweepLeftovers: async (): Promise<void> => void (await killAll(new Set(), houseMark)),
    /** Stops all programs. Settles when none is left. */
    close: async (): Promise<void> => {
      await Promise.all([...running.values()].map(({ stop }) => stop()))
      process.off('exit', sweepNow)
      watch.close()
      guardian?.end()
      guardian = undefined
    },
  }
}
export type Programs = ReturnType<typeof createPrograms>

type Child = ReturnType<typeof spawn>
type Running = { mark: string; stop(): Promise<void>; key: string; startedAt: number; memoryMb: number; because?: string }

function spawn(executable: readonly string[], kernel: Kernel | undefined, plan: Plan, mark: string) {
  const pipes = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', detached: true } as const
  if (kernel === undefined) return Bun.spawn([plan.file, ...plan.args.slice(1)], { ...pipes, cwd: plan.cwd, env: plan.env })
  // Until the fence is up it is our own code that runs, so it starts where no program can put files in its way (a
  // bunfig.toml with a preload, an .env), and with none of the program's variables (BUN_OPTIONS, NODE_OPTIONS).
  const child = Bun.spawn([...executable, RUN_PROGRAM], { ...pipes, cwd: '/', env: { [MARK_NAME]: mark, HOME: '/nonexistent' } })
  const body = Buffer.from(JSON.stringify(plan))
  child.stdin.write(Buffer.concat([Buffer.from(String(body.byteLength).padStart(PLAN_HEAD_BYTES)), body]))
  child.stdin.flush()
  return child
}

/** One small process for the whole house, started with the first program. */
function startGuardian(executable: readonly string[], houseMark: string) {
  const guardian = Bun.spawn([...executable, GUARD_PROGRAMS, `${houseMark}${process.pid}-`], {
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
    cwd: '/',
    env: { HOME: '/nonexistent' },
    detached: true,
  })
  guardian.unref()
  const tell = (line: string) => {
    try {
      guardian.stdin.write(line)
      guardian.stdin.flush()
    } catch {
      // Without its guardian the house runs on; PDEATHSIG and the sweep at the next start remain.
    }
  }
  return {
    watch: (session: number) => tell(`+${session}\n`),
    forget: (session: number) => tell(`-${session}\n`),
    end: () => void Promise.resolve(guardian.stdin.end()).catch(() => {}),
  }
}

async function stopProgram(
  child: Child,
  stdin: Program['stdin'],
  mark: string,
  { closedMs, terminatedMs }: { closedMs: number; terminatedMs: number },
): Promise<void> {
  const gone = child.exited.then(() => true)
  const within = (waitMs: number) => Promise.race([gone, Bun.sleep(waitMs).then(() => false)])
  stdin.end()
  if (!(await within(closedMs))) {
    signalGroup(child.pid, 'SIGTERM')
    await within(terminatedMs)
  }
  // Whoever is left, the program's children included, had its time.
  await killAll(new Set([child.pid]), mark)
  await gone
}

type Resolved = { file: string; args: readonly string[]; more: Record<string, string> }

function resolveCommand({ command, args }: ProgramToStart, path: string): Resolved {
  const ownRuntime = (own: readonly string[]): Resolved => ({ file: process.execPath, args: own, more: { BUN_BE_BUN: '1' } })
  if (command === 'javascript') return ownRuntime(args)
  if (command.includes('/') && !isAbsolute(command)) throw new ProgramError(`“${command}” must be a name or a full path.`)
  const file = Bun.which(command, { PATH: path })
  if (file !== null) return { file, args, more: {} }
  if (RUNNERS.has(command)) return ownRuntime(['x', '--bun', ...args.filter((arg, at) => !isYes(arg) || at > firstPackage(args))])
  throw new ProgramError(missingProgram(command))
}

const isYes = (arg: string): boolean => arg === '-y' || arg === '--yes'
/** Options before the package are the runner's, behind it the server's. */
const firstPackage = (args: readonly string[]): number => args.findIndex((arg) => !arg.startsWith('-'))

function realPaths(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    try {
      return [realpathSync(path)]
    } catch {
      return []
    }
  })
}

function protections(kernel: Kernel | undefined): Protection[] {
  const landlock = kernel === undefined ? 0 : landlockVersion(kernel)
  const shutIn = kernel !== undefined
  const measured = existsSync('/proc/self/status')
  const without = (what: string) => `${what} This system offers no such protection.`
  return [
    { name: 'No shell', active: true, detail: 'Arguments reach the program as they are.' },
    {
      name: 'Clean environment',
      active: true,
      detail: 'It sees the variables of its connection, a home and a temporary folder of its own, and nothing of Toolpass.',
    },
    {
      name: 'Files of Toolpass out of reach',
      active: landlock >= 1,
      detail:
        landlock >= 1
          ? 'The data folder and the folders of other programs cannot be opened (Landlock). Other files of this account can.'
          : without('The data folder should not be open to it.'),
    },
    {
      name: 'No signals to other programs',
      active: landlock >= 6,
      detail: landlock >= 6 ? 'It can end nothing but its own children.' : without('It should end nothing but its own children.'),
    },
    {
      name: 'No new privileges',
      active: shutIn,
      detail: shutIn ? 'Programs that run with more rights for everybody gain none from it.' : without('It should gain no rights.'),
    },
    {
      name: 'Limit on memory and processes',
      active: measured,
      detail: measured
        ? 'It is ended when it and its children hold more memory than its connection allows, or are too many.'
        : without('It should be ended when it grows too large.'),
    },
    {
      name: 'Limits on files',
      active: shutIn,
      detail: shutIn
        ? 'Open files and the size of a file are bounded; what it makes is for this account only.'
        : without('Open files should be bounded.'),
    },
    {
      name: 'Ends with Toolpass',
      active: shutIn,
      detail: shutIn
        ? 'Also when Toolpass is killed: a guardian process ends what is left, children included.'
        : without('It should not outlive Toolpass.'),
    },
  ]
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= work()
    return running
  }
}
