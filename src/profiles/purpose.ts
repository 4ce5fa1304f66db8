/**
 * An argument of ours among a tool's own, with which a model says what a call is for. Its server never sees it, so it must not hide an
 * argument that the server has, and a schema that takes no others has to take this one.
 */
import type { JsonObject } from '@/plugins'

export const PURPOSE_CHARS_MAX = 300

const NAME = 'purpose'
const OTHER_NAME = 'toolpass_purpose'
const ARGUMENT: JsonObject = {
  type: 'string',
  description: 'Why is this call made? One short sentence, shown to the person who owns these tools.',
}
/** References may go round; further down than this nobody says what an object as a whole may hold. */
const DEPTH_MAX = 6

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What it is called beside this tool's own arguments: one that the server has, or would take, keeps its name. */
export function purposeNameFor(schema: unknown): string {
  const taken = namesTaken(schema)
  if (!taken.has(NAME) && !takesAnyName(schema)) return NAME
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? OTHER_NAME : `${OTHER_NAME}_${count}`
    if (!taken.has(name)) return name
  }
}

/** Said outright; that nothing was said about others is no sign that others are awaited. */
function takesAnyName(schema: unknown): boolean {
  if (!isObject(schema)) return false
  const { additionalProperties, patternProperties } = schema
  return additionalProperties === true || isObject(additionalProperties) || isObject(patternProperties)
}

/** Wherever they stand: which branches of a schema come to hold is known only with the arguments. */
function namesTaken(schema: unknown, names = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const each of schema) namesTaken(each, names)
  if (!isObject(schema)) return names
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties' && isObject(value)) for (const name of Object.keys(value)) names.add(name)
    if (key === 'required' && Array.isArray(value)) for (const name of value) if (typeof name === 'string') names.add(name)
    namesTaken(value, names)
  }
  return names
}

/** The schema with one optional argument more. One that is no schema stays as it is. */
export function withPurpose(schema: unknown, name: string): unknown {
  if (!isObject(schema) || !('properties' in schema ? isObject(schema['properties']) : true)) return schema
  const open = opened(schema, schema, name, 0)
  return { ...open, properties: { ...(open['properties'] as JsonObject | undefined), [name]: ARGUMENT } }
}

const BRANCHES = ['allOf', 'anyOf', 'oneOf'] as const
const CONDITIONS = ['then', 'else'] as const

/** The same, taking an argument of this name as well, wherever it says of the arguments as a whole what they may be. */
function opened(schema: JsonObject, root: JsonObject, name: string, depth: number): JsonObject {
  if (depth > DEPTH_MAX) return schema
  const inner = (value: unknown): unknown => (isObject(value) ? opened(value, root, name, depth + 1) : value)
  const open: JsonObject = { ...schema }
  for (const key of BRANCHES) if (Array.isArray(open[key])) open[key] = open[key].map(inner)
  for (const key of CONDITIONS) if (isObject(open[key])) open[key] = inner(open[key])
  if (isObject(open['dependentSchemas']))
    open['dependentSchemas'] = Object.fromEntries(Object.entries(open['dependentSchemas']).map(([key, value]) => [key, inner(value)]))
  if (typeof open['maxProperties'] === 'number') open['maxProperties'] += 1
  if (open['propertyNames'] !== undefined) open['propertyNames'] = { anyOf: [{ const: name }, open['propertyNames']] }
  if (isClosed(open) && (open['properties'] === undefined || isObject(open['properties'])))
    open['properties'] = { ...(open['properties'] as JsonObject | undefined), [name]: true }
  return withReferred(open, root, inner)
}

const isClosed = ({ additionalProperties, unevaluatedProperties }: JsonObject): boolean =>
  (additionalProperties !== undefined && additionalProperties !== true) ||
  (unevaluatedProperties !== undefined && unevaluatedProperties !== true)

/**
 * What a root refers to is written out where it stands, since what is referred to is used elsewhere too, and elsewhere there is no such
 * argument. In older drafts a reference silences what stands beside it; written out nothing has to.
 */
function withReferred(schema: JsonObject, root: JsonObject, inner: (value: unknown) => unknown): JsonObject {
  const referred = referredBy(schema['$ref'], root)
  if (!referred || referred === root) return schema
  const { $ref: _, ...rest } = schema
  const found = inner(referred) as JsonObject
  const clash = Object.keys(found).some((key) => key in rest && JSON.stringify(rest[key]) !== JSON.stringify(found[key]))
  if (!clash) return { ...found, ...rest }
  return { ...rest, allOf: [...(Array.isArray(rest['allOf']) ? rest['allOf'] : []), found] }
}

/** Within this schema; what stands at another address is not fetched. */
function referredBy(reference: unknown, root: JsonObject): JsonObject | undefined {
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return undefined
  let at: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
    at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }
  return isObject(at) ? at : undefined
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** What the call says it is for, and the arguments without it. */
export function purposeTaken(name: string, given: unknown): { purpose: string | undefined; given: unknown } {
  if (!isObject(given) || !Object.hasOwn(given, name)) return { purpose: undefined, given }
  const { [name]: said, ...rest } = given
  return { purpose: typeof said === 'string' ? bounded(said) : undefined, given: rest }
}

function bounded(said: string): string | undefined {
  const tidy = said.replace(/\s+/g, ' ').trim()
  const cut = tidy.length > PURPOSE_CHARS_MAX ? `${tidy.slice(0, PURPOSE_CHARS_MAX - 1)}…` : tidy
  return cut === '' ? undefined : cut.toWellFormed()
}
