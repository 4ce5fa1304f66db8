import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

export type SseSeen = { method: string; path: string; headers: Record<string, unknown> }

/** A real server of revision 2024-11-05, on the SDK's first version: GET /sse opens the stream, POST /messages takes messages. */
export async function startSseUpstream() {
  const seen: SseSeen[] = []
  const transports = new Map<string, SSEServerTransport>()
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://upstream')
    seen.push({ method: request.method ?? '', path: url.pathname, headers: request.headers })
    if (url.pathname === '/sse' && request.method === 'GET') {
      const transport = new SSEServerTransport('/messages', response)
      transports.set(transport.sessionId, transport)
      response.on('close', () => transports.delete(transport.sessionId))
      await createMcpServer().connect(transport)
      return
    }
    const transport = transports.get(url.searchParams.get('sessionId') ?? '')
    if (url.pathname === '/messages' && transport !== undefined) return transport.handlePostMessage(request, response)
    response.writeHead(url.pathname === '/sse' ? 405 : 404).end('nothing here')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/sse`,
    seen,
    streams: () => transports.size,
    /** Ends every stream, as a server does that restarts. */
    hangUp: async () => void (await Promise.all([...transports.values()].map((transport) => transport.close()))),
    stop: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function createMcpServer(): Server {
  const server = new Server({ name: 'old', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
  const tools = ['echo', 'slow', 'forever', 'announce'].map((name) => ({ name, inputSchema: { type: 'object' as const } }))
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { sendNotification, signal }) => {
    const progressToken = params._meta?.progressToken
    if (params.name === 'slow')
      for (let progress = 1; progress <= 3; progress += 1) {
        await Bun.sleep(10)
        if (progressToken !== undefined)
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } })
      }
    if (params.name === 'announce') await server.notification({ method: 'notifications/tools/list_changed' })
    if (params.name === 'forever') await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return { content: [{ type: 'text', text: String(params.arguments?.['message'] ?? params.name) }] }
  })
  return server
}
