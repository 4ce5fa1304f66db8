/** Upstreams in trouble, seen by an app whose other calls have to go on. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ConnectionId } from '@/lib/ids.ts'
import { answerText, events, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { answerOf, type App, type GatewayHouse, legacy, modern, openGatewayHouse, textIn } from '../support/gateway-house.ts'
import { eventually } from '../support/outside.ts'
import { freePort } from '../support/running.ts'

const FILE = (name: string) => ({
  capabilities: { resources: {} },
  others: { 'resources/list': () => ({ result: { resources: [{ uri: `file:///${name}`, name }] } }) },
})
const said = (text: string, id: string | number) => answerText(id, { content: [{ type: 'text', text }] })
const CANNOT = 'The connected server cannot be reached.'
/** How often the other one may be slower while something is wrong than it is anyway, and what no machine is blamed for. */
const SLOWER_MAX = 20
const SLOW_MS = 150

/** What is wrong with it just now. */
let trouble: string | undefined
const never = () => new Promise<Response>(() => undefined)
const flood = () =>
  new Response(
    new ReadableStream({
      async pull(controller) {
        await Bun.sleep(1)
        controller.enqueue(
          new TextEncoder().encode(
            `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${'x'.repeat(1_000)}"}}\n\n`.repeat(
              20,
            ),
          ),
        )
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  )
const TROUBLES: Record<string, (id: string | number) => Response | Promise<Response>> = {
  cut: () => events(),
  'another id': (id: string | number) => json(said('not yours', `${id}`)),
  'two answers': (id: string | number) => events(said('first', id), said('second', id)),
  'a batch with two answers': (id: string | number) => json(`[${said('first', id)},${said('second', id)}]`),
  'not JSON': () => json('{"jsonrpc":'),
  'deep JSON': (id: string | number) => json(`{"jsonrpc":"2.0","id":${id},"result":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`),
  '50 MB': (id: string | number) => json(said('x'.repeat(50 * 1024 * 1024), id)),
  'both a result and an error': (id: string | number) =>
    json(`{"jsonrpc":"2.0","id":${id},"result":{"content":[]},"error":{"code":1,"message":"no"}}`),
  'a question instead': (id: string | number) => json(`{"jsonrpc":"2.0","id":${id},"method":"elicitation/create","params":{}}`),
  never,
  flood,
}
const ENDLESS: readonly string[] = ['never', 'flood']

const bad = startEchoUpstream('modern', ({ id }) => TROUBLES[trouble ?? '']?.(id) ?? json(said('bad is fine', id)))
const good = startEchoUpstream('modern', ({ id }) => json(said('good', id)), FILE('good'))
let port = 0
let gateway: GatewayHouse
let app: App
let away: { stop(isHurried: boolean): Promise<void> }

/** A server of its own port, so that it can go and come back. */
const startAway = () =>
  Bun.serve({
    port,
    hostname: '127.0.0.1',
    fetch: async (request) => fetch(inner.url, { method: request.method, headers: request.headers, body: await request.text() }),
  })
const inner = startEchoUpstream('modern', ({ id }) => json(said('back', id)), FILE('away'))

beforeAll(async () => {
  gateway = await openGatewayHouse()
  port = await freePort()
  away = startAway()
  const ids: ConnectionId[] = []
  for (const [name, url] of [
    ['Bad', bad.url],
    ['Good', good.url],
    ['Away', `http://127.0.0.1:${port}/mcp`],
  ] as const)
    ids.push(await gateway.connection(gateway.admin, name, { settings: { url } }))
  app = await gateway.app(gateway.admin, await gateway.profile(gateway.admin, 'All', ids))
})
afterAll(async () => {
  await gateway.close()
  await Promise.all([bad, good, inner, { stop: () => away.stop(true) }].map((each) => each.stop()))
})

const call = (name: string, signal?: AbortSignal) =>
  modern(app, 'tools/call', { name, arguments: {} }, { ...(signal && { signal }) }).then(answerOf)
const median = (all: number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
/** How long calls of the good one take while something else goes on. */
async function meanwhile(work: Promise<unknown>): Promise<number> {
  const times: number[] = []
  let isOver = false
  const settled = work.finally(() => {
    isOver = true
  })
  do {
    const from = performance.now()
    expect(textIn(await call('good__echo'))).toBe('good')
    times.push(performance.now() - from)
  } while (!isOver || times.length < 20)
  await settled
  return median(times)
}

describe('an upstream that does as it likes', () => {
  const isClean = () => gateway.house.connections.check(gateway.admin, badId)
  let badId: ConnectionId
  beforeAll(async () => {
    const [found] = (await gateway.house.connections.list(gateway.admin)).filter(({ name }) => name === 'Bad')
    badId = found?.id as ConnectionId
  })
  test.each(Object.keys(TROUBLES))(
    '[GATEWAY-TROUBLE] with %s costs its own calls alone, which say so',
    async (kind) => {
      const alone = await meanwhile(Promise.resolve())
      trouble = kind
      const one = async (send: typeof modern) => {
        const signal = AbortSignal.timeout(ENDLESS.includes(kind) ? 300 : 10_000)
        const answer = await send(app, 'tools/call', { name: 'bad__echo', arguments: {} }, { signal })
          .then(answerOf)
          .catch((error: Error) => error.name)
        if (ENDLESS.includes(kind)) return expect(answer).toBe('TimeoutError')
        if (typeof answer === 'string') throw new Error(answer)
        if (kind.includes('two answers')) return expect(['first', 'second']).toContain(textIn(answer))
        // Which of the two counts is the gateway's to say; that it is one of them is not.
        if (kind.startsWith('both'))
          return expect([answer.error === undefined, answer.result === undefined].filter(Boolean)).toHaveLength(1)
        expect([answer.result?.['isError'], textIn(answer)]).toEqual([true, expect.stringMatching(/^The connected server .+\.$/) as never])
      }
      const during = await meanwhile(Promise.all([one(modern), one(legacy), one(modern)]))
      expect(during).toBeLessThan(Math.max(alone * SLOWER_MAX, SLOW_MS))
      trouble = undefined
      await isClean()
      expect(textIn(await call('bad__echo'))).toBe('bad is fine')
      expect(gateway.faults).toEqual([])
    },
    20_000,
  )
})

test('[GATEWAY-TROUBLE] after five failures in a row it is not asked any more, then once, and with its success by all', async () => {
  trouble = 'cut'
  bad.calls.length = 0
  for (let at = 0; at < 5; at += 1) expect((await call('bad__echo')).result?.['isError']).toBe(true)
  expect(bad.calls).toHaveLength(5)
  const opened = performance.now()
  for (const answer of await Promise.all(Array.from({ length: 20 }, () => call('bad__echo')))) expect(textIn(answer)).toBe(CANNOT)
  expect(bad.calls).toHaveLength(5)
  // Of another connection to the same server nothing is kept.
  expect(textIn(await call('good__echo'))).toBe('good')
  await Bun.sleep(2_050 - (performance.now() - opened))
  await Promise.all(Array.from({ length: 10 }, () => call('bad__echo')))
  expect(bad.calls).toHaveLength(6)
  trouble = undefined
  await Bun.sleep(4_050)
  await Promise.all(Array.from({ length: 10 }, () => call('bad__echo')))
  for (const answer of await Promise.all(Array.from({ length: 10 }, () => call('bad__echo')))) expect(textIn(answer)).toBe('bad is fine')
}, 20_000)

test('[GATEWAY-TROUBLE] an upstream that is away costs its calls, its resources are shown as they were with a note, and it is used again when it is back', async () => {
  await away.stop(true)
  const gone = await call('away__echo')
  expect([gone.result?.['isError'], textIn(gone)]).toEqual([true, CANNOT])
  expect(await meanwhile(call('away__echo'))).toBeLessThan(SLOW_MS)
  for (const send of [modern, legacy]) {
    const { result = {} } = await answerOf(await send(app, 'resources/list'))
    expect((result['resources'] as { uri: string }[]).map(({ uri }) => uri).sort()).toEqual(['file:///away', 'file:///good'])
    expect((result['_meta'] as Record<string, string>)['toolpass.dev/note']).toStartWith('Not reached just now: Away.')
  }
  away = startAway()
  let text = ''
  for (let at = 0; at < 40 && text !== 'back'; at += 1) {
    text = textIn(await call('away__echo'))
    if (text !== 'back') await Bun.sleep(100)
  }
  expect(text).toBe('back')
  expect(gateway.faults).toEqual([])
  // Of all that was given up nothing is under way any more.
  expect(await eventually(() => gateway.house.gateway.open().length === 0)).toBe(true)
}, 20_000)
