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
/** One that hides nothing of what is in between, and two as they are really written. */
const PROGRAMS = [
  { figure: 'program', what: 'a program that does the least', file: path('stdio-upstream.ts') },
  { figure: 'programSdk', what: 'a program on the SDK, 2025-11-25', file: path('stdio-sdk.ts') },
  { figure: 'programSdk2', what: 'a program on the SDK, 2026-07-28', file: path('stdio-sdk-2.ts') },
] as const
const IN_FLIGHT = 16
const BYTES = 100

export async function measureStdio(bench: Bench): Promise<{ values: Values; notes: string[] }> {
  const bridge = await startServer('stdio-pass-through.ts', process.execPath, PROGRAMS[0].file)
  const house = await prepareHouse(
    PROGRAMS.map(({ file }) => [file]),
    1,
  )
  try {
    const { port, pids } = house.toolpass
    const bounds = { requests: 1e9, ms: bench.scale.ms }
    const http = { ...bounds, connections: IN_FLIGHT, expect: '', bytesMin: BYTES }
    const way = bearer(house.token)
    const plain = callOf({ headers: {}, isLegacy: false }, 'echo', BYTES)
    const taken = await takeTurns(bench, 'stdio', [
      ...PROGRAMS.flatMap(({ what, file }, at) => [
        {
          key: `direct, ${what}`,
          job: { ...bounds, command: [process.execPath, file], body: lineOf('echo', BYTES), inFlight: IN_FLIGHT },
          pids: () => [],
        },
        {
          key: `Toolpass, ${what}`,
          job: { ...http, port, path: house.path, asks: [callOf(way, toolNamed(house, 'echo', at), BYTES)] },
          // Of the process itself: what the program needs is its own.
          pids: () => pids().slice(0, 1),
        },
      ]),
      { key: 'Bun pass-through', job: { ...http, port: bridge.port, path: '/', asks: [plain] }, pids: bridge.pids },
    ])
    const perSecond = (key: string) => `${taken.median(key, ({ callsPerSecond }) => callsPerSecond).toFixed(0)} calls/s`
    const cpu = (key: string) => `${taken.median(key, ({ cpuUsPerCall }) => cpuUsPerCall).toFixed(0)} µs of its own CPU`
    return {
      values: Object.fromEntries(PROGRAMS.map(({ figure, what }) => [figure, taken.ratio(`Toolpass, ${what}`, `direct, ${what}`)])),
      notes: [
        ...taken.failures,
        ...PROGRAMS.map(
          ({ what }) =>
            `stdio, ${what}: ${perSecond(`direct, ${what}`)} direct, ${perSecond(`Toolpass, ${what}`)} through Toolpass with ${cpu(`Toolpass, ${what}`)} a call`,
        ),
        `stdio, the least on Bun in between: ${perSecond('Bun pass-through')}`,
      ],
    }
  } finally {
    await house.toolpass.stop()
    await bridge.stop()
    house.remove()
  }
}
