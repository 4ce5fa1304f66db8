/** What a person does at a real browser on their way to a working app. */
import type { Page } from 'playwright-core'
import { CALLBACK } from './real-clients.ts'
import type { Running } from './running.ts'

type Added = { name: string; connector?: string; settings: Readonly<Record<string, string>> }

/** Until its tools are there. @returns its page's path */
export async function addConnectionByHand(page: Page, { url }: Running, { name, connector = 'streamable-http', settings }: Added) {
  await page.goto(`${url}/connections/new?connector=${connector}`)
  await page.fill('[name=name]', name)
  for (const [key, value] of Object.entries(settings)) await page.fill(`[name="settings.${key}"]`, value)
  await page.click('main form button[type=submit]')
  await page.waitForURL(/\/connections\/con_/)
  await page.waitForSelector('text=Pick tools', { timeout: 60_000 })
  return new URL(page.url()).pathname
}

/**
 * The user's part of an authorization: looks at the consent page, allows all tools, and is sent back to the client.
 * @param look throws where the page does not say what it should
 */
export async function consentByHand(page: Page, url: URL, look: (said: string) => void): Promise<URL> {
  await page.goto(url.href)
  look((await page.textContent('main')) ?? '')
  await page.locator('.consent-fold').evaluateAll((folds) => folds.forEach((fold) => void fold.setAttribute('open', '')))
  for (const box of await page.locator('input[name=tool_id]').all()) await box.setChecked(true, { force: true })
  // By the request and not by what came of it: nobody listens at this client's address, and the browser stays at its own word about that.
  const [back] = await Promise.all([
    page.waitForRequest((request) => request.url().startsWith(CALLBACK)),
    page.waitForEvent('framenavigated', (frame) => frame === page.mainFrame()),
    page.click('button[value=allow]', { noWaitAfter: true }),
  ])
  return new URL(back.url())
}
