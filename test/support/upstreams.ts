import { randomUUID } from 'node:crypto'
import { createMcpHandler, Server as ModernServer } from '@modelcontextprotocol/server'
import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { CallToolRequestSchema, CreateMessageResultSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

export type Seen = { method: string; headers: Record<string, string>; body: string }
export type HttpUpstream = { url: string; seen: Seen[]; stop(): Promise<void> }

type Tool = { name: string; description?: string; inputSchema: { type: 'object'; properties?: Record<string, { type: string }> } }
const TOOLS = ['echo', 'slow', 'ask', 'naïve name'].map((name): Tool => ({ name, inputSchema: { type: 'object' } }))
const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: String(value) }] })

/** Serves a fetch handler on loopback and keeps what it was asked. */
function serve(handle: (request: Request) => Promise<Response>): HttpUpstream {
  const seen: Seen[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: async (request) => {
      seen.push({ method: request.method, headers: Object.fromEntries(request.headers), body: await request.clone().text() })
      return handle(request)
    },
  })
  return { url: `http://127.0.0.1:${server.port}/mcp`, seen, stop: () => server.stop(true) }
}

/** A real server of revision 2026-07-28, on the SDK's second version; `offer` is asked at each listing. */
export function startModernUpstream(offer: () => Tool[] = () => TOOLS): HttpUpstream {
  const handler = createMcpHandler(
    () => {
      const server = new ModernServer({ name: 'modern', version: '1.0.0' }, { capabilities: { tools: {} } })
      server.setRequestHandler('tools/list', async () => ({ tools: offer() }))
      server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
        const progressToken = mcpReq._meta?.progressToken
        if (params.name === 'slow') {
          for (let progress = 1; progress <= 3; progress += 1) {
            await Bun.sleep(20)
            if (progressToken !== undefined)
              await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } })
          }
        }
        if (params.name === 'forever') await Bun.sleep(60_000)
        return text(params.arguments?.['message'] ?? params.name)
      })
      return server
    },
    { legacy: 'reject' },
  )
  const upstream = serve((request) => handler.fetch(request))
  return { ...upstream, stop: async () => (await handler.close(), upstream.stop()) }
}

/** A real server of revision 2025-11-25 with sessions, on the SDK's first version. */
export function startLegacyUpstream(): HttpUpstream & { forget(): void; sessions(): number; announce(): Promise<void> } {
  const sessions = new Map<string, { transport: WebStandardStreamableHTTPServerTransport; server: LegacyServer }>()
  async function handle(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.get(id)
    if (known !== undefined) return known.transport.handleRequest(request)
    if (id !== null)
      return Response.json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, { status: 404 })
    const server = createLegacyServer()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (session) => void sessions.set(session, { transport, server }),
      onsessionclosed: (session) => void sessions.delete(session),
    })
    await server.connect(transport)
    return transport.handleRequest(request)
  }
  const announce = async () => {
    for (const { server } of sessions.values()) await server.notification({ method: 'notifications/tools/list_changed' })
  }
  return { ...serve(handle), forget: () => sessions.clear(), sessions: () => sessions.size, announce }
}

function createLegacyServer(): LegacyServer {
  const server = new LegacyServer({ name: 'legacy', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: TOOLS }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { sendNotification, sendRequest }) => {
    const progressToken = params._meta?.progressToken
    if (params.name === 'slow') {
      for (let progress = 1; progress <= 3; progress += 1) {
        await Bun.sleep(20)
        if (progressToken !== undefined)
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } })
      }
    }
    if (params.name === 'forever') await Bun.sleep(60_000)
    if (params.name === 'ask') {
      const message = { role: 'user' as const, content: { type: 'text' as const, text: 'What is it?' } }
      const answer = await sendRequest(
        { method: 'sampling/createMessage', params: { messages: [message], maxTokens: 10 } },
        CreateMessageResultSchema,
      )
      return text(JSON.stringify(answer.content))
    }
    return text(params.arguments?.['message'] ?? params.name)
  })
  return server
}
