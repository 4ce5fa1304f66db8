/** What a client ends by itself (RFC 7009). */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { openHouse, type TestHouse, type Tokens } from '../support/oauth.ts'

let house: TestHouse
beforeEach(async () => {
  house = await openHouse()
})
afterEach(() => house.close())

test('[RFC7009-2.1] a client that revokes its refresh token has ended its grant; an access token ends alone', async () => {
  const { cookie, user } = await house.signIn('ada')
  const { client_id: client } = await house.newClient()
  const tokens = (await (await house.redeem(client, await house.obtainCode(client, cookie))).json()) as Tokens
  const [grant] = await house.grants.listForUser(user.id)
  const revoke = (token: string) => house.post('/oauth/revoke', { token, client_id: client })
  expect((await revoke(tokens.access_token)).status).toBe(200)
  expect((await house.grants.find(grant!.id))?.revokedAt).toBeNull()
  const stranger = (await house.newClient()).client_id
  expect((await house.post('/oauth/revoke', { token: tokens.refresh_token, client_id: stranger })).status).toBe(200)
  expect((await house.grants.find(grant!.id))?.revokedAt).toBeNull()
  expect((await revoke(tokens.refresh_token)).status).toBe(200)
  expect(await house.grants.find(grant!.id)).toMatchObject({ revokedWhy: 'revoked_by_client' })
  expect((await house.refresh(client, tokens.refresh_token)).status).toBe(400)
})
