import type { Tone } from './badge.tsx'

export type Segment = { value: string; label: string; tone: Tone }

/** A choice between two or three words, side by side in a row. Each is a word and a colour, and the colour shows the chosen one alone. */
export const Segments = (p: {
  name: string
  /** What it is about, for who cannot see what stands beside it. */
  label: string
  /** The form that its fields belong to, where they do not stand in it. */
  form?: string | undefined
  value: string
  segments: readonly Segment[]
}) => (
  <fieldset class="segments" aria-label={p.label}>
    {p.segments.map(({ value, label, tone }) => (
      <label class={`segment tone-${tone}`}>
        <input
          type="radio"
          id={`${p.name}-${value}`}
          name={p.name}
          value={value}
          checked={value === p.value}
          form={p.form}
          autocomplete="off"
        />
        <span>{label}</span>
      </label>
    ))}
  </fieldset>
)
