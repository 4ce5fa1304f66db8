/** An app at `/mcp` moves between profiles of its user, by hand and by schedule, while it is connected. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createControl } from '@/grants'
import type { GrantId, ProfileId, ToolId } from '@/lib/ids.ts'
import { connectApp } from '../support/journey.ts'
import { type App, connect, type Era, refusalOf } from '../support/matrix/apps.ts'
import { type Member, type MatrixHouse, openMatrixHouse, overHttp } from '../support/matrix/house.ts'
import { startModernUpstream } from '../support/matrix/modern-upstream.ts'
import { eventually } from '../support/outside.ts'

const SOON_MS = 1_000
const QUIET_MS = 200
const upstream = startModernUpstream()
let house: MatrixHouse
let ids: Record<string, ToolId>
beforeAll(async () => {
  house = await openMatrixHouse()
  ids = await house.listed(await house.addConnection('Main', overHttp(upstream.url), { visibility: 'open' }))
})
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
  await upstream.stop()
})

let people = 0
type Scene = { member: Member; grantId: GrantId; token: string; work: ProfileId; home: ProfileId }
async function profileOf({ user }: Member, title: string, names: readonly string[]): Promise<ProfileId> {
  const { profiles } = house.rooms
  const { id } = await profiles.create(user, { title })
  await profiles.setTools(
    user,
    id,
    names.map((name) => ids[name] as ToolId),
  )
  return id
}
/** An app that came to `/mcp` while there was one profile, and another profile beside it now. */
async function scene(): Promise<Scene> {
  people += 1
  const member = await house.member(`member-${people}`)
  const work = await profileOf(member, 'Work', ['echo', 'sum'])
  const { access_token: token } = await connectApp(house.running, member.person, { profile: undefined })
  const verified = await house.rooms.oauth.verify(token)
  if (!verified || !('grantId' in verified)) throw new Error('The token is not good.')
  const home = await profileOf(member, 'Home', ['echo', 'fail', 'meta'])
  await house.rooms.profiles.adjustTool(member.user, home, ids['meta'] as ToolId, { override: { kind: 'destructive' }, isPinned: false })
  return { member, grantId: verified.grantId, token, work, home }
}
const at = (it: Scene, era: Era): Promise<App> => connect(era, { url: `${house.url}/mcp`, token: it.token })
const namesOf = async (app: App) => (await app.tools()).tools.map(({ name }) => name).toSorted()
const told = ({ heard }: App) => heard.filter(({ method }) => method === 'notifications/tools/list_changed').length
const said = (app: App, name: string) => app.call({ name, arguments: { message: 'x' } })
const switchTo = ({ member, grantId }: Scene, profileId: ProfileId, newly: 'usual' | 'nothing' = 'usual') =>
  house.rooms.control.switchProfile(member.user, grantId, profileId, newly)
const grantOf = async ({ grantId }: Scene) => {
  const grant = await house.rooms.grants.find(grantId)
  if (!grant) throw new Error('no grant')
  return grant
}

describe.each(['legacy', 'modern'] as const)('a %s app', (era) => {
  test('[CONTROL-SWITCH] goes on with its token and its session, is told once, and is served from the other profile', async () => {
    const it = await scene()
    const app = await at(it, era)
    await app.listen()
    await Bun.sleep(150)
    const session = app.transport?.sessionId
    expect(await namesOf(app)).toEqual(['echo', 'sum'])
    await switchTo(it, it.home)
    // What destroys waits for its user, and stands in the list all the same.
    expect(await namesOf(app)).toEqual(['echo', 'fail', 'meta'])
    expect(await eventually(() => told(app) > 0, SOON_MS)).toBe(true)
    await Bun.sleep(QUIET_MS)
    expect(told(app)).toBe(1)
    expect((await refusalOf(said(app, 'sum'))).code).toBe(-32602)
    expect(await said(app, 'echo')).not.toHaveProperty('isError', true)
    expect(Object.fromEntries((await grantOf(it)).tools)).toMatchObject({
      [ids['fail'] as string]: 'allow',
      [ids['meta'] as string]: 'ask',
    })
    expect(app.transport?.sessionId).toBe(session)
    const [row] = await house.rooms.audit.list({ userId: it.member.user.id, kind: 'admin', limit: 1 })
    expect({ action: row?.action, profile: row?.profileId, detail: row?.detail }).toEqual({
      action: 'grant.switch',
      profile: it.home,
      detail: { from: it.work, allowed: 2, asked: 1, refused: 0 },
    })
    // What is heard from now on is heard of the profile that it is at.
    const before = told(app)
    await house.rooms.profiles.setTools(it.member.user, it.home, [ids['echo'] as ToolId])
    expect(await eventually(() => told(app) > before, SOON_MS)).toBe(true)
    await house.rooms.profiles.setTools(it.member.user, it.work, [ids['sum'] as ToolId])
    await Bun.sleep(QUIET_MS)
    expect(told(app)).toBe(before + 1)
    await app.close()
  })
})

describe('what it may use there', () => {
  test('[CONTROL-SWITCH] nothing more, where that was chosen', async () => {
    const it = await scene()
    await switchTo(it, it.home, 'nothing')
    const app = await at(it, 'modern')
    expect(await namesOf(app)).toEqual(['echo'])
    await app.close()
  })

  test('[CONTROL-SWITCH] what was refused stays refused, and what joined a profile meanwhile is not let in by coming back', async () => {
    const it = await scene()
    const { control, profiles } = house.rooms
    await control.permit(it.member.user, it.grantId, { tools: new Map([[ids['echo'] as ToolId, 'refuse' as const]]) })
    await switchTo(it, it.home)
    const app = await at(it, 'modern')
    expect(await namesOf(app)).toEqual(['fail', 'meta'])
    await profiles.setTools(it.member.user, it.work, [ids['echo'], ids['sum'], ids['log']] as ToolId[])
    await switchTo(it, it.work)
    expect(await namesOf(app)).toEqual(['sum'])
    await app.close()
  })

  test('[CONTROL-SWITCH] a grant of one profile’s address stays there, and nobody switches to what is not theirs', async () => {
    const [mine, theirs] = await Promise.all([scene(), scene()])
    const { control } = house.rooms
    await expect(switchTo(mine, theirs.home)).rejects.toMatchObject({ code: 'profile_not_found' })
    await expect(control.switchProfile(mine.member.user, theirs.grantId, mine.home, 'usual')).rejects.toMatchObject({
      code: 'grant_not_found',
    })
    const bound = await house.admit({ title: 'Bound' }, [ids['echo'] as ToolId], mine.member)
    await expect(control.switchProfile(mine.member.user, bound.grantId, mine.home, 'usual')).rejects.toMatchObject({
      code: 'grant_not_found',
    })
    expect((await grantOf(mine)).profileId).toBe(mine.work)
  })

  test('[CONTROL-SWITCH] at the address of the profile that it left, its stream ends and its token is not for there', async () => {
    const it = await scene()
    const headers = { authorization: `Bearer ${it.token}`, accept: 'text/event-stream' }
    const stream = await fetch(`${house.url}/mcp/work`, { headers })
    expect(stream.status).toBe(200)
    const from = performance.now()
    await switchTo(it, it.home)
    await stream.text().catch(() => '')
    expect(performance.now() - from).toBeLessThan(SOON_MS)
    expect((await fetch(`${house.url}/mcp/work`, { headers })).status).toBe(401)
  })
})

describe('by schedule', () => {
  const EVERY_DAY = 0b1111111
  const berlin = 'Europe/Berlin'
  /** The same rooms with a clock of the test's own. */
  const withClock = (time: { now: number }) => {
    const { store, audit, grants, profiles, connections, clients, users } = house.rooms
    const announced: string[] = []
    const changes = { announce: ({ kind }: { kind: string }) => void announced.push(kind) }
    return createControl({ store, audit, grants, profiles, connections, clients, users, changes, clock: () => time.now })
  }
  const on = (text: string) => Date.parse(text)
  const profileNow = async (it: Scene) => ((await grantOf(it)).profileId === it.home ? 'home' : 'work')
  async function scheduled(now: string) {
    const it = await scene()
    const time = { now: on(now) }
    const control = withClock(time)
    const add = (profileId: ProfileId, minuteOfDay: number, days = EVERY_DAY) =>
      control.addSwitch(it.member.user, it.grantId, { profileId, days, minuteOfDay, timeZone: berlin })
    return { it, time, control, add }
  }

  test('[CONTROL-SCHEDULE] it is carried out once at its time, and recorded as an act of nobody', async () => {
    const { it, time, control, add } = await scheduled('2031-03-28T07:00:00Z')
    await add(it.home, 9 * 60)
    await control.runSwitches()
    expect(await profileNow(it)).toBe('work')
    time.now = on('2031-03-28T08:00:20Z')
    expect(await control.runSwitches()).toBe(1)
    expect(await profileNow(it)).toBe('home')
    const [row] = await house.rooms.audit.list({ grantId: it.grantId, kind: 'admin', limit: 1 })
    expect(row).toMatchObject({ action: 'grant.switch', reason: 'schedule', userName: null, userId: it.member.user.id, profileId: it.home })
    // Moved back by hand, it stays there until the next time.
    await switchTo(it, it.work)
    time.now = on('2031-03-28T20:00:00Z')
    expect(await control.runSwitches()).toBe(0)
    expect(await profileNow(it)).toBe('work')
    await control.removeSwitch(it.member.user, it.grantId, (await control.switchesOf(it.member.user, it.grantId))[0]?.id ?? '')
  })

  test('[CONTROL-SCHEDULE] after days of sleep the one that is due now counts, once', async () => {
    const { it, time, control, add } = await scheduled('2031-03-28T07:00:00Z')
    await add(it.home, 9 * 60)
    await add(it.work, 18 * 60)
    time.now = on('2031-04-02T10:00:00Z')
    await control.runSwitches()
    expect(await profileNow(it)).toBe('home')
    // A program that starts anew, on the same folder.
    await withClock(time).runSwitches()
    expect(
      (await house.rooms.audit.list({ grantId: it.grantId, kind: 'admin', limit: 10 })).filter((row) => row.reason === 'schedule'),
    ).toHaveLength(1)
    time.now = on('2031-04-02T16:00:10Z')
    await control.runSwitches()
    expect(await profileNow(it)).toBe('work')
  })

  test('[CONTROL-SCHEDULE] it keeps to the clock of its place on the day on which clocks change', async () => {
    // 30 March 2031, Berlin: nine in the morning is 07:00 UTC from now on, and was 08:00.
    const { it, time, control, add } = await scheduled('2031-03-29T09:00:00Z')
    await add(it.home, 9 * 60)
    time.now = on('2031-03-30T06:59:50Z')
    await control.runSwitches()
    expect(await profileNow(it)).toBe('work')
    time.now = on('2031-03-30T07:00:10Z')
    await control.runSwitches()
    expect(await profileNow(it)).toBe('home')
  })

  test('[CONTROL-SCHEDULE] one that was made after its time begins with the next, and of one that is not theirs any more the trail says so', async () => {
    const { it, time, control, add } = await scheduled('2031-05-05T10:00:00Z')
    await add(it.home, 9 * 60)
    await control.runSwitches()
    expect(await profileNow(it)).toBe('work')
    const other = await house.member(`owner-${people}`)
    const open = await profileOf(other, 'Shared', ['echo'])
    const share = (visibility: 'open' | 'private') =>
      house.rooms.profiles.update(other.user, open, { title: 'Shared', description: '', naming: 'always', visibility })
    await share('open')
    await control.removeSwitch(it.member.user, it.grantId, (await control.switchesOf(it.member.user, it.grantId))[0]?.id ?? '')
    await add(open, 12 * 60 + 30)
    await share('private')
    time.now = on('2031-05-05T10:31:00Z')
    await control.runSwitches()
    expect(await profileNow(it)).toBe('work')
    const [row] = await house.rooms.audit.list({ grantId: it.grantId, kind: 'admin', limit: 1 })
    expect(row).toMatchObject({ action: 'grant.switch', outcome: 'refused', reason: 'profile_not_found' })
  })

  test.each([
    ['no day', { days: 0 }, 'days'],
    ['a time past midnight', { minuteOfDay: 1_440 }, 'time'],
    ['a place that is none', { timeZone: 'Mars/Phobos' }, 'time_zone'],
  ])('[CONTROL-SCHEDULE] %s is refused at its field', async (_, wrong, field) => {
    const { it, control } = await scheduled('2031-05-05T10:00:00Z')
    const asked = { profileId: it.home, days: EVERY_DAY, minuteOfDay: 60, timeZone: berlin, ...wrong }
    await expect(control.addSwitch(it.member.user, it.grantId, asked)).rejects.toMatchObject({
      code: 'invalid_form',
      fields: { [field]: expect.any(String) },
    })
    expect(await control.switchesOf(it.member.user, it.grantId)).toEqual([])
  })
})
