/** The controls as a person without JavaScript uses them, and what htmx gets, against the running program. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startEchoUpstream, answerText, json } from '../support/echo-upstream.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn, type Tokens } from '../support/journey.ts'
import { ADMIN, type Browser, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

const TOOLS = ['look', 'make', 'wipe']
const upstream = startEchoUpstream('modern', ({ id }) => json(answerText(id, { resultType: 'complete', content: [] })), { tools: TOOLS })
let running: Running
let ada: Person
/** Her once more, for answers that are no pages to go on from. */
let browser: Browser
let connection: string
let profile: string
let tokens: Tokens
let app: string

const row = (html: string, what: RegExp) => what.exec(html)?.[0] ?? ''
/** What can be done about the whole of a page, at its top. */
const headOf = (html: string) => row(html, /<header class="page-head">[\s\S]*?<\/header>/)
const toast = (html: string) => /data-toast="good"[\s\S]*?<span>([^<]*)</.exec(html)?.[1] ?? ''
const listed = async (token = tokens.access_token, name: string | undefined = 'work') => {
  const answer = await callMcp(running, name, token, 'tools/list')
  if (answer.status !== 200) return answer.status
  const { result } = await readMcp(answer)
  return ((result?.['tools'] ?? []) as { name: string }[]).map((tool) => tool.name).toSorted()
}
const fieldsOf = (html: string) =>
  [...html.matchAll(/name="(permission-tol_[^"]+)" value="(\w+)" checked/g)].map(([, name = '', value = '']) => ({ name, value }))
const fieldOf = (html: string, tool: string) => new RegExp(`>${tool}<[\\s\\S]*?name="(permission-tol_[^"]+)"`).exec(html)?.[1] ?? ''

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  browser = createBrowser(running.url)
  await browser.post('/login', ADMIN)
  connection = await addHttpConnection(ada, 'Echo', upstream.url)
  profile = await makeProfile(ada, 'Work', TOOLS.length)
  tokens = await connectApp(running, ada, { profile: 'work' })
  app = /href="(\/apps\/grt_[^"]+)"/.exec((await ada.open('/apps')).html)?.[1] ?? ''
})
afterAll(async () => {
  await running.stop()
  running.remove()
  await upstream.stop()
})

describe('the page of an app', () => {
  test('[CONTROL-PAGES] one form says of each tool what it may, and its groups are set by one button', async () => {
    const { html } = await ada.open(app)
    expect(fieldsOf(html).map(({ value }) => value)).toEqual(['allow', 'allow', 'allow'])
    const saved = await browser.post(`${app}/tools`, { [fieldOf(html, 'wipe')]: 'refuse', [fieldOf(html, 'make')]: 'ask' })
    expect(saved.status).toBe(303)
    const after = (await ada.open(app)).html
    expect(after).toContain('1 allowed, 1 asks first, 1 refused')
    expect(after).toContain('Calls that ask wait under <a href="/approvals">Approvals</a>')
    expect(await listed()).toEqual(['look', 'make'])
    expect((await browser.post(`${app}/tools`, { group: 'write allow' })).status).toBe(303)
    expect((await ada.open(app)).html).not.toContain('Calls that ask wait')
    expect(await listed()).toEqual(TOOLS)
  })

  test('[CONTROL-PAGES] htmx sends one choice alone, and gets what is counted; a group gets the whole list', async () => {
    const field = fieldOf((await ada.open(app)).html, 'wipe')
    const one = await browser.post(`${app}/tools`, { [field]: 'refuse', one: 'on' }, { 'hx-request': 'true' })
    const html = await one.text()
    expect(one.status).toBe(200)
    expect(html).toContain('id="may-all"')
    expect(html).toContain('hx-swap-oob="true"')
    expect(html).not.toContain('permission-tol_')
    expect(await listed()).toEqual(['look', 'make'])
    const whole = await browser.post(`${app}/tools`, { group: 'write allow' }, { 'hx-request': 'true' })
    expect(await whole.text()).toContain('id="app-permissions"')
    expect(await listed()).toEqual(TOOLS)
  })

  test.each([
    ['a permission that is none', { 'permission-tol_0123456789abcdef': 'everything' }, 400],
    ['a tool that is not in the profile', { 'permission-tol_0123456789abcdef': 'allow' }, 404],
    ['a kind that is none', { group: 'every allow' }, 422],
    ['a field that is none', { 'permission-x': 'allow' }, 400],
  ])('[CONTROL-PAGES] %s changes nothing', async (_, fields, status) => {
    expect((await browser.post(`${app}/tools`, fields as Record<string, string>)).status).toBe(status)
    expect(await listed()).toEqual(TOOLS)
  })

  test('[CONTROL-PAGES, CONTROL-PAUSE] it is paused and goes on, from its page and from the list', async () => {
    const paused = await ada.submit(await ada.open(app), `${app}/pause`, {})
    expect(toast(paused.html)).toContain('is paused')
    expect(paused.html).toContain(`action="${app}/resume"`)
    expect(await listed()).toBe(403)
    const list = await browser.post(`${app}/resume`, { from: 'list' }, { 'hx-request': 'true' })
    expect(await list.text()).toMatch(/^<tr id="app-grt_[\s\S]*Active/)
    expect(await listed()).toEqual(TOOLS)
    const plain = await browser.post(`${app}/pause`, { from: 'list' })
    expect([plain.status, plain.headers.get('location')]).toEqual([303, '/apps'])
    await browser.post(`${app}/resume`, {})
  })

  test.each([
    ['day', '', 1],
    ['week', '', 7],
    ['month', '', 30],
    ['quarter', '', 90],
  ])('[CONTROL-PAGES, CONTROL-EXPIRY] it ends in a %s', async (expires, date, days) => {
    await ada.submit(await ada.open(app), `${app}/expiry`, { expires, date })
    const ends = /Ends <time datetime="([^"]+)"/.exec((await ada.open(app)).html)?.[1] ?? ''
    expect(Math.round((Date.parse(ends) - Date.now()) / 86_400_000)).toBe(days)
  })

  test.each([
    ['no date', '', 'Enter it as year-month-day'],
    ['a date that is none', '2040-02-31', 'Enter it as year-month-day'],
    ['a date that is past', '2001-01-01', 'This day is over'],
    ['a date that is far away', '2199-01-01', 'Up to ten years'],
  ])('[CONTROL-PAGES, CONTROL-EXPIRY] %s is refused at its field', async (_, date, says) => {
    const answer = await browser.post(`${app}/expiry`, { expires: 'date', date })
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining(says)])
  })

  test('[CONTROL-PAGES, CONTROL-EXPIRY] a date of one’s choice, and until it is revoked', async () => {
    await ada.submit(await ada.open(app), `${app}/expiry`, { expires: 'date', date: '2036-02-29' })
    expect((await ada.open(app)).html).toContain('2036-03-01')
    await ada.submit(await ada.open(app), `${app}/expiry`, { expires: 'never', date: '' })
    expect((await ada.open(app)).html).toContain('when revoked')
  })
})

describe('many at once', () => {
  test('[CONTROL-PAGES] all of one’s own: each page says so while it lasts, and revoking them asks first', async () => {
    const page = await ada.open('/apps')
    expect(headOf(page.html)).not.toContain('Pause all my apps')
    const paused = await ada.submit(page, '/apps/pause', {})
    expect(toast(paused.html)).toContain('1 app waits')
    expect(await listed()).toBe(403)
    for (const page of ['/', '/profiles', '/connections', app, '/activity'])
      expect((await ada.open(page)).html).toContain('All your apps are paused.')
    expect(row((await ada.open('/apps')).html, /with all your apps/)).not.toBe('')
    expect((await ada.open('/apps')).html).toMatch(/<details class="confirm[\s\S]*Revoke every app and access token of yours/)
    await ada.submit(await ada.open('/'), '/apps/resume', {})
    expect((await ada.open('/')).html).not.toContain('All your apps are paused.')
    expect(await listed()).toEqual(TOOLS)
  })

  test('[CONTROL-PAGES, CONTROL-CONNECTION] a connection: its page counts the apps, and its row says paused', async () => {
    const page = await ada.open(connection)
    expect(page.html).toContain('1 app may use its tools.')
    expect(headOf(page.html)).toContain('Pause for all apps')
    const paused = await ada.submit(page, `${connection}/pause`, {})
    expect(headOf(paused.html)).toContain('Resume')
    expect(toast(paused.html)).toBe('Paused. Its tools are refused to 1 app.')
    expect(await listed()).toEqual([])
    expect((await ada.open('/connections')).html).toMatch(/badge[^>]*>paused</)
    expect((await ada.open(app)).html).toContain('connection paused')
    await ada.submit(await ada.open(connection), `${connection}/resume`, {})
    expect(await listed()).toEqual(TOOLS)
    const taken = await ada.submit(await ada.open(connection), `${connection}/revoke`, {})
    expect(toast(taken.html)).toBe('Taken from 1 app.')
    expect(await listed()).toEqual([])
    await browser.post(`${app}/tools`, { group: 'write allow' })
    expect(await listed()).toEqual(TOOLS)
  })

  test('[CONTROL-PAGES] a profile: its page counts the apps of everybody, and its tile says paused', async () => {
    const page = await ada.open(profile)
    expect(headOf(page.html)).toContain('Pause its app')
    const paused = await ada.submit(page, `${profile}/pause`, {})
    expect(headOf(paused.html)).toContain('Resume')
    expect(await listed()).toBe(403)
    expect((await ada.open('/profiles')).html).toMatch(/badge[^>]*>paused</)
    expect((await ada.open(app)).html).toContain('Paused with its profile')
    await ada.submit(await ada.open(profile), `${profile}/resume`, {})
    expect(await listed()).toEqual(TOOLS)
  })

  test('[CONTROL-PAGES] everything: one red button that asks once, and one that lets it go on', async () => {
    const page = await ada.open('/admin')
    expect(page.html).toMatch(/<summary class="button button-danger">[\s\S]*?Pause everything/)
    // However many users there are, nobody scrolls past them to it.
    expect(page.html.indexOf('Pause everything')).toBeLessThan(page.html.indexOf('<table'))
    await ada.submit(page, '/admin/pause', {})
    expect(await listed()).toBe(403)
    expect((await ada.open('/')).html).toContain('Everything is paused.')
    // One that is let in meanwhile waits as well, with its tokens.
    const late = await connectApp(running, ada, { profile: 'work' })
    expect(await listed(late.access_token)).toBe(403)
    await ada.submit(await ada.open('/'), '/admin/resume', {})
    expect(await listed()).toEqual(TOOLS)
    expect(await listed(late.access_token)).toEqual(TOOLS)
    expect(headOf((await ada.open('/apps')).html)).toContain('Pause all my apps')
  })

  test('[CONTROL-PAGES] a client of everyone’s, and each user by their row', async () => {
    const client = /href="(\/admin\/clients\/cli_[^"]+)"/.exec((await ada.open('/admin/clients')).html)?.[1] ?? ''
    const page = await ada.open(client)
    expect(page.html).toContain('Its connected apps')
    await ada.submit(page, `${client}/pause`, {})
    await ada.submit(await ada.open(client), `${client}/resume`, {})
    const user = /\/admin\/users\/(usr_[^/]+)\/pause/.exec((await ada.open('/admin')).html)?.[1] ?? ''
    const paused = await ada.submit(await ada.open('/admin'), `/admin/users/${user}/pause`, {})
    expect(paused.html).toContain('paused by ada')
    expect(await listed()).toBe(403)
    await ada.submit(await ada.open('/admin'), `/admin/users/${user}/resume`, {})
    expect(await listed()).toEqual(TOOLS)
  })
})

describe('a profile of one’s choice', () => {
  test('[CONTROL-PAGES, CONTROL-SWITCH] is switched with one click, and by schedule', async () => {
    const any = await connectApp(running, ada, { profile: undefined })
    const home = await makeProfile(ada, 'Home', TOOLS.length, (index) => index === 0)
    const page = [...(await ada.open('/apps')).html.matchAll(/href="(\/apps\/grt_[^"]+)"/g)].map(([, href = '']) => href)
    const mine = (await Promise.all(page.map(async (href) => ({ href, html: (await ada.open(href)).html })))).find(({ html }) =>
      html.includes('/switch"'),
    )
    if (!mine) throw new Error('no app whose profile can be switched')
    expect(await listed(any.access_token, '')).toEqual(TOOLS)
    const id = home.split('/').at(-1) ?? ''
    expect(mine.html).toContain(`name="profile" value="${id}"`)
    const switched = await ada.submit(await ada.open(mine.href), `${mine.href}/switch`, { profile: id, newly: 'usual' })
    expect(toast(switched.html)).toContain('Switched.')
    expect(await listed(any.access_token, '')).toEqual(['look'])
    const wrong = await browser.post(`${mine.href}/switches`, { profile: id, day: ['0', '4'], time: '25:00', time_zone: 'Europe/Berlin' })
    expect([wrong.status, await wrong.text()]).toEqual([422, expect.stringContaining('Enter a time')])
    const added = await browser.post(`${mine.href}/switches`, { profile: id, day: ['0', '4'], time: '9:05', time_zone: 'Europe/Berlin' })
    expect(added.status).toBe(303)
    const shown = await ada.open(mine.href)
    expect(shown.html).toContain('Mon, Fri at 09:05')
    const remove = /action="(\/apps\/[^"]+\/remove)"/.exec(shown.html)?.[1] ?? ''
    expect((await ada.submit(shown, remove, {})).html).not.toContain('at 09:05')
  })
})
