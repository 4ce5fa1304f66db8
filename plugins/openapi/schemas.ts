import type { JsonObject } from '@/plugins/api.ts'
import { isObject } from '../local-server.ts'

const REFS_IN_A_ROW_MAX = 20
const NODES_MAX = 3_000
/** Tried in turn until a schema fits: the deep parts of a large one are left open first. */
const DEPTHS = [12, 8, 5, 3, 2, 1]
const TEXT_CHARS_MAX = 1_000

/** Keywords that are taken over as they are. Annotations that only OpenAPI knows would cost context and say nothing. */
const PLAIN = [
  ...['type', 'title', 'enum', 'const', 'default', 'format', 'deprecated', 'contentEncoding', 'contentMediaType'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minContains', 'maxContains', 'minProperties', 'maxProperties', 'dependentRequired'],
]
const ONE = ['items', 'contains', 'not', 'if', 'then', 'else', 'propertyNames', 'additionalProperties', 'unevaluatedProperties'] as const
const MANY = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const
const NAMED = ['properties', 'patternProperties', 'dependentSchemas'] as const

/** Requests leave out what is `readOnly`, answers what is `writeOnly`. */
export type Direction = 'request' | 'answer'
type Walk = { direction: Direction; depthMax: number; nodes: number; within: string[] }

/** Reads a document by its `$ref`s. They are followed inside the document and nowhere else. */
export function createSchemas(root: JsonObject) {
  /** Undefined where a reference leads out of the document, nowhere, or in circles. */
  function follow(value: unknown): { value: JsonObject; ref?: string } | undefined {
    let current = value
    let ref: string | undefined
    for (let hops = 0; isObject(current) && typeof current['$ref'] === 'string'; hops += 1) {
      if (hops >= REFS_IN_A_ROW_MAX) return undefined
      ref = current['$ref']
      const { $ref: _, ...beside } = current
      const target = pointed(root, ref)
      // 3.1 lets other keywords stand beside a reference; they say more about the same thing.
      current = isObject(target) && Object.keys(beside).length > 0 ? { ...target, ...beside } : target
    }
    if (!isObject(current)) return undefined
    return ref === undefined ? { value: current } : { value: current, ref }
  }

  function schema(given: unknown, depth: number, walk: Walk): JsonObject | boolean {
    if (typeof given === 'boolean') return given
    const followed = follow(given)
    if (followed === undefined) return {}
    walk.nodes += 1
    const { value, ref } = followed
    const isAgain = ref !== undefined && walk.within.includes(ref)
    if (isAgain || depth > walk.depthMax || walk.nodes > NODES_MAX) return outline(value, isAgain ? ref : undefined)
    if (ref !== undefined) walk.within.push(ref)
    const made = { ...keywords(value), ...parts(value, depth, walk) }
    if (ref !== undefined) walk.within.pop()
    return made
  }

  function parts(value: JsonObject, depth: number, walk: Walk): JsonObject {
    const made: JsonObject = {}
    for (const name of ONE) if (value[name] !== undefined) made[name] = schema(value[name], depth + 1, walk)
    for (const name of MANY) {
      const list = value[name]
      if (Array.isArray(list) && list.length > 0) made[name] = list.map((each) => schema(each, depth + 1, walk))
    }
    for (const name of NAMED) {
      const named = value[name]
      if (!isObject(named)) continue
      const kept = Object.entries(named).filter(([, each]) => !isHidden(each, walk.direction))
      made[name] = Object.fromEntries(kept.map(([key, each]) => [key, schema(each, depth + 1, walk)]))
    }
    const required = requiredOf(value, walk.direction)
    if (required.length > 0) made['required'] = required
    return made
  }

  const isHidden = (property: unknown, direction: Direction): boolean =>
    follow(property)?.value[direction === 'request' ? 'readOnly' : 'writeOnly'] === true

  function requiredOf({ required, properties }: JsonObject, direction: Direction): string[] {
    if (!Array.isArray(required)) return []
    const known = isObject(properties) ? properties : {}
    return [...new Set(required.filter((name) => typeof name === 'string' && !isHidden(known[name], direction)))] as string[]
  }

  return {
    follow,
    /** A JSON Schema (2020-12) of its own, without references. What is cyclic or too large is cut to its outline. */
    standalone(given: unknown, direction: Direction, depths: readonly number[] = DEPTHS): JsonObject {
      for (const depthMax of depths) {
        const walk: Walk = { direction, depthMax, nodes: 0, within: [] }
        const made = schema(given, 0, walk)
        if (walk.nodes <= NODES_MAX) return isObject(made) ? made : {}
      }
      return outline(follow(given)?.value ?? {}, undefined)
    },
  }
}
export type Schemas = ReturnType<typeof createSchemas>

function keywords(value: JsonObject): JsonObject {
  const made: JsonObject = {}
  for (const name of PLAIN) if (value[name] !== undefined) made[name] = value[name]
  const { description, pattern } = value
  if (typeof description === 'string' && description.trim() !== '') made['description'] = shortened(description.trim(), TEXT_CHARS_MAX)
  if (typeof pattern === 'string' && isPattern(pattern)) made['pattern'] = pattern
  return made
}

/** Enough to fill something in by: what kind of thing it is, and that there is more to it than is said. */
function outline({ type, description }: JsonObject, again: string | undefined): JsonObject {
  const name = again?.split('/').at(-1)
  const said = name === undefined ? description : `Again of the shape ${name}, as above.`
  return {
    ...(type === undefined ? {} : { type }),
    ...(typeof said === 'string' ? { description: shortened(said, TEXT_CHARS_MAX) } : {}),
  }
}

/** A pattern that no validator would compile makes the whole tool unusable in clients. */
function isPattern(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u')
    return true
  } catch {
    return false
  }
}

export const shortened = (text: string, charsMax: number): string => (text.length > charsMax ? `${text.slice(0, charsMax - 1)}…` : text)

/** A JSON pointer of the form `#/a/b` (RFC 6901). */
function pointed(root: JsonObject, ref: string): unknown {
  if (ref === '#') return root
  if (!ref.startsWith('#/')) return undefined
  let current: unknown = root
  for (const part of ref.slice(2).split('/')) {
    const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined
    current = (current as JsonObject)[name]
  }
  return current
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
