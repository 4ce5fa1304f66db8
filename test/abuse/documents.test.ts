import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createServer as createListener } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import { createOutbound } from '@/lib/outbound.ts'
import { documentAt, openHosts, openRoom, refusalOf, type Room } from '../support/documents.ts'
import { openHouse } from '../support/oauth.ts'

// Rows 21 to 24 of the abuse table: what a metadata document can do to the one that fetches it.
const FROM = '203.0.113.5'
const hosts = openHosts(['app.test', 'raw.test', 'elsewhere.test'])
let room: Room
beforeEach(() => {
  room = openRoom(hosts.outbound)
  hosts.spoken.length = 0
})
afterEach(() => room.close())
afterAll(() => hosts.close())

let made = 0
/** A new address for each test: what failed rests. */
const newAddress = (host = 'app.test') => `https://${host}/${++made}/client.json`
const resolve = (address: string, from = FROM) => room.clients.resolve(address, from)
const json = (body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json', ...headers } })

describe('21: a document inside', () => {
  let connections = 0
  // Below TLS: a handshake that fails would be a connection all the same.
  const listener = createListener((socket) => {
    connections += 1
    socket.destroy()
  })
  const listening = Promise.withResolvers<void>()
  listener.listen(0, '127.0.0.1', listening.resolve)
  afterAll(() => void listener.close())
  const places = ['127.0.0.1', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', 'localhost', 'localhost.', '[::1]', '[::ffff:127.0.0.1]']
  const others = [
    '[::ffff:7f00:1]',
    '0.0.0.0',
    '[::]',
    '[64:ff9b::7f00:1]',
    '169.254.169.254',
    '10.0.0.1',
    '100.64.0.1',
    '[fe80::1]',
    '[fd00::1]',
  ]
  test.each([...places, ...others])('[ABUSE-21] at %s is refused, no connection made', async (host) => {
    await listening.promise
    const { port } = listener.address() as { port: number }
    const real = openRoom(createOutbound())
    expect(await refusalOf(real.clients.resolve(`https://${host}:${port}/client.json`, FROM))).toStartWith('400 invalid_client: ')
    expect(connections).toBe(0)
    expect(await real.clients.list()).toEqual([])
    await real.close()
  })
  test.each([['10.1.2.3'], ['93.184.216.34', '127.0.0.1'], ['::ffff:10.0.0.1'], ['169.254.169.254'], []])(
    '[ABUSE-21] behind a name that leads to %p is refused, no connection made',
    async (...leads) => {
      hosts.lead('inside.test', () => leads)
      expect(await refusalOf(resolve(newAddress('inside.test')))).toStartWith('400 invalid_client: ')
      expect(hosts.spoken).toEqual([])
    },
  )
  test('[ABUSE-21] is a 400 page at the authorization endpoint', async () => {
    const house = await openHouse({})
    const { cookie } = await house.signIn('somebody')
    const query = house.asking('https://localhost./client.json')
    const answer = await house.authorize(query, cookie)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    await house.close()
  })
})

describe('22: a name that leads elsewhere the second time', () => {
  test('[ABUSE-22] only the address that was checked is spoken to, and the next answer is checked anew', async () => {
    const address = newAddress()
    hosts.put(address, () => json(documentAt(address), { 'cache-control': 'no-store' }))
    const answers = [['93.184.216.34'], ['127.0.0.1'], ['169.254.169.254']]
    let asked = 0
    hosts.lead('app.test', () => answers[Math.min(asked++, 2)] as string[])
    const first = await resolve(address)
    expect([asked, hosts.spoken]).toEqual([1, ['93.184.216.34']])
    room.time.now += DAY_MS
    expect((await resolve(address))?.fetchedAt).toBe(first?.fetchedAt as number)
    expect([asked, hosts.spoken]).toEqual([2, ['93.184.216.34']])
    hosts.lead('app.test', () => ['93.184.216.34'])
  })
})

describe('23: a document that is not one', () => {
  const raw: TLSSocket[] = []
  /** A server that does with its connection what it likes. */
  const listenRaw = async (behave: (socket: TLSSocket) => void) => {
    const server = createServer(hosts.certificates['raw.test'], (socket) => {
      raw.push(socket)
      socket.on('error', () => {})
      socket.once('data', () => behave(socket))
    })
    const up = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', up.resolve)
    await up.promise
    hosts.serveRaw('raw.test', (server.address() as { port: number }).port)
    return server
  }
  afterAll(() => {
    for (const socket of raw) socket.destroy()
  })
  const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'

  test('[ABUSE-23] behind a redirect is refused, and the target not asked', async () => {
    const address = newAddress()
    const target = newAddress('elsewhere.test')
    hosts.put(target, () => json(documentAt(address)))
    hosts.put(address, () => Response.redirect(target, 302))
    expect(await refusalOf(resolve(address))).toBe('400 invalid_client: its metadata document was answered with status 302')
    expect(hosts.hits(target)).toBe(0)
  })
  test('[ABUSE-23] of a gigabyte is refused at its announcement', async () => {
    const server = await listenRaw((socket) => void socket.write(`${HEAD}content-length: 1000000000\r\n\r\n{`))
    expect(await refusalOf(resolve(newAddress('raw.test')))).toContain('more than 5120 bytes')
    server.close()
  })
  test('[ABUSE-23] without an end is cut', async () => {
    let sentBytes = 0
    const server = await listenRaw((socket) => {
      socket.write(`${HEAD}connection: close\r\n\r\n`)
      const flood = () => {
        while (!socket.destroyed && socket.write(' '.repeat(1_000))) sentBytes += 1_000
      }
      socket.on('drain', flood)
      flood()
    })
    expect(await refusalOf(resolve(newAddress('raw.test')))).toContain('more than 5120 bytes')
    expect(sentBytes).toBeLessThan(20_000_000)
    server.close()
  })
  test('[ABUSE-23] in a gzip bomb is cut while it unpacks', async () => {
    const address = newAddress()
    const bomb = Bun.gzipSync(JSON.stringify(documentAt(address, { client_name: ' '.repeat(1_000_000) })))
    expect(bomb.byteLength).toBeLessThan(5_000)
    hosts.put(address, () => new Response(bomb, { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }))
    expect(await refusalOf(resolve(address))).toContain('more than 5120 bytes')
  })
  test('[ABUSE-23] that drips is given up after five seconds', async () => {
    const server = await listenRaw((socket) => {
      socket.write(`${HEAD}content-length: 2000\r\n\r\n`)
      const timer = setInterval(() => socket.write(' '), 50)
      socket.on('close', () => clearInterval(timer))
    })
    const startMs = performance.now()
    expect(await refusalOf(resolve(newAddress('raw.test')))).toContain('No answer within 5 s')
    expect(performance.now() - startMs).toBeLessThan(7_000)
    server.close()
  }, 15_000)
  test.each<[string, object]>([
    ['another client_id', { client_id: 'https://app.test/other.json' }],
    ['its client_id in capitals', { client_id: 'HTTPS://app.test/client.json' }],
    ['no client_id', { client_id: undefined }],
    ['a secret', { client_secret: 'hush' }],
    ['the end of a secret', { client_secret_expires_at: 0 }],
    ['a shared secret as its way', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['a private key', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'EC', crv: 'P-256', d: 'x' }] } }],
    ['no keys where it needs them', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a script as redirect', { redirect_uris: ['javascript:alert(1)'] }],
    ['a remote http redirect', { redirect_uris: ['http://app.test/callback'] }],
    ['no redirect', { redirect_uris: [] }],
    ['a redirect of another type', { redirect_uris: 'https://app.test/callback' }],
  ])('[ABUSE-23] with %s is refused', async (_, change) => {
    const address = newAddress()
    hosts.put(address, () => json(documentAt(address, change)))
    expect(await refusalOf(resolve(address))).toStartWith('400 invalid_client: its metadata document ')
    expect(await room.clients.find(address)).toBeUndefined()
  })
  test.each<[string, () => Response]>([
    ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['of no type', () => new Response('{}', { headers: { 'content-type': '' } })],
    ['broken JSON', () => new Response('{', { headers: { 'content-type': 'application/json' } })],
    ['a list', () => json([])],
    ['null', () => json(null)],
    ['201', () => new Response('{}', { status: 201, headers: { 'content-type': 'application/json' } })],
    ['nested beyond sense', () => new Response('['.repeat(4_000), { headers: { 'content-type': 'application/json' } })],
  ])('[ABUSE-23] that is %s is refused', async (_, answer) => {
    const address = newAddress()
    hosts.put(address, answer)
    expect(await refusalOf(resolve(address))).toStartWith('400 invalid_client: its metadata document ')
  })
})

describe('24: a document that fails again and again', () => {
  test('[ABUSE-24] is asked for five times, however often it is named, and another of its host all the same', async () => {
    const address = newAddress()
    hosts.put(address, () => new Response('no', { status: 500 }))
    for (let at = 0; at < 20; at += 1) expect(await refusalOf(resolve(address))).toStartWith('400 invalid_client: ')
    expect(hosts.hits(address)).toBe(5)
    const other = newAddress()
    hosts.put(other, () => json(documentAt(other)))
    expect((await resolve(other))?.name).toBe('An app')
  })
  test('[ABUSE-24] a hundred at once are one fetch', async () => {
    const address = newAddress()
    hosts.put(address, async () => {
      await Bun.sleep(50)
      return json(documentAt(address))
    })
    const found = await Promise.all(Array.from({ length: 100 }, (_, at) => resolve(address, `198.51.100.${at}`)))
    expect([new Set(found.map((client) => client?.id)).size, hosts.hits(address)]).toEqual([1, 1])
  })
  test('[ABUSE-24] who names failing ones without end is told to wait before their host is', async () => {
    const addresses = Array.from({ length: 40 }, () => newAddress('elsewhere.test'))
    for (const address of addresses) await refusalOf(resolve(address, '192.0.2.1'))
    expect(addresses.filter((address) => hosts.hits(address) > 0)).toHaveLength(20)
    const good = newAddress('elsewhere.test')
    hosts.put(good, () => json(documentAt(good)))
    expect((await resolve(good, '192.0.2.2'))?.name).toBe('An app')
  })
  test('[ABUSE-24] who names new ones without end meets 429', async () => {
    const all = await Promise.all(
      Array.from({ length: 70 }, () => {
        const address = newAddress()
        hosts.put(address, () => json(documentAt(address)))
        return refusalOf(resolve(address, '2001:db8::1'))
      }),
    )
    expect(all.filter((said) => said.startsWith('429 '))).toHaveLength(10)
  })
  test('[ABUSE-24, CIMD-LAST-GOOD] the last good copy is kept meanwhile, and its host asked once', async () => {
    const address = newAddress()
    hosts.put(address, () => json(documentAt(address)))
    const good = await resolve(address)
    for (const answer of [() => new Response('no', { status: 403 }), () => new Response('<html>robot?')]) {
      hosts.put(address, answer)
      room.time.now += HOUR_MS
      for (let at = 0; at < 5; at += 1) expect(await resolve(address)).toEqual(good as NonNullable<typeof good>)
    }
    expect(hosts.hits(address)).toBe(2)
    expect(room.trace.since(0).at(-1)).toMatchObject({ step: 'document', outcome: 'ok', detail: { host: 'app.test' } })
  })
})
