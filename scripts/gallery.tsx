/**
 * Every page with made-up data, as pictures: `bun scripts/gallery.tsx [folder] [part of a name]` (default /tmp/gallery),
 * or to click through: `bun scripts/gallery.tsx serve`.
 * Serves them on loopback with the real files and the real content security policy, takes each at 1280 and 390 px, light
 * and dark, and says where a page scrolls sideways or the browser complains. Hostile text is among the data on purpose.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import type { Html } from '@views/jsx-runtime'
import { settingsFromText } from '@views/settings-form.tsx'
import { doorPages, innerPages } from './gallery/pages.tsx'
import { edit, httpForm } from './gallery/samples.ts'

const FILES: Record<string, readonly [path: string, type: string]> = {
  '/assets/toolpass.css': ['views/assets/toolpass.css', 'text/css'],
  '/assets/toolpass.js': ['views/assets/toolpass.js', 'text/javascript'],
  '/settings/notices/worker.js': ['views/assets/push-worker.js', 'text/javascript'],
  '/assets/favicon.svg': ['views/assets/favicon.svg', 'image/svg+xml'],
  '/assets/htmx.js': ['node_modules/htmx.org/dist/htmx.min.js', 'text/javascript'],
}
const POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

const serve = (pages: Record<string, Html>) =>
  Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const path = new URL(request.url).pathname
      const file = FILES[path]
      if (file) return new Response(readFileSync(join(import.meta.dir, '..', file[0])), { headers: { 'content-type': file[1] } })
      const page = pages[path.slice(1)]
      // What the pages poll for: "nothing new", which htmx leaves alone.
      if (!page) return new Response(null, { status: 204 })
      return new Response(`<!doctype html>${page.text()}`, {
        headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
      })
    },
  })

async function photograph(browser: Browser, origin: string, names: readonly string[], folder: string): Promise<string[]> {
  const complaints: string[] = []
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const)
    for (const scheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' })
      const page = await context.newPage()
      for (const name of names) {
        const where = `${name} ${width} ${scheme}`
        const complain = (text: string) => complaints.push(`${where}: ${text}`)
        page
          .removeAllListeners('console')
          .on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.text()))
        await page.goto(`${origin}/${name}`)
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        if (over > 0) complain(`scrolls sideways by ${over} px`)
        await page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true })
      }
      await context.close()
    }
  return complaints
}

// The pair must agree: what a form shows is what it sends back.
const sentBack = settingsFromText(httpForm, edit.saved)
if (sentBack['url'] !== 'https://mcp.linear.app/mcp' || sentBack['retries'] !== 3 || sentBack['legacy'] !== true)
  throw new Error('settings do not survive the form')

const LAUNCH = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

async function takePictures(origin: string, names: readonly string[], folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: LAUNCH })
  try {
    const complaints = await photograph(browser, origin, names, folder)
    console.log(complaints.length === 0 ? `${names.length} pages in ${folder}, no complaint` : complaints.join('\n'))
  } finally {
    await browser.close()
  }
}

const pages = { ...doorPages, ...innerPages }
const [folder = '/tmp/gallery', part = ''] = process.argv.slice(2)
const server = serve(pages)
const names = Object.keys(pages).filter((name) => name.includes(part))
if (folder === 'serve') console.log(names.map((name) => new URL(name, server.url).href).join('\n'))
else {
  await takePictures(server.url.origin, names, folder)
  await server.stop(true)
}
