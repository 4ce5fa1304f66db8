/** tools/call: direct, through nginx, through the least that Bun can do, and through Toolpass, side by side. */
import { bearer, type House, openSession, prepareHouse, toolNamed } from './house.ts'
import { startNginx } from './nginx.ts'
import { startServer, type Started } from './processes.ts'
import { callOf, type Way } from './requests.ts'
import { type Bench, type Course, type Taken, takeTurns } from './rounds.ts'
import type { Values } from './targets.ts'

const SMALL = 100
const LARGE = 100_000
const UPSTREAM_TOOLS = 20

type Leg = { name: string; port: number; path: string; way: Way; tool: string; pids(): number[]; on: readonly string[] }
type Load = { connections: number; bytes: number; ms: number }
export type Row = { leg: string; load: string; callsPerSecond: number; p50Us: number; p99Us: number; cpuUsPerCall: number }

/** Which loads each leg takes part in. Latencies at one connection come from several samples, hence the shorter time. */
const loadsOf = (ms: number): Record<string, Load> => ({
  '1 connection': { connections: 1, bytes: SMALL, ms: ms * 0.7 },
  '16 connections': { connections: 16, bytes: SMALL, ms },
  '64 connections': { connections: 64, bytes: SMALL, ms },
  '200 connections': { connections: 200, bytes: SMALL, ms },
  '16 connections, 100 KB': { connections: 16, bytes: LARGE, ms: ms * 0.8 },
})
const ALL = Object.keys(loadsOf(0))
const EXCEPT_MANY = ALL.filter((load) => load !== '200 connections')
const EVERY_REQUEST = 1e9

function coursesOf(legs: readonly Leg[], ms: number, accepted: () => Promise<number>): Course[] {
  return Object.entries(loadsOf(ms)).flatMap(([load, { connections, bytes, ms: jobMs }]) =>
    legs
      .filter(({ on }) => on.includes(load))
      .map(({ name, port, path, way, tool, pids }) => ({
        key: `${name}, ${load}`,
        pids,
        beside: accepted,
        job: {
          ...{ port, path, connections, requests: EVERY_REQUEST, ms: jobMs, expect: '', bytesMin: bytes },
          asks: [callOf(way, tool, bytes)],
        },
      })),
  )
}

async function legsOf(upstream: Started, nginx: Started | undefined, proxy: Started, house: House): Promise<Leg[]> {
  const plain = { path: '/mcp', tool: 'echo', way: { headers: {}, isLegacy: false }, on: EXCEPT_MANY }
  const { toolpass, path, token } = house
  const { port, pids } = toolpass
  const reading = toolNamed(house, 'echo')
  const ours = { port, pids, path, way: bearer(token), tool: reading }
  return [
    { ...plain, name: 'direct', ...upstream },
    ...(nginx ? [{ ...plain, name: 'nginx', ...nginx, on: ALL }] : []),
    { ...plain, name: 'Bun pass-through', ...proxy },
    { ...ours, name: 'Toolpass, reads', on: ALL },
    { ...ours, name: 'Toolpass, writes', tool: toolNamed(house, 'echo_write'), on: ALL },
    { ...ours, name: 'Toolpass, 2025-11-25', way: await openSession(toolpass.origin, path, token), on: ['1 connection', '16 connections'] },
  ]
}

function valuesFrom(taken: Taken, withNginx: boolean): Values {
  const [R, W] = ['Toolpass, reads', 'Toolpass, writes'] as const
  const toNginx = (leg: string, load: string) => taken.ratio(`${leg}, ${load}`, `nginx, ${load}`)
  const cpu = (leg: string) =>
    taken.sum(`${leg}, 16 connections`, ({ cpuUsPerCall, done }) => cpuUsPerCall * done) /
    taken.sum(`${leg}, 16 connections`, ({ done }) => done)
  const added = (leg: string, of: 'p50Us' | 'p99Us') =>
    taken.difference(`${leg}, 1 connection`, 'direct, 1 connection', (sample) => sample[of]) / 1_000
  const many = (leg: string) => taken.ratio(`${leg}, 200 connections`, `${leg}, 64 connections`)
  return {
    ...(withNginx && {
      calls16: toNginx(R, '16 connections'),
      calls16Write: toNginx(W, '16 connections'),
      calls64: toNginx(R, '64 connections'),
      calls64Write: toNginx(W, '64 connections'),
      large: toNginx(R, '16 connections, 100 KB'),
      largeWrite: toNginx(W, '16 connections, 100 KB'),
    }),
    cpu: cpu(R),
    cpuWrite: cpu(W),
    addedP50: added(R, 'p50Us'),
    addedP50Write: added(W, 'p50Us'),
    addedP99: added(R, 'p99Us'),
    addedP99Write: added(W, 'p99Us'),
    many: many(R),
    manyWrite: many(W),
    newConnections:
      (taken.sum(`${R}, 200 connections`, ({ beside }) => beside) * 1_000) / taken.sum(`${R}, 200 connections`, ({ done }) => done),
    legacy: taken.ratio('Toolpass, 2025-11-25, 16 connections', `${R}, 16 connections`),
  }
}

const rowsFrom = (taken: Taken, legs: readonly Leg[]): Row[] =>
  ALL.flatMap((load) =>
    legs
      .map(({ name }) => ({ name, key: `${name}, ${load}` }))
      .filter(({ key }) => taken.has(key))
      .map(({ name, key }) => ({
        leg: name,
        load,
        callsPerSecond: taken.median(key, (sample) => sample.callsPerSecond),
        p50Us: taken.median(key, (sample) => sample.p50Us),
        p99Us: taken.median(key, (sample) => sample.p99Us),
        cpuUsPerCall: taken.median(key, (sample) => sample.cpuUsPerCall),
      })),
  )

function newConnectionsNote(taken: Taken): string {
  const loads = ['16 connections', '64 connections', '200 connections'].filter((load) => taken.has(`Toolpass, reads, ${load}`))
  const at = loads.map((load) => {
    const key = `Toolpass, reads, ${load}`
    return `${((taken.sum(key, ({ beside }) => beside) * 1_000) / taken.sum(key, ({ done }) => done)).toFixed(2)} with ${load}`
  })
  return `new upstream connections per 1,000 calls: ${at.join(', ')}`
}

export async function measureCalls(bench: Bench): Promise<{ values: Values; rows: Row[]; notes: string[] }> {
  const upstream = await startServer('upstream.ts', '--tools', String(UPSTREAM_TOOLS))
  const nginx = await startNginx(upstream.port)
  const proxy = await startServer('pass-through.ts', `http://127.0.0.1:${upstream.port}/mcp`)
  const house = await prepareHouse([upstream.port], UPSTREAM_TOOLS)
  try {
    const accepted = async () => ((await (await fetch(`http://127.0.0.1:${upstream.port}/stats`)).json()) as { accepted: number }).accepted
    const legs = await legsOf(upstream, nginx, proxy, house)
    const taken = await takeTurns(bench, 'calls', coursesOf(legs, bench.scale.ms, accepted))
    return {
      values: valuesFrom(taken, nginx !== undefined),
      rows: rowsFrom(taken, legs),
      notes: [
        ...taken.failures,
        newConnectionsNote(taken),
        ...(nginx ? [] : ['nginx is not installed: what is measured against it is left out']),
      ],
    }
  } finally {
    for (const each of [house.toolpass, proxy, nginx, upstream]) await each?.stop()
    house.remove()
  }
}
