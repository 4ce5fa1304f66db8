import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createClients } from '@/clients'
import { addressProblem } from '@/clients/documents.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@/lib/clock.ts'
import { documentAt, openHosts, openRoom, refusalOf, type Room } from '../support/documents.ts'

const FROM = '203.0.113.5'
const hosts = openHosts(['app.test', 'keys.test'])
let room: Room
let made = 0
let address = ''
beforeEach(() => {
  room = openRoom(hosts.outbound)
  address = `https://app.test/${++made}/client.json`
})
afterEach(() => room.close())
afterAll(() => hosts.close())

const resolve = () => room.clients.resolve(address, FROM)
const json = (body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json', ...headers } })
const serve = (change: object = {}, headers: Record<string, string> = {}) =>
  hosts.put(address, () => json(documentAt(address, change), headers))

describe('the address', () => {
  test.each([
    'https://app.test/client.json',
    'https://app.test:8443/client.json',
    'https://app.test/a/',
    'https://app.test/client.json?v=1',
    'https://app.test/%41',
    'https://app.test/..a/b',
  ])('[CIMD-ADDRESS] %s may be a client id', (identifier) => expect(addressProblem(identifier)).toBeUndefined())
  test.each([
    ['http://app.test/client.json', 'https'],
    ['https://app.test', 'no path'],
    ['https://app.test/', 'no path'],
    ['https://app.test?x=/client.json', 'no path'],
    ['https://app.test/client.json#', 'fragment'],
    ['https://app.test/client.json#x', 'fragment'],
    ['https://user@app.test/client.json', 'user'],
    ['https://user:secret@app.test/client.json', 'user'],
    ['https://@app.test/client.json', 'user'],
    ['https://app.test/./client.json', 'dot segments'],
    ['https://app.test/a/../client.json', 'dot segments'],
    ['https://app.test/a/%2E%2e/client.json', 'dot segments'],
    ['https://app.test/a/..', 'dot segments'],
    ['HTTPS://app.test/client.json', 'normal form'],
    ['https://App.test/client.json', 'normal form'],
    ['https://app.test:443/client.json', 'normal form'],
    ['https://app.test\\client.json', 'normal form'],
    ['https:app.test/client.json', 'normal form'],
    ['https://app.test/client json', 'normal form'],
    ['https://app.test/client.json\n', 'normal form'],
    ['https://0x7f.1/client.json', 'normal form'],
    ['https://①②⑦.0.0.1/client.json', 'normal form'],
    [`https://app.test/${'a'.repeat(500)}`, 'too long'],
    ['https://', 'https'],
  ])('[CIMD-ADDRESS] %s may not', (identifier, why) => expect(addressProblem(identifier)).toContain(why))
  test('[CIMD-ADDRESS] what may not is refused without a fetch, and other schemes are no documents', async () => {
    hosts.spoken.length = 0
    expect(await refusalOf(room.clients.resolve('https://app.test/client.json#x', FROM))).toBe(
      '400 invalid_client: the client_id has a fragment',
    )
    expect(await room.clients.resolve('http://app.test/client.json', FROM)).toBeUndefined()
    expect(hosts.spoken).toEqual([])
  })
})

describe('a copy', () => {
  test('[CIMD-CACHE] is what the document says, of a client without a secret that no user let in yet', async () => {
    serve({ grant_types: ['authorization_code', 'refresh_token'], logo_uri: 'https://app.test/logo.png' })
    const client = await resolve()
    expect(client).toMatchObject({ identifier: address, kind: 'document', name: 'An app', authMethod: 'none', secretHash: null })
    expect(client?.redirectUris).toEqual(['https://app.test/callback', 'http://127.0.0.1/callback'])
    expect(client?.expiresAt).toBe(room.time.now + 7 * DAY_MS)
    expect(JSON.stringify(client)).not.toContain('logo')
    expect(await room.clients.find(address)).toEqual(client as NonNullable<typeof client>)
  })
  test('[CIMD-CACHE] without a name bears its host', async () => {
    serve({ client_name: '\u202E' })
    expect((await resolve())?.name).toBe('app.test')
  })
  test.each<[string | undefined, number]>([
    [undefined, HOUR_MS],
    ['max-age=600', 10 * MINUTE_MS],
    ['public, max-age=600', 10 * MINUTE_MS],
    ['max-age=0', MINUTE_MS],
    ['max-age=9999999999', DAY_MS],
    ['no-store', MINUTE_MS],
    ['no-cache, max-age=600', MINUTE_MS],
    ['s-maxage=600', HOUR_MS],
    ['max-age=soon', HOUR_MS],
  ])('[CIMD-CACHE] with cache-control %p is fresh for %d ms', async (control, freshMs) => {
    serve({}, control === undefined ? {} : { 'cache-control': control })
    await resolve()
    room.time.now += freshMs - 1
    await resolve()
    expect(hosts.hits(address)).toBe(1)
    room.time.now += 1
    await resolve()
    expect(hosts.hits(address)).toBe(2)
  })
  test('[CIMD-CACHE] that nobody let in is forgotten, and fetched again under a new row', async () => {
    serve()
    const first = await resolve()
    room.time.now += 7 * DAY_MS
    expect(await room.clients.find(address)).toBeUndefined()
    expect((await resolve())?.expiresAt).toBe(room.time.now + 7 * DAY_MS)
    room.time.now += 7 * DAY_MS
    expect(await room.clients.sweep()).toBe(1)
    expect((await resolve())?.id).not.toBe(first?.id as NonNullable<typeof first>['id'])
  })
  test('[CIMD-CACHE] of a blocked client is not fetched anew', async () => {
    serve()
    const client = await resolve()
    await room.clients.block('command line', client!.id)
    room.time.now += DAY_MS
    expect((await resolve())?.blockedAt).not.toBeNull()
    expect(hosts.hits(address)).toBe(1)
  })
  test('[CIMD-CHANGED] with the same redirect URIs changes name and keys quietly', async () => {
    serve()
    const client = await resolve()
    serve({ client_name: 'Its new name', redirect_uris: ['http://127.0.0.1/callback', 'https://app.test/callback'] })
    room.time.now += HOUR_MS
    expect(await resolve()).toMatchObject({ id: client!.id, name: 'Its new name' })
    expect(room.heard).toEqual([])
  })
  test.each([[['https://app.test/callback']], [['https://app.test/callback', 'http://127.0.0.1/callback', 'https://app.test/more']]])(
    '[CIMD-CHANGED] with redirect URIs %p instead is announced',
    async (redirect_uris) => {
      serve()
      const client = await resolve()
      serve({ redirect_uris })
      room.time.now += HOUR_MS
      expect((await resolve())?.redirectUris).toEqual(redirect_uris)
      expect(room.heard).toEqual([{ kind: 'client-changed', clientId: client!.id }])
    },
  )
  test.each<[string, () => Response]>([
    ['gone', () => new Response('', { status: 410 })],
    ["another client's", () => json({ ...documentAt(address), client_id: 'https://app.test/other.json' })],
    ['without a place to go back to', () => json({ ...documentAt(address), redirect_uris: [] })],
  ])('[CIMD-LAST-GOOD] is no longer good when its document is %s, nor when the host falls silent then', async (_, answer) => {
    serve()
    await resolve()
    hosts.put(address, answer)
    room.time.now += HOUR_MS
    expect(await refusalOf(resolve())).toStartWith('400 invalid_client: its metadata document ')
    hosts.put(address, () => new Response('', { status: 503 }))
    expect(await refusalOf(resolve())).toStartWith('400 invalid_client: ')
    expect(hosts.hits(address)).toBe(2)
    // Nor after a start, with nothing in memory.
    const clock = () => room.time.now
    const changes = { announce: () => {}, subscribe: () => () => {} }
    const again = createClients({ ...room, clock, outbound: hosts.outbound, changes })
    expect(await refusalOf(again.resolve(address, '203.0.113.9'))).toStartWith('400 invalid_client: ')
    expect(hosts.hits(address)).toBe(3)
  })
  test('[CIMD-LAST-GOOD] stays good when the name is no longer known or the certificate has expired', async () => {
    serve()
    const client = await resolve()
    room.time.now += HOUR_MS
    hosts.lead('app.test', () => {
      throw new Error('ENOTFOUND')
    })
    expect(await resolve()).toEqual(client as NonNullable<typeof client>)
    hosts.lead('app.test', () => ['93.184.216.34'])
  })
  test('each step is in the trace, with the host and not the path', async () => {
    serve()
    await resolve()
    address = `https://app.test/secretpath${made}/none.json`
    await refusalOf(resolve())
    const notes = room.trace.since(0).map(({ step, outcome, detail, reason }) => ({ step, outcome, detail, reason }))
    expect(notes).toEqual([
      { step: 'document', outcome: 'ok', detail: { host: 'app.test' }, reason: undefined },
      { step: 'document', outcome: 'refused', detail: { host: 'app.test' }, reason: 'its metadata document was answered with status 404' },
    ])
  })
})

describe('listed beforehand', () => {
  test('[CLIENT-LISTED] it is fetched, admitted, does not expire and is in the audit trail', async () => {
    serve()
    const client = await room.clients.listDocument('command line', address)
    expect(client).toMatchObject({ identifier: address, expiresAt: null, approvedAt: room.time.now })
    await room.clients.setPolicy('command line', 'listed', [])
    expect(await room.clients.admission(client)).toBe('admitted')
    const rows = await room.audit.list({ limit: 10 })
    expect(rows.map(({ action }) => action)).toEqual(['client.policy', 'client.approve', 'client.document'])
  })
  test('[CLIENT-LISTED] what is wrong with it is said at its field', async () => {
    const fields = (url: string) => room.clients.listDocument('command line', url).then(undefined, (error) => error.fields)
    expect(await fields('nonsense')).toEqual({ url: 'The client_id is no https address.' })
    expect(await fields(address)).toEqual({ url: 'Its metadata document was answered with status 404.' })
  })
})

describe('keys', () => {
  const key = (kid: string) => ({ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid })
  const KEYS = 'https://keys.test/jwks.json'
  const withKeys = (change: object) => serve({ token_endpoint_auth_method: 'private_key_jwt', ...change })
  const kids = async (options = {}) => (await room.clients.keysOf((await room.clients.find(address))!, options))?.keys.map(({ kid }) => kid)
  /** Another address for each test: what failed rests. */
  const keysAt = () => `${KEYS}?${made}`

  test('[CLIENT-KEYS] from their address are kept for an hour', async () => {
    const before = hosts.hits(KEYS)
    hosts.put(KEYS, () => json({ keys: [key('one')] }))
    withKeys({ jwks_uri: keysAt() })
    await resolve()
    expect([await kids(), await kids()]).toEqual([['one'], ['one']])
    expect(hosts.hits(KEYS) - before).toBe(1)
    hosts.put(KEYS, () => json({ keys: [key('two')] }))
    room.time.now += HOUR_MS - 1
    expect(await kids()).toEqual(['one'])
    room.time.now += 1
    expect(await kids()).toEqual(['two'])
  })
  test('[CLIENT-KEYS] are looked for again at once when one is missing, once a minute', async () => {
    hosts.put(KEYS, () => json({ keys: [key('one')] }))
    withKeys({ jwks_uri: keysAt() })
    await resolve()
    await kids()
    hosts.put(KEYS, () => json({ keys: [key('one'), key('two')] }))
    const before = hosts.hits(KEYS)
    for (let at = 0; at < 5; at += 1) expect(await kids({ again: true })).toEqual(['one'])
    room.time.now += MINUTE_MS
    for (let at = 0; at < 5; at += 1) expect(await kids({ again: true })).toEqual(['one', 'two'])
    expect(hosts.hits(KEYS) - before).toBe(1)
  })
  test.each<[string, () => Response]>([
    ['nothing', () => new Response('', { status: 500 })],
    ['a page', () => new Response('<html>')],
    ['no set of keys', () => json({ keys: 'none' })],
    ['a private key', () => json({ keys: [{ ...key('two'), d: 'x' }] })],
    ['a shared key', () => json({ keys: [{ kty: 'oct', k: 'x' }] })],
    ['too much', () => json({ keys: [], padding: ' '.repeat(70_000) })],
    ['a redirect', () => Response.redirect('https://app.test/', 302)],
  ])('[CLIENT-KEYS] held stay good when their address answers with %s, and it rests', async (_, answer) => {
    hosts.put(KEYS, () => json({ keys: [key('one')] }))
    withKeys({ jwks_uri: keysAt() })
    await resolve()
    await kids()
    hosts.put(KEYS, answer)
    const before = hosts.hits(KEYS)
    room.time.now += HOUR_MS - MINUTE_MS
    for (let at = 0; at < 5; at += 1) expect(await kids({ again: true })).toEqual(['one'])
    expect(hosts.hits(KEYS) - before).toBe(1)
  })
  test('[CLIENT-KEYS] at an address inside are never fetched', async () => {
    hosts.lead('inside.test', () => ['127.0.0.1'])
    withKeys({ jwks_uri: 'https://inside.test/jwks.json' })
    await resolve()
    hosts.spoken.length = 0
    expect(await kids()).toBeUndefined()
    expect(hosts.spoken).toEqual([])
  })
  test('[CLIENT-KEYS] in a document change with it, and end with it', async () => {
    withKeys({ jwks: { keys: [key('one')] } })
    await resolve()
    expect(await kids()).toEqual(['one'])
    withKeys({ jwks: { keys: [key('two')] } })
    expect(await kids({ again: true })).toEqual(['one'])
    room.time.now += MINUTE_MS
    expect(await kids({ again: true })).toEqual(['two'])
    hosts.put(address, () => new Response('', { status: 410 }))
    room.time.now += HOUR_MS
    expect(await kids()).toBeUndefined()
  })
  test('[CLIENT-KEYS] that were fetched outlive a fresh copy of the document that names the same address, not another', async () => {
    hosts.put(KEYS, () => json({ keys: [key('one')] }))
    withKeys({ jwks_uri: keysAt() })
    await resolve()
    await kids()
    room.time.now += HOUR_MS
    await resolve()
    expect((await room.clients.find(address))?.jwks?.keys).toHaveLength(1)
    withKeys({ jwks_uri: `${keysAt()}-other` })
    room.time.now += HOUR_MS
    expect((await resolve())?.jwks).toBeNull()
  })
  test('[CLIENT-KEYS] are nobody else’s', async () => {
    serve()
    expect(await room.clients.keysOf((await resolve())!)).toBeUndefined()
  })
})
