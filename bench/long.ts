/** A long run at a steady pace: what Toolpass holds at its end against what it held when it had warmed up. */
import { bearer, openSession, prepareHouse, toolNamed } from './house.ts'
import { type Memory, memoryOf } from './proc.ts'
import { startServer } from './processes.ts'
import { callOf, listOf } from './requests.ts'
import { type Bench, median } from './rounds.ts'

const TOOLS = 20
const UPSTREAMS = 10
const BYTES = 100
/** Each call leaves a row in the file, so the pace is what a disk bears for long. */
const CALLS_PER_SECOND = 1_500
const LISTS_PER_SECOND = 10
/** Beyond a fifth of the run, by how much it may differ from noise. */
const GROWN_MB_MAX = 8

export type LongRun = {
  minutes: number
  calls: number
  sessions: number
  samples: (Memory & { second: number })[]
  grownMb: number
  grows: boolean
}

/** New sessions all the while, reading and writing calls, lists; the memory once a second. */
export async function runLong({ load, say }: Bench, minutes: number): Promise<LongRun> {
  const upstream = await startServer('upstream.ts', '--servers', String(UPSTREAMS), '--tools', String(TOOLS))
  const house = await prepareHouse(upstream.ports, TOOLS)
  try {
    const { origin, port, pids } = house.toolpass
    const way = bearer(house.token)
    const base = { port, path: house.path, connections: 16, ms: 1_000, expect: '', bytesMin: BYTES }
    const samples: LongRun['samples'] = []
    let [calls, sessions] = [0, 0]
    const began = performance.now()
    for (let turn = 0; performance.now() - began < minutes * 60_000; turn += 1) {
      const session = await openSession(origin, house.path, house.token)
      sessions += 1
      const asks = ['echo', 'echo_write']
        .map((name) => toolNamed(house, name))
        .flatMap((tool) => [way, session].map((each) => callOf(each, tool, BYTES)))
      calls += (await load.run({ ...base, asks, requests: CALLS_PER_SECOND })).done
      await load.run({ ...base, asks: [listOf(way)], requests: LISTS_PER_SECOND, connections: 1 })
      const memory = memoryOf(pids())
      if (!memory) throw new Error('there is no /proc here to read the memory from')
      const second = Math.round((performance.now() - began) / 1_000)
      samples.push({ second, ...memory })
      if (turn % 30 === 0)
        say(`long: ${second} s, ${calls} calls, ${memory.residentMb.toFixed(0)} MB resident, ${memory.ownMb.toFixed(0)} MB its own`)
      await Bun.sleep(Math.max(0, (turn + 1) * 1_000 - (performance.now() - began)))
    }
    const fifth = Math.max(1, Math.floor(samples.length / 5))
    const heldIn = (from: number) => median(samples.slice(from * fifth, (from + 1) * fifth).map(({ ownMb }) => ownMb))
    const grownMb = heldIn(4) - heldIn(1)
    return { minutes, calls, sessions, samples, grownMb, grows: grownMb > GROWN_MB_MAX }
  } finally {
    await house.toolpass.stop()
    await upstream.stop()
    house.remove()
  }
}
