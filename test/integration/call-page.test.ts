/** The page of one call: what is kept of it, what its app may do from now on, doing it once more, and what others see of it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { User } from '@/users'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { type App, type GatewayHouse, modern, openGatewayHouse, textIn, answerOf } from '../support/gateway-house.ts'
import type { Person } from '../support/journey.ts'

const HOSTILE = '<img src=x onerror=alert(1)>'
let answers = 0
const echo = startEchoUpstream(
  'modern',
  ({ id, params }) => {
    answers += 1
    return json(
      answerText(id, {
        resultType: 'complete',
        content: [{ type: 'text', text: `${HOSTILE} answer ${answers} to ${(params?.['arguments'] as { account?: string })?.account}` }],
      }),
    )
  },
  { tools: ['look', 'change'], reads: ['look'] },
)
let rooms: GatewayHouse
let user: User
let app: App
let ada: Person
let bob: Person
let mia: Person

beforeAll(async () => {
  rooms = await openGatewayHouse()
  user = await rooms.user('bob')
  const miaUser = await rooms.user('mia')
  const id = await rooms.connection(rooms.admin, 'Echo', { settings: { url: echo.url }, visibility: 'open' })
  const profile = await rooms.profile(user, 'Work', [id], 'never')
  app = await rooms.app(user, profile)
  ada = await rooms.personOf(rooms.admin)
  bob = await rooms.personOf(user)
  mia = await rooms.personOf(miaUser)
}, 30_000)
afterAll(async () => {
  await rooms.close()
  await echo.stop()
})
beforeEach(async () => {
  const view = await rooms.house.profiles.viewFor(user.id, app.profile.id)
  await rooms.house.control.permit(user, app.grantId, { tools: new Map(view.tools.map(({ toolId }) => [toolId, 'allow'])) })
})

const rows = (limit = 1) => rooms.house.audit.list({ userId: user.id, kind: 'call', limit })
async function call(name: string, account: string): Promise<{ seq: number; text: string }> {
  const text = textIn(await answerOf(await modern(app, 'tools/call', { name, arguments: { account } })))
  await rooms.house.audit.flush()
  return { seq: (await rows())[0]?.seq ?? 0, text }
}
const onceMore = async (seq: number) => bob.submit(await bob.open(`/activity/${seq}`), `/activity/${seq}/replay`, {})

test('[CALL-KEPT, ABUSE-51] the page of a call shows what was kept, as text, and where the time went', async () => {
  const { seq } = await call('look', HOSTILE)
  const { html } = await bob.open(`/activity/${seq}`)
  expect(html).toContain('&quot;account&quot;: &quot;&lt;img src=x onerror=alert(1)&gt;&quot;')
  expect(html).toContain('answer')
  expect(html).not.toContain('<img')
  expect(html).toMatch(/at us/)
  expect(html).toMatch(/at its server/)
  expect(html).toContain(`/profiles/${app.profile.id}#keeps`)
})

test('[CALL-OTHERS] an administrator sees the row and none of its contents, and the look is a row itself; a member sees nothing', async () => {
  const { seq } = await call('look', 'winterfell')
  const { html } = await ada.open(`/activity/${seq}`)
  expect(html).toContain('is for its user alone')
  for (const word of ['winterfell', '/replay', '/permit']) expect(html).not.toContain(word)
  const [look] = await rooms.house.audit.list({ kind: 'admin', limit: 1 })
  expect(look).toMatchObject({ action: 'audit.look', subject: `record ${seq}` })
  expect((await mia.open(`/activity/${seq}`)).status).toBe(404)
  for (const [person, what] of [
    [mia, 'replay'],
    [ada, 'replay'],
    [ada, 'permit'],
    [mia, 'permit'],
  ] as const) {
    const before = echo.calls.length
    const forged = {
      ...(await person.open('/activity')),
      html: `<form action="/activity/${seq}/${what}"><input name="permission" value="refuse"></form>`,
    }
    expect(await person.submit(forged, `/activity/${seq}/${what}`, {}).catch((error: Error) => error.message)).toContain('answered 404')
    expect(echo.calls.length).toBe(before)
  }
  expect((await call('look', 'again')).text).toContain('answer')
})

test('[CALL-OTHERS] an administrator finds the call by its tool, and not by what was sent with it', async () => {
  const { seq } = await call('look', 'dragonstone')
  const found = async (person: Person) => (await person.open('/activity?q=dragonstone')).html.includes(`/activity/${seq}"`)
  expect([await found(bob), await found(ada), await found(mia)]).toEqual([true, false, false])
  expect((await ada.open('/activity?q=look')).html).toContain(`/activity/${seq}"`)
})

test('[CALL-PERMIT] what is chosen there holds on the next call', async () => {
  const { seq } = await call('look', 'one')
  await bob.submit(await bob.open(`/activity/${seq}`), `/activity/${seq}/permit`, { permission: 'refuse' })
  const before = echo.calls.length
  const refused = await answerOf(await modern(app, 'tools/call', { name: 'look', arguments: {} }))
  expect(refused.error?.code).toBe(-32602)
  expect(echo.calls.length).toBe(before)
  await bob.submit(await bob.open(`/activity/${seq}`), `/activity/${seq}/permit`, { permission: 'allow' })
  expect((await call('look', 'two')).text).toContain('answer')
})

test('[CALL-AGAIN] a tool that reads is called once more with the same arguments, in a row of its own', async () => {
  const { seq, text } = await call('look', 'highgarden')
  const { html } = await onceMore(seq)
  expect(html).toContain('What it answers now')
  expect(html).toContain(`answer ${answers} to highgarden`)
  expect(text).not.toContain(`answer ${answers} `)
  expect(JSON.parse(echo.calls.at(-1) ?? '{}').params.arguments).toEqual({ account: 'highgarden' })
  await rooms.house.audit.flush()
  const [again] = await rows()
  expect(again).toMatchObject({ clientName: 'Toolpass page', userName: 'bob', subject: 'look', outcome: 'ok', grantId: app.grantId })
  expect(again?.seq).toBeGreaterThan(seq)
  expect(html).toContain(`href="/activity/${again?.seq}"`)
})

test('[CALL-AGAIN] nothing is called again that may change something, was not kept as it was, or may not be called now', async () => {
  const view = await rooms.house.profiles.viewFor(user.id, app.profile.id)
  const look = view.byExposedName.get('look')
  if (!look) throw new Error('the profile lost its tool')
  const refuseLook = () => rooms.house.control.permit(user, app.grantId, { tools: new Map([[look.toolId, 'refuse']]) })
  const cases: [what: string, seq: number, before: () => Promise<unknown>, says: string][] = [
    ['changes', (await call('change', 'x')).seq, async () => undefined, 'may change something'],
    ['redacted', (await call('look', 'ghp_0123456789abcdefghijABCDEFGHIJ012345')).seq, async () => undefined, 'not kept as they were'],
    ['refused', (await call('look', 'x')).seq, refuseLook, 'may not call this tool'],
  ]
  for (const [what, seq, before, says] of cases) {
    await before()
    const page = await bob.open(`/activity/${seq}`)
    expect([what, page.html.includes(says), page.html.includes(`${seq}/replay`)]).toEqual([what, true, false])
    const calls = echo.calls.length
    const forged = { ...page, html: `<form action="/activity/${seq}/replay"></form>` }
    expect([what, await bob.submit(forged, `/activity/${seq}/replay`, {}).catch((error: Error) => error.message)]).toEqual([
      what,
      expect.stringContaining('answered 404'),
    ])
    expect(echo.calls.length).toBe(calls)
  }
})

test('[CALL-AGAIN] an app that is paused or revoked calls nothing, from here neither', async () => {
  const { seq } = await call('look', 'x')
  await rooms.house.grants.pause(user, app.grantId)
  expect((await bob.open(`/activity/${seq}`)).html).toContain('not connected any more, or paused')
  await rooms.house.grants.resume(user, app.grantId)
  expect((await bob.open(`/activity/${seq}`)).html).toContain(`/activity/${seq}/replay`)
  await rooms.house.grants.revoke(user, app.grantId)
  expect((await bob.open(`/activity/${seq}`)).html).toContain('not connected any more, or paused')
  expect((await bob.open(`/activity/${seq}`)).html).not.toContain(`/activity/${seq}/replay`)
})
