/**
 * The program in which a module runs: a process of its own, started by the house in the fence that stdio servers get, with no way
 * out but its two pipes. It does one thing at a time and waits synchronously, so a module may ask for a web page in the
 * middle of a call. What hangs or eats is ended from outside, by killing the process.
 */
import { readSync, writeSync } from 'node:fs'
import { createPlugin } from '@extism/extism'
import type { FromRunner, ToRunner } from './messages.ts'
import { confine, ModuleProblem } from './module.ts'
import { createWasi } from './wasi.ts'

const EXTISM = 'extism:host/env'
const WASI = 'wasi_snapshot_preview1'
const STDIN = 0
const STDOUT = 1
const LOG_LINES_MAX = 100
const LOG_CHARS_MAX = 1_000
const REASON_CHARS_MAX = 500
const BLOCK_BYTES = 256
/** Functions of the interface that are newer than the library, or that it does not limit. */
const OFFERED = new Set([
  ...['alloc', 'free', 'length', 'length_unsafe', 'load_u8', 'load_u64', 'store_u8', 'store_u64', 'output_set', 'error_set'],
  ...['input_offset', 'input_length', 'input_load_u8', 'input_load_u64', 'config_get', 'var_get', 'var_set'],
  ...['http_request', 'http_status_code', 'http_headers', 'log_trace', 'log_debug', 'log_info', 'log_warn', 'log_error', 'get_log_level'],
])

type Context = {
  alloc(size: bigint): bigint
  read(address: bigint): { bytes(): Uint8Array; text(): string } | null
  store(input: Uint8Array | string): bigint
}
type Start = Extract<ToRunner, { kind: 'start' }>

const pieces: Buffer[] = []

/** The next line, however long it takes. Ends the process when there is none. */
function nextMessage(): ToRunner {
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536)
    const length = read(chunk)
    if (length === 0) process.exit(0)
    const end = chunk.subarray(0, length).indexOf(10)
    // The house sends one line and waits, so nothing ever follows the end of a line.
    pieces.push(chunk.subarray(0, end === -1 ? length : end))
    if (end !== -1) return JSON.parse(Buffer.concat(pieces.splice(0)).toString('utf8')) as ToRunner
  }
}

function read(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(STDIN, chunk)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') return 0
      Bun.sleepSync(1)
    }
  }
}

function tell(message: FromRunner): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`)
  for (let from = 0; from < bytes.byteLength; ) {
    try {
      from += writeSync(STDOUT, bytes, from)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') process.exit(1)
      Bun.sleepSync(1)
    }
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, REASON_CHARS_MAX)

/** What one call may use: the library's own blocks count as memory of the module, or it could fill ours. */
function createBudget(bytesMax: number) {
  let bytes = 0
  let lines = 0
  return {
    spend(more: number): void {
      bytes += more + BLOCK_BYTES
      if (!(bytes <= bytesMax)) throw new Error('the module used up its memory')
    },
    log(line: string): void {
      lines += 1
      if (lines <= LOG_LINES_MAX) tell({ kind: 'log', line: line.trim().slice(0, LOG_CHARS_MAX) })
    },
  }
}
type Budget = ReturnType<typeof createBudget>

function hostFunctions(config: Readonly<Record<string, string>>, budget: Budget) {
  let lastStatus = 0
  const give = (context: Context, bytes: Uint8Array): bigint => {
    budget.spend(bytes.byteLength)
    return bytes.byteLength === 0 ? 0n : context.store(bytes)
  }
  return {
    alloc: (context: Context, size: bigint) => {
      budget.spend(Number(BigInt.asUintN(64, size)))
      return context.alloc(size)
    },
    config_get: (context: Context, address: bigint) => {
      const name = context.read(address)?.text() ?? ''
      return Object.hasOwn(config, name) ? give(context, Buffer.from(config[name] ?? '')) : 0n
    },
    http_request: (context: Context, request: bigint, body: bigint) => {
      const { url, method = 'GET', headers, header } = JSON.parse(context.read(request)?.text() ?? '{}')
      const bytes = body === 0n ? undefined : context.read(body)?.bytes()
      const sent = bytes === undefined || bytes.byteLength === 0 ? null : Buffer.from(bytes).toString('base64')
      tell({ kind: 'fetch', url: String(url), method: String(method), headers: headers ?? header ?? {}, body: sent })
      const answer = nextMessage()
      if (answer.kind !== 'fetched') throw new Error(answer.kind === 'not-fetched' ? answer.reason : 'the request was lost')
      lastStatus = answer.status
      return give(context, Buffer.from(answer.body, 'base64'))
    },
    http_status_code: () => lastStatus,
    http_headers: () => 0n,
    log_trace: () => {},
    get_log_level: () => 2,
  }
}

function demandImports(module: WebAssembly.Module): string[] {
  const wasi: string[] = []
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === 'function' && from === WASI) wasi.push(name)
    else if (kind !== 'function' || from !== EXTISM || !OFFERED.has(name))
      throw new ModuleProblem(`The module wants ${from.slice(0, 60)}.${name.slice(0, 60)}, which Toolpass does not offer.`)
  }
  const exported = new Set(WebAssembly.Module.exports(module).map(({ name }) => name))
  for (const name of ['describe', 'call']) if (!exported.has(name)) throw new ModuleProblem(`The module does not export “${name}”.`)
  return wasi
}

/** Each call gets an instance of its own, so that nothing of one is left for the next, and all of its memory goes. */
function createRun(module: WebAssembly.Module, { config, pagesMax, outputBytesMax }: Start) {
  const wasi = demandImports(module)
  return async (name: string, input: string): Promise<string> => {
    const budget = createBudget(pagesMax * 65_536)
    let instance: WebAssembly.Instance | undefined
    const logger = { debug: () => {}, info: budget.log, warn: budget.log, error: budget.log }
    const functions = { [EXTISM]: hostFunctions(config, budget), [WASI]: createWasi(wasi, () => instance, budget.log) }
    const plugin = await createPlugin(
      { wasm: [{ module }] },
      { functions: functions as never, logger: logger as unknown as Console, config: {}, useWasi: false },
    )
    instance = await plugin.getInstance()
    const initialize = instance.exports['_initialize']
    if (typeof initialize === 'function') initialize()
    const output = await plugin.call(name, input)
    const length = output?.bytes().byteLength ?? 0
    if (length > outputBytesMax) throw new Error(`its answer has ${length} bytes, more than the ${outputBytesMax} it may have`)
    return output?.text() ?? ''
  }
}

async function compile(start: Start) {
  return createRun(await WebAssembly.compile(confine(Buffer.from(start.module, 'base64'), start.pagesMax)), start)
}

async function serve(): Promise<void> {
  const start = nextMessage()
  if (start.kind !== 'start') return
  const run = await compile(start).catch((error: unknown) => {
    const reason = error instanceof ModuleProblem ? error.message : `The module could not be loaded: ${reasonOf(error)}`
    tell({ kind: 'broken', reason })
    process.exit(0)
  })
  tell({ kind: 'ready' })
  for (;;) {
    const message = nextMessage()
    if (message.kind !== 'call') continue
    try {
      tell({ kind: 'done', output: await run(message.name, message.input) })
    } catch (error) {
      tell({ kind: 'failed', reason: reasonOf(error) })
    }
  }
}

await serve()
