/** What people, apps and administrators do to the house itself, as the trail tells it afterwards. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startEchoUpstream, answerText, json } from '../support/echo-upstream.ts'
import { type App, type GatewayHouse, openGatewayHouse } from '../support/gateway-house.ts'
import { signedIn } from '../support/journey.ts'
import { createBrowser } from '../support/running.ts'
import type { User } from '@/users'

let house: GatewayHouse
let bea: User
let app: App
const PASSWORD = 'correct horse battery'
const upstream = startEchoUpstream('modern', ({ id }) => json(answerText(id, { resultType: 'complete', content: [] })))

beforeAll(async () => {
  house = await openGatewayHouse()
  bea = await house.user('bea')
  const connection = await house.connection(house.admin, 'Echo', {
    settings: { url: upstream.url },
    visibility: 'open',
    credentialOf: 'owner',
  })
  app = await house.app(bea, await house.profile(bea, 'Work', [connection]))
})
afterAll(async () => {
  await house.close()
  await upstream.stop()
})

/** What was written since, oldest first. */
async function acts(work: () => Promise<unknown>) {
  const { audit } = house.house
  const before = audit.lastSeq()
  await work()
  const rows = await audit.list({ kind: ['admin', 'auth'], limit: 100 })
  return rows.filter(({ seq }) => seq > before).reverse()
}
const inShort = (rows: Awaited<ReturnType<typeof acts>>) =>
  rows.map(({ action, outcome, userName }) => `${action} ${outcome} ${userName ?? '-'}`)

test('[TRAIL-ACTS] signing in, failing to, leaving, and sending other browsers away', async () => {
  await house.user('dora')
  const browser = createBrowser(house.url)
  const rows = await acts(async () => {
    await browser.post('/login', { username: 'dora', password: 'wrong' })
    await browser.post('/login', { username: 'nobody-here', password: 'wrong' })
    await browser.post('/login', { username: 'dora', password: PASSWORD })
    await browser.post('/settings/sessions/end-others', {})
    await browser.post('/settings/password', { current_password: 'wrong', new_password: 'another horse battery' })
    await browser.post('/settings/password', { current_password: PASSWORD, new_password: 'another horse battery' })
    await browser.post('/settings/password', { current_password: 'another horse battery', new_password: PASSWORD })
    await browser.post('/logout', {})
    await browser.post('/logout', {})
  })
  expect(inShort(rows)).toEqual([
    'login refused dora',
    'login refused -',
    'login ok dora',
    'profile.create ok dora',
    'session.end-others ok dora',
    'user.change-password refused dora',
    'user.change-password ok dora',
    'user.change-password ok dora',
    'logout ok dora',
  ])
  expect(rows[0]).toMatchObject({ subject: 'dora', reason: 'The password was wrong.' })
  // It may have been a password, typed into the wrong field.
  expect(rows[1]).toMatchObject({ subject: null, reason: 'There is nobody of this name.' })
  expect(JSON.stringify(rows)).not.toContain('nobody-here')
  const signIns = rows.filter(({ kind }) => kind === 'auth')
  expect(signIns.length).toBeGreaterThan(2)
  for (const { address } of signIns) expect(address).toBe('127.0.0.1')
})
test('[TRAIL-ACTS] an app that is let in, gets its tokens, and gives one back', async () => {
  let later: App | undefined
  const rows = await acts(async () => {
    later = await house.app(bea, app.profile)
    const form = new URLSearchParams({ token: later.refreshToken, client_id: later.clientId })
    expect((await fetch(`${house.url}/oauth/revoke`, { method: 'POST', body: form })).status).toBe(200)
    // Somebody else's token, and one that is none, are nothing to tell of.
    await fetch(`${house.url}/oauth/revoke`, { method: 'POST', body: new URLSearchParams({ token: app.token, client_id: later.clientId }) })
  })
  const shown = inShort(rows).filter((row) => !row.startsWith('login'))
  expect(shown).toEqual(['client.register ok -', 'grant.create ok bea', 'token.issue ok bea', 'token.revoke ok -', 'grant.revoke ok -'])
  for (const row of rows.filter(({ action }) => action.startsWith('token'))) {
    expect(row).toMatchObject({ grantId: later?.grantId, userId: bea.id, clientName: 'journey' })
  }
})
test('[TRAIL-ACTS] what an administrator does, who did it and to whom', async () => {
  const admin = await signedIn({ url: house.url } as never)
  const rows = await acts(async () => {
    await admin.submit(await admin.open('/admin'), '/admin/users', { username: 'cleo', role: 'member', password: PASSWORD })
    const cleo = (await house.house.users.list()).find(({ username }) => username === 'cleo')
    const page = await admin.open('/admin')
    await admin.submit(page, `/admin/users/${cleo?.id}/reset`, {})
    await admin.submit(page, `/admin/users/${cleo?.id}/disable`, {})
    await admin.submit(await admin.open('/admin'), `/admin/users/${cleo?.id}/enable`, {})
    await admin.submit(await admin.open('/admin/trail'), '/admin/trail/policy', { days: '90', megabytes: '' })
  })
  expect(rows.map(({ action, userName, subject }) => [action, userName, subject])).toEqual([
    ['user.add', 'ada', 'cleo'],
    ['user.new-password-link', 'ada', 'cleo'],
    ['user.disable', 'ada', 'cleo'],
    ['user.enable', 'ada', 'cleo'],
    ['audit.policy', 'ada', null],
  ])
})
test('[TRAIL-ACTS] what a profile keeps, before and after', async () => {
  const { profiles } = house.house
  const { title, description, naming, id } = app.profile
  const rows = await acts(() => profiles.update(bea, id, { title, description, naming, keeps: 'whole' }))
  expect(rows).toMatchObject([{ action: 'profile.update', userName: 'bea', detail: { keeps: 'whole', before: 'redacted' } }])
})
