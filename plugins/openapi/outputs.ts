import type { JsonObject } from '@/plugins/api.ts'
import { isObject } from '../local-server.ts'
import type { Schemas } from './schemas.ts'

const DEPTHS = [3, 2, 1]
const CHARS_MAX = 4_000

/**
 * What an answer looks like, where each success is a JSON object. Documents are often wrong about the details, and a client must
 * refuse an answer that breaks the schema, so only names, order and descriptions are told: nothing that an answer could break.
 */
export function outputSchemaOf(schemas: Schemas, responses: unknown): JsonObject | undefined {
  const successes = Object.entries(isObject(responses) ? responses : {}).filter(([status]) => /^2/.test(status))
  const bodies = successes.map(([, response]) => jsonSchemaOf(schemas, response))
  const [first] = bodies
  if (first === undefined || bodies.includes(undefined)) return undefined
  const told = schemas.standalone(first, 'answer', DEPTHS)
  if (told['type'] !== 'object' || !isObject(told['properties']) || Object.keys(told['properties']).length === 0) return undefined
  const made = { type: 'object', properties: loosened(told)['properties'] }
  return JSON.stringify(made).length > CHARS_MAX ? undefined : made
}

function jsonSchemaOf(schemas: Schemas, response: unknown): unknown {
  const content = schemas.follow(response)?.value['content']
  const entries = Object.entries(isObject(content) ? content : {})
  const isJson = entries.length > 0 && entries.every(([type]) => /^[\w.+-]+\/([\w.-]+\+)?json\b/i.test(type))
  const media = entries[0]?.[1]
  const schema = isJson && isObject(media) ? media['schema'] : undefined
  return schemas.follow(schema)?.value['type'] === 'object' ? schema : undefined
}

function loosened({ description, properties, items }: JsonObject): JsonObject {
  const made: JsonObject = typeof description === 'string' ? { description } : {}
  if (isObject(properties)) made['properties'] = mapped(properties)
  if (isObject(items) && isObject(items['properties'])) made['items'] = loosened(items)
  return made
}
const mapped = (properties: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, isObject(each) ? loosened(each) : {}]))
