import { type Channel, ChannelError, type ConnectorContext, defineConnector, definePlugin, type JsonObject, z } from '@/plugins/api.ts'
import { createLocalChannel, isObject, toolError, type ToolResult } from '../local-server.ts'
import { toResult } from './answers.ts'
import { baseOf, loadDocument, type OpenapiDocument, serverOf } from './document.ts'
import { type Operation, OPERATIONS_MAX, operationsOf } from './operations.ts'
import { ArgumentProblem, buildRequest, type HttpRequest } from './requests.ts'
import { createSchemas } from './schemas.ts'
import { createSecurity, type Security } from './security.ts'

const REDIRECTS_MAX = 3

const settings = z.object({
  document: z.string().min(1).max(4_000_000).meta({
    title: 'OpenAPI document',
    description: 'Its address, or the document itself in JSON or YAML.',
    placeholder: 'https://api.example.com/openapi.json',
    multiline: true,
  }),
  url: z
    .url({ protocol: /^https?$/, error: 'This is no http or https address.' })
    .max(2048)
    .optional()
    .meta({
      title: 'Address of the API',
      description: 'Where the API answers. The first server that the document names, if left empty.',
      placeholder: 'https://api.example.com/v1',
    }),
  operations: z
    .array(z.string().max(300))
    .max(OPERATIONS_MAX)
    .default([])
    .meta({
      title: 'Operations',
      description: `Names, tags, or lines such as “GET /pets”. All of them, up to ${OPERATIONS_MAX}, if left empty.`,
      placeholder: 'listPets\nGET /pets/{id}',
    }),
  credentials: z.record(z.string().max(200), z.string().max(16_384)).default({}).meta({
    title: 'Credentials',
    description: 'Name of a security scheme in the document = its key, token, or user:password.',
    placeholder: 'api_key=…',
    secret: true,
  }),
})
type Settings = z.output<typeof settings>

async function open(context: ConnectorContext<Settings>): Promise<Channel> {
  const { document: given, url, operations: picked, credentials } = context.settings
  const document = await loadDocument(given, context)
  const base = baseOf(document, url)
  const schemas = createSchemas(document.root)
  const { operations, leftOut } = operationsOf(document.root, schemas, picked)
  if (operations.length === 0) throw new ChannelError('refused', 'The document has no operation that could be offered.')
  if (leftOut > 0) context.log(`${leftOut} operations were left out: at most ${OPERATIONS_MAX} can be offered. Pick those you need.`)
  const security = createSecurity(document.root, schemas, credentials)
  for (const name of security.strangers) context.log(`The document has no security scheme “${name}” that Toolpass can use.`)
  const byName = new Map(operations.map((operation) => [operation.tool.name, operation]))
  return createLocalChannel({
    ...introductionOf(document.root),
    tools: operations.map(({ tool }) => tool),
    call: async (name, args, signal) => {
      const operation = byName.get(name)
      if (operation === undefined) return toolError('There is no such operation.')
      return carryOut(context, operation, args, { document, base, security }, signal)
    },
    close: async () => {},
  })
}

type Api = { document: OpenapiDocument; base: URL; security: Security }

async function carryOut(
  context: ConnectorContext<Settings>,
  operation: Operation,
  args: JsonObject,
  { document, base, security }: Api,
  signal: AbortSignal,
): Promise<ToolResult> {
  let request: HttpRequest
  try {
    const own =
      operation.servers === undefined || context.settings.url !== undefined ? undefined : serverOf(operation.servers, document.from)
    const target = own ?? base
    // A credential was entered for the API. Where the document sends single operations elsewhere, it does not go along.
    const credentials = target.origin === base.origin ? security.for(operation.security) : []
    request = buildRequest(operation, args, target, credentials)
  } catch (error) {
    if (error instanceof ArgumentProblem) return toolError(error.message)
    throw error
  }
  const { url, method, headers, body } = request
  const redirectsMax = method === 'GET' || method === 'HEAD' ? REDIRECTS_MAX : 0
  const response = await context.fetch(url, { method, headers, signal, redirectsMax, ...(body === undefined ? {} : { body }) })
  if (response.status === 401) {
    void response.body?.cancel().catch(() => {})
    const wwwAuthenticate = response.headers.get('www-authenticate')
    const details = { status: 401, ...(wwwAuthenticate === null ? {} : { wwwAuthenticate }) }
    throw new ChannelError('unauthorized', 'The API wants a valid credential.', details)
  }
  return toResult(response, operation.tool['outputSchema'] !== undefined)
}

function introductionOf({ info }: JsonObject) {
  const { title, version, description } = isObject(info) ? info : {}
  const named = typeof title === 'string' && title.trim() !== '' ? title.trim().slice(0, 100) : 'API'
  return {
    info: { name: named, title: named, version: typeof version === 'string' ? version.slice(0, 50) : '0' },
    ...(typeof description === 'string' && description.trim() !== '' ? { instructions: description.trim().slice(0, 1_000) } : {}),
  }
}

const openapi = defineConnector({
  id: 'openapi',
  title: 'Web API (OpenAPI document)',
  description: 'Each operation of an HTTP API that is described by an OpenAPI 3 document becomes a tool.',
  settings,
  definedBy: 'anyone',
  summary: ({ url, document = '' }) => URL.parse(url ?? '')?.host ?? URL.parse(document.trim())?.host ?? 'a pasted document',
  open,
})

export default definePlugin({ id: 'openapi', version: '1.0.0', title: 'OpenAPI', connectors: [openapi] })
