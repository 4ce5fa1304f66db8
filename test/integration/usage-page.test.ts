/** The usage page: what is counted, for whom, and taking out what nobody used. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { NewRow } from '@/audit'
import { DAY_MS } from '@/lib/clock.ts'
import { newConnectionId } from '@/lib/ids.ts'
import type { Profile } from '@/profiles'
import { profileTools, grants } from '@/store'
import type { User } from '@/users'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { answerOf, type App, type GatewayHouse, modern, openGatewayHouse } from '../support/gateway-house.ts'
import type { Person } from '../support/journey.ts'

const HOSTILE = `<script>alert('x')</script>`
const echo = startEchoUpstream('modern', ({ id }) => json(answerText(id, { resultType: 'complete', content: [] })), {
  tools: ['used', 'idle', 'fresh'],
})
let rooms: GatewayHouse
let user: User
let app: App
let profile: Profile
let ada: Person
let bob: Person
let mia: Person

beforeAll(async () => {
  rooms = await openGatewayHouse()
  user = await rooms.user('bob')
  const miaUser = await rooms.user('mia')
  const id = await rooms.connection(rooms.admin, 'Echo', { settings: { url: echo.url }, visibility: 'open' })
  profile = await rooms.profile(user, 'Work', [id], 'never')
  app = await rooms.app(user, profile)
  ada = await rooms.personOf(rooms.admin)
  bob = await rooms.personOf(user)
  mia = await rooms.personOf(miaUser)
  for (let at = 0; at < 3; at += 1) await answerOf(await modern(app, 'tools/call', { name: 'used', arguments: {} }))
  const row: NewRow = {
    ...{ kind: 'call', action: 'tools/call', outcome: 'failed', subject: HOSTILE, durationUs: 9_000, userId: miaUser.id, userName: 'mia' },
    ...{ connectionId: newConnectionId(), connectionName: HOSTILE, clientName: HOSTILE },
  }
  rooms.house.audit.write(row, false)
  await rooms.house.audit.flush()
}, 30_000)
afterAll(async () => {
  await rooms.close()
  await echo.stop()
})

const figure = (html: string, name: string) => new RegExp(`<dt>${name}</dt><dd>([^<]*)</dd>`).exec(html.replace(/\s*\n\s*/g, ''))?.[1]
const age = (ms: number, what: 'tools' | 'grant') =>
  rooms.house.store.transact(async (tx) => {
    if (what === 'grant') await tx.update(grants).set({ createdAt: Date.now() - ms, lastUsedAt: null })
    else await tx.update(profileTools).set({ addedAt: Date.now() - ms })
  })

test('[USAGE-COUNTS] each sees what is theirs, an administrator everybody, and each of them on demand', async () => {
  const calls = async (person: Person, address = '/activity/usage') => figure((await person.open(address)).html, 'Calls')
  const served = (await rooms.house.audit.list({ userId: user.id, kind: 'call', limit: 50 })).length
  expect(served).toBeGreaterThanOrEqual(3)
  expect(await calls(bob)).toBe(String(served))
  expect(await calls(mia)).toBe('1')
  expect(await calls(mia, `/activity/usage?user=${user.id}`)).toBe('1')
  expect(await calls(ada)).toBe(String(served + 1))
  expect(await calls(ada, `/activity/usage?user=${user.id}&range=day`)).toBe(String(served))
  expect((await bob.open('/activity/usage')).html).not.toContain('By user')
  expect((await ada.open('/activity/usage')).html).toContain('By user')
  for (const range of ['day', 'week', 'month', 'year', 'nonsense'])
    expect(await calls(bob, `/activity/usage?range=${range}`)).toBe(String(served))
})

test('[USAGE-COUNTS] an app keeps its name, also where its user called something once more from a page', async () => {
  const name = /By app[\s\S]*?<bdi>([^<]*)<\/bdi>/
  const before = name.exec((await bob.open('/activity/usage')).html)?.[1]
  expect(before).toBeTruthy()
  const { audit } = rooms.house
  const [last] = await audit.list({ userId: user.id, kind: 'call', limit: 1 })
  if (!last) throw new Error('nothing was called')
  const { seq: _, at: __, chain: ___, ...row } = last
  audit.write({ ...row, clientName: 'Toolpass page' }, false)
  await audit.flush()
  expect(name.exec((await bob.open('/activity/usage')).html)?.[1]).toBe(before as string)
})

test('[ABUSE-51, ACTIVITY-TEXT] hostile names are text on it', async () => {
  const { html } = await mia.open('/activity/usage')
  expect(html).toContain('&lt;script&gt;alert')
  expect(html).not.toContain('<script>alert')
})

test('[USAGE-TRIM] tools that were in a profile for 30 days and not called are offered for removal by name; others are not', async () => {
  expect((await bob.open('/activity/usage')).html).not.toContain('/activity/usage/remove')
  await age(31 * DAY_MS, 'tools')
  const page = await bob.open('/activity/usage')
  expect(page.html).toContain('1 of 3')
  expect(page.html).toContain('2 unused tools')
  await bob.submit(page, '/activity/usage/remove', {})
  const view = await rooms.house.profiles.view(profile.id)
  expect(view.tools.map(({ exposedName }) => exposedName)).toEqual(['used'])
})

test('[USAGE-TRIM] nobody takes anything out of a profile of somebody else', async () => {
  const { tools } = await rooms.house.profiles.view(profile.id)
  const page = { ...(await mia.open('/activity/usage')), html: '<form action="/activity/usage/remove"></form>' }
  for (const person of [mia, ada]) {
    const sent = person.submit(page, '/activity/usage/remove', { profile: profile.id, tools: tools.map(({ toolId }) => toolId).join(' ') })
    expect(await sent.catch((error: Error) => error.message)).toContain('answered 404')
  }
  expect((await rooms.house.profiles.view(profile.id)).tools).toHaveLength(1)
})

test('[USAGE-TRIM] an app that did nothing for 30 days is offered for revoking, one that is new is not', async () => {
  expect((await bob.open('/activity/usage')).html).not.toContain('Apps that did nothing')
  await age(31 * DAY_MS, 'grant')
  const page = await bob.open('/activity/usage')
  expect(page.html).toContain('Apps that did nothing')
  expect(page.html).toContain(`/apps/${app.grantId}/revoke`)
})
