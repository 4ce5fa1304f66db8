/** The house itself under attack: ABUSE rows 18, 40, 55, 57, 59, 60. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openHouse } from '@/app.ts'
import { listen } from '@/app/front.ts'
import { loadConfig } from '@/config'
import { openEventStream } from '@/gateway/events.ts'
import { readBody } from '@/lib/body.ts'
import { createLog } from '@/lib/log.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn, type Tokens } from '../support/journey.ts'
import { eventually } from '../support/outside.ts'
import { ADMIN, createBrowser, freePort, type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const ROOT = resolve(import.meta.dir, '../..')
let running: Running
let ada: Person
let tokens: Tokens & { clientId: string }
let slow: Promise<string>[]
const upstream = startModernUpstream()

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  await addHttpConnection(ada, 'Modern', upstream.url)
  await makeProfile(ada, 'Work', 4)
  tokens = await connectApp(running, ada, { profile: 'work' })
  // Their time runs while the other tests do.
  slow = ['/oauth/token', '/oauth/register', '/oauth/par'].map((path) => sendSlowly(running.port, path))
}, 20_000)
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
})

/** A POST whose body never comes to its end. @returns the first line of the answer */
function sendSlowly(port: number, path: string): Promise<string> {
  const { promise, resolve: settle } = Promise.withResolvers<string>()
  const type = path.endsWith('register') ? 'application/json' : 'application/x-www-form-urlencoded'
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: localhost:${port}\r\naccept: text/event-stream\r\ncontent-type: ${type}\r\ncontent-length: 1000\r\n\r\n`,
    ),
  )
  const drip = setInterval(() => socket.write('a'), 1_000)
  socket.on('data', (answer) => {
    settle(String(answer).split('\r\n')[0] ?? '')
    socket.destroy()
  })
  socket.on('error', () => settle('broken'))
  socket.on('close', () => (clearInterval(drip), settle('closed')))
  return promise
}

const openStream = (at: Running, access: string, signal: AbortSignal) =>
  fetch(`${at.url}/mcp/work`, { headers: { authorization: `Bearer ${access}`, accept: 'text/event-stream' }, signal })

describe('an app that is stopped', () => {
  test('[ABUSE-18] a revoked app is 401 on its next request, its tokens are dead, and its open stream ends within a second', async () => {
    const other = await connectApp(running, ada, { profile: 'work' })
    const stream = await openStream(running, other.access_token, AbortSignal.timeout(5_000))
    const ended = stream.text().then(() => performance.now())
    await callMcp(running, 'work', other.access_token, 'tools/list')
    // The newest stands first.
    const app = /href="(\/apps\/grt_[\w-]+)"/.exec((await ada.open('/apps')).html)?.[1] ?? ''
    const revokedMs = performance.now()
    await ada.submit(await ada.open(app), `${app}/revoke`, {})
    const answers = await Promise.all([other, tokens].map((each) => callMcp(running, 'work', each.access_token, 'tools/list')))
    expect(answers.map(({ status }) => status)).toEqual([401, 200])
    expect((await ended) - revokedMs).toBeLessThan(1_000)
    const form = { grant_type: 'refresh_token', refresh_token: other.refresh_token, client_id: other.clientId }
    const refreshed = await fetch(`${running.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })
    expect([refreshed.status, ((await refreshed.json()) as { error: string }).error]).toEqual([400, 'invalid_grant'])
  })
})

describe('with the rooms at hand', () => {
  test('[ABUSE-18] a paused app is told so with 403, its streams end, and after resuming the same tokens are good', async () => {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'toolpass-'))
    const config = loadConfig({ flags: { port: String(port), dataDir: folder }, env: {} })
    const house = await openHouse(config, createLog({ level: 'error', format: 'json', write: () => undefined }))
    const server = listen(house)
    const link = (await house.users.setUpLink()) ?? ''
    const inside = { ...running, url: `http://localhost:${port}`, port, setupToken: () => link }
    await setUp(inside)
    const bea = await signedIn(inside)
    await addHttpConnection(bea, 'Modern', upstream.url)
    await makeProfile(bea, 'Work', 4)
    const app = await connectApp(inside, bea, { profile: 'work' })
    const user = (await house.users.findByName(ADMIN.username))!
    const [grant] = await house.grants.listForUser(user.id)
    const ended = (await openStream(inside, app.access_token, AbortSignal.timeout(5_000))).text().then(() => performance.now())
    const pausedMs = performance.now()
    await house.grants.pause(user, grant!.id)
    const refused = await callMcp(inside, 'work', app.access_token, 'tools/list')
    expect([refused.status, (await readMcp(refused)).error?.message]).toEqual([
      403,
      'You paused this app in Toolpass. Resume it there to go on.',
    ])
    expect((await ended) - pausedMs).toBeLessThan(1_000)
    expect((await openStream(inside, app.access_token, AbortSignal.timeout(5_000))).status).toBe(403)
    await house.grants.resume(user, grant!.id)
    expect((await callMcp(inside, 'work', app.access_token, 'tools/list')).status).toBe(200)
    await server.stop(true)
    await house.close()
    rmSync(folder, { recursive: true })
  })
})

test('[ABUSE-40] a password changes only for who gives the one before it, from our own page, and other browsers are signed out', async () => {
  const mia = { username: 'mia', password: 'a password of mia' }
  const admin = createBrowser(running.url)
  await admin.post('/login', ADMIN)
  await admin.post('/admin/users', { ...mia, role: 'member' })
  const [one, other] = [createBrowser(running.url), createBrowser(running.url)]
  for (const browser of [one, other]) expect((await browser.post('/login', mia)).status).toBe(303)
  const next = 'another password of hers'
  for (const current_password of ['', 'wrong', ADMIN.password, next]) {
    const answer = await one.post('/settings/password', { current_password, new_password: next })
    expect([current_password, answer.status]).toEqual([current_password, 422])
    expect(await answer.text()).toContain('This is not your current password.')
  }
  expect((await one.post('/settings/password', { new_password: next })).status).toBe(422)
  const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  expect((await one.post('/settings/password', { current_password: mia.password, new_password: next }, foreign)).status).toBe(403)
  const stranger = createBrowser(running.url)
  expect((await stranger.post('/settings/password', { current_password: mia.password, new_password: next })).status).toBe(401)
  expect((await stranger.post('/reset', { token: 'x'.repeat(43), password: next })).status).toBeGreaterThanOrEqual(400)
  expect((await other.get('/settings')).status).toBe(200)
  expect((await createBrowser(running.url).post('/login', { ...mia, password: next })).status).not.toBe(303)

  expect((await one.post('/settings/password', { current_password: mia.password, new_password: next })).status).toBe(303)
  expect([(await one.get('/settings')).status, (await other.get('/settings')).status]).toEqual([200, 303])
  expect((await createBrowser(running.url).post('/login', { ...mia, password: next })).status).toBe(303)
})

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'
const DOORS = [
  { path: '/mcp/work', type: JSON_TYPE },
  { path: '/mcp', type: JSON_TYPE },
  { path: '/oauth/register', type: JSON_TYPE },
  ...['token', 'revoke', 'introspect', 'par', 'device_authorization', 'authorize/decide'].map((name) => ({
    path: `/oauth/${name}`,
    type: FORM_TYPE,
  })),
  ...['/login', '/logout', '/setup', '/reset', '/device', '/settings/password', '/connections', '/profiles', '/admin/users'].map(
    (path) => ({ path, type: FORM_TYPE }),
  ),
]

describe.each(DOORS)('what comes to $path', ({ path, type }) => {
  const post = async (body: BodyInit, headers: Record<string, string> = {}) => {
    const startedMs = performance.now()
    const authorization = `Bearer ${tokens.access_token}`
    const init = { method: 'POST', body, redirect: 'manual' as const, headers: { 'content-type': type, authorization, ...headers } }
    const answer = await fetch(running.url + path, init)
    await answer.arrayBuffer()
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    return answer.status
  }
  const deep = `${'['.repeat(8_000)}${']'.repeat(8_000)}`
  test('[ABUSE-55] is refused when it is too deep, too large or has too much of a head', async () => {
    const memory = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${running.pid}/status`, 'utf8'))?.[1]) / 1024
    const before = memory()
    expect([400, 401]).toContain(await post(deep, { 'content-type': JSON_TYPE }))
    const nested = new FormData()
    nested.append('username', deep)
    nested.append(`${'a.'.repeat(10_000)}b`, 'x')
    nested.append(`a${'[b]'.repeat(10_000)}`, 'x')
    if (type === FORM_TYPE) {
      const body = new Response(nested)
      expect(await post(await body.arrayBuffer(), { 'content-type': body.headers.get('content-type') ?? '' })).toBeGreaterThanOrEqual(300)
    }
    expect(await post(Buffer.alloc(50_000_000, 'x'))).toBe(413)
    expect(await post('{}', { 'x-large': 'h'.repeat(100_000) })).toBe(431)
    expect(memory() - before).toBeLessThan(200)
  })
  test('[ABUSE-55] reaches nothing when it names the prototype', async () => {
    const proto =
      '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{"role":"admin","redirect_uris":["http://127.0.0.1/cb"]},"constructor":{"prototype":{"role":"admin"}}}'
    const form = '__proto__=x&__proto__[role]=admin&constructor.prototype.role=admin&a[__proto__][role]=admin'
    const status = await post(type === JSON_TYPE ? proto : form)
    expect(status).toBeLessThan(500)
    if (path === '/oauth/register') expect(status).toBe(400)
    expect((await callMcp(running, 'work', tokens.access_token, 'tools/list')).status).toBe(200)
  })
})

test('[ABUSE-55] a body that does not come to its end is 408', async () => {
  const endless = new Request('http://x/', { method: 'POST', body: new ReadableStream({ pull: () => Bun.sleep(60_000) }) })
  await expect(readBody(endless, 100, 50)).rejects.toMatchObject({ status: 408 })
  for (const answer of await Promise.all(slow)) expect(answer).toBe('HTTP/1.1 408 Request Timeout')
}, 20_000)

test('[ABUSE-57] one user with streams without end meets 429, and takes none from others', async () => {
  const stop = new AbortController()
  const streams = await Promise.all(Array.from({ length: 40 }, () => openStream(running, tokens.access_token, stop.signal)))
  const refused = streams.filter(({ status }) => status === 429)
  expect(refused).toHaveLength(8)
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await callMcp(running, 'work', tokens.access_token, 'tools/list')).status).toBe(200)
  stop.abort()
  const again = async () => {
    const ending = new AbortController()
    const { status } = await openStream(running, tokens.access_token, ending.signal)
    ending.abort()
    return status
  }
  expect(await eventually(async () => (await again()) === 200)).toBe(true)
})

test('[ABUSE-57] a stream that nobody reads is closed before it fills the memory', () => {
  let isGone = false
  const stream = openEventStream(() => {
    isGone = true
  })
  for (let at = 0; at < 2_000 && stream.isOpen; at += 1) stream.send({ at })
  expect([stream.isOpen, isGone]).toEqual([false, true])
})

/** Starts on the folder in whatever way, for as long as it runs by itself. */
async function runOnce(env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, join(ROOT, 'src/main.ts'), 'serve'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), TOOLPASS_PORT: String(await freePort()), ...env },
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 10_000,
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, said: (out + err).trim() }
}
const contentsOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && !['lock', 'toolpass.db-wal', 'toolpass.db-shm'].includes(entry.name))
      .map(({ name }) => [name, Bun.hash(readFileSync(join(folder, name))).toString()]),
  )

describe('a data folder', () => {
  let folder: string
  const KEY = 'k'.repeat(43).concat('=')
  const fresh = () => {
    const copy = mkdtempSync(join(tmpdir(), 'toolpass-'))
    for (const name of ['toolpass.db', 'encryption.key']) copyFileSync(join(folder, name), join(copy, name))
    return copy
  }
  beforeAll(async () => {
    const first = await startToolpass()
    await setUp(first)
    await first.stop()
    folder = first.dataDir
  })
  test('[ABUSE-59] that nobody may write to is said so, and nothing is made elsewhere', async () => {
    const { code, said } = await runOnce({ TOOLPASS_DATA_DIR: '/proc/self/task' })
    expect([code, said]).toEqual([1, expect.stringMatching(/^The data folder \/proc\/self\/task cannot be used\. Make it .+\.$/)])
  })
  test.each([
    ['is no database', (bytes: Buffer) => bytes.fill('no database ', 0, 4096)],
    [
      'lost a page in the middle',
      (bytes: Buffer) => bytes.fill(0xff, Math.floor(bytes.length / 2 / 4096) * 4096, Math.floor(bytes.length / 2 / 4096) * 4096 + 8192),
    ],
    ['was cut', (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2))],
  ])('[ABUSE-59] whose database %s is said to be damaged and left as it is', async (_what, damage) => {
    const copy = fresh()
    writeFileSync(join(copy, 'toolpass.db'), damage(readFileSync(join(copy, 'toolpass.db'))))
    const before = contentsOf(copy)
    const { code, said } = await runOnce({ TOOLPASS_DATA_DIR: copy })
    expect([code, said]).toEqual([1, 'The database file is damaged. Restore a backup; nothing was changed.'])
    expect(contentsOf(copy)).toEqual(before)
    rmSync(copy, { recursive: true })
  })
  test('[ABUSE-59, ABUSE-60] does not open with another key, nor without one, and opens with its own as before', async () => {
    const copy = fresh()
    const before = contentsOf(copy)
    const other = await runOnce({ TOOLPASS_DATA_DIR: copy, TOOLPASS_ENCRYPTION_KEY: KEY })
    expect([other.code, other.said]).toEqual([
      1,
      expect.stringMatching(/^The encryption key does not fit this database\. .+ nothing was changed\.$/),
    ])
    expect(contentsOf(copy)).toEqual(before)
    rmSync(join(copy, 'encryption.key'))
    const none = await runOnce({ TOOLPASS_DATA_DIR: copy })
    expect([none.code, none.said]).toEqual([
      1,
      expect.stringMatching(/encryption\.key is missing, but the database needs it\. .+ nothing was changed\.$/),
    ])
    expect(existsSync(join(copy, 'encryption.key'))).toBe(false)
    const again = await startToolpass({ dataDir: folder })
    expect((await createBrowser(again.url).post('/login', ADMIN)).status).toBe(303)
    await again.stop()
  })
})

test('[ABUSE-59] a full disk costs what would have to be written, says so, and loses nothing; with room again all goes on', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'toolpass-')), 'data')
  const port = await freePort()
  // Whoever ignores SIGXFSZ gets an error for a write past the limit, as from a full disk; the limit can come and go.
  const child = Bun.spawn(['sh', '-c', `trap '' XFSZ; exec "$0" "$@"`, process.execPath, join(ROOT, 'src/main.ts'), 'serve'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: tmpdir(),
      TOOLPASS_PORT: String(port),
      TOOLPASS_DATA_DIR: folder,
      TOOLPASS_ADMIN_USERNAME: ADMIN.username,
      TOOLPASS_ADMIN_PASSWORD: ADMIN.password,
    },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  const url = `http://localhost:${port}`
  expect(
    await eventually(
      () =>
        fetch(`${url}/healthz`).then(
          (answer) => answer.ok,
          () => false,
        ),
      10_000,
    ),
  ).toBe(true)
  const limit = (bytes: string) => Bun.spawnSync(['prlimit', '--pid', String(child.pid), `--fsize=${bytes}:unlimited`])
  const browser = createBrowser(url)
  expect((await browser.post('/login', ADMIN)).status).toBe(303)
  expect((await browser.post('/profiles', { title: 'Before' })).status).toBe(303)
  limit('0')
  const refused = await browser.post('/profiles', { title: 'Meanwhile' })
  expect([refused.status, (await refused.text()).includes('The data folder cannot be written to right now.')]).toEqual([503, true])
  expect((await browser.post('/oauth/register', {}, { 'content-type': JSON_TYPE })).status).toBeLessThan(504)
  expect(await (await browser.get('/profiles')).text()).toContain('Before')
  limit('unlimited')
  expect((await browser.post('/profiles', { title: 'After' })).status).toBe(303)
  const page = await (await browser.get('/profiles')).text()
  expect(['Before', 'Meanwhile', 'After'].map((title) => page.includes(title))).toEqual([true, false, true])
  expect(child.exitCode).toBe(null)
  child.kill('SIGKILL')
  await child.exited
  const again = await startToolpass({ dataDir: folder })
  expect((await createBrowser(again.url).post('/login', ADMIN)).status).toBe(303)
  await again.stop()
  again.remove()
})
