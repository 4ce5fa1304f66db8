import { join } from 'node:path'
import { ChannelError, type ConnectorContext, type JsonObject, type Program } from '@/plugins/api.ts'
import { createLines } from '../lines.ts'
import { type FromRunner, MESSAGE_BYTES_MAX, type ToRunner } from './messages.ts'

const START_TIMEOUT_MS = 20_000
/** Web requests of one call. */
const FETCHES_MAX = 100

/** Answers what a module asks for in the middle of a call. */
export type Fetching = (request: Extract<FromRunner, { kind: 'fetch' }>, signal: AbortSignal) => Promise<ToRunner>
type Start = Extract<ToRunner, { kind: 'start' }>

/** The module itself failed: a trap, an error of its own, or a limit. The sentence may be shown. */
export class ModuleFailure extends Error {
  override readonly name = 'ModuleFailure'
}

export type Worker = {
  /** One call at a time. @throws ModuleFailure, ChannelError; after a time limit or an abort the worker is gone. */
  run(name: string, input: string, timeoutMs: number, signal: AbortSignal): Promise<string>
  isGone(): boolean
  stop(): Promise<void>
}

/** From source the runner is a file; in the executable it is text that lies beside it, which the runtime takes as an argument. */
async function runnerArgs(): Promise<string[]> {
  if (!Bun.isStandaloneExecutable) return [join(import.meta.dir, 'runner.ts')]
  return ['-e', await Bun.file(join(import.meta.dir, 'runners', 'wasm.js')).text()]
}

type Turn = { take(message: FromRunner): void; fail(error: Error): void }

/** Starts the program that runs a module, and hands it over. @throws ChannelError; then nothing is left of it. */
export async function startWorker(
  context: Pick<ConnectorContext<unknown>, 'spawn' | 'log' | 'signal'>,
  start: Start,
  fetching: Fetching,
): Promise<Worker> {
  const program = await context.spawn({ command: 'javascript', args: await runnerArgs(), env: {} })
  const wire = createWire(program, context.log)
  let gone: Promise<void> | undefined
  const stop = () => {
    gone ??= program.stop()
    return gone
  }
  const exchange = createExchange(wire, fetching, stop)
  try {
    const answer = await exchange({ ...start }, START_TIMEOUT_MS, context.signal)
    if (answer.kind !== 'ready') throw new ChannelError('refused', answer.kind === 'broken' ? answer.reason : 'The module did not start.')
  } catch (error) {
    await stop()
    throw error instanceof ModuleFailure ? new ChannelError('unreachable', error.message) : error
  }
  return {
    isGone: () => gone !== undefined || wire.isEnded(),
    stop,
    run: async (name, input, timeoutMs, signal) => {
      const answer = await exchange({ kind: 'call', name, input }, timeoutMs, signal)
      if (answer.kind === 'done') return answer.output
      throw new ModuleFailure(`The module failed: ${answer.kind === 'failed' ? answer.reason.replace(/\.$/, '') : 'it broke off'}.`)
    },
  }
}

function createWire(program: Program, log: (line: string) => void) {
  let turn: Turn | undefined
  let ended: Error | undefined
  const end = (error: Error) => {
    ended ??= error
    turn?.fail(ended)
  }
  const lines = createLines({
    bytesMax: MESSAGE_BYTES_MAX,
    onLine: (line) => {
      const message = parse(line)
      if (message === undefined) return end(new ModuleFailure('The module broke its runner.'))
      if (message.kind === 'log') return log(message.line)
      turn?.take(message)
    },
    onTooLong: () => end(new ModuleFailure('The module said more than it may.')),
  })
  void readAll(program.stdout, lines.push).catch(() => {})
  void readAll(program.stderr, createLines({ bytesMax: 4_096, onLine: log, onTooLong: () => {} }).push).catch(() => {})
  void program.exited.then(({ code, signal }) => end(new ModuleFailure(`The module's process ended (${signal ?? `exit code ${code}`}).`)))
  return {
    isEnded: () => ended !== undefined,
    send: (message: ToRunner) => program.stdin.write(`${JSON.stringify(message)}\n`),
    take: (next: Turn | undefined) => {
      turn = next
      if (ended !== undefined) next?.fail(ended)
    },
  }
}

async function readAll(stream: ReadableStream<Uint8Array>, push: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of stream) push(chunk)
}

function parse(line: string): FromRunner | undefined {
  try {
    const value = JSON.parse(line) as JsonObject | null
    return typeof value?.['kind'] === 'string' ? (value as FromRunner) : undefined
  } catch {
    return undefined
  }
}

/** One question and its answer, with the web requests in between. A question that is given up takes the process with it. */
function createExchange(wire: ReturnType<typeof createWire>, fetching: Fetching, stop: () => Promise<void>) {
  return (message: ToRunner, timeoutMs: number, signal: AbortSignal): Promise<FromRunner> => {
    // Given up while it waited for its turn: nothing was sent, and the process is free for the next.
    if (signal.aborted) return Promise.reject(new ChannelError('lost', 'The request was given up.', { cause: signal.reason }))
    const { promise, resolve, reject } = Promise.withResolvers<FromRunner>()
    const ending = new AbortController()
    const giveUp = (error: Error) => {
      reject(error)
      void stop()
    }
    const onAbort = () => giveUp(new ChannelError('lost', 'The request was given up.', { cause: signal.reason }))
    const onTimeout = () => giveUp(new ModuleFailure(`The module took longer than ${timeoutMs / 1000} s and was stopped.`))
    const timer = setTimeout(onTimeout, timeoutMs)
    signal.addEventListener('abort', onAbort, { once: true })
    let fetches = 0
    const answerFetch = async (request: Extract<FromRunner, { kind: 'fetch' }>) => {
      fetches += 1
      const tooMany: ToRunner = { kind: 'not-fetched', reason: `it asked the web more than ${FETCHES_MAX} times` }
      wire.send(fetches > FETCHES_MAX ? tooMany : await fetching(request, ending.signal))
    }
    const take = (answer: FromRunner) => (answer.kind === 'fetch' ? void answerFetch(answer).catch(giveUp) : resolve(answer))
    try {
      wire.take({ take, fail: giveUp })
      wire.send(message)
    } catch (cause) {
      giveUp(new ChannelError('lost', 'The module’s process no longer listens.', { cause }))
    }
    return promise.finally(() => {
      clearTimeout(timer)
      ending.abort()
      wire.take(undefined)
      signal.removeEventListener('abort', onAbort)
    })
  }
}
