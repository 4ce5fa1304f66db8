/** The activity page: filters, words, paging, who sees what, and that an open page costs nothing while nothing happens. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { NewRow } from '@/audit'
import { newClientId, newGrantId, newProfileId, newToolId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { type GatewayHouse, openGatewayHouse } from '../support/gateway-house.ts'
import type { Person } from '../support/journey.ts'

const HOSTILE = `<img src=x onerror=alert(1)>"'`
const [client, grant, profile, tool, rareTool] = [newClientId(), newGrantId(), newProfileId(), newToolId(), newToolId()]
let rooms: GatewayHouse
let ada: Person
let bob: Person
let mia: Person
let bobUser: User
let miaUser: User

const call = (of: User, more: Partial<NewRow> = {}): NewRow => ({
  ...{ kind: 'call', action: 'tools/call', outcome: 'ok', subject: 'echo', durationUs: 2_000, requestBytes: 10, responseBytes: 20 },
  ...{
    userId: of.id,
    userName: of.username,
    clientId: client,
    clientName: 'Probe',
    grantId: grant,
    profileId: profile,
    profileName: 'Work',
    toolId: tool,
  },
  ...more,
})

beforeAll(async () => {
  rooms = await openGatewayHouse()
  bobUser = await rooms.user('bob')
  miaUser = await rooms.user('mia')
  ada = await rooms.personOf(rooms.admin)
  bob = await rooms.personOf(bobUser)
  mia = await rooms.personOf(miaUser)
  const { audit } = rooms.house
  for (let at = 0; at < 120; at += 1) audit.write(call(bobUser, { subject: `bob_${at}` }), false)
  audit.write(call(bobUser, { subject: 'bob_rare', toolId: rareTool, outcome: 'tool-error' }), false)
  audit.write(call(bobUser, { subject: 'bob_refused', outcome: 'refused', reason: 'tool_not_granted' }), false)
  audit.write(call(miaUser, { subject: 'mia_only', purpose: 'Quarterly zebra' }), false)
  audit.write(
    call(miaUser, { subject: HOSTILE, clientName: HOSTILE, profileName: HOSTILE, purpose: HOSTILE, reason: HOSTILE, outcome: 'failed' }),
    false,
  )
  await audit.flush()
}, 30_000)
afterAll(() => rooms.close())

const subjects = (html: string) => [...html.matchAll(/<bdi>([^<]*)<\/bdi>\s*<\/a>\s*(?:<p|<\/td)/g)].map(([, name = '']) => name)
const rowsOf = async (person: Person, address: string) => {
  const page = await person.open(address)
  expect(page.status).toBe(200)
  return subjects(page.html)
}
const hrefOf = (html: string, label: string) =>
  new RegExp(`href="([^"]*)"[^>]*>\\s*<span>${label}</span>`).exec(html)?.[1]?.replaceAll('&amp;', '&')

describe('what is found', () => {
  test('[ACTIVITY-FILTER] each filter stands in the address, narrows what is shown, and is a chip that takes it off', async () => {
    expect(await rowsOf(bob, '/activity?outcome=refused')).toEqual(['bob_refused'])
    expect(await rowsOf(bob, '/activity?outcome=failed')).toEqual(['bob_rare'])
    expect(await rowsOf(bob, `/activity?tool=${rareTool}`)).toEqual(['bob_rare'])
    expect(await rowsOf(bob, `/activity?tool=${rareTool}&outcome=ok`)).toEqual([])
    expect(await rowsOf(bob, `/activity?client=${newClientId()}`)).toEqual([])
    expect(await rowsOf(bob, `/activity?grant=${grant}&profile=${profile}&last=hour&q=refused`)).toEqual(['bob_refused'])
    expect(await rowsOf(bob, '/activity?to=2020-01-01T00:00')).toEqual([])
    expect(await rowsOf(bob, '/activity?from=2020-01-01&outcome=failed')).toEqual(['bob_rare'])
    expect(await rowsOf(bob, '/activity?kind=sign-ins')).toEqual(['Signed in'])
    const { html } = await bob.open(`/activity?outcome=refused&tool=${tool}`)
    // Its places stand there once, and rows can be saved where there are any.
    expect(html.split('aria-label="Activity"')).toHaveLength(2)
    expect(html).toContain('Save these rows as a file')
    expect((await bob.open('/activity?to=2020-01-01T00:00')).html).not.toContain('Save these rows as a file')
    expect(html).toContain(`href="/activity?tool=${tool}"`)
    expect(html).toContain('href="/activity?outcome=refused"')
    const off = await bob.open(`/activity?tool=${tool}`)
    expect(subjects(off.html)).toHaveLength(50)
  })

  test('[ACTIVITY-FILTER] a filter that makes no sense is none, and words are words', async () => {
    for (const query of ['outcome=running', 'tool=x', 'client=', 'from=yesterday', 'before=-1', 'kind=x', 'last=year', 'user=x'])
      expect([query, (await rowsOf(bob, `/activity?${query}`)).length]).toEqual([query, 50])
    expect(await rowsOf(bob, `/activity?q=${encodeURIComponent('bob OR mia')}`)).toEqual([])
    expect(await rowsOf(bob, `/activity?q=${encodeURIComponent('"names:" NEAR( *')}`)).toEqual([])
  })

  test('[ACTIVITY-PAGES] fifty rows a page, and the way back by newer pages shows the same rows as the way there', async () => {
    const first = await bob.open('/activity')
    const second = await bob.open(hrefOf(first.html, 'Older') ?? '')
    const third = await bob.open(hrefOf(second.html, 'Older') ?? '')
    const all = [first, second, third].flatMap(({ html }) => subjects(html))
    expect(all).toEqual(['bob_refused', 'bob_rare', ...Array.from({ length: 120 }, (_, at) => `bob_${119 - at}`)])
    expect(hrefOf(third.html, 'Older')).toBeUndefined()
    const back = await bob.open(hrefOf(third.html, 'Newer') ?? '')
    expect(subjects(back.html)).toEqual(subjects(second.html))
    const top = await bob.open(hrefOf(back.html, 'Newer') ?? '')
    expect(subjects(top.html)).toEqual(subjects(first.html))
    expect(hrefOf(top.html, 'Newer')).toBeUndefined()
    expect(subjects((await bob.open(hrefOf(back.html, 'Newest') ?? '')).html)).toEqual(subjects(first.html))
  })
})

describe('who sees what', () => {
  test('[ABUSE-42, ACTIVITY-OWN] a member finds their own rows alone, whatever the address says', async () => {
    for (const address of [
      '/activity',
      `/activity?user=${bobUser.id}`,
      '/activity?kind=all',
      '/activity?q=bob',
      `/activity?grant=${grant}`,
    ])
      expect((await rowsOf(mia, address)).filter((name) => name.startsWith('bob'))).toEqual([])
    expect(await rowsOf(mia, `/activity?user=${bobUser.id}&q=zebra`)).toEqual(['mia_only'])
    expect((await mia.open('/activity')).html).not.toContain('name="user"')
    expect(await rowsOf(bob, '/activity?q=zebra')).toEqual([])
  })

  test('[ACTIVITY-OWN] an administrator finds everybody, by person too', async () => {
    expect(await rowsOf(ada, '/activity?q=zebra')).toEqual(['mia_only'])
    expect(await rowsOf(ada, `/activity?user=${bobUser.id}&outcome=refused`)).toEqual(['bob_refused'])
    expect((await ada.open('/activity')).html).toContain('name="user"')
  })
})

test('[ABUSE-51, ACTIVITY-TEXT] hostile names are text in rows, filters and chips', async () => {
  const { html } = await mia.open(`/activity?q=${encodeURIComponent(HOSTILE)}`)
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;')
  expect(html).not.toContain('<img')
})

describe('while it is open', () => {
  const renewHref = (html: string) => /id="activity-rows" hx-get="([^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
  const cookieOf = async () => {
    const answer = await fetch(`${rooms.url}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'username=mia&password=correct+horse+battery',
    })
    return answer.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ')
  }
  test('[ACTIVITY-LIVE] it is told nothing while nothing happens, and of a new row at once; older and paused pages do not ask', async () => {
    const cookie = await cookieOf()
    const get = (path: string) => fetch(rooms.url + path, { headers: { cookie, 'hx-request': 'true' } })
    const page = await (await get('/activity')).text()
    const href = renewHref(page) ?? ''
    const idle = await get(href)
    expect([idle.status, await idle.text()]).toEqual([204, ''])
    rooms.house.audit.write(call(miaUser, { subject: 'mia_fresh' }), false)
    await rooms.house.audit.flush()
    const fresh = await get(href)
    const html = await fresh.text()
    expect(fresh.status).toBe(200)
    expect(subjects(html)[0]).toBe('mia_fresh')
    expect((await get(renewHref(html) ?? '')).status).toBe(204)
    const refused = renewHref(await (await get('/activity?outcome=refused&q=mia')).text()) ?? ''
    rooms.house.audit.write(call(miaUser, { subject: 'mia_served' }), false)
    rooms.house.audit.write(call(bobUser, { subject: 'bob_elsewhere', outcome: 'refused' }), false)
    await rooms.house.audit.flush()
    expect((await get(refused)).status).toBe(204)
    rooms.house.audit.write(call(miaUser, { subject: 'mia_late', outcome: 'refused' }), false)
    await rooms.house.audit.flush()
    expect(subjects(await (await get(refused)).text())).toEqual(['mia_late'])
    expect(renewHref(await (await get('/activity?live=off')).text())).toBeUndefined()
    expect(renewHref(await (await get('/activity?before=5')).text())).toBeUndefined()
  })
})
