/** Real clients that are programs: started with our own runtime, watched until they ask for a browser. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const MODULES = resolve(import.meta.dir, '../../node_modules')
const PROGRAMS = {
  'mcp-remote': 'mcp-remote/dist/proxy.js',
  inspector: '@modelcontextprotocol/inspector/clients/launcher/build/index.js',
  conformance: '@modelcontextprotocol/conformance/dist/index.js',
} as const
const PATIENCE_MS = 30_000

type Options = { env?: Record<string, string>; stdin?: boolean }

/** A client in a home of its own. Whatever it would open in a browser, it can only print: there is no browser on its path. */
export async function startClient(program: keyof typeof PROGRAMS, args: readonly string[], { env = {}, stdin = false }: Options = {}) {
  const home = mkdtempSync(join(tmpdir(), 'toolpass-client-'))
  const child = Bun.spawn([process.execPath, join(MODULES, PROGRAMS[program]), ...args], {
    cwd: home,
    env: { HOME: home, PATH: home, ...env },
    stdin: stdin ? 'pipe' : 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = { out: '', err: '' }
  const reading = [collect(child.stdout, (text) => (said.out += text)), collect(child.stderr, (text) => (said.err += text))]
  const until = async <T>(look: () => T | undefined, what: string): Promise<T> => {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (performance.now() > end) throw new Error(`${program}: ${what} did not come.\n${said.out}\n${said.err}`)
      await Bun.sleep(50)
    }
  }
  return {
    said,
    write: (message: object) => {
      if (!child.stdin || typeof child.stdin === 'number') throw new Error('started without a pipe')
      child.stdin.write(`${JSON.stringify(message)}\n`)
      void child.stdin.flush()
    },
    /** The address it wants a person to visit. */
    authorizationUrl: () =>
      until(() => {
        const [url] = /http:\/\/localhost:\d+\/oauth\/authorize\?\S+/.exec(said.err + said.out) ?? []
        return url === undefined ? undefined : new URL(url)
      }, 'the authorization address'),
    until,
    exited: async () => {
      const code = await child.exited
      await Promise.all(reading)
      return code
    },
    stop: async () => {
      child.kill()
      await child.exited
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function collect(stream: ReadableStream<Uint8Array>, add: (text: string) => void) {
  const decoder = new TextDecoder()
  for await (const chunk of stream) add(decoder.decode(chunk, { stream: true }))
}
