/** What a run has found: printed, kept as data, and put into the README. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import type { Row } from './calls.ts'
import type { LongRun } from './long.ts'
import { type Figure, limitText, valueText } from './targets.ts'

export type Report = {
  at: string
  machine: { cpus: number; model: string; kernel: string; bun: string }
  program: string
  isQuick: boolean
  seconds: number
  rounds: number
  figures: Figure[]
  rows: Row[]
  notes: string[]
  long?: LongRun
}

export const machine = (): Report['machine'] => ({
  cpus: cpus().length,
  model: cpus()[0]?.model ?? '',
  kernel: release(),
  bun: Bun.version,
})

const aligned = (lines: readonly (readonly string[])[]): string => {
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? '').length))) ?? []
  return lines
    .map((line) => line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '))
    .join('\n')
}

const FIGURE_HEADS = ['figure', 'must', 'aim', 'measured', '']
const cellsOf = (figure: Figure): string[] => [
  figure.what,
  limitText(figure, figure.must),
  limitText(figure, figure.aim),
  valueText(figure),
  figure.verdict,
]
const ROW_HEADS = ['', 'calls/s', 'p50 µs', 'p99 µs', 'CPU µs a call']
const numbersOf = ({ callsPerSecond, p50Us, p99Us, cpuUsPerCall }: Row) =>
  [callsPerSecond, p50Us, p99Us, cpuUsPerCall].map((number) => number.toFixed(0))

export function print({ figures, rows, notes, rounds, seconds, machine: { cpus: count, model }, program, long }: Report): void {
  for (const [load, of] of Map.groupBy(rows, (row) => row.load))
    console.log(`\n${aligned([[load, ...ROW_HEADS.slice(1)], ...of.map((row) => [row.leg, ...numbersOf(row)])])}`)
  if (figures.length > 0) console.log(`\n${aligned([FIGURE_HEADS, ...figures.map(cellsOf)])}`)
  if (long)
    console.log(
      `\n${long.minutes} minutes, ${long.calls} calls, ${long.sessions} sessions: from its second fifth to its last ${long.grownMb.toFixed(1)} MB more of its own: ${long.grows ? 'GROWS' : 'does not grow'}`,
    )
  console.log('')
  for (const note of notes) console.log(note)
  console.log(`${program}; medians of ${rounds} rounds; ${seconds.toFixed(0)} s on ${count} × ${model}`)
}

export const write = (file: string, report: Report): void =>
  writeFileSync(file, `${JSON.stringify(report, (_, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value), 2)}\n`)

const README = join(import.meta.dir, 'README.md')
const [BEGIN, END] = ['<!-- figures: bun run bench --write-readme -->', '<!-- end of figures -->']

const markdown = (lines: readonly (readonly string[])[]): string => {
  const [heads = [], ...rest] = lines
  return [heads, heads.map((_, at) => (at === 0 ? '---' : '--:')), ...rest].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

/** The figures of a run in place of those that stand there. */
export function writeReadme(report: Report): void {
  const text = readFileSync(README, 'utf8')
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (before < 0 || after < before) throw new Error('the README has no place for figures')
  const { machine: on, program, rounds, isQuick } = report
  const parts = [
    `${program}, ${report.at.slice(0, 10)}, ${on.cpus} × ${on.model}, Bun ${on.bun}; medians of ${rounds} rounds${isQuick ? ' of a quick run' : ''}.`,
    markdown([FIGURE_HEADS, ...report.figures.map(cellsOf)]),
    ...[...Map.groupBy(report.rows, (row) => row.load)].map(([load, rows]) =>
      markdown([[load, ...ROW_HEADS.slice(1)], ...rows.map((row) => [row.leg, ...numbersOf(row)])]),
    ),
    report.notes.map((note) => `- ${note}`).join('\n'),
  ].filter((part) => part !== '')
  writeFileSync(README, `${text.slice(0, before)}${BEGIN}\n\n${parts.join('\n\n')}\n\n${text.slice(after)}`)
}
