/**
 * `bun run bench:trail [--rows N] [--write-readme]`: the pages of activity over a million rows and over a thousand, in turns, and what a row
 * costs. Read the ratios.
 */
import { Database } from 'bun:sqlite'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort, makeFolder } from './processes.ts'
import { fillTrail, type Known, rowCostUs } from './trail-rows.ts'
import { program, signIn, startToolpass } from './toolpass.ts'

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, 'write-readme': { type: 'boolean', default: false } },
})
const MANY = Number(values.rows)
const FEW = 1_000
const ROUNDS = 9
const PATIENCE_MS = 120_000
const COST_ROWS = 5_000

type Line = { what: string; fewMs: number; manyMs: number }
const say = (text: string) => console.error(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${text}`)
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
/** A page that others on the machine held up says nothing of the page. */
const quickest = (numbers: readonly number[]) => Math.min(...numbers)

async function openHouse(rows: number) {
  const { folder, remove } = makeFolder(`trail-${rows}`)
  const place = { folder, port: await freePort() }
  const first = await startToolpass(place)
  await signIn(first.origin)
  await first.stop()
  say(`${rows} rows`)
  const known = await fillTrail(folder, rows)
  const toolpass = await startToolpass(place, PATIENCE_MS)
  return { folder, known, toolpass, person: await signIn(toolpass.origin), remove }
}
type House = Awaited<ReturnType<typeof openHouse>>

const since = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 16)
const PAGES: readonly [what: string, path: (known: Known, rows: number) => string][] = [
  ['first page, everybody', () => '/activity'],
  ['… everything, acts and sign-ins too', () => '/activity?kind=all'],
  ['refused (one in 5,003)', () => '/activity?outcome=refused'],
  ['failed (one in 23)', () => '/activity?outcome=failed'],
  ['one tool of 81, the rare one', ({ rareTool }) => `/activity?tool=${rareTool}`],
  ['… and refused: nothing fits', ({ rareTool }) => `/activity?tool=${rareTool}&outcome=refused`],
  ['one app of 8', ({ clients }) => `/activity?client=${clients[3]}`],
  ['one connected app of 40', ({ grants }) => `/activity?grant=${grants[7]}`],
  ['one profile of 10', ({ profiles }) => `/activity?profile=${profiles[4]}`],
  ['one connection of 12', ({ connections }) => `/activity?connection=${connections[5]}`],
  ['one user of 20, refused', ({ users }) => `/activity?user=${users[9]}&outcome=refused`],
  ['changes made here', () => '/activity?kind=acts'],
  ['last week, failed', () => '/activity?last=week&outcome=failed'],
  ['one day half a year ago, one profile', ({ profiles }) => `/activity?from=${since(183)}&to=${since(182)}&profile=${profiles[4]}`],
  ['deep: from the middle', (_, rows) => `/activity?before=${Math.round(rows / 2)}`],
  ['deep, failed, back to newer', (_, rows) => `/activity?after=${Math.round(rows / 2)}&outcome=failed`],
  ['words: a rare one', () => '/activity?q=zebra'],
  ['words: one in every row', () => '/activity?q=tool'],
  ['words: two common beginnings', () => '/activity?q=serv+app'],
  ['words: in what was sent', () => '/activity?q=giraffe'],
  ['words: none', () => '/activity?q=walrus'],
  ['one row', (_, rows) => `/activity/${Math.round(rows * 0.7)}`],
  ['usage, a week', () => '/activity/usage?range=week'],
  ['usage, a year', () => '/activity/usage?range=year'],
]

async function timed(house: House, path: string): Promise<number> {
  const began = performance.now()
  const page = await house.person.open(path)
  const ms = performance.now() - began
  if (page.status !== 200) throw new Error(`${path} answered ${page.status}`)
  return ms
}

async function measurePages(few: House, many: House): Promise<Line[]> {
  const lines: Line[] = []
  for (const [what, path] of PAGES) {
    const taken: [few: number[], many: number[]] = [[], []]
    for (let round = 0; round <= ROUNDS; round += 1) {
      const pair = [await timed(few, path(few.known, FEW)), await timed(many, path(many.known, MANY))] as const
      // The first time reads the file.
      if (round > 0) for (const at of [0, 1] as const) taken[at].push(pair[at])
    }
    lines.push({ what, fewMs: quickest(taken[0]), manyMs: quickest(taken[1]) })
    say(what)
  }
  return lines
}

async function measureExport(few: House, many: House): Promise<string> {
  const perSecond = async ({ person }: House, path: string) => {
    const began = performance.now()
    const { html } = await person.open(path)
    return (html.split('\n').length - 2) / ((performance.now() - began) / 1_000)
  }
  const path = '/activity/export?format=csv&kind=all'
  const [little, much] = [await perSecond(few, path), await perSecond(many, `${path}&last=month`)]
  return `export as CSV: ${Math.round(much)} rows a second of ${MANY}, × ${(much / little).toFixed(2)} of that of ${FEW}`
}

/** The three that stood on each row before it was followed. */
const BEFORE = ['user', 'grant', 'profile'].map((name) => `CREATE INDEX bench_${name} ON audit_rows (${name}_id, seq)`)

async function measureCost(few: House, many: House): Promise<string[]> {
  await few.toolpass.stop()
  await many.toolpass.stop()
  const ratio = (a: number, b: number) => `× ${(a / b).toFixed(2)}`
  const costs: Record<string, number[]> = {}
  const cost = async (name: string, folder: string, keeps: Parameters<typeof rowCostUs>[1]) => {
    const us = await rowCostUs(folder, keeps, COST_ROWS)
    costs[name] = [...(costs[name] ?? []), us]
  }
  const of = (name: string) => median(costs[name] ?? [])
  for (let round = 0; round < 5; round += 1) {
    await cost('few', few.folder, 'none')
    await cost('many', many.folder, 'none')
    await cost('redacted', few.folder, 'redacted')
    await cost('whole', few.folder, 'whole')
  }
  const db = new Database(join(many.folder, 'toolpass.db'))
  for (const sql of BEFORE) db.run(sql)
  db.close()
  for (let round = 0; round < 5; round += 1) await cost('indexed', many.folder, 'none')
  const { followUs } = many.known
  return [
    `a row without contents, in batches of 100: ${of('few').toFixed(1)} µs of CPU; among ${MANY} rows ${ratio(of('many'), of('few'))}`,
    `… with the three indexes on rows that there were before, among ${MANY} rows: ${ratio(of('indexed'), of('many'))} of that`,
    `… with 0.7 KB of arguments and 1.9 KB of result, redacted ${ratio(of('redacted'), of('few'))}, whole ${ratio(of('whole'), of('few'))}`,
    `following a row (counted, indexed) afterwards: ${followUs.toFixed(1)} µs of CPU, ${ratio(followUs, of('few'))} of writing it`,
  ]
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
function tableOf(lines: readonly Line[]): string {
  const cells = lines.map(({ what, fewMs, manyMs }) => [what, fewMs.toFixed(1), manyMs.toFixed(1), `× ${(manyMs / fewMs).toFixed(1)}`])
  return [['page', `${FEW} rows, ms`, `${MANY} rows, ms`, ''], ['---', '--:', '--:', '--:'], ...cells].map(row).join('\n')
}

const README = join(import.meta.dir, 'README.md')
const [BEGIN, END] = ['<!-- trail: bun run bench:trail --write-readme -->', '<!-- end of trail -->']

const few = await openHouse(FEW)
const many = await openHouse(MANY)
try {
  const lines = await measurePages(few, many)
  const notes = [await measureExport(few, many), ...(await measureCost(few, many))]
  const megabytes = Bun.file(join(many.folder, 'toolpass.db')).size / 1e6
  const text = [
    `${program}, ${new Date().toISOString().slice(0, 10)}, Bun ${Bun.version}; the quickest of ${ROUNDS}, pages as a browser gets them.`,
    tableOf(lines),
    [...notes, `the file: ${megabytes.toFixed(0)} MB`].map((note) => `- ${note}`).join('\n'),
  ].join('\n\n')
  console.log(text)
  if (values['write-readme']) {
    const page = readFileSync(README, 'utf8')
    const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)]
    if (before < 0 || after < before) throw new Error('the README has no place for figures of the trail')
    writeFileSync(README, `${page.slice(0, before)}${BEGIN}\n\n${text}\n\n${page.slice(after)}`)
  }
} finally {
  for (const { toolpass, remove } of [few, many]) {
    await toolpass.stop()
    remove()
  }
}
process.exit()
