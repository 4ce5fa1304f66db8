/** The page of the trail in a real browser: proven while it grows, altered behind its back, sent on, and taken away. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { enter, startChromium } from '../support/chromium.ts'
import { openInside } from '../support/house-inside.ts'

let rooms: Awaited<ReturnType<typeof openInside>>
let chromium: Awaited<ReturnType<typeof startChromium>>
const got: string[] = []
const receiver = Bun.serve({
  port: 0,
  fetch: async (request) => {
    got.push(await request.text())
    return new Response('ok')
  },
})

beforeAll(async () => {
  rooms = await openInside('trail')
  const { id, username } = rooms.admin
  for (let at = 0; at < 6_000; at += 1)
    rooms.house.audit.write(
      { kind: 'call', action: 'tools/call', outcome: 'ok', subject: `tool ${at}`, userId: id, userName: username, requestBytes: 20 },
      false,
      { keeps: 'redacted', arguments: { at } },
    )
  await rooms.house.audit.flush()
  chromium = await startChromium()
  chromium.page.setDefaultTimeout(20_000)
  await enter(chromium.page, rooms.running.url)
}, 60_000)
afterAll(async () => {
  await chromium.close()
  await receiver.stop(true)
  await rooms.close()
})

test('[TRAIL-VERIFY] a click verifies it, the page says how far it is and then what came of it, by itself', async () => {
  const { page } = chromium
  await page.goto(`${rooms.running.url}/admin`)
  await page.click('nav.places a:has-text("Trail")')
  await page.click('text=Verify the trail')
  await page.waitForSelector('#proof :text("records proven")')
  expect(await page.textContent('#proof')).toMatch(/6,\d\d\d records proven/)
  expect(await page.textContent('#proof')).toContain('beside 6,000 calls')
  expect(await page.locator('#proof progress').count()).toBe(0)
}, 60_000)
test('[TRAIL-VERIFY] a row that was altered behind its back is named', async () => {
  const { page } = chromium
  const file = new Database(join(rooms.house.config.dataDir, 'toolpass.db'))
  file.run("UPDATE audit_rows SET outcome = 'refused' WHERE seq = 4321")
  await page.click('text=Verify the trail')
  await page.waitForSelector('#proof :text("not as it was written")')
  expect(await page.textContent('#proof')).toContain('Record 4,321')
  file.run("UPDATE audit_rows SET outcome = 'ok' WHERE seq = 4321")
  file.close()
  await page.click('text=Verify the trail')
  await page.waitForSelector('#proof :text("records proven")')
}, 60_000)
test('[TRAIL-FORWARD] a receiver is set up by its form, tested, paused and removed by its question', async () => {
  const { page } = chromium
  await page.click('text=Webhook')
  await page.fill('[name=name]', 'Archive')
  await page.fill('[name=url]', `http://127.0.0.1:${receiver.port}/in`)
  await page.fill('[name=secret]', 'a secret that is long enough')
  await page.click('main form button[type=submit]')
  await page.waitForSelector('td:has-text("Archive")')
  await page.click('text=Send a test')
  await page.waitForSelector('text=The test was taken.')
  expect(JSON.parse(got[0] ?? '')).toMatchObject({ action: 'forwarder.test', subject: 'Archive' })
  await page.click('td button:has-text("Pause")')
  await page.waitForSelector('td:has-text("Paused")')
  await page.click('summary:has-text("Remove")')
  await page.click('button:has-text("Remove Archive")')
  await page.waitForSelector('text=The trail stays here')
}, 60_000)
test('[TRAIL-EXPORT] rows are taken away from the activity page as they are filtered there', async () => {
  const { page } = chromium
  await page.goto(`${rooms.running.url}/activity?kind=acts`)
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('a:has-text("CSV")')])
  expect(download.suggestedFilename()).toMatch(/^toolpass-activity-\d{4}-\d\d-\d\d\.csv$/)
  const csv = readFileSync((await download.path()) ?? '', 'utf8')
  expect(csv.split('\r\n')[0]).toMatch(/^seq,time,kind,/)
  expect(csv).toContain('forwarder.remove')
  expect(csv).not.toContain('tools/call')
}, 60_000)
test('no page of these made the browser complain', () => expect(chromium.complaints).toEqual([]))
