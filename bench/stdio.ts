/** A program as the upstream: spoken to over its pipe with 16 requests in flight, against the same through Toolpass. */
import { join } from 'node:path'
import { bearer, prepareHouse, toolNamed } from './house.ts'
import { callOf, lineOf } from './requests.ts'
import { type Bench, takeTurns } from './rounds.ts'
import type { Values } from './targets.ts'

const PROGRAM = join(import.meta.dir, 'stdio-upstream.ts')
const IN_FLIGHT = 16
const BYTES = 100

export async function measureStdio(bench: Bench): Promise<{ values: Values; notes: string[] }> {
  const house = await prepareHouse([[PROGRAM]], 1)
  try {
    const { port, pids } = house.toolpass
    const bounds = { requests: 1e9, ms: bench.scale.ms }
    const ours = {
      ...{ ...bounds, port, path: house.path, connections: IN_FLIGHT, expect: '', bytesMin: BYTES },
      asks: [callOf(bearer(house.token), toolNamed(house, 'echo'), BYTES)],
    }
    const direct = { ...bounds, command: [process.execPath, PROGRAM], body: lineOf('echo', BYTES), inFlight: IN_FLIGHT }
    const taken = await takeTurns(bench, 'stdio', [
      { key: 'direct', job: direct, pids: () => [] },
      { key: 'ours', job: ours, pids },
    ])
    const perSecond = (key: string) => taken.median(key, ({ callsPerSecond }) => callsPerSecond).toFixed(0)
    return {
      values: { program: taken.ratio('ours', 'direct') },
      notes: [...taken.failures, `stdio: ${perSecond('direct')} calls/s direct, ${perSecond('ours')} through Toolpass`],
    }
  } finally {
    await house.toolpass.stop()
    house.remove()
  }
}
