import { afterAll, describe, expect, test } from 'bun:test'
import { createServer, type Socket } from 'node:net'
import { createOutbound, type ExchangeRequest, OutboundError, type OutboundErrorKind, type WireAnswer } from '@/lib/outbound.ts'
import { eventually, makeCertificates } from '../support/outside.ts'

const LIMITS = { privateAllowed: true, headTimeoutMs: 5_000, bodyBytesMax: 20_000_000 } satisfies ExchangeRequest
const kindOf = (work: Promise<unknown>): Promise<OutboundErrorKind | 'none'> =>
  work.then(
    () => 'none' as const,
    (error) => (error instanceof OutboundError ? error.kind : Promise.reject(error)),
  )
const textOf = ({ body }: WireAnswer): Promise<string> => new Response(body).text()

const certificates = makeCertificates(['good.test', 'other.test', '*.wild.test', '127.0.0.1'])
const expired = makeCertificates(['good.test'], { days: -1 })
const stranger = makeCertificates(['good.test'])
/** What reached a server as a request: nothing may, before its certificate is believed. */
const seen: string[] = []
const serve = (tls: { cert: string; key: string }) =>
  Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls,
    fetch: async (request, server) => {
      const body = await request.text()
      seen.push(`${request.headers.get('host')} ${body.length}`)
      return Response.json({ host: request.headers.get('host'), peer: server.requestIP(request)?.port, length: body.length })
    },
  })
const good = serve(certificates.of['good.test'])
const wild = serve(certificates.of['*.wild.test'])
const bare = serve(certificates.of['127.0.0.1'])
const late = serve(expired.of['good.test'])
const unknown = serve(stranger.of['good.test'])
const outbound = createOutbound({ resolve: async () => ['127.0.0.1'], ca: certificates.ca })
afterAll(async () => {
  outbound.close()
  await Promise.all([good, wild, bare, late, unknown].map((server) => server.stop(true)))
})
const ask = (host: string, { port }: { port?: number | undefined }, body = 'secret') =>
  outbound.exchange(`https://${host}:${port}/`, { ...LIMITS, method: 'POST', body })

describe('over TLS to a pinned address', () => {
  test('the certificate is verified for the name, and the connection is kept for it', async () => {
    const first = JSON.parse(await textOf(await ask('good.test', good)))
    expect(first.host).toBe(`good.test:${good.port}`)
    expect(JSON.parse(await textOf(await ask('good.test', good))).peer).toBe(first.peer)
  })
  test('a certificate for names of a pattern, and one for an address, are good for those', async () => {
    expect(await kindOf(ask('a.wild.test', wild))).toBe('none')
    expect(await kindOf(ask('127.0.0.1', bare))).toBe('none')
  })
  test.each([
    ['another name', () => ask('other.test', good)],
    ['a longer name', () => ask('x.good.test', good)],
    ['a name two steps below a pattern', () => ask('a.b.wild.test', wild)],
    ['an address', () => ask('127.0.0.1', good)],
    ['a name where it is for an address', () => ask('good.test', bare)],
    [
      'a day that has passed',
      () => createOutbound({ resolve: async () => ['127.0.0.1'], ca: expired.ca }).exchange(`https://good.test:${late.port}/`, LIMITS),
    ],
    ['an authority that is not believed', () => ask('good.test', unknown)],
    [
      'an authority of ours, where the built-in list holds',
      () => createOutbound({ resolve: async () => ['127.0.0.1'] }).exchange(`https://good.test:${good.port}/`, LIMITS),
    ],
  ])('a certificate for %s is refused, and nothing was sent', async (_what, work) => {
    // A connection to the same address that was verified for another name must not be taken either.
    await ask('good.test', good)
    seen.length = 0
    expect(await kindOf(work())).toBe('tls')
    expect(seen).toEqual([])
  })
  test('an expired certificate of that authority is refused for its day alone: a current one is believed', async () => {
    const of = createOutbound({ resolve: async () => ['127.0.0.1'], ca: stranger.ca })
    expect(await kindOf(of.exchange(`https://good.test:${unknown.port}/`, LIMITS))).toBe('none')
    of.close()
  })
  test('large bodies pass both ways', async () => {
    const body = 'x'.repeat(3_000_000)
    expect(JSON.parse(await textOf(await ask('good.test', good, body))).length).toBe(3_000_000)
  })
  test('200 requests at once and again take their connections along', async () => {
    for (const _ of [1, 2]) {
      const answers = await Promise.all(Array.from({ length: 200 }, () => ask('good.test', good)))
      expect(answers.every(({ status }) => status === 200)).toBe(true)
    }
    expect(outbound.count().open).toBeLessThanOrEqual(203)
  })
})

describe('where TLS is expected', () => {
  const sockets = new Set<Socket>()
  const listen = async (behave: (socket: Socket) => void): Promise<number> => {
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}))
      behave(socket)
    })
    server.unref()
    const listening = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', listening.resolve)
    await listening.promise
    return (server.address() as { port: number }).port
  }
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
  })
  test.each<[string, (socket: Socket) => void]>([
    ['speaks plain HTTP at once', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')],
    ['speaks plain HTTP when asked', (socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))],
    ['hangs up', (socket) => socket.end()],
    ['breaks off', (socket) => socket.once('data', () => socket.resetAndDestroy())],
  ])('a server that %s gets no request', async (_what, behave) => {
    const heard: string[] = []
    const port = await listen((socket) => {
      behave(socket)
      socket.on('data', (bytes) => heard.push(bytes.toString('latin1')))
    })
    expect(['tls', 'connect']).toContain(await kindOf(ask('good.test', { port })))
    expect(heard.join('')).not.toContain('secret')
  })
  test('a server that says nothing is given up', async () => {
    const hasty = createOutbound({ resolve: async () => ['127.0.0.1'], limits: { connectMs: 200 } })
    const port = await listen(() => {})
    expect(await kindOf(hasty.exchange(`https://good.test:${port}/`, LIMITS))).toBe('connect')
    expect(await eventually(() => hasty.count().connecting === 0)).toBe(true)
    const patient = kindOf(outbound.exchange(`https://good.test:${port}/`, { ...LIMITS, headTimeoutMs: 200 }))
    expect(await patient).toBe('timeout')
  })
})
