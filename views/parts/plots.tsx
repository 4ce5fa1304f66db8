/** Charts over time and shares of a whole, as pure functions of numbers and names; what holds for all charts says chart.tsx. */
import type { Child } from '../jsx-runtime.ts'
import { num, type Series } from './chart.tsx'

/** A round number at or above the largest value, and a few steps to it. */
export function scaleOf(max: number, steps = 4): number[] {
  if (max <= 0) return [0, 1]
  const rough = max / steps
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((by) => by * power).find((each) => each >= rough) ?? rough
  // Of things that are counted there are no halves.
  const whole = Math.max(step, Number.isInteger(max) ? 1 : step)
  return Array.from({ length: Math.ceil(max / whole) + 1 }, (_, at) => at * whole)
}

const HEIGHT = 200
const [TOP, BOTTOM] = [8, 26]
const PLOT = HEIGHT - TOP - BOTTOM
/** Labels that fit under the plot; on a small screen every other one of them. */
const LABELS_MAX = 8
/** A bar is no wider than this part of the plot, so that one alone is a bar and no wall. */
const BAR_PERCENT_MAX = 6

const heightAt = (value: number, ticks: readonly number[]) => TOP + PLOT * (1 - value / (ticks.at(-1) || 1))
/** In percent: a plot is as wide as its page, while its letters keep their size. */
const centreOf = (index: number, count: number) => (100 * (index + 0.5)) / count

type OverTime = {
  title: string
  description: string
  /** Of each step; the short one stands under the plot. */
  labels: readonly Label[]
  tick(value: number): string
}
export type Label = { text: string; short: string }

const Labels = (p: { labels: readonly Label[] }) => {
  const every = Math.max(1, Math.ceil(p.labels.length / LABELS_MAX))
  return (
    <>
      {p.labels.map((label, at) => {
        if (at % every !== 0) return <></>
        const anchor = p.labels.length < 3 ? 'middle' : at === 0 ? 'start' : at === p.labels.length - 1 ? 'end' : 'middle'
        const isExtra = (at / every) % 2 === 1
        return (
          <text
            class={isExtra ? 'chart-text chart-extra' : 'chart-text'}
            x={`${num(anchor === 'start' ? 0 : anchor === 'end' ? 100 : centreOf(at, p.labels.length))}%`}
            y={HEIGHT - 6}
            text-anchor={anchor}
          >
            {label.short}
          </text>
        )
      })}
    </>
  )
}

/** The scale keeps its width, what is drawn takes the rest. */
const Frame = (p: OverTime & { ticks: readonly number[]; children: Child }) => (
  <div class="chart">
    <svg class="chart-scale" width="44" height={HEIGHT} aria-hidden="true" focusable="false">
      {p.ticks.map((value) => (
        <text class="chart-text" x="36" y={num(heightAt(value, p.ticks) + 4)} text-anchor="end">
          {p.tick(value)}
        </text>
      ))}
    </svg>
    <svg width="100%" height={HEIGHT} role="img" aria-label={`${p.title}. ${p.description}`}>
      <title>{p.title}</title>
      <desc>{p.description}</desc>
      {p.ticks.map((value) => {
        const y = num(heightAt(value, p.ticks))
        return <line class="chart-line" x1="0" x2="100%" y1={y} y2={y} />
      })}
      <Labels labels={p.labels} />
      {p.children}
    </svg>
  </div>
)

type Bars = Series & { values: readonly number[] }

const Bar = (p: {
  label: Label
  at: number
  count: number
  series: readonly Bars[]
  ticks: readonly number[]
  tick(value: number): string
}) => {
  const width = Math.min(BAR_PERCENT_MAX, (100 / Math.max(1, p.count)) * 0.72)
  let below = 0
  return (
    <g>
      <title>{`${p.label.text}: ${p.series.map(({ name, values }) => `${name} ${p.tick(values[p.at] ?? 0)}`).join(', ')}`}</title>
      {p.series.map(({ values, tone }) => {
        const value = values[p.at] ?? 0
        if (value === 0) return <></>
        const [top, bottom] = [heightAt(below + value, p.ticks), heightAt(below, p.ticks)]
        below += value
        return (
          <rect
            class={`chart-fill tone-${tone}`}
            x={`${num(centreOf(p.at, p.count) - width / 2)}%`}
            width={`${num(width)}%`}
            y={num(top)}
            height={num(Math.max(1, bottom - top))}
          />
        )
      })}
    </g>
  )
}

/** One bar for each step of time, its parts one upon the other, the first at the bottom. */
export const StackedBars = (p: OverTime & { series: readonly Bars[] }) => {
  const sums = p.labels.map((_, at) => p.series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0))
  const ticks = scaleOf(Math.max(0, ...sums))
  return (
    <Frame {...p} ticks={ticks}>
      {p.labels.map((label, at) => (
        <Bar label={label} at={at} count={p.labels.length} series={p.series} ticks={ticks} tick={p.tick} />
      ))}
    </Frame>
  )
}

/** Lines over time. Where there is no value there is a gap, and a value between two gaps is a dot. */
export const Lines = (p: OverTime & { series: readonly (Series & { values: readonly (number | undefined)[] })[] }) => {
  const ticks = scaleOf(Math.max(0, ...p.series.flatMap(({ values }) => values.filter((value) => value !== undefined))))
  const count = p.labels.length
  return (
    <Frame {...p} ticks={ticks}>
      {/* A path knows no percent: it is drawn on a field of its own, which is stretched while the line keeps its width. */}
      <svg width="100%" height={HEIGHT} viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {p.series.map(({ values, tone }) => (
          <g class={`tone-${tone}`}>
            <path class="chart-stroke" d={pathOf(values, (value, at) => [centreOf(at, count), heightAt(value, ticks)])} />
          </g>
        ))}
      </svg>
      {p.series.map(({ name, values, tone }) => (
        <g class={`tone-${tone}`}>
          {values.map((value, at) =>
            value === undefined ? (
              <></>
            ) : (
              <circle class="chart-dot" cx={`${num(centreOf(at, count))}%`} cy={num(heightAt(value, ticks))} r={count > 40 ? 2 : 3}>
                <title>{`${p.labels[at]?.text}: ${name} ${p.tick(value)}`}</title>
              </circle>
            ),
          )}
        </g>
      ))}
    </Frame>
  )
}

function pathOf(values: readonly (number | undefined)[], place: (value: number, at: number) => [number, number]): string {
  let isDown = false
  let path = ''
  for (const [at, value] of values.entries()) {
    if (value === undefined) {
      isDown = false
      continue
    }
    const [x, y] = place(value, at)
    path += `${isDown ? 'L' : 'M'}${num(x)} ${num(y)}`
    isDown = true
  }
  return path
}

/** A bar as wide as its part of the largest one; stands in a cell beside its name and number. */
export const Share = (p: { of: number; parts: readonly { value: number; tone: Series['tone'] }[] }) => {
  let at = 0
  return (
    <svg class="share" width="100%" height="8" aria-hidden="true" focusable="false">
      <rect class="chart-track" width="100%" height="8" rx="2" />
      {p.parts.map(({ value, tone }) => {
        const from = at
        at += p.of === 0 ? 0 : (value / p.of) * 100
        return value === 0 ? (
          <></>
        ) : (
          <rect class={`chart-fill tone-${tone}`} x={`${num(from)}%`} width={`${num(Math.max(0.5, at - from))}%`} height="8" />
        )
      })}
    </svg>
  )
}
