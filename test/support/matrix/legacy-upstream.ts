/** The matrix's server of 2025-11-25, on the SDK's first version: over HTTP with sessions, or, run by itself, as a program. */
import { randomUUID } from 'node:crypto'
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import * as types from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { type Asking, completionOf, createWorld, isAsking, LOGGED, messagesOf, pageOf, plainResult, QUESTIONS, readingOf } from './world.ts'
import { type Result, text, type World } from './world.ts'

const CHANGING = { listChanged: true }
const CAPABILITIES = {
  tools: CHANGING,
  prompts: CHANGING,
  resources: { ...CHANGING, subscribe: true },
  logging: {},
  completions: {},
  tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
}
const JOB = {
  name: 'job',
  description: 'Takes its time',
  inputSchema: { type: 'object' as const, properties: { message: { type: 'string' } } },
  execution: { taskSupport: 'optional' as const },
}
const LEVELS = types.LoggingLevelSchema.options
type Handler = Parameters<Server['setRequestHandler']>[1]
type Extra = Parameters<Handler>[1]

function createServer(world: World): Server {
  const info = { name: 'legacy-upstream', version: '9.9.9', title: 'The legacy upstream' }
  const server = new Server(info, { capabilities: CAPABILITIES, instructions: 'Of the upstream.', taskStore: new InMemoryTaskStore() })
  let level: types.LoggingLevel | undefined
  server.setRequestHandler(types.ListToolsRequestSchema, async ({ params }) => {
    const { items, next } = pageOf(world.tools([JOB]), params?.cursor)
    return { tools: items, ...next }
  })
  server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, extra) => {
    const { name, arguments: given = {} } = params
    const plain = plainResult(world, name, given)
    if (plain) return plain
    if (name === 'job') return job(extra, params.task?.ttl)
    if (isAsking(name)) return asked(name, extra)
    return working(world, name, extra, level)
  })
  server.setRequestHandler(types.SetLevelRequestSchema, async ({ params }) => {
    level = params.level
    world.seen.levels.push(level)
    return {}
  })
  server.setRequestHandler(types.SubscribeRequestSchema, async ({ params }) => (world.seen.subscribed.push(params.uri), {}))
  server.setRequestHandler(types.UnsubscribeRequestSchema, async ({ params }) => (world.seen.unsubscribed.push(params.uri), {}))
  addReading(server, world)
  const { onclose } = server
  const stop = world.onEvent((event) => {
    const [method, sent] =
      'what' in event ? [`notifications/${event.what}/list_changed`, undefined] : ['notifications/resources/updated', event]
    server.notification({ method, ...(sent && { params: sent }) } as types.ServerNotification).catch(() => undefined)
  })
  server.onclose = () => (stop(), onclose?.())
  return server
}

function addReading(server: Server, world: World): void {
  server.setRequestHandler(types.ListPromptsRequestSchema, async () => ({ prompts: world.prompts() }))
  server.setRequestHandler(types.GetPromptRequestSchema, async ({ params }) => messagesOf(params.name, params.arguments?.['city']))
  server.setRequestHandler(types.ListResourcesRequestSchema, async () => ({ resources: world.resources() }))
  server.setRequestHandler(types.ListResourceTemplatesRequestSchema, async () => ({ resourceTemplates: world.templates() }))
  server.setRequestHandler(types.ReadResourceRequestSchema, async ({ params: { uri } }) => {
    const found = readingOf(world, uri)
    if (!found) throw new types.McpError(-32_002 as types.ErrorCode, 'Resource not found', { uri })
    return found
  })
  server.setRequestHandler(types.CompleteRequestSchema, async ({ params }) => ({ completion: completionOf(params.argument.value) }))
}

async function job({ taskStore }: Extra, ttl: number | undefined) {
  if (!taskStore) throw new Error('There is no store.')
  if (ttl === undefined) return text('Done at once.') as types.CallToolResult
  const task = await taskStore.createTask({ ttl, pollInterval: 50 })
  setTimeout(() => void taskStore.storeTaskResult(task.taskId, 'completed', text('Done later.')), 60)
  return { task }
}

/** Asks as a server of this revision does, by a request, and says what became of it. */
async function asked(name: Asking, { sendRequest }: Extra): Promise<types.CallToolResult> {
  const { method, params } = QUESTIONS[name]
  const sent = name === 'link' ? { ...params, elicitationId: randomUUID() } : params
  const answer = await sendRequest({ method, params: sent } as types.ServerRequest, z.looseObject({})).catch((error: unknown) => error)
  if (answer instanceof types.McpError) return { ...text(`could not ask: ${answer.code}`), isError: true } as types.CallToolResult
  return text(JSON.stringify(answer)) as types.CallToolResult
}

async function working(world: World, name: string, extra: Extra, level: types.LoggingLevel | undefined): Promise<types.CallToolResult> {
  const { signal, sendNotification, _meta } = extra
  let result: Result = text('Done.')
  if (name === 'meta') result = text(JSON.stringify(_meta ?? {}))
  else if (name === 'progress') {
    const progressToken = _meta?.progressToken
    for (const progress of [1, 2, 3])
      if (progressToken !== undefined)
        await sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 3, message: `step ${progress}` },
        })
  } else if (name === 'log') {
    for (const each of LOGGED)
      if (level !== undefined && LEVELS.indexOf(each) >= LEVELS.indexOf(level))
        await sendNotification({
          method: 'notifications/message',
          params: { level: each, logger: 'upstream', data: `a remark of ${each}` },
        })
  } else if (name === 'forever') {
    await new Promise((done) => signal.addEventListener('abort', done))
    world.seen.cancelled.push(name)
  } else if (name === 'refuse') throw new types.McpError(-32_050 as types.ErrorCode, 'refused by rule', { rule: 7 })
  else throw new types.McpError(types.ErrorCode.InvalidParams, `Unknown tool: ${name}`)
  return result as types.CallToolResult
}

/** Serves on loopback, on a port that is free where none is given. */
export function startLegacyUpstream({ port = 0 } = {}) {
  const world = createWorld()
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  const handle = async (request: Request): Promise<Response> => {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.get(id)
    if (known) return known.handleRequest(request)
    if (id !== null)
      return Response.json({ jsonrpc: '2.0', id: null, error: { code: -32_001, message: 'Session not found' } }, { status: 404 })
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => void sessions.delete(session),
    })
    await createServer(world).connect(transport)
    return transport.handleRequest(request)
  }
  const server = Bun.serve({ port, hostname: '127.0.0.1', idleTimeout: 0, fetch: handle })
  const stop = async () => {
    await Promise.all([...sessions.values()].map((transport) => transport.close()))
    await server.stop(true)
  }
  return { world, port: server.port ?? 0, url: `http://127.0.0.1:${server.port}/mcp`, stop }
}

if (import.meta.main) {
  process.stdin.on('end', () => process.exit())
  await createServer(createWorld()).connect(new StdioServerTransport())
}
