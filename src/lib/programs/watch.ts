import { readFileSync } from 'node:fs'
import { markOf, namesInProc, statOf } from './processes.ts'

const EVERY_MS = 2_000
/** So many processes are looked at before the house gets its turn again. */
const SLICE = 40
const PROCESSES_MAX = 512
const MEBIBYTE = 1024 * 1024

export type Size = { memoryBytes: number; processes: number }
type Watched = { mark: string; memoryBytesMax: number }

/**
 * Measures programs with all their children, and tells of one that grows beyond its limit. The kernel's own limits
 * (`setrlimit`) count address space of a single process, of which a JavaScript runtime reserves gigabytes that it never
 * touches, and a cgroup can be made in few of the places where Toolpass runs. So what is really held is summed up instead.
 */
export function createWatch(onOver: (session: number, because: string) => Promise<void>) {
  const watched = new Map<number, Watched>()
  // Which program a process belongs to does not change while it lives; the start time tells a pid that is used again.
  let belongs = new Map<string, number>()
  let timer: ReturnType<typeof setInterval> | undefined
  let isLooking = false

  /** 0 for a process that is nobody's; undefined for one of a program that is not known yet. */
  const ownerOf = (pid: number, session: number, byMark: ReadonlyMap<string, number>): number | undefined => {
    if (watched.has(session)) return session
    const mark = markOf(pid)
    return mark === '' ? 0 : byMark.get(mark)
  }

  async function sizes(): Promise<Map<number, Size>> {
    const found = new Map<number, Size>([...watched.keys()].map((session) => [session, { memoryBytes: 0, processes: 0 }]))
    const byMark = new Map([...watched].map(([session, { mark }]) => [mark, session]))
    const seen = new Map<string, number>()
    let count = 0
    for (const name of namesInProc()) {
      const pid = Number(name)
      if (!Number.isInteger(pid) || pid === process.pid) continue
      count += 1
      if (count % SLICE === 0) await Bun.sleep(0)
      const stat = statOf(pid)
      if (stat === undefined || stat.dead) continue
      const life = `${pid}:${stat.startTicks}:${stat.session}`
      const owner = belongs.get(life) ?? ownerOf(pid, stat.session, byMark)
      if (owner === undefined) continue
      seen.set(life, owner)
      const size = found.get(owner)
      if (size === undefined) continue
      size.processes += 1
      size.memoryBytes += heldBy(pid)
    }
    belongs = seen
    return found
  }

  async function look(): Promise<void> {
    for (const [session, { memoryBytes, processes }] of await sizes()) {
      const { memoryBytesMax = Number.POSITIVE_INFINITY } = watched.get(session) ?? {}
      if (memoryBytes > memoryBytesMax)
        await onOver(session, `It held more than ${Math.round(memoryBytesMax / MEBIBYTE)} MB of memory and was ended.`)
      else if (processes > PROCESSES_MAX) await onOver(session, `It started more than ${PROCESSES_MAX} processes and was ended.`)
    }
  }

  return {
    sizes,
    add(session: number, mark: string, memoryBytesMax: number): void {
      watched.set(session, { mark, memoryBytesMax })
      timer ??= setInterval(() => {
        if (isLooking) return
        isLooking = true
        look()
          .catch(() => undefined)
          .finally(() => {
            isLooking = false
          })
      }, EVERY_MS)
      timer.unref()
    },
    remove(session: number): void {
      watched.delete(session)
      if (watched.size === 0) stop()
    },
    close: stop,
  }
  function stop(): void {
    clearInterval(timer)
    timer = undefined
    belongs.clear()
  }
}

/** What is its own: memory without a file behind it, and shared memory. The pages of the program itself cost nothing twice. */
function heldBy(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    return (kibibytes('RssAnon') + kibibytes('RssShmem')) * 1024
  } catch {
    return 0
  }
}
