/** A server with tools, prompts, resources and a template, as the SDK serves them. What it offers can be changed while it runs. */
import { createMcpHandler, Server } from '@modelcontextprotocol/server'

export const LONG_ADDRESS = `file:///srv/${'very/'.repeat(30)}deep.md`

const prompt = (name: string) => ({ name, title: `The prompt ${name}`, description: `Writes ${name}.`, arguments: [{ name: 'topic' }] })
const INPUT = {
  type: 'object' as const,
  required: ['team'],
  properties: {
    team: { type: 'string', description: 'Whose.' },
    priority: { type: 'integer' },
    urgent: { type: 'boolean' },
    state: { enum: ['open', 'closed'] },
    labels: { type: 'array', items: { type: 'string' } },
  },
}

export function startFeaturedUpstream() {
  const offered = {
    tools: [
      { name: 'look', description: 'Looks.', inputSchema: { type: 'object' as const }, annotations: { readOnlyHint: true } },
      { name: 'make', description: 'Makes one.', inputSchema: INPUT, annotations: { readOnlyHint: false, destructiveHint: false } },
    ],
    prompts: [prompt('summary'), prompt('plan')],
    resources: [
      { uri: 'file:///srv/one.md', name: 'one', title: 'The first' },
      { uri: LONG_ADDRESS, name: 'deep' },
    ],
    resourceTemplates: [{ uriTemplate: 'file:///srv/{name}.md', name: 'any' }],
  }
  const handler = createMcpHandler(
    () => {
      const server = new Server({ name: 'featured', version: '1.0.0' }, { capabilities: { tools: {}, prompts: {}, resources: {} } })
      server.setRequestHandler('tools/list', async () => ({ tools: offered.tools }))
      server.setRequestHandler('prompts/list', async () => ({ prompts: offered.prompts }))
      server.setRequestHandler('resources/list', async () => ({ resources: offered.resources }))
      server.setRequestHandler('resources/templates/list', async () => ({ resourceTemplates: offered.resourceTemplates }))
      return server
    },
    { legacy: 'reject' },
  )
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: (request) => handler.fetch(request) })
  const stop = async () => {
    await handler.close()
    await server.stop(true)
  }
  return { url: `http://127.0.0.1:${server.port}/mcp`, offered, stop }
}
