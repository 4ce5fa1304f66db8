/** Arguments that a tool wants to see in headers as well (`x-mcp-header`, SEP-2243): what our own side has to send. */
import type { JsonObject } from '@/plugins'
import { isObject } from './session.ts'

const PREFIX = 'mcp-param-'
/** RFC 9110 §5.6.2: a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/
/** No `number`: a fraction has more than one spelling, and header and body must agree. */
const PRIMITIVES = new Set(['string', 'integer', 'boolean'])

type Marked = { property: string; header: string }

/** Marks stand on the properties of the arguments themselves; a mark anywhere below names nothing that could be sent. */
function marksOf(definition: JsonObject): [property: string, schema: JsonObject][] {
  const { inputSchema } = definition
  const properties = isObject(inputSchema) && isObject(inputSchema['properties']) ? inputSchema['properties'] : {}
  return Object.entries(properties).filter((pair): pair is [string, JsonObject] => isObject(pair[1]) && 'x-mcp-header' in pair[1])
}

/** Why a tool cannot be called as it wants to be, or undefined. Such a tool is left out (2026-07-28, "Custom headers"). */
export function headerProblem(definition: JsonObject): string | undefined {
  const taken = new Set<string>()
  for (const [property, schema] of marksOf(definition)) {
    const header = schema['x-mcp-header']
    if (typeof header !== 'string' || !TOKEN.test(header)) return `its parameter ${property.slice(0, 60)} names no usable header`
    if (!PRIMITIVES.has(String(schema['type']))) return `its parameter ${property.slice(0, 60)} cannot stand in a header`
    if (taken.has(header.toLowerCase())) return `two of its parameters want the header ${header}`
    taken.add(header.toLowerCase())
  }
  return undefined
}

/** Whether some of its arguments are to be seen in headers. */
export const hasMarks = (definition: JsonObject): boolean => knownMarks(definition).length > 0

const marked = new WeakMap<JsonObject, readonly Marked[]>()
/** Most tools mark nothing: found out once for each definition. */
function knownMarks(definition: JsonObject): readonly Marked[] {
  const known = marked.get(definition)
  if (known) return known
  const found = marksOf(definition).map(([property, schema]) => ({ property, header: String(schema['x-mcp-header']) }))
  marked.set(definition, found)
  return found
}

/** The headers for these arguments; undefined for a tool that marks none. What is absent or null is left out; what HTTP would alter travels as base64. */
export function mirroredHeaders(definition: JsonObject, args: unknown): Record<string, string> | undefined {
  const marks = knownMarks(definition)
  if (marks.length === 0 || !isObject(args)) return undefined
  const headers: Record<string, string> = {}
  for (const { property, header } of marks) {
    const value = Object.hasOwn(args, property) ? args[property] : undefined
    if (['string', 'number', 'boolean'].includes(typeof value)) headers[PREFIX + header.toLowerCase()] = encoded(String(value))
  }
  return headers
}

function encoded(value: string): string {
  const isPlain = /^[\x20-\x7e]*$/.test(value) && value === value.trim() && !/^=\?base64\?.*\?=$/i.test(value)
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}
