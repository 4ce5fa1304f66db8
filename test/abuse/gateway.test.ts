/** The MCP endpoint, attacked from outside: ABUSE rows 16, 17, 19, 39, 46, 47, 58, against a running Toolpass. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn, type Tokens } from '../support/journey.ts'
import { createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

let running: Running
let ada: Person
let tokens: Tokens
let granted: string[]
const upstream = startModernUpstream()

const toolsOf = async (profile: string, token: string) => {
  const { result } = await readMcp(await callMcp(running, profile, token, 'tools/list'))
  return ((result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
}

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  await addHttpConnection(ada, 'Modern', upstream.url)
  await makeProfile(ada, 'Work', 4)
  await makeProfile(ada, 'Home', 4)
  tokens = await connectApp(running, ada, { profile: 'work', toolIds: (all) => all.slice(0, 2) })
  granted = await toolsOf('work', tokens.access_token)
})
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
})

test('[ABUSE-16] a token of one profile is invalid_token at another', async () => {
  const answer = await callMcp(running, 'home', tokens.access_token, 'tools/list')
  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
})

test('[ABUSE-17] a tool that is not granted is not listed, refused like a missing one, and recorded', async () => {
  const all = await toolsOf('work', (await connectApp(running, ada, { profile: 'work' })).access_token)
  expect(granted.length).toBe(2)
  const hidden = all.find((name) => !granted.includes(name)) ?? ''
  const refused = await readMcp(await callMcp(running, 'work', tokens.access_token, 'tools/call', { name: hidden, arguments: {} }))
  const missing = await readMcp(await callMcp(running, 'work', tokens.access_token, 'tools/call', { name: 'no_such_tool', arguments: {} }))
  expect(refused.error?.code).toBe(-32602)
  expect(JSON.stringify(refused).replaceAll(hidden, 'NAME')).toBe(JSON.stringify(missing).replaceAll('no_such_tool', 'NAME'))
  expect(upstream.seen.some(({ body }) => body.includes('tools/call'))).toBe(false)
  await Bun.sleep(100)
  const { html } = await ada.open('/activity?outcome=refused')
  expect(html).toContain(hidden)
})

test('[ABUSE-19] nothing but an access token of ours, in the header, opens the endpoint', async () => {
  const jwt = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"ada"}')}.`
  for (const bearer of [tokens.refresh_token, jwt, 'tpa_', '', 'x'.repeat(5_000)]) {
    const answer = await callMcp(running, 'work', bearer, 'tools/list')
    expect([bearer.slice(0, 12), answer.status]).toEqual([bearer.slice(0, 12), 401])
  }
  const browser = createBrowser(running.url)
  await browser.post('/login', { username: 'ada', password: 'correct horse battery' })
  expect((await callMcp(running, 'work', browser.jar.get('toolpass_session') ?? '', 'tools/list')).status).toBe(401)
  const inQuery = await fetch(`${running.url}/mcp/work?access_token=${tokens.access_token}`, { method: 'POST', body: '{}' })
  expect(inQuery.status).toBe(401)
  expect(inQuery.headers.get('www-authenticate')).not.toContain('error=')
})

test('[ABUSE-39] a foreign Origin is 403, a foreign Host 421', async () => {
  expect((await callMcp(running, 'work', tokens.access_token, 'tools/list', {}, { origin: 'https://evil.example' })).status).toBe(403)
  expect((await callMcp(running, 'work', tokens.access_token, 'tools/list', {}, { host: 'evil.example' })).status).toBe(421)
  expect((await callMcp(running, 'work', tokens.access_token, 'tools/list', {}, { origin: running.url })).status).toBe(200)
})

test("[ABUSE-46] no upstream ever sees a client's token", async () => {
  const called = await callMcp(running, 'work', tokens.access_token, 'tools/call', { name: granted[0], arguments: { message: 'hi' } })
  expect((await readMcp(called)).result).toBeDefined()
  expect(upstream.seen.some(({ body }) => body.includes('tools/call'))).toBe(true)
  expect(JSON.stringify(upstream.seen)).not.toContain(tokens.access_token)
  expect(JSON.stringify(upstream.seen)).not.toContain('tpa_')
})

test('[ABUSE-47] a member may not make a stdio connection', async () => {
  const admin = createBrowser(running.url)
  await admin.post('/login', { username: 'ada', password: 'correct horse battery' })
  await admin.post('/admin/users', { username: 'mia', role: 'member', password: 'a password of mia' })
  const mia = createBrowser(running.url)
  await mia.post('/login', { username: 'mia', password: 'a password of mia' })
  const form = { connector: 'stdio', name: 'Shell', visibility: 'private', 'settings.command': 'sh', 'settings.args': '-c\ntrue' }
  expect((await mia.post('/connections', form)).status).toBe(403)
  expect(await (await mia.get('/connections/new')).text()).not.toContain('settings.command')
})

test('[ABUSE-58] kill -9 loses nothing that was acknowledged', async () => {
  const before = await toolsOf('work', tokens.access_token)
  const called = await callMcp(running, 'work', tokens.access_token, 'tools/call', {
    name: granted[0],
    arguments: { message: 'the last words' },
  })
  expect(called.status).toBe(200)
  await called.text()
  const rows = (html: string) => [...html.matchAll(/href="\/activity\/(\d+)"/g)].map(([, seq]) => Number(seq))
  const lastRow = Math.max(...rows((await ada.open('/activity')).html))
  await running.stop('SIGKILL')
  running = await startToolpass({ dataDir: running.dataDir, port: running.port })
  expect(await toolsOf('work', tokens.access_token)).toEqual(before)
  const after = await ada.open('/activity')
  expect(after.status).toBe(200)
  expect(Math.max(...rows(after.html))).toBeGreaterThanOrEqual(lastRow)
})
