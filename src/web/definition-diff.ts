/** How a definition differs from another one, in sentences: what a person has to know before they accept it. */
import { inKeyOrder, kindOf } from '@/connections'
import type { ChangeLine, Said, Word } from '@views/definition-change.tsx'

type Json = Readonly<Record<string, unknown>>
type DiffWords = typeof import('diff').diffWordsWithSpace

const DIFF_MS = 200
const DEPTH_MAX = 6
const LINES_MAX = 60
const VALUE_CHARS_MAX = 120

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const objectOf = (value: unknown): Json => (isObject(value) ? value : {})
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const same = (one: unknown, other: unknown): boolean => JSON.stringify(inKeyOrder(one)) === JSON.stringify(inKeyOrder(other))
const code = (value: unknown): Said => ({
  code: (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')).slice(0, VALUE_CHARS_MAX),
})
const keysOf = (...objects: Json[]): string[] => [...new Set(objects.flatMap(Object.keys))]

/** @param untilMs when there has to be an end of comparing, by `performance.now()` */
export function changesIn(before: Json, after: Json, compareWords: DiffWords, untilMs = Number.POSITIVE_INFINITY): ChangeLine[] {
  if (performance.now() > untilMs)
    return [
      { kind: 'says', parts: ['So much changed at once that this was not compared. The tool’s own page has its definition as it is now.'] },
    ]
  const diffWords = ((was: string, is: string) =>
    compareWords(was, is, { timeout: Math.max(1, Math.min(DIFF_MS, untilMs - performance.now())) })) as DiffWords
  const lines: ChangeLine[] = []
  const compare = createComparing(lines, diffWords)
  const kinds = [kindOf(before), kindOf(after)] as const
  if (kinds[0] !== kinds[1] && 'inputSchema' in after)
    lines.push({
      kind: 'says',
      isGrave: kinds[0] === 'read' || kinds[1] === 'destructive',
      parts: ['By what it says of itself it was ', code(kinds[0]), ' and is ', code(kinds[1]), ' now.'],
    })
  compare.text(['Title'], before['title'], after['title'])
  compare.text(['Description'], before['description'], after['description'])
  compare.hints(objectOf(before['annotations']), objectOf(after['annotations']))
  compare.schema(before['inputSchema'], after['inputSchema'], { noun: 'argument', path: '' }, 0)
  if (!same(before['outputSchema'], after['outputSchema'])) {
    const had = [before['outputSchema'] === undefined, after['outputSchema'] === undefined]
    if (had[0] || had[1])
      lines.push({
        kind: 'says',
        parts: [had[0] ? 'It promises now how its result is built.' : 'It no longer promises how its result is built.'],
      })
    else compare.schema(before['outputSchema'], after['outputSchema'], { noun: 'field of the result', path: '' }, 0)
  }
  compare.promptArguments(before['arguments'], after['arguments'])
  const told = new Set(['name', 'title', 'description', 'annotations', 'inputSchema', 'outputSchema', 'arguments'])
  for (const key of keysOf(before, after))
    if (!told.has(key) && !same(before[key], after[key]))
      lines.push({ kind: 'says', parts: [code(key), ' is another one; the whole definition below shows how.'] })
  if (lines.length === 0)
    lines.push({ kind: 'says', parts: ['Something differs that is no word and no argument; the whole definition below shows what.'] })
  return lines.length > LINES_MAX
    ? [
        ...lines.slice(0, LINES_MAX),
        { kind: 'says', parts: [`${lines.length - LINES_MAX} more differences are in the whole definition below.`] },
      ]
    : lines
}

type Where = { noun: string; path: string }

/** What is said of single values. */
function createSaying(lines: ChangeLine[], diffWords: DiffWords) {
  const say = (...parts: Said[]) => void lines.push({ kind: 'says', parts })
  const text = (what: Said[], before: unknown, after: unknown): void => {
    const [was, is] = [textOf(before), textOf(after)]
    // What is not shown any more is only counted.
    if (was !== is) lines.push({ kind: 'words', what, words: lines.length < LINES_MAX ? wordsOf(was, is, diffWords) : [] })
  }
  const scalar = (key: string, before: Json, after: Json, where: Where) => {
    const [was, is] = [before[key], after[key]]
    if (same(was, is)) return
    const of = where.path === '' ? [] : [' of ', code(where.path)]
    const name = key === 'type' ? 'Type' : key === 'default' ? 'Default' : key
    const what: Said = /^[A-Z]/.test(name) ? name : code(name)
    if (was === undefined) say(what, ...of, ' is ', code(is), ' now; nothing was said of it before.')
    else if (is === undefined) say(what, ...of, ' was ', code(was), '; nothing is said of it any more.')
    else say(what, ...of, ': ', code(was), ' → ', code(is))
  }
  const choices = (before: Json, after: Json, { path }: Where) => {
    const [was, is] = [before['enum'], after['enum']]
    if (same(was, is)) return
    if (!Array.isArray(was) || !Array.isArray(is))
      return say(
        code(path),
        Array.isArray(is) ? ' takes only certain values now: ' : ' takes any value now; it was one of ',
        ...commas(listOf(is ?? was)),
      )
    const [more, less] = [without(is, was), without(was, is)]
    if (more.length > 0) say(code(path), ' may be ', ...commas(more), ' as well.')
    if (less.length > 0) say(code(path), ' may no longer be ', ...commas(less), '.')
    if (more.length + less.length === 0) say('The values of ', code(path), ' are in another order.')
  }
  /** What was not compared by any of the others. */
  const rest = (before: Json, after: Json, { path }: Where) => {
    for (const key of keysOf(before, after)) {
      if (COMPARED.has(key) || same(before[key], after[key])) continue
      const isPlain = [before[key], after[key]].every((value) => value === undefined || typeof value !== 'object')
      if (isPlain) scalar(key, before, after, { noun: '', path })
      else say(code(key), ...(path === '' ? [] : [' of ', code(path)]), ' is another one; the whole definition below shows how.')
    }
  }
  return { say, text, scalar, choices, rest }
}

function createComparing(lines: ChangeLine[], diffWords: DiffWords) {
  const { say, text, scalar, choices, rest } = createSaying(lines, diffWords)
  const property = (name: string, before: Json, after: Json, where: Where, depth: number): void => {
    const path = where.path === '' ? name : `${where.path}.${name}`
    const [was, is] = [objectOf(before['properties'])[name], objectOf(after['properties'])[name]]
    const isNeeded = [before, after].map((schema) => listOf(schema['required']).includes(name))
    if (was === undefined) {
      say(`New ${isNeeded[1] ? 'required' : 'optional'} ${where.noun} `, code(path), ` (${typeOf(is)})`)
      return text(['What ', code(path), ' is said to be'], '', objectOf(is)['description'])
    }
    if (is === undefined) return say(`${capital(where.noun)} `, code(path), ' is gone.')
    if (isNeeded[0] !== isNeeded[1])
      say(`${capital(where.noun)} `, code(path), isNeeded[1] ? ' is required now.' : ' is no longer required.')
    schema(was, is, { noun: where.noun, path }, depth + 1)
  }
  const schema = (before: unknown, after: unknown, where: Where, depth: number): void => {
    if (same(before, after)) return
    if (!isObject(before) || !isObject(after) || depth > DEPTH_MAX)
      return say(
        where.path === '' ? capital(`the ${where.noun}s are described otherwise`) : code(where.path),
        where.path === '' ? '.' : ' is described otherwise.',
      )
    text(
      where.path === '' ? [`Description of its ${where.noun}s`] : ['Description of ', code(where.path)],
      before['description'],
      after['description'],
    )
    text(['Title of ', code(where.path)], before['title'], after['title'])
    scalar('type', before, after, where)
    choices(before, after, where)
    scalar('default', before, after, where)
    for (const name of keysOf(objectOf(before['properties']), objectOf(after['properties']))) property(name, before, after, where, depth)
    if (!same(before['items'], after['items'])) schema(before['items'], after['items'], { ...where, path: `${where.path}[]` }, depth + 1)
    rest(before, after, where)
  }
  return {
    text,
    schema,
    hints(before: Json, after: Json): void {
      text(['Title'], before['title'], after['title'])
      for (const key of keysOf(before, after)) {
        if (key === 'title' || same(before[key], after[key])) continue
        const [was, is] = [before[key], after[key]].map((value) => (value === undefined ? 'nothing' : JSON.stringify(value)))
        lines.push({ kind: 'says', isGrave: GRAVE_HINTS.has(key), parts: ['Hint ', code(key), ': ', code(was), ' → ', code(is)] })
      }
    },
    promptArguments(before: unknown, after: unknown): void {
      const asSchema = (list: unknown) => ({
        properties: Object.fromEntries(
          listOf(list).map((each) => [textOf(objectOf(each)['name']), { description: objectOf(each)['description'] }]),
        ),
        required: listOf(list).flatMap((each) => (objectOf(each)['required'] === true ? [textOf(objectOf(each)['name'])] : [])),
      })
      if (!same(before, after)) schema(asSchema(before), asSchema(after), { noun: 'argument', path: '' }, 0)
    },
  }
}

const COMPARED = new Set(['description', 'title', 'type', 'enum', 'default', 'properties', 'required', 'items'])
const GRAVE_HINTS = new Set(['readOnlyHint', 'destructiveHint'])

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const without = (all: readonly unknown[], others: readonly unknown[]): unknown[] =>
  all.filter((value) => !others.some((other) => same(value, other)))
const commas = (values: readonly unknown[]): Said[] =>
  values.slice(0, 10).flatMap((value, at) => (at === 0 ? [code(value)] : [', ', code(value)]))

function typeOf(schema: unknown): string {
  const { type, enum: choices } = objectOf(schema)
  if (Array.isArray(choices)) return 'a choice'
  return typeof type === 'string' ? type : Array.isArray(type) ? type.filter((each) => typeof each === 'string').join(' or ') : 'anything'
}

function wordsOf(before: string, after: string, diffWords: DiffWords): Word[] {
  const parts = diffWords(before, after) as ReturnType<DiffWords> | undefined
  // Two texts that take so long to compare have little in common.
  if (!parts)
    return [
      { text: before, mark: 'removed' },
      { text: after, mark: 'added' },
    ]
  return parts.map(({ value, added, removed }) => ({
    text: value,
    ...(added ? { mark: 'added' as const } : removed ? { mark: 'removed' as const } : {}),
  }))
}
