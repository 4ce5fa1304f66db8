/** Deciding about a call in a real browser on a phone's screen, and a notice that arrives in it, against the compiled executable. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { enter, startChromium } from '../support/chromium.ts'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, readMcp, signedIn } from '../support/journey.ts'
import { startNtfy } from '../support/receivers.ts'
import { freePort, type Running, setUp, startToolpass } from '../support/running.ts'

const upstream = startEchoUpstream('modern', ({ id }) =>
  json(answerText(id, { resultType: 'complete', content: [{ type: 'text', text: 'ran' }] })),
)
const ntfy = startNtfy()
let running: Running
let chromium: Awaited<ReturnType<typeof startChromium>>
let page: Page
let token = ''

beforeAll(async () => {
  const port = await freePort()
  running = await startToolpass({ compiled: true, port })
  await setUp(running)
  const person = await signedIn(running)
  await addHttpConnection(person, 'Echo', upstream.url)
  await makeProfile(person, 'Work', 1)
  token = (await connectApp(running, person, { profile: 'work' })).access_token
  await running.stop()
  const file = new Database(join(running.dataDir, 'toolpass.db'))
  file.run("UPDATE grant_tools SET permission = 'ask'")
  file.close()
  running = await startToolpass({ compiled: true, port, dataDir: running.dataDir })
  chromium = await startChromium()
  page = chromium.page
  await page.setViewportSize({ width: 390, height: 844 })
  await enter(page, running.url)
}, 120_000)
afterAll(async () => {
  await chromium.close()
  await running.stop()
  await Promise.all([upstream.stop(), ntfy.stop()])
  running.remove()
})

const call = async (account: string) => {
  const { result } = await readMcp(await callMcp(running, 'work', token, 'tools/call', { name: 'echo', arguments: { account } }))
  return (result?.['content'] as { text: string }[] | undefined)?.[0]?.text
}

test('[NOTICE-WAYS] a phone is added by a form, tried at once, and told of a call that waits', async () => {
  await page.goto(`${running.url}/settings#notices`)
  // A topic that nobody guesses is there already.
  expect(await page.inputValue('form[action="/settings/notices/ntfy"] [name=topic]')).toMatch(/^toolpass-[0-9a-z]{12}$/)
  await page.fill('form[action="/settings/notices/ntfy"] [name=server]', `http://127.0.0.1:${ntfy.port}`)
  await page.click('form[action="/settings/notices/ntfy"] button')
  await page.waitForSelector('text=A test went to My phone.')
  const served = call('told')
  for (let tries = 0; tries < 100 && ntfy.received.length < 2; tries += 1) await Bun.sleep(50)
  const [tried, told] = ntfy.received
  expect([tried?.title, told?.title]).toEqual(['Toolpass can reach you', 'journey waits for you'])
  await page.goto(told?.link ?? '')
  await page.click('.decide button[value=once]')
  expect(await served).toBe('ran')
  await page.waitForSelector('#decision >> text=from a notice')
  await page.goto(`${running.url}/settings`)
  await page.click('.way summary:has-text("Remove")')
  await page.click('.way .confirm-panel button:has-text("Remove My phone")')
  await page.waitForSelector('text=You are told on these pages alone')
}, 60_000)

test('[APPROVAL-WAITS] a call appears on the page by itself, is decided with the keyboard alone, and runs at once', async () => {
  await page.goto(`${running.url}/approvals`)
  expect(await page.textContent('#approvals')).toContain('Nothing waits for you')
  const served = call('first')
  await page.waitForSelector('#approvals >> text=Look and decide')
  await page.waitForSelector('.topbar .nav-count:not([hidden])', { timeout: 12_000 })
  await page.locator('a.button', { hasText: 'Look and decide' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/approvals\/apr_/)
  expect(await page.textContent('.arguments-shown')).toContain('"account": "first"')
  const [once] = await page.locator('.decide button').all()
  // Large enough to hit with a thumb, and all four alike.
  const boxes = await page
    .locator('.decide button')
    .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().height))
  expect(boxes.length).toBe(4)
  expect(Math.min(...boxes)).toBeGreaterThanOrEqual(44)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await once?.focus()
  await page.keyboard.press('Enter')
  expect(await served).toBe('ran')
  await page.waitForSelector('#decision >> text=It ran.')
}, 60_000)

test('[APPROVAL-WORDS] refused in one browser, the page in another one says so by itself', async () => {
  const served = call('second')
  await page.goto(`${running.url}/approvals`)
  await page.click('text=Look and decide')
  await page.waitForURL(/\/approvals\/apr_/)
  const other = await chromium.context.newPage()
  await other.goto(page.url())
  await other.click('.decide button[value=refuse]')
  await page.waitForSelector('#decision >> text=Refused')
  expect(await served).toContain('The user refused this call')
  await other.close()
}, 60_000)

test('[APPROVAL-WORDS] without JavaScript the same forms do', async () => {
  const plain = await startChromium({ scripts: false })
  try {
    await enter(plain.page, running.url)
    const served = call('third')
    let found = false
    for (let tries = 0; tries < 40 && !found; tries += 1) {
      await plain.page.goto(`${running.url}/approvals`)
      found = (await plain.page.locator('text=Look and decide').count()) > 0
    }
    await plain.page.click('text=Look and decide')
    await plain.page.click('.decide button[value=once]')
    expect(await served).toBe('ran')
  } finally {
    await plain.close()
  }
}, 60_000)

test('[NOTICE-WAYS] a browser shows what is pushed to it, and one that cannot subscribe says why', async () => {
  const origin = running.url
  await chromium.context.grantPermissions(['notifications'], { origin })
  await page.goto(`${origin}/settings`)
  const scope = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.register('/settings/notices/worker.js')
    await new Promise((resolve) => setTimeout(resolve, 500))
    return registration.scope
  })
  // It stands between no page and the network.
  expect(scope).toBe(`${origin}/settings/notices/`)
  const devtools = await chromium.context.newCDPSession(page)
  const registered = Promise.withResolvers<string>()
  devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    if (registrations[0]) registered.resolve(registrations[0].registrationId)
  })
  await devtools.send('ServiceWorker.enable')
  const registrationId = await registered.promise
  const data = JSON.stringify({
    id: 'msg_1',
    topic: 'approvals',
    title: 'Claude waits for you',
    text: 'It wants echo.',
    link: `${origin}/approvals/apr_x`,
  })
  await devtools.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
  await page.waitForFunction(
    async () => ((await (await navigator.serviceWorker.getRegistration('/settings/notices/'))?.getNotifications()) ?? []).length > 0,
  )
  const shown = await page.evaluate(async () =>
    ((await (await navigator.serviceWorker.getRegistration('/settings/notices/'))?.getNotifications()) ?? []).map(
      ({ title, body, data: kept }) => ({ title, body, link: kept.link }),
    ),
  )
  expect(shown).toEqual([{ title: 'Claude waits for you', body: 'It wants echo.', link: `${origin}/approvals/apr_x` }])
  // There is no push service within reach of a test.
  await page.click('label:has-text("This browser")')
  await page.click('form[data-push] button')
  await page.waitForSelector('[data-push-problem]:not([hidden])')
  expect((await page.textContent('[data-push-problem]'))?.length).toBeGreaterThan(20)
}, 60_000)
