import { afterAll, describe, expect, test } from 'bun:test'
import { ask, greet, openHouse } from '../support/channels.ts'
import { eventually } from '../support/outside.ts'

// Row 48 of the abuse table, as far as it is the connectors': each hostile upstream ends bounded, in a ChannelError or unheard.
const house = openHouse()
const stops: (() => unknown)[] = [() => house.close()]
afterAll(() => Promise.all(stops.map((stop) => stop())))

/** A program that answers the first line it reads by running `script`, with `send` for whole messages. */
const hostileProgram = (script: string) =>
  house.open('stdio', {
    command: 'javascript',
    args: [
      '-e',
      `const send = (m) => process.stdout.write(JSON.stringify(m) + '\\n'); process.stdin.once('data', (d) => { const id = JSON.parse(String(d).split('\\n')[0]).id; ${script} }); setInterval(() => {}, 1000)`,
    ],
  })
async function hostileServer(handle: (id: number, request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: async (request) => {
      const body = request.method === 'POST' ? await request.clone().json() : {}
      return handle(body.id, request)
    },
  })
  stops.push(() => server.stop(true))
  return house.open('streamable-http', { url: server.url.href })
}
const events = (...messages: unknown[]) =>
  new Response(messages.map((message) => `data: ${typeof message === 'string' ? message : JSON.stringify(message)}\n\n`).join(''), {
    headers: { 'content-type': 'text/event-stream' },
  })
const result = (id: unknown, value: object = {}) => ({ jsonrpc: '2.0', id, result: value })
const deepJson = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`

describe('48: a hostile program', () => {
  test.each<[string, string, string]>([
    [
      'sends a message of 50 MB',
      'process.stdout.write(\'{"jsonrpc":"2.0","id":\' + id + \',"result":{"a":"\' + "x".repeat(50e6) + \'"}}\\n\')',
      'invalid',
    ],
    ['sends 50 MB without a line end', 'process.stdout.write("x".repeat(50e6))', 'invalid'],
    ['floods with lines that are no messages', 'for (let i = 0; i < 1e5; i++) process.stdout.write("banner\\n")', 'invalid'],
    [
      'sends deep JSON',
      `process.stdout.write('{"jsonrpc":"2.0","id":' + id + ',"result":' + '{"a":'.repeat(10000) + '1' + '}'.repeat(10000) + '}\\n')`,
      'invalid',
    ],
    ['ends', 'process.exit(0)', 'lost'],
    ['crashes', 'process.kill(process.pid, "SIGKILL")', 'lost'],
  ])('that %s ends as a ChannelError', async (_what, script, kind) => {
    const { channel } = await hostileProgram(script)
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject({ name: 'ChannelError', kind })
    await channel.close()
  })
  test('that answers with wrong ids, half a response, an array and late is not believed before the right answer', async () => {
    const wrong = [
      '{ jsonrpc: "2.0", id: id + 1, result: { wrong: 1 } }',
      '{ jsonrpc: "2.0", id: String(id), result: { wrong: 2 } }',
      '{ jsonrpc: "2.0", id }',
      '{ id, result: { wrong: 3 } }',
      '{ jsonrpc: "2.0", id, result: "text" }',
      '{ jsonrpc: "2.0", id, error: "text" }',
      '{ jsonrpc: "2.0", id: { toString: 1 }, result: {} }',
      'null',
      '7',
    ]
    const { channel, heard } = await hostileProgram(
      `${wrong.map((message) => `send(${message});`).join('')} send({ jsonrpc: "2.0", id, result: { right: true } }); send({ jsonrpc: "2.0", id, result: { late: true } })`,
    )
    expect((await ask(channel, 'tools/list', {})).result).toEqual({ right: true })
    expect(heard.closed).toEqual([])
    await channel.close()
  })
  test.each<[string, string]>([
    ['another id as well', '{"jsonrpc":"2.0","id":\' + id + \',"result":{},"id":7}'],
    ['no JSON in it', '{"jsonrpc":"2.0","id":\' + id + \',"result":{oops}}'],
  ])('whose answer to a forwarded request has %s is passed on unread, to nobody but its caller', async (_what, line) => {
    const { channel, heard } = await hostileProgram(`process.stdout.write('${line}\\n')`)
    const body = (id: number) => JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call' })
    const forward = (id: number, signal = new AbortController().signal) =>
      channel.forward?.({ id, body: body(id), method: 'tools/call' }, { signal, receive: () => undefined })
    const [answer, other] = [forward(1), forward(7, AbortSignal.timeout(300))]
    expect(Buffer.from((await answer)?.bytes ?? []).toString()).toBe(line.replace("' + id + '", '1'))
    await expect(other).rejects.toMatchObject({ kind: 'lost' })
    expect(heard.closed).toEqual([])
    await channel.close()
  })
  test('sees one message where a client wrote its request over several lines, one of them a request of its own', async () => {
    const { channel, heard } = await house.open('stdio', {
      command: 'javascript',
      args: ['-e', "process.stdin.on('data', (d) => process.stderr.write('got ' + String(d)))"],
    })
    const smuggled = '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"not-granted"}}'
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":[\n${smuggled}\r${smuggled}\r\n]}}`
    const stop = new AbortController()
    void channel.forward?.({ id: 1, body, method: 'tools/call' }, { signal: stop.signal, receive: () => undefined }).catch(() => undefined)
    expect(await eventually(() => heard.lines.length > 0)).toBe(true)
    expect(heard.lines).toEqual([`got ${body.replace(/[\r\n]/g, ' ')}`])
    stop.abort()
    await channel.close()
  })
  test('that floods stderr fills no log', async () => {
    const { channel, heard } = await hostileProgram(
      'for (let i = 0; i < 50000; i++) console.error("line " + i); console.error("x".repeat(1e6)); send({ jsonrpc: "2.0", id, result: {} })',
    )
    await ask(channel, 'tools/list', {})
    await Bun.sleep(100)
    expect(heard.lines.length).toBeLessThan(300)
    expect(Math.max(...heard.lines.map((line) => line.length))).toBeLessThan(5_000)
    await channel.close()
  })
  test('that sends notifications without end harms no other channel', async () => {
    const flood = await hostileProgram(
      'setInterval(() => { for (let i = 0; i < 200; i++) send({ jsonrpc: "2.0", method: "notifications/message", params: {} }) }, 1)',
    )
    const other = await hostileProgram('send({ jsonrpc: "2.0", id, result: { ok: 1 } })')
    void ask(flood.channel, 'tools/list', {}).catch(() => {})
    const startMs = performance.now()
    expect((await ask(other.channel, 'tools/list', {})).result).toEqual({ ok: 1 })
    expect(performance.now() - startMs).toBeLessThan(2_000)
    await Promise.all([flood.channel.close(), other.channel.close()])
  })
})

describe('48: a hostile server', () => {
  const big = 'x'.repeat(20_000_000)
  const json = (text: string, init: ResponseInit = {}) =>
    new Response(text, { ...init, headers: { 'content-type': 'application/json', ...init.headers } })
  test.each<[string, (id: number) => Response, string]>([
    ['sends 20 MB of JSON', (id) => Response.json(result(id, { big })), 'invalid'],
    [
      'sends 20 MB of JSON of unknown length',
      (id) => json(new ReadableStream({ start: (c) => (c.enqueue(Buffer.from(JSON.stringify(result(id, { big })))), c.close()) }) as never),
      'invalid',
    ],
    ['sends an event of 20 MB', (id) => events(result(id, { big })), 'invalid'],
    ['sends deep JSON', (id) => json(`{"jsonrpc":"2.0","id":${id},"result":${deepJson}}`), 'invalid'],
    ['sends a deep event', (id) => events(`{"jsonrpc":"2.0","id":${id},"result":${deepJson}}`), 'invalid'],
    ['sends no JSON', () => json('{'), 'invalid'],
    ['sends an event that is no JSON', () => events('{'), 'invalid'],
    ['sends JSON that is no message', () => json('{"hello":"world"}'), 'invalid'],
    ['answers another request', (id) => Response.json(result(id + 1)), 'invalid'],
    ['answers a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } }), 'refused'],
    ['answers an error page', () => new Response('<html>', { status: 502 }), 'refused'],
    ['answers nothing', () => new Response(null, { status: 202 }), 'refused'],
    ['redirects', () => new Response(null, { status: 307, headers: { location: 'http://127.0.0.1:1/' } }), 'refused'],
    ['ends its stream early', () => events({ jsonrpc: '2.0', method: 'notifications/message', params: {} }), 'lost'],
    ['answers only others in its stream', (id) => events(result(id + 1), result(String(id))), 'lost'],
  ])('that %s ends as a ChannelError', async (_what, handle, kind) => {
    const { channel } = await hostileServer(handle)
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject({ name: 'ChannelError', kind })
    await channel.close()
  })
  test.each([401, 403])('that wants a credential (%d) says so with its challenge', async (status) => {
    const { channel } = await hostileServer(
      () => new Response('no', { status, headers: { 'www-authenticate': 'Bearer resource_metadata="https://x/"' } }),
    )
    const refusal = {
      name: 'ChannelError',
      kind: 'unauthorized',
      details: { status, wwwAuthenticate: 'Bearer resource_metadata="https://x/"' },
    }
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject(refusal)
    await expect(channel.notify({ jsonrpc: '2.0', method: 'notifications/x' })).rejects.toMatchObject(refusal)
    await expect(
      channel.forward?.({ id: 1, body: '{}', method: 'x' }, { signal: new AbortController().signal, receive: () => undefined }),
    ).rejects.toMatchObject(refusal)
    await channel.close()
  })
  test('that sends its answer as an array (2025-03-26) is understood', async () => {
    const { channel, heard } = await hostileServer((id) =>
      Response.json([{ jsonrpc: '2.0', method: 'notifications/message', params: {} }, result(id, { ok: 1 })]),
    )
    const messages: string[] = []
    const response = await ask(channel, 'tools/list', {}, { receive: ({ method }) => void messages.push(method) })
    expect([response.result, messages, heard.messages]).toEqual([{ ok: 1 }, ['notifications/message'], []])
    await channel.close()
  })
  test('that cannot be reached says so before anything is sent', async () => {
    const { channel } = await house.open('streamable-http', { url: 'http://127.0.0.1:1/mcp' })
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject({ kind: 'unreachable' })
  })
  test('that forgets sessions the old way (400 with a sentence) is expired as well', async () => {
    let greeted = false
    const { channel } = await hostileServer((id, request) => {
      if (request.method !== 'POST') return new Response(null, { status: 405 })
      if (id === undefined) return new Response(null, { status: 202 })
      const session = { headers: { 'mcp-session-id': 's1' } }
      const first = !greeted
      greeted = true
      if (first) return Response.json(result(id, { protocolVersion: '2025-06-18' }), session)
      return Response.json(
        { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Bad Request: No valid session ID provided' } },
        { status: 400 },
      )
    })
    await greet(channel)
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject({ kind: 'expired' })
    await channel.close()
  })
  test('that ends its stream on purpose is asked again from the last event on (SEP-1699)', async () => {
    const resumed: (string | null)[] = []
    let waiting = 0
    const { channel } = await hostileServer((id, request) => {
      if (request.method === 'POST') {
        waiting = id
        return new Response('id: e1\nretry: 10\ndata:\n\n', { headers: { 'content-type': 'text/event-stream' } })
      }
      resumed.push(request.headers.get('last-event-id'))
      const text =
        resumed.length === 1
          ? 'id: e2\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\n'
          : `id: e3\ndata: ${JSON.stringify(result(waiting, { ok: 1 }))}\n\n`
      return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
    })
    expect((await ask(channel, 'tools/list', {})).result).toEqual({ ok: 1 })
    expect(resumed).toEqual(['e1', 'e2'])
    await channel.close()
  })
  test('that never answers is left when asked to, and its socket closed', async () => {
    let closed = 0
    const { channel } = await hostileServer((_id, request) => {
      request.signal.addEventListener('abort', () => {
        closed += 1
      })
      return new Promise<Response>(() => {})
    })
    await expect(ask(channel, 'tools/list', {}, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ kind: 'lost' })
    expect(await eventually(() => closed === 1)).toBe(true)
    await channel.close()
  })
  test('that floods its stream with notifications hands each on, and the answer still ends it', async () => {
    const { channel } = await hostileServer((id) =>
      events(...Array.from({ length: 20_000 }, () => ({ jsonrpc: '2.0', method: 'notifications/message' })), result(id)),
    )
    let heard = 0
    await ask(channel, 'tools/list', {}, { receive: () => void heard++ })
    expect(heard).toBe(20_000)
    await channel.close()
  })
})
