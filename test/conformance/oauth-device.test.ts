/** Devices without a browser (RFC 8628), asked from outside. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { deviceCodes } from '@/store'
import { DEVICE_GRANT, type Device, openHouse, ORIGIN, type TestHouse, told, type Tokens } from '../support/oauth.ts'

const house = await openHouse()
const others: TestHouse[] = []
afterAll(() => Promise.all([house, ...others].map(({ close }) => close())))
let cookie: string
let clientId: string
let people = 0
beforeEach(async () => {
  cookie = (await house.signIn(`person-${++people}`)).cookie
  clientId = (await house.newClient()).client_id
})

/** After as long as the device was told to wait. */
const later = ({ device_code }: Device, change: Record<string, string> = {}, waits = 5) => {
  house.time.now += waits * SECOND_MS
  return house.poll(clientId, device_code, change)
}
const allowed = async () => {
  const device = await house.newDevice(clientId)
  expect((await house.answerDevice(device.user_code, cookie)).status).toBe(303)
  return device
}

test('[DEVICE-BEGIN] a device gets a code for itself and one for a person, neither of which is stored', async () => {
  const answer = await house.beginDevice(clientId)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const device = (await answer.json()) as Device
  expect(device).toEqual({
    device_code: expect.stringMatching(/^tpd_[\w-]{43}$/),
    user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
    verification_uri: `${ORIGIN}/device`,
    verification_uri_complete: `${ORIGIN}/device?user_code=${device.user_code}`,
    expires_in: 600,
    interval: 5,
  })
  const stored = JSON.stringify(await house.store.read.select().from(deviceCodes))
  for (const secret of [device.device_code, device.user_code, device.user_code.replace('-', '')]) expect(stored).not.toContain(secret)
})

test.each<[string, Record<string, string>, [number, string]]>([
  ['an unknown client', { client_id: 'nobody' }, [401, 'invalid_client']],
  ['an unknown scope', { scope: 'admin' }, [400, 'invalid_scope']],
  ['a foreign resource', { resource: 'https://evil.example/mcp' }, [400, 'invalid_target']],
])('[DEVICE-BEGIN] %s is refused', async (_, change, refused) => {
  expect(await told(house.beginDevice(clientId, change))).toEqual(refused)
})
test('[DEVICE-BEGIN] a doubled parameter is refused', async () => {
  const twice = (name: string) => `client_id=${clientId}&${name}=mcp&${name}=mcp`
  expect(await told(house.post('/oauth/device_authorization', new URLSearchParams(twice('scope'))))).toEqual([400, 'invalid_request'])
  expect(await told(house.post('/oauth/device_authorization', new URLSearchParams(twice('resource'))))).toEqual([400, 'invalid_target'])
})
test('[DEVICE-BEGIN] a flood from one address meets 429', async () => {
  const flooded = await openHouse()
  others.push(flooded)
  const { client_id } = await flooded.newClient()
  const flood = await Promise.all(Array.from({ length: 210 }, () => flooded.beginDevice(client_id)))
  expect(flood.filter(({ status }) => status === 200)).toHaveLength(200)
  const refused = flood.find(({ status }) => status === 429)
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
})

test('[DEVICE-REGISTERED] nobody starts a device under the name of a client that never asked to use them', async () => {
  const web = (await house.newClient({ grant_types: ['authorization_code'] })).client_id
  expect(await told(house.beginDevice(web))).toEqual([400, 'unauthorized_client'])
  const deviceOnly = (await house.newClient({ redirect_uris: [], grant_types: [DEVICE_GRANT] })).client_id
  expect((await house.beginDevice(deviceOnly)).status).toBe(200)
  const { client } = await house.clients.preregister('command line', {
    name: 'Ours',
    redirectUris: ['https://a.example/'],
    confidential: false,
  })
  expect((await house.beginDevice(client.identifier)).status).toBe(200)
})

describe('the token endpoint', () => {
  test('[DEVICE-TOKEN] pending, then tokens, once', async () => {
    const device = await house.newDevice(clientId)
    expect(await told(later(device))).toEqual([400, 'authorization_pending'])
    expect((await house.answerDevice(device.user_code, cookie)).status).toBe(303)
    const tokens = (await (await later(device)).json()) as Tokens
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'mcp offline_access' })
    expect(await house.oauth.verify(tokens.access_token)).toMatchObject({ resource: `${ORIGIN}/mcp/work`, reach: 'profile' })
    expect((await house.refresh(clientId, tokens.refresh_token)).status).toBe(200)
    expect(await told(later(device))).toEqual([400, 'invalid_grant'])
  })
  test('[DEVICE-TOKEN] of 50 questions at once one gets the tokens', async () => {
    const { device_code } = await allowed()
    house.time.now += 5 * SECOND_MS
    const answers = await Promise.all(Array.from({ length: 50 }, () => told(house.poll(clientId, device_code))))
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1)
    expect(answers.filter(([, error]) => error === 'invalid_grant')).toHaveLength(49)
  })
  test('[DEVICE-SLOW-DOWN] whoever asks too early waits five seconds longer from then on', async () => {
    const device = await house.newDevice(clientId)
    expect(await told(later(device, {}, 0))).toEqual([400, 'authorization_pending'])
    expect(await told(later(device, {}, 4))).toEqual([400, 'slow_down'])
    expect(await told(later(device, {}, 5))).toEqual([400, 'slow_down'])
    expect(await told(later(device, {}, 15))).toEqual([400, 'authorization_pending'])
    expect(await told(later(device, {}, 10))).toEqual([400, 'slow_down'])
    expect((await house.answerDevice(device.user_code, cookie)).status).toBe(303)
    expect((await later(device, {}, 0)).status).toBe(200)
  })
  test('[DEVICE-DENIED] a denial is told, and stays one', async () => {
    const device = await house.newDevice(clientId)
    await house.answerDevice(device.user_code, cookie, { decision: 'deny' })
    expect(await told(later(device))).toEqual([400, 'access_denied'])
    expect((await house.post('/device', { user_code: device.user_code }, { cookie })).status).toBe(404)
    expect(await told(later(device))).toEqual([400, 'access_denied'])
  })
  test('[DEVICE-EXPIRED] after ten minutes neither code is good, allowed or not', async () => {
    const [device, late] = [await house.newDevice(clientId), await allowed()]
    const secret = await house.secretIn(await house.post('/device', { user_code: device.user_code }, { cookie }))
    house.time.now += 10 * MINUTE_MS
    expect((await house.decide(secret, cookie)).status).toBe(400)
    expect((await house.post('/device', { user_code: device.user_code }, { cookie })).status).toBe(404)
    for (const each of [device, late]) expect(await told(later(each))).toEqual([400, 'expired_token'])
  })
  test('[DEVICE-BOUND] a code is of one client, one resource, and of a grant that holds', async () => {
    const device = await allowed()
    const stranger = (await house.newClient()).client_id
    expect(await told(house.poll(stranger, device.device_code))).toEqual([400, 'invalid_grant'])
    expect(await told(house.poll(clientId, 'tpd_unknown'))).toEqual([400, 'invalid_grant'])
    expect(await told(house.poll(clientId, ''))).toEqual([400, 'invalid_request'])
    expect(await told(later(device, { resource: `${ORIGIN}/mcp/home` }))).toEqual([400, 'invalid_target'])
    expect((await later(device, { resource: `${ORIGIN}/mcp/work` })).status).toBe(200)
    const ended = await allowed()
    const { id } = (await house.clients.find(clientId))!
    await house.grants.revokeForClient('command line', id)
    expect(await told(later(ended))).toEqual([400, 'invalid_grant'])
  })
})

describe('the code that a person types', () => {
  const type = (userCode: string, as = cookie) => house.post('/device', { user_code: userCode }, { cookie: as })
  test('[DEVICE-TYPED] in any case, with or without dash and spaces', async () => {
    const { user_code } = await house.newDevice(clientId)
    const plain = user_code.replace('-', '')
    for (const typed of [user_code, plain, user_code.toLowerCase(), [...plain].join(' '), ` ${plain.slice(0, 4)} - ${plain.slice(4)} `])
      expect([typed, (await type(typed)).status]).toEqual([typed, 200])
    expect((await type(plain.slice(0, 7))).status).toBe(404)
  })
  test('[DEVICE-TYPED] answered once, by the first who answers', async () => {
    const { user_code } = await house.newDevice(clientId)
    const other = (await house.signIn(`other-${people}`)).cookie
    const [first, second] = [await house.secretIn(await type(user_code)), await house.secretIn(await type(user_code, other))]
    const answers = await Promise.all([house.decide(first, cookie), house.decide(second, other)])
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400])
  })
  test('[DEVICE-GUESSES] guessing is slowed for a user, what is right is no guess, and others go on', async () => {
    const { user_code } = await house.newDevice(clientId)
    for (let at = 0; at < 30; at++) expect((await type(user_code)).status).toBe(200)
    for (let at = 0; at < 20; at++) expect((await type('BBBB-BBBB')).status).toBe(404)
    const slowed = await type(user_code)
    expect([slowed.status, Number(slowed.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect((await type(user_code, (await house.signIn(`patient-${people}`)).cookie)).status).toBe(200)
  })
  test('[DEVICE-GUESSES] and for an address, whoever signs in there', async () => {
    const guessed = await openHouse()
    others.push(guessed)
    const guess = async (userId: string, address: string) =>
      guessed.oauth.beginDevice('BBBBBBBB', { origin: ORIGIN, base: '' }, session(userId), address).catch(({ code }) => code)
    const { user } = await guessed.signIn('guesser')
    const session = (userId: string) => ({ user: { ...user, id: userId }, hash: userId }) as never
    for (let at = 0; at < 100; at++) expect(await guess(`usr_${at}`, `2001:db8::${at + 1}`)).toBe('user_code_unknown')
    expect(await guess('usr_x', '2001:db8::ffff')).toBe('slow_down')
    expect(await guess('usr_y', '2001:db8:0:1::1')).toBe('user_code_unknown')
    // Who is slowed as a user does not use up what their neighbours have.
    for (let at = 0; at < 20; at++) expect(await guess('usr_z', '2001:db8:0:2::1')).toBe('user_code_unknown')
    for (let at = 0; at < 100; at++) expect(await guess('usr_z', '2001:db8:0:2::1')).toBe('slow_down')
    expect(await guess('usr_neighbour', '2001:db8:0:2::1')).toBe('user_code_unknown')
  })
})

test('[OAUTH-TRACE] a device is noted as it starts, waits and goes on, without its codes', async () => {
  const since = house.trace.lastSeq()
  const device = await house.newDevice(clientId)
  await later(device)
  await house.answerDevice(device.user_code, cookie)
  await later(device)
  const notes = house.trace.since(since)
  const machine = notes.filter(({ step }) => step === 'device' || step === 'token')
  expect(machine.map(({ step, outcome, reason, clientName }) => [step, outcome, reason, clientName])).toEqual([
    ['device', 'waiting', undefined, 'Test app'],
    ['token', 'waiting', 'authorization_pending', 'Test app'],
    ['token', 'ok', undefined, 'Test app'],
  ])
  for (const secret of [device.device_code, device.user_code]) expect(JSON.stringify(notes)).not.toContain(secret)
})
