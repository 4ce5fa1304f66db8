import { type Channel, ChannelError, type ConnectorContext, defineConnector, definePlugin, type JsonObject, z } from '@/plugins/api.ts'
import { createLocalChannel, isObject, toolError, type ToolDefinition, type ToolResult } from '../local-server.ts'
import { readBytes } from '../read-bytes.ts'
import { createFetching } from './fetching.ts'
import type { ToRunner } from './messages.ts'
import { createWorkers } from './pool.ts'
import { ModuleFailure, startWorker } from './worker.ts'

const MODULE_BYTES_MAX = 16 * 1024 * 1024
const OUTPUT_BYTES_MAX = 8 * 1024 * 1024
const DESCRIBE_TIMEOUT_MS = 10_000
const TOOLS_MAX = 500
const REDIRECTS_MAX = 3
const PAGES_PER_MEGABYTE = 16

const record = (charsMax: number) => z.record(z.string().min(1).max(200), z.string().max(charsMax)).default({})

const settings = z.object({
  module: z
    .string()
    .min(1)
    .max(Math.ceil((MODULE_BYTES_MAX * 4) / 3) + 4)
    .meta({
      title: 'Module',
      description: 'The address of a .wasm file, or the file itself as base64.',
      placeholder: 'https://example.com/tools.wasm',
      multiline: true,
    }),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'A SHA-256 has 64 hexadecimal digits.')
    .optional()
    .meta({
      title: 'SHA-256 of the module',
      description: 'Only exactly this file is run. Recommended for an address, whose file may change.',
    }),
  hosts: z.array(z.string().max(255)).max(100).default([]).meta({
    title: 'Hosts it may reach',
    description: 'One a line, such as api.example.com or *.example.com. None if left empty.',
  }),
  settings: record(16_384).meta({ title: 'Settings', description: 'Handed to the module by name.' }),
  secrets: record(16_384).meta({ title: 'Secrets', description: 'Handed to the module by name, kept sealed here.', secret: true }),
  memoryMb: z.int().min(1).max(1_024).default(64).meta({ title: 'Memory in MB', description: 'What a call may use.' }),
  timeoutSeconds: z.int().min(1).max(600).default(30).meta({ title: 'Seconds a call may take' }),
})
type Settings = z.output<typeof settings>

async function open(context: ConnectorContext<Settings>): Promise<Channel> {
  const { hosts, memoryMb, timeoutSeconds } = context.settings
  const bytes = await loadModule(context)
  demandHash(bytes, context.settings.sha256)
  const start: Extract<ToRunner, { kind: 'start' }> = {
    kind: 'start',
    module: Buffer.from(bytes).toString('base64'),
    config: { ...context.settings.settings, ...context.settings.secrets },
    pagesMax: memoryMb * PAGES_PER_MEGABYTE,
    outputBytesMax: OUTPUT_BYTES_MAX,
  }
  const fetching = createFetching(context, hosts)
  const closing = new AbortController()
  const lasting = { ...context, signal: closing.signal }
  let isOpen = false
  const workers = createWorkers(() => startWorker(isOpen ? lasting : context, start, fetching))
  try {
    const described = await workers.use((worker) => worker.run('describe', '', DESCRIBE_TIMEOUT_MS, context.signal))
    isOpen = true
    const { tools, instructions } = readDescription(described ?? '')
    return createLocalChannel({
      info: { name: 'wasm', title: 'WebAssembly module', version: '0' },
      ...(instructions === undefined ? {} : { instructions }),
      tools,
      call: async (name, args, signal) => {
        const input = JSON.stringify({ name, arguments: args })
        const output = workers.use((worker) => worker.run('call', input, timeoutSeconds * 1_000, signal))
        return readResult(await output.catch(asText))
      },
      close: () => {
        closing.abort()
        return workers.close()
      },
    })
  } catch (error) {
    await workers.close()
    throw error instanceof ModuleFailure ? new ChannelError('refused', error.message) : error
  }
}

async function loadModule(context: ConnectorContext<Settings>): Promise<Uint8Array> {
  const given = context.settings.module.trim()
  if (!/^https?:\/\//.test(given)) {
    const bytes = /^[A-Za-z0-9+/\s_-]+={0,2}\s*$/.test(given) ? Buffer.from(given, 'base64') : Buffer.alloc(0)
    if (bytes.byteLength === 0) throw new ChannelError('refused', 'The module is neither an address nor base64.')
    return bytes
  }
  const response = await context.fetch(given, { signal: context.signal, redirectsMax: REDIRECTS_MAX })
  if (!response.ok) {
    void response.body?.cancel().catch(() => {})
    const { status } = response
    throw new ChannelError('refused', `Asking for the module was answered with HTTP status ${status}.`, { status })
  }
  const { bytes, isCut } = await readBytes(response, MODULE_BYTES_MAX)
  if (isCut) throw new ChannelError('invalid', `The module has more than ${MODULE_BYTES_MAX} bytes.`)
  return bytes
}

function demandHash(bytes: Uint8Array, wanted: string | undefined): void {
  if (wanted === undefined) return
  const found = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
  if (found !== wanted.toLowerCase())
    throw new ChannelError('refused', `The module is another one than was pinned: its SHA-256 is ${found}.`)
}

function readDescription(output: string): { tools: ToolDefinition[]; instructions?: string } {
  const described = parse(output)
  const listed = isObject(described) ? described['tools'] : undefined
  if (!isObject(described) || !Array.isArray(listed) || listed.length > TOOLS_MAX || !listed.every(isTool))
    throw new ChannelError(
      'invalid',
      'The module does not describe its tools: “describe” must give {"tools":[{"name", "inputSchema", …}]}.',
    )
  const { instructions } = described
  return { tools: listed, ...(typeof instructions === 'string' ? { instructions: instructions.slice(0, 2_000) } : {}) }
}

const isTool = (value: unknown): value is ToolDefinition =>
  isObject(value) && typeof value['name'] === 'string' && value['name'] !== '' && isObject(value['inputSchema'])

/** Its own failure is an answer like any other: the model reads it. What is no answer at all goes on as it is. */
function asText(error: unknown): ToolResult {
  if (error instanceof ModuleFailure) return toolError(error.message)
  throw error
}

function readResult(output: string | ToolResult | undefined): ToolResult {
  if (output === undefined) throw new ChannelError('lost', 'The connection was closed.')
  if (typeof output !== 'string') return output
  const result = parse(output)
  if (!isObject(result) || !Array.isArray(result['content']) || !result['content'].every(isObject))
    return toolError('The module answered with something that is no result of a tool.')
  return result as JsonObject as ToolResult
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const wasm = defineConnector({
  id: 'wasm',
  title: 'WebAssembly module (Extism)',
  description: 'Runs a module in a sandbox here. It reaches the hosts that you name and nothing else.',
  settings,
  definedBy: 'administrator',
  summary: ({ module = '' }) => URL.parse(module.trim())?.host ?? 'an uploaded module',
  open,
})

export default definePlugin({ id: 'wasm', version: '1.0.0', title: 'WebAssembly', connectors: [wasm] })
