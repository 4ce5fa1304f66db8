import { type Channel, ChannelError, type ConnectorContext, defineConnector, definePlugin, type Program, z } from '@/plugins/api.ts'
import { createByteLines } from '../lines.ts'
import { createPending } from '../pending.ts'
import { whyItEnded } from './endings.ts'
import { idAnswered, inOneLine, parseMessages } from './messages.ts'

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

const decoder = new TextDecoder()

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

async function open(context: ConnectorContext<Settings>): Promise<Channel> {
  const { command, args, env, memoryMb } = context.settings
  const program = await context.spawn({ command, args, env, memoryMb })
  const pending = createPending(context.receive)
  let ended: ChannelError | undefined
  let closing = false

  function end(reason: ChannelError): void {
    if (ended !== undefined) return
    ended = reason
    pending.end(reason)
    if (!closing) context.closed(reason)
    void program.stop()
  }

  const write = (message: object): void => writeLine(JSON.stringify(message))
  function writeLine(line: string): void {
    if (ended !== undefined) throw ended
    try {
      program.stdin.write(`${line}\n`)
    } catch (cause) {
      throw new ChannelError('lost', 'The program no longer listens.', { cause })
    }
  }

  const strayLine = createStrayLines(context.log, () =>
    end(new ChannelError('invalid', 'The program does not speak MCP on its standard output.')),
  )
  void readLines(program.stdout, {
    bytesMax: MESSAGE_BYTES_MAX,
    onLine: (bytes) => {
      const id = idAnswered(bytes)
      if (id !== undefined && pending.takeUnread(id, bytes as Uint8Array<ArrayBuffer>)) return
      const line = decoder.decode(bytes)
      if (line.trim() === '') return
      const messages = parseMessages(line)
      if (messages === undefined) strayLine(line)
      else messages.forEach(pending.take)
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
    takesLightSignals: true,
    request: (request, exchange) => pending.ask(request.id, exchange, () => write(request)),
    forward: ({ id, body }, exchange) => pending.askRaw(id, exchange, () => writeLine(inOneLine(body))),
    notify: async (notification) => write(notification),
    respond: async (response) => write(response),
    close: async () => {
      closing = true
      end(new ChannelError('lost', 'The connection was closed.'))
      await program.stop()
    },
  }
}

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
    onLine: (bytes) => {
      const now = performance.now()
      if (now > windowEndsMs) {
        if (lines > STDERR_LINES_MAX) log(`(${lines - STDERR_LINES_MAX} lines left out)`)
        windowEndsMs = now + STDERR_WINDOW_MS
        lines = 0
      }
      lines += 1
      if (lines <= STDERR_LINES_MAX && bytes.length > 0) log(decoder.decode(bytes))
    },
    onTooLong: () => log('(a line too long to show)'),
  })
}

function readLines(stream: Program['stdout'], options: Parameters<typeof createByteLines>[0]): Promise<void> {
  const lines = createByteLines(options)
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
