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

const path = (file: string) => join(import.meta.dir, file)
/** The figure is that of the first: the other hides what is in between behind its own cost. */
const PROGRAMS = { bare: path('stdio-upstream.ts'), sdk: path('stdio-sdk.ts') }
const IN_FLIGHT = 16
const BYTES = 100

export async function measureStdio(bench: Bench): Promise<{ values: Values; notes: string[] }> {
  const bridge = await startServer('stdio-pass-through.ts', process.execPath, PROGRAMS.bare)
  const house = await prepareHouse([[PROGRAMS.bare], [PROGRAMS.sdk]], 1)
  try {
    const { port, pids } = house.toolpass
    const bounds = { requests: 1e9, ms: bench.scale.ms }
    const http = { ...bounds, connections: IN_FLIGHT, expect: '', bytesMin: BYTES }
    const way = bearer(house.token)
    const direct = (program: string) => ({
      ...{ ...bounds, command: [process.execPath, program], body: lineOf('echo', BYTES), inFlight: IN_FLIGHT },
    })
    const ours = (at: number) => ({ ...http, port, path: house.path, asks: [callOf(way, toolNamed(house, 'echo', at), BYTES)] })
    const plain = callOf({ headers: {}, isLegacy: false }, 'echo', BYTES)
    const taken = await takeTurns(bench, 'stdio', [
      { key: 'direct', job: direct(PROGRAMS.bare), pids: () => [] },
      { key: 'Bun pass-through', job: { ...http, port: bridge.port, path: '/', asks: [plain] }, pids: bridge.pids },
      { key: 'Toolpass', job: ours(0), pids },
      { key: 'direct, SDK', job: direct(PROGRAMS.sdk), pids: () => [] },
      { key: 'Toolpass, SDK', job: ours(1), pids },
    ])
    const perSecond = (key: string) => `${taken.median(key, ({ callsPerSecond }) => callsPerSecond).toFixed(0)} calls/s`
    return {
      values: { program: taken.ratio('Toolpass', 'direct') },
      notes: [
        ...taken.failures,
        `stdio, a program that does the least: ${perSecond('direct')} direct, ${perSecond('Bun pass-through')} through the least on Bun, ${perSecond('Toolpass')} through Toolpass`,
        `stdio, a program on the SDK: ${perSecond('direct, SDK')} direct, ${perSecond('Toolpass, SDK')} through Toolpass, × ${taken.ratio('Toolpass, SDK', 'direct, SDK').toFixed(2)}`,
      ],
    }
  } finally {
    await house.toolpass.stop()
    await bridge.stop()
    house.remove()
  }
}
