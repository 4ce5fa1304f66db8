/**
 * `bun run bench:programs [--count N] [--json FILE]`: N connections that each run a program here, started, used once and stopped
 * for being idle. Fails when a process is left or the memory does not come back. See README.md.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { valuesOf } from './person.ts'
import { letIn, register } from './house.ts'
import { openToolpass } from './toolpass.ts'

const { values } = parseArgs({ options: { count: { type: 'string', default: '100' }, json: { type: 'string' } } })
const COUNT = Number(values.count)
const IDLE_SECONDS = 15
/** Beyond the idle time: stopping so many takes a moment as well. */
const ENDING_SECONDS_MAX = 30
const PATIENCE_MS = 120_000
/** That program.ts has. */
const TOOLS = 4
/** What the house may keep of a hundred programs that are gone: caches and a heap that shrinks later. */
const KEPT_MB_MAX = 64
const PROGRAM = join(import.meta.dir, 'program.ts')

type Answer = { result?: { tools?: { name: string }[]; content?: { text: string }[] }; error?: unknown }

const quantile = (numbers: readonly number[], at: number): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN
}
const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
/** All that the house started: by the mark in their environment, and its guardian by its arguments. */
const processesOf = (house: number): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && new RegExp(`TOOLPASS_PROGRAM=[^\\0]*\\.${house}-`).test(read(`/proc/${pid}/environ`)))
const kilobytes = (text: string, name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
const rssMb = (pid: number) => kilobytes(read(`/proc/${pid}/status`), 'VmRSS') / 1024
/** Its own, and its share of what it has in common with others. */
const pssMb = (pid: number) => kilobytes(read(`/proc/${pid}/smaps_rollup`), 'Pss') / 1024
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

async function until(what: string, isSo: () => boolean | Promise<boolean>, msMax: number): Promise<number> {
  const began = performance.now()
  while (!(await isSo())) {
    if (performance.now() - began > msMax) throw new Error(`${what}: not within ${msMax / 1000} s`)
    await Bun.sleep(100)
  }
  return performance.now() - began
}

async function ask(endpoint: string, token: string, method: string, params: Record<string, unknown> = {}): Promise<Answer> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  const { name } = params
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' && { 'mcp-name': name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  })
  const text = await response.text()
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Answer
}

const toolpass = await openToolpass({ TOOLPASS_PROGRAM_IDLE_SECONDS: String(IDLE_SECONDS) })
const [house = 0] = toolpass.pids()
try {
  const { origin, person } = toolpass
  const form = await person.open('/connections/new?connector=stdio')
  const before = rssMb(house)
  for (let at = 0; at < COUNT; at += 1) {
    const settings = { 'settings.command': 'javascript', 'settings.args': PROGRAM }
    await person.submit(form, '/connections', { name: `Program ${at}`, ...settings })
  }
  const made = await person.submit(await person.open('/profiles'), '/profiles', { title: 'Bench' })
  const page = new URL(made.url).pathname
  const offered = async () => valuesOf((await person.open(page)).html, 'tool_id')
  await until('the tools of all connections', async () => (await offered()).length >= COUNT * TOOLS, PATIENCE_MS)
  await person.submit(await person.open(page), `${page}/tools`, { tool_id: await offered() })
  const { token } = await letIn(person, origin, '/mcp/bench', await register(origin))
  const endpoint = `${origin}/mcp/bench`
  const tools = (await ask(endpoint, token, 'tools/list')).result?.tools?.map(({ name }) => name).filter((name) => /echo/.test(name)) ?? []
  if (tools.length !== COUNT) throw new Error(`${tools.length} tools, not ${COUNT}`)
  const call = async (name: string): Promise<number> => {
    const began = performance.now()
    const { result, error } = await ask(endpoint, token, 'tools/call', { name, arguments: { text: name } })
    if (result?.content?.[0]?.text !== name) throw new Error(`${name}: ${JSON.stringify(error ?? result)}`)
    return performance.now() - began
  }
  const endedAll = () =>
    until('the end of all programs', () => processesOf(house).length === 0, (IDLE_SECONDS + ENDING_SECONDS_MAX) * 1_000)

  await endedAll()
  const rest = rssMb(house)
  const cold: number[] = []
  const warm: number[] = []
  for (const name of tools) {
    cold.push(await call(name))
    warm.push(await call(name))
  }
  await endedAll()
  const began = performance.now()
  await Promise.all(tools.map(call))
  const togetherMs = performance.now() - began
  const running = processesOf(house)
  const memory = running.map(pssMb)
  const busy = rssMb(house)
  const endedMs = await endedAll()
  // A heap gives back what it does not need only after a while.
  await Bun.sleep(5_000)
  const figures = {
    connections: COUNT,
    program: toolpass.program,
    startMs: { p50: quantile(cold, 0.5), p99: quantile(cold, 0.99) },
    warmMs: { p50: quantile(warm, 0.5), p99: quantile(warm, 0.99) },
    togetherMs,
    running: running.length,
    memoryPerProgramMb: sum(memory) / running.length,
    memoryOfProgramsMb: sum(memory),
    endedAfterSeconds: endedMs / 1_000,
    left: processesOf(house).length,
    houseMb: { before, rest, busy, after: rssMb(house) },
  }
  const mb = (figure: number) => `${figure.toFixed(0)} MB`
  const ms = (figure: number) => `${figure.toFixed(figure < 10 ? 1 : 0)} ms`
  console.log(`${COUNT} stdio connections, ${figures.program}; a program of ours on the runtime inside; idle after ${IDLE_SECONDS} s\n`)
  for (const [what, figure] of [
    ['first call, program started for it', `p50 ${ms(figures.startMs.p50)}, p99 ${ms(figures.startMs.p99)}`],
    ['next call', `p50 ${ms(figures.warmMs.p50)}, p99 ${ms(figures.warmMs.p99)}`],
    [`first calls, all ${COUNT} at once`, `${ms(togetherMs)} for all`],
    ['processes while all are open', String(figures.running)],
    ['memory of a program (PSS)', mb(figures.memoryPerProgramMb)],
    ['memory of all programs', mb(figures.memoryOfProgramsMb)],
    ['all ended after', `${figures.endedAfterSeconds.toFixed(1)} s`],
    ['processes left', String(figures.left)],
    [
      'Toolpass itself',
      `${mb(before)} before, ${mb(rest)} with ${COUNT} made and idle, ${mb(busy)} with all open, ${mb(figures.houseMb.after)} after`,
    ],
  ])
    console.log(`${String(what).padEnd(38)}${figure}`)
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), ...figures }, null, 2)}\n`)
  process.exitCode = figures.left > 0 || figures.running !== COUNT || figures.houseMb.after - rest > KEPT_MB_MAX ? 1 : 0
} finally {
  await toolpass.stop()
}
if (processesOf(house).length > 0) process.exitCode = 1
process.exit()
