/** Ids of somebody else on every route that takes one: they look like ids of nothing, and nothing of theirs is changed. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createApp } from '@/app/routes.ts'
import { type AskingHouse, openAskingHouse } from '../support/asking-house.ts'
import { modern } from '../support/gateway-house.ts'
import { type Browser, createBrowser } from '../support/running.ts'

const PASSWORD = 'correct horse battery'
let house: AskingHouse
let bob: Browser
/** Of who owns everything here, by the beginning of the route that takes it. */
let theirs: readonly (readonly [route: RegExp, ids: Readonly<Record<string, string>>])[]

beforeAll(async () => {
  house = await openAskingHouse({ approvalWaitMs: 100 })
  const { rooms, owner, app, work, connectionId } = house
  await modern(app, 'tools/call', { name: 'echo', arguments: { account: 'canary-of-ada' } }).then((answer) => answer.text())
  await modern(app, 'tools/call', { name: 'other', arguments: {} }).then((answer) => answer.text())
  await rooms.audit.flush()
  const [row] = await rooms.audit.list({ kind: 'call', limit: 1 })
  const { way } = await rooms.notices.add(owner, {
    kind: 'webhook',
    url: 'https://example.com/',
    name: 'Hook',
    topics: [],
    home: house.url,
  })
  await rooms.store.transact(
    async (tx) => void tx.prepare<unknown, string[]>("UPDATE grants SET reach = 'any' WHERE id = ?").run([app.grantId]),
  )
  await rooms.control.addSwitch(owner, app.grantId, { profileId: work.id, days: 1, minuteOfDay: 60, timeZone: 'UTC' })
  const [planned] = await rooms.control.switchesOf(owner, app.grantId)
  theirs = [
    [/^\/activity\/:seq/, { seq: String(row?.seq) }],
    [/^\/approvals\/:id/, { id: await house.asked() }],
    [/^\/apps\/:id/, { id: app.grantId, switchId: planned?.id ?? '' }],
    [/^\/apps\/tokens\/:id/, { id: app.grantId }],
    [/^\/connections\/:id/, { id: connectionId }],
    [/^\/connections\/callback\/:id/, { id: connectionId }],
    [/^\/profiles\/:id/, { id: work.id, toolId: house.toolId('echo') }],
    [/^\/settings\/notices\/:id/, { id: way.id }],
  ]
  await house.user('bob')
  bob = createBrowser(house.url)
  expect((await bob.post('/login', { username: 'bob', password: PASSWORD })).status).toBe(303)
}, 30_000)
afterAll(() => house.close())

/** Whatever the forms of these routes ask for, so that no body is turned away before it is asked whose it is. */
const formOf = (path: string): Record<string, string> => {
  const toolId = house.toolId('echo')
  if (path === '/apps/:id/tools') return { [`permission-${toolId}`]: 'allow', group: 'write allow', later_tools: 'in' }
  return {
    ...{
      decision: 'once',
      permission: 'allow',
      via: 'page',
      device_name: 'mine',
      whose: 'own',
      name: 'mine',
      title: 'mine',
      naming: 'never',
    },
    ...{ expires: 'never', profile: house.work.id, newly: 'usual', day: '1', time: '09:00', time_zone: 'UTC', tool_id: toolId },
    ...{ seen: `${toolId} ${'x'.repeat(43)}`, topics: 'approvals', calls_per_minute: '1', address: `${house.url}/x?code=a&state=b` },
    ...{
      client_id: 'mine',
      provider: 'github',
      place: 'bearer',
      scopes: '',
      grant: 'code',
      return_by: 'callback',
      account: '',
      trusts: 'on',
    },
  }
}
/** The same id of nothing. */
const noneLike = (id: string) => (/^\d+$/.test(id) ? '999999999' : id.replace(/(?<=_|^)[0-9a-z]+$/, (rest) => '0'.repeat(rest.length)))

/** Everything that belongs to somebody, as it stands in the file. What the trail and sessions say goes on by itself. */
function kept(): string {
  const file = new Database(join(house.rooms.config.dataDir, 'toolpass.db'), { readonly: true })
  try {
    const tables = file.query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all()
    const own = tables.filter(({ name }) => !/^(audit|sqlite|sessions|digests|__)/.test(name))
    return JSON.stringify(own.map(({ name }) => [name, file.query(`SELECT * FROM "${name}"`).all()]))
  } finally {
    file.close()
  }
}

test('[ABUSE-42] a member with ids of somebody else gets what they get for ids of nothing, on every route, and changes nothing', async () => {
  const before = kept()
  const routes = createApp(house.rooms).routes.filter(({ path, method }) => path.includes(':') && (method === 'GET' || method === 'POST'))
  let tried = 0
  for (const { method, path } of routes) {
    const ids = theirs.find(([route]) => route.test(path))?.[1]
    if (!ids) continue
    const filled = (of: (id: string) => string) => path.replace(/:(\w+)/g, (_, name: string) => of(ids[name] ?? ''))
    const [real, none] = [filled((id) => id), filled(noneLike)]
    expect(real).not.toBe(none)
    const send = (to: string) => (method === 'GET' ? bob.get(to) : bob.post(to, formOf(path)))
    const [answer, other] = [await send(real), await send(none)]
    const said = async (of: Response) =>
      (await of.text()).replaceAll(/req_\w+|[0-9a-f]{8}-[\w-]{27}/g, '').replaceAll(
        new RegExp(
          Object.values(ids)
            .flatMap((id) => [id, noneLike(id)])
            .join('|'),
          'g',
        ),
        'ID',
      )
    const [text, otherText] = [await said(answer), await said(other)]
    // Who comes back from a server is taken to a page that says what came of it.
    const isNo = (answer.status >= 400 && answer.status < 500) || /callback|paste/.test(path)
    expect([method, path, answer.status, isNo]).toEqual([method, path, other.status, true])
    expect([method, path, text]).toEqual([method, path, otherText])
    expect(text).not.toContain('canary-of-ada')
    tried += 1
  }
  expect(tried).toBeGreaterThan(55)
  expect(kept()).toBe(before)
})

test('[ABUSE-42] in forms of their own, ids of somebody else are worth nothing either', async () => {
  const { rooms, owner, app, work } = house
  const user = await rooms.users.findByName('bob')
  if (!user) throw new Error('there is no bob')
  const shared = await house.connection(owner, 'Shared', { settings: { url: house.upstream.url }, visibility: 'open' })
  const profile = await house.profile(user, 'Of Bob', [shared], 'never')
  const own = await house.admit(user, profile)
  await rooms.store.transact(
    async (tx) => void tx.prepare<unknown, string[]>("UPDATE grants SET reach = 'any' WHERE id = ?").run([own.grantId]),
  )
  const [planned] = await rooms.control.switchesOf(owner, app.grantId)
  const toolId = house.toolId('echo')
  const before = kept()
  const tried: readonly (readonly [path: string, form: Record<string, string>, status: number])[] = [
    [`/apps/${own.grantId}/switch`, { profile: work.id, newly: 'usual' }, 404],
    [`/apps/${own.grantId}/switches`, { profile: work.id, day: '1', time: '09:00', time_zone: 'UTC' }, 404],
    [`/apps/${own.grantId}/switches/${planned?.id}/remove`, {}, 303],
    [`/apps/${own.grantId}/tools`, { [`permission-${toolId}`]: 'allow' }, 404],
    [`/profiles/${profile.id}/tools`, { tool_id: toolId }, 422],
    [`/profiles/${profile.id}/tools/${toolId}`, { seen: 'x', name: 'mine' }, 404],
    ['/activity/usage/remove', { profile: work.id, tools: toolId }, 404],
    ['/apps/tokens', { profile: work.id, tool_id: toolId, expires: 'never', name: 'mine' }, 404],
    ['/connections/accounts/disconnect', { account: 'crd_0000000000000000' }, 404],
  ]
  for (const [path, form, status] of tried) expect([path, (await bob.post(path, form)).status]).toEqual([path, status])
  expect(kept()).toBe(before)
})
