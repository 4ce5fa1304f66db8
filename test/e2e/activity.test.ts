/** The activity pages in a real browser: rows that come while somebody reads, filters by hand, charts without a complaint. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { NewRow } from '@/audit'
import { newClientId, newToolId } from '@/lib/ids.ts'
import { enter, startChromium } from '../support/chromium.ts'
import { openInside } from '../support/house-inside.ts'

let rooms: Awaited<ReturnType<typeof openInside>>
let chromium: Awaited<ReturnType<typeof startChromium>>
const [tool, client] = [newToolId(), newClientId()]

const write = async (count: number, more: Partial<NewRow> = {}) => {
  const { id, username } = rooms.admin
  const row: NewRow = {
    ...{ kind: 'call', action: 'tools/call', outcome: 'ok', subject: 'echo', durationUs: 3_000, upstreamUs: 2_000, toolId: tool },
    ...{ userId: id, userName: username, clientId: client, clientName: 'Probe', profileName: 'Work' },
  }
  for (let at = 0; at < count; at += 1) rooms.house.audit.write({ ...row, subject: `echo_${at}`, ...more }, false)
  await rooms.house.audit.flush()
}

beforeAll(async () => {
  rooms = await openInside('activity')
  await write(140)
  chromium = await startChromium()
  chromium.page.setDefaultTimeout(15_000)
  await enter(chromium.page, rooms.running.url)
}, 60_000)
afterAll(async () => {
  await chromium.close()
  await rooms.close()
})

test('[ACTIVITY-LIVE] a new row comes in at the top by itself, while focus and place stay where the reader left them', async () => {
  const { page } = chromium
  await page.goto(`${rooms.running.url}/activity`)
  const twentieth = page.locator('#activity-rows tbody tr').nth(20).locator('a').first()
  const href = await twentieth.getAttribute('href')
  await twentieth.focus()
  const before = (await twentieth.boundingBox())?.y ?? 0
  await write(1, { subject: 'came_in' })
  await page.waitForSelector('#activity-rows tbody tr:first-child :text("came_in")')
  expect(await page.evaluate(() => document.activeElement?.getAttribute('href'))).toBe(href)
  const after = (await page.locator(`#activity-rows a[href="${href}"]`).first().boundingBox())?.y ?? 0
  // One row further down at most; the page has not jumped.
  expect(Math.abs(after - before)).toBeLessThan(80)
})

test('[ACTIVITY-LIVE] a page that is paused stays as it is', async () => {
  const { page } = chromium
  await page.goto(`${rooms.running.url}/activity`)
  await page.click('text=Pause')
  await page.waitForSelector('text=paused')
  await write(1, { subject: 'not_shown' })
  await page.waitForTimeout(2_600)
  expect(await page.textContent('#activity-rows')).not.toContain('not_shown')
  await page.click('text=Go on')
  await page.waitForSelector('text=not_shown')
})

test('[ACTIVITY-FILTER] filters are chosen by hand, and a chip takes one off', async () => {
  const { page } = chromium
  await write(1, { subject: 'turned_away', outcome: 'refused', reason: 'tool_not_granted' })
  await page.goto(`${rooms.running.url}/activity`)
  await page.selectOption('[name=outcome]', 'refused')
  await page.click('main form button[type=submit]')
  await page.waitForURL(/outcome=refused/)
  expect(await page.locator('#activity-rows tbody tr').count()).toBe(1)
  await page.click('.chip-link')
  await page.waitForFunction(() => !location.search.includes('refused'))
  expect(await page.locator('#activity-rows tbody tr').count()).toBe(50)
})

test('[USAGE-COUNTS] charts are drawn at either width, in either scheme, within the page and without a complaint', async () => {
  const { page } = chromium
  for (const [width, colorScheme] of [
    [1280, 'light'],
    [390, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 844 })
    await page.emulateMedia({ colorScheme })
    for (const path of ['/activity/usage?range=day', '/activity/usage?range=year', '/activity/digest', '/activity/3']) {
      await page.goto(rooms.running.url + path)
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect([path, width, Math.max(0, over)]).toEqual([path, width, 0])
    }
  }
  expect(chromium.complaints).toEqual([])
})
