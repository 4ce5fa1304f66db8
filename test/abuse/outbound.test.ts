import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { createServer, type Server, type Socket } from 'node:net'
import { createOutbound, type Outbound, OutboundError, type OutboundErrorKind, type OutboundRequest } from '@/lib/outbound.ts'

// Rows 21, 22, 23 and 46 of the abuse table, as far as they are the network guard's.
const LIMITS = { privateAllowed: false, timeoutMs: 5_000, bodyBytesMax: 5_000, redirectsMax: 3 } satisfies OutboundRequest
const kindOf = (work: Promise<unknown>): Promise<OutboundErrorKind | 'none'> =>
  work.then(
    () => 'none' as const,
    (error) => (error instanceof OutboundError ? error.kind : Promise.reject(error)),
  )

type Way = (outbound: Outbound, url: string, request: OutboundRequest) => Promise<Response>
const byFetch: Way = (outbound, url, request) => outbound.fetch(url, request)
const byExchange: Way = async (outbound, url, { timeoutMs, privateAllowed, bodyBytesMax, method, headers, body }) => {
  const answer = await outbound.exchange(url, { method, headers, body, privateAllowed, bodyBytesMax, headTimeoutMs: timeoutMs })
  return new Response(answer.body, { status: answer.status })
}
/** The two ways out: what holds for one holds for the other. */
const WAYS = [
  ['fetch', byFetch],
  ['exchange', byExchange],
] as const

const connections: string[] = []
const seen: Request[] = []
let reply: (request: Request) => Response = () => new Response('inside')
const listen = (hostname: string) =>
  Bun.serve({ port: 0, hostname, fetch: (request) => (connections.push(hostname), seen.push(request.clone() as Request), reply(request)) })
const victim = listen('127.0.0.1')
const bystander = listen('127.0.0.2')
const raw: Server[] = []
afterAll(async () => {
  await Promise.all([victim.stop(true), bystander.stop(true)])
  for (const server of raw) server.close()
})
beforeEach(() => {
  connections.length = 0
  seen.length = 0
  reply = () => new Response('inside')
})

/** A server that does with the socket what it likes. */
async function listenRaw(behave: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => behave(socket))
  })
  raw.push(server)
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  return (server.address() as { port: number }).port
}

describe.each(WAYS)('21: an address inside is refused before any connection, by %s', (_way, send) => {
  const { port } = victim
  test.each([
    [`http://127.0.0.1:${port}/`],
    [`http://0x7f.1:${port}/`],
    [`http://2130706433:${port}/`],
    [`http://0177.0.0.1:${port}/`],
    [`http://127.1:${port}/`],
    [`http://①②⑦.0.0.1:${port}/`],
    [`http://localhost:${port}/`],
    [`http://localhost.:${port}/`],
    [`http://LOCALHOST:${port}/`],
    [`http://127.0.0.1.:${port}/`],
    [`http://[::1]:${port}/`],
    [`http://[::ffff:127.0.0.1]:${port}/`],
    [`http://[::ffff:7f00:1]:${port}/`],
    [`http://[64:ff9b::7f00:1]:${port}/`],
    [`http://[2002:7f00:1::]:${port}/`],
    [`http://0.0.0.0:${port}/`],
    [`http://0:${port}/`],
    [`http://[::]:${port}/`],
    ['http://169.254.169.254/latest/meta-data/'],
    ['http://10.0.0.1/'],
    ['http://100.64.0.1/'],
    ['http://[fe80::1]/'],
    ['http://[fd00::1]/'],
  ])('%s', async (url) => {
    expect(await kindOf(send(createOutbound(), url, LIMITS))).toBe('address')
    expect(connections).toEqual([])
  })
  test.each([
    ['http://169.254.169.254/'],
    ['http://[fe80::1]/'],
    ['http://[fd00:ec2::254]/'],
    ['http://100.100.100.200/'],
    ['http://0.0.0.0/'],
    ['http://[::ffff:169.254.169.254]/'],
  ])('metadata at %s is refused to administrators too', async (url) =>
    expect(await kindOf(send(createOutbound(), url, { ...LIMITS, privateAllowed: true }))).toBe('address'),
  )
  test.each([
    ['ftp://site.test/'],
    ['file:///etc/passwd'],
    ['data:text/plain,x'],
    ['https://user:secret@site.test/'],
    ['https://good.test@127.0.0.1/'],
    ['nope'],
    [`https://site.test/${'a'.repeat(10_000)}`],
  ])('%s is no address to go to', async (url) =>
    expect(await kindOf(send(createOutbound({ resolve: async () => ['1.1.1.1'] }), url, LIMITS))).toBe('request'),
  )
  test('one address inside among others outside spoils the name', async () => {
    const outbound = createOutbound({ resolve: async () => ['1.1.1.1', '127.0.0.1'] })
    expect(await kindOf(send(outbound, `http://both.test:${port}/`, LIMITS))).toBe('address')
  })
  test.each([
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '100.100.100.200', '0.0.0.0'],
    ...['192.0.0.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::1', '::', 'fe80::1', 'fe80::1%lo', 'fc00::1', 'fd00:ec2::254', 'ff02::1', 'fec0::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '::ffff:0:127.0.0.1'],
    ...['2130706433', '0x7f000001', '0177.0.0.1', '127.0.0.1\0', '127.0.0.1 1.1.1.1'],
  ])('[ABUSE-21] a name that resolves to %j leads nowhere, alone or beside an address outside', async (answer) => {
    for (const answers of [[answer], ['1.1.1.1', answer], [answer, '1.1.1.1'], ['2606:4700:4700::1111', answer]]) {
      const outbound = createOutbound({ resolve: async () => answers })
      expect(await kindOf(send(outbound, `http://name.test:${port}/`, LIMITS))).toBe('address')
    }
    expect(connections).toEqual([])
  })
  test('a resolver that answers rubbish is not believed', async () => {
    for (const rubbish of [['localhost'], ['127.1'], ['']]) {
      const outbound = createOutbound({ resolve: async () => rubbish })
      expect(await kindOf(send(outbound, `http://rubbish.test:${port}/`, LIMITS))).toBe('address')
    }
  })
})

describe.each(WAYS)('22: DNS rebinding, by %s', (_way, send) => {
  /** Says something else each time it is asked. */
  const rebinding = (...answers: string[][]) => {
    let asked = 0
    const resolve = async () => answers[Math.min(asked++, answers.length - 1)] as string[]
    return { resolve, asked: () => asked }
  }
  test('the name is resolved once a request, and only the checked address is spoken to', async () => {
    const { resolve, asked } = rebinding(['127.0.0.2'], ['127.0.0.1'])
    const outbound = createOutbound({ resolve, resolutionKeptMs: 0 })
    const response = await send(outbound, `http://rebind.test:${bystander.port}/`, { ...LIMITS, privateAllowed: true })
    expect(await response.text()).toBe('inside')
    expect(asked()).toBe(1)
    expect(connections).toEqual(['127.0.0.2'])
  })
  test('the second answer is checked anew', async () => {
    const { resolve } = rebinding(['169.254.169.254'], ['127.0.0.1'])
    const outbound = createOutbound({ resolve, resolutionKeptMs: 0 })
    for (const _ of [1, 2]) expect(await kindOf(send(outbound, `http://rebind.test:${victim.port}/`, LIMITS))).toBe('address')
    expect(connections).toEqual([])
  })
  test('a kept answer that an administrator may use is still refused to others', async () => {
    const outbound = createOutbound({ resolve: async () => ['127.0.0.1'] })
    const url = `http://home.test:${victim.port}/`
    expect(await kindOf(send(outbound, url, { ...LIMITS, privateAllowed: true }))).toBe('none')
    expect(await kindOf(send(outbound, url, LIMITS))).toBe('address')
  })
})

describe('46: redirects', () => {
  const names: Record<string, string> = { 'first.test': '127.0.0.1', 'second.test': '127.0.0.2' }
  const outbound = createOutbound({ resolve: async (name) => [names[name] ?? '127.0.0.1'] })
  const home = { ...LIMITS, privateAllowed: true }
  const url = (host: string, path = '/') => `http://${host}:${victim.port}${path}`
  const redirectTo = (location: string, status = 307) => {
    reply = (request) =>
      new URL(request.url).pathname === '/' ? new Response(null, { status, headers: { location } }) : new Response('end')
  }
  const headers = {
    Authorization: 'Bearer canary',
    Cookie: 'canary=1',
    'X-Api-Key': 'canary',
    'Mcp-Session-Id': 'canary',
    Accept: 'text/plain',
  }

  test('are an answer like any other unless following was asked for', async () => {
    redirectTo('/there')
    expect((await outbound.fetch(url('first.test'), { ...home, redirectsMax: 0 })).status).toBe(307)
  })
  test('are an answer like any other by exchange, whatever is asked, and nothing goes where they lead', async () => {
    for (const location of ['/there', `http://127.0.0.2:${bystander.port}/`, 'http://169.254.169.254/']) {
      redirectTo(location)
      const { status, header } = await outbound.exchange(url('first.test'), { ...home, headTimeoutMs: 5_000, headers })
      expect([status, header('location')]).toEqual([307, location])
    }
    expect(connections).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
  })
  test('within the origin keep the headers', async () => {
    redirectTo('/there')
    await outbound.fetch(url('first.test'), { ...home, headers })
    expect(seen[1]?.headers.get('authorization')).toBe('Bearer canary')
  })
  test('to another origin carry no credential, under whatever name', async () => {
    const port = await listenRaw((socket) =>
      socket.end(`HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:${victim.port}/there\r\ncontent-length: 0\r\n\r\n`),
    )
    await outbound.fetch(`http://127.0.0.1:${port}/`, { ...home, headers, method: 'POST', body: '{}' })
    expect(seen).toHaveLength(1)
    expect(JSON.stringify([...(seen[0] as Request).headers])).not.toContain('canary')
    expect(seen[0]?.headers.get('accept')).toBe('text/plain')
  })
  test('to another host inside are refused, though the first may be inside', async () => {
    redirectTo(url('second.test', '/there'))
    expect(await kindOf(outbound.fetch(url('first.test'), home))).toBe('address')
    expect(connections).toEqual(['127.0.0.1'])
  })
  test.each([
    ['http://169.254.169.254/', 'address'],
    ['ftp://site.test/', 'request'],
    ['https://a:b@site.test/', 'request'],
    ['https://', 'redirect'],
    ['/', 'redirect'],
  ] as const)('to %s end there', async (location, kind) => {
    redirectTo(location)
    expect(await kindOf(outbound.fetch(url('first.test'), home))).toBe(kind)
  })
})

describe.each(WAYS)('23 and 48: what a hostile server sends is bounded, by %s', (_way, send) => {
  const outbound = createOutbound({ resolve: async () => ['127.0.0.1'] })
  const home = { ...LIMITS, privateAllowed: true, redirectsMax: 0 }
  const read = async (port: number, limits: Partial<OutboundRequest> = {}) =>
    (await send(outbound, `http://site.test:${port}/`, { ...home, ...limits })).text()

  test('a gigabyte announced is not read', async () => {
    const port = await listenRaw((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\nx'))
    expect(await kindOf(read(port))).toBe('too-large')
  })
  test('a body without end is cut at the limit', async () => {
    let sentBytes = 0
    const port = await listenRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n')
      const flood = () => {
        while (!socket.destroyed && socket.write('x'.repeat(1_000))) sentBytes += 1_000
      }
      socket.on('drain', flood)
      flood()
    })
    expect(await kindOf(read(port))).toBe('too-large')
    expect(sentBytes).toBeLessThan(20_000_000)
  })
  test('a gzip bomb is cut while it unpacks', async () => {
    const bomb = Bun.gzipSync(new Uint8Array(50_000_000))
    reply = () => new Response(bomb, { headers: { 'content-encoding': 'gzip' } })
    expect(await kindOf(read(victim.port as number, { bodyBytesMax: 100_000 }))).toBe('too-large')
    expect(await kindOf(read(victim.port as number))).toBe('too-large')
  })
  test('a slow drip ends at the time limit, head and body alike', async () => {
    const drip = (head: string) =>
      listenRaw((socket) => {
        socket.write(head)
        const timer = setInterval(() => socket.write('x'), 50)
        socket.on('close', () => clearInterval(timer))
      })
    for (const head of ['HTTP/1.1 200 OK\r\nx-', 'HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n']) {
      const startMs = performance.now()
      expect(await kindOf(read(await drip(head), { timeoutMs: 400 }))).toBe('timeout')
      expect(performance.now() - startMs).toBeLessThan(2_000)
    }
  })
  test('a head without end is refused', async () => {
    const port = await listenRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      for (let at = 0; at < 3_000; at += 1) socket.write(`x-${at}: ${'y'.repeat(1_000)}\r\n`)
    })
    expect(['lost', 'timeout']).toContain(await kindOf(read(port, { timeoutMs: 1_000 })))
  })
  test.each([['garbage\r\n\r\n'], ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'], ['']])(
    'a broken answer %p is lost, not believed',
    async (bytes) => {
      const port = await listenRaw((socket) => socket.end(bytes))
      expect(['lost', 'timeout']).toContain(await kindOf(read(port, { timeoutMs: 1_000 })))
    },
  )
  test('a POST is sent once, however the connection ends', async () => {
    let requests = 0
    const port = await listenRaw((socket) => {
      requests += 1
      socket.destroy()
    })
    expect(await kindOf(send(outbound, `http://site.test:${port}/`, { ...home, method: 'POST', body: 'pay' }))).toBe('lost')
    await Bun.sleep(100)
    expect(requests).toBe(1)
  })
})
