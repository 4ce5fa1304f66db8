/** A real Toolpass in a process of its own, on an empty data folder, spoken to from outside. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dir, '../..')
export const EXECUTABLE = process.env['TOOLPASS_TEST_EXECUTABLE'] ?? join(ROOT, 'dist/toolpass')
const START_MS_MAX = 20_000

export type Running = Awaited<ReturnType<typeof startToolpass>>
type Options = { compiled?: boolean; env?: Record<string, string>; dataDir?: string; port?: number }

export async function startToolpass(options: Options = {}) {
  if (options.compiled && !existsSync(EXECUTABLE)) throw new Error('dist/toolpass is missing: bun run build')
  const folder = options.dataDir ?? join(mkdtempSync(join(tmpdir(), 'toolpass-test-')), 'data')
  const port = options.port ?? (await freePort())
  const command = options.compiled ? [EXECUTABLE, 'serve'] : [process.execPath, join(ROOT, 'src/main.ts'), 'serve']
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dirname(folder),
    TOOLPASS_PORT: String(port),
    TOOLPASS_DATA_DIR: folder,
    ...options.env,
  }
  // From source bun takes its JSX settings from the working folder; the executable must run anywhere.
  const child = Bun.spawn(command, { cwd: options.compiled ? tmpdir() : ROOT, env, stdout: 'pipe', stderr: 'pipe' })
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr]) void collect(stream, output)
  const url = `http://localhost:${port}`
  const until = Date.now() + START_MS_MAX
  while (!(await isUp(url))) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`Toolpass did not start:\n${output.text}`)
    await Bun.sleep(25)
  }
  return {
    url,
    port,
    pid: child.pid,
    dataDir: folder,
    output: () => output.text,
    setupToken: () => /\/setup\?token=([\w-]+)/.exec(output.text)?.[1] ?? '',
    stop: async (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal)
      await child.exited
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function collect(stream: ReadableStream<Uint8Array>, into: { text: string }) {
  const decoder = new TextDecoder()
  for await (const chunk of stream) into.text += decoder.decode(chunk, { stream: true })
}
const isUp = (url: string) =>
  fetch(`${url}/healthz`)
    .then((answer) => answer.ok)
    .catch(() => false)

export function freePort(): Promise<number> {
  const { promise, resolve: settle } = Promise.withResolvers<number>()
  const server = createServer()
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => settle(typeof address === 'object' && address ? address.port : 0))
  })
  return promise
}

export type Browser = ReturnType<typeof createBrowser>

/** Keeps cookies and follows no redirect: what a browser sends, without a browser. */
export function createBrowser(url: string) {
  const jar = new Map<string, string>()
  const send = async (path: string, init: RequestInit & { headers?: Record<string, string> } = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url + path, {
      redirect: 'manual',
      ...init,
      headers: { ...(cookie ? { cookie } : {}), accept: 'text/html', ...init.headers },
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = '', ...rest] = line.split('; ')
      const [name = '', value = ''] = pair.split('=')
      if (rest.includes('Max-Age=0')) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
  return {
    jar,
    get: (path: string, headers: Record<string, string> = {}) => send(path, { headers }),
    post: (path: string, form: Record<string, string | readonly string[]>, headers: Record<string, string> = {}) => {
      const body = new URLSearchParams()
      for (const [name, value] of Object.entries(form)) for (const each of [value].flat()) body.append(name, String(each))
      return send(path, { method: 'POST', body, headers: { origin: url, 'sec-fetch-site': 'same-origin', ...headers } })
    },
  }
}

export const ADMIN = { username: 'ada', password: 'correct horse battery' }

/** Follows the set-up link: the first administrator, signed in. */
export async function setUp(running: Running): Promise<Browser> {
  const browser = createBrowser(running.url)
  const answer = await browser.post('/setup', { token: running.setupToken(), ...ADMIN })
  if (answer.status !== 303) throw new Error(`set-up answered ${answer.status}: ${await answer.text()}`)
  return browser
}
