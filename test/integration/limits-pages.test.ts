/** Limits on the pages: who sets whose, what is shown of their use, and what is refused. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { eventually } from '../support/outside.ts'
import { ADMIN, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const MIA = { username: 'mia', password: 'a long enough password' }
let running: Running
let root: Person
let mia: Person
let asMia: ReturnType<typeof createBrowser>
let token: string
let app: string
let connection: string
let miaLimits: string
const upstream = startModernUpstream()

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  root = await signedIn(running)
  await root.submit(await root.open('/admin'), '/admin/users', { ...MIA, role: 'member' })
  mia = await signedIn(running, MIA)
  asMia = createBrowser(running.url)
  await asMia.post('/login', MIA)
  const form = await root.open('/connections/new?connector=streamable-http')
  const made = await root.submit(form, '/connections', {
    name: 'Modern',
    'settings.url': upstream.url,
    'settings.headers': '',
    sharing: 'open',
  })
  connection = new URL(made.url).pathname
  await makeProfile(mia, 'Work', 4)
  token = (await connectApp(running, mia, { profile: 'work' })).access_token
  app = /\/apps\/grt_\w+/.exec((await mia.open('/apps')).html)?.[0] ?? ''
  miaLimits = [...(await root.open('/admin')).html.matchAll(/\/admin\/users\/usr_\w+\/limits/g)].map(([path]) => path).at(-1) ?? ''
}, 30_000)
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
})

const call = () => callMcp(running, 'work', token, 'tools/call', { name: 'echo', arguments: { message: 'hello' } })
const wordsIn = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')

test('[LIMIT-PAGES] a member limits their own app, sees how much is used and by whom it was set, and it holds on the next call', async () => {
  const saved = await mia.submit(await mia.open(app), `${app}/limits`, {
    calls_per_minute: '2',
    calls_per_day: '50',
    result_kb: '',
    call_seconds: '5',
  })
  expect(saved.html).toContain('Limits saved.')
  expect((await readMcp(await call())).result).toBeDefined()
  const words = wordsIn((await mia.open(app)).html)
  expect(words).toContain('1 of 2 in the last minute')
  expect(words).toContain('1 of 50 today')
  expect(words).toContain('Set by mia')
  await call()
  expect((await call()).status).toBe(429)
  const says = 'This app may make 2 calls a minute, and that many were made.'
  expect(await eventually(async () => wordsIn((await mia.open('/activity')).html).includes(says))).toBe(true)
  const none = { calls_per_minute: '', calls_per_day: '', calls_at_once: '', result_kb: '', call_seconds: '' }
  await mia.submit(await mia.open(app), `${app}/limits`, none)
  expect((await call()).status).toBe(200)
  expect(wordsIn((await mia.open(app)).html)).not.toContain('Set by')
})

test('[LIMIT-PAGES] what is no number is said at its field, and what was entered comes back', async () => {
  const answer = await asMia.post(`${app}/limits`, { calls_per_minute: '1.5', calls_per_day: 'many', result_kb: '0.2', calls_at_once: '7' })
  expect(answer.status).toBe(422)
  const html = await answer.text()
  const errors = [...html.matchAll(/<p class="field-error" id="([^"]+)-error">/g)].map(([, id]) => id)
  expect(errors).toEqual(['limits-calls_per_minute', 'limits-calls_per_day', 'limits-result_kb'])
  expect(html).toMatch(/name="calls_at_once"[^>]*value="7"/)
})

test('[LIMIT-PAGES] an administrator limits a user, who sees it at their app and cannot lift it; the owner limits a connection', async () => {
  await root.submit(await root.open(miaLimits), miaLimits, { calls_per_day: '1000' })
  await root.submit(await root.open(connection), `${connection}/limits`, { calls_at_once: '9' })
  const words = wordsIn((await mia.open(app)).html)
  expect(words).toMatch(/All your apps together : \d+ of 1,000 today/)
  expect(words).toContain('Modern : 0 of 9 running')
  for (const answer of [await asMia.post(miaLimits, {}), await asMia.get(miaLimits)]) expect(answer.status).toBe(403)
  expect(wordsIn((await root.open(miaLimits)).html)).toContain(`Set by ${ADMIN.username}`)
})

test('[LIMIT-PAGES] nobody limits what is not theirs, and cannot tell it from what is not there', async () => {
  const asRoot = createBrowser(running.url)
  await asRoot.post('/login', ADMIN)
  const [theirs, none] = [
    await asRoot.post(`${app}/limits`, { calls_per_day: '1' }),
    await asRoot.post(`${app.slice(0, -4)}0000/limits`, { calls_per_day: '1' }),
  ]
  expect([theirs.status, none.status]).toEqual([404, 404])
  // She uses it, and still may not: for her there is no such form.
  expect((await asMia.post(`${connection}/limits`, { calls_per_day: '1' })).status).toBe(404)
  expect((await mia.open(connection)).html).not.toContain('Save limits')
  expect((await call()).status).toBe(200)
})
