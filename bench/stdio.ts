/**
 * A program as the upstream: spoken to over its pipe with 16 requests in flight, against the same over 16 connections through
 * Toolpass, and for comparison through the least that Bun can do in between.
 */
import { join } from 'node:path'
import { bearer, prepareHouse, toolNamed } from './house.ts'
import { startServer } from './processes.ts'
import { callOf, lineOf } from './requests.ts'
import { type Bench, takeTurns } from './rounds.ts'
import type { Values } from './targets.ts'

const PROGRAM = join(import.meta.dir, 'stdio-upstream.ts')
const IN_FLIGHT = 16
const BYTES = 100

export async function measureStdio(bench: Bench): Promise<{ values: Values; notes: string[] }> {
  const command = [process.execPath, PROGRAM]
  const bridge = await startServer('stdio-pass-through.ts', ...command)
  const house = await prepareHouse([[PROGRAM]], 1)
  try {
    const { port, pids } = house.toolpass
    const bounds = { requests: 1e9, ms: bench.scale.ms }
    const http = { ...bounds, connections: IN_FLIGHT, expect: '', bytesMin: BYTES }
    const plain = callOf({ headers: {}, isLegacy: false }, 'echo', BYTES)
    const ours = callOf(bearer(house.token), toolNamed(house, 'echo'), BYTES)
    const taken = await takeTurns(bench, 'stdio', [
      { key: 'direct', job: { ...bounds, command, body: lineOf('echo', BYTES), inFlight: IN_FLIGHT }, pids: () => [] },
      { key: 'Bun pass-through', job: { ...http, port: bridge.port, path: '/', asks: [plain] }, pids: bridge.pids },
      { key: 'Toolpass', job: { ...http, port, path: house.path, asks: [ours] }, pids },
    ])
    const shown = ['direct', 'Bun pass-through', 'Toolpass'].map(
      (key) => `${taken.median(key, ({ callsPerSecond }) => callsPerSecond).toFixed(0)} ${key}`,
    )
    return { values: { program: taken.ratio('Toolpass', 'direct') }, notes: [...taken.failures, `stdio, calls/s: ${shown.join(', ')}`] }
  } finally {
    await house.toolpass.stop()
    await bridge.stop()
    house.remove()
  }
}
