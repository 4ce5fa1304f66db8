/** tools/list of 200 tools over 10 upstreams, at one connection. */
import { bearer, prepareHouse } from './house.ts'
import { startServer } from './processes.ts'
import { listOf } from './requests.ts'
import { type Bench, takeTurns } from './rounds.ts'
import type { Values } from './targets.ts'

const UPSTREAMS = 10
const TOOLS = 20
/** A definition as the upstream sends it is longer. */
const TOOL_BYTES_MIN = 200

export async function measureLists(bench: Bench): Promise<{ values: Values; notes: string[] }> {
  const upstream = await startServer('upstream.ts', '--servers', String(UPSTREAMS), '--tools', String(TOOLS))
  const house = await prepareHouse(upstream.ports, TOOLS)
  try {
    const { port, pids } = house.toolpass
    if (house.tools.length !== UPSTREAMS * TOOLS) throw new Error(`${house.tools.length} tools are listed, not ${UPSTREAMS * TOOLS}`)
    const job = {
      ...{ port, path: house.path, connections: 1, requests: 1e9, ms: bench.scale.ms, asks: [listOf(bearer(house.token))] },
      ...{ expect: `"${house.tools.at(-1)}"`, bytesMin: house.tools.length * TOOL_BYTES_MIN },
    }
    const taken = await takeTurns(bench, 'tools/list', [{ key: 'list', job, pids }])
    return { values: { list: taken.median('list', ({ p50Us }) => p50Us) / 1_000 }, notes: taken.failures }
  } finally {
    await house.toolpass.stop()
    await upstream.stop()
    house.remove()
  }
}
