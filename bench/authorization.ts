/**
 * `bun run bench:authorization [--json FILE]`: two hundred clients that register at once and then refresh at once, as they do
 * after a restart. None may be refused; latencies stand beside those of `/healthz` under the same load, because the machine is
 * shared.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startServer } from './processes.ts'
import { addConnections, letIn, makeProfiles, refresh, register } from './house.ts'
import { openToolpass } from './toolpass.ts'

const { values } = parseArgs({ options: { json: { type: 'string' } } })
const CLIENTS = 200
const ROUNDS = 5
/** That upstream.ts has when it is not told. */
const UPSTREAM_TOOLS = 2

type Figures = { what: string; p50Ms: number; p99Ms: number; allMs: number; refused: number; toNothing: number }

function quantile(numbers: readonly number[], at: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN
}

/** All at once; what went wrong is counted, not thrown, so that one refusal does not hide the others. */
async function together<T>(works: readonly (() => Promise<T>)[]) {
  const latencies: number[] = []
  const began = performance.now()
  const settled = await Promise.allSettled(
    works.map(async (work) => {
      const from = performance.now()
      const result = await work()
      latencies.push(performance.now() - from)
      return result
    }),
  )
  const refusals = settled.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
  for (const refusal of refusals.slice(0, 3)) console.error(refusal)
  return {
    results: settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])),
    latencies,
    ms: performance.now() - began,
    refused: refusals.length,
  }
}

const upstream = await startServer('upstream.ts')
const toolpass = await openToolpass()
try {
  const { origin, person } = toolpass
  await addConnections(person, [upstream.port])
  const [path = ''] = await makeProfiles(person, UPSTREAM_TOOLS)
  const nothing = () => together(Array.from({ length: CLIENTS }, () => async () => (await fetch(`${origin}/healthz`)).text()))
  await nothing()
  const registered = await together(Array.from({ length: CLIENTS }, () => () => register(origin)))
  const clients = registered.results
  let chains: { client: string; token: string }[] = []
  for (const client of clients) chains.push({ client, token: (await letIn(person, origin, path, client)).refresh })
  const baselines: number[] = []
  const rounds: Awaited<ReturnType<typeof together<string>>>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    baselines.push(quantile((await nothing()).latencies, 0.5))
    const refreshed = await together(
      chains.map(
        ({ client, token }) =>
          () =>
            refresh(origin, client, token),
      ),
    )
    rounds.push(refreshed)
    if (refreshed.refused > 0) break
    chains = refreshed.results.map((token, at) => ({ client: chains[at]?.client ?? '', token }))
  }
  const baseline = quantile(baselines, 0.5)
  const figuresOf = (what: string, all: readonly { latencies: number[]; ms: number; refused: number }[]): Figures => {
    const median = (of: (each: (typeof all)[number]) => number) => quantile(all.map(of), 0.5)
    const p50Ms = median(({ latencies }) => quantile(latencies, 0.5))
    const p99Ms = median(({ latencies }) => quantile(latencies, 0.99))
    const refused = all.reduce((sum, each) => sum + each.refused, 0)
    return { what, p50Ms, p99Ms, allMs: median(({ ms }) => ms), refused, toNothing: p50Ms / baseline }
  }
  const figures = [figuresOf('register', [registered]), figuresOf('refresh', rounds)]
  console.log(`${CLIENTS} clients at once, ${toolpass.program}; medians of ${ROUNDS} rounds (register: one)\n`)
  console.log(['', 'p50 ms', 'p99 ms', 'all ms', 'refused', 'to /healthz'].map((head) => head.padStart(12)).join(''))
  for (const { what, p50Ms, p99Ms, allMs, refused, toNothing } of figures)
    console.log(
      [what, p50Ms.toFixed(0), p99Ms.toFixed(0), allMs.toFixed(0), refused, `× ${toNothing.toFixed(1)}`]
        .map((cell) => String(cell).padStart(12))
        .join(''),
    )
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), clients: CLIENTS, figures }, null, 2)}\n`)
  process.exitCode = figures.some(({ refused }) => refused > 0) ? 1 : 0
} finally {
  await toolpass.stop()
  await upstream.stop()
}
process.exit()
