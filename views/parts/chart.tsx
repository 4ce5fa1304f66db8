/**
 * Charts as SVG text: pure functions of numbers and names. Widths and places are attributes in percent or units of the view box, since
 * the pages carry no inline style; colours are classes. Each has a name and a sentence for those who cannot see it, and what it shows
 * stands as a table behind it.
 */
export type Series = { name: string; tone: 'ok' | 'danger' | 'warning' | 'neutral' | 'accent' }

/** Of a place in a drawing: hundredths are finer than a pixel. */
export const num = (value: number): string => (Math.round(value * 100) / 100).toString()

/** The colours by their words; a colour alone says nothing. */
export const Legend = (p: { series: readonly (Series & { note?: string | undefined })[] }) => (
  <ul class="legend">
    {p.series.map((each) => (
      <li class={`tone-${each.tone}`}>
        <span class="legend-mark" aria-hidden="true" />
        {each.name}
        {each.note && <span class="muted"> {each.note}</span>}
      </li>
    ))}
  </ul>
)

const microseconds = (us: number): string => {
  if (us < 100) return 'under 0.1 ms'
  const ms = us / 1_000
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

export type Span = Series & { us: number }

/** What took how long, one after the other. */
export const TimeLine = (p: { spans: readonly Span[] }) => {
  const total = p.spans.reduce((sum, { us }) => sum + us, 0)
  let at = 0
  const placed = p.spans.map((span) => {
    const from = at
    at += total === 0 ? 0 : (span.us / total) * 100
    return { ...span, from, width: at - from }
  })
  const words = p.spans.map(({ name, us }) => `${name} ${microseconds(us)}`).join(', ')
  return (
    <figure class="timeline">
      <svg width="100%" height="16" role="img" aria-label={words}>
        <title>{words}</title>
        <rect class="chart-track" width="100%" height="16" rx="4" />
        {placed.map(({ from, width, tone }) => (
          <rect class={`chart-fill tone-${tone}`} x={`${num(from)}%`} width={`${num(width)}%`} height="16" />
        ))}
      </svg>
      <Legend series={p.spans.map(({ us, ...span }) => ({ ...span, note: microseconds(us) }))} />
    </figure>
  )
}
