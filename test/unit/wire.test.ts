import { afterAll, describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { createOutbound, type ExchangeRequest, OutboundError, type OutboundErrorKind, type WireAnswer } from '@/lib/outbound.ts'
import { eventually } from '../support/outside.ts'
import { answerOf, listenRaw, type RawServer } from '../support/raw-server.ts'

const LIMITS = { privateAllowed: true, headTimeoutMs: 5_000, bodyBytesMax: 20_000_000 } satisfies ExchangeRequest
const kindOf = (work: Promise<unknown>): Promise<OutboundErrorKind | 'none'> =>
  work.then(
    () => 'none' as const,
    (error) => (error instanceof OutboundError ? error.kind : Promise.reject(error)),
  )

const servers: RawServer[] = []
const outbounds: ReturnType<typeof createOutbound>[] = []
afterAll(() => {
  for (const server of servers) server.close()
  for (const outbound of outbounds) outbound.close()
})

type Open = { limits?: Parameters<typeof createOutbound>[0] }
/** A server that answers as it likes, and a way to it that nobody else has been. */
async function house(answer: (socket: Socket, request: string, before: number) => void, { limits = {} }: Open = {}) {
  const server = await listenRaw(answer)
  const outbound = createOutbound(limits)
  servers.push(server)
  outbounds.push(outbound)
  const ask = (request: Partial<ExchangeRequest> = {}, path = '/'): Promise<WireAnswer> =>
    outbound.exchange(`http://127.0.0.1:${server.port}${path}`, { ...LIMITS, ...request })
  return { server, outbound, ask, post: (body: string | Uint8Array<ArrayBuffer>) => ask({ method: 'POST', body }) }
}
const textOf = async ({ body }: WireAnswer): Promise<string> => new Response(body).text()
const bytesIn = (body: WireAnswer['body']): number => (body instanceof Uint8Array ? body.byteLength : Number.NaN)
const streamOf = ({ body }: WireAnswer): ReadableStream<Uint8Array> => {
  if (!(body instanceof ReadableStream)) throw new Error('a stream was expected')
  return body
}

describe('a connection', () => {
  test('is kept and used again, the one used last first', async () => {
    const { server, ask } = await house((socket, _request, before) => socket.write(answerOf(`${socket.remotePort} ${before}`)))
    for (const wanted of ['0', '1', '2']) expect((await textOf(await ask())).split(' ')[1]).toBe(wanted)
    await Promise.all([ask(), ask(), ask()])
    expect([server.accepted(), server.open()]).toEqual([3, 3])
    const ports = new Set<string>()
    for (let at = 0; at < 4; at += 1) ports.add((await textOf(await ask())).split(' ')[0] ?? '')
    expect([ports.size, server.accepted()]).toEqual([1, 3])
  })
  test('never carries two requests at once', async () => {
    let under = 0
    const { server, ask } = await house((socket) => {
      under += 1
      setTimeout(() => socket.write(answerOf(String(under))), 20)
    })
    await Promise.all([ask(), ask(), ask(), ask()])
    expect([server.accepted(), under]).toEqual([4, 4])
  })
  test.each([
    ['connection: close', 2],
    ['connection: keep-alive, close', 2],
    ['keep-alive: timeout=1', 2],
    ['keep-alive: timeout=60, max=100', 1],
    ['connection: keep-alive', 1],
  ])('behind an answer with `%s` takes part in %d of two', async (header, accepted) => {
    const { server, ask } = await house((socket) => socket.write(answerOf('x', `${header}\r\n`)))
    for (const _ of [1, 2]) await ask()
    expect(server.accepted()).toBe(accepted)
  })
  test('of HTTP/1.0 is not kept unless the server says so', async () => {
    const { server, ask } = await house((socket) => socket.write('HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'))
    for (const _ of [1, 2]) await ask()
    expect(server.accepted()).toBe(2)
  })
  test('that lies idle is closed by us, before the server would', async () => {
    const { server, ask, outbound } = await house((socket) => socket.write(answerOf('x', 'keep-alive: timeout=2\r\n')))
    await ask()
    await Bun.sleep(500)
    expect(server.open()).toBe(1)
    expect(await eventually(() => server.open() === 0, 1_500)).toBe(true)
    expect(outbound.count()).toEqual({ open: 0, idle: 0, connecting: 0, asked: 0 })
  })
  test('that the server closed while it lay idle is not used', async () => {
    const { server, ask, post } = await house((socket) => {
      socket.write(answerOf('x'))
      setTimeout(() => socket.end(), 20)
    })
    await ask()
    expect(await eventually(() => server.open() === 0)).toBe(true)
    expect(await textOf(await post('{}'))).toBe('x')
    expect(server.requests).toHaveLength(2)
  })
  test('on which bytes come that nobody asked for is closed, and nobody gets them', async () => {
    const { server, ask } = await house((socket, _request, before) => {
      socket.write(answerOf('mine'))
      if (before === 0) setTimeout(() => socket.write(answerOf('somebody else’s')), 20)
    })
    await ask()
    expect(await eventually(() => server.open() === 0)).toBe(true)
    for (const _ of [1, 2]) expect(await textOf(await ask())).toBe('mine')
  })
  test('with bytes right behind an answer is closed, and nobody gets them', async () => {
    const { server, ask } = await house((socket) => socket.write(answerOf('mine') + answerOf('somebody else’s')))
    for (const _ of [1, 2, 3]) expect(await textOf(await ask())).toBe('mine')
    expect(server.accepted()).toBe(3)
  })
  test('is not kept when the answer comes before the whole request is sent', async () => {
    const { outbound } = await house(() => {})
    const hasty = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data: (socket) => {
          socket.pause()
          socket.write('HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\nno')
        },
      },
    })
    const big = new Uint8Array(30_000_000)
    const answer = await outbound.exchange(`http://127.0.0.1:${hasty.port}/`, { ...LIMITS, method: 'POST', body: big })
    expect([answer.status, outbound.count().open]).toEqual([413, 0])
    hasty.stop(true)
  })
  test('to a place that is full is waited for in turn, and not beyond a number', async () => {
    const done: string[] = []
    const { server, ask } = await house((socket, request) => setTimeout(() => socket.write(answerOf(request.split(' ')[1] ?? '')), 30), {
      limits: { limits: { openMax: 2, waitingMax: 3 } },
    })
    const asked = Array.from({ length: 5 }, async (_, at) => done.push(await textOf(await ask({}, `/${at}`))))
    const refused = await Promise.all([kindOf(ask()), kindOf(ask())])
    await Promise.all(asked)
    expect(refused).toEqual(['connect', 'connect'])
    expect([done, server.accepted()]).toEqual([['/0', '/1', '/2', '/3', '/4'], 2])
  })
  test('that breaks makes room for who waits', async () => {
    const { ask } = await house((socket, request) => (request.startsWith('GET /0') ? socket.destroy() : socket.write(answerOf('x'))), {
      limits: { limits: { openMax: 1 } },
    })
    const kinds = await Promise.all([kindOf(ask({}, '/0')), kindOf(ask({}, '/1')), kindOf(ask({}, '/2'))])
    expect(kinds).toEqual(['lost', 'none', 'none'])
  })
  test('that lies idle keeps no process alive', async () => {
    const { server } = await house((socket) => socket.write(answerOf('x', 'keep-alive: timeout=20\r\n')))
    const script = `import { createOutbound } from '@/lib/outbound.ts'
      const { status } = await createOutbound().exchange('http://127.0.0.1:${server.port}/', ${JSON.stringify(LIMITS)})
      console.log(status)`
    const started = performance.now()
    const program = Bun.spawn([process.execPath, '-e', script], { cwd: `${import.meta.dir}/../..`, timeout: 10_000, stderr: 'inherit' })
    expect([(await new Response(program.stdout).text()).trim(), await program.exited]).toEqual(['200', 0])
    expect(performance.now() - started).toBeLessThan(5_000)
  })
  test('is closed with the house, whatever is on it', async () => {
    const { server, ask, outbound } = await house(
      (socket, request) => void (request.startsWith('GET /quick') && socket.write(answerOf('x'))),
    )
    await ask({}, '/quick')
    const hanging = kindOf(ask({}, '/slow'))
    await eventually(() => server.requests.length === 2)
    outbound.close()
    outbound.close()
    expect([await hanging, await kindOf(ask())]).toEqual(['aborted', 'connect'])
    expect(await eventually(() => server.open() === 0)).toBe(true)
  })
})

describe('a kept connection that dies as it is used', () => {
  const dying = () =>
    house((socket, request, before) => {
      // From the second request on the connection breaks without a word, as one does that was closed over there.
      if (before > 0 && !request.includes('/fine')) socket.destroy()
      else socket.write(answerOf('x'))
    })
  test('loses a POST, which may have been carried out, and does not repeat it', async () => {
    const { server, post } = await dying()
    await post('first')
    expect(await kindOf(post('pay'))).toBe('lost')
    await Bun.sleep(50)
    expect(server.requests.filter((request) => request.endsWith('pay'))).toHaveLength(1)
  })
  test('repeats a GET, once, over a new one', async () => {
    const { server, ask } = await dying()
    await ask()
    expect(await textOf(await ask())).toBe('x')
    expect([server.requests.length, server.accepted()]).toEqual([3, 2])
  })
  test('does not repeat a GET for ever', async () => {
    let refusing = false
    const { server, ask } = await house((socket) => (refusing ? socket.destroy() : socket.write(answerOf('x'))))
    await ask()
    refusing = true
    expect(await kindOf(ask())).toBe('lost')
    expect(server.requests).toHaveLength(3)
  })
  test('repeats nothing once a byte of the answer is there', async () => {
    const { server, ask } = await house((socket, _request, before) => (before > 0 ? socket.end('HTTP/1.1') : socket.write(answerOf('x'))))
    await ask()
    expect(await kindOf(ask())).toBe('lost')
    expect(server.requests).toHaveLength(2)
  })
})

describe('a body', () => {
  const chunk = 'x'.repeat(1_000)
  test('that is short comes whole, in however many pieces it was sent', async () => {
    const { ask } = await house((socket) => {
      const text = answerOf('hello '.repeat(1_000))
      for (let at = 0; at < text.length; at += 500) setTimeout(() => socket.write(text.slice(at, at + 500)), at / 500)
    })
    const answer = await ask()
    expect([bytesIn(answer.body), await textOf(answer)]).toEqual([6_000, 'hello '.repeat(1_000)])
  })
  test('of JSON in chunks comes whole as well', async () => {
    const { ask } = await house((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ntransfer-encoding: chunked\r\n\r\n')
      for (let at = 0; at < 5; at += 1) setTimeout(() => socket.write(`3e8\r\n${chunk}\r\n`), at * 5)
      setTimeout(() => socket.write('0\r\n\r\n'), 40)
    })
    expect(bytesIn((await ask()).body)).toBe(5_000)
  })
  test('of events comes as it is sent, and ends as a stream', async () => {
    let open: Socket | undefined
    const { server, ask } = await house((socket) => {
      open = socket
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n')
    })
    const reader = streamOf(await ask()).getReader()
    // Each is sent only once the one before was read.
    for (const at of [0, 1, 2]) {
      open?.write(`9\r\ndata: ${at}\n\n\r\n`)
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(`data: ${at}\n\n`)
    }
    open?.write('0\r\n\r\n')
    expect((await reader.read()).done).toBe(true)
    await streamOf(await ask()).cancel()
    expect(server.accepted()).toBe(1)
  })
  test('of events that is here at once comes whole', async () => {
    const { ask } = await house((socket) => socket.write(answerOf('data: 1\n\n', 'content-type: text/event-stream\r\n')))
    expect(bytesIn((await ask()).body)).toBe(9)
  })
  test('that is none is null', async () => {
    const { ask } = await house((socket) => socket.write('HTTP/1.1 204 No\r\n\r\n'))
    expect(await ask()).toMatchObject({ status: 204, body: null })
  })
  test('of 8 MB comes no faster than it is read, whole in the end, though the server closed long before', async () => {
    let sent = 0
    const { ask } = await house((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const flood = () => {
        while (sent < 8_000 && !socket.destroyed) {
          sent += 1
          if (!socket.write(chunk)) return
        }
        socket.end()
      }
      socket.on('drain', flood)
      flood()
    })
    const reader = streamOf(await ask()).getReader()
    await Bun.sleep(300)
    // What the system's own buffers take, and some of ours.
    expect(sent).toBeLessThan(7_500)
    let bytes = 0
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) bytes += piece.value.byteLength
    expect(bytes).toBe(8_000_000)
  })
  test('that nobody wants closes the connection', async () => {
    const { server, ask, outbound } = await house((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n')
    })
    await streamOf(await ask()).cancel()
    expect(await eventually(() => server.open() === 0)).toBe(true)
    expect(outbound.count()).toEqual({ open: 0, idle: 0, connecting: 0, asked: 0 })
  })
  test('that breaks off is an error to whoever reads it, not an end', async () => {
    const { ask } = await house((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n')
      setTimeout(() => socket.end(), 30)
    })
    expect(await kindOf(textOf(await ask()))).toBe('lost')
  })
  test('that comes packed, unasked, is unpacked, under the limit', async () => {
    const packed = Bun.gzipSync('hello '.repeat(100))
    const { ask, server } = await house((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`)
      socket.write(packed)
    })
    const answer = await ask()
    expect([answer.header('content-encoding'), await textOf(answer)]).toEqual([null, 'hello '.repeat(100)])
    expect(await kindOf(textOf(await ask({ bodyBytesMax: 100 })))).toBe('too-large')
    expect(server.requests[0]).toContain('accept-encoding: identity')
  })
  test('packed in a way we do not know is refused', async () => {
    const { ask } = await house((socket) => socket.write(answerOf('x', 'content-encoding: lzma\r\n')))
    expect(await kindOf(ask())).toBe('lost')
  })
})

describe('a request', () => {
  const echo = () =>
    house((socket, request) => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${request.length}\r\n\r\n${request}`, 'latin1'))
  const sentOf = async (answer: WireAnswer): Promise<string> =>
    Buffer.from(await new Response(answer.body).arrayBuffer()).toString('latin1')

  test('is written as HTTP wants it', async () => {
    const { ask, server } = await echo()
    const text = await sentOf(await ask({ method: 'POST', body: '{}', headers: { 'X-Mine': 'yes', 'Content-Type': 'a/b' } }, '/p%20q?a=1'))
    const lines = ['POST /p%20q?a=1 HTTP/1.1', `host: 127.0.0.1:${server.port}`, 'accept-encoding: identity', 'user-agent: Toolpass']
    expect(text).toBe([...lines, 'x-mine: yes', 'content-type: a/b', 'content-length: 2', '', '{}'].join('\r\n'))
    expect((await sentOf(await ask({ method: 'POST' }))).split('\r\n')).toContain('content-length: 0')
    expect(await sentOf(await ask())).not.toContain('content-length')
  })
  test('cannot frame or route itself: such headers are ours', async () => {
    const headers = { Host: 'evil.test', Connection: 'close', 'Transfer-Encoding': 'chunked', 'Content-Length': '1', Upgrade: 'h2c' }
    const text = await sentOf(
      await (await echo()).ask({ method: 'POST', body: 'abc', headers, overriding: { 'Keep-Alive': 'x', TE: 'x' } }),
    )
    expect(text).toContain('content-length: 3\r\n')
    expect(text).not.toMatch(/evil|transfer-encoding|upgrade|keep-alive|te:|connection/i)
  })
  test.each<[Record<string, string>]>([
    [{ a: 'b\r\nc: d' }],
    [{ a: 'b\nc' }],
    [{ a: 'b\r' }],
    [{ a: 'b\0' }],
    [{ a: 'b\u2028c' }],
    [{ a: '\u010d\u010a' }],
    [{ 'a\r\nb': 'c' }],
    [{ 'a b': 'c' }],
    [{ 'a:': 'c' }],
    [{ '': 'c' }],
    [{ ä: 'c' }],
    [{ a: 'x'.repeat(70_000) }],
  ])('with a header %j is not sent', async (headers) => {
    const { ask, server } = await echo()
    for (const given of [{ headers }, { overriding: headers }, { headers: Object.freeze(headers) }])
      expect(await kindOf(ask(given))).toBe('request')
    expect(server.accepted()).toBe(0)
  })
  test.each(['CONNECT', 'TRACE', 'get', 'GET / HTTP/1.1\r\nx: y\r\n\r\nGET', ''])('by the method %j is not sent', async (method) => {
    const { ask, server } = await echo()
    expect([await kindOf(ask({ method })), server.accepted()]).toEqual(['request', 0])
  })
  test('carries a credential in place of a header of that name', async () => {
    const { ask } = await echo()
    const headers = Object.freeze({ Authorization: 'Bearer old', 'X-A': 'a' })
    for (const token of ['one', 'two']) {
      const text = await sentOf(await ask({ headers, overriding: { authorization: `Bearer ${token}` } }))
      expect(text).toContain(`authorization: Bearer ${token}\r\n`)
      expect(text).toContain('x-a: a\r\n')
      expect(text).not.toContain('old')
    }
  })
  test('carries headers beyond ASCII as one byte each', async () => {
    const { ask } = await echo()
    for (const body of ['x', undefined, 'ü'])
      expect(await sentOf(await ask({ method: 'POST', body, headers: { 'x-a': 'caf\xe9' } }))).toContain('x-a: caf\xe9\r\n')
  })
  test.each<[string, string]>([
    ['ASCII', 'x'.repeat(100)],
    ['Latin-1', 'é'.repeat(100)],
    ['all of Unicode', '🙂ü€x'.repeat(100)],
    ['halves of characters', `a${'\ud83d'}b`],
    ['100 KB', 'x'.repeat(100_000)],
    ['100 KB of Unicode', '🙂ü€x'.repeat(25_000)],
    ['3 MB', 'x'.repeat(3_000_000)],
    ['3 MB of Unicode', 'ü'.repeat(1_500_000)],
  ])('brings a body of %s over as it is, as text, as bytes and in pieces, one behind the other', async (_what, body) => {
    const { ask, server } = await house((socket) => socket.write(answerOf('ok')))
    const bytes = Buffer.from(body)
    // The second of them is cut within a character where there are any of two halves.
    const pieces = [body.slice(0, 1), '', body.slice(1, 2), body.slice(2)]
    for (const given of [body, pieces, new Uint8Array(bytes), body])
      expect(await textOf(await ask({ method: 'POST', body: given }))).toBe('ok')
    for (const request of server.requests) {
      const [head = ''] = request.split('\r\n\r\n', 1)
      expect(head).toContain(`content-length: ${bytes.length}`)
      expect(request.slice(head.length + 4) === bytes.toString('latin1')).toBe(true)
    }
    expect([server.requests.length, server.accepted()]).toEqual([4, 1])
  })
  test('to where nobody listens is refused at once, and nothing was sent', async () => {
    const { outbound } = await house(() => {})
    expect(await kindOf(outbound.exchange('http://127.0.0.1:1/', LIMITS))).toBe('connect')
  })
  test('to a name tries its addresses in turn, and only where nothing was sent', async () => {
    const server = await listenRaw((socket, _request, before) => (before > 0 ? socket.destroy() : socket.write(answerOf('here'))))
    servers.push(server)
    const outbound = createOutbound({ resolve: async () => ['127.0.0.2', '127.0.0.1', '127.0.0.3'] })
    outbounds.push(outbound)
    const ask = () => outbound.exchange(`http://two.test:${server.port}/`, { ...LIMITS, method: 'POST', body: '{}' })
    expect(await textOf(await ask())).toBe('here')
    expect(server.requests[0]).toContain(`host: two.test:${server.port}\r\n`)
    expect(await kindOf(ask())).toBe('lost')
    expect(server.requests).toHaveLength(2)
  })
})

describe('giving up', () => {
  test('before anything, waiting for a connection, for the head, and inside the body ends it there', async () => {
    const { server, ask, outbound } = await house(
      (socket, request) =>
        void (request.includes('/stream') && socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nx')),
      { limits: { limits: { openMax: 2 } } },
    )
    expect(await kindOf(ask({ signal: AbortSignal.abort() }))).toBe('aborted')
    expect(server.accepted()).toBe(0)

    const [head, stream, waiting, connecting] = Array.from({ length: 4 }, () => new AbortController())
    const answer = await ask({ signal: stream?.signal }, '/stream')
    const atHead = kindOf(ask({ signal: head?.signal }))
    await eventually(() => server.requests.length === 2)
    const inLine = kindOf(ask({ signal: waiting?.signal }))
    waiting?.abort()
    expect(await inLine).toBe('aborted')
    head?.abort()
    expect(await atHead).toBe('aborted')
    const reading = kindOf(textOf(answer))
    stream?.abort()
    expect(await reading).toBe('aborted')
    const early = kindOf(ask({ signal: connecting?.signal }))
    connecting?.abort()
    expect(await early).toBe('aborted')
    expect(await eventually(() => outbound.count().connecting === 0)).toBe(true)
    expect(server.requests).toHaveLength(2)
    expect(outbound.count().asked).toBe(0)
  })
  test('of a scope ends what was sent with it, and nothing else', async () => {
    const { server, ask, outbound } = await house((socket, request) => {
      if (request.includes('/stream')) socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nx')
      if (request.includes('/late')) setTimeout(() => socket.write(answerOf('late')), 100)
    })
    const [mine, yours] = [{}, {}]
    const stream = await ask({ scope: mine }, '/stream')
    const hanging = kindOf(ask({ scope: mine }))
    const other = ask({ scope: yours }, '/late')
    await eventually(() => server.requests.length === 3)
    outbound.endScope(mine)
    expect([await hanging, await kindOf(textOf(stream)), await textOf(await other)]).toEqual(['aborted', 'aborted', 'late'])
  })
  test('happens by itself when no answer comes in time, and does not when only its body is slow', async () => {
    const { ask, outbound } = await house((socket, request) => {
      if (request.includes('/drip')) setInterval(() => socket.write('x'), 20).unref()
      if (!request.includes('/stream')) return
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nx')
      setTimeout(() => socket.end('y'), 600)
    })
    const headTimeoutMs = 200
    const started = performance.now()
    expect(await Promise.all([kindOf(ask({ headTimeoutMs })), kindOf(ask({ headTimeoutMs }, '/drip'))])).toEqual(['timeout', 'timeout'])
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(await textOf(await ask({ headTimeoutMs }, '/stream'))).toBe('xy')
    expect(await eventually(() => outbound.count().open === 0)).toBe(true)
  })
  test('leaves no listener on the signal', async () => {
    const { ask } = await house((socket) => socket.write(answerOf('x')))
    const { signal } = new AbortController()
    let listeners = 0
    const counting =
      (step: number, name: 'addEventListener' | 'removeEventListener') =>
      (...given: [string, () => void]) => {
        listeners += step
        signal[name](...given)
      }
    const counted = new Proxy(signal, {
      get: (target, name) => {
        if (name === 'addEventListener') return counting(1, name)
        return name === 'removeEventListener' ? counting(-1, name) : Reflect.get(target, name, target)
      },
    })
    await ask({ signal: counted })
    expect(listeners).toBe(0)
  })
})
