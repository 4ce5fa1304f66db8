/** `bun run bench`: what a call costs, in one run on one machine. This is the table of contents; see README.md. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureCalls } from './calls.ts'
import { measureGrowth } from './growth.ts'
import { measureLists } from './lists.ts'
import { runLong } from './long.ts'
import { measureMemory } from './memory.ts'
import { startLoad } from './processes.ts'
import { machine, print, type Report, write, writeReadme } from './report.ts'
import type { Bench, Scale } from './rounds.ts'
import { measureStart } from './start.ts'
import { measureStdio } from './stdio.ts'
import { type FigureId, figuresOf, type Values } from './targets.ts'
import { program } from './toolpass.ts'

type Found = { values: Values; rows?: Report['rows']; notes?: string[]; incomplete?: FigureId[] }

const FAMILIES: Record<string, (bench: Bench) => Promise<Found>> = {
  start: measureStart,
  memory: measureMemory,
  lists: measureLists,
  stdio: measureStdio,
  calls: measureCalls,
  growth: measureGrowth,
}

const HELP = `bun run bench                  everything, some six minutes
  --quick                      fewer and shorter rounds, some ninety seconds
  --only NAME                  ${Object.keys(FAMILIES).join(', ')}; may be repeated
  --json FILE                  the figures as data
  --write-readme               put the figures into bench/README.md
  --from FILE                  print figures that --json has kept, and measure nothing
  --long MINUTES               instead: calls, lists and sessions for so long, and whether memory grows
  --help`

const { values: asked } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    'write-readme': { type: 'boolean', default: false },
    from: { type: 'string' },
    long: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const SCALES: Record<'quick' | 'whole', Scale> = {
  quick: { isQuick: true, rounds: 3, ms: 400, warmUp: { requests: 4_000, ms: 500 } },
  whole: { isQuick: false, rounds: 7, ms: 1_000, warmUp: { requests: 20_000, ms: 1_500 } },
}

async function measure(): Promise<Report> {
  const began = performance.now()
  const scale = SCALES[asked.quick ? 'quick' : 'whole']
  const seconds = () => (performance.now() - began) / 1_000
  const bench: Bench = { scale, load: startLoad(), say: (text) => console.error(`${seconds().toFixed(0).padStart(4)} s  ${text}`) }
  const found: Found[] = []
  const families = Object.entries(FAMILIES).filter(([name]) => asked.only?.includes(name) ?? true)
  try {
    const long = asked.long === undefined ? undefined : await runLong(bench, Number(asked.long))
    if (!long) for (const [, family] of families) found.push(await family(bench))
    const values: Values = Object.assign({}, ...found.map((each) => each.values))
    return {
      ...{ at: new Date().toISOString(), machine: machine(), program, isQuick: asked.quick, seconds: seconds(), rounds: scale.rounds },
      figures: figuresOf(values, new Set(found.flatMap(({ incomplete = [] }) => incomplete))),
      rows: found.flatMap(({ rows = [] }) => rows),
      notes: found.flatMap(({ notes = [] }) => notes),
      ...(long && { long }),
    }
  } finally {
    await bench.load.stop()
  }
}

/** What is asked for and cannot be; said before anything is started. */
function problem(): string | undefined {
  const strange = asked.only?.find((name) => !(name in FAMILIES))
  if (strange !== undefined) return `There is no family of figures called ${strange}: ${Object.keys(FAMILIES).join(', ')}`
  if (asked.long !== undefined && !(Number(asked.long) > 0)) return '--long takes a number of minutes'
  if (asked['write-readme'] && (asked.only || asked.long !== undefined)) return '--write-readme wants all figures, not some'
  return undefined
}

const wrong = problem()
if (asked.help) console.log(HELP)
else if (wrong !== undefined) {
  console.error(wrong)
  process.exitCode = 1
} else {
  const report = asked.from === undefined ? await measure() : (JSON.parse(readFileSync(asked.from, 'utf8')) as Report)
  print(report)
  if (asked.json) write(asked.json, report)
  if (asked['write-readme']) writeReadme(report)
  // A figure that is missed is a figure; a wrong answer is none.
  if (report.long?.grows || report.figures.some(({ verdict }) => verdict === 'FAILED')) process.exitCode = 1
}
process.exit()
