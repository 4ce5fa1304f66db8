/** The same program as most are written: on the SDK, with its transport. For comparison with the one that does the least. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

const TOOL = {
  name: 'echo',
  description: 'Returns the text that it is given.',
  inputSchema: { type: 'object' as const, properties: { text: { type: 'string' } }, required: ['text'] },
  annotations: { readOnlyHint: true },
}

const server = new Server({ name: 'bench-sdk', version: '1.0.0' }, { capabilities: { tools: {} } })
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [TOOL] }))
server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
  content: [{ type: 'text', text: String(params.arguments?.['text'] ?? '') }],
}))
await server.connect(new StdioServerTransport())
