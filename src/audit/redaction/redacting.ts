/** Secrets and personal data out, before anything is written. What cannot be looked through is not kept. */
import { type Found, lint, lintAtOnce, LINTED } from './linting.ts'
import { HINTS, PERSONAL, replaced, SECRETS } from './patterns.ts'
import { shortened } from './shortening.ts'
import { createSigns } from './signs.ts'

const ALL = [...SECRETS, ...PERSONAL]

const signs = createSigns([LINTED, HINTS])
/** By what a text has to be looked through: nothing, our own patterns, or those and secretlint's rules. */
function neededFor(text: string): 'nothing' | 'ours' | 'all' {
  const found = signs.in(text)
  if (found === 0) return 'nothing'
  return signs.has(0, text, found) ? 'all' : signs.has(1, text, found) ? 'ours' : 'nothing'
}

/** A promise only where the rules of secretlint have to be asked. */
export type Redacted<T> = T | Promise<T>

/**
 * A name, a reason, an address, a purpose.
 * @param isAct it is about people, whose names stay, and may be written inside somebody's transaction, which is not to be held up
 */
export function redactedText(text: string, isAct = false): Redacted<string> {
  const needed = neededFor(text)
  if (needed === 'nothing') return text
  const own = replaced(text, isAct ? SECRETS : ALL)
  return needed === 'all' ? (isAct ? lintAtOnce : lint)(own).then((found) => without(own, found)) : own
}

/** JSON, of what was cut to about `max` characters already (`shortened`). */
export function redactedCut(copy: unknown, max: number): Redacted<string> {
  const text = JSON.stringify(copy)
  const needed = neededFor(text)
  if (needed === 'nothing') return text
  const own = everyText(copy, (each) => deeper(each, max))
  if (needed === 'ours') return JSON.stringify(own)
  return lint(linesOf(own)).then((found) => JSON.stringify(found.length === 0 ? own : everyText(own, (each) => without(each, found))))
}

/** What else a row says, as the JSON that it stands there as. Names of its members are ours; what they hold may be anybody's. */
export function redactedDetail(text: string, isAct: boolean): Redacted<string> {
  const needed = neededFor(text)
  if (needed === 'nothing') return text
  const own = everyText(JSON.parse(text), (each) => replaced(each, isAct ? SECRETS : ALL))
  if (needed === 'ours') return JSON.stringify(own)
  return (isAct ? lintAtOnce : lint)(linesOf(own)).then((found) => JSON.stringify(everyText(own, (each) => without(each, found))))
}

/** @param found the longest first: what is shorter than the last of them holds none */
const without = (text: string, found: readonly Found[]): string =>
  text.length < (found.at(-1)?.text.length ?? 0)
    ? text
    : found.reduce((rest, { text: secret, mark }) => rest.replaceAll(secret, mark), text)

/** JSON inside a text is looked through by its names as well, as most results of tools are. */
function deeper(text: string, max: number): string {
  if (/^\s*[{[]/.test(text)) {
    const inner = parsed(text)
    if (inner !== undefined) return JSON.stringify(everyText(shortened(inner, max, true), (each) => replaced(each, ALL)))
  }
  return replaced(text, ALL)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of names and values alike. Names that became one are told apart, so that none of the values gets lost. */
function everyText(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => everyText(item, change))
  const copy: Record<string, unknown> = {}
  for (const [at, [key, member]] of Object.entries(value).entries()) {
    const changed = change(key)
    copy[Object.hasOwn(copy, changed) ? `${changed} ${at}` : changed] = everyText(member, change)
  }
  return copy
}

/** Of a name, where it stands before each of many values. */
const NAME_CHARS_MAX = 64

/** As a file of settings would say it, which is what the rules are written for. */
function linesOf(value: unknown): string {
  const lines: string[] = []
  const take = (each: unknown, name: string): void => {
    if (typeof each !== 'object' || each === null) return void lines.push(`${name.slice(-NAME_CHARS_MAX)}: ${each}`)
    if (Array.isArray(each)) for (const item of each) take(item, name)
    else for (const [key, member] of Object.entries(each)) take(member, key)
    // Names as well, whatever stands below them.
    if (!Array.isArray(each)) lines.push(...Object.keys(each))
  }
  take(value, 'value')
  return lines.join('\n')
}
