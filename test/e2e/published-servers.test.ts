/** Servers as they are published, from npm and PyPI, as programs of the compiled executable: started, listed, called. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { valuesOf } from '../../bench/person.ts'
import { callMcp, connectApp, type Person, readMcp, signedIn } from '../support/journey.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

const NPM = '2026.8.31'
const PYPI = '2026.10.19'
const UV = '0.13.9'
const DOWNLOAD_MS_MAX = 120_000
const folder = mkdtempSync(join(tmpdir(), 'toolpass-published-'))
const venv = join(folder, 'venv')
const repository = join(folder, 'repository')
/** How this machine reaches its registries and whom it trusts, where it says so at all. */
const reaching = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(npm_config_|PIP_|UV_|SSL_CERT_|NODE_EXTRA_CA)|_PROXY$/i.test(name)),
) as Record<string, string>
let running: Running
let ada: Person

async function sh(command: string, ...args: string[]): Promise<void> {
  const child = Bun.spawn([command, ...args], { stdout: 'pipe', stderr: 'pipe' })
  const [out, error, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${out}${error}`)
}

beforeAll(async () => {
  mkdirSync(repository)
  await sh('git', '-C', repository, 'init', '-q', '-b', 'main')
  await sh('python3', '-m', 'venv', venv)
  await sh(join(venv, 'bin/pip'), 'install', '-q', `mcp-server-git==${PYPI}`, `mcp-server-time==${PYPI}`, `uv==${UV}`)
  running = await startToolpass({ compiled: true, env: reaching })
  await setUp(running)
  ada = await signedIn(running)
}, DOWNLOAD_MS_MAX)
afterAll(async () => {
  await running.stop()
  running.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** Adds it, makes a profile of all its tools, and calls one. */
async function useServer(name: string, command: string, args: string[], tool: string, given: object): Promise<string> {
  const form = await ada.open('/connections/new?connector=stdio')
  const settings = { 'settings.command': command, 'settings.args': args.join('\n') }
  const connection = new URL((await ada.submit(form, '/connections', { name, ...settings })).url).pathname
  const until = performance.now() + DOWNLOAD_MS_MAX
  for (let html = ''; !html.includes(tool); html = (await ada.open(connection)).html) {
    if (performance.now() > until) throw new Error(`${name} did not list ${tool}: ${html.replace(/<[^>]+>|\s+/g, ' ')}`)
    // A download that takes longer than a start may is there at the next try.
    if (html.includes('Trouble')) await ada.submit(await ada.open(connection), `${connection}/check`, {})
    await Bun.sleep(250)
  }
  const slug = name.toLowerCase().replaceAll(' ', '-')
  const made = new URL((await ada.submit(await ada.open('/profiles'), '/profiles', { title: name })).url).pathname
  const profile = await ada.open(made)
  await ada.submit(profile, `${made}/tools`, { tool_id: valuesOf(profile.html, 'tool_id') })
  const { access_token } = await connectApp(running, ada, { profile: slug })
  const listed = await readMcp(await callMcp(running, slug, access_token, 'tools/list'))
  const tools = (listed.result?.['tools'] ?? []) as { name: string }[]
  const exposed = tools.find((each) => each.name.endsWith(tool))?.name
  const answer = await readMcp(await callMcp(running, slug, access_token, 'tools/call', { name: exposed, arguments: given }))
  return JSON.stringify(answer)
}

test(
  '[PROGRAM-REAL] memory, by npx',
  async () => {
    const entity = { name: 'Toolpass', entityType: 'program', observations: ['remembers'] }
    const answer = await useServer('Memory', 'npx', ['-y', `@modelcontextprotocol/server-memory@${NPM}`], 'create_entities', {
      entities: [entity],
    })
    expect(answer).toContain('remembers')
  },
  DOWNLOAD_MS_MAX,
)
test(
  '[PROGRAM-REAL] sequential thinking, by the runtime inside alone',
  async () => {
    const thought = { thought: 'one', thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false }
    const args = ['x', '--bun', `@modelcontextprotocol/server-sequential-thinking@${NPM}`]
    expect(await useServer('Thinking', 'javascript', args, 'sequentialthinking', thought)).toContain('thoughtNumber')
  },
  DOWNLOAD_MS_MAX,
)
test(
  '[PROGRAM-REAL] mcp-server-git, installed beforehand',
  async () => {
    const answer = await useServer('Git', join(venv, 'bin/mcp-server-git'), ['--repository', repository], 'git_status', {
      repo_path: repository,
    })
    expect(answer).toContain('On branch main')
  },
  DOWNLOAD_MS_MAX,
)
test(
  '[PROGRAM-REAL] mcp-server-time, by uvx',
  async () => {
    const args = [`mcp-server-time@${PYPI}`, '--local-timezone', 'Europe/Berlin']
    const answer = await useServer('Time', join(venv, 'bin/uvx'), args, 'get_current_time', { timezone: 'Asia/Tokyo' })
    expect(answer).toContain('Asia/Tokyo')
  },
  DOWNLOAD_MS_MAX,
)
