import { ChannelError, type ConnectorContext, type JsonObject } from '@/plugins/api.ts'
import { isObject } from '../local-server.ts'
import { readBytes } from '../read-bytes.ts'

const DOCUMENT_BYTES_MAX = 10 * 1024 * 1024
const REDIRECTS_MAX = 3
/** A YAML alias counts each time it is used, so a small text cannot unfold into a document without end. */
const NODES_MAX = 2_000_000
const DEPTH_MAX = 100

export type OpenapiDocument = {
  /** OpenAPI 3.1; older documents are rewritten to it. */
  root: JsonObject
  /** Where it was fetched from; relative server addresses start there. */
  from?: string
}

const refused = (message: string, cause?: unknown) => new ChannelError('refused', message, { cause })

/** Takes the address of a document, or the document itself, in JSON or YAML. @throws ChannelError */
export async function loadDocument(given: string, context: Pick<ConnectorContext<unknown>, 'fetch' | 'signal'>): Promise<OpenapiDocument> {
  const address = given.trim()
  if (!/^https?:\/\/\S+$/.test(address)) return { root: await parseDocument(given) }
  const accept = 'application/vnd.oai.openapi+json, application/json, application/yaml, text/yaml, text/plain;q=0.5, */*;q=0.1'
  const response = await context.fetch(address, { headers: { accept }, signal: context.signal, redirectsMax: REDIRECTS_MAX })
  if (!response.ok) {
    void response.body?.cancel().catch(() => {})
    if (response.status === 401 || response.status === 403)
      throw new ChannelError('unauthorized', 'The document is not to be had without a credential.', { status: response.status })
    throw new ChannelError('refused', `Asking for the document was answered with HTTP status ${response.status}.`, {
      status: response.status,
    })
  }
  const { bytes, isCut } = await readBytes(response, DOCUMENT_BYTES_MAX)
  if (isCut) throw new ChannelError('invalid', `The document has more than ${DOCUMENT_BYTES_MAX} bytes.`)
  return { root: await parseDocument(new TextDecoder().decode(bytes)), from: response.url === '' ? address : response.url }
}

/** @throws ChannelError */
export async function parseDocument(text: string): Promise<JsonObject> {
  const parsed = parse(text)
  if (!isObject(parsed)) throw refused('This is no OpenAPI document.')
  demandBounds(parsed)
  const version = parsed['openapi'] ?? parsed['swagger']
  if (typeof version !== 'string' || !/^(2\.0|3\.[01](\.\d+)?)$/.test(version))
    throw refused('The document is of no version that Toolpass knows: OpenAPI 3.0, OpenAPI 3.1 or Swagger 2.0.')
  if (version.startsWith('3.1')) return parsed
  try {
    // Loaded when first needed: most houses have no such connection.
    const { upgrade } = await import('@scalar/openapi-parser')
    const { specification } = upgrade(parsed)
    if (isObject(specification)) return specification
  } catch (cause) {
    throw refused('The document could not be read as OpenAPI.', cause)
  }
  throw refused('The document could not be read as OpenAPI.')
}

function parse(text: string): unknown {
  try {
    return /^\s*\{/.test(text) ? JSON.parse(text) : Bun.YAML.parse(text)
  } catch (cause) {
    throw refused('The document is neither JSON nor YAML.', cause)
  }
}

/** Iterative, so nothing in a document can make it overflow; what walks by recursion afterwards is safe. */
function demandBounds(root: object): void {
  let level: object[] = [root]
  let nodes = 0
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: object[] = []
    for (const parent of level) {
      if (!Array.isArray(parent) && Object.hasOwn(parent, '__proto__')) Reflect.deleteProperty(parent, '__proto__')
      for (const child of Object.values(parent)) if (typeof child === 'object' && child !== null) next.push(child)
      if (nodes + next.length > NODES_MAX) throw new ChannelError('invalid', 'The document is too large to read.')
    }
    nodes += next.length
    if (depth > DEPTH_MAX) throw new ChannelError('invalid', 'The document is nested too deeply.')
    level = next
  }
}

/** The address that requests go to. @throws ChannelError */
export function baseOf({ root, from }: OpenapiDocument, override: string | undefined): URL {
  const url = override === undefined ? serverOf(root['servers'], from) : URL.parse(override)
  if (url === undefined || url === null)
    throw refused('The document does not say in full where the API answers. Enter the address of the API.')
  return url
}

/** The first server of a list, its variables at their defaults, relative to where the document came from. */
export function serverOf(servers: unknown, from: string | undefined): URL | undefined {
  const first: unknown = Array.isArray(servers) ? servers[0] : undefined
  // Without `servers` the default is one with the url "/" (OpenAPI 3.1, "OpenAPI Object").
  const template = isObject(first) && typeof first['url'] === 'string' ? first['url'] : '/'
  const variables = isObject(first) && isObject(first['variables']) ? first['variables'] : {}
  const filled = template.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
    const variable = variables[name]
    const value = isObject(variable) ? variable['default'] : undefined
    return typeof value === 'string' || typeof value === 'number' ? String(value) : whole
  })
  const url = URL.parse(filled, from)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' ? url : undefined
}
