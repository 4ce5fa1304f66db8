/** What Toolpass holds with ten upstreams: at rest after a start, and after two hundred sessions and two hundred thousand calls. */
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { bearer, openSession, prepareHouse, toolNamed } from './house.ts'
import type { Ask } from './load.ts'
import { type Memory, memoryOf } from './proc.ts'
import { startServer } from './processes.ts'
import { callOf } from './requests.ts'
import type { Bench } from './rounds.ts'
import type { FigureId, Values } from './targets.ts'
import { startToolpass } from './toolpass.ts'

const UPSTREAMS = 10
const TOOLS = 20
const SESSIONS = 200
const CALLS = 200_000
/** Where calls are slow, what was reached in this time is told instead, and proves nothing. */
const CALLS_MS_MAX = { quick: 20_000, whole: 90_000 }
/** A heap gives back what it does not need only after a while. */
const REST_MS = { quick: 3_000, whole: 8_000 }
const FOLLOWED_MS_MAX = 180_000
const BYTES = 100

const NOTHING: Memory = { residentMb: Number.NaN, ownMb: Number.NaN }
const shown = ({ residentMb, ownMb }: Memory) => `${residentMb.toFixed(0)} MB resident, ${ownMb.toFixed(0)} MB of them its own`

export async function measureMemory({ scale, load, say }: Bench): Promise<{ values: Values; notes: string[]; incomplete: FigureId[] }> {
  const upstream = await startServer('upstream.ts', '--servers', String(UPSTREAMS), '--tools', String(TOOLS))
  const house = await prepareHouse(upstream.ports, TOOLS)
  const size = scale.isQuick ? 'quick' : 'whole'
  // What signing in and making the house took belongs to nobody who uses it.
  await house.toolpass.stop()
  const { origin, port, pids, stop } = await startToolpass(house.place)
  try {
    const way = bearer(house.token)
    const job = (asks: Ask[], requests: number, ms: number) => ({
      ...{ port, path: house.path, connections: SESSIONS, asks, requests, ms, expect: '', bytesMin: BYTES },
    })
    say('memory: at rest')
    // Each upstream is called once, so that all ten are open.
    const tools = upstream.ports.map((_, at) => toolNamed(house, 'echo', at))
    const once = tools.map((tool) => callOf(way, tool, BYTES))
    await load.run({ ...job(once, UPSTREAMS, 20_000), connections: UPSTREAMS })
    await Bun.sleep(REST_MS[size])
    const idle = memoryOf(pids()) ?? NOTHING

    say(`memory: ${SESSIONS} sessions, ${CALLS} calls`)
    const sessions: Ask[] = []
    for (let at = 0; at < SESSIONS; at += 1) {
      const session = await openSession(origin, house.path, house.token)
      sessions.push(callOf(session, tools[at % tools.length] ?? '', BYTES))
    }
    const legacy = await load.run(job(sessions, CALLS / 2, CALLS_MS_MAX[size] / 2))
    const modern = await load.run(job(once, CALLS / 2, CALLS_MS_MAX[size] / 2))
    const busy = memoryOf(pids()) ?? NOTHING
    await Bun.sleep(REST_MS[size])
    const soon = memoryOf(pids()) ?? NOTHING
    say('memory: until its calls are counted and indexed')
    await followed(house.place.folder)
    await Bun.sleep(REST_MS[size])
    const used = memoryOf(pids()) ?? NOTHING
    const done = legacy.done + modern.done
    return {
      values: { memoryIdle: idle.residentMb, memoryUsed: used.residentMb },
      notes: [
        `memory at rest: ${shown(idle)}`,
        `memory after ${SESSIONS} sessions and ${done} calls: ${shown(used)}; right after the last call ${shown(busy)}, ${REST_MS[size] / 1_000} s later, still counting and indexing, ${shown(soon)}`,
      ],
      incomplete: done < CALLS ? ['memoryUsed'] : [],
    }
  } finally {
    await stop()
    await upstream.stop()
    house.remove()
  }
}

/** Calls are counted and indexed after they were answered, at leisure. */
async function followed(folder: string): Promise<void> {
  const db = new Database(join(folder, 'toolpass.db'), { readonly: true })
  const left = db.query<{ left: number }, []>(
    "SELECT coalesce((SELECT max(seq) FROM audit_rows), 0) - coalesce((SELECT seq FROM audit_cursors WHERE id = 'derived'), 0) AS left",
  )
  try {
    const until = performance.now() + FOLLOWED_MS_MAX
    while ((left.get()?.left ?? 0) > 0 && performance.now() < until) await Bun.sleep(250)
  } finally {
    db.close()
  }
}
