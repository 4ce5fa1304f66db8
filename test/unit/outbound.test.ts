import { afterAll, describe, expect, test } from 'bun:test'
import { createOutbound, OutboundError, type OutboundErrorKind, type OutboundRequest } from '@/lib/outbound.ts'
import { eventually, makeCertificates } from '../support/outside.ts'

const LIMITS = { privateAllowed: true, timeoutMs: 5_000, bodyBytesMax: 1_000_000, redirectsMax: 0 } satisfies OutboundRequest
const kindOf = (work: Promise<unknown>): Promise<OutboundErrorKind | 'none'> =>
  work.then(
    () => 'none' as const,
    (error) => (error instanceof OutboundError ? error.kind : Promise.reject(error)),
  )

const certificates = makeCertificates(['good.test', 'other.test'])
const secure = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  tls: certificates.of['good.test'],
  fetch: (request, server) => Response.json({ host: request.headers.get('host'), peer: server.requestIP(request)?.port }),
})
const plain = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: answer })
afterAll(async () => {
  await secure.stop(true)
  await plain.stop(true)
})

let streamClosed = false
async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/echo')
    return Response.json({ method: request.method, body: await request.text(), headers: Object.fromEntries(request.headers) })
  if (pathname === '/gzip') return new Response(Bun.gzipSync('hello '.repeat(100)), { headers: { 'content-encoding': 'gzip' } })
  if (pathname === '/zip-of-unknown-make') return new Response('x', { headers: { 'content-encoding': 'lzma' } })
  if (pathname === '/empty') return new Response(null, { status: 204 })
  if (pathname !== '/events') return new Response('hello')
  request.signal.addEventListener('abort', () => (streamClosed = true))
  const events = async function* () {
    for (let at = 0; at < 200; at += 1) {
      yield `data: ${at}\n\n`
      await Bun.sleep(30)
    }
  }
  return new Response(events as unknown as ReadableStream, { headers: { 'content-type': 'text/event-stream' } })
}

const toLoopback = createOutbound({ resolve: async () => ['127.0.0.1'], ca: certificates.ca })
const plainUrl = (path: string, host = 'site.test') => `http://${host}:${plain.port}${path}`

describe('over TLS to a pinned address', () => {
  test('the certificate is verified for the name, and the connection is kept for it', async () => {
    const ask = async () => (await toLoopback.fetch(`https://good.test:${secure.port}/`, LIMITS)).json()
    const first = await ask()
    expect(first.host).toBe(`good.test:${secure.port}`)
    expect((await ask()).peer).toBe(first.peer)
  })
  test('a certificate for another name is refused, a kept connection to the same address notwithstanding', async () => {
    await toLoopback.fetch(`https://good.test:${secure.port}/`, LIMITS)
    expect(await kindOf(toLoopback.fetch(`https://other.test:${secure.port}/`, LIMITS))).toBe('tls')
  })
  test('a certificate of an unknown authority is refused', async () => {
    const unbelieving = createOutbound({ resolve: async () => ['127.0.0.1'] })
    expect(await kindOf(unbelieving.fetch(`https://good.test:${secure.port}/`, LIMITS))).toBe('tls')
  })
  test('a bare address needs a certificate for that address', async () => {
    expect(await kindOf(toLoopback.fetch(`https://127.0.0.1:${secure.port}/`, LIMITS))).toBe('tls')
  })
})

describe('a request', () => {
  test('names the site as Host, and the answer names the address that was asked', async () => {
    const response = await toLoopback.fetch(plainUrl('/echo?a=1'), { ...LIMITS, method: 'POST', body: 'x', headers: { 'X-Mine': 'yes' } })
    expect(response.url).toBe(plainUrl('/echo?a=1'))
    const echo = await response.json()
    expect(echo).toMatchObject({ method: 'POST', body: 'x', headers: { host: `site.test:${plain.port}`, 'x-mine': 'yes' } })
  })
  test('cannot frame or route itself: such headers are ours', async () => {
    const headers = {
      Host: 'evil.test',
      Connection: 'close',
      'Transfer-Encoding': 'chunked',
      'Content-Length': '1',
      'Proxy-Authorization': 'x',
    }
    const echo = await (await toLoopback.fetch(plainUrl('/echo'), { ...LIMITS, method: 'POST', body: 'abc', headers })).json()
    expect(echo.body).toBe('abc')
    expect(echo.headers).toMatchObject({ host: `site.test:${plain.port}`, 'content-length': '3' })
    expect(echo.headers).not.toHaveProperty('transfer-encoding')
    expect(echo.headers).not.toHaveProperty('proxy-authorization')
  })
  test('with a line break in a header is not sent', async () => {
    expect(await kindOf(toLoopback.fetch(plainUrl('/'), { ...LIMITS, headers: { a: 'b\r\nc: d' } }))).toBe('request')
  })
  test('tries the next address when the first takes no connection', async () => {
    const outbound = createOutbound({ resolve: async () => ['127.0.0.2', '127.0.0.1'] })
    const listener = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('here') })
    expect(await (await outbound.fetch(`http://two.test:${listener.port}/`, LIMITS)).text()).toBe('here')
    await listener.stop(true)
    expect(await kindOf(outbound.fetch(`http://two.test:${listener.port}/`, LIMITS))).toBe('connect')
  })
  test('to a name that does not exist', async () => {
    expect(await kindOf(createOutbound().fetch('http://does-not-exist.invalid/', LIMITS))).toBe('resolve')
  })
  test('through the shape of fetch keeps method, body and headers', async () => {
    const fetchLike = toLoopback.asFetch(LIMITS)
    const response = await fetchLike(new URL(plainUrl('/echo')), {
      method: 'POST',
      body: new URLSearchParams({ a: '1' }),
      headers: new Headers({ 'x-a': 'b' }),
    })
    expect(await response.json()).toMatchObject({
      method: 'POST',
      body: 'a=1',
      headers: { 'x-a': 'b', 'content-type': expect.stringContaining('form') },
    })
  })
})

describe('a body', () => {
  test('of events passes as it comes, and giving up closes the connection', async () => {
    streamClosed = false
    const abort = new AbortController()
    const startMs = performance.now()
    const response = await toLoopback.fetch(plainUrl('/events'), { ...LIMITS, timeoutCovers: 'head', signal: abort.signal })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    for (const wanted of [0, 1, 2]) expect(new TextDecoder().decode((await reader.read()).value)).toContain(`data: ${wanted}`)
    expect(performance.now() - startMs).toBeLessThan(1_000)
    abort.abort()
    expect(await kindOf(reader.read())).toBe('aborted')
    expect(await eventually(() => streamClosed)).toBe(true)
  })
  test('that nobody reads on closes the connection', async () => {
    streamClosed = false
    const response = await toLoopback.fetch(plainUrl('/events'), { ...LIMITS, timeoutCovers: 'head' })
    await response.body?.cancel()
    expect(await eventually(() => streamClosed)).toBe(true)
  })
  test('that comes packed, unasked, is unpacked', async () => {
    const response = await toLoopback.fetch(plainUrl('/gzip'), LIMITS)
    expect(await response.text()).toBe('hello '.repeat(100))
    expect(response.headers.has('content-encoding')).toBe(false)
  })
  test('packed in a way we do not know is refused', async () => {
    expect(await kindOf(toLoopback.fetch(plainUrl('/zip-of-unknown-make'), LIMITS))).toBe('lost')
  })
  test('may be none', async () => {
    expect((await toLoopback.fetch(plainUrl('/empty'), LIMITS)).body).toBeNull()
    expect((await toLoopback.fetch(plainUrl('/'), { ...LIMITS, method: 'HEAD' })).status).toBe(200)
  })
})
