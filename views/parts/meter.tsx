import { plural, short } from './format.ts'
import type { Tone } from './badge.tsx'

/**
 * Context cost: about how much of a model's context window the definitions of the tools take. There is no sharp limit,
 * so we say it in a word: up to 5k is light (a fortieth of a usual window of 200k), up to 15k fair, above it heavy.
 * `toolpass.js` holds the same limits for its live recount.
 */
const LIGHT_MAX = 5_000
const FAIR_MAX = 15_000
/** The bar's right end; what is beyond it is heavy in any case. */
const SCALE_MAX = 20_000

export type Level = 'light' | 'fair' | 'heavy'
export const levelOf = (cost: number): Level => (cost <= LIGHT_MAX ? 'light' : cost <= FAIR_MAX ? 'fair' : 'heavy')
const TONES: Record<Level, Tone> = { light: 'ok', fair: 'warning', heavy: 'danger' }
const WORDS: Record<Level, string> = { light: 'Light', fair: 'Fair', heavy: 'Heavy' }

/** Drawn as SVG: a width is an attribute there, and the content security policy allows no style attributes. */
const Bar = (p: { cost: number }) => (
  <svg class="meter-bar" width="100%" height="6" aria-hidden="true" focusable="false">
    <rect class="meter-track" width="100%" height="6" rx="3" />
    <rect class="meter-fill" data-meter-fill={true} width={`${Math.min(100, (p.cost / SCALE_MAX) * 100).toFixed(1)}%`} height="6" rx="3" />
  </svg>
)

/**
 * The total of a set of tools. The numbers are in elements of their own, so that the live recount can rewrite them.
 * `base` is the part of `cost` that is there whatever is picked: that of the tools by which apps find others.
 */
export const ContextMeter = (p: { cost: number; tools: number; of?: number | undefined; base?: number | undefined }) => {
  const level = levelOf(p.cost)
  return (
    <div class={`meter tone-${TONES[level]}`} data-meter={true} data-meter-base={p.base}>
      <div class="meter-line">
        <span class="meter-number">
          <span data-meter-cost={true}>{short(p.cost)}</span>
        </span>
        <span class="meter-word" data-meter-word={true}>
          {WORDS[level]}
        </span>
      </div>
      <Bar cost={p.cost} />
      <p class="meter-note">
        Context cost of <span data-meter-tools={true}>{plural(p.tools, 'tool')}</span>
        {p.of !== undefined && ` of ${p.of}`}
        {p.base !== undefined && ', found by search'}
      </p>
    </div>
  )
}

/** The thin form, on cards. */
export const ContextLine = (p: { cost: number }) => {
  const level = levelOf(p.cost)
  return (
    <div class={`meter meter-thin tone-${TONES[level]}`}>
      <div class="meter-line">
        <span>
          Context cost <strong>{short(p.cost)}</strong>
        </span>
        <span class="meter-word">{WORDS[level]}</span>
      </div>
      <Bar cost={p.cost} />
    </div>
  )
}
