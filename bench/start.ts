/** From the start of the executable, on a data folder that it left behind, to its first whole answer to tools/list. */
import { bearer, prepareHouse } from './house.ts'
import type { Ask } from './load.ts'
import { startServer, stop } from './processes.ts'
import { listOf } from './requests.ts'
import { type Bench, median } from './rounds.ts'
import type { Values } from './targets.ts'
import { launchToolpass, type Place } from './toolpass.ts'

const UPSTREAMS = 10
const TOOLS = 20
const PATIENCE_MS = 20_000
const STARTS = { quick: 5, whole: 11 }

async function startOnce(place: Place, path: string, { headers, body }: Ask, expect: string): Promise<number> {
  const began = performance.now()
  const child = launchToolpass(place)
  try {
    for (;;) {
      const text = await fetch(`http://localhost:${place.port}${path}`, { method: 'POST', headers, body }).then(
        (response) => (response.ok ? response.text() : Promise.reject(new Error(`tools/list answered ${response.status}`))),
        // Nobody listens yet.
        () => undefined,
      )
      const ms = performance.now() - began
      if (text?.includes(expect)) return ms
      if (text !== undefined) throw new Error(`the first list lacks ${expect}: ${text.slice(0, 400)}`)
      if (ms > PATIENCE_MS) throw new Error('Toolpass did not start')
      await Bun.sleep(1)
    }
  } finally {
    await stop(child)
  }
}

export async function measureStart({ scale, say }: Bench): Promise<{ values: Values; notes: string[] }> {
  const upstream = await startServer('upstream.ts', '--servers', String(UPSTREAMS), '--tools', String(TOOLS))
  const house = await prepareHouse(upstream.ports, TOOLS)
  try {
    await house.toolpass.stop()
    const times: number[] = []
    const starts = scale.isQuick ? STARTS.quick : STARTS.whole
    for (let at = 0; at < starts; at += 1) {
      say(`start: ${at + 1} of ${starts}`)
      times.push(await startOnce(house.place, house.path, listOf(bearer(house.token)), `"${house.tools.at(-1)}"`))
    }
    const [least, greatest] = [Math.min(...times), Math.max(...times)].map((ms) => ms.toFixed(0))
    return { values: { start: median(times) }, notes: [`start: ${starts} starts, ${least} to ${greatest} ms`] }
  } finally {
    await upstream.stop()
    house.remove()
  }
}
