/** What is changed of an app while it is connected, by the clients of both SDKs: the next call, the next list, what it is told, what runs. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ConnectionId, ToolId } from '@/lib/ids.ts'
import type { Subject } from '@/grants'
import { type App, connect, type Era, refusalOf } from '../support/matrix/apps.ts'
import { type Admitted, type Member, type MatrixHouse, openMatrixHouse, overHttp } from '../support/matrix/house.ts'
import { startModernUpstream } from '../support/matrix/modern-upstream.ts'
import { eventually } from '../support/outside.ts'

const SOON_MS = 1_000
const QUIET_MS = 200
const ERAS: readonly Era[] = ['legacy', 'modern']

const upstream = startModernUpstream()
let house: MatrixHouse
let ids: Record<string, ToolId>
let connectionId: ConnectionId
let beside: Record<string, ToolId>
let besideId: ConnectionId
beforeAll(async () => {
  house = await openMatrixHouse()
  connectionId = await house.addConnection('Main', overHttp(upstream.url), { visibility: 'open' })
  besideId = await house.addConnection('Beside', overHttp(upstream.url), { visibility: 'open' })
  ids = await house.listed(connectionId)
  beside = await house.listed(besideId)
})
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
  await upstream.stop()
})

const TOOLS = ['echo', 'sum', 'forever', 'fail']
let people = 0
type Scene = { member: Member; admitted: Admitted; app: App }
/** A member with an app of this era at a profile of their own, its ear open. */
async function scene(era: Era, toolIds = TOOLS.map((name) => ids[name] as ToolId)): Promise<Scene> {
  people += 1
  const member = await house.member(`member-${people}`)
  const admitted = await house.admit({ title: `Profile ${people}` }, toolIds, member)
  const app = await connect(era, admitted)
  await app.listen()
  await Bun.sleep(100)
  return { member, admitted, app }
}
const namesOf = async (app: App) => (await app.tools()).tools.map(({ name }) => name).toSorted()
const told = ({ heard }: App) => heard.filter(({ method }) => method === 'notifications/tools/list_changed').length
async function toldOnce(app: App, before: number): Promise<void> {
  expect(await eventually(() => told(app) > before, SOON_MS)).toBe(true)
  await Bun.sleep(QUIET_MS)
  expect(told(app)).toBe(before + 1)
}
const acts = async (member: Member, action: string) =>
  (await house.rooms.audit.list({ userId: member.user.id, kind: 'admin', limit: 100 })).filter((row) => row.action === action)
const said = (app: App, name: string) => app.call({ name, arguments: { message: 'x' } })

describe.each([...ERAS])('a %s app', (era) => {
  test('[CONTROL-PERMIT] loses and gains tools by name in one act, is told once, and the trail says what changed', async () => {
    const { member, admitted, app } = await scene(era)
    const before = told(app)
    const permissions = new Map<ToolId, 'allow' | 'ask' | 'refuse'>([
      [ids['echo'] as ToolId, 'refuse'],
      [ids['sum'] as ToolId, 'refuse'],
      [ids['fail'] as ToolId, 'allow'],
    ])
    await house.rooms.control.permit(member.user, admitted.grantId, { tools: permissions })
    expect((await refusalOf(said(app, 'echo'))).code).toBe(-32602)
    expect(await namesOf(app)).toEqual(['fail', 'forever'])
    await toldOnce(app, before)
    const [row, ...others] = await acts(member, 'grant.permit')
    expect(others).toEqual([])
    expect(row?.detail).toEqual({
      tools: [
        { tool: 'echo', from: 'allow', to: 'refuse' },
        { tool: 'sum', from: 'allow', to: 'refuse' },
      ],
    })
    await house.rooms.control.permit(member.user, admitted.grantId, { tools: new Map([[ids['echo'] as ToolId, 'allow' as const]]) })
    expect(await said(app, 'echo')).not.toHaveProperty('isError', true)
    await app.close()
  })

  test('[CONTROL-PERMIT] is changed by kind with one act, whatever single tools were', async () => {
    const { member, admitted, app } = await scene(era)
    // These servers state no annotations, so that all of them are taken to write.
    await house.rooms.control.permit(member.user, admitted.grantId, { group: { kind: 'write', permission: 'refuse' } })
    expect(await namesOf(app)).toEqual([])
    await house.rooms.control.permit(member.user, admitted.grantId, { group: { kind: 'read', permission: 'allow' } })
    expect(await namesOf(app)).toEqual([])
    await house.rooms.control.permit(member.user, admitted.grantId, { group: { kind: 'write', permission: 'allow' } })
    expect(await namesOf(app)).toEqual(TOOLS.toSorted())
    // What changes nothing leaves no row: the second of the three met no tool.
    expect(await acts(member, 'grant.permit')).toHaveLength(2)
    await app.close()
  })

  test('[CONTROL-LATER] tools that join later are out, or in once that was chosen, and choosing moves nothing that is there', async () => {
    const { member, admitted, app } = await scene(era, [ids['echo'], ids['sum']] as ToolId[])
    const { control, profiles } = house.rooms
    const pick = (...names: string[]) =>
      profiles.setTools(
        member.user,
        admitted.profileId,
        names.map((name) => ids[name] as ToolId),
      )
    await control.permit(member.user, admitted.grantId, { tools: new Map([[ids['sum'] as ToolId, 'refuse' as const]]) })
    await pick('echo', 'sum', 'fail')
    expect(await namesOf(app)).toEqual(['echo'])
    await control.permit(member.user, admitted.grantId, { laterTools: 'in' })
    expect(await namesOf(app)).toEqual(['echo'])
    await pick('echo', 'sum', 'fail', 'meta')
    expect(await namesOf(app)).toEqual(['echo', 'meta'])
    await control.permit(member.user, admitted.grantId, { laterTools: 'out' })
    expect(await namesOf(app)).toEqual(['echo', 'meta'])
    await pick('echo', 'sum', 'fail', 'meta', 'log')
    expect(await namesOf(app)).toEqual(['echo', 'meta'])
    await app.close()
  })

  test('[CONTROL-KIND] a kind that was corrected is in the annotations, and groups go by it', async () => {
    const { member, admitted, app } = await scene(era)
    const { control, profiles } = house.rooms
    const adjust = (name: string, kind: 'read' | 'destructive') =>
      profiles.adjustTool(member.user, admitted.profileId, ids[name] as ToolId, { override: { kind }, isPinned: false })
    await adjust('echo', 'read')
    await adjust('sum', 'destructive')
    const hints = (await app.tools()).tools
      .filter(({ annotations }) => annotations !== undefined)
      .map(({ name, annotations }) => ({ name, annotations }))
    expect(hints.toSorted((a, b) => String(a.name).localeCompare(String(b.name)))).toEqual([
      { name: 'echo', annotations: { readOnlyHint: true, destructiveHint: false } },
      { name: 'sum', annotations: { readOnlyHint: false, destructiveHint: true } },
    ])
    await control.permit(member.user, admitted.grantId, { group: { kind: 'destructive', permission: 'refuse' } })
    expect(await namesOf(app)).toEqual(['echo', 'fail', 'forever'])
    const view = await profiles.view(admitted.profileId)
    expect(view.byToolId.get(ids['echo'] as ToolId)?.kind).toBe('read')
    await app.close()
  })

  test('[CONTROL-PAUSE] what is paused in whatever way answers 403 with its sentence, and goes on with the same session', async () => {
    const { member, admitted, app } = await scene(era)
    const { control, grants } = house.rooms
    const { clientId } = (await grants.find(admitted.grantId)) ?? (undefined as never)
    const ways: readonly [says: string, by: Member['user'], subject: Subject, whose: 'own' | 'everyone'][] = [
      ['You paused this app', member.user, { kind: 'client', id: clientId }, 'own'],
      ['An administrator paused this app', house.user, { kind: 'client', id: clientId }, 'everyone'],
      ['The profile of this app is paused', member.user, { kind: 'profile', id: admitted.profileId }, 'everyone'],
      ['You paused all your apps', member.user, { kind: 'everything' }, 'own'],
      ['An administrator paused your apps', house.user, { kind: 'user', id: member.user.id }, 'everyone'],
      ['An administrator paused all apps', house.user, { kind: 'everything' }, 'everyone'],
    ]
    for (const [says, by, subject, whose] of ways) {
      await control.pause(by, subject, whose)
      const refused = await fetch(admitted.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${admitted.token}`, 'content-type': 'application/json' },
        body: '{}',
      })
      expect({ status: refused.status, challenge: refused.headers.get('www-authenticate') }).toEqual({ status: 403, challenge: null })
      expect(await refused.text()).toContain(says)
      expect((await refusalOf(said(app, 'echo'))).message).not.toContain('was answered')
      expect((await refusalOf(app.tools())).message).not.toContain('was answered')
      // Twice is once.
      await control.pause(by, subject, whose)
      await control.resume(by, subject, whose)
      expect(await said(app, 'echo')).not.toHaveProperty('isError', true)
    }
    await app.close()
  })

  test('[CONTROL-PAUSE] a call that runs ends within a second, at its server too', async () => {
    const { member, app } = await scene(era)
    const before = upstream.world.seen.cancelled.length
    const running = refusalOf(app.call({ name: 'forever', arguments: {} }, { signal: AbortSignal.timeout(5_000) }))
    await Bun.sleep(200)
    const at = performance.now()
    await house.rooms.control.pause(member.user, { kind: 'everything' }, 'own')
    expect(await eventually(() => upstream.world.seen.cancelled.length > before, SOON_MS)).toBe(true)
    expect(performance.now() - at).toBeLessThan(SOON_MS)
    await app.close()
    await running
  })

  test('[CONTROL-PAUSE] two pauses are two: the app goes on once both are lifted', async () => {
    const { member, admitted, app } = await scene(era)
    const { control, grants } = house.rooms
    await grants.pause(member.user, admitted.grantId)
    await control.pause(member.user, { kind: 'everything' }, 'own')
    await control.resume(member.user, { kind: 'everything' }, 'own')
    expect((await refusalOf(said(app, 'echo'))).message).not.toContain('was answered')
    await grants.resume(member.user, admitted.grantId)
    expect(await said(app, 'echo')).not.toHaveProperty('isError', true)
    await app.close()
  })

  test('[CONTROL-CONNECTION] of a resource whose connection is paused nothing is heard', async () => {
    const { member, app } = await scene(era, [ids['update'], ids['test://one']] as ToolId[])
    const { control } = house.rooms
    await app.watch('test://one')
    await Bun.sleep(150)
    const heard = () => app.heard.filter(({ method }) => method === 'notifications/resources/updated').length
    upstream.world.update('test://one')
    expect(await eventually(() => heard() === 1, SOON_MS)).toBe(true)
    await control.pause(member.user, { kind: 'connection', id: connectionId }, 'own')
    await Bun.sleep(QUIET_MS)
    upstream.world.update('test://one')
    await Bun.sleep(QUIET_MS)
    expect(heard()).toBe(1)
    await control.resume(member.user, { kind: 'connection', id: connectionId }, 'own')
    await Bun.sleep(QUIET_MS)
    upstream.world.update('test://one')
    expect(await eventually(() => heard() === 2, SOON_MS)).toBe(true)
    await app.close()
  })

  test('[CONTROL-CONNECTION] a paused connection takes its tools along, ends its calls, says why, and leaves the rest alone', async () => {
    const both = [ids['echo'], ids['forever'], beside['sum']] as ToolId[]
    const { member, app } = await scene(era, both)
    const { control } = house.rooms
    const before = told(app)
    const running = app.call({ name: 'forever', arguments: {} }, { signal: AbortSignal.timeout(5_000) })
    await Bun.sleep(200)
    const at = performance.now()
    await control.pause(member.user, { kind: 'connection', id: connectionId }, 'own')
    const ended = await running
    expect(performance.now() - at).toBeLessThan(SOON_MS)
    expect(JSON.stringify(ended)).toContain('paused in Toolpass')
    expect(await namesOf(app)).toEqual(['sum'])
    await toldOnce(app, before)
    const refused = await said(app, 'echo')
    expect([refused['isError'], JSON.stringify(refused)]).toEqual([true, expect.stringContaining('paused in Toolpass')])
    expect(await said(app, 'sum')).not.toHaveProperty('isError', true)
    const [row] = await house.rooms.audit.list({ userId: member.user.id, kind: 'call', outcome: 'refused', limit: 1 })
    expect([row?.subject, row?.reason]).toEqual(['echo', 'connection_paused'])
    await control.resume(member.user, { kind: 'connection', id: connectionId }, 'own')
    expect(await namesOf(app)).toEqual(['echo', 'forever', 'sum'])
    await app.close()
  })

  test('[CONTROL-WHOSE] what one user pauses, narrows or revokes touches nobody else', async () => {
    const [mine, theirs] = await Promise.all([scene(era), scene(era)])
    const { control, grants } = house.rooms
    const { clientId } = (await grants.find(mine.admitted.grantId)) ?? (undefined as never)
    const everything: readonly Subject[] = [
      { kind: 'everything' },
      { kind: 'client', id: clientId },
      { kind: 'connection', id: connectionId },
    ]
    for (const subject of everything) {
      await control.pause(mine.member.user, subject, 'own')
      expect(await said(theirs.app, 'echo')).not.toHaveProperty('isError', true)
      expect(await namesOf(theirs.app)).toEqual(TOOLS.toSorted())
    }
    expect(told(theirs.app)).toBe(0)
    await control.revoke(mine.member.user, { kind: 'connection', id: connectionId }, 'own')
    await control.revoke(mine.member.user, { kind: 'everything' }, 'own')
    expect(await namesOf(theirs.app)).toEqual(TOOLS.toSorted())
    expect((await grants.find(mine.admitted.grantId))?.revokedAt).not.toBeNull()
    await Promise.all([mine.app.close(), theirs.app.close()])
  })
})

/** A request whose head is there, and whose body comes when `send` is called. @returns the answer's first line */
function slowRequest({ url, token }: Pick<Admitted, 'url' | 'token'>, body: string) {
  const { hostname, port, pathname } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<string>()
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  const socket = Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: (opened) => void opened.write(`${head.join('\r\n')}\r\n\r\n`),
      data: (_, bytes) => resolve(bytes.toString().split('\r\n')[0] ?? ''),
    },
  })
  return { send: async () => void (await socket).write(body), answer: promise }
}

test.each([
  ['paused', 'HTTP/1.1 403 Forbidden', (it: Scene) => house.rooms.control.pause(it.member.user, { kind: 'everything' }, 'own')],
  ['revoked', 'HTTP/1.1 401 Unauthorized', (it: Scene) => house.rooms.grants.revoke(it.member.user, it.admitted.grantId)],
] as const)('[CONTROL-PAUSE, GATEWAY-AT-ONCE] a body that was on its way when its app was %s is not served', async (_, expected, act) => {
  const it = await scene('legacy')
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { message: 'late' } } })
  const [before, late] = [slowRequest(it.admitted, call), slowRequest(it.admitted, call)]
  await before.send()
  expect(await before.answer).toStartWith('HTTP/1.1 200')
  await Bun.sleep(100)
  await act(it)
  await late.send()
  expect(await late.answer).toBe(expected)
  await it.app.close()
})

describe('revoking many', () => {
  test('[CONTROL-REVOKE] ends what is meant and nothing else, each with its row', async () => {
    const [one, other] = await Promise.all([scene('modern'), scene('modern')])
    const { control, grants, audit } = house.rooms
    expect(await control.met(house.user, { kind: 'user', id: one.member.user.id }, 'everyone')).toEqual({ apps: 1, users: 1 })
    expect(await control.revoke(house.user, { kind: 'user', id: one.member.user.id }, 'everyone')).toBe(1)
    expect(await control.revoke(house.user, { kind: 'user', id: one.member.user.id }, 'everyone')).toBe(0)
    expect((await fetch(one.admitted.url, { headers: { authorization: `Bearer ${one.admitted.token}` } })).status).toBe(401)
    expect((await grants.find(other.admitted.grantId))?.revokedAt).toBeNull()
    const rows = await audit.list({ grantId: one.admitted.grantId, kind: 'admin', limit: 10 })
    expect(rows.map(({ action, reason, userName }) => ({ action, reason, userName }))).toEqual([
      { action: 'grant.revoke', reason: 'user_revoked', userName: house.user.username },
    ])
    await Promise.all([one.app.close(), other.app.close()])
  })

  test('[CONTROL-REVOKE] a connection that was taken is out of other profiles of the app too, and comes back tool by tool', async () => {
    const { member, admitted, app } = await scene('modern', [ids['echo'], ids['sum'], beside['fail']] as ToolId[])
    const { control } = house.rooms
    expect(await control.revoke(member.user, { kind: 'connection', id: connectionId }, 'own')).toBe(1)
    expect(await namesOf(app)).toEqual(['fail'])
    await control.permit(member.user, admitted.grantId, { tools: new Map([[ids['echo'] as ToolId, 'allow' as const]]) })
    expect(await namesOf(app)).toEqual(['echo', 'fail'])
    await app.close()
  })
})

describe('until when', () => {
  const DAY = 86_400_000
  test('[CONTROL-EXPIRY] more time reaches the tokens, less ends them, and none comes back from an end', async () => {
    const { member, admitted, app } = await scene('modern')
    const { oauth, grants } = house.rooms
    await oauth.extend(member.user, admitted.grantId, { expiresAt: Date.now() + DAY })
    const shortened = await oauth.verify(admitted.token)
    expect(shortened && 'until' in shortened && shortened.until).toBeLessThan(Date.now() + DAY)
    await oauth.extend(member.user, admitted.grantId, { expiresAt: null })
    expect((await grants.find(admitted.grantId))?.expiresAt).toBeNull()
    expect(await said(app, 'echo')).not.toHaveProperty('isError', true)
    await grants.revoke(member.user, admitted.grantId)
    await expect(oauth.extend(member.user, admitted.grantId, { expiresAt: null })).rejects.toMatchObject({ code: 'grant_not_found' })
    await app.close()
  })

  test('[CONTROL-EXPIRY] nobody extends the app of another', async () => {
    const theirs = await scene('modern')
    // Not even an administrator.
    const asked = house.rooms.oauth.extend(house.user, theirs.admitted.grantId, { expiresAt: null })
    await expect(asked).rejects.toMatchObject({ code: 'grant_not_found' })
    await theirs.app.close()
  })
})
