/** How the program starts, what it refuses to start with, and that no route is open by mistake. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openHouse } from '@/app.ts'
import { createFetch } from '@/app/front.ts'
import { createApp } from '@/app/routes.ts'
import { loadConfig } from '@/config'
import { createLog } from '@/lib/log.ts'
import { ADMIN, createBrowser, setUp, startToolpass } from '../support/running.ts'

const ROOT = resolve(import.meta.dir, '../..')
const MAIN = join(ROOT, 'src/main.ts')
const folders: string[] = []
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'toolpass-start-'))
  folders.push(made)
  return made
}
afterAll(() => Bun.spawnSync(['rm', '-rf', ...folders]))

/** Runs a command to its end; `serve` must not get that far. */
function run(args: string[], env: Record<string, string> = {}) {
  const home = folder()
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TOOLPASS_DATA_DIR: join(home, 'data'), TOOLPASS_PORT: '0', ...env },
    timeout: 15_000,
  })
  return { exitCode, out: stdout.toString(), err: stderr.toString() }
}

const WRONG: [why: string, env: Record<string, string>, says: RegExp][] = [
  ['a port that is none', { TOOLPASS_PORT: 'http' }, /TOOLPASS_PORT/],
  ['a name that is misspelt', { TOOLPASS_PROT: '80' }, /no setting TOOLPASS_PROT.*Did you mean TOOLPASS_PORT/],
  ['plain http on a public name', { TOOLPASS_URL: 'http://tools.example.org' }, /plain http/],
  ['an address that is none', { TOOLPASS_URL: 'tools' }, /TOOLPASS_URL.*must be/],
  ['a user name without its password', { TOOLPASS_ADMIN_USERNAME: 'ada' }, /go together/],
  ['a key of the wrong length', { TOOLPASS_ENCRYPTION_KEY: 'c2hvcnQ=' }, /must hold 32 bytes/],
  ['a secret file that is missing', { TOOLPASS_ENCRYPTION_KEY_FILE: '/nowhere/key' }, /cannot be read/],
]
for (const [why, env, says] of WRONG)
  test(`[HOUSE-SETTINGS] ${why} stops the start with one sentence`, () => {
    const { exitCode, err } = run(['serve'], env)
    expect(exitCode).toBe(1)
    expect(err).toMatch(says)
    expect(err.trim().split('\n')).toHaveLength(1)
  })

test('[HOUSE-SETTINGS] a secret is not repeated in the sentence', () => {
  expect(run(['serve'], { TOOLPASS_ENCRYPTION_KEY: 'Zm9vYmFy' }).err).not.toContain('Zm9vYmFy')
})

test('[HOUSE-SETTINGS] flag goes before environment, file and default', () => {
  const file = join(folder(), 'settings.yaml')
  writeFileSync(file, 'port: 1001\nhost: 127.0.0.3\n')
  const config = loadConfig({ flags: { port: '1003' }, env: { TOOLPASS_PORT: '1002', TOOLPASS_LOG_LEVEL: 'warn' }, file })
  expect([config.port, config.logLevel, config.host, config.dataDir]).toEqual([1003, 'warn', '127.0.0.3', './data'])
})

test('[HOUSE-SET-UP] the first start prints one link, which GET leaves whole and POST uses up', async () => {
  const running = await startToolpass()
  try {
    const token = running.setupToken()
    expect(running.output().trimEnd().split('\n').at(-1)).toBe(`${running.url}/setup?token=${token}`)
    for (let i = 0; i < 2; i++) expect((await createBrowser(running.url).get(`/setup?token=${token}`)).status).toBe(200)
    const browser = await setUp(running)
    expect((await browser.get('/')).status).toBe(200)
    expect((await createBrowser(running.url).get(`/setup?token=${token}`)).status).toBe(410)
    // The folder is its owner's alone.
    for (const name of readdirSync(running.dataDir)) expect([name, statSync(join(running.dataDir, name)).mode & 0o077]).toEqual([name, 0])
  } finally {
    await running.stop()
    running.remove()
  }
})

test('[HOUSE-SET-UP] a second program on the same folder is refused, commands reach the first', async () => {
  const running = await startToolpass({ env: { TOOLPASS_ADMIN_USERNAME: ADMIN.username, TOOLPASS_ADMIN_PASSWORD: ADMIN.password } })
  try {
    expect(run(['serve'], { TOOLPASS_DATA_DIR: running.dataDir }).err).toContain('Another Toolpass is running')
    expect(run(['user', 'add', 'mia'], { TOOLPASS_DATA_DIR: running.dataDir }).out).toContain('/reset?token=')
    expect(run(['user', 'list'], { TOOLPASS_DATA_DIR: running.dataDir }).out).toContain('mia')
    const browser = createBrowser(running.url)
    await browser.post('/login', ADMIN)
    expect(run(['user', 'disable', ADMIN.username], { TOOLPASS_DATA_DIR: running.dataDir }).err).toContain('last administrator')
    expect((await browser.get('/')).status).toBe(200)
    expect(run(['healthcheck'], { TOOLPASS_PORT: String(running.port) }).exitCode).toBe(0)
  } finally {
    await running.stop()
    running.remove()
  }
})

const PUBLIC = [
  /^\/(healthz|readyz|assets|login|logout|setup|reset|mcp|\.well-known)\b/,
  /^\/oauth\/(register|token|revoke|authorize|par|device_authorization|introspect|client\.json)/,
]

test('[HOUSE-LOCKS] every route that is not public refuses a stranger before it reads the body', async () => {
  const log = createLog({ level: 'error', format: 'json', write: () => undefined })
  const house = await openHouse(loadConfig({ flags: { dataDir: join(folder(), 'data') }, env: {} }), log)
  try {
    const app = createApp(house)
    const handle = createFetch(house, async () => app)
    const server = { requestIP: () => ({ address: '127.0.0.1' }), timeout: () => undefined } as never
    let checked = 0
    for (const { method, path } of app.routes) {
      if (PUBLIC.some((prefix) => prefix.test(path)) || path === '*') continue
      const address = `http://localhost:8080${path.replace(/:\w+/g, 'x')}`
      const body = method === 'GET' ? undefined : '{"not":"a form'
      const answer = await handle(new Request(address, { method, headers: { host: 'localhost:8080' }, ...(body ? { body } : {}) }), server)
      const refused = answer.status === 401 || (answer.status === 303 && answer.headers.get('location')?.startsWith('/login'))
      expect([method, path, answer.status, refused]).toEqual([method, path, answer.status, true])
      checked += 1
    }
    expect(checked).toBeGreaterThan(25)
  } finally {
    await house.close()
  }
})
