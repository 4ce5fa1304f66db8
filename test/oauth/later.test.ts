/**
 * What only time shows. The waits of these cases pass at the same moment; where a wait would be longer than half a minute,
 * the same server runs on a clock that can be moved.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { CALLBACK as HOUSE_CALLBACK, openHouse, ORIGIN, told as toldBy, type Tokens as HouseTokens } from '../support/oauth.ts'
import { startOracle } from './oracle.ts'
import { type App, createTalk, type Talk, told, type Tokens } from './talking.ts'
import { startOurs } from './toolpass.ts'

const GRACE_SECONDS = 6
const PATIENCE_MS = 45_000
const GRANT = [400, 'invalid_grant']
const GOOD = [200, undefined]

const [ours, oracle] = await Promise.all([startOurs({ TOOLPASS_REFRESH_GRACE_SECONDS: String(GRACE_SECONDS) }), startOracle()])
afterAll(() => Promise.all([ours.stop(), oracle.stop()]))
const talks: [string, Talk][] = [
  ['', createTalk(ours)],
  [' · the oracle', createTalk(oracle)],
]
const [[, talk]] = talks as [[string, Talk]]

const started = async (): Promise<[App, Tokens]> => {
  const app = await talk.newApp()
  return [app, await talk.tokens(app)]
}

describe('waiting', () => {
  for (const [whose, speaking] of talks)
    test.concurrent(
      `[ABUSE-06] a code that comes again after 31 seconds is refused, and what it brought is dead${whose}`,
      async () => {
        const app = await speaking.newApp()
        const asked = await speaking.obtain(app)
        const { access_token, refresh_token } = speaking.tokensOf(await speaking.redeem(app, asked))
        await Bun.sleep(31 * SECOND_MS)
        expect(await speaking.accepts(access_token)).toBe(true)
        expect<unknown>(told(await speaking.redeem(app, asked))).toEqual(GRANT)
        expect(await speaking.accepts(access_token)).toBe(false)
        expect<unknown>(told(await speaking.refresh(app, refresh_token))).toEqual(GRANT)
      },
      PATIENCE_MS,
    )
  test.concurrent(
    '[ABUSE-15] a refresh token within its grace brings the same child, at once or in a row',
    async () => {
      const [app, { refresh_token }] = await started()
      const answers = await Promise.all(Array.from({ length: 5 }, () => talk.refresh(app, refresh_token)))
      const again = await talk.refresh(app, refresh_token)
      const tokens = [...answers, again].map(talk.tokensOf)
      expect(new Set(tokens.map((each) => each.refresh_token)).size).toBe(1)
      expect(new Set(tokens.map((each) => each.access_token)).size).toBe(6)
    },
    PATIENCE_MS,
  )
  test.concurrent(
    '[ABUSE-14] a refresh token after its grace ends the family',
    async () => {
      const [app, { refresh_token }] = await started()
      const child = talk.tokensOf(await talk.refresh(app, refresh_token))
      await Bun.sleep(GRACE_SECONDS * SECOND_MS + 200)
      expect<unknown>(told(await talk.refresh(app, refresh_token))).toEqual(GRANT)
      expect<unknown>(told(await talk.refresh(app, child.refresh_token))).toEqual(GRANT)
      expect(await talk.accepts(child.access_token)).toBe(false)
    },
    PATIENCE_MS,
  )
  test.concurrent(
    '[ABUSE-14] a refresh token whose child was used has no grace any more',
    async () => {
      const [app, { refresh_token }] = await started()
      const child = talk.tokensOf(await talk.refresh(app, refresh_token))
      expect<unknown>(told(await talk.refresh(app, child.refresh_token))).toEqual(GOOD)
      expect<unknown>(told(await talk.refresh(app, refresh_token))).toEqual(GRANT)
    },
    PATIENCE_MS,
  )
  test.concurrent(
    '[DEVICE-SLOW-DOWN] a device that asks too early has to wait five seconds longer from then on',
    async () => {
      const app = await talk.newApp()
      const device = await talk.newDevice(app)
      const poll = async () => told(await talk.poll(app, device.device_code))[1]
      const seen = [await poll(), await poll()]
      await Bun.sleep(5.5 * SECOND_MS)
      seen.push(await poll())
      await Bun.sleep(15 * SECOND_MS)
      seen.push(await poll())
      expect(seen).toEqual(['authorization_pending', 'slow_down', 'slow_down', 'authorization_pending'])
      await talk.answerDevice(device, 'allow')
      expect<unknown>(told(await talk.poll(app, device.device_code))).toEqual(GOOD)
    },
    PATIENCE_MS,
  )
  test.concurrent(
    '[DEVICE-SLOW-DOWN] a device that keeps to its five seconds is never told to slow down',
    async () => {
      const app = await talk.newApp()
      const device = await talk.newDevice(app)
      for (let question = 0; question < 3; question += 1) {
        expect<unknown>(told(await talk.poll(app, device.device_code))[1]).toBe('authorization_pending')
        await Bun.sleep(5 * SECOND_MS)
      }
    },
    PATIENCE_MS,
  )
})

describe('with a clock that can be moved', async () => {
  const house = await openHouse()
  afterAll(house.close)
  const { cookie } = await house.signIn('ada')
  const later = (ms: number) => {
    house.time.now += ms
  }
  const verdict = async (clientId: string, token: string, secret: string) =>
    (await (await house.post('/oauth/introspect', { client_id: clientId, client_secret: secret, token })).json()) as { active: boolean }
  const confidential = () =>
    house.newClient({ token_endpoint_auth_method: 'client_secret_post', grant_types: ['authorization_code', 'refresh_token'] })

  test('[ABUSE-08] a code is good for a minute and not a second more', async () => {
    const { client_id } = await house.newClient()
    const [soon, late] = [await house.obtainCode(client_id, cookie), await house.obtainCode(client_id, cookie)]
    later(MINUTE_MS - SECOND_MS)
    expect<unknown>(await toldBy(house.redeem(client_id, soon))).toEqual(GOOD)
    later(2 * SECOND_MS)
    expect<unknown>(await toldBy(house.redeem(client_id, late))).toEqual(GRANT)
  })
  test('[ABUSE-06] a code that comes again after it has expired ends what it brought all the same', async () => {
    const { client_id, client_secret = '' } = await confidential()
    const code = await house.obtainCode(client_id, cookie)
    const { access_token } = (await (await house.redeem(client_id, code, { client_secret })).json()) as HouseTokens
    later(5 * MINUTE_MS)
    expect((await verdict(client_id, access_token, client_secret)).active).toBe(true)
    expect<unknown>(await toldBy(house.redeem(client_id, code, { client_secret }))).toEqual(GRANT)
    expect(await verdict(client_id, access_token, client_secret)).toEqual({ active: false })
  })
  test('[INTROSPECT-INACTIVE] an access token is over after its hour', async () => {
    const { client_id, client_secret = '' } = await confidential()
    const answer = await house.redeem(client_id, await house.obtainCode(client_id, cookie), { client_secret })
    const { access_token } = (await answer.json()) as HouseTokens
    later(HOUR_MS - SECOND_MS)
    expect((await verdict(client_id, access_token, client_secret)).active).toBe(true)
    later(SECOND_MS)
    expect(await verdict(client_id, access_token, client_secret)).toEqual({ active: false })
  })
  test('[PAR-BOUND] a pushed request that has expired is a page', async () => {
    const { client_id } = await house.newClient()
    const { request_uri = '', expires_in } = (await (await house.push(client_id)).json()) as { request_uri: string; expires_in: number }
    const asked = new URLSearchParams({ client_id, request_uri })
    later(expires_in * SECOND_MS - 1)
    expect((await house.authorize(asked, cookie)).status).toBe(200)
    later(1)
    const answer = await house.authorize(asked, cookie)
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })
  test('[DEVICE-EXPIRED] a device that waited too long is told so, and its code opens nothing', async () => {
    const { client_id } = await house.newClient()
    const device = await house.newDevice(client_id)
    later(device.expires_in * SECOND_MS)
    expect<unknown>(await toldBy(house.poll(client_id, device.device_code))).toEqual([400, 'expired_token'])
    expect((await house.post('/device', { user_code: device.user_code }, { cookie })).status).toBeGreaterThanOrEqual(400)
  })
  test('[ABUSE-30] a client that nobody let in is unknown after a month', async () => {
    const { client_id } = await house.newClient()
    later(31 * 24 * HOUR_MS)
    const answer = await house.authorize(house.asking(client_id, { redirect_uri: HOUSE_CALLBACK, resource: `${ORIGIN}/mcp` }))
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
  })
})
