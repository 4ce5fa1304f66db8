/** Calls that wait for their user, against the running program: crashes, strangers, real patience, and what the page shows of hostile text. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { eventually } from '../support/outside.ts'
import { ADMIN, createBrowser, freePort, type Running, setUp, startToolpass } from '../support/running.ts'
import { startEchoUpstream, answerText, json } from '../support/echo-upstream.ts'

const upstream = startEchoUpstream(
  'modern',
  ({ id }) => json(answerText(id, { resultType: 'complete', content: [{ type: 'text', text: 'ran' }] })),
  { tools: ['echo', 'free'] },
)
const BOB = { username: 'bob', password: 'another horse battery' }
let running: Running
let token = ''
let port = 0

const start = async () => {
  running = await startToolpass({ port, ...(token === '' ? {} : { dataDir: running.dataDir }) })
}
const crash = async () => {
  await running.stop('SIGKILL')
  await start()
}
beforeAll(async () => {
  port = await freePort()
  await start()
  const ada = await setUp(running)
  const person = await signedIn(running)
  await addHttpConnection(person, 'Echo', upstream.url)
  await makeProfile(person, 'Work', 2)
  token = (await connectApp(running, person, { profile: 'work' })).access_token
  await ada.post('/admin/users', { ...BOB, role: 'member' })
  await running.stop()
  const file = new Database(join(running.dataDir, 'toolpass.db'))
  file.run("UPDATE grant_tools SET permission = 'ask' WHERE tool_id IN (SELECT id FROM tools WHERE name = 'echo')")
  file.close()
  await start()
}, 60_000)
afterAll(async () => {
  await running.stop()
  running.remove()
  await upstream.stop()
})

let made = 0
const fresh = () => {
  made += 1
  return { account: `c${made}` }
}
const call = (args: object, signal?: AbortSignal) =>
  callMcp(running, 'work', token, 'tools/call', { name: 'echo', arguments: args }, {}, signal)
const reached = ({ account }: { account: string }) => upstream.calls.filter((text) => text.includes(`"${account}"`)).length
/** Begins a call and gives up on it; what it asked for stays. @returns the path of its page */
async function asked(ada: Person, args: { account: string }): Promise<string> {
  const away = new AbortController()
  const gone = call(args, away.signal).catch(() => undefined)
  const pathOf = (html: string) =>
    [...html.matchAll(/<li class="asked">[\s\S]*?<\/li>/g)]
      .find(([item]) => item.includes(args.account))?.[0]
      .match(/\/approvals\/apr_\w+/)?.[0]
  let path: string | undefined
  await eventually(async () => {
    path = pathOf((await ada.open('/approvals')).html)
    return path !== undefined
  })
  away.abort()
  await gone
  if (path === undefined) throw new Error('nobody was asked')
  const page = path
  // Whoever has not been seen to leave would still be answered, and the approval be used up by it.
  await eventually(async () => (await ada.open(page)).html.includes('does not wait any more'))
  return page
}
const textOf = async (answer: Response) => {
  const { result } = await readMcp(answer)
  return { isError: result?.['isError'] === true, text: (result?.['content'] as { text: string }[] | undefined)?.[0]?.text ?? '' }
}

test('[APPROVAL-DURABLE] what waits outlives a crash and can be decided, and its repeat runs once', async () => {
  const args = fresh()
  const path = await asked(await signedIn(running), args)
  await crash()
  const ada = await signedIn(running)
  const page = await ada.open(path)
  expect(page.html).toContain(args.account)
  await ada.submit(page, path, { decision: 'once' })
  await crash()
  expect(await textOf(await call(args))).toEqual({ isError: false, text: 'ran' })
  expect(reached(args)).toBe(1)
}, 60_000)

test('[APPROVAL-DURABLE] what was used is used after a crash as well', async () => {
  const args = fresh()
  const ada = await signedIn(running)
  const path = await asked(ada, args)
  await ada.submit(await ada.open(path), path, { decision: 'once' })
  expect((await textOf(await call(args))).text).toBe('ran')
  await crash()
  const away = new AbortController()
  const again = call(args, away.signal).catch(() => undefined)
  await Bun.sleep(500)
  away.abort()
  await again
  expect(reached(args)).toBe(1)
}, 60_000)

test('[APPROVAL-OWN] nobody but its user sees it or decides it, an administrator neither; ids of others look like missing ones', async () => {
  const ada = await signedIn(running)
  const path = await asked(ada, fresh())
  const missing = '/approvals/apr_0000000000000000'
  const bob = createBrowser(running.url)
  expect((await bob.post('/login', BOB)).status).toBe(303)
  for (const [method, suffix] of [
    ['get', ''],
    ['get', '/state'],
    ['post', ''],
  ] as const) {
    const [theirs, none] = await Promise.all(
      [path, missing].map((each) => (method === 'get' ? bob.get(each + suffix) : bob.post(each, { decision: 'once' }))),
    )
    expect([theirs?.status, none?.status]).toEqual([404, 404])
    expect((await theirs?.text())?.replaceAll(/req_\w+|[\w-]{36}/g, '')).toBe((await none?.text())?.replaceAll(/req_\w+|[\w-]{36}/g, ''))
  }
  expect(await (await bob.get('/approvals')).text()).toContain('Nothing waits for you')
  const stranger = createBrowser(running.url)
  expect((await stranger.post(path, { decision: 'once' })).status).not.toBe(200)
  expect((await ada.open(path)).html).toContain('Waits for you')
}, 30_000)

test('[APPROVAL-OWN] a page elsewhere decides nothing, and neither does opening a link', async () => {
  const ada = await signedIn(running)
  const path = await asked(ada, fresh())
  const browser = createBrowser(running.url)
  await browser.post('/login', ADMIN)
  expect(
    (await browser.post(path, { decision: 'always' }, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })).status,
  ).toBe(403)
  for (const link of [`${path}?decision=once`, `${path}?via=notice&decision=always`]) await browser.get(link)
  for (const decision of ['', 'yes', 'ONCE', 'approve']) expect((await browser.post(path, { decision })).status).toBeGreaterThanOrEqual(400)
  expect((await ada.open(path)).html).toContain('Waits for you')
  // A word of two is none.
  expect((await browser.post(path, { decision: ['once', 'always'] })).status).toBeGreaterThanOrEqual(400)
  expect((await browser.post(path, { decision: 'refuse' })).status).toBe(303)
  const late = await browser.post(path, { decision: 'once' })
  expect(late.status).toBe(303)
  expect(await (await browser.get(path)).text()).toContain('decided already')
}, 30_000)

test('[APPROVAL-SHOWN] all that goes to the server is shown as text, what is hidden in it too, with four answers that weigh the same', async () => {
  const ada = await signedIn(running)
  const hostile = { ...fresh(), path: 'safe\u202Etxt.sh', html: '</code><script>alert(1)</script>', zero: 'a\u200Bb' }
  const path = await asked(ada, hostile)
  const { html } = await ada.open(path)
  expect(html).toContain('safe⟨U+202E⟩txt.sh')
  expect(html).toContain('a⟨U+200B⟩b')
  expect(html).not.toContain('<script>alert')
  expect(html).toContain('There are characters in it that nobody sees')
  const buttons = [...html.matchAll(/<button class="([^"]+)" type="submit" name="decision" value="(\w+)">/g)].map(([, look, value]) => [
    look,
    value,
  ])
  expect(buttons.map(([, value]) => value)).toEqual(['once', 'hour', 'always', 'refuse'])
  expect(new Set(buttons.map(([look]) => look)).size).toBe(1)
  expect((await ada.open('/')).html).toMatch(/class="nav-count"[^>]*>\s*\d/)
}, 30_000)

test('[APPROVAL-WAITS] nobody decides: after 45 seconds, with signs of life in between, the app is told how to go on', async () => {
  const startedAt = performance.now()
  const answer = await call(fresh())
  // The head is there long before the end, so that nothing on the way gives up.
  expect(performance.now() - startedAt).toBeLessThan(15_000)
  expect(answer.headers.get('content-type')).toContain('text/event-stream')
  const text = await answer.text()
  const seconds = (performance.now() - startedAt) / 1_000
  expect(seconds).toBeGreaterThan(44)
  expect(seconds).toBeLessThan(50)
  expect(text.match(/^: still here$/gm)?.length ?? 0).toBeGreaterThanOrEqual(1)
  expect(text).toContain(`Waiting for approval; repeat this call once it is approved: ${running.url}/approvals/apr_`)
}, 70_000)
