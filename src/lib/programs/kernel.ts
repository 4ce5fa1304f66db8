import { dlopen, FFIType, ptr } from 'bun:ffi'

/** The few system calls that the sandbox needs, on Linux only. One symbol keeps the cost of bun:ffi below a millisecond. */
export type Kernel = {
  /** Returns the result, or -1. Pointers are passed as numbers. */
  call(name: SystemCall, ...values: number[]): number
  /** A zero-terminated string; keep the buffer referenced until the call is over. */
  text(value: string): Buffer<ArrayBuffer>
}
type SystemCall = keyof (typeof NUMBERS)['x64']

const NUMBERS = {
  x64: {
    execve: 59,
    getppid: 110,
    prctl: 157,
    rtSigaction: 13,
    rtSigprocmask: 14,
    prlimit64: 302,
    closeRange: 436,
    createRuleset: 444,
    addRule: 445,
    restrictSelf: 446,
  },
  arm64: {
    execve: 221,
    getppid: 173,
    prctl: 167,
    rtSigaction: 134,
    rtSigprocmask: 135,
    prlimit64: 261,
    closeRange: 436,
    createRuleset: 444,
    addRule: 445,
    restrictSelf: 446,
  },
} as const

const LIBRARIES = ['libc.so.6', 'libc.so', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1']

/** Undefined where there is no such kernel or the C library does not load: then nothing is shut in, and the pages say so. */
export function openKernel(): Kernel | undefined {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return undefined
  const numbers = NUMBERS[process.arch]
  const library = loadLibrary()
  if (library === undefined) return undefined
  const { syscall } = library.symbols
  return {
    call: (name, ...[a = 0, b = 0, c = 0, d = 0, e = 0]) => Number(syscall(numbers[name], a, b, c, d, e)),
    text: (value) => Buffer.from(`${value}\0`),
  }
}

function loadLibrary() {
  const args = [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64]
  for (const name of LIBRARIES) {
    try {
      return dlopen(name, { syscall: { args, returns: FFIType.i64 } })
    } catch {
      // Another C library, another name.
    }
  }
  return undefined
}

/** Replaces this process by a program. Returns only when the kernel refuses. */
export function execute(kernel: Kernel, file: string, args: readonly string[], env: Record<string, string>): void {
  const path = kernel.text(file)
  const argv = pointers(kernel, args)
  const envp = pointers(
    kernel,
    Object.entries(env).map(([name, value]) => `${name}=${value}`),
  )
  kernel.call('execve', ptr(path), ptr(argv.table), ptr(envp.table))
  // Reached on failure only; the buffers had to live until here.
  void [path, argv, envp]
}

function pointers(kernel: Kernel, values: readonly string[]) {
  const buffers = values.map((value) => kernel.text(value))
  const table = new BigUint64Array(buffers.length + 1)
  buffers.forEach((buffer, at) => {
    table[at] = BigInt(ptr(buffer))
  })
  return { table, buffers }
}

const PR_SET_PDEATHSIG = 1
const PR_SET_NO_NEW_PRIVS = 38
const SIGKILL = 9

/** The kernel kills us when our parent dies. It may have died just before, so the parent is looked at afterwards. */
export function dieWithParent(kernel: Kernel, parentPid: number): boolean {
  return kernel.call('prctl', PR_SET_PDEATHSIG, SIGKILL) === 0 && kernel.call('getppid') === parentPid
}

/** No setuid program may give back what the sandbox takes; Landlock demands it as well. */
export const gainNoPrivileges = (kernel: Kernel): boolean => kernel.call('prctl', PR_SET_NO_NEW_PRIVS, 1) === 0

const PR_CAPBSET_DROP = 24
const CAPABILITIES = 41
/** chown, dac_override, fowner, fsetid: what root needs to use files that belong to others, as in a container's volumes. */
const CAPABILITIES_KEPT = new Set([0, 1, 3, 4])

/**
 * In a house that runs as root its programs would run as root too, past the fence: reading our memory (perfmon, ptrace), raw
 * disks (mknod), mounts. What leaves the bounding set is gone with the `execve` that follows. Fails harmlessly for others.
 */
export function leavePowersBehind(kernel: Kernel): void {
  for (let capability = 0; capability < CAPABILITIES; capability += 1)
    if (!CAPABILITIES_KEPT.has(capability)) kernel.call('prctl', PR_CAPBSET_DROP, capability)
}

const RESOURCES = { fileBytes: 1, dataBytes: 2, core: 4, processes: 6, files: 7 } as const
export type ResourceLimits = Record<keyof typeof RESOURCES, number>

/** Lowers limits, never raises one: a stricter one of the system stays. */
export function limitResources(kernel: Kernel, limits: ResourceLimits): boolean {
  return (Object.keys(RESOURCES) as (keyof ResourceLimits)[]).every((name) => {
    const current = new BigUint64Array(2)
    if (kernel.call('prlimit64', 0, RESOURCES[name], 0, ptr(current)) !== 0) return false
    const wanted = BigInt(limits[name])
    const hard = current[1] as bigint
    const lowered = wanted < hard ? wanted : hard
    return kernel.call('prlimit64', 0, RESOURCES[name], ptr(new BigUint64Array([lowered, lowered])), 0) === 0
  })
}

const SIGPIPE = 13
const SIG_SETMASK = 2
const SIGNAL_SET_BYTES = 8
const CLOSE_RANGE_CLOEXEC = 4
const FIRST_OWN_FD = 3
const FD_MAX = 0xffff_ffff

/** Ignored signals, the signal mask and open files outlive `execve`; a program expects to start without ours. */
export function leaveNothingToInherit(kernel: Kernel): void {
  kernel.call('rtSigaction', SIGPIPE, ptr(new Uint8Array(64)), 0, SIGNAL_SET_BYTES)
  kernel.call('rtSigprocmask', SIG_SETMASK, ptr(new Uint8Array(SIGNAL_SET_BYTES)), 0, SIGNAL_SET_BYTES)
  kernel.call('closeRange', FIRST_OWN_FD, FD_MAX, CLOSE_RANGE_CLOEXEC)
}
