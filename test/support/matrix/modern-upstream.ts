/** The matrix's server of 2026-07-28, on the SDK's second version: over HTTP, or, run by itself, as a program. */
import {
  createMcpHandler,
  inputRequired,
  inputResponse,
  type McpServer,
  ProtocolError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { addTaskMethods, createTasks, declared, type Tasks } from '../conformance/tasks.ts'
import { type Asking, completionOf, createWorld, isAsking, LOGGED, messagesOf, pageOf, plainResult, QUESTIONS, readingOf } from './world.ts'
import { type Result, text, type World } from './world.ts'

const CHANGING = { listChanged: true }
const CAPABILITIES = { tools: CHANGING, prompts: CHANGING, resources: { ...CHANGING, subscribe: true }, logging: {}, completions: {} }
const TASKS = 'io.modelcontextprotocol/tasks'
const JOB = {
  name: 'job',
  description: 'Takes its time',
  inputSchema: { type: 'object' as const, properties: { message: { type: 'string' } } },
}

/** @param isKept whether the instance outlives a request, and so has to tell of changes itself */
function createServer(world: World, tasks: Tasks, isKept: boolean): Server {
  const info = { name: 'modern-upstream', version: '9.9.9', title: 'The modern upstream' }
  const server = new Server(info, { capabilities: CAPABILITIES, instructions: 'Of the upstream.' })
  addTaskMethods({ server } as unknown as McpServer, tasks)
  server.setRequestHandler('tools/list', async ({ params }) => {
    const { items, next } = pageOf(world.tools([JOB]), params?.cursor)
    return { tools: items, ...next }
  })
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const { name, arguments: given = {} } = params
    const plain = plainResult(world, name, given)
    if (plain) return plain as never
    if (name === 'job') return job(ctx, tasks) as never
    return (isAsking(name) ? asked(name, ctx) : await working(world, name, ctx)) as never
  })
  addReading(server, world)
  if (!isKept) return server
  const { onclose } = server
  const stop = world.onEvent((event) => {
    const told =
      'uri' in event ? server.sendResourceUpdated(event) : server.notification({ method: `notifications/${event.what}/list_changed` })
    told.catch(() => undefined)
  })
  server.onclose = () => (stop(), onclose?.())
  return server
}

function addReading(server: Server, world: World): void {
  server.setRequestHandler('prompts/list', async () => ({ prompts: world.prompts() }))
  server.setRequestHandler('prompts/get', async ({ params }) => messagesOf(params.name, params.arguments?.['city']))
  server.setRequestHandler('resources/list', async () => ({ resources: world.resources() }))
  server.setRequestHandler('resources/templates/list', async () => ({ resourceTemplates: world.templates() }))
  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const found = readingOf(world, uri)
    if (!found) throw new ProtocolError(-32_602, 'Resource not found', { uri })
    return found
  })
  server.setRequestHandler('completion/complete', async ({ params }) => ({ completion: completionOf(params.argument.value) }))
}

const job = (ctx: ServerContext, tasks: Tasks) =>
  declared(ctx)?.extensions?.[TASKS] === undefined
    ? text('Done at once.')
    : { content: [], resultType: 'task', ...tasks.start(async () => (await Bun.sleep(60), text('Done later.') as never)) }

/** Asks as a server of this revision does, with a result, and only what the client declared. */
function asked(name: Asking, ctx: ServerContext) {
  const view = inputResponse(ctx.mcpReq.inputResponses, 'it')
  if (view.kind === 'elicit') return text(JSON.stringify({ action: view.action, ...(view.content && { content: view.content }) }))
  if (view.kind === 'sampling') return text(JSON.stringify(view.result))
  if (view.kind === 'roots') return text(JSON.stringify({ roots: view.roots }))
  const can = declared(ctx)
  const isOffered = {
    form: can?.elicitation?.form ?? can?.elicitation,
    link: can?.elicitation?.url,
    model: can?.sampling,
    roots: can?.roots,
  }[name]
  if (isOffered === undefined) return text('The app offers no such thing, so it is not asked.')
  return inputRequired({ inputRequests: { it: QUESTIONS[name] as never } })
}

async function working(world: World, name: string, { mcpReq }: ServerContext): Promise<Result> {
  if (name === 'meta') return text(JSON.stringify({ ...mcpReq.envelope, ...mcpReq._meta }))
  if (name === 'progress') {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [1, 2, 3])
      if (progressToken !== undefined)
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 3, message: `step ${progress}` },
        })
  } else if (name === 'log') {
    for (const each of LOGGED) await mcpReq.log(each, `a remark of ${each}`, 'upstream')
  } else if (name === 'forever') {
    await new Promise((done) => mcpReq.signal.addEventListener('abort', done))
    world.seen.cancelled.push(name)
  } else if (name === 'refuse') throw new ProtocolError(-32_050, 'refused by rule', { rule: 7 })
  else throw new ProtocolError(-32_602, `Unknown tool: ${name}`)
  return text('Done.')
}

/** Serves on loopback, on a port that is free where none is given. */
export function startModernUpstream({ port = 0 } = {}) {
  const world = createWorld()
  const tasks = createTasks()
  const handler = createMcpHandler(() => createServer(world, tasks, false), { legacy: 'reject' })
  world.onEvent((event) => {
    if ('uri' in event) handler.notify.resourceUpdated(event.uri)
    else if (event.what === 'tools') handler.notify.toolsChanged()
    else if (event.what === 'prompts') handler.notify.promptsChanged()
    else handler.notify.resourcesChanged()
  })
  const server = Bun.serve({ port, hostname: '127.0.0.1', idleTimeout: 0, fetch: (request) => handler.fetch(request) })
  const stop = async () => {
    await handler.close()
    await server.stop(true)
  }
  return { world, port: server.port ?? 0, url: `http://127.0.0.1:${server.port}/mcp`, stop }
}

if (import.meta.main) {
  process.stdin.on('end', () => process.exit())
  const world = createWorld()
  const tasks = createTasks()
  serveStdio(() => createServer(world, tasks, true), { legacy: 'reject' })
}
