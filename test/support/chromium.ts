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
  return {
    context,
    page: context.pages()[0] ?? (await context.newPage()),
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}
