/** Starting, asking and ending the processes of a measurement. Whatever was started is ended, however the run ends. */
import { readFileSync } from 'node:fs'
import type { Job, Result } from './load.ts'

export type Started = { port: number; pids(): number[]; stop(): Promise<void> }

const running = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const each of running) each.kill('SIGKILL')
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

/** A script of ours that prints its port first. */
export async function startServer(script: string, ...args: string[]): Promise<Started> {
  const child = start([process.execPath, `${import.meta.dir}/${script}`, ...args])
  const port = Number(await lines(child.stdout).next())
  if (!port) throw new Error(`${script} did not start`)
  return { port, pids: () => [child.pid], stop: () => stop(child) }
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

export function startLoad(): { run(job: Job): Promise<Result>; stop(): Promise<void> } {
  const child = start([process.execPath, `${import.meta.dir}/load.ts`])
  const answers = lines(child.stdout)
  return {
    async run(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`)
      await child.stdin.flush()
      const line = await answers.next()
      if (line === undefined) throw new Error('the load generator ended')
      const result = JSON.parse(line) as Result | { error: string }
      if ('error' in result) throw new Error(result.error)
      return result
    },
    stop: () => stop(child),
  }
}

const TICKS_PER_SECOND = 100

/** CPU time of processes so far, user and system, where there is a /proc; otherwise undefined. */
export function cpuMs(pids: number[]): number | undefined {
  try {
    const ticks = pids.map((pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return Number(fields[11]) + Number(fields[12])
    })
    return (ticks.reduce((sum, each) => sum + each, 0) * 1_000) / TICKS_PER_SECOND
  } catch {
    return undefined
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
