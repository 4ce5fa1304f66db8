/** The tasks extension of 2026-07-28 (SEP-2663), which the SDK's server leaves to its users. */
import {
  acceptedContent,
  type ClientCapabilities,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type InputRequests,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from './content.ts'

const EXTENSION = 'io.modelcontextprotocol/tasks'
const TTL_MS = 10 * 60_000
const POLL_MS = 100
/** Long enough to be seen at work, short enough to be waited for. */
const WORK_MS = 150

/** A task that nobody waits for any more keeps no program alive. */
const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms).unref())

type Result = ReturnType<typeof text> & { isError?: boolean }
type Ask = (requests: InputRequests) => Promise<Record<string, unknown>>
type Work = (ask: Ask) => Promise<Result>
type Task = {
  taskId: string
  status: 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'
  createdAt: string
  lastUpdatedAt: string
  ttlMs: number
  pollIntervalMs: number
}
type Kept = {
  task: Task
  outcome: { result?: Result; error?: { code: number; message: string } }
  pending: InputRequests
  answer?: (key: string, value: unknown) => void
}

const isOver = ({ task: { status } }: Kept) => status !== 'working' && status !== 'input_required'

export function createTasks() {
  const tasks = new Map<string, Kept>()
  const demand = (id: string): Kept => {
    const kept = tasks.get(id)
    if (!kept) throw new ProtocolError(-32602, 'No such task.')
    return kept
  }
  const settle = (kept: Kept, status: Task['status'], outcome: Kept['outcome'] = {}) => {
    if (isOver(kept)) return
    kept.task = { ...kept.task, status, lastUpdatedAt: new Date().toISOString() }
    kept.outcome = outcome
  }
  const askFor =
    (kept: Kept): Ask =>
    async (requests) => {
      const answers: Record<string, unknown> = {}
      const { promise, resolve } = Promise.withResolvers<void>()
      kept.pending = { ...requests }
      settle(kept, 'input_required')
      kept.answer = (key, value) => {
        if (!(key in kept.pending)) return
        answers[key] = value
        delete kept.pending[key]
        if (Object.keys(kept.pending).length === 0) resolve()
      }
      await promise
      settle(kept, 'working')
      return answers
    }
  return {
    start(work: Work) {
      const now = new Date().toISOString()
      const task: Task = {
        taskId: crypto.randomUUID(),
        status: 'working',
        createdAt: now,
        lastUpdatedAt: now,
        ttlMs: TTL_MS,
        pollIntervalMs: POLL_MS,
      }
      const kept: Kept = { task, outcome: {}, pending: {} }
      tasks.set(task.taskId, kept)
      void work(askFor(kept)).then(
        (result) => settle(kept, 'completed', { result }),
        (error: Error) => settle(kept, 'failed', { error: { code: -32603, message: error.message } }),
      )
      return task
    },
    get(id: string) {
      const { task, outcome, pending } = demand(id)
      return { ...task, ...outcome, ...(task.status === 'input_required' && { inputRequests: { ...pending } }) }
    },
    update(id: string, answers: Record<string, unknown>): void {
      const kept = demand(id)
      for (const [key, value] of Object.entries(answers)) kept.answer?.(key, value)
    },
    cancel: (id: string): void => settle(demand(id), 'cancelled'),
  }
}
export type Tasks = ReturnType<typeof createTasks>

/** What the client declared with this very request; the SDK's types leave it open. */
export const declared = ({ mcpReq }: ServerContext) =>
  (mcpReq.envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined
const knowsTasks = (ctx: ServerContext): boolean => declared(ctx)?.extensions?.[EXTENSION] !== undefined
function demandTasks(ctx: ServerContext): void {
  if (!knowsTasks(ctx)) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [EXTENSION]: {} } } })
}

const confirmation = (message: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { confirm: { type: 'boolean' } }, required: ['confirm'] },
  })

/** Tools that are nothing but tasks. */
const TASK_ONLY = ['failing_job', 'protocol_error_job', 'multi_input', 'test_tool_with_task']

/**
 * Whatever a tool throws, McpServer makes a result of. A client that knows no tasks has to hear an error of the protocol, so
 * it is turned away before its call gets there. To be called before the first tool is registered.
 */
export function refuseWithoutTasks({ server }: McpServer): void {
  const register = server.setRequestHandler.bind(server) as (method: string, ...rest: unknown[]) => void
  type Handle = (request: { params: { name: string } }, ctx: ServerContext) => unknown
  const guarded =
    (handle: Handle): Handle =>
    (request, ctx) => {
      if (TASK_ONLY.includes(request.params.name)) demandTasks(ctx)
      return handle(request, ctx)
    }
  const registerGuarded = (method: string, ...rest: unknown[]) =>
    method === 'tools/call' ? register(method, guarded(rest[0] as Handle)) : register(method, ...rest)
  server.setRequestHandler = registerGuarded as typeof server.setRequestHandler
}

/** The tools are there in each era; as tasks only for who knows what a task is. */
export function addTaskTools(server: McpServer, tasks: Tasks): void {
  const asTask = (work: Work) => ({ content: [], resultType: 'task', ...tasks.start(work) })
  server.registerTool('greet', { description: 'Greets at once', inputSchema: z.object({ name: z.string() }) }, async ({ name }) =>
    text(`Hello, ${name}!`),
  )
  const pace = z.object({ seconds: z.number().default(0), label: z.string().optional() })
  server.registerTool('slow_compute', { description: 'Takes its time', inputSchema: pace }, async ({ seconds, label }, ctx) => {
    const work = async () => (await pause(seconds * 1_000), text(`Computed ${label ?? 'it'}.`))
    return knowsTasks(ctx) ? asTask(work) : work()
  })
  server.registerTool('failing_job', { description: 'Fails as a tool does, in a task only' }, async () =>
    asTask(async () => (await pause(WORK_MS), { ...text('The job failed.'), isError: true })),
  )
  server.registerTool('protocol_error_job', { description: 'Breaks down, in a task only' }, async () =>
    asTask(async () => {
      await pause(WORK_MS)
      throw new Error('The job broke down.')
    }),
  )
  server.registerTool(
    'confirm_delete',
    { description: 'Asks before it deletes', inputSchema: z.object({ filename: z.string() }) },
    async ({ filename }, ctx) => {
      const inputRequests = { confirm: confirmation(`Delete ${filename}?`) }
      if (knowsTasks(ctx)) return asTask(async (ask) => (await ask(inputRequests), text(`Deleted ${filename}.`)))
      return ctx.mcpReq.inputResponses === undefined ? inputRequired({ inputRequests }) : text(`Deleted ${filename}.`)
    },
  )
  server.registerTool('multi_input', { description: 'Asks two things at once, in a task only' }, async () =>
    asTask(async (ask) => text(Object.keys(await ask({ first: confirmation('First?'), second: confirmation('Second?') })).join(', '))),
  )
  server.registerTool('test_tool_with_task', { description: 'Asks first, then becomes a task' }, async (ctx) => {
    const name = acceptedContent<{ name?: unknown }>(ctx.mcpReq.inputResponses, 'user_name')?.name
    if (typeof name === 'string') return asTask(async () => (await pause(WORK_MS), text(`Done for ${name}.`)))
    const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } }, required: ['name'] }
    return inputRequired({ inputRequests: { user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema }) } })
  })
}

export function addTaskMethods({ server }: McpServer, tasks: Tasks): void {
  server.registerCapabilities({ extensions: { [EXTENSION]: {} } })
  const params = z.looseObject({ taskId: z.string() })
  server.setRequestHandler('tasks/get', { params }, async ({ taskId }, ctx) => (demandTasks(ctx), tasks.get(taskId)))
  server.setRequestHandler('tasks/cancel', { params }, async ({ taskId }, ctx) => (demandTasks(ctx), tasks.cancel(taskId), {}))
  // The SDK lifts `inputResponses` out of the params, as it does for each request that is asked again.
  server.setRequestHandler(
    'tasks/update',
    { params },
    async ({ taskId }, ctx) => (demandTasks(ctx), tasks.update(taskId, ctx.mcpReq.inputResponses ?? {}), {}),
  )
}
