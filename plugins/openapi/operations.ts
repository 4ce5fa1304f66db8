import type { JsonObject } from '@/plugins/api.ts'
import { isObject, type ToolDefinition } from '../local-server.ts'
import { bodyOf, type BodyPlan } from './bodies.ts'
import { outputSchemaOf } from './outputs.ts'
import { type Schemas, shortened } from './schemas.ts'
import type { Style } from './styles.ts'

export const OPERATIONS_MAX = 500
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const
const NAME_CHARS_MAX = 64
const DESCRIPTION_CHARS_MAX = 2_000
const PARAMETERS_MAX = 200
/** Headers that are not the caller's to set (OpenAPI 3.1, "Parameter Object"), nor anybody's but the transport's. */
const HEADERS_NOT_ASKED = /^(accept|content-type|authorization|host|cookie|content-length|connection|transfer-encoding)$/i

export type Parameter = Style & {
  in: 'path' | 'query' | 'header' | 'cookie'
  /** The argument of the tool that fills it; the name itself where clients take it. */
  key: string
  required: boolean
  /** Described by `content`: the value travels as JSON text. */
  asJson: boolean
}
export type Operation = {
  tool: ToolDefinition
  method: string
  path: string
  parameters: readonly Parameter[]
  body: BodyPlan | undefined
  /** Servers of its own, where the document names other ones for it. */
  servers: unknown
  security: unknown
  tags: readonly string[]
}

type Found = { method: string; path: string; item: JsonObject; operation: JsonObject }

/** The operations of a document as tools, in its order. `picked` holds names, operation ids, tags or "GET /path"; empty means all. */
export function operationsOf(root: JsonObject, schemas: Schemas, picked: readonly string[]): { operations: Operation[]; leftOut: number } {
  const wanted = new Set(picked.map((each) => each.trim().toLowerCase()).filter(Boolean))
  const names = createNames(NAME_CHARS_MAX)
  const operations: Operation[] = []
  let leftOut = 0
  for (const found of listed(root, schemas)) {
    // Names are given before anything is picked, so that they do not depend on what is.
    const name = names(nameOf(found))
    if (wanted.size > 0 && !isPicked(found, name, wanted)) continue
    if (operations.length >= OPERATIONS_MAX) leftOut += 1
    else operations.push(toOperation(root, schemas, found, name))
  }
  return { operations, leftOut }
}

function* listed(root: JsonObject, schemas: Schemas): Generator<Found> {
  const paths = isObject(root['paths']) ? root['paths'] : {}
  for (const [path, given] of Object.entries(paths)) {
    const item = schemas.follow(given)?.value
    if (item === undefined || !path.startsWith('/')) continue
    for (const method of METHODS) {
      const operation = schemas.follow(item[method])?.value
      if (operation !== undefined) yield { method, path, item, operation }
    }
  }
}

const tagsOf = ({ operation }: Found): string[] =>
  (Array.isArray(operation['tags']) ? operation['tags'] : []).filter((tag) => typeof tag === 'string') as string[]

function nameOf({ method, path, operation: { operationId } }: Found): string {
  return typeof operationId === 'string' && /[A-Za-z0-9]/.test(operationId) ? operationId : `${method}${path}`
}

function isPicked(found: Found, name: string, wanted: ReadonlySet<string>): boolean {
  const { method, path, operation } = found
  const known = [name, String(operation['operationId'] ?? name), `${method} ${path}`, ...tagsOf(found)]
  return known.some((each) => wanted.has(each.toLowerCase()))
}

/** Names that clients take (letters, digits, `_`, `-`), each one once. */
export function createNames(charsMax: number): (wish: string) => string {
  const taken = new Set<string>()
  return (wish) => {
    const safe = wish.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^_+|_+$/g, '') || 'unnamed'
    let name = safe.slice(0, charsMax)
    for (let count = 2; taken.has(name); count += 1) {
      const suffix = `_${count}`
      name = safe.slice(0, charsMax - suffix.length) + suffix
    }
    taken.add(name)
    return name
  }
}

function toOperation(root: JsonObject, schemas: Schemas, found: Found, name: string): Operation {
  const { method, path, item, operation } = found
  const keys = createNames(NAME_CHARS_MAX)
  const described = describedParameters(schemas, found)
  const properties: JsonObject = {}
  const required: string[] = []
  const parameters = described.map(({ parameter, schema }) => {
    const key = keys(parameter.name)
    properties[key] = schema
    if (parameter.required) required.push(key)
    return { ...parameter, key }
  })
  const body = bodyOf(schemas, operation['requestBody'], keys)
  if (body !== undefined) {
    properties[body.plan.key] = body.schema
    if (body.plan.required) required.push(body.plan.key)
  }
  const outputSchema = outputSchemaOf(schemas, operation['responses'])
  const tool: ToolDefinition = {
    name,
    ...titleOf(operation),
    description: descriptionOf(found),
    inputSchema: { type: 'object', properties, ...(required.length > 0 ? { required } : {}), additionalProperties: false },
    ...(outputSchema === undefined ? {} : { outputSchema }),
    annotations: annotationsOf(method),
  }
  return {
    tool,
    method: method.toUpperCase(),
    path,
    parameters,
    body: body?.plan,
    servers: operation['servers'] ?? item['servers'],
    security: operation['security'] ?? root['security'],
    tags: tagsOf(found),
  }
}

const titleOf = ({ summary }: JsonObject): { title?: string } =>
  typeof summary === 'string' && summary.trim() !== '' ? { title: shortened(summary.trim(), 100) } : {}

function descriptionOf({ method, path, operation }: Found): string {
  const said = [operation['summary'], operation['description']].filter((each) => typeof each === 'string' && each.trim() !== '')
  const unique = [...new Set(said.map((each) => String(each).trim()))]
  const deprecated = operation['deprecated'] === true ? ['Deprecated.'] : []
  const text = [...deprecated, ...(unique.length > 0 ? unique : [`${method.toUpperCase()} ${path}`])].join('\n\n')
  return shortened(text, DESCRIPTION_CHARS_MAX)
}

/** RFC 9110 §9.2: which methods read only, and which may be repeated without doing it twice. */
function annotationsOf(method: string): JsonObject {
  const readOnlyHint = method === 'get' || method === 'head' || method === 'options'
  const more = readOnlyHint ? {} : { destructiveHint: method !== 'post', idempotentHint: method === 'put' || method === 'delete' }
  return { readOnlyHint, ...more, openWorldHint: true }
}

type Described = { parameter: Omit<Parameter, 'key'>; schema: JsonObject }

/** The parameters of the path and of the operation; of two with one place and name, the operation's counts. */
function describedParameters(schemas: Schemas, { item, operation, path }: Found): Described[] {
  const byPlace = new Map<string, Described>()
  for (const given of [item['parameters'], operation['parameters']].flat()) {
    const parameter = schemas.follow(given)?.value
    const described = parameter === undefined ? undefined : describeParameter(schemas, parameter)
    if (described !== undefined) byPlace.set(`${described.parameter.in} ${described.parameter.name}`, described)
  }
  // A document that forgot to declare a variable of the path still cannot be called without it.
  for (const [, name = ''] of path.matchAll(/\{([^{}]+)\}/g)) {
    const plain = { name, in: 'path', style: 'simple', explode: false, required: true, asJson: false } as const
    if (!byPlace.has(`path ${name}`)) byPlace.set(`path ${name}`, { parameter: plain, schema: { type: 'string' } })
  }
  return [...byPlace.values()].slice(0, PARAMETERS_MAX)
}

const PLACES = new Set(['path', 'query', 'header', 'cookie'])
const STYLES: Record<Parameter['in'], string> = { path: 'simple', query: 'form', header: 'simple', cookie: 'form' }

function describeParameter(schemas: Schemas, parameter: JsonObject): Described | undefined {
  const { name, in: place, content } = parameter
  if (typeof name !== 'string' || name === '' || typeof place !== 'string' || !PLACES.has(place)) return undefined
  if (place === 'header' && HEADERS_NOT_ASKED.test(name)) return undefined
  const at = place as Parameter['in']
  const [mediaType, media] = isObject(content) ? (Object.entries(content)[0] ?? []) : []
  const style = typeof parameter['style'] === 'string' ? parameter['style'] : STYLES[at]
  const schema = schemas.standalone(isObject(media) ? media['schema'] : parameter['schema'], 'request')
  const description = typeof parameter['description'] === 'string' ? shortened(parameter['description'].trim(), 1_000) : undefined
  return {
    parameter: {
      name,
      in: at,
      style,
      explode: typeof parameter['explode'] === 'boolean' ? parameter['explode'] : style === 'form',
      allowReserved: parameter['allowReserved'] === true,
      required: at === 'path' || parameter['required'] === true,
      asJson: mediaType !== undefined && /json/i.test(mediaType),
    },
    schema: description ? { ...schema, description } : schema,
  }
}
