import { afterAll, describe, expect, test } from 'bun:test'
import { ChannelError } from '@/plugins/index.ts'
import { ask, greet, openHouse } from '../support/channels.ts'
import { eventually } from '../support/outside.ts'
import { startSseUpstream } from '../support/sse-upstream.ts'

const house = openHouse()
const upstream = await startSseUpstream()
afterAll(async () => {
  await house.close()
  await upstream.stop()
})
const call = (name: string, args = {}) => ['tools/call', { name, arguments: args }] as const

/** A server that answers a GET with a stream as given, and everything else with 202. */
function startStream(events: string, { hold = true, status = 202 } = {}) {
  const posts: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    fetch: async (request) => {
      if (request.method === 'POST') {
        posts.push(new URL(request.url).pathname)
        return new Response(null, { status })
      }
      const stream = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(events))
          if (!hold) controller.close()
        },
      })
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  return { url: `http://127.0.0.1:${server.port}/sse`, posts, streams: () => server.pendingRequests, stop: () => server.stop(true) }
}

describe('HTTP with SSE', () => {
  test('[SSE-TRANSPORT] carries requests, progress and notices over one stream, with our headers to both addresses', async () => {
    upstream.seen.length = 0
    const { channel, heard } = await house.open('sse', { url: upstream.url, headers: { 'X-Api-Key': 'mine' } })
    expect((await greet(channel)).result).toMatchObject({ serverInfo: { name: 'old' } })
    const progress: unknown[] = []
    await ask(channel, ...call('slow'), { receive: ({ params }) => void progress.push(params?.['progress']) })
    expect(progress).toEqual([1, 2, 3])
    await ask(channel, ...call('announce'))
    expect(heard.messages.map(({ method }) => method)).toEqual(['notifications/tools/list_changed'])
    for (const { headers } of upstream.seen) expect(headers).toMatchObject({ 'x-api-key': 'mine' })
    expect(new Set(upstream.seen.map(({ method, path }) => `${method} ${path}`))).toEqual(new Set(['GET /sse', 'POST /messages']))
    await channel.close()
  })
  test('[SSE-TRANSPORT] the end of the stream loses what waits and is reported once', async () => {
    const { channel, heard } = await house.open('sse', { url: upstream.url })
    await greet(channel)
    const waiting = ask(channel, ...call('forever')).catch((error) => error)
    await Bun.sleep(50)
    await upstream.hangUp()
    expect(await waiting).toMatchObject({ name: 'ChannelError', kind: 'lost' })
    expect(heard.closed).toHaveLength(1)
    await expect(ask(channel, 'tools/list', {})).rejects.toBeInstanceOf(ChannelError)
    await channel.close()
    expect(heard.closed).toHaveLength(1)
  })
  test('[SSE-ORIGIN] an address for messages elsewhere is refused before anything is sent', async () => {
    const elsewhere = startStream('')
    for (const endpoint of [
      elsewhere.url,
      `//127.0.0.1:${new URL(elsewhere.url).port}/x`,
      'https://evil.example/',
      'file:///etc/passwd',
      `/${'x'.repeat(3_000)}`,
    ]) {
      const server = startStream(`event: endpoint\ndata: ${endpoint}\n\n`)
      const opening = house.open('sse', { url: server.url, headers: { 'X-Api-Key': 'mine' } })
      await expect(opening).rejects.toMatchObject({ name: 'ChannelError', kind: 'refused' })
      expect(await eventually(() => server.streams() === 0)).toBe(true)
      await server.stop()
    }
    expect(elsewhere.posts).toEqual([])
    await elsewhere.stop()
  })
  test.each<[string, string, object, string]>([
    ['names no address and ends', 'data: hello\n\n', { hold: false }, 'invalid'],
    ['ends before it says anything', '', { hold: false }, 'lost'],
    ['sends what is no message', 'event: endpoint\ndata: /m\n\ndata: {"jsonrpc":"1.0"}\n\n', {}, 'invalid'],
    ['sends more than it may', `event: endpoint\ndata: ${'x'.repeat(17 * 1024 * 1024)}\n\n`, {}, 'invalid'],
  ])('[SSE-TRANSPORT] a server that %s fails as a channel does', async (_what, events, options, kind) => {
    const server = startStream(events, options)
    const attempt = async () => {
      const { channel } = await house.open('sse', { url: server.url })
      try {
        return await greet(channel)
      } finally {
        await channel.close()
      }
    }
    await expect(attempt()).rejects.toMatchObject({ name: 'ChannelError', kind })
    expect(await eventually(() => server.streams() === 0)).toBe(true)
    await server.stop()
  })
  test.each([
    [401, 'unauthorized'],
    [404, 'expired'],
    [500, 'refused'],
  ])('[SSE-TRANSPORT] a message answered with HTTP %d is %s', async (status, kind) => {
    const server = startStream('event: endpoint\ndata: /messages\n\n', { status })
    const { channel } = await house.open('sse', { url: server.url })
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject({ name: 'ChannelError', kind })
    await channel.close()
    await server.stop()
  })
})

describe('the way back', () => {
  test('[SSE-FALLBACK] initialize that is not understood goes over the older transport, and everything after it', async () => {
    upstream.seen.length = 0
    const { channel, heard } = await house.open('streamable-http', { url: upstream.url, headers: { 'X-Api-Key': 'mine' } })
    await expect(ask(channel, 'server/discover', {}, { modern: true })).rejects.toMatchObject({ kind: 'refused' })
    expect((await greet(channel)).result).toMatchObject({ serverInfo: { name: 'old' } })
    expect((await ask(channel, ...call('echo', { message: 'old ways' }))).result).toMatchObject({ content: [{ text: 'old ways' }] })
    expect(heard.lines).toEqual(['The server speaks the older HTTP with SSE.'])
    // There is no stream for a request of its own here: what is forwarded goes as any other message.
    const params = { name: 'echo', arguments: { message: 'forwarded' } }
    const raw = {
      id: 77,
      body: JSON.stringify({ jsonrpc: '2.0', id: 77, method: 'tools/call', params }),
      method: 'tools/call',
      name: 'echo',
    }
    const forwarded = await channel.forward?.(raw, { signal: new AbortController().signal, receive: () => undefined })
    expect(JSON.stringify(forwarded?.response?.result)).toContain('forwarded')
    expect(upstream.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      ...['POST /sse', 'POST /sse', 'GET /sse', 'POST /messages', 'POST /messages', 'POST /messages', 'POST /messages'],
    ])
    for (const { headers } of upstream.seen) expect(headers).toMatchObject({ 'x-api-key': 'mine' })
    await upstream.hangUp()
    expect(await eventually(() => heard.closed.length === 1)).toBe(true)
    await channel.close()
    expect(upstream.streams()).toBe(0)
  })
  test.each([
    [401, undefined, 'unauthorized', 1],
    [500, undefined, 'refused', 1],
    [404, undefined, 'refused', 2],
    [405, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Method not allowed.' } }, 'answer', 2],
    [400, { jsonrpc: '2.0', id: null, error: { code: -32022, message: 'Unsupported version' } }, 'answer', 1],
  ])('[SSE-FALLBACK] HTTP %d with %j is %s after %d requests', async (status, body, outcome, requests) => {
    let asked = 0
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => {
        asked += 1
        return body === undefined ? new Response('no', { status }) : Response.json(body, { status })
      },
    })
    const { channel } = await house.open('streamable-http', { url: server.url.href })
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
    const answer = ask(channel, 'initialize', params).then(
      () => 'answer',
      (error: ChannelError) => error.kind,
    )
    expect(await answer).toBe(outcome as never)
    expect(asked).toBe(requests)
    await channel.close()
    await server.stop(true)
  })
})
