/** Charts with nothing, one value, many, and names that somebody else chose. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Lines, scaleOf, Share, StackedBars } from '@views/parts/plots.tsx'
import { TimeLine } from '@views/parts/chart.tsx'

const HOSTILE = `</title><script>alert(1)</script>"'`
const labelsOf = (count: number, text = 'Mon') => Array.from({ length: count }, (_, at) => ({ text: `${text} ${at}`, short: text }))
const chart = { title: HOSTILE, description: HOSTILE, tick: String }
const numbersIn = (html: string) => [...html.matchAll(/ (?:x|y|width|height|cx|cy|d|y1)="([^"]*)"/g)].map(([, value = '']) => value)

test('a scale begins at nothing, ends at or above the largest value, and has few steps', () => {
  expect(scaleOf(0)).toEqual([0, 1])
  expect(scaleOf(1)).toEqual([0, 1])
  expect(scaleOf(3)).toEqual([0, 1, 2, 3])
  expect(scaleOf(1_204)).toEqual([0, 500, 1_000, 1_500])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e12 }), (max) => {
      const ticks = scaleOf(max)
      expect(ticks[0]).toBe(0)
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max)
      expect(ticks.length).toBeLessThanOrEqual(6)
      expect(ticks.every(Number.isInteger)).toBe(true)
    }),
  )
})

test('charts of nothing, one value and many have places that are numbers, and bars within the plot', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e6), { maxLength: 60 }), (values) => {
      const bars = StackedBars({ ...chart, labels: labelsOf(values.length), series: [{ name: 'Served', tone: 'ok', values }] }).text()
      const some = values.map((value) => (value % 3 === 0 ? undefined : value / 7))
      const lines = Lines({ ...chart, labels: labelsOf(values.length), series: [{ name: 'p50', tone: 'accent', values: some }] }).text()
      for (const html of [bars, lines]) expect(numbersIn(html).filter((value) => /NaN|Infinity|undefined|null/.test(value))).toEqual([])
      for (const [, x = '', width = ''] of bars.matchAll(/<rect class="chart-fill[^"]*" x="([\d.-]+)%" width="([\d.]+)%"/g)) {
        expect(Number(x)).toBeGreaterThanOrEqual(0)
        expect(Number(x) + Number(width)).toBeLessThanOrEqual(100.1)
      }
      expect(bars.match(/<rect/g)?.length ?? 0).toBe(values.filter((value) => value > 0).length)
    }),
  )
  expect(Share({ of: 0, parts: [{ value: 0, tone: 'ok' }] }).text()).not.toContain('NaN')
  expect(TimeLine({ spans: [{ name: 'at us', tone: 'accent', us: 0 }] }).text()).not.toContain('NaN')
})

test('[ACTIVITY-TEXT] what somebody else wrote is text in titles, descriptions, labels and legends of charts', () => {
  const series = [{ name: HOSTILE, tone: 'ok' as const, values: [1, 2] }]
  const drawn = [
    StackedBars({ ...chart, labels: labelsOf(2, HOSTILE), series }),
    Lines({ ...chart, labels: labelsOf(2, HOSTILE), series }),
    TimeLine({ spans: [{ name: HOSTILE, tone: 'ok', us: 3 }] }),
  ].map((html) => html.text())
  for (const html of drawn) {
    expect(html).not.toContain('<script')
    expect(html).toContain('&lt;/title&gt;&lt;script&gt;')
  }
})
