/**
 * The conformance server as an upstream: over HTTP for both eras, over HTTP as a server of 2025-11-25 that knows nothing
 * later, or, run by itself, as a program on its standard input and output (`legacy` as its argument for the older era alone).
 */
import {
  createMcpHandler,
  type EventStore,
  hostHeaderValidationResponse,
  isInitializeRequest,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { createConformanceServer } from './conformance/server.ts'
import { createWorld, RETRY_MS, type World } from './conformance/world.ts'

export type Era = 'both' | 'legacy'
const LEGACY_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

/** Serves on a free port of loopback. */
export function startConformanceUpstream(era: Era): { url: string; stop(): Promise<void> } {
  const world = createWorld()
  const modern = createMcpHandler(() => createConformanceServer(world, 'modern', false), { legacy: 'reject' })
  world.onChange((what) => (what === 'tools' ? modern.notify.toolsChanged() : modern.notify.promptsChanged()))
  const sessions = createSessions(world)
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: async (request) =>
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins()) ??
      (era === 'both' && !(await isLegacyRequest(request)) ? modern.fetch(request) : sessions.serve(request)),
  })
  const stop = async () => {
    await Promise.all([modern.close(), sessions.close()])
    await server.stop(true)
  }
  return { url: `http://127.0.0.1:${server.port}/mcp`, stop }
}

const refuse = (status: number, code: number, message: string) =>
  Response.json({ jsonrpc: '2.0', id: null, error: { code, message } }, { status })

/** Sessions as 2025-11-25 has them: by id, with streams that can be taken up again. */
function createSessions(world: World) {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  world.closeStream = (session, id) => sessions.get(session ?? '')?.closeSSEStream(id)
  return {
    async serve(request: Request): Promise<Response> {
      const id = request.headers.get('mcp-session-id')
      if (id !== null) return sessions.get(id)?.handleRequest(request) ?? refuse(404, -32_001, 'Session not found')
      const body: unknown =
        request.method === 'POST'
          ? await request
              .clone()
              .json()
              .catch(() => undefined)
          : undefined
      if (!isInitializeRequest(body)) return refuse(400, -32_000, 'Bad Request: No valid session ID provided')
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (session) => void sessions.set(session, transport),
        onsessionclosed: (session) => void sessions.delete(session),
        eventStore: createEventStore(),
        retryInterval: RETRY_MS,
      })
      await createConformanceServer(world, 'legacy', true).connect(transport)
      transport.setSupportedProtocolVersions(LEGACY_REVISIONS)
      return transport.handleRequest(request)
    },
    close: async () => {
      await Promise.all([...sessions.values()].map((transport) => transport.close()))
    },
  }
}

function createEventStore(): EventStore {
  const events: { id: string; streamId: string; message: Parameters<EventStore['storeEvent']>[1] }[] = []
  return {
    storeEvent: async (streamId, message) => {
      const id = `${streamId}_${events.length}`
      events.push({ id, streamId, message })
      return id
    },
    replayEventsAfter: async (lastId, { send }) => {
      const last = events.findIndex(({ id }) => id === lastId)
      const streamId = events[last]?.streamId ?? ''
      for (const event of events.slice(last + 1))
        if (event.streamId === streamId && 'jsonrpc' in event.message) await send(event.id, event.message)
      return streamId
    },
  }
}

if (import.meta.main) {
  process.stdin.on('end', () => process.exit())
  const world = createWorld()
  if (process.argv.includes('legacy')) await createConformanceServer(world, 'legacy', true).connect(new StdioServerTransport())
  else serveStdio(({ era }) => createConformanceServer(world, era, true))
}
