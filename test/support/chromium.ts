import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { ADMIN } from './running.ts'

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** By the form of the login page, as the administrator that `setUp` made. */
export async function enter(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/login`)
  await page.fill('[name=username]', ADMIN.username)
  await page.fill('[name=password]', ADMIN.password)
  await page.click('main form button[type=submit]')
  await page.waitForURL(`${url}/`)
}

/** Debian's Chromium with an empty profile, and how to end it. */
export async function startChromium({ scripts = true } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'toolpass-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: ARGS,
    javaScriptEnabled: scripts,
  })
  const page = context.pages()[0] ?? (await context.newPage())
  const complaints: string[] = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  return {
    context,
    page,
    /** What the browser had against the page, as on its console. */
    complaints,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}
