/**
 * The main job against the compiled executable on an empty data folder: set up, connect real servers, make a profile, let
 * real clients in through a real browser, see their calls, take the access away, restart.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { addConnectionByHand, consentByHand } from '../support/by-hand.ts'
import { startChromium } from '../support/chromium.ts'
import { createRealClient, type RealClient } from '../support/real-clients.ts'
import { ADMIN, type Running, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

let running: Running
let chromium: Awaited<ReturnType<typeof startChromium>>
let page: Page
let profileAddress = ''
const clients: Partial<Record<'v1' | 'v2', RealClient>> = {}
const shared = mkdtempSync(join(tmpdir(), 'toolpass-shared-'))
const upstream = startModernUpstream()

beforeAll(async () => {
  writeFileSync(join(shared, 'hello.txt'), 'hello from a shared folder')
  running = await startToolpass({ compiled: true })
  chromium = await startChromium()
  page = chromium.page
  page.setDefaultTimeout(30_000)
})
afterAll(async () => {
  await chromium.close()
  await running.stop()
  await upstream.stop()
  running.remove()
  rmSync(shared, { recursive: true, force: true })
})

const addConnection = (name: string, connector: string, settings: Record<string, string>) =>
  addConnectionByHand(page, running, { name, connector, settings })
const consent = (url: URL) => consentByHand(page, url, (said) => expect(said).toContain('127.0.0.1'))

test('[HOUSE-EXECUTABLE] in an empty folder the set-up link makes the administrator', async () => {
  await page.goto(`${running.url}/setup?token=${running.setupToken()}`)
  await page.fill('[name=username]', ADMIN.username)
  await page.fill('[name=password]', ADMIN.password)
  await page.click('main form button[type=submit]')
  await page.waitForURL(`${running.url}/`)
})

test('three real servers are connected: two programs from the npm registry, one over HTTP', async () => {
  await addConnection('Everything', 'stdio', { command: 'npx', args: '-y\n@modelcontextprotocol/server-everything' })
  await page.goto(page.url())
  expect(await page.textContent('main')).not.toContain('unnamed')
  await addConnection('Files', 'stdio', { command: 'npx', args: `-y\n@modelcontextprotocol/server-filesystem\n${shared}` })
  await addConnection('Modern', 'streamable-http', { url: upstream.url })
})

test('a profile bundles their tools', async () => {
  await page.goto(`${running.url}/profiles`)
  await page.fill('[name=title]', 'Work')
  await page.click('form[action="/profiles"] button[type=submit]')
  await page.waitForURL(/\/profiles\/prf_/)
  profileAddress = page.url()
  // What only reads is proposed, the rest is the user's to tick.
  expect(await page.locator('#profile-tools input[name=tool_id]:checked').count()).toBeGreaterThan(3)
  // Long lists of prompts and resources are folded.
  await page.locator('#profile-tools details').evaluateAll((folds) => folds.forEach((fold) => void fold.setAttribute('open', '')))
  for (const box of await page.locator('#profile-tools input[name=tool_id]').all()) await box.setChecked(true, { force: true })
  await page.click('#profile-tools button[type=submit]')
  await page.waitForSelector('text=Saved')
})

for (const kind of ['v2', 'v1'] as const)
  test(`the SDK ${kind} client goes from discovery to a refreshed call`, async () => {
    const client = await createRealClient(kind, `${running.url}/mcp/work`, consent)
    clients[kind] = client
    const names = await client.listTools()
    const named = (name: string) => (names.includes(name) ? name : `no tool ${name} among ${names}`)
    expect((await client.callTool(named('modern__echo'), { message: 'over HTTP' })).content[0]?.text).toBe('over HTTP')
    expect((await client.callTool(named('everything__echo'), { message: 'over stdio' })).content[0]?.text).toContain('over stdio')
    const read = await client.callTool(named('read_text_file'), { path: join(shared, 'hello.txt') })
    expect(read.content[0]?.text).toBe('hello from a shared folder')
    const before = client.memory.tokens?.refresh_token
    client.expireAccessToken()
    expect((await client.callTool(named('modern__echo'), { message: 'refreshed' })).content[0]?.text).toBe('refreshed')
    expect(client.memory.tokens?.refresh_token).not.toBe(before)
  })

test('[ABUSE-28] the browser refuses to show a consent page inside a frame', async () => {
  const asked = clients.v2?.memory.authorizationUrl?.href ?? ''
  const framing = await chromium.context.newPage()
  const site = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response(`<iframe src="${asked.replaceAll('&', '&amp;')}"></iframe>`, { headers: { 'content-type': 'text/html' } }),
  })
  try {
    // The same name as ours, so the session's cookie does go along.
    await framing.goto(`http://localhost:${site.port}/`)
    const [, frame] = framing.frames()
    expect(frame?.url()).toStartWith('chrome-error:')
    await framing.goto(asked)
    expect(await framing.textContent('main')).toContain('SDK v2 client')
  } finally {
    await framing.close()
    await site.stop(true)
  }
})

test('[HOUSE-AUDIT] the calls are rows of the activity page, and the waiting card has turned', async () => {
  await page.goto(`${running.url}/activity`)
  const rows = await page.textContent('#activity-rows')
  for (const text of ['modern__echo', 'everything__echo', 'read_text_file', 'SDK v1 client', 'SDK v2 client']) expect(rows).toContain(text)
  await page.goto(profileAddress)
  expect(await page.textContent('#waiting')).not.toContain('Waiting for the first call')
})

test('[HOUSE-RESTART] after a restart grants, sessions and clients still live', async () => {
  await running.stop('SIGKILL')
  running = await startToolpass({ compiled: true, dataDir: running.dataDir, port: running.port })
  await page.goto(`${running.url}/apps`)
  expect(await page.textContent('main')).toContain('SDK v2 client')
  for (const client of Object.values(clients)) {
    const again = await client.reconnect()
    const { tools } = await again.client.listTools()
    expect(tools.length).toBeGreaterThan(10)
    await again.client.close()
  }
})

test('[HOUSE-REVOKE] a revoked app is 401 on its next request, the other goes on', async () => {
  await page.goto(`${running.url}/apps`)
  const row = page.locator('[id^="app-grt_"]', { hasText: 'SDK v2 client' })
  await row.getByText('Revoke').first().click()
  await row.getByRole('button', { name: /^Revoke SDK/ }).click()
  await page.waitForFunction(() => /revoked/i.test(document.querySelector('main')?.textContent ?? ''))
  const ask = (client: RealClient | undefined) =>
    fetch(`${running.url}/mcp/work`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client?.memory.tokens?.access_token}` },
      body: '{}',
    })
  const refused = await ask(clients.v2)
  expect(refused.status).toBe(401)
  expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
  expect((await ask(clients.v1)).status).not.toBe(401)
})
