/** Controls of others, and of administrators, against the running program: ABUSE rows 17, 18, 42, 58. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn, type Tokens } from '../support/journey.ts'
import { ADMIN, type Browser, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

const PASSWORD = 'another horse battery'
const upstream = startEchoUpstream('modern', ({ id }) => json(answerText(id, { resultType: 'complete', content: [] })), {
  tools: ['echo', 'wipe'],
})
let running: Running
let admin: Browser
let mallory: Browser
type Someone = { person: Person; tokens: Tokens; app: string; profile: string; connection: string }
let ada: Someone

async function someone(credentials: { username: string; password: string }): Promise<Someone> {
  const person = await signedIn(running, credentials)
  const connection = await addHttpConnection(person, 'Echo', upstream.url)
  const profile = await makeProfile(person, 'Work', 2)
  const tokens = await connectApp(running, person, { profile: 'work' })
  const app = /href="(\/apps\/grt_[^"]+)"/.exec((await person.open('/apps')).html)?.[1] ?? ''
  return { person, tokens, app, profile, connection }
}
const statusOf = async ({ tokens }: Someone) => (await callMcp(running, 'work', tokens.access_token, 'tools/list')).status
const toolsOf = async ({ tokens }: Someone) => {
  const { result } = await readMcp(await callMcp(running, 'work', tokens.access_token, 'tools/list'))
  return ((result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
}

beforeAll(async () => {
  running = await startToolpass()
  admin = await setUp(running)
  for (const username of ['mallory', 'bob']) await admin.post('/admin/users', { username, role: 'member', password: PASSWORD })
  ada = await someone(ADMIN)
  mallory = createBrowser(running.url)
  await mallory.post('/login', { username: 'mallory', password: PASSWORD })
})
afterAll(async () => {
  await running.stop()
  running.remove()
  await upstream.stop()
})

test('[ABUSE-42, CONTROL-WHOSE] what is an administrator’s is refused to members, and nothing of it happens', async () => {
  const client = /cli_[a-z0-9]+/.exec(await (await admin.get('/admin/clients')).text())?.[0] ?? ''
  const user = /usr_[a-z0-9]+/.exec(await (await admin.get('/admin')).text())?.[0] ?? ''
  const controls = ['/admin', `/admin/users/${user}`, `/admin/clients/${client}`].flatMap((path) =>
    ['pause', 'resume', 'revoke'].map((deed) => `${path}/${deed}`),
  )
  for (const path of controls) {
    const answer = await mallory.post(path, {})
    expect({ path, status: answer.status }).toEqual({ path, status: 403 })
    expect(await answer.text()).not.toContain('cli_')
  }
  expect(await statusOf(ada)).toBe(200)
})

test('[ABUSE-42, CONTROL-WHOSE] one user’s ids are nothing on another’s routes, as if they did not exist', async () => {
  const { app, profile, connection } = ada
  const id = profile.split('/').at(-1) ?? ''
  const routes: readonly [path: string, fields: Record<string, string>][] = [
    ...['pause', 'resume', 'revoke'].map((deed): [string, Record<string, string>] => [`${app}/${deed}`, {}]),
    ...['pause', 'resume', 'revoke'].map((deed): [string, Record<string, string>] => [`${app}/client/${deed}`, {}]),
    ...['pause', 'resume', 'revoke'].map((deed): [string, Record<string, string>] => [`${profile}/${deed}`, {}]),
    ...['own', 'everyone'].flatMap((whose) =>
      ['pause', 'resume', 'revoke'].map((deed): [string, Record<string, string>] => [`${connection}/${deed}`, { whose }]),
    ),
    [`${app}/tools`, { group: 'write refuse' }],
    [`${app}/expiry`, { expires: 'day', date: '' }],
    [`${app}/switch`, { profile: id, newly: 'usual' }],
    [`${app}/switches`, { profile: id, day: '0', time: '09:00', time_zone: 'UTC' }],
    [`${app}/switches/xyz/remove`, {}],
  ]
  const missing = (path: string) => path.replace(/_[a-z0-9]{16}/, '_0123456789abcdef')
  for (const [path, fields] of routes) {
    const [answer, nothing] = [await mallory.post(path, fields), await mallory.post(missing(path), fields)]
    expect({ path, status: answer.status }).toEqual({ path, status: 404 })
    expect({ path, same: (await answer.text()) === (await nothing.text()) }).toEqual({ path, same: true })
  }
  expect(await toolsOf(ada)).toEqual(['echo', 'wipe'])
  expect((await ada.person.open(app)).html).toContain('Active')
})

test('[ABUSE-42, CONTROL-WHOSE] a guest pauses an open connection for themselves and never for everyone', async () => {
  const settings = { name: 'Echo', sharing: 'open', 'settings.url': upstream.url }
  await admin.post(ada.connection, settings)
  const refused = await mallory.post(`${ada.connection}/pause`, { whose: 'everyone' })
  expect(refused.status).toBe(403)
  expect((await mallory.post(`${ada.connection}/pause`, { whose: 'own' })).status).toBe(303)
  expect(await toolsOf(ada)).toEqual(['echo', 'wipe'])
  const page = await (await mallory.get(ada.connection)).text()
  expect(page).toContain('Its tools are refused to your apps.')
  await mallory.post(`${ada.connection}/resume`, { whose: 'own' })
})

test('[ABUSE-42, CONTROL-WHOSE] what an administrator paused is not its user’s to resume', async () => {
  const bob = await someone({ username: 'bob', password: PASSWORD })
  const rows = await (await admin.get('/admin')).text()
  const id = /id="user-(usr_[a-z0-9]+)"(?:(?!<\/tr>)[\s\S])*?>bob</.exec(rows)?.[1] ?? ''
  expect((await admin.post(`/admin/users/${id}/pause`, {})).status).toBe(303)
  expect([await statusOf(bob), await statusOf(ada)]).toEqual([403, 200])
  await bob.person.submit(await bob.person.open('/apps'), '/apps/pause', {})
  await bob.person.submit(await bob.person.open('/apps'), '/apps/resume', {})
  await bob.person.submit(await bob.person.open(bob.app), `${bob.app}/pause`, {})
  await bob.person.submit(await bob.person.open(bob.app), `${bob.app}/resume`, {})
  expect(await statusOf(bob)).toBe(403)
  expect((await bob.person.open('/')).html).toContain('Your apps are paused by an administrator.')
  await admin.post(`/admin/users/${id}/resume`, {})
  expect(await statusOf(bob)).toBe(200)
})

test('[CONTROL-WHOSE] a control is not taken from another site', async () => {
  const answer = await admin.post('/admin/pause', {}, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })
  expect(answer.status).toBe(403)
  expect(await statusOf(ada)).toBe(200)
})

test('[CONTROL-KEPT, ABUSE-58] what was acknowledged as paused is paused after kill -9', async () => {
  expect((await admin.post('/admin/pause', {})).status).toBe(303)
  await running.stop('SIGKILL')
  running = await startToolpass({ dataDir: running.dataDir, port: running.port })
  expect(await statusOf(ada)).toBe(403)
  expect((await admin.post('/admin/resume', {})).status).toBe(303)
  await running.stop('SIGKILL')
  running = await startToolpass({ dataDir: running.dataDir, port: running.port })
  expect(await toolsOf(ada)).toEqual(['echo', 'wipe'])
})
