/** The authorization endpoint against clients that change under their user, that nobody admitted, and pages that only load it. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { CALLBACK, openHouse, sentTo } from '../support/oauth.ts'

const WEB = 'https://app.example/callback'
const fetched: string[] = []
const outbound = {
  fetch: async (address: string) => {
    fetched.push(address)
    return new Response('', { status: 404 })
  },
}
const house = await openHouse({ outbound })
afterAll(house.close)

let user: Awaited<ReturnType<typeof house.signIn>>['user']
let cookie: string
let people = 0
beforeEach(async () => {
  ;({ user, cookie } = await house.signIn(`person-${++people}`))
})

describe('a client that changes while its user reads', () => {
  type Client = Awaited<ReturnType<typeof house.newClient>>
  const change = async ({ client_id, registration_access_token }: Client, to: object) => {
    const said = { client_name: 'Test app', redirect_uris: [CALLBACK, WEB], token_endpoint_auth_method: 'none' }
    const answer = await house.send(`/oauth/register/${client_id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${registration_access_token}` },
      body: JSON.stringify({ client_id, ...said, ...to }),
    })
    expect(answer.status).toBe(200)
  }
  const asked = async () => {
    const client = await house.newClient({ redirect_uris: [CALLBACK, WEB] })
    return { client, secret: await house.secretIn(await house.authorize(house.asking(client.client_id, { redirect_uri: WEB }), cookie)) }
  }
  test.each([
    ['the redirect URI taken away', { redirect_uris: [CALLBACK] }],
    ['another redirect URI added', { redirect_uris: [CALLBACK, WEB, 'https://evil.example/cb'] }],
    ['another name', { client_name: 'Another app' }],
  ])('[AUTHORIZE-CHANGED] with %s no answer goes anywhere', async (_, to) => {
    const { client, secret } = await asked()
    await change(client, to)
    for (const decision of ['allow', 'deny']) {
      const answer = await house.decide(secret, cookie, { decision })
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    }
  })
  test('[AUTHORIZE-CHANGED] what the page does not show may change', async () => {
    const { client, secret } = await asked()
    await change(client, { software_version: '2' })
    expect(sentTo(await house.decide(secret, cookie))).toHaveProperty('code')
  })
  test('[AUTHORIZE-CHANGED] at the same moment either the change or the answer was first', async () => {
    const { client, secret } = await asked()
    const [, answer] = await Promise.all([change(client, { redirect_uris: [CALLBACK] }), house.decide(secret, cookie)])
    const grants = await house.grants.listForUser(user.id)
    expect([303, 400]).toContain(answer.status)
    expect(grants).toHaveLength(answer.status === 303 ? 1 : 0)
  })
})

describe('a client that the house has not admitted', () => {
  const wrong = (clientId: string, redirect_uri: string, change: Record<string, string | undefined> = { response_type: 'x' }) =>
    house.asking(clientId, { redirect_uri, ...change })
  const known = async () => (await house.newClient({ redirect_uris: [WEB, CALLBACK, 'cursor://x/cb'] })).client_id
  test.each(['approved', 'listed'] as const)('[AUTHORIZE-HELD-BACK] sends nobody to its site, where %s ones come in', async (policy) => {
    const id = await known()
    try {
      await house.clients.setPolicy('command line', policy, [])
      for (const [change, as] of [[{ response_type: 'x' }], [{ prompt: 'none' }], [{ prompt: 'none' }, cookie]] as const) {
        const answer = await house.authorize(wrong(id, WEB, change), as)
        expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
        expect(await answer.text()).toContain('nobody has approved it here yet')
      }
      for (const own of [CALLBACK, 'cursor://x/cb'])
        expect((await house.authorize(wrong(id, own))).headers.get('location')).toStartWith(own)
      await house.clients.approve('command line', (await house.clients.find(id))!.id)
      expect((await house.authorize(wrong(id, WEB))).headers.get('location')).toStartWith(WEB)
    } finally {
      await house.clients.setPolicy('command line', 'everyone', [])
    }
  })
  test('[AUTHORIZE-HELD-BACK] where everyone is admitted errors go back as they always did', async () => {
    expect((await house.authorize(wrong(await known(), WEB))).headers.get('location')).toStartWith(WEB)
  })
})

describe('a page elsewhere', () => {
  const load = (document: string, site: string, dest: string) =>
    house.send(
      `/oauth/authorize?${house.asking(document)}`,
      { headers: { 'sec-fetch-site': site, 'sec-fetch-dest': dest } },
      '203.0.113.77',
    )
  test('[AUTHORIZE-VISIT] that loads the endpoint has nothing fetched, at nobody’s expense', async () => {
    for (const dest of ['image', 'script', 'iframe', 'empty', 'style'])
      for (const site of ['cross-site', 'same-site'])
        for (let at = 0; at < 20; at += 1) expect((await load(`https://evil.example/${dest}${at}`, site, dest)).status).toBe(403)
    expect(fetched).toEqual([])
    expect(await (await load('https://honest.example/a.json', 'cross-site', 'document')).text()).toContain('status 404')
    expect(await (await load('https://honest.example/b.json', 'none', 'document')).text()).toContain('status 404')
  })
})
