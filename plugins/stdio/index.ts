import {
  type Channel,
  ChannelError,
  type ConnectorContext,
  defineConnector,
  definePlugin,
  type Exchange,
  type JsonObject,
  type JsonRpcResponse,
  type Program,
  type RequestId,
  type UpstreamMessage,
  z,
} from '@/plugins/api.ts'
import { createLines } from '../lines.ts'
import { whyItEnded } from './endings.ts'

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024
const STDERR_LINE_BYTES_MAX = 4 * 1024
const STDERR_LINES_MAX = 200
const STDERR_WINDOW_MS = 10_000
/** Programs print banners and warnings to stdout all the time; one that prints nothing else is no MCP server. */
const STRAY_LINES_MAX = 100
const STRAY_LINE_SHOWN_CHARS = 200
/** Kept to tell why it ended. */
const LAST_LINES_MAX = 20
const LAST_WORDS_MS = 100

const settings = z.object({
  command: z.string().min(1).max(1024).meta({
    title: 'Command',
    description:
      'A program on the machine that Toolpass runs on. “npx”, “uvx” and “docker” download what they run from a public registry when it first starts. “javascript” is the runtime that Toolpass brings along.',
    placeholder: 'npx',
  }),
  args: z.array(z.string().max(8192)).max(128).default([]).meta({
    title: 'Arguments',
    description: 'One a line. Handed over as they are, without a shell.',
    placeholder: '-y\n@modelcontextprotocol/server-everything',
  }),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(32_768))
    .default({})
    .meta({
      title: 'Environment',
      description: 'Variables for this program alone, such as API keys.',
      secret: true,
    }),
  memoryMb: z.number().int().min(64).max(262_144).default(2_048).meta({
    title: 'Memory limit (MB)',
    description: 'When the program and its children hold more than this together, they are ended.',
  }),
})
type Settings = z.output<typeof settings>

type Pending = { exchange: Exchange; resolve(response: JsonRpcResponse): void; reject(error: ChannelError): void }

/** One pipe for all requests: responses find their way back by id, progress by its token, the rest belongs to the channel. */
async function open(context: ConnectorContext<Settings>): Promise<Channel> {
  const { command, args, env, memoryMb } = context.settings
  const program = await context.spawn({ command, args, env, memoryMb })
  const pending = new Map<RequestId, Pending>()
  let ended: ChannelError | undefined
  let closing = false

  function end(reason: ChannelError): void {
    if (ended !== undefined) return
    ended = reason
    for (const { reject } of pending.values()) reject(reason)
    pending.clear()
    if (!closing) context.closed(reason)
    void program.stop()
  }

  function write(message: object): void {
    if (ended !== undefined) throw ended
    try {
      program.stdin.write(`${JSON.stringify(message)}\n`)
    } catch (cause) {
      throw new ChannelError('lost', 'The program no longer listens.', { cause })
    }
  }

  function onMessage(message: JsonObject): void {
    const waiting = (id: unknown) => pending.get(id as RequestId)
    // An id that nobody waits for is a late answer to a request we gave up, or an invention. Neither is worth a line.
    if (typeof message['method'] !== 'string') return waiting(message['id'])?.resolve(message as JsonRpcResponse)
    const token = (message['params'] as JsonObject | undefined)?.['progressToken']
    const owner = message['method'] === 'notifications/progress' ? waiting(token) : undefined
    const receive = owner === undefined ? context.receive : owner.exchange.receive
    receive(message as UpstreamMessage)
  }

  const strayLine = createStrayLines(context.log, () =>
    end(new ChannelError('invalid', 'The program does not speak MCP on its standard output.')),
  )
  void readLines(program.stdout, {
    bytesMax: MESSAGE_BYTES_MAX,
    onLine: (line) => {
      if (line.trim() === '') return
      const messages = parseMessages(line)
      if (messages === undefined) strayLine(line)
      else for (const message of messages) onMessage(message)
    },
    onTooLong: () => end(new ChannelError('invalid', `The program sent a message of more than ${MESSAGE_BYTES_MAX} bytes.`)),
  })
  void reasonOfEnd(command, program, context.log).then(end)
  if (context.signal.aborted) {
    closing = true
    await program.stop()
    throw new ChannelError('unreachable', 'Starting the program was given up.')
  }

  return {
    shared: true,
    request: (request, exchange) =>
      new Promise<JsonRpcResponse>((resolve, reject) => {
        const settle = () => {
          pending.delete(request.id)
          exchange.signal.removeEventListener('abort', onAbort)
        }
        const onAbort = () => {
          settle()
          reject(new ChannelError('lost', 'The request was given up.', { cause: exchange.signal.reason }))
        }
        if (exchange.signal.aborted) return onAbort()
        exchange.signal.addEventListener('abort', onAbort, { once: true })
        const answered = (response: JsonRpcResponse) => (settle(), resolve(response))
        pending.set(request.id, { exchange, resolve: answered, reject: (error) => (settle(), reject(error)) })
        try {
          write(request)
        } catch (error) {
          settle()
          reject(error as ChannelError)
        }
      }),
    notify: async (notification) => write(notification),
    respond: async (response) => write(response),
    close: async () => {
      closing = true
      end(new ChannelError('lost', 'The connection was closed.'))
      await program.stop()
    },
  }
}

/** A line is a message, a batch of them (revision 2025-03-26), or stray output. */
function parseMessages(line: string): JsonObject[] | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    const messages = Array.isArray(parsed) ? parsed : [parsed]
    return messages.every(isMessage) ? messages : undefined
  } catch {
    return undefined
  }
}

const isMessage = (value: unknown): value is JsonObject => {
  if (typeof value !== 'object' || value === null || (value as JsonObject)['jsonrpc'] !== '2.0') return false
  const { method, id, result, error } = value as JsonObject
  if (method !== undefined) return typeof method === 'string' && (id === undefined || isId(id))
  return isId(id) && (isObject(result) || (isObject(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string'))
}
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const isId = (value: unknown): value is RequestId => typeof value === 'string' || typeof value === 'number'

function createStrayLines(log: (line: string) => void, tooMany: () => void) {
  let count = 0
  return (line: string): void => {
    count += 1
    if (count > STRAY_LINES_MAX) return tooMany()
    log(`no message: ${line.slice(0, STRAY_LINE_SHOWN_CHARS)}`)
  }
}

/** Passes its stderr on, and settles with why it ended once it has. */
async function reasonOfEnd(command: string, program: Program, log: (line: string) => void): Promise<ChannelError> {
  const lastLines: string[] = []
  const logged = logLines(program, (line) => {
    lastLines.push(line)
    if (lastLines.length > LAST_LINES_MAX) lastLines.shift()
    log(line)
  })
  const ending = await program.exited
  // What it said last often comes after its end.
  await Promise.race([logged, Bun.sleep(LAST_WORDS_MS)])
  return new ChannelError('lost', whyItEnded(command, ending, lastLines))
}

function logLines(program: Program, log: (line: string) => void): Promise<void> {
  let windowEndsMs = 0
  let lines = 0
  return readLines(program.stderr, {
    bytesMax: STDERR_LINE_BYTES_MAX,
    onLine: (line) => {
      const now = performance.now()
      if (now > windowEndsMs) {
        if (lines > STDERR_LINES_MAX) log(`(${lines - STDERR_LINES_MAX} lines left out)`)
        windowEndsMs = now + STDERR_WINDOW_MS
        lines = 0
      }
      lines += 1
      if (lines <= STDERR_LINES_MAX && line !== '') log(line)
    },
    onTooLong: () => log('(a line too long to show)'),
  })
}

function readLines(stream: ReadableStream<Uint8Array>, options: Parameters<typeof createLines>[0]): Promise<void> {
  const lines = createLines(options)
  const read = async () => {
    for await (const chunk of stream) lines.push(chunk)
    lines.end()
  }
  // A broken pipe is the end of the program, which `exited` reports.
  return read().catch(() => {})
}

const stdio = defineConnector({
  id: 'stdio',
  title: 'Program on this machine (stdio)',
  description: 'Starts an MCP server as a program here and talks to it through its standard input and output.',
  settings,
  definedBy: 'administrator',
  summary: ({ command = '', args = [] }) => [command, ...args].join(' ').slice(0, 200),
  open,
})

export default definePlugin({ id: 'stdio', version: '1.0.0', title: 'stdio', connectors: [stdio] })
