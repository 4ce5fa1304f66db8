/** The page of the trail and what is taken away from it, as a browser and a spreadsheet meet them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { NewRow } from '@/audit'
import type { UserId } from '@/lib/ids.ts'
import { cellOf } from '@/web/export.ts'
import { openInside } from '../support/house-inside.ts'
import { type Person, signedIn } from '../support/journey.ts'
import { ADMIN } from '../support/running.ts'
import { eventually } from '../support/outside.ts'

let inside: Awaited<ReturnType<typeof openInside>>
let admin: Person
let member: Person
let bea: UserId
const PASSWORD = 'correct horse battery'

beforeAll(async () => {
  inside = await openInside('trail')
  bea = (await inside.house.users.create('command line', { username: 'bea', password: PASSWORD, role: 'member' })).id
  admin = await signedIn(inside.running, ADMIN)
  member = await signedIn(inside.running, { username: 'bea', password: PASSWORD })
})
afterAll(() => inside.close())

const call = (subject: string, userId: UserId, userName: string, more: Partial<NewRow> = {}): NewRow => ({
  ...{ kind: 'call', action: 'tools/call', outcome: 'ok', subject, userId, userName, requestBytes: 20, durationUs: 5 },
  ...more,
})

/** The page that comes back with 422. */
async function refusal(path: string, fields: Record<string, string>): Promise<string> {
  const answer = await fetch(inside.running.url + path, { method: 'POST', headers: admin.headers(), body: new URLSearchParams(fields) })
  expect(answer.status).toBe(422)
  return answer.text()
}
const exported = async (person: Person, query: string) => (await person.open(`/activity/export?${query}`)).html
const jsonOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('the page of the trail', () => {
  test('is for administrators', async () => {
    expect((await member.open('/admin/trail')).status).toBe(403)
    expect((await admin.open('/admin/trail')).status).toBe(200)
  })
  test('tells changes in words, with the app and what was met, and says that there is little rather than nothing', async () => {
    await inside.house.audit.report({
      ...{ kind: 'admin', action: 'approval.ask', outcome: 'ok', userId: bea, userName: 'bea', clientName: 'Loop', subject: 'wipe' },
    })
    const { html } = await admin.open('/admin/trail')
    expect(html).toMatch(/Approval asked for[\s\S]{0,120}<bdi>Loop<\/bdi>, <bdi>wipe<\/bdi>/)
    expect(html).toContain('less than 0.1 MB')
  })

  test('[TRAIL-VERIFY] verifies the trail at a click and says what came of it', async () => {
    const page = await admin.open('/admin/trail')
    expect(page.html).toContain('Not verified since')
    await admin.submit(page, '/admin/trail/verify', {})
    expect(await eventually(async () => /\d+ records? proven/.test((await admin.open('/admin/trail')).html))).toBe(true)
    expect((await admin.open('/admin/trail')).html).toContain('Trail verified')
  })
  test('[TRAIL-RETENTION] takes a policy, refuses one that is none at its field, and shows both', async () => {
    expect(await refusal('/admin/trail/policy', { days: '0', megabytes: '' })).toContain('Use a whole number from 1')
    const saved = await admin.submit(await admin.open('/admin/trail'), '/admin/trail/policy', { days: '365', megabytes: '5000' })
    expect(saved.html).toMatch(/name="days"[^>]*value="365"/)
    expect(await inside.house.audit.retention.policy()).toEqual({ keepDays: 365, keepMegabytes: 5_000 })
  })
  test('[TRAIL-FORWARD] sets a receiver up, tests, pauses and removes it', async () => {
    const got: string[] = []
    const server = Bun.serve({ port: 0, fetch: async (request) => (got.push(await request.text()), new Response('ok')) })
    const form = await admin.open('/admin/trail/forwarders/new?kind=webhook')
    const url = `http://127.0.0.1:${server.port}/hidden-path-77`
    expect(await refusal('/admin/trail/forwarders', { kind: 'webhook', name: 'Archive', url, secret: 'short' })).toContain(
      'Use at least 16',
    )
    const added = await admin.submit(form, '/admin/trail/forwarders', { name: 'Archive', url, secret: 'long enough to sign' })
    expect(added.html).toContain(`127.0.0.1:${server.port}`)
    expect(added.html).not.toMatch(/hidden-path-77|long enough to sign/)
    const id = /forwarders\/(fwd_\w+)\/test/.exec(added.html)?.[1] ?? ''
    expect((await admin.submit(added, `/admin/trail/forwarders/${id}/test`, {})).html).toContain('The test was taken.')
    expect(got).toHaveLength(1)
    expect((await admin.submit(added, `/admin/trail/forwarders/${id}/pause`, {})).html).toContain('Paused')
    expect((await admin.submit(added, `/admin/trail/forwarders/${id}/remove`, {})).html).toContain('The trail stays here')
    await server.stop(true)
  })
})

describe('[TRAIL-EXPORT] what is taken away', () => {
  beforeAll(async () => {
    const { audit, users } = inside.house
    const ada = (await users.list()).find(({ role }) => role === 'admin')
    const contents = (text: string) => ({ keeps: 'redacted' as const, arguments: { text } })
    audit.write(
      call('=HYPERLINK("http://evil.example")', bea, 'bea', { purpose: '+1 & -1', clientName: '@SUM(A1)', reason: '\t=1' }),
      false,
      contents('of-bea'),
    )
    audit.write(call('mine', ada?.id as UserId, 'ada'), false, contents('of-ada'))
    for (let at = 0; at < 1_000; at += 1) audit.write(call(`bulk ${at}`, bea, 'bea'), false)
    await audit.flush()
  })
  test("is what the filters of the page find: everybody's for an administrator, one's own for a member", async () => {
    const all = jsonOf(await exported(admin, 'format=jsonl'))
    expect(all).toHaveLength(1_002)
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(1_002)
    expect(all[0]).toMatchObject({ subject: 'bulk 999', kind: 'call', userName: 'bea', chain: expect.stringMatching(/^3:/) })
    const own = jsonOf(await exported(member, 'format=jsonl'))
    expect(own).toHaveLength(1_001)
    expect(own.every(({ userId }) => userId === bea)).toBe(true)
    expect(jsonOf(await exported(admin, 'format=jsonl&q=mine')).map(({ subject }) => subject)).toEqual(['mine'])
    expect(jsonOf(await exported(member, 'format=jsonl&kind=sign-ins')).every(({ kind }) => kind === 'auth')).toBe(true)
  })
  test("has contents only of one's own calls, and only where they were asked for", async () => {
    expect(await exported(member, 'format=jsonl')).not.toContain('of-bea')
    expect(await exported(member, 'format=jsonl&contents=on')).toContain('of-bea')
    for (const format of ['csv', 'jsonl']) {
      const text = await exported(admin, `format=${format}&contents=on`)
      expect(text).toContain('of-ada')
      expect(text).not.toContain('of-bea')
    }
  })
  test('[ABUSE-54] is CSV in which no cell is a formula', async () => {
    const csv = await exported(member, 'format=csv')
    expect(csv.split('\r\n')).toHaveLength(1_003)
    expect(csv.split('\r\n')[0]).toMatch(/^seq,time,kind,action,/)
    const line = csv.split('\r\n').find((each) => each.includes('HYPERLINK')) ?? ''
    for (const cell of [`"'=HYPERLINK(""http://evil.example"")"`, "'+1 & -1", "'@SUM(A1)", "'\t=1"]) expect(line).toContain(cell)
    for (const hostile of ['=1', '+1', '-1', '@x', '\t=1', '\r=1', '\n=1', ' =1', '\uFEFF=1', '＝1', '|cmd', '%x'])
      expect(cellOf(hostile).replace(/^"/, '')).toStartWith("'")
    for (const plain of ['a=1', 'tools/call', '', 'käse']) expect(cellOf(plain)).toBe(plain)
    expect(cellOf(-5)).toBe('-5')
  })
  test('is itself recorded, with what was asked for', async () => {
    await exported(member, 'format=csv&contents=on&outcome=ok')
    const [row] = await inside.house.audit.list({ kind: 'admin', userId: bea, limit: 1 })
    expect(row).toMatchObject({
      action: 'audit.export',
      userName: 'bea',
      detail: { format: 'csv', contents: 'own calls', filters: { outcome: 'ok' } },
    })
  })
  test('is read no faster than it is taken', async () => {
    const { audit } = inside.house
    for (let at = 0; at < 30_000; at += 1) audit.write(call(`bulk ${at} ${'x'.repeat(400)}`, bea, 'bea'), false)
    await audit.flush()
    const page = audit.page
    let pages = 0
    audit.page = (filter) => {
      pages += 1
      return page(filter)
    }
    const taken = await takenSlowly('/activity/export?format=jsonl', member)
    try {
      // At rest once nothing more was read for a while: what lies in the system's buffers, whose size is not ours to know.
      let atRest = -1
      while (atRest !== pages) {
        atRest = pages
        await Bun.sleep(500)
      }
      expect(atRest).toBeGreaterThan(0)
      expect(atRest).toBeLessThan(140)
      expect(await taken.rest()).toBeGreaterThan(12_000_000)
      expect(pages).toBeGreaterThan(150)
    } finally {
      taken.close()
      audit.page = page
    }
  })
})

/** A request whose answer is taken from the connection up to its first piece, and on only when `rest` asks for it. */
async function takenSlowly(path: string, person: Person) {
  const { hostname, port } = new URL(inside.running.url)
  const socket = connect(Number(port), hostname)
  const first = once(socket, 'data')
  const lines = Object.entries(person.headers()).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: close\r\n${lines.join('')}\r\n`)
  const [piece] = (await first) as [Buffer]
  socket.pause()
  let bytes = piece.byteLength
  return {
    close: () => socket.destroy(),
    rest: async () => {
      for await (const more of socket) bytes += (more as Buffer).byteLength
      return bytes
    },
  }
}
