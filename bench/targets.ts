/** The table: what must be so, what is aimed at, and what a measured value is worth against both. */
export type Target = {
  what: string
  unit: '×' | 'µs' | 'ms' | 'MB' | ''
  better: 'more' | 'less'
  must?: number
  aim: number
  digits: number
}

const ratio = (what: string, must: number, aim: number): Target => ({ what, unit: '×', better: 'more', must, aim, digits: 2 })
const most = (what: string, unit: Target['unit'], must: number, aim: number, digits: number): Target => ({
  what,
  unit,
  better: 'less',
  must,
  aim,
  digits,
})

export const TARGETS = {
  calls16: ratio('tools/call, 100 B, 16 connections, against nginx; a tool that reads', 0.5, 0.8),
  calls16Write: ratio('… a tool that writes', 0.5, 0.8),
  calls64: ratio('tools/call, 100 B, 64 connections, against nginx; a tool that reads', 0.5, 0.8),
  calls64Write: ratio('… a tool that writes', 0.5, 0.8),
  cpu: most('CPU of ours a call, 16 connections; a tool that reads', 'µs', 50, 30, 0),
  cpuWrite: most('… a tool that writes', 'µs', 50, 30, 0),
  large: ratio('tools/call, 100 KB both ways, 16 connections, against nginx; a tool that reads', 0.5, 0.8),
  largeWrite: ratio('… a tool that writes', 0.5, 0.8),
  addedP50: most('added p50, one connection, against direct; a tool that reads', 'ms', 0.15, 0.1, 3),
  addedP50Write: most('… a tool that writes', 'ms', 0.15, 0.1, 3),
  addedP99: most('added p99, one connection, against direct; a tool that reads', 'ms', 1, 0.6, 2),
  addedP99Write: most('… a tool that writes', 'ms', 1, 0.6, 2),
  many: ratio('200 connections against 64; a tool that reads', 0.6, 0.8),
  manyWrite: ratio('… a tool that writes', 0.6, 0.8),
  newConnections: { what: 'new upstream connections per 1,000 calls, 200 connections', unit: '', better: 'less', aim: 9.9, digits: 1 },
  list: most('tools/list of 200 tools over 10 upstreams, p50, one connection', 'ms', 0.3, 0.15, 3),
  legacy: ratio('legacy session, tools/call over Streamable HTTP, 16 connections, against 2026-07-28', 0.6, 0.9),
  program: ratio('stdio upstream, tools/call, 16 in flight, against direct stdio; a program that does the least', 0.45, 0.65),
  programSdk: ratio('… a program on the SDK, revision 2025-11-25', 0.45, 0.65),
  programSdk2: ratio('… a program on the SDK, revision 2026-07-28', 0.45, 0.65),
  memoryIdle: most('memory (resident), 10 upstreams, idle', 'MB', 90, 60, 0),
  memoryUsed: most('… after 200 sessions and 200,000 calls', 'MB', 140, 100, 0),
  start: most('executable started → first tools/list over 10 upstreams answered', 'ms', 200, 80, 0),
  growth: ratio('5,000 tools, 1,000 grants, 1 M audit rows against 20, 1, 0; a tool that reads', 0.9, 1),
  growthWrite: ratio('… a tool that writes', 0.9, 1),
} satisfies Record<string, Target>
export type FigureId = keyof typeof TARGETS

/** `aim missed`: there is nothing that must be. `incomplete`: measured on less than the figure asks for, so it proves nothing. `FAILED`: an answer was wrong, see the notes. */
export type Verdict = 'aim met' | 'aim missed' | 'must met' | 'MISSED' | 'incomplete' | 'FAILED'
export type Values = Partial<Record<FigureId, number>>
export type Figure = {
  id: FigureId
  what: string
  unit: string
  better: string
  must?: number
  aim: number
  value: number | null
  verdict: Verdict
}

/** Judged as it is shown, so that nothing is missed by what nobody sees. */
function judge({ better, must, aim, digits }: Target, value: number): Verdict {
  const shown = Number(value.toFixed(digits))
  const holds = (limit: number) => (better === 'more' ? shown >= limit : shown <= limit)
  if (holds(aim)) return 'aim met'
  if (must === undefined) return 'aim missed'
  return holds(must) ? 'must met' : 'MISSED'
}

export function figuresOf(values: Values, incomplete: ReadonlySet<FigureId>): Figure[] {
  return (Object.entries(TARGETS) as [FigureId, Target][]).flatMap(([id, target]): Figure[] => {
    const value = values[id]
    if (value === undefined) return []
    const { what, unit, better, must, aim } = target
    const verdict = incomplete.has(id) ? ('incomplete' as const) : judge(target, value)
    const common = { id, what, unit, better, ...(must !== undefined && { must }), aim }
    return [Number.isNaN(value) ? { ...common, value: null, verdict: 'FAILED' } : { ...common, value, verdict }]
  })
}

/** `≥ 0.5 ×`, `≤ 50 µs`; nothing where there is none. */
export function limitText({ better, unit }: Pick<Figure, 'better' | 'unit'>, limit: number | undefined): string {
  if (limit === undefined) return '–'
  return `${better === 'more' ? '≥' : '≤'} ${limit}${unit === '' ? '' : ` ${unit}`}`
}
export const valueText = ({ id, unit, value }: Pick<Figure, 'id' | 'unit' | 'value'>): string =>
  value === null ? '–' : `${value.toFixed(TARGETS[id].digits)}${unit === '' ? '' : ` ${unit}`}`
