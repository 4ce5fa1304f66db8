/** Many at once: what must be given once is given once, and who is honest loses nothing. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { openHouse, type TestHouse, told, type Tokens } from '../support/oauth.ts'

const house = await openHouse()
const strict = await openHouse({ refreshGraceSeconds: 0 })
afterAll(() => Promise.all([house.close(), strict.close()]))
let people = 0
let name: string
beforeEach(() => {
  name = `person-${++people}`
})

const MANY = 50
const many = <Answer>(work: (at: number) => Promise<Answer>) => Promise.all(Array.from({ length: MANY }, (_, at) => work(at)))
const ready = async (at: TestHouse) => {
  const { cookie } = await at.signIn(name)
  const { client_id } = await at.newClient()
  return { clientId: client_id, code: await at.obtainCode(client_id, cookie) }
}
const connected = async (at: TestHouse) => {
  const { clientId, code } = await ready(at)
  return { clientId, ...((await (await at.redeem(clientId, code)).json()) as Tokens) }
}
const isGood = async (token: string, at = house) => (await at.oauth.verify(token)) !== undefined

test('[ABUSE-07, RACE-CODE] of 50 redemptions at once exactly one succeeds, and the replays end what it got', async () => {
  const { clientId, code } = await ready(house)
  const answers = await many(() => house.redeem(clientId, code))
  const good = answers.filter(({ status }) => status === 200)
  expect(good).toHaveLength(1)
  for (const answer of answers.filter(({ status }) => status !== 200)) expect(await told(answer)).toEqual([400, 'invalid_grant'])
  const { access_token, refresh_token } = (await good[0]!.json()) as Tokens
  expect(await isGood(access_token)).toBe(false)
  expect(await told(house.refresh(clientId, refresh_token))).toEqual([400, 'invalid_grant'])
})

test('[RACE-CODE] wrong ones at once do not use the code up', async () => {
  const { clientId, code } = await ready(house)
  const stranger = (await house.newClient()).client_id
  const wrong = await many((at) =>
    at % 2 ? house.redeem(stranger, code) : house.redeem(clientId, code, { code_verifier: String(at).padEnd(43, 'x') }),
  )
  expect(new Set(wrong.map(({ status }) => status))).toEqual(new Set([400]))
  expect((await house.redeem(clientId, code)).status).toBe(200)
})

test('[RACE-REFRESH] 50 refreshes at once get the same child and good tokens, and the family goes on', async () => {
  const { clientId, refresh_token } = await connected(house)
  const answers = await many(() => house.refresh(clientId, refresh_token))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const given = (await Promise.all(answers.map((answer) => answer.json()))) as Tokens[]
  expect(new Set(given.map((tokens) => tokens.refresh_token)).size).toBe(1)
  expect(new Set(given.map((tokens) => tokens.access_token)).size).toBe(MANY)
  expect(await Promise.all(given.map((tokens) => isGood(tokens.access_token)))).toEqual(Array<boolean>(MANY).fill(true))
  expect((await house.refresh(clientId, given[0]!.refresh_token)).status).toBe(200)
})

test('[RACE-REFRESH] without a grace exactly one succeeds, and the family ends', async () => {
  const { clientId, refresh_token } = await connected(strict)
  const answers = await many(() => strict.refresh(clientId, refresh_token))
  const good = answers.filter(({ status }) => status === 200)
  expect(good).toHaveLength(1)
  const next = (await good[0]!.json()) as Tokens
  expect(await isGood(next.access_token, strict)).toBe(false)
  expect(await told(strict.refresh(clientId, next.refresh_token))).toEqual([400, 'invalid_grant'])
})

test('[RACE-REFRESH] a revocation among them holds, whoever came first', async () => {
  const { clientId, access_token, refresh_token } = await connected(house)
  const { grantId, userId } = (await house.oauth.verify(access_token))!
  const user = (await house.users.find(userId))!
  const [answers] = await Promise.all([many(() => house.refresh(clientId, refresh_token)), house.grants.revoke(user, grantId)])
  for (const answer of answers) {
    const { access_token: token = '' } = (await answer.json()) as Partial<Tokens>
    expect(await isGood(token)).toBe(false)
  }
  expect(await told(house.refresh(clientId, refresh_token))).toEqual([400, 'invalid_grant'])
})
