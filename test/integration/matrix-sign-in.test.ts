/** A call to a server that its user has given no credential yet: the app is handed a link, and after the sign-in the call goes on. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ConnectionId } from '@/lib/ids.ts'
import { createPerson } from '../../bench/person.ts'
import { connect, type Era, type Json, refusalOf, textOf } from '../support/matrix/apps.ts'
import { type Admitted, type MatrixHouse, type Member, openMatrixHouse, overHttp } from '../support/matrix/house.ts'

/** Lets nobody in without a key, and answers with the key that it saw. */
const keyed = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const key = request.headers.get('x-api-key')
    if (key === null) return new Response('no key', { status: 401 })
    const { id, method } = (await request.json()) as { id?: number; method: string }
    const result =
      method === 'server/discover'
        ? { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
        : method === 'tools/list'
          ? { resultType: 'complete', tools: [{ name: 'which_key', inputSchema: { type: 'object' } }] }
          : { resultType: 'complete', content: [{ type: 'text', text: key }] }
    return Response.json({ jsonrpc: '2.0', id, result })
  },
})
const ERAS: readonly Era[] = ['legacy', 'modern']
let house: MatrixHouse
let connectionId: ConnectionId
beforeAll(async () => {
  house = await openMatrixHouse()
  const way = overHttp(`http://127.0.0.1:${keyed.port}/mcp`)
  const settings = { ...way.settings, headers: { 'x-api-key': 'of-ada' } }
  connectionId = await house.addConnection('Keyed', { ...way, settings }, { visibility: 'open', credentialOf: 'each' })
})
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
  await keyed.stop(true)
})

/** Somebody without a key, and their app. */
async function newcomer(username: string): Promise<{ member: Member; where: Admitted }> {
  const member = await house.member(username)
  const where = await house.admit({ title: username }, Object.values(await house.listed(connectionId)), member)
  return { member, where }
}
async function giveKey({ person }: Member, key: string): Promise<void> {
  const page = `/connections/${connectionId}`
  await person.submit(await person.open(page), `${page}/credential`, { 'settings.headers': `x-api-key=${key}` })
}
const linkIn = (text: string): string => /http:\/\/localhost:\d+\/connections\/\S+/.exec(text)?.[0] ?? ''
const isLink = (url: unknown) => String(url).startsWith(`${house.url}/connections/${connectionId}/sign-in?for=`)

describe('an app that can show a link', () => {
  test('[GATEWAY-SIGN-IN] of 2026-07-28 gets one to show, and once its user has signed in the same call is answered', async () => {
    const { member, where } = await newcomer('ben')
    const links: Json[] = []
    const app = await connect('modern', where, {
      elicit: (params) => {
        links.push(params)
        // The person says yes, and needs a moment for the rest.
        setTimeout(() => void giveKey(member, 'of-ben'), 300)
        return { action: 'accept' }
      },
    })
    expect(textOf(await app.call({ name: 'which_key' }))).toBe('of-ben')
    expect([links.length, links[0]?.['mode'], isLink(links[0]?.['url'])]).toEqual([1, 'url', true])
    expect(String(links[0]?.['message'])).toBe('Keyed needs a sign-in before this tool works.')
    expect(textOf(await app.call({ name: 'which_key' }))).toBe('of-ben')
    expect(links.length).toBe(1)
    await app.close()
  })
  test.each(['decline', 'cancel'])(
    '[GATEWAY-SIGN-IN] of 2026-07-28 whose user says %s reads what to do, and may call again',
    async (action) => {
      const { member, where } = await newcomer(`says-${action}`)
      const app = await connect('modern', where, { elicit: () => ({ action }) })
      const result = await app.call({ name: 'which_key' })
      expect([result['isError'], isLink(linkIn(textOf(result)))]).toEqual([true, true])
      await giveKey(member, `of-${action}`)
      expect(textOf(await app.call({ name: 'which_key' }))).toBe(`of-${action}`)
      await app.close()
    },
  )
  test('[GATEWAY-SIGN-IN] of 2025-11-25 gets the error for it, and repeats the call after the sign-in', async () => {
    const { member, where } = await newcomer('cyd')
    const app = await connect('legacy', where, { elicit: () => ({ action: 'accept' }) })
    const { code, data } = await refusalOf(app.call({ name: 'which_key' }))
    const [link] = (data as { elicitations: Json[] }).elicitations
    expect({ code, mode: link?.['mode'], id: typeof link?.['elicitationId'], isLink: isLink(link?.['url']) }).toEqual({
      code: -32_042,
      mode: 'url',
      id: 'string',
      isLink: true,
    })
    await giveKey(member, 'of-cyd')
    expect(textOf(await app.call({ name: 'which_key' }))).toBe('of-cyd')
    await app.close()
  })
})

describe('the link', () => {
  test.each([...ERAS])('[GATEWAY-SIGN-IN] stands in the answer where a %s app cannot show one', async (era) => {
    const { where } = await newcomer(`plain-${era}`)
    const app = await connect(era, where)
    const result = await app.call({ name: 'which_key' })
    expect([result['isError'], isLink(linkIn(textOf(result)))]).toEqual([true, true])
    await app.close()
    const { audit } = house.rooms
    await audit.flush()
    expect((await audit.list({ grantId: where.grantId, limit: 1 }))[0]?.outcome).toBe('failed')
  })
  test('[GATEWAY-SIGN-IN] is no key: its own user comes to the connection, another user is refused, a stranger has to log in', async () => {
    const { member, where } = await newcomer('dee')
    const app = await connect('legacy', where)
    const link = linkIn(textOf(await app.call({ name: 'which_key' })))
    const path = link.slice(house.url.length)
    await app.close()

    const own = await member.person.open(path)
    expect([own.status, new URL(own.url).pathname]).toEqual([200, `/connections/${connectionId}`])
    expect(own.html).toContain('An app of yours needs Keyed')

    const others = await house.owner.person.open(path)
    expect([others.status, others.html.includes('made for another user')]).toEqual([404, true])
    expect(others.html).not.toContain('/credential')

    const stranger = await createPerson(house.url).open(path)
    expect(new URL(stranger.url).pathname).toBe('/login')
    // What it says about whose it is cannot be changed.
    const forged = path.replace(member.user.id, house.user.id)
    expect(forged).not.toBe(path)
    expect((await house.owner.person.open(forged)).status).toBe(404)
  })
})
