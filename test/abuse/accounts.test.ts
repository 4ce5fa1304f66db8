/** Accounts and pages, attacked from outside: ABUSE rows 31 to 34, 36 to 38, 42, against a running Toolpass. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { ADMIN, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

let running: Running
let admin: Awaited<ReturnType<typeof setUp>>
let token: string

beforeAll(async () => {
  running = await startToolpass()
  token = running.setupToken()
  admin = await setUp(running)
})
afterAll(async () => {
  await running.stop()
  running.remove()
})

/** One request as bytes, for what no HTTP client would send. */
function raw(request: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  const socket = connect(running.port, '127.0.0.1', () => socket.write(request))
  socket.setTimeout(3_000, () => socket.destroy())
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  socket.on('error', () => resolve(text))
  socket.on('close', () => resolve(text))
  return promise
}
const statusOf = (answer: string) => Number(answer.split(' ')[1])

describe('sessions', () => {
  test('[ABUSE-31] signing in gives a new session id, and a planted one stays worthless', async () => {
    const browser = createBrowser(running.url)
    browser.jar.set('toolpass_session', 'planted-by-somebody-else')
    await browser.post('/login', ADMIN)
    const session = browser.jar.get('toolpass_session')
    expect(session).toBeDefined()
    expect(session).not.toBe('planted-by-somebody-else')
    const old = createBrowser(running.url)
    old.jar.set('toolpass_session', 'planted-by-somebody-else')
    expect((await old.get('/profiles')).status).toBe(303)
    // Signing in again ends the session that this browser had.
    await browser.post('/login', ADMIN)
    await browser.post('/logout', {})
    old.jar.set('toolpass_session', session ?? '')
    expect((await old.get('/profiles')).headers.get('location')).toStartWith('/login')
  })

  test('[ABUSE-31] a login posted from another site is refused', async () => {
    const browser = createBrowser(running.url)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = await browser.post('/login', ADMIN, headers as Record<string, string>)
      expect([headers, answer.status]).toEqual([headers, 403])
      expect(browser.jar.size).toBe(0)
    }
  })

  test('[ABUSE-33] an unknown user name is answered like a wrong password', async () => {
    const attempt = async (username: string) => {
      const began = performance.now()
      const answer = await createBrowser(running.url).post('/login', { username, password: 'not the password' })
      const body = (await answer.text()).replaceAll(username, 'NAME')
      return { status: answer.status, body, ms: performance.now() - began }
    }
    const wrong = await attempt(ADMIN.username)
    const unknown = await attempt('bob')
    expect(unknown.status).toBe(wrong.status)
    expect(unknown.body).toBe(wrong.body)
    // The same hashing was done for both: an early answer would be a hundred times faster, not merely somewhat.
    expect(unknown.ms).toBeGreaterThan(wrong.ms / 10)
  })

  test('[ABUSE-34] a set-up link works once', async () => {
    const answer = await createBrowser(running.url).post('/setup', { token, username: 'eve', password: 'a password of eve' })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.headers.getSetCookie().filter((line) => line.includes('session'))).toEqual([])
    expect((await createBrowser(running.url).post('/login', { username: 'eve', password: 'a password of eve' })).status).toBe(401)
  })

  test('[ABUSE-36] a next that leads elsewhere leads to the start page', async () => {
    const hostile = [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '%2f%2fevil.example',
      '/%2fevil.example',
      '/%5cevil.example',
      '\\\\evil',
      '/\t/evil.example',
      'javascript:alert(1)',
    ]
    for (const next of hostile) {
      const answer = await createBrowser(running.url).post('/login', { ...ADMIN, next })
      expect([next, answer.status, answer.headers.get('location')]).toEqual([next, 303, '/'])
    }
    expect((await createBrowser(running.url).post('/login', { ...ADMIN, next: '/profiles?x=1' })).headers.get('location')).toBe(
      '/profiles?x=1',
    )
  })
})

describe('the front', () => {
  test('[ABUSE-37] a foreign or short Host is 421, a malformed or doubled one 400', async () => {
    const get = (hosts: string[]) =>
      raw(`GET /profiles HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join('')}Connection: close\r\n\r\n`)
    for (const host of ['evil.example', 'x', 'localhost.evil.example']) expect([host, statusOf(await get([host]))]).toEqual([host, 421])
    for (const hosts of [['local host'], ['localhost@evil'], ['localhost/../x'], ['localhost:99999'], [''], ['localhost', 'evil.example']])
      expect([hosts, statusOf(await get(hosts))]).toEqual([hosts, 400])
  })

  test('[ABUSE-38] X-Forwarded-* of a peer that is not trusted changes nothing', async () => {
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' }
    const answer = await createBrowser(running.url).get('/.well-known/oauth-authorization-server', forged)
    expect(((await answer.json()) as { issuer: string }).issuer).toBe(running.url)
    const login = await createBrowser(running.url).post('/login', ADMIN, forged)
    expect(login.headers.getSetCookie().join()).not.toContain('__Host-')
  })
})

describe('roles', () => {
  test("[ABUSE-42] a member gets 403 on an administrator's routes, and 404 with ids of others", async () => {
    const added = await admin.post('/admin/users', { username: 'mia', role: 'member', password: 'a password of mia' })
    expect(added.status).toBeLessThan(400)
    const mia = createBrowser(running.url)
    expect((await mia.post('/login', { username: 'mia', password: 'a password of mia' })).status).toBe(303)
    expect((await mia.get('/admin')).status).toBe(403)
    expect((await mia.post('/admin/users', { username: 'eve', role: 'admin', password: 'a password of eve' })).status).toBe(403)
    await admin.post('/profiles', { title: 'Secret plans' })
    const profile = /\/profiles\/(prf_\w+)/.exec(await (await admin.get('/profiles')).text())?.[1] ?? ''
    expect(profile).toStartWith('prf_')
    const foreign = await mia.get(`/profiles/${profile}`)
    expect(foreign.status).toBe(404)
    expect(await foreign.text()).not.toContain('Secret plans')
    expect((await mia.post(`/profiles/${profile}/delete`, {})).status).toBe(404)
    expect((await admin.get(`/profiles/${profile}`)).status).toBe(200)
  })
})

describe('guessing', () => {
  test('[ABUSE-32] guesses are slowed for the account, and the browser its owner used before stays free', async () => {
    const known = createBrowser(running.url)
    await known.post('/login', ADMIN)
    await known.post('/logout', {})
    const stranger = createBrowser(running.url)
    const statuses: number[] = []
    for (let i = 0; i < 14; i++)
      statuses.push((await stranger.post('/login', { username: ADMIN.username, password: `guess ${i} of many` })).status)
    expect(statuses[0]).toBe(401)
    expect(statuses.at(-1)).toBe(429)
    expect((await stranger.post('/login', ADMIN)).status).toBe(429)
    expect((await known.post('/login', ADMIN)).status).toBe(303)
  })
})
