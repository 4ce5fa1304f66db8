import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { admissionOf, type Client, createClients } from '@/clients'
import { DAY_MS } from '@/lib/clock.ts'
import { type ClientId, newClientId, newUserId } from '@/lib/ids.ts'
import { createOutbound } from '@/lib/outbound.ts'
import { clients } from '@/store'
import { openRoom, refusalOf, type Room } from '../support/documents.ts'

const FROM = '203.0.113.5'
const HOUSE = { origin: 'https://tools.test', base: '/toolpass' }
const CALLBACK = 'http://127.0.0.1/callback'
const METADATA = { client_name: 'An app', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }
type Answer = Record<string, string> & { client_id: string; registration_access_token: string }

let room: Room
beforeEach(() => {
  room = openRoom(createOutbound({}))
})
afterEach(() => room.close())

const register = async (change: object = {}) => {
  const { client, answer } = await room.clients.register({ ...METADATA, ...change }, FROM, HOUSE)
  return { client, answer: answer as Answer }
}
/** A script's client belongs to a user. */
const whose = newUserId()
const actions = async () => (await room.audit.list({ limit: 50 })).map(({ action }) => action)
const used = async () => {
  const { client } = await register()
  await room.store.transact((tx) => room.clients.keep(tx, client.id))
  return client
}
const stateOf = async ({ id }: { id: ClientId }) => room.clients.admission((await room.clients.findById(id))!)

describe('a page of clients', () => {
  test('[CLIENT-LISTING] is cut by the database from those that fit, without what is large or secret', async () => {
    const made: Client[] = []
    for (let at = 0; at < 5; at += 1) {
      room.time.now += 1
      made.push((await register({ client_name: `App ${at}`, redirect_uris: [`https://app${at}.test/cb`] })).client)
    }
    const page = (wanted: object) => room.clients.page({ alive: [], start: 0, rows: 50, ...wanted })
    const { found, total } = await page({ start: 1, rows: 2 })
    expect([found.map(({ name }) => name), total]).toEqual([['App 3', 'App 2'], 5])
    for (const column of ['jwks', 'metadata', 'secretHash', 'registrationHash']) expect(found[0]).not.toHaveProperty(column)
    for (const q of ['aPP 3', 'https://APP3.test', made[3]!.id])
      expect([q, (await page({ q })).found.map(({ name }) => name)]).toEqual([q, ['App 3']])
    expect((await page({ q: '%' })).total).toBe(0)
  })
  test.each(['everyone', 'approved', 'listed'] as const)(
    '[CLIENT-LISTING] by state agrees with who is admitted, for %s',
    async (policy) => {
      const [blocked, both, approved] = [(await register()).client, (await register()).client, (await register()).client]
      await register()
      await room.clients.preregister('command line', { name: 'Ours', redirectUris: [CALLBACK], confidential: false })
      const [live] = await room.store.transact(async (tx) => [
        await room.clients.createScript(tx, 'Alive', whose, FROM),
        await room.clients.createScript(tx, 'Ended', whose, FROM),
      ])
      for (const { id } of [both, approved]) await room.clients.approve('command line', id)
      for (const { id } of [blocked, both]) await room.clients.block('command line', id)
      await room.clients.setPolicy('command line', policy, [])
      const all = { alive: [live!.id], start: 0, rows: 50 }
      const shown = (await room.clients.page(all)).found
      expect(shown.map(({ name }) => name)).not.toContain('Ended')
      expect((await room.clients.page({ ...all, kind: 'script' })).total).toBe(2)
      for (const state of ['admitted', 'waits', 'not-listed', 'blocked'] as const) {
        const fit = shown.filter((client) => admissionOf(client, policy) === state).map(({ id }) => id)
        const { found, total, waiting } = await room.clients.page({ ...all, state })
        expect([state, found.map(({ id }) => id).sort(), total]).toEqual([state, fit.sort(), fit.length])
        if (state === 'waits') expect(waiting).toBe(fit.length)
      }
    },
  )
})

describe('who is admitted', () => {
  test('[CLIENT-ADMISSION] everyone, until an administrator says otherwise', async () => {
    expect([await room.clients.policy(), await stateOf((await register()).client)]).toEqual(['everyone', 'admitted'])
  })
  test.each([
    ['approved', 'waits'],
    ['listed', 'not-listed'],
  ] as const)('[CLIENT-ADMISSION] where %s ones are, a new one %s, and one in use stays in', async (policy, state) => {
    const [fresh, known, blocked] = [(await register()).client, await used(), await used()]
    await room.clients.block('command line', blocked.id)
    await room.clients.setPolicy('command line', policy, [known.id, blocked.id])
    const later = (await register()).client
    const script = await room.store.transact((tx) => room.clients.createScript(tx, 'Backup', whose, FROM))
    const { client: made } = await room.clients.preregister('command line', { name: 'Ours', redirectUris: [CALLBACK], confidential: false })
    expect(await Promise.all([fresh, later, known, blocked, script, made].map(stateOf))).toEqual([
      state,
      state,
      'admitted',
      'blocked',
      'admitted',
      'admitted',
    ])
    await room.clients.approve('command line', later.id)
    expect(await stateOf(later)).toBe('admitted')
    room.time.now += 40 * DAY_MS
    await room.clients.sweep()
    expect([await room.clients.find(fresh.identifier), (await room.clients.find(later.identifier))?.id]).toEqual([undefined, later.id])
    expect(await actions()).toContain('client.policy')
  })
  test('[CLIENT-ADMISSION] a policy outlives the process', async () => {
    await room.clients.setPolicy('command line', 'approved', [])
    const clock = () => room.time.now
    const again = createClients({
      ...room,
      clock,
      outbound: createOutbound({}),
      changes: { announce: () => {}, subscribe: () => () => {} },
    })
    expect(await again.policy()).toBe('approved')
  })
  test('[CLIENT-ADMISSION] one that users let in once and no longer does not come in with those in use', async () => {
    const [left, stays] = [await used(), await used()]
    await room.clients.setPolicy('command line', 'listed', [stays.id])
    expect([await stateOf(left), await stateOf(stays)]).toEqual(['not-listed', 'admitted'])
  })
  test('[CLIENT-ADMISSION] blocking is announced, and undone', async () => {
    const client = await used()
    await room.clients.block('command line', client.id)
    expect([await stateOf(client), room.heard]).toEqual(['blocked', [{ kind: 'client-blocked', clientId: client.id }]])
    await room.clients.unblock('command line', client.id)
    expect(await stateOf(client)).toBe('admitted')
    expect((await actions()).slice(0, 2)).toEqual(['client.unblock', 'client.block'])
  })
  test('[CLIENT-ADMISSION] one that does not exist cannot be decided about', async () => {
    const { client } = await register()
    await room.clients.remove('command line', client.id)
    for (const decide of [room.clients.approve, room.clients.block, room.clients.unblock])
      expect(await refusalOf(decide('command line', client.id))).toStartWith('404 ')
    expect(room.heard.map(({ kind }) => kind)).toEqual(['client-removed'])
  })
  test('[CLIENT-ADMISSION] one made for a script is found by no authorization request', async () => {
    const script = await room.store.transact((tx) => room.clients.createScript(tx, 'Backup', whose, FROM))
    expect(await room.clients.find(script.identifier)).toBeUndefined()
    expect(await room.clients.resolve(script.identifier, FROM)).toBeUndefined()
    expect((await room.clients.findById(script.id))?.name).toBe('Backup')
  })
})

describe('registered by an administrator', () => {
  test('[CLIENT-PREREGISTERED] a confidential one gets a secret that is stored as its hash', async () => {
    const asked = { name: ' Our \u202Eapp ', redirectUris: [` ${CALLBACK} `, CALLBACK, 'https://app.test/callback'], confidential: true }
    const { client, secret } = await room.clients.preregister('command line', asked)
    expect(client).toMatchObject({
      kind: 'registered',
      name: 'Our app',
      authMethod: 'client_secret_basic',
      expiresAt: null,
      createdFrom: 'command line',
    })
    expect(client.redirectUris).toEqual([CALLBACK, 'https://app.test/callback'])
    expect([room.clients.knowsSecret(client, secret ?? ''), room.clients.knowsSecret(client, 'tps_other')]).toEqual([true, false])
    expect(JSON.stringify([await room.clients.findById(client.id), await room.audit.list({ limit: 9 })])).not.toContain(secret as string)
  })
  test('[CLIENT-PREREGISTERED] a public one has none', async () => {
    const { client, secret } = await room.clients.preregister('command line', { name: 'x', redirectUris: [CALLBACK], confidential: false })
    expect([client.authMethod, client.secretHash, secret]).toEqual(['none', null, undefined])
  })
  test.each<[string, string[], object]>([
    ['', [CALLBACK], { name: 'Give it a name.' }],
    ['\u200B', [CALLBACK], { name: 'Give it a name.' }],
    ['x', [], { redirect_uris: 'Enter at least one redirect URI.' }],
    ['x', [CALLBACK, 'http://app.test/'], { redirect_uris: 'Http is for loopback addresses only.' }],
    ['', ['javascript:alert(1)'], { name: 'Give it a name.', redirect_uris: 'The scheme javascript is not allowed.' }],
    ['x', Array.from({ length: 21 }, (_, at) => `https://app.test/${at}`), { redirect_uris: 'At most 20 redirect URIs.' }],
  ])('[CLIENT-PREREGISTERED] a form with the name %p is refused at its fields', async (name, redirectUris, fields) => {
    const refused = await room.clients
      .preregister('command line', { name, redirectUris, confidential: false })
      .then(undefined, (error) => error)
    expect([refused.code, refused.fields]).toEqual(['invalid_form', fields])
    expect(await room.clients.list()).toEqual([])
  })
})

describe('registered by itself', () => {
  test('[REGISTRATION-READ] it is told where and with what it is managed, and reads what was answered', async () => {
    const { answer, client } = await register({ token_endpoint_auth_method: 'client_secret_basic' })
    const { client_secret, client_secret_expires_at, ...rest } = answer
    expect(answer['registration_client_uri']).toBe(`https://tools.test/toolpass/oauth/register/${answer.client_id}`)
    expect(await room.clients.readRegistration(answer.client_id, answer.registration_access_token, HOUSE)).toEqual(rest)
    expect([client_secret?.slice(0, 4), client_secret_expires_at]).toEqual(['tps_', 0 as never])
    expect(JSON.stringify([await room.clients.findById(client.id), await room.audit.list({ limit: 9 }), room.trace.since(0)])).not.toMatch(
      /tp[sm]_/,
    )
  })
  test('[REGISTRATION-READ] another token, another client, a blocked one and one that expired are invalid_token', async () => {
    const { answer, client } = await register()
    const { answer: other } = await register()
    const read = (identifier: string, token: string) => refusalOf(room.clients.readRegistration(identifier, token, HOUSE))
    const { client: made } = await room.clients.preregister('command line', { name: 'x', redirectUris: [CALLBACK], confidential: false })
    for (const [identifier, token] of [
      [answer.client_id, other.registration_access_token],
      [answer.client_id, ''],
      ['nobody', answer.registration_access_token],
      [made.identifier, ''],
    ] as const)
      expect(await read(identifier, token)).toStartWith('401 invalid_token: ')
    await room.clients.block('command line', client.id)
    expect(await read(answer.client_id, answer.registration_access_token)).toStartWith('401 invalid_token: ')
    room.time.now += 30 * DAY_MS
    expect(await read(other.client_id, other.registration_access_token)).toStartWith('401 invalid_token: ')
  })
  test('[REGISTRATION-UPDATE] it puts its whole description anew and keeps id, secret and expiry', async () => {
    const { answer, client } = await register({ token_endpoint_auth_method: 'client_secret_basic', software_id: 'one' })
    const { client_id, client_secret, registration_access_token: token } = answer
    const asked = { client_id, client_secret, client_name: 'Renamed', redirect_uris: [CALLBACK] }
    const updated = await room.clients.updateRegistration(client_id, token, asked, HOUSE)
    expect(updated).toMatchObject({ client_id, client_name: 'Renamed', registration_access_token: token })
    expect([updated['software_id'], updated['client_secret'], room.heard.length]).toEqual([undefined, undefined, 0])
    const row = (await room.clients.find(client_id))!
    expect([row.name, row.expiresAt, room.clients.knowsSecret(row, client_secret!)]).toEqual(['Renamed', client.expiresAt, true])
  })
  test('[REGISTRATION-UPDATE] other redirect URIs are announced', async () => {
    const { answer, client } = await register()
    const asked = { ...METADATA, client_id: answer.client_id, redirect_uris: ['https://app.test/callback'] }
    await room.clients.updateRegistration(answer.client_id, answer.registration_access_token, asked, HOUSE)
    expect(room.heard).toEqual([{ kind: 'client-changed', clientId: client.id }])
  })
  test.each<[string, object, string]>([
    ['without its id', { client_id: undefined }, 'invalid_client_metadata'],
    ['with the id of another', { client_id: 'cli_other' }, 'invalid_client_metadata'],
    ['with a secret of its choice', { client_secret: 'mine' }, 'invalid_client_metadata'],
    ['with another way to prove itself', { token_endpoint_auth_method: 'client_secret_post' }, 'invalid_client_metadata'],
    ['without redirect URIs', { redirect_uris: undefined }, 'invalid_redirect_uri'],
    ['with a hostile redirect URI', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
  ])('[REGISTRATION-UPDATE] %s it changes nothing', async (_, change, error) => {
    const { answer, client } = await register()
    const asked = { ...METADATA, client_id: answer.client_id, client_name: 'Other', ...change }
    const put = room.clients.updateRegistration(answer.client_id, answer.registration_access_token, asked, HOUSE)
    expect(await refusalOf(put)).toStartWith(`400 ${error}: `)
    expect(await room.clients.findById(client.id)).toEqual(client)
  })
  test.each<[string, object, string]>([
    ['another name', { client_name: 'Another' }, 'waits'],
    ['other redirect URIs', { redirect_uris: [CALLBACK, 'https://app.test/callback'] }, 'waits'],
    ['other grant types', { grant_types: ['authorization_code', 'refresh_token'] }, 'waits'],
    ['another version', { software_version: '2' }, 'admitted'],
  ])('[CLIENT-APPROVAL] with %s the approved one is as before, or waits', async (_, change, state) => {
    await room.clients.setPolicy('command line', 'approved', [])
    const { answer, client } = await register()
    await room.clients.approve('command line', client.id)
    const asked = { ...METADATA, client_id: answer.client_id, ...change }
    await room.clients.updateRegistration(answer.client_id, answer.registration_access_token, asked, HOUSE)
    expect(await stateOf(client)).toBe(state as 'waits')
  })
  test('[REGISTRATION-UPDATE] no body at all is refused', async () => {
    const { answer } = await register()
    for (const body of [null, [], 'x', 1])
      expect(await refusalOf(room.clients.updateRegistration(answer.client_id, answer.registration_access_token, body, HOUSE))).toStartWith(
        '400 ',
      )
  })
  test('[REGISTRATION-DELETE] it is gone, its token too, and that is announced', async () => {
    const { answer, client } = await register()
    const token = answer.registration_access_token
    expect(await refusalOf(room.clients.deleteRegistration(answer.client_id, 'tpm_wrong'))).toStartWith('401 ')
    await room.clients.deleteRegistration(answer.client_id, token)
    expect([await room.clients.find(answer.client_id), room.heard]).toEqual([undefined, [{ kind: 'client-removed', clientId: client.id }]])
    expect(await refusalOf(room.clients.deleteRegistration(answer.client_id, token))).toStartWith('401 invalid_token: ')
  })
  test('a device without a browser needs no redirect URI', async () => {
    const grant_types = ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token']
    const { client } = await register({ grant_types, redirect_uris: undefined })
    expect([client.redirectUris, client.metadata['response_types'], client.metadata['grant_types']]).toEqual([[], [], grant_types])
  })
  test.each<[string, object]>([
    ['neither keys nor their address', {}],
    ['both', { jwks: { keys: [] }, jwks_uri: 'https://app.test/jwks' }],
    ['a private key', { jwks: { keys: [{ kty: 'RSA', d: 'x' }] } }],
    ['a shared key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }],
    ['no set', { jwks: 'x' }],
    ['keys over http', { jwks_uri: 'http://app.test/jwks' }],
    ['keys behind a user', { jwks_uri: 'https://u:p@app.test/jwks' }],
  ])('[CLIENT-KEYS] private_key_jwt with %s is refused', async (_, change) => {
    const asked = register({ token_endpoint_auth_method: 'private_key_jwt', ...change })
    expect(await refusalOf(asked)).toStartWith('400 invalid_client_metadata: ')
  })
  test('[CLIENT-KEYS] given with the registration are the ones that count, and no secret is made', async () => {
    const jwks = { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one' }] }
    const { client, answer } = await register({ token_endpoint_auth_method: 'private_key_jwt', jwks })
    expect([await room.clients.keysOf(client), answer['client_secret'], client.secretHash]).toEqual([jwks as never, undefined, null])
    const asked = { ...METADATA, client_id: answer.client_id, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] } }
    await room.clients.updateRegistration(answer.client_id, answer.registration_access_token, asked, HOUSE)
    expect(await room.clients.keysOf(client)).toEqual({ keys: [] })
  })
  test('[REGISTRATION-BOUND] keys are answered as they came, kept once, without certificates, and no more than fit', async () => {
    const jwks = { keys: [{ kty: 'RSA', n: 'A'.repeat(500), e: 'AQAB', kid: 'one' }] }
    const { client, answer } = await register({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...jwks.keys[0], x5c: ['A'.repeat(20_000)] }] },
    })
    expect([answer['jwks'], client.jwks, client.metadata['jwks']]).toEqual([jwks, jwks, undefined] as never)
    expect(await room.clients.readRegistration(answer.client_id, answer.registration_access_token, HOUSE)).toMatchObject({ jwks })
    const large = { keys: Array.from({ length: 20 }, () => ({ kty: 'RSA', n: 'A'.repeat(1_000), e: 'AQAB' })) }
    const refused = await refusalOf(register({ token_endpoint_auth_method: 'private_key_jwt', jwks: large }))
    expect(refused).toStartWith('400 invalid_client_metadata: jwks is a set of at most 20 public keys in at most 16 KB')
  })
  test('[REGISTRATION-BOUND] of those that nobody let in the oldest makes room, and no other', async () => {
    const [known, approved, oldest, second] = [
      await used(),
      (await register()).client,
      (await register()).client,
      (await register()).client,
    ]
    await room.clients.approve('command line', approved.id)
    const { store, time } = room
    const copies = Array.from({ length: 1_998 }, (_, at) => ({ ...second, id: newClientId(), expiresAt: second.expiresAt! + at + 2 }))
    await store.transact(async (tx) => {
      await tx
        .update(clients)
        .set({ expiresAt: second.expiresAt! + 1 })
        .where(eq(clients.id, second.id))
      for (const copy of copies) await tx.insert(clients).values({ ...copy, identifier: copy.id })
    })
    time.now += DAY_MS
    const { client } = await register()
    const found = await Promise.all(
      [known, approved, oldest, second, client].map(async ({ id }) => (await room.clients.findById(id)) !== undefined),
    )
    expect([found, await store.read.$count(clients)]).toEqual([[true, true, false, true, true], 2_002])
  })
  test('both outcomes are in the trace, in words of ours', async () => {
    await register()
    await refusalOf(register({ redirect_uris: ['javascript:alert(1)'] }))
    expect(room.trace.since(0).map(({ outcome, reason, origin }) => [outcome, reason, origin])).toEqual([
      ['ok', undefined, HOUSE.origin],
      ['refused', 'invalid_redirect_uri: the scheme javascript is not allowed', HOUSE.origin],
    ])
  })
})
