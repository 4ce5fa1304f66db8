/** One tool's form: arguments of its schema as fields, and what was entered there as JSON again. */
import { parseJson } from '@/lib/json.ts'
import type { Override } from '@/store'
import type { ArgumentField, ArgumentKind } from '@views/profile-tool.tsx'

type JsonObject = Record<string, unknown>
/** What comes back: the override, and what is wrong at which field. */
export type Entered = { override: Override; errors: Record<string, string> }

/** More than any honest tool has; those beyond keep what they have. */
const ARGUMENTS_MAX = 100
const VALUE_CHARS_MAX = 16_384
const KINDS_OF_TOOLS = ['read', 'write', 'destructive'] as const
const USES = new Set(['default', 'fixed'])

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

type Argument = { name: string; schema: JsonObject; isRequired: boolean; kind: ArgumentKind; choices: readonly unknown[] }

/** In the order of the schema, which is an upstream's and may be of any shape. */
export function argumentsOf({ inputSchema }: Readonly<JsonObject>): Argument[] {
  const { properties, required } = isObject(inputSchema) ? inputSchema : {}
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(isObject(properties) ? properties : {})
    .slice(0, ARGUMENTS_MAX)
    .map(([name, given]) => {
      const schema = isObject(given) ? given : {}
      const choices = Array.isArray(schema['enum']) ? schema['enum'].slice(0, ARGUMENTS_MAX) : []
      return { name, schema, isRequired: needed.has(name), kind: choices.length > 0 ? 'choice' : kindOf(schema), choices }
    })
}

const KINDS: Record<string, ArgumentKind> = { string: 'text', number: 'number', integer: 'integer', boolean: 'boolean' }
const kindOf = ({ type }: JsonObject): ArgumentKind => (typeof type === 'string' ? (KINDS[type] ?? 'json') : 'json')

/** @param posted the form's own fields, where it is shown again */
export function fieldsOf(definition: Readonly<JsonObject>, override: Override, posted?: Readonly<Record<string, string>>): ArgumentField[] {
  return argumentsOf(definition).map(({ name, schema, isRequired, kind, choices }, at): ArgumentField => {
    const [use, value] = useOf(name, override)
    return {
      ...{ at, name, isRequired, kind, description: textOf(schema['description']) },
      type: typeInWords(schema),
      choices: choices.map((choice) => (typeof choice === 'string' ? choice : JSON.stringify(choice))),
      use: posted ? useIn(posted, at) : use,
      value: posted?.[`value-${at}`] ?? (use === 'as-is' ? '' : entryOf(kind, choices, value)),
    }
  })
}

function useOf(name: string, { defaults = {}, fixed = {} }: Override): ['as-is' | 'default' | 'fixed', unknown] {
  if (Object.hasOwn(fixed, name)) return ['fixed', fixed[name]]
  return Object.hasOwn(defaults, name) ? ['default', defaults[name]] : ['as-is', undefined]
}

const useIn = (posted: Readonly<Record<string, string>>, at: number): 'as-is' | 'default' | 'fixed' => {
  const use = posted[`use-${at}`] ?? ''
  return USES.has(use) ? (use as 'default' | 'fixed') : 'as-is'
}

/** A value as its field holds it. Choices are told by their places: what an upstream wrote need not survive a form. */
function entryOf(kind: ArgumentKind, choices: readonly unknown[], value: unknown): string {
  if (kind === 'choice') return String(choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(value)))
  if (kind === 'text' && typeof value === 'string') return value
  return JSON.stringify(value, undefined, kind === 'json' ? 2 : undefined) ?? ''
}

function typeInWords({ type, enum: choices }: JsonObject): string {
  if (Array.isArray(choices)) return 'choice'
  if (Array.isArray(type)) return type.filter((each) => typeof each === 'string').join(' or ')
  return typeof type === 'string' ? type : 'any'
}

/** What was entered, added to what the form did not show. Errors are by the names of the fields. */
export function readTool(posted: Readonly<Record<string, string>>, definition: Readonly<JsonObject>, earlier: Override): Entered {
  const errors: Record<string, string> = {}
  const shown = argumentsOf(definition)
  const names = new Set(shown.map(({ name }) => name))
  const { properties } = isObject(definition['inputSchema']) ? definition['inputSchema'] : {}
  // What the tool does not take any more goes; what was not on the page stays.
  const kept = (given: JsonObject = {}) =>
    Object.entries(given).filter(([name]) => !names.has(name) && isObject(properties) && Object.hasOwn(properties, name))
  const values = { default: kept(earlier.defaults), fixed: kept(earlier.fixed) }
  for (const [at, argument] of shown.entries()) {
    const use = useIn(posted, at)
    if (use === 'as-is') continue
    const read = enteredOf(argument, posted[`value-${at}`] ?? '')
    if ('says' in read) errors[`value-${at}`] = read.says
    else values[use].push([argument.name, read.value])
  }
  const { name = '', title = '', description = '' } = posted
  const kind = KINDS_OF_TOOLS.find((each) => each === posted['kind'])
  const override = {
    name,
    title,
    description,
    ...(kind && { kind }),
    defaults: Object.fromEntries(values.default),
    fixed: Object.fromEntries(values.fixed),
  }
  return { override, errors }
}

function enteredOf({ kind, schema, choices }: Argument, entered: string): { value: unknown } | { says: string } {
  if (entered.length > VALUE_CHARS_MAX) return { says: `Use up to ${VALUE_CHARS_MAX} characters.` }
  if (kind === 'text') return { value: entered.replace(/\r\n/g, '\n') }
  const text = entered.trim()
  switch (kind) {
    case 'choice': {
      const at = /^\d+$/.test(text) ? Number(text) : -1
      return at >= 0 && at < choices.length ? { value: choices[at] } : { says: 'Choose one of these.' }
    }
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : { says: 'Choose true or false.' }
    case 'number':
    case 'integer':
      return numberOf(kind, text)
    default:
      return jsonOf(schema, text)
  }
}

function numberOf(kind: 'number' | 'integer', text: string): { value: number } | { says: string } {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value)) return { says: 'Enter a number.' }
  return kind === 'integer' && !Number.isSafeInteger(value) ? { says: 'Enter a whole number.' } : { value }
}

function jsonOf({ type }: JsonObject, text: string): { value: unknown } | { says: string } {
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    return { says: 'This is no JSON. Text stands in quotes, a list in [ ], an object in { }.' }
  }
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type]
  const known = types.filter((each) => typeof each === 'string' && each in TYPES)
  if (known.length === 0 || known.some((each) => TYPES[each as string]?.(value))) return { value }
  return { says: `The tool takes ${known.join(' or ')} here.` }
}

const TYPES: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: isObject,
  null: (value) => value === null,
}
