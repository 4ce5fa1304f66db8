/** Devices without a browser (RFC 8628). How fast they may ask is in later.test.ts. */
import { describe } from 'bun:test'
import { type Case, openSuite } from './compare.ts'
import { twice } from './outcome.ts'
import { type App, basic, CALLBACK, type Change, DEVICE_GRANT, SCOPE, type Talk, told } from './talking.ts'
import type { Device } from './target.ts'

const { one, each } = await openSuite()

type Told = [number, unknown]
const GOOD: Told = [200, undefined]
const GRANT: Told = [400, 'invalid_grant']
const REQUEST: Told = [400, 'invalid_request']
const CLIENT: Told = [401, 'invalid_client']
const PENDING: Told = [400, 'authorization_pending']
const DENIED: Told = [400, 'access_denied']
const ENDPOINT = 'device_authorization_endpoint'

const started = async (talk: Talk, said: Record<string, unknown> = {}): Promise<[App, Device]> => {
  const app = await talk.newApp(said)
  return [app, await talk.newDevice(app)]
}
const poll = async (talk: Talk, app: App, device: Device, change: Change = {}) => told(await talk.poll(app, device.device_code, change))

describe('a device', () => {
  one('[DEVICE-BEGIN] gets a code for itself, one for a person, and where that is typed', [true, true, true, true, 600], async (talk) => {
    const [, device] = await started(talk)
    const { device_code, user_code, verification_uri, verification_uri_complete, expires_in } = device as Device & { expires_in: number }
    const complete = new URL(verification_uri_complete)
    return [
      device_code.length >= 40,
      /^[A-Z]{4}-[A-Z]{4}$/.test(user_code),
      verification_uri === `${talk.issuer}/device`,
      complete.origin + complete.pathname === verification_uri && complete.searchParams.get('user_code') === user_code,
      expires_in,
    ]
  })
  one('[DEVICE-BEGIN] is answered uncached', true, async (talk) =>
    /no-store/.test((await talk.beginDevice(await talk.newApp())).headers.get('cache-control') ?? ''),
  )
  one('[DEVICE-BEGIN] gets other codes each time', [false, false], async (talk) => {
    const [app, first] = await started(talk)
    const other = await talk.newDevice(app)
    return [first.device_code === other.device_code, first.user_code === other.user_code]
  })
  one('[DEVICE-TOKEN] waits as long as nobody has decided', PENDING, async (talk) => poll(talk, ...(await started(talk))))
  one(
    '[DEVICE-TOKEN] gets a bearer token once somebody allowed it',
    { token_type: 'Bearer', expires_in: 3600, scope: SCOPE },
    async (talk) => {
      const [app, device] = await started(talk)
      await talk.answerDevice(device, 'allow')
      const { token_type, expires_in, scope } = talk.tokensOf(await talk.poll(app, device.device_code))
      return { token_type, expires_in, scope }
    },
  )
  one('[DEVICE-TOKEN] gets tokens that open the resource and may be refreshed', [true, GOOD] as [boolean, Told], async (talk) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'allow')
    const { access_token, refresh_token } = talk.tokensOf(await talk.poll(app, device.device_code))
    return [await talk.accepts(access_token), told(await talk.refresh(app, refresh_token))]
  })
  one('[DEVICE-TOKEN] gets them once', [GOOD, GRANT], async (talk) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'allow')
    return [await poll(talk, app, device), await poll(talk, app, device)]
  })
  one('[DEVICE-DENIED] is told that it was denied', DENIED, async (talk) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'deny')
    return poll(talk, app, device)
  })
  one('[DEVICE-TOKEN] gets the scope it asked for', 'mcp', async (talk) => {
    const app = await talk.newApp()
    const device = (await talk.beginDevice(app, { scope: 'mcp' })).json as Device
    await talk.answerDevice(device, 'allow')
    return talk.tokensOf(await talk.poll(app, device.device_code, { scope: SCOPE })).scope
  })
  one('[DEVICE-TOKEN] may have a secret', GOOD, async (talk) => {
    const [app, device] = await started(talk, { token_endpoint_auth_method: 'client_secret_basic' })
    await talk.answerDevice(device, 'allow')
    return poll(talk, app, device)
  })
  one('[DEVICE-TOKEN] may be a client that has no redirect URI', GOOD, async (talk) => {
    const [app, device] = await started(talk, { redirect_uris: [], response_types: [], grant_types: [DEVICE_GRANT, 'refresh_token'] })
    await talk.answerDevice(device, 'allow')
    return poll(talk, app, device)
  })
})

describe('the code for a person', () => {
  const typed: Case<(code: string) => string, Told>[] = [
    { name: '[DEVICE-TYPED] in small letters', input: (code) => code.toLowerCase(), sees: GOOD },
    { name: '[DEVICE-TYPED] without its dash', input: (code) => code.replace('-', ''), sees: GOOD },
    { name: '[DEVICE-TYPED] with spaces', input: (code) => ` ${code.replace('-', ' ')} `, sees: GOOD },
  ]
  each(typed, async (talk, write) => {
    const [app, device] = await started(talk)
    await talk.answerDevice({ ...device, user_code: write(device.user_code) }, 'allow')
    return poll(talk, app, device)
  })
  one('[DEVICE-TYPED] is decided once: a later no changes nothing', [true, GOOD] as [boolean, Told], async (talk) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'allow')
    const isRefused = await talk.answerDevice(device, 'deny').then(
      () => false,
      () => true,
    )
    return [isRefused, await poll(talk, app, device)]
  })
  one('[DEVICE-TYPED] is decided once: a later yes changes nothing', [true, DENIED] as [boolean, Told], async (talk) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'deny')
    const isRefused = await talk.answerDevice(device, 'allow').then(
      () => false,
      () => true,
    )
    return [isRefused, await poll(talk, app, device)]
  })
  one('that nobody was given leads nowhere', true, async (talk) => {
    const [, device] = await started(talk)
    return talk.answerDevice({ ...device, user_code: 'ZZZZ-ZZZZ' }, 'allow').then(
      () => false,
      () => true,
    )
  })
  one('[CONSENT-DEVICE] in a link decides nothing', PENDING, async (talk) => {
    const [app, device] = await started(talk)
    await talk.visit(device.verification_uri_complete)
    return poll(talk, app, device)
  })
  one('is no code for the device', GRANT, async (talk) => {
    const [app, device] = await started(talk)
    return told(await talk.poll(app, device.user_code))
  })
})

describe('a device that asks for its tokens', () => {
  const cases: Case<Change, Told>[] = [
    { name: 'without its code', input: { device_code: undefined }, sees: REQUEST },
    { name: 'with an empty code', input: { device_code: '' }, sees: REQUEST },
    { name: '[DEVICE-BOUND] with a code nobody issued', input: { device_code: 'tpd_made-up' }, sees: GRANT },
    { name: '[ABUSE-09] with its code twice', input: { device_code: twice('x') }, sees: REQUEST },
    { name: 'as a client nobody knows', input: { client_id: 'nobody' }, sees: CLIENT },
    { name: 'with a parameter nobody knows', input: { extra: 'foobar' }, sees: GOOD },
    { name: '[DEVICE-BOUND] for a resource of somebody else', input: { resource: 'https://evil.example/' }, sees: [400, 'invalid_target'] },
  ]
  each(cases, async (talk, change) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'allow')
    return poll(talk, app, device, change)
  })
  one('[DEVICE-BOUND] with the code of another client, which stays good', [GRANT, GOOD], async (talk) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'allow')
    return [await poll(talk, await talk.newApp(), device), await poll(talk, app, device)]
  })
  one('[DEVICE-BOUND] in place of a code from the browser', GRANT, async (talk) => {
    const [app, device] = await started(talk)
    await talk.answerDevice(device, 'allow')
    return told(await talk.redeem(app, { code: device.device_code, verifier: 'v'.repeat(43) }, { redirect_uri: CALLBACK }))
  })
  one('[DEVICE-BOUND] without the secret of its client', CLIENT, async (talk) => {
    const [app, device] = await started(talk, { token_endpoint_auth_method: 'client_secret_basic' })
    await talk.answerDevice(device, 'allow')
    return told(await talk.post('token_endpoint', { grant_type: DEVICE_GRANT, device_code: device.device_code, client_id: app.id }))
  })
})

describe('a device that begins', () => {
  const cases: Case<Change, Told>[] = [
    { name: '[DEVICE-BEGIN] without a scope', input: { scope: undefined }, sees: GOOD },
    { name: '[DEVICE-BEGIN] without a resource', input: { resource: undefined }, sees: GOOD },
    { name: '[DEVICE-BEGIN] with a parameter nobody knows', input: { extra: 'foobar' }, sees: GOOD },
    { name: '[DEVICE-BEGIN] as a client nobody knows', input: { client_id: 'nobody' }, sees: CLIENT },
    { name: '[ABUSE-09] with scope twice', input: { scope: twice('mcp') }, sees: REQUEST },
    { name: '[ABUSE-10] for a resource of somebody else', input: { resource: 'https://evil.example/' }, sees: [400, 'invalid_target'] },
    {
      name: '[DEVICE-BEGIN] for a scope that nobody has',
      input: { scope: 'mcp admin' },
      sees: [400, 'invalid_scope'],
      oracle: GOOD,
      differs: 'OpenID Connect ignores scopes it does not know; RFC 6749 §3.3 allows either',
    },
  ]
  each(cases, async (talk, change) => told(await talk.beginDevice(await talk.newApp(), change)))
  one(
    '[DEVICE-REGISTERED] without having registered for it',
    [400, 'unauthorized_client'] as Told,
    async (talk) => told(await talk.beginDevice(await talk.newApp({ grant_types: ['authorization_code'] }))),
    {
      oracle: REQUEST,
      differs: 'RFC 6749 §5.2 has unauthorized_client for a client that may not use a grant; it names the general error',
    },
  )
  one('[DEVICE-BEGIN] without the secret of its client', CLIENT, async (talk) => {
    const app = await talk.newApp({ token_endpoint_auth_method: 'client_secret_basic' })
    return told(await talk.post(ENDPOINT, { client_id: app.id }))
  })
  one('[DEVICE-BEGIN] with another secret than that of its client', CLIENT, async (talk) => {
    const app = await talk.newApp({ token_endpoint_auth_method: 'client_secret_basic' })
    return told(await talk.post(ENDPOINT, {}, { authorization: basic(app.id, 'wrong') }))
  })
  one('by GET', true, async (talk) => [404, 405].includes((await talk.send(`${talk.metadata[ENDPOINT]}?client_id=x`)).status), {
    only: 'at the oracle this is the address of a page',
  })
  one('with JSON', REQUEST, async (talk) => told(await talk.post(ENDPOINT, '{}', { 'content-type': 'application/json' })))
})
