/**
 * Our side toward apps under the conformance tool: tool, a proxy that adds the token, a profile of Toolpass, and behind it the
 * server that the tool's scenarios ask for. What passes directly and not through us is ours.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { type ConformanceHouse, openConformanceHouse } from '../support/conformance-house.ts'
import { type Found, lackingOf, REVISIONS, type Revision, runTool } from '../support/conformance-tool.ts'
import { type Era, startConformanceUpstream } from '../support/conformance-upstream.ts'

const PROGRAM = resolve(import.meta.dir, '../support/conformance-upstream.ts')
const SCENARIOS = { '2025-11-25': 33, '2026-07-28': 53 }
const WAIT_MS_MAX = 180_000

type Case = { transport: string; era: Era | undefined; revision: Revision }
const nameOf = ({ transport, revision }: Case) => `${transport}-${revision}`
const CASES = (
  [
    ['http', 'both'],
    ['http-legacy', 'legacy'],
    ['stdio', undefined],
  ] as const
).flatMap(([transport, era]) => REVISIONS.map((revision): Case => ({ transport, era, revision })))

/** How many may be on each list: it shrinks, and the number with it. */
const KNOWN_MAX: Record<string, number> = {
  'http-2025-11-25': 1,
  'http-2026-07-28': 0,
  'http-legacy-2025-11-25': 1,
  'http-legacy-2026-07-28': 70,
  'stdio-2025-11-25': 1,
  'stdio-2026-07-28': 0,
}

let house: ConformanceHouse
const stops: (() => Promise<void>)[] = []
type Run = PromiseWithResolvers<Found>
const direct: Record<Revision, Run> = { '2025-11-25': Promise.withResolvers(), '2026-07-28': Promise.withResolvers() }
const through = new Map(CASES.map((each) => [nameOf(each), { each, run: Promise.withResolvers<Found>() as Run }]))

function start(era: Era): string {
  const { url, stop } = startConformanceUpstream(era)
  stops.push(stop)
  return url.replace('127.0.0.1', 'localhost')
}
/** Each run has a server of its own: what one changes in it, no other meets. */
const admit = (each: Case): Promise<string> =>
  house.admit(
    nameOf(each),
    each.era === undefined
      ? { connector: 'stdio', settings: { command: 'javascript', args: [PROGRAM], env: {} } }
      : { connector: 'streamable-http', settings: { url: start(each.era) } },
  )

/** So many at once that two cores are busy and nobody misses a time that a scenario sets; those that wait most come first. */
const AT_ONCE = 2
async function runAll(): Promise<void> {
  const waiting = [
    ...[...through.values()].reverse().map(({ each, run }) => ({ run, go: async () => runTool(await admit(each), each.revision) })),
    ...REVISIONS.map((revision) => ({ run: direct[revision], go: () => runTool(start('both'), revision) })),
  ]
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next.go().then(next.run.resolve, next.run.reject)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

beforeAll(async () => {
  house = await openConformanceHouse()
  void runAll()
})
afterAll(async () => {
  await house.close()
  await Promise.all(stops.map((stop) => stop()))
})

function knownOf(name: string): string[] {
  const read = parse(readFileSync(join(import.meta.dir, `gateway/known-failures-${name}.yaml`), 'utf8')) as { server: string[] | null }
  return read.server ?? []
}

test.each([...REVISIONS])(
  'the server behind it passes every scenario of %s itself',
  async (revision) => {
    const { scenarios, missed } = await direct[revision].promise
    expect({ scenarios, missed: [...missed] }).toEqual({ scenarios: SCENARIOS[revision], missed: [] })
  },
  WAIT_MS_MAX,
)

test.each([...through].map(([name, { each }]) => [each.transport, each.revision, name] as const))(
  '[GATEWAY-CONFORMANCE] through us to a server over %s every scenario of %s passes, but for a list that may only shrink',
  async (_transport, revision, name) => {
    const found = await through.get(name)?.run.promise
    expect(found?.scenarios).toBe(SCENARIOS[revision])
    const known = knownOf(name)
    expect(known.length).toBeLessThanOrEqual(KNOWN_MAX[name] ?? 0)
    const lacking = found ? lackingOf(found, await direct[revision].promise) : []
    expect(lacking.filter((check) => !known.includes(check))).toEqual([])
    // What passes by now has to leave the list.
    expect(known.filter((check) => !lacking.includes(check))).toEqual([])
  },
  WAIT_MS_MAX,
)
