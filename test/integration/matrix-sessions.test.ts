/** Sessions of legacy apps: over a restart of the house, over broken lines, in batches, and at their end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connectLegacy, type Json, refusalOf, textOf } from '../support/matrix/apps.ts'
import { type Admitted, type MatrixHouse, openMatrixHouse, overHttp } from '../support/matrix/house.ts'
import { startLegacyUpstream } from '../support/matrix/legacy-upstream.ts'
import { createByHand, eventsOf } from '../support/matrix/lines.ts'
import { startModernUpstream } from '../support/matrix/modern-upstream.ts'
import { eventually } from '../support/outside.ts'

const servers = { legacy: startLegacyUpstream(), modern: startModernUpstream() }
/** Says its steps one by one, as slowly as the test wants. */
const slow = startSlowUpstream()
let house: MatrixHouse
const admitted = {} as Record<'legacy' | 'modern' | 'slow' | 'other', Admitted>
beforeAll(async () => {
  house = await openMatrixHouse()
  for (const [title, url] of [
    ['legacy', servers.legacy.url],
    ['modern', servers.modern.url],
    ['slow', slow.url],
  ] as const) {
    const ids = Object.values(await house.listed(await house.addConnection(title, overHttp(url))))
    admitted[title] = await house.admit({ title }, ids)
    if (title === 'slow') admitted.other = await house.admit({ title: 'other' }, ids)
  }
})
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
  await Promise.all([servers.legacy.stop(), servers.modern.stop(), slow.stop()])
})

/** A modern server by hand, whose one tool goes on when it is told to. */
function startSlowUpstream() {
  let go: (() => void) | undefined
  const tools: { name: string; inputSchema: { type: string } }[] = [{ name: 'slow', inputSchema: { type: 'object' } }]
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { id, method, params } = (await request.json()) as {
        id: number
        method: string
        params: { _meta: { progressToken?: unknown } }
      }
      const answer = (result: Json) => ({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } })
      if (method === 'server/discover') return Response.json(answer({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }))
      if (method === 'tools/list') return Response.json(answer({ tools }))
      const { progressToken } = params._meta
      const progressed = (progress: number) => ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress } })
      const stream = new ReadableStream<string>({
        async start(controller) {
          const send = (message: unknown) => controller.enqueue(`data: ${JSON.stringify(message)}\n\n`)
          send(progressed(1))
          await new Promise<void>((done) => (go = done))
          send(progressed(2))
          send(answer({ content: [{ type: 'text', text: 'All of it.' }] }))
          controller.close()
        },
      })
      return new Response(stream.pipeThrough(new TextEncoderStream()), { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    goOn: () => go?.(),
    isWaiting: () => go !== undefined,
    stop: () => server.stop(true),
  }
}

describe('over a restart of the house', () => {
  test.each(['legacy', 'modern'] as const)(
    '[GATEWAY-SESSION] an app of a %s server goes on with its session, its level and its subscriptions',
    async (era) => {
      const app = await connectLegacy(admitted[era])
      await app.setLevel('info')
      await app.watch('test://one')
      const session = app.transport.sessionId
      await house.stopServing()
      expect((await refusalOf(app.call({ name: 'echo' }))).message).not.toContain('was answered')
      await house.startServing()
      expect(textOf(await app.call({ name: 'echo', arguments: { message: 'still here' } }))).toBe('still here')
      expect(app.transport.sessionId).toBe(session)
      app.heard.length = 0
      await app.call({ name: 'log' })
      await eventually(() => app.heard.length >= 2)
      expect(app.heard.map(({ params }) => params['level'])).toEqual(['info', 'error'])
      // The SDK takes its stream up again by itself, and with it the house the subscriptions.
      const updated = () => app.heard.filter(({ method }) => method === 'notifications/resources/updated')
      const isTold = await eventually(async () => {
        servers[era].world.update('test://one')
        await Bun.sleep(50)
        return updated().length > 0
      }, 8_000)
      expect([isTold, updated()[0]?.params['uri']]).toEqual([true, 'test://one'])
      await app.close()
    },
  )
})

describe('a session', () => {
  test('[GATEWAY-SESSION] ends with DELETE, and is 404 from then on', async () => {
    const app = createByHand(admitted.legacy)
    await app.initialize()
    expect((await app.call('echo'))['result']).toBeDefined()
    expect((await app.end()).status).toBe(200)
    expect((await app.post({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).status).toBe(404)
    expect((await app.get()).status).toBe(404)
    await app.initialize()
    expect((await app.call('echo'))['result']).toBeDefined()
  })
})

describe('a line that breaks in the midst of a call', () => {
  const begun = async () => {
    const app = createByHand(admitted.slow)
    await app.initialize()
    const ending = new AbortController()
    const body = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'slow', _meta: { progressToken: 'p' } } }
    const first = await eventsOf(await app.post(body, { signal: ending.signal }), 2)
    ending.abort()
    return { app, first, lastId: first.at(-1)?.id ?? '' }
  }
  test('[GATEWAY-RESUME] loses nothing: the rest is got by the id of the last event, and nothing twice', async () => {
    const { app, first, lastId } = await begun()
    // The first event says how to come back, the second is the first step.
    expect(first.map(({ data }) => data?.['method'])).toEqual([undefined, 'notifications/progress'])
    slow.goOn()
    const rest = await eventsOf(await app.get({ 'last-event-id': lastId }))
    expect(rest.map(({ data }) => data?.['method'] ?? data?.['id'])).toEqual(['notifications/progress', 7])
    expect(textOf(rest.at(-1)?.data?.['result'])).toBe('All of it.')
    const again = await eventsOf(await app.get({ 'last-event-id': rest[0]?.id ?? '' }))
    expect(again.map(({ data }) => data?.['id'])).toEqual([7])
  })
  test('[GATEWAY-RESUME] gives nothing to another session, or to another grant, that knows the id', async () => {
    const { app, lastId } = await begun()
    for (const where of [admitted.slow, admitted.other]) {
      const stranger = createByHand(where)
      await stranger.initialize()
      const ending = new AbortController()
      const response = await stranger.get({ 'last-event-id': lastId }, ending.signal)
      slow.goOn()
      const reading = eventsOf(response).catch(() => [])
      await Bun.sleep(120)
      ending.abort()
      expect((await reading).filter(({ data }) => data !== undefined)).toEqual([])
    }
    expect((await eventsOf(await app.get({ 'last-event-id': lastId }))).map(({ data }) => data?.['id']).at(-1)).toBe(7)
  })
})

describe('a batch', () => {
  const BATCH = [
    { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: { name: 'echo', arguments: { message: 'one' } } },
    { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
    { jsonrpc: '2.0', id: 2, method: 'no/such' },
    { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'none' } },
    { jsonrpc: '2.0', id: 4, method: 'ping' },
  ]
  test('[GATEWAY-BATCH] is answered on 2025-03-26, each request on its own, in their order', async () => {
    const app = createByHand(admitted.modern, '2025-03-26')
    expect((await app.initialize())['protocolVersion']).toBe('2025-03-26')
    const answer = await app.post(BATCH)
    const answers = (await answer.json()) as { id: unknown; result?: Json; error?: { code: number } }[]
    expect([answer.status, answers.map(({ id }) => id)]).toEqual([200, ['a', 2, 3, 4]])
    expect([textOf(answers[0]?.result), answers[1]?.error?.code, answers[2]?.error?.code, answers[3]?.result]).toEqual([
      'one',
      -32_601,
      -32_602,
      {},
    ])
    const notified = await app.post(BATCH.slice(1, 2))
    expect([notified.status, await notified.text()]).toEqual([202, ''])
  })
  test.each(['2025-06-18', '2025-11-25'])('[GATEWAY-BATCH] is refused on %s, and nothing in it is carried out', async (revision) => {
    const app = createByHand(admitted.legacy, revision)
    await app.initialize()
    const answer = await app.post([
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'change', arguments: { what: 'tools' } } },
    ])
    expect([answer.status, ((await answer.json()) as { error: { code: number } }).error.code]).toEqual([400, -32_600])
    expect(servers.legacy.world.tools().map(({ name }) => name)).toContain('sometimes')
  })
})
