/** The tools that answer with content of each kind, that log, report progress, fail, or describe themselves at length. */
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import type { World } from './world.ts'

export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const SILENCE = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='
const STEP_MS = 40

export const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] })
const image = { type: 'image' as const, data: PIXEL, mimeType: 'image/png' }
const resource = (uri: string, mimeType: string, body: string) => ({ type: 'resource' as const, resource: { uri, mimeType, text: body } })

const CONTENT = {
  test_simple_text: text('This is a simple text response for testing.'),
  test_image_content: { content: [image] },
  test_audio_content: { content: [{ type: 'audio' as const, data: SILENCE, mimeType: 'audio/wav' }] },
  test_embedded_resource: { content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')] },
  test_multiple_content_types: {
    content: [
      { type: 'text' as const, text: 'Multiple content types test:' },
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  },
  test_streaming_elicitation: text('Nothing but this result is on the stream.'),
}

/** Every keyword in here has to arrive as it is written. */
const JSON_SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const

export function addContentTools(server: McpServer, world: World): void {
  for (const [name, result] of Object.entries(CONTENT))
    server.registerTool(name, { description: `Answers with what ${name} names` }, async () => result)
  server.registerTool('test_error_handling', { description: 'Always fails' }, async () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(JSON_SCHEMA_2020_12) },
    async (given) => text(JSON.stringify(given)),
  )
  const region = { type: 'string', description: 'Mirrored into a header', 'x-mcp-header': 'Region' }
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'Has an argument that is sent as a header too',
      inputSchema: fromJsonSchema<{ region?: string }>({ type: 'object', properties: { region, level: { type: 'integer' } } }),
    },
    async (given) => text(`region=${given.region ?? 'none'}`),
  )
  addTalkingTools(server, world)
}

function addTalkingTools(server: McpServer, world: World): void {
  server.registerTool('test_tool_with_logging', { description: 'Logs three times while it runs' }, async ({ mcpReq }) => {
    for (const said of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.log('info', said)
      await Bun.sleep(STEP_MS)
    }
    return text('Logged three times.')
  })
  server.registerTool('test_logging_tool', { description: 'Logs, for whoever asked for it' }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'Only those who named a level see this.')
    return text('Logged.')
  })
  server.registerTool('test_tool_with_progress', { description: 'Reports progress three times' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } })
      await Bun.sleep(STEP_MS)
    }
    return text('Done.')
  })
  server.registerTool('test_reconnection', { description: 'Closes its stream before it answers' }, async ({ sessionId, mcpReq }) => {
    world.closeStream(sessionId, mcpReq.id)
    await Bun.sleep(STEP_MS)
    return text('Answered on another stream.')
  })
  for (const what of ['tools', 'prompts'] as const)
    server.registerTool(`test_trigger_${what.slice(0, -1)}_change`, { description: `Changes the list of ${what}` }, async () => {
      world.change(what)
      return text('Changed.')
    })
}
