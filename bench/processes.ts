/** Starting, asking and ending the processes of a measurement. Whatever was started is ended, however the run ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from './load.ts'
import type { Result } from './load-tally.ts'
import { familyOf } from './proc.ts'

export type Started = { port: number; pids(): number[]; stop(): Promise<void> }

const running = new Set<Bun.Subprocess>()
process.on('exit', () => {
  // Children of theirs as well: a worker outlives a master that was killed.
  for (const each of running) for (const pid of familyOf(each.pid)) process.kill(pid, 'SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

export function start(command: string[], env: Record<string, string> = {}, log: 'inherit' | 'ignore' = 'inherit') {
  const path = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
  const child = Bun.spawn(command, { env: { ...path, ...env }, stdin: 'pipe', stdout: 'pipe', stderr: log })
  running.add(child)
  void child.exited.then(() => running.delete(child))
  return child
}

export async function stop(child: Bun.Subprocess): Promise<void> {
  child.kill('SIGTERM')
  const killed = setTimeout(() => child.kill('SIGKILL'), 3_000)
  await child.exited
  clearTimeout(killed)
}

/** A script of ours that prints its ports first. */
export async function startServer(script: string, ...args: string[]): Promise<Started & { ports: number[] }> {
  const child = start([process.execPath, `${import.meta.dir}/${script}`, ...args])
  const ports = (await lines(child.stdout).next())?.split(' ').map(Number) ?? []
  const [port = 0] = ports
  if (!port) throw new Error(`${script} did not start`)
  return { port, ports, pids: () => [child.pid], stop: () => stop(child) }
}

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder that goes when this process ends, or before. */
export function makeFolder(what: string): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), `toolpass-bench-${what}-`))
  folders.add(folder)
  return {
    folder,
    remove() {
      rmSync(folder, { recursive: true, force: true })
      folders.delete(folder)
    },
  }
}

/** Lines of a stream, one a call; undefined at its end. */
export function lines(stream: ReadableStream<Uint8Array>): { next(): Promise<string | undefined> } {
  const reader = stream.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader()
  let pending = ''
  return {
    async next() {
      for (;;) {
        const end = pending.indexOf('\n')
        if (end >= 0) {
          const line = pending.slice(0, end)
          pending = pending.slice(end + 1)
          return line
        }
        const { done, value } = await reader.read()
        if (done) return undefined
        pending += value
      }
    },
  }
}

/** What was asked went wrong: an answer that is no answer. The load generator itself is well. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed'
}

export type Load = { run(job: Job): Promise<Result>; stop(): Promise<void> }

export function startLoad(): Load {
  const child = start([process.execPath, `${import.meta.dir}/load.ts`])
  const answers = lines(child.stdout)
  return {
    async run(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`)
      await child.stdin.flush()
      const line = await answers.next()
      if (line === undefined) throw new Error('the load generator ended')
      const result = JSON.parse(line) as Result | { error: string }
      if ('error' in result) throw new JobFailed(result.error)
      return result
    },
    stop: () => stop(child),
  }
}

/** A port that was free a moment ago, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const { port = 0 } = server
  await server.stop(true)
  return port
}

export async function waitFor(url: string, msMax: number): Promise<void> {
  const end = performance.now() + msMax
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer) return void answer.body?.cancel()
    if (performance.now() > end) throw new Error(`${url} does not answer`)
    await Bun.sleep(20)
  }
}
