/** Two people, one connection: whose credential goes where, seen by an upstream that tells whom it sees. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { may } from '@/connections'
import type { UserId } from '@/lib/ids.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { browse, type OidcUpstream, startOidcUpstream } from '../support/oidc-upstream.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

const BEN = { username: 'ben', password: 'another horse battery' }
let running: Running
let ada: Person
let ben: Person
let guarded: OidcUpstream
/** Answers with the key that it was asked with. */
const keyed = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const key = request.headers.get('x-api-key') ?? 'no key'
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

beforeAll(async () => {
  guarded = await startOidcUpstream()
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...BEN, role: 'member' })
  ben = await signedIn(running, BEN)
})
afterAll(async () => {
  await running.stop()
  await guarded.stop()
  await keyed.stop(true)
  running.remove()
})

const call = async (person: Person, profile: string, name: string) => {
  const app = await connectApp(running, person, { profile })
  const answer = await readMcp(await callMcp(running, profile, app.access_token, 'tools/call', { name, arguments: {} }))
  return JSON.stringify(answer.result?.['content'] ?? answer.error)
}
async function share(page: string, sharing: string) {
  const open = await ada.open(page)
  await ada.submit(open, page, { sharing })
}
async function until(person: Person, page: string, text: string) {
  for (let tries = 0; tries < 100; tries += 1) {
    const { html } = await person.open(page)
    if (html.includes(text)) return html
    await Bun.sleep(50)
  }
  throw new Error(`${page} never said ${text}`)
}
async function signIn(person: Person, page: string, account: string) {
  guarded.now.account = account
  const { html } = await person.submit(await person.open(page), `${page}/sign-in`, {})
  const out = (/content="0; url=([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&')
  const back = new URL(await browse(out, guarded.issuer))
  await person.open(back.pathname + back.search)
}

describe('a key in a header', () => {
  let page = ''
  test('[SHARE-PRIVATE] a private connection is invisible to others', async () => {
    page = await addHttpConnection(ada, 'Keyed', `http://127.0.0.1:${keyed.port}/mcp`, 'x-api-key=of-ada')
    await until(ada, page, 'which_key')
    expect((await ben.open(page)).status).toBe(404)
    expect((await ben.open('/connections')).html).not.toContain('Keyed')
  })
  test('[SHARE-OWNER] open with its owner’s credential: everyone uses that one, nobody sees it', async () => {
    await share(page, 'open')
    await until(ben, page, 'which_key')
    await makeProfile(ben, 'Bens keys', 1)
    expect(await call(ben, 'bens-keys', 'which_key')).toContain('of-ada')
    const seen = (await ben.open(page)).html
    expect([seen.includes('of-ada'), seen.includes('Your credential')]).toEqual([false, false])
    expect((await ada.open(page)).html.includes('of-ada')).toBe(false)
  })
  test('[SHARE-EACH] open for each with their own: without one the call goes without, never with another’s', async () => {
    await share(page, 'each')
    expect(await call(ben, 'bens-keys', 'which_key')).toContain('no key')
    await expect(ben.submit(await ben.open(page), `${page}/credential`, { 'settings.headers': 'no header' })).rejects.toThrow('422')
    await ben.submit(await ben.open(page), `${page}/credential`, { 'settings.headers': 'x-api-key=of-ben' })
    expect(await call(ben, 'bens-keys', 'which_key')).toContain('of-ben')
    await makeProfile(ada, 'Adas keys', 1)
    expect(await call(ada, 'adas-keys', 'which_key')).toContain('of-ada')
  })
  test('[SHARE-MOVED] a connection that is pointed elsewhere takes nobody else’s credential along', async () => {
    const seen: (string | null)[] = []
    const elsewhere = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request) => {
        seen.push(request.headers.get('x-api-key'))
        return new Response('no', { status: 404 })
      },
    })
    await ada.submit(await ada.open(page), page, { sharing: 'each', 'settings.url': `http://127.0.0.1:${elsewhere.port}/mcp` })
    await call(ben, 'bens-keys', 'which_key')
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).not.toContain('of-ben')
    await elsewhere.stop(true)
  })
})

describe('a sign-in', () => {
  let page = ''
  test('[SHARE-EACH] each signs in for themselves, and is seen as themselves', async () => {
    page = await addHttpConnection(ada, 'Guarded', guarded.url)
    await until(ada, page, 'Sign-in needed')
    await signIn(ada, page, 'ada-over-there')
    await until(ada, page, 'whoami')
    await share(page, 'each')
    await until(ben, page, 'Sign-in needed')
    const ids = /value="(tol_\w+)"/
    await makeProfile(ben, 'Bens guarded', 2)
    expect((await ben.open('/profiles')).html).not.toMatch(ids)
    expect(await call(ben, 'bens-guarded', 'whoami')).toContain(`needs a sign-in before this tool works. Open ${running.url}${page}`)
    await signIn(ben, page, 'ben-over-there')
    expect(await call(ben, 'bens-guarded', 'whoami')).toContain('ben-over-there')
    await makeProfile(ada, 'Adas guarded', 2)
    expect(await call(ada, 'adas-guarded', 'whoami')).toContain('ada-over-there')
  })
  test('[SHARE-OWNER] with its owner’s credential nobody else can sign in, out, or switch the account', async () => {
    await share(page, 'open')
    expect(await call(ben, 'bens-guarded', 'whoami')).toContain('ada-over-there')
    expect((await ben.open(page)).html.includes(`${page}/sign-in`)).toBe(false)
    for (const path of [`${page}/sign-in`, `${page}/sign-out`]) {
      const forged = { url: running.url, status: 200, html: `<form action="${path}"></form>`, location: undefined }
      await ben.submit(forged, path, {}).catch(() => undefined)
    }
    expect(await call(ada, 'adas-guarded', 'whoami')).toContain('ada-over-there')
  })
})

test('[SHARE-PROFILE] an open profile serves others what is open to them, under its name, until it is closed', async () => {
  const secret = await addHttpConnection(ada, 'Only Adas', `http://127.0.0.1:${keyed.port}/mcp`, 'x-api-key=only-adas')
  await until(ada, secret, 'which_key')
  const page = await makeProfile(ada, 'Team', 3)
  const settings = (visibility: string) => ({ title: 'Team', naming: 'always', visibility })
  expect((await ben.open('/profiles')).html.includes('/mcp/team')).toBe(false)
  await ada.submit(await ada.open(page), page, settings('open'))
  expect((await ben.open('/profiles')).html.includes('/mcp/team')).toBe(true)
  expect((await ben.open(page)).status).toBe(404)
  const namesFor = async (person: Person) => {
    const app = await connectApp(running, person, { profile: 'team' })
    const { result } = await readMcp(await callMcp(running, 'team', app.access_token, 'tools/list'))
    const tools = (result?.['tools'] ?? []) as { name: string }[]
    return { app, names: tools.map(({ name }) => name).toSorted() }
  }
  const [own, guest] = [await namesFor(ada), await namesFor(ben)]
  expect(own.names).toEqual(['guarded__whoami', 'keyed__which_key', 'only-adas__which_key'])
  expect(guest.names).toEqual(['guarded__whoami', 'keyed__which_key'])
  const call = await callMcp(running, 'team', guest.app.access_token, 'tools/call', { name: 'only-adas__which_key', arguments: {} })
  expect((await readMcp(call)).error).toMatchObject({ code: -32602 })
  await ada.submit(await ada.open(page), page, settings('private'))
  expect((await callMcp(running, 'team', guest.app.access_token, 'tools/list')).status).toBe(401)
  expect((await callMcp(running, 'team', own.app.access_token, 'tools/list')).status).toBe(200)
})

test('[SHARE-PURE] who may is one rule: nobody’s credential but one’s own or the owner’s, and only the owner’s where it was opened so', () => {
  const id = fc.constantFrom('usr_a', 'usr_b', 'usr_c') as fc.Arbitrary<UserId>
  const connection = fc.record({
    ownerId: id,
    visibility: fc.constantFrom('private' as const, 'open' as const),
    credentialOf: fc.constantFrom('owner' as const, 'each' as const),
  })
  fc.assert(
    fc.property(id, fc.constantFrom('admin' as const, 'member' as const), connection, (user, role, it) => {
      const verdict = may({ id: user, role }, it)
      const isOwner = it.ownerId === user
      expect(verdict.see).toBe(isOwner || it.visibility === 'open')
      expect(verdict.change).toBe(isOwner || (it.visibility === 'open' && role === 'admin'))
      expect([user, it.ownerId]).toContain(verdict.credentialOf)
      if (verdict.credentialOf !== user)
        expect([it.credentialOf === 'owner' || it.visibility === 'private', verdict.signIn]).toEqual([true, false])
    }),
  )
})
