/** Numbers, times (milliseconds since 1970) and other people's text, as the pages write them. Pure, and the same for every page. */

const UNITS: readonly [seconds: number, name: string][] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/**
 * "5 min ago", "in 3 d", "just now"; from sixty days on the date itself, since nobody counts further.
 * `toolpass.js` holds the same rule to keep the page's times ticking: change both.
 */
export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000)
  const distance = Math.abs(seconds)
  if (distance < 5) return 'just now'
  if (distance > 60 * 86_400) return new Date(at).toISOString().slice(0, 10)
  const [size, unit] = UNITS.find(([size]) => distance >= size) as (typeof UNITS)[number]
  return seconds > 0 ? `${Math.floor(distance / size)} ${unit} ago` : `in ${Math.round(distance / size)} ${unit}`
}

export const exact = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** 1240 → "1.2k". Context cost is an estimate, so more digits would claim too much. */
export function short(count: number): string {
  if (count < 1000) return String(Math.round(count))
  const thousands = count / 1000
  return thousands < 10 ? `${thousands.toFixed(1).replace(/\.0$/, '')}k` : `${Math.round(thousands)}k`
}

export function latency(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** 18204 → "18,204". */
export const counted = (count: number): string => Math.round(count).toLocaleString('en-US')

export const plural = (count: number, one: string, many = `${one}s`): string => `${counted(count)} ${count === 1 ? one : many}`

// Characters that turn the direction of text around or hide in it: with them a name could read as another one.
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e01ef}]/gu

/** What has no look of its own, or none that is the same everywhere, beside the above. A single selector behind a picture is left alone. */
const HIDING =
  /\p{Variation_Selector}(?<!\ufe0f)|\u034f|[\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0\ufff0-\ufff8\ue000-\uf8ff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{10ffff}]|\ufe0f(?=[\ufe00-\ufe0f])|(?<=[\ufe00-\ufe0f])\ufe0f/gu
const pointed = (hidden: string): string => `⟨U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`

/** The same characters, pointed out instead of left away: where somebody looks for what is hidden. */
export const unhidden = (text: string): string => text.replace(HIDING, pointed).replace(INVISIBLE, pointed)

/**
 * Text that somebody else wrote (a client's name, a tool's description), safe to read: no direction marks, no
 * invisible characters, no more than `lengthMax` characters. Escaping is the JSX runtime's work, not done here.
 */
export function foreign(text: string, lengthMax = 80): string {
  const clean = text.replace(INVISIBLE, '').trim()
  const letters = [...clean.slice(0, lengthMax * 2 + 2)]
  return letters.length > lengthMax
    ? `${letters
        .slice(0, lengthMax - 1)
        .join('')
        .trimEnd()}…`
    : clean
}

/** The same, cut in the middle: the ends of an address tell it from others. */
export function foreignMiddle(text: string, lengthMax = 80): string {
  const letters = [...foreign(text, WHOLE_MAX)]
  if (letters.length <= lengthMax) return letters.join('')
  const head = Math.ceil((lengthMax - 1) / 2)
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (lengthMax - 1 - head)).join('')}`
}

/** As much of an address or a name as is worth showing on hover. */
const WHOLE_MAX = 2_048
/** What a cut text says on hover; undefined where nothing was cut. */
export const wholeOf = (text: string, shown: string): string | undefined => {
  const whole = foreign(text, WHOLE_MAX)
  return whole === shown ? undefined : whole
}
