/** The same program as it is written today: on the SDK of revision 2026-07-28, its tool registered with a schema, which each call is held to. */
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

function createServer(): McpServer {
  const server = new McpServer({ name: 'bench-sdk-2', version: '1.0.0' })
  const description = 'Returns the text that it is given.'
  server.registerTool(
    'echo',
    { description, inputSchema: z.object({ text: z.string() }), annotations: { readOnlyHint: true } },
    ({ text }) => ({
      content: [{ type: 'text', text }],
    }),
  )
  return server
}
serveStdio(createServer)
