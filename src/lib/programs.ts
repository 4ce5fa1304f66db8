import { mkdirSync, realpathSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { environmentOf, foldersOf, type ProgramFolders } from './programs/environment.ts'
import { GUARD_PROGRAMS, PLAN_HEAD_BYTES, type Plan, RUN_PROGRAM } from './programs/entry.ts'
import { landlockVersion } from './programs/fence.ts'
import { type Kernel, openKernel, type ResourceLimits } from './programs/kernel.ts'
import { killAll, killAllNow, MARK_NAME, signalGroup } from './programs/processes.ts'

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
}
export type Program = {
  pid: number
  stdin: { write(text: string): void; end(): void }
  stdout: ReadableStream<Uint8Array>
  stderr: ReadableStream<Uint8Array>
  exited: Promise<{ code: number | null; signal: string | null }>
  /** Stdin closed, SIGTERM, SIGKILL, to the whole group. Settles when no process is left. */
  stop(): Promise<void>
}
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
/** What a program that does not read its stdin may pile up in our memory. */
const STDIN_PENDING_BYTES_MAX = 32 * 1024 * 1024
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
  const running = new Map<number, { mark: string; stop(): Promise<void> }>()
  let guardian: ReturnType<typeof startGuardian> | undefined
  let started = 0

  function planFor(what: ProgramToStart, folders: ProgramFolders, mark: string): Plan {
    const env = environmentOf(deps.environment, folders, what.env, { name: MARK_NAME, value: mark })
    const { file, args, more } = resolveCommand(what, env['PATH'] ?? '')
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
    const stop = once(() => stopProgram(child, mark, deps.patience ?? PATIENCE))
    running.set(child.pid, { mark, stop })
    const exited = child.exited.then(async () => {
      // A program that ended by itself may have left others behind.
      await killAll(new Set([child.pid]), mark)
      running.delete(child.pid)
      guardian?.forget(child.pid)
      const { signalCode, exitCode } = child
      return signalCode === null ? { code: exitCode, signal: null } : { code: null, signal: String(signalCode) }
    })
    const stopAndSettle = async () => {
      await stop()
      await exited
    }
    return { pid: child.pid, stdin: boundedStdin(child.stdin), stdout: child.stdout, stderr: child.stderr, exited, stop: stopAndSettle }
  }

  const sweepNow = () => {
    if (running.size > 0) killAllNow(new Set(running.keys()), `${houseMark}${process.pid}-`)
  }
  process.on('exit', sweepNow)

  return {
    start,
    /** Which protections hold here, for the page where a program is set up. */
    protections: (): Protection[] => protections(kernel),
    /** Kills what an earlier house with this data folder left behind. Only with the data folder's lock in hand. */
    sweepLeftovers: async (): Promise<void> => void (await killAll(new Set(), houseMark)),
    /** Stops all programs. Settles when none is left. */
    close: async (): Promise<void> => {
      await Promise.all([...running.values()].map(({ stop }) => stop()))
      process.off('exit', sweepNow)
      guardian?.end()
      guardian = undefined
    },
  }
}
export type Programs = ReturnType<typeof createPrograms>

type Child = ReturnType<typeof spawn>

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
  mark: string,
  { closedMs, terminatedMs }: { closedMs: number; terminatedMs: number },
): Promise<void> {
  const gone = child.exited.then(() => true)
  const within = (waitMs: number) => Promise.race([gone, Bun.sleep(waitMs).then(() => false)])
  void Promise.resolve(child.stdin.end()).catch(() => {})
  if (!(await within(closedMs))) {
    signalGroup(child.pid, 'SIGTERM')
    await within(terminatedMs)
  }
  // Whoever is left, the program's children included, had its time.
  await killAll(new Set([child.pid]), mark)
  await gone
}

function boundedStdin(sink: Child['stdin']): Program['stdin'] {
  let pendingBytes = 0
  return {
    write: (text) => {
      const bytes = Buffer.byteLength(text)
      if (pendingBytes + bytes > STDIN_PENDING_BYTES_MAX) throw new ProgramError('The program does not read what it is sent.')
      pendingBytes += bytes
      sink.write(text)
      void Promise.resolve(sink.flush())
        .catch(() => {})
        .then(() => {
          pendingBytes -= bytes
        })
    },
    end: () => void Promise.resolve(sink.end()).catch(() => {}),
  }
}

type Resolved = { file: string; args: readonly string[]; more: Record<string, string> }

function resolveCommand({ command, args }: ProgramToStart, path: string): Resolved {
  const ownRuntime = (own: readonly string[]): Resolved => ({ file: process.execPath, args: own, more: { BUN_BE_BUN: '1' } })
  if (command === 'javascript') return ownRuntime(args)
  if (command.includes('/') && !isAbsolute(command)) throw new ProgramError(`“${command}” must be a name or a full path.`)
  const file = Bun.which(command, { PATH: path })
  if (file !== null) return { file, args, more: {} }
  if (RUNNERS.has(command)) return ownRuntime(['x', '--bun', ...args.filter((arg, at) => !isYes(arg) || at > firstPackage(args))])
  throw new ProgramError(`The program “${command.slice(0, 100)}” is not on this machine.`)
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
  return [
    { name: 'No shell', active: true, detail: 'Arguments reach the program as they are.' },
    { name: 'Clean environment', active: true, detail: 'Only named variables, its own home and temporary folder.' },
    {
      name: 'Files of Toolpass out of reach',
      active: landlock >= 1,
      detail: landlock >= 1 ? `Landlock, version ${landlock}` : 'This system has no Landlock.',
    },
    {
      name: 'No signals to other programs',
      active: landlock >= 6,
      detail: landlock >= 6 ? `Landlock, version ${landlock}` : 'Needs Landlock version 6.',
    },
    { name: 'No new privileges', active: shutIn, detail: 'Programs with the setuid bit gain nothing.' },
    { name: 'Limits', active: shutIn, detail: 'Open files, processes, file size, no core dumps, umask 077.' },
    { name: 'Ends with Toolpass', active: shutIn, detail: 'The kernel, and a guardian process for children of the program.' },
  ]
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= work()
    return running
  }
}
