/**
 * An MCP server of 2025-11-25 on one pipe, as a program, that serves everybody at once: out of order, slowly, with progress, remarks,
 * questions and tasks. Each call brings a word of its own, which everything has in it that it leads to.
 */
type Id = number | string
export type Message = {
  id?: Id
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { message: string }
}
type Args = { mine: string; steps?: number; waitMs?: number }

const TOOLS = ['mixed', 'ask', 'hold', 'task']
const waiting = new Map<Id, (answer: Message) => void>()
const held = new Map<Id, string>()
const owners = new Map<string, string>()
let lastId = 0

const say = (message: object) => void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const text = (said: string) => ({ content: [{ type: 'text', text: said }] })
const tell = (mine: string) => say({ method: 'notifications/message', params: { level: 'info', data: mine } })

function question(mine: string): Promise<string> {
  lastId += 1
  const id = `question-${lastId}`
  say({
    id,
    method: 'elicitation/create',
    params: { message: mine, requestedSchema: { type: 'object', properties: { by: { type: 'string' } } } },
  })
  return new Promise((resolve) => waiting.set(id, ({ result, error }) => resolve(error ? 'refused' : JSON.stringify(result))))
}

async function call(id: Id, name: string, { mine, steps = 0, waitMs = 0 }: Args, progressToken: unknown): Promise<object | undefined> {
  if (name === 'task') {
    owners.set(`task-${owners.size}`, mine)
    return { task: { taskId: `task-${owners.size - 1}`, status: 'working', createdAt: new Date().toISOString(), ttl: null } }
  }
  if (name === 'hold') {
    held.set(id, mine)
    return undefined
  }
  for (let progress = 1; progress <= steps; progress += 1) {
    await Bun.sleep(waitMs)
    if (progressToken !== undefined) say({ method: 'notifications/progress', params: { progressToken, progress, message: mine } })
    tell(mine)
  }
  await Bun.sleep(waitMs)
  return text(name === 'ask' ? `${mine} ${await question(mine)}` : mine)
}

async function answer({ id, method, params = {} }: Message): Promise<void> {
  if (id === undefined) {
    const given = params['requestId'] as Id
    const mine = held.get(given)
    // What it was about to ask it asks all the same: the no came too late for it.
    if (method === 'notifications/cancelled' && mine !== undefined) {
      held.delete(given)
      await Bun.sleep(30)
      tell(mine)
      void question(mine)
    }
    return
  }
  if (method === undefined) return
  const meta = params['_meta'] as Record<string, unknown> | undefined
  const results: Record<string, () => object | undefined | Promise<object | undefined>> = {
    initialize: () => ({
      protocolVersion: '2025-11-25',
      capabilities: { tools: {}, logging: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } },
      serverInfo: { name: 'pipe', version: '1' },
    }),
    'tools/list': () => ({ tools: TOOLS.map((name) => ({ name, inputSchema: { type: 'object' } })) }),
    'tools/call': () => call(id, String(params['name']), params['arguments'] as Args, meta?.['progressToken']),
    'tasks/get': () => ({ taskId: params['taskId'], status: 'working', statusMessage: owners.get(String(params['taskId'])) }),
    'logging/setLevel': () => ({}),
    ping: () => ({}),
  }
  const result = results[method]
  if (!result) return say({ id, error: { code: -32601, message: 'no such method' } })
  const made = await result()
  if (made) say({ id, result: made })
}

let rest = ''
for await (const chunk of process.stdin) {
  const lines = (rest + String(chunk)).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    const message = JSON.parse(line) as Message
    if (message.method === undefined && message.id !== undefined) waiting.get(message.id)?.(message)
    else void answer(message)
  }
}
