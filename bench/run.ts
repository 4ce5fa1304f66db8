/**
 * `bun run bench [--quick] [--json FILE]`: what a call costs, direct and through what stands in between, in one run on one
 * machine. Legs take turns, so that whatever else the machine does meets them all; what counts is the ratio. See README.md.
 */
import { writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import type { Job } from './load.ts'
import { startNginx } from './nginx.ts'
import { cpuMs, startLoad, startServer, type Started } from './processes.ts'
import { prepareToolpass } from './toolpass.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } })
const ROUNDS = values.quick ? 3 : 9
const REQUESTS = values.quick ? { 1: 2_000, 16: 8_000 } : { 1: 5_000, 16: 30_000 }
const WARM_UP_REQUESTS = values.quick ? 4_000 : 20_000
const CONNECTIONS = [1, 16] as const
const JOB_MS_MAX = 20_000
const TEXT = 'x'.repeat(100)

type Leg = { name: string; started: Started; path: string; tool: string; headers: Record<string, string>; program: string }
type Sample = { p50Us: number; p99Us: number; callsPerSecond: number; cpuUsPerCall: number | undefined }
type Figures = Sample & { leg: string; connections: number; toDirect: number; toPassThrough: number }

const median = (numbers: number[]) => quantile(numbers, 0.5)
function quantile(numbers: number[], at: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN
}

function jobOf(leg: Leg, connections: number, requests: number): Job {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  }
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: leg.tool, arguments: { text: TEXT }, _meta: meta },
  })
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': leg.tool,
    ...leg.headers,
  }
  return { port: leg.started.port, path: leg.path, headers, body, connections, requests, msMax: JOB_MS_MAX, expect: TEXT }
}

async function measure(load: ReturnType<typeof startLoad>, leg: Leg, connections: 1 | 16): Promise<Sample> {
  const before = cpuMs(leg.started.pids())
  const { done, ms, latenciesUs } = await load.run(jobOf(leg, connections, REQUESTS[connections]))
  const after = cpuMs(leg.started.pids())
  return {
    p50Us: median(latenciesUs),
    p99Us: quantile(latenciesUs, 0.99),
    callsPerSecond: (done * 1_000) / ms,
    cpuUsPerCall: before === undefined || after === undefined ? undefined : ((after - before) * 1_000) / done,
  }
}

async function openLegs(): Promise<{ legs: Leg[]; missing: string[]; closeAll(): Promise<void> }> {
  const upstream = await startServer('upstream.ts')
  const plain = { path: '/mcp', tool: 'echo', headers: {} }
  const legs: Leg[] = [{ ...plain, name: 'direct', started: upstream, program: 'bench/upstream.ts' }]
  const missing: string[] = []
  const nginx = await startNginx(upstream.port)
  if (nginx) legs.push({ ...plain, name: 'nginx', started: nginx, program: 'nginx' })
  else missing.push('nginx: not installed')
  const proxy = await startServer('pass-through.ts', `http://127.0.0.1:${upstream.port}/mcp`)
  legs.push({ ...plain, name: 'pass-through', started: proxy, program: 'bench/pass-through.ts' })
  const toolpass = await prepareToolpass(upstream.port).catch((error: Error) => void missing.push(`toolpass: ${error.message}`))
  if (toolpass) {
    const { path, tool, token, program } = toolpass
    legs.push({ name: 'toolpass', started: toolpass, path, tool, headers: { authorization: `Bearer ${token}` }, program })
  }
  return {
    legs,
    missing,
    async closeAll() {
      for (const leg of legs.toReversed()) await leg.started.stop()
    },
  }
}

async function measureAll(legs: Leg[]): Promise<Figures[]> {
  const load = startLoad()
  const samples = new Map<string, Sample[]>()
  try {
    for (const leg of legs) await load.run(jobOf(leg, 16, WARM_UP_REQUESTS))
    for (let round = 0; round < ROUNDS; round++)
      for (const connections of CONNECTIONS)
        for (const leg of legs) {
          const key = `${leg.name} ${connections}`
          samples.set(key, [...(samples.get(key) ?? []), await measure(load, leg, connections)])
        }
  } finally {
    await load.stop()
  }
  const of = (leg: string, connections: number, what: (sample: Sample) => number) =>
    median((samples.get(`${leg} ${connections}`) ?? []).map(what))
  return CONNECTIONS.flatMap((connections) =>
    legs.map(({ name }) => {
      const p50 = (leg: string) => of(leg, connections, (sample) => sample.p50Us)
      const hasCpu = samples.get(`${name} ${connections}`)?.every((sample) => sample.cpuUsPerCall !== undefined)
      return {
        leg: name,
        connections,
        p50Us: p50(name),
        p99Us: of(name, connections, (sample) => sample.p99Us),
        callsPerSecond: of(name, connections, (sample) => sample.callsPerSecond),
        cpuUsPerCall: hasCpu ? of(name, connections, (sample) => sample.cpuUsPerCall ?? Number.NaN) : undefined,
        toDirect: p50(name) / p50('direct'),
        toPassThrough: p50(name) / p50('pass-through'),
      }
    }),
  )
}

function print(figures: Figures[]): void {
  const cell = (text: string, width = 12) => text.padStart(width)
  for (const connections of CONNECTIONS) {
    console.log(`\n${connections} connection${connections === 1 ? '' : 's'}`)
    console.log(
      `${''.padEnd(14)}${['p50 µs', 'p99 µs', 'calls/s', 'CPU µs/call', 'to direct', 'to pass-thr.'].map((head) => cell(head, 13)).join('')}`,
    )
    for (const row of figures.filter((each) => each.connections === connections)) {
      const numbers = [row.p50Us, row.p99Us, row.callsPerSecond, row.cpuUsPerCall].map((number) =>
        number === undefined ? '' : number.toFixed(0),
      )
      const ratios = [row.toDirect, row.toPassThrough].map((ratio) => `× ${ratio.toFixed(2)}`)
      console.log(`${row.leg.padEnd(14)}${[...numbers, ...ratios].map((text) => cell(text, 13)).join('')}`)
    }
  }
}

const began = performance.now()
const { legs, missing, closeAll } = await openLegs()
try {
  const figures = await measureAll(legs)
  print(figures)
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', kernel: release(), bun: Bun.version }
  const seconds = Math.round((performance.now() - began) / 1_000)
  console.log(`\nA tools/call with ${TEXT.length} bytes, medians of ${ROUNDS} rounds, ${seconds} s, ${machine.cpus} × ${machine.model}`)
  for (const sentence of missing) console.log(`left out: ${sentence}`)
  const programs = Object.fromEntries(legs.map(({ name, program }) => [name, program]))
  const data = { at: new Date().toISOString(), machine, bytes: TEXT.length, rounds: ROUNDS, programs, missing, figures }
  if (values.json)
    writeFileSync(
      values.json,
      `${JSON.stringify(data, (_, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value), 2)}\n`,
    )
} finally {
  await closeAll()
}
process.exit(missing.some((sentence) => sentence.startsWith('toolpass')) ? 1 : 0)
