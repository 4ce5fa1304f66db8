/** What ends or narrows an access holds at once, also where the gateway has just let the same app in a hundred times: ABUSE rows 16 to 18. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import type { Subject } from '@/grants'
import type { ConnectionId } from '@/lib/ids.ts'
import { grants, tokens } from '@/store'
import type { User } from '@/users'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { answerOf, type App, type GatewayHouse, initialize, legacy, modern, openGatewayHouse, textIn } from '../support/gateway-house.ts'

const CALLERS = 6
const WARM_CALLS = 60
const END_MS_MAX = 1_000
/** Long enough to be let in, open streams and grow warm; short enough to wait for. */
const RUNS_OUT_MS = 1_500

const upstream = startEchoUpstream('modern', ({ id }) => json(answerText(id, { resultType: 'complete', content: [] })))
let gateway: GatewayHouse
let ada: User
beforeAll(async () => {
  gateway = await openGatewayHouse()
  ada = gateway.admin
})
afterAll(async () => {
  await gateway.close()
  await upstream.stop()
})

type Scene = { app: App; connectionId: ConnectionId; user: User }
let scenes = 0
/** A member with a profile of their own, made of a connection that ada opened to all, and an app that may use all of it. */
async function scene(): Promise<Scene> {
  scenes += 1
  const connectionId = await gateway.connection(ada, `Echo ${scenes}`, { settings: { url: upstream.url }, visibility: 'open' })
  const user = await gateway.user(`member-${scenes}`)
  const app = await gateway.app(user, await gateway.profile(user, `Row ${scenes}`, [connectionId], 'never'))
  return { app, connectionId, user }
}
const toolIn = async ({ connectionId }: Scene) => {
  const [tool] = await gateway.house.connections.tools([connectionId])
  if (!tool) throw new Error('no tool')
  return tool.id
}
const revokeToken = async ({ app }: Scene, token: string) => {
  const answer = await fetch(`${gateway.url}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token, client_id: app.clientId }),
  })
  expect(answer.status).toBe(200)
}
const clientOf = async ({ app }: Scene): Promise<Subject> => ({ kind: 'client', id: (await demandGrant(app)).clientId })
const soon = () => Date.now() + RUNS_OUT_MS

type Row = {
  what: string
  /** What was arranged before the app began. */
  before?(scene: Scene): Promise<unknown>
  act(scene: Scene): Promise<unknown>
  /** What would meet the other scenes is taken back. */
  after?(): Promise<unknown>
  answer: 401 | 403 | -32602 | 'paused'
  isEnd: boolean
}
const ROWS: readonly Row[] = [
  { what: 'the grant is paused', act: ({ app, user }) => gateway.house.grants.pause(user, app.grantId), answer: 403, isEnd: true },
  {
    what: 'the user pauses the client',
    act: async (it) => gateway.house.control.pause(it.user, await clientOf(it), 'own'),
    answer: 403,
    isEnd: true,
  },
  {
    what: 'an administrator pauses the client',
    act: async (it) => gateway.house.control.pause(ada, await clientOf(it), 'everyone'),
    answer: 403,
    isEnd: true,
  },
  {
    what: 'its owner pauses the profile',
    act: ({ app, user }) => gateway.house.control.pause(user, { kind: 'profile', id: app.profile.id }, 'everyone'),
    answer: 403,
    isEnd: true,
  },
  {
    what: 'the user pauses all their apps',
    act: ({ user }) => gateway.house.control.pause(user, { kind: 'everything' }, 'own'),
    answer: 403,
    isEnd: true,
  },
  {
    what: 'an administrator pauses the user',
    act: ({ user }) => gateway.house.control.pause(ada, { kind: 'user', id: user.id }, 'everyone'),
    answer: 403,
    isEnd: true,
  },
  {
    what: 'an administrator pauses everything',
    act: () => gateway.house.control.pause(ada, { kind: 'everything' }, 'everyone'),
    after: () => gateway.house.control.resume(ada, { kind: 'everything' }, 'everyone'),
    answer: 403,
    isEnd: true,
  },
  {
    what: 'its owner pauses the connection',
    act: ({ connectionId }) => gateway.house.control.pause(ada, { kind: 'connection', id: connectionId }, 'everyone'),
    answer: 'paused',
    isEnd: false,
  },
  {
    what: 'a guest pauses the connection for themselves',
    act: ({ connectionId, user }) => gateway.house.control.pause(user, { kind: 'connection', id: connectionId }, 'own'),
    answer: 'paused',
    isEnd: false,
  },
  {
    what: 'the connection is taken from all apps',
    act: ({ connectionId }) => gateway.house.control.revoke(ada, { kind: 'connection', id: connectionId }, 'everyone'),
    answer: -32602,
    isEnd: false,
  },
  {
    what: 'the user revokes the client',
    act: async (it) => gateway.house.control.revoke(it.user, await clientOf(it), 'own'),
    answer: 401,
    isEnd: true,
  },
  {
    what: 'the profile is revoked from all apps',
    act: ({ app, user }) => gateway.house.control.revoke(user, { kind: 'profile', id: app.profile.id }, 'everyone'),
    answer: 401,
    isEnd: true,
  },
  {
    what: 'an administrator revokes all apps of the user',
    act: ({ user }) => gateway.house.control.revoke(ada, { kind: 'user', id: user.id }, 'everyone'),
    answer: 401,
    isEnd: true,
  },
  { what: 'the grant is revoked', act: ({ app, user }) => gateway.house.grants.revoke(user, app.grantId), answer: 401, isEnd: true },
  { what: 'the access token is revoked', act: (it) => revokeToken(it, it.app.token), answer: 401, isEnd: true },
  { what: 'the refresh token is revoked', act: (it) => revokeToken(it, it.app.refreshToken), answer: 401, isEnd: true },
  { what: 'the user is disabled', act: ({ user }) => gateway.house.users.disable(ada, user.id), answer: 401, isEnd: true },
  {
    what: 'the client is blocked',
    act: async ({ app }) => gateway.house.clients.block(ada, (await demandGrant(app)).clientId),
    answer: 401,
    isEnd: true,
  },
  {
    what: 'the client is removed',
    act: async ({ app }) => gateway.house.clients.remove(ada, (await demandGrant(app)).clientId),
    answer: 401,
    isEnd: true,
  },
  { what: 'the profile is removed', act: ({ app, user }) => gateway.house.profiles.remove(user, app.profile.id), answer: 401, isEnd: true },
  {
    what: 'the tool is refused at the grant',
    act: async (it) => gateway.house.grants.permit(it.user, it.app.grantId, await toolIn(it), 'refuse'),
    answer: -32602,
    isEnd: false,
  },
  {
    what: 'the tool is taken out of the profile',
    act: ({ app, user }) => gateway.house.profiles.setTools(user, app.profile.id, []),
    answer: -32602,
    isEnd: false,
  },
  {
    what: 'the connection is made private',
    act: ({ connectionId }) =>
      gateway.house.connections.update(ada, connectionId, {
        name: `Private ${scenes}`,
        visibility: 'private',
        settings: { url: upstream.url } as never,
      }),
    answer: -32602,
    isEnd: false,
  },
  {
    what: 'the connection is removed',
    act: ({ connectionId }) => gateway.house.connections.remove(ada, connectionId),
    answer: -32602,
    isEnd: false,
  },
  {
    what: 'the token runs out',
    before: ({ app }) =>
      gateway.house.store.transact((tx) => tx.update(tokens).set({ expiresAt: soon() }).where(eq(tokens.grantId, app.grantId))),
    act: async ({ app }) => {
      const rows = await gateway.house.store.read.select().from(tokens).where(eq(tokens.grantId, app.grantId))
      await Bun.sleep(Math.max(...rows.map(({ expiresAt }) => expiresAt)) - Date.now() + 5)
    },
    answer: 401,
    isEnd: false,
  },
  {
    what: 'the grant runs out',
    before: ({ app }) =>
      gateway.house.store.transact((tx) => tx.update(grants).set({ expiresAt: soon() }).where(eq(grants.id, app.grantId))),
    act: async ({ app }) => Bun.sleep(((await demandGrant(app)).expiresAt ?? 0) - Date.now() + 5),
    answer: 401,
    isEnd: true,
  },
]
async function demandGrant({ grantId }: App) {
  const grant = await gateway.house.grants.find(grantId)
  if (!grant) throw new Error('no grant')
  return grant
}

/** What a request is answered with: the status where it is not 200, else the code of the error, else 200. */
async function outcomeOf(answer: Response): Promise<number | string> {
  if (answer.status !== 200) return (await answer.text(), answer.status)
  const said = await answerOf(answer)
  if (said.result?.['isError'] === true && textIn(said).includes('paused in Toolpass')) return 'paused'
  return said.error?.code ?? 200
}
/** Resolves with the time at which the stream was over. */
const endOf = async (stream: Response): Promise<number> => (await stream.text().catch(() => ''), performance.now())

test.each(ROWS)(
  '[GATEWAY-AT-ONCE, ABUSE-16] once $what the very next request is answered $answer',
  async ({ before, act, after: takeBack, answer, isEnd }) => {
    const it = await scene()
    const { app } = it
    await before?.(it)
    const session = await initialize(app)
    const ending = new AbortController()
    const get = await fetch(app.url, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${app.token}`, ...session },
      signal: ending.signal,
    })
    const listening = await modern(app, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { signal: ending.signal })
    expect([get.status, listening.status]).toEqual([200, 200])
    const ends = Promise.all([endOf(get), endOf(listening)])

    const seen: { from: number; outcome: number | string }[] = []
    let isOver = false
    const callers = Array.from({ length: CALLERS }, async (_, at) => {
      while (!isOver) {
        const from = performance.now()
        const call = { name: 'echo', arguments: {} }
        const outcome = await outcomeOf(
          await (at % 2 ? modern(app, 'tools/call', call) : legacy(app, 'tools/call', call, { headers: session })),
        )
        seen.push({ from, outcome })
      }
    })
    while (seen.length < WARM_CALLS) await Bun.sleep(5)
    expect(new Set(seen.map(({ outcome }) => outcome))).toEqual(new Set([200]))
    await act(it)
    const at = performance.now()
    await Bun.sleep(60)
    isOver = true
    await Promise.all(callers)
    const after = seen.filter(({ from }) => from >= at).map(({ outcome }) => outcome)
    expect(after.length).toBeGreaterThanOrEqual(CALLERS)
    expect(new Set(after)).toEqual(new Set([answer]))
    if (isEnd) {
      const ended = await Promise.race([ends, Bun.sleep(END_MS_MAX + 500).then(() => [Number.POSITIVE_INFINITY])])
      for (const end of ended) expect(end - at).toBeLessThan(END_MS_MAX)
    }
    ending.abort()
    await takeBack?.()
    expect(gateway.faults).toEqual([])
  },
)
