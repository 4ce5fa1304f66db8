/** Signing in to an upstream as a person does: a window of its own, the authorization server, and back to where they were. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { enter, startChromium } from '../support/chromium.ts'
import { type OidcUpstream, startOidcUpstream } from '../support/oidc-upstream.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

let running: Running
let upstream: OidcUpstream
let chromium: Awaited<ReturnType<typeof startChromium>>
let page: Page

beforeAll(async () => {
  upstream = await startOidcUpstream()
  running = await startToolpass({ compiled: true })
  await setUp(running)
  chromium = await startChromium()
  page = chromium.page
  page.setDefaultTimeout(20_000)
  await enter(page, running.url)
})
afterAll(async () => {
  await chromium.close()
  await running.stop()
  await upstream.stop()
  running.remove()
})

test('[UPSTREAM-OAUTH-POPUP] a pasted address is found to want a sign-in, a window opens, closes by itself, and the page has the tools', async () => {
  await page.goto(`${running.url}/connections/new?connector=streamable-http`)
  await page.fill('[name=name]', 'Guarded')
  await page.fill('[name="settings.url"]', upstream.url)
  await page.click('main form button[type=submit]')
  await page.waitForSelector('#sign-in')
  const here = page.url()
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#sign-in button:has-text("Sign in")')])
  if (!popup.isClosed()) await popup.waitForEvent('close')
  await page.waitForSelector('text=whoami')
  expect(page.url()).toBe(here)
  expect(await page.textContent('#sign-in')).toContain('Signed in')
})

test('[UPSTREAM-OAUTH-POPUP] without scripts the same tab goes there and comes back', async () => {
  const plain = await startChromium({ scripts: false })
  try {
    await plain.context.addCookies(await chromium.context.cookies())
    await plain.page.goto(page.url())
    const visited: string[] = []
    plain.page.on('framenavigated', (frame) => void visited.push(new URL(frame.url()).origin))
    await Promise.all([
      plain.page.waitForURL(/\/connections\/callback|\/connections\/con_/),
      plain.page.click('#sign-in button:has-text("Switch account")'),
    ])
    await plain.page.waitForURL(page.url())
    expect(visited.length).toBeGreaterThan(1)
    expect(await plain.page.textContent('#sign-in')).toContain('Signed in')
    expect(upstream.seen.length).toBeGreaterThan(0)
  } finally {
    await plain.close()
  }
})
