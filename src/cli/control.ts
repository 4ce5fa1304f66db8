/**
 * How commands reach a running Toolpass: a 0600 socket in the data folder, so that disabling a user holds at once. Programs
 * of stdio connections run as the same system user and Landlock does not keep them from a socket, so each request also
 * carries a secret from a file that their fence does hide.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { type House, openHouse } from '@/app.ts'
import type { Config } from '@/config'
import { equal, randomSecret } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { createLog } from '@/lib/log.ts'
import type { TaskInput, TaskName } from './tasks.ts'

/** A declaration with everything in it, as text within text. */
const ASKED_CHARS_MAX = 4 * 1024 * 1024
/** Lists of everything there is. */
const ANSWERED_CHARS_MAX = 16 * 1024 * 1024
/** Longer than the plugins have to close, load and open when they are reloaded. */
const TIMEOUT_MS = 60_000

type Ask = { secret: string; task: TaskName; input: TaskInput }
type Answer = { ok: true; result: Record<string, unknown> } | { ok: false; message: string }

const placesIn = (dataDir: string) => ({ socket: join(resolve(dataDir), 'control.sock'), secret: join(resolve(dataDir), 'control.key') })

export function openControl(house: House): { close(): void } {
  const places = placesIn(house.config.dataDir)
  const secret = randomSecret()
  writeFileSync(places.secret, secret, { mode: 0o600 })
  // The folder's lock is ours, so a socket that is still here belongs to nobody.
  rmSync(places.socket, { force: true })
  const server = createServer((socket) => {
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    readLine(socket, ASKED_CHARS_MAX, (line) => void answer(house, secret, line).then((reply) => socket.end(`${JSON.stringify(reply)}\n`)))
  })
  server.listen(places.socket, () => chmodSync(places.socket, 0o600))
  return {
    close() {
      server.close()
      rmSync(places.socket, { force: true })
      rmSync(places.secret, { force: true })
    },
  }
}

/** Loaded with the first command that asks for one: a server that nobody commands does without what they read. */
const tasks = async () => (await import('./tasks.ts')).TASKS

async function answer(house: House, secret: string, line: string): Promise<Answer> {
  try {
    const asked = JSON.parse(line) as Ask
    if (typeof asked.secret !== 'string' || !equal(asked.secret, secret)) return { ok: false, message: 'Refused.' }
    const known = await tasks()
    if (!Object.hasOwn(known, asked.task)) return { ok: false, message: 'Refused.' }
    return { ok: true, result: await known[asked.task](house, asked.input) }
  } catch (error) {
    if (error instanceof Failure) return { ok: false, message: Object.values(error.fields).join(' ') || error.message }
    house.log.error('a command failed', error)
    return { ok: false, message: 'The command failed; the log of the running Toolpass says why.' }
  }
}

/** Does a task in the running Toolpass, or, where none runs, opens the data folder for it. */
export async function perform(config: Config, task: TaskName, input: TaskInput): Promise<Record<string, unknown>> {
  const reach = createReach(config)
  try {
    return await reach.perform(task, input)
  } finally {
    await reach.end()
  }
}

/** For a command of several tasks: where none runs, the data folder is opened once for all of them. */
export function createReach(config: Config) {
  const places = placesIn(config.dataDir)
  let house: House | undefined
  return {
    async perform(task: TaskName, input: TaskInput): Promise<Record<string, unknown>> {
      if (!house && existsSync(places.socket) && existsSync(places.secret)) {
        const reply = await ask(places.socket, { secret: readFileSync(places.secret, 'utf8'), task, input })
        if (reply?.ok) return reply.result
        if (reply) throw new Error(reply.message)
      }
      const log = createLog({ level: 'warn', format: 'pretty', write: (line) => void process.stderr.write(`${line}\n`) })
      house ??= await openHouse(config, log)
      return (await tasks())[task](house, input)
    },
    end: async (): Promise<void> => house?.close(),
  }
}

/** Undefined when nobody listens any more (a socket that a kill -9 left behind). */
function ask(path: string, request: Ask): Promise<Answer | undefined> {
  const { promise, resolve: settle } = Promise.withResolvers<Answer | undefined>()
  const socket = connect(path, () => socket.write(`${JSON.stringify(request)}\n`))
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy())
  socket.on('error', () => settle(undefined))
  socket.on('close', () => settle(undefined))
  readLine(socket, ANSWERED_CHARS_MAX, (line) => settle(JSON.parse(line) as Answer))
  return promise
}

function readLine(socket: Socket, charsMax: number, take: (line: string) => void): void {
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    text += String(chunk)
    const end = text.indexOf('\n')
    if (end >= 0) take(text.slice(0, end))
    else if (text.length > charsMax) socket.destroy()
  })
}
