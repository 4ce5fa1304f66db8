/** Taking somebody's sign-in at an upstream, or sending it where it does not belong, by those who may use or change a connection. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { browse, type OidcUpstream, startOidcUpstream } from '../support/oidc-upstream.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

const BEN = { username: 'ben', password: 'another horse battery' }
const EVE = { username: 'eve', password: 'a third horse battery' }
let running: Running
let ada: Person
let ben: Person
/** An administrator, as ada is. */
let eve: Person
const servers: OidcUpstream[] = []
/** What somebody else's server is told. */
const stolen: string[] = []
const thief = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    stolen.push(`${request.headers.get('authorization') ?? ''} ${request.headers.get('x-api-key') ?? ''}`.trim())
    return new Response('no', { status: 404 })
  },
})
const thiefUrl = `http://127.0.0.1:${thief.port}/mcp`

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...BEN, role: 'member' })
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...EVE, role: 'admin' })
  ben = await signedIn(running, BEN)
  eve = await signedIn(running, EVE)
})
afterAll(async () => {
  await running.stop()
  await thief.stop(true)
  await Promise.all(servers.map((server) => server.stop()))
  running.remove()
})

const started = async (options: Parameters<typeof startOidcUpstream>[0] = {}) => {
  const server = await startOidcUpstream(options)
  servers.push(server)
  return server
}
async function until(person: Person, page: string, text: string) {
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await person.open(page)).html.includes(text)) return
    await Bun.sleep(50)
  }
  throw new Error(`${page} never said ${text}`)
}
async function leaving(person: Person, page: string): Promise<string> {
  const { html } = await person.submit(await person.open(page), `${page}/sign-in`, {})
  return (/content="0; url=([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&')
}
async function comeBack(person: Person, server: OidcUpstream, out: string) {
  const back = new URL(await browse(out, server.issuer))
  return person.open(back.pathname + back.search)
}
async function shared(name: string, server: OidcUpstream): Promise<string> {
  const page = await addHttpConnection(ada, name, server.url)
  await until(ada, page, 'Sign-in needed')
  await comeBack(ada, server, await leaving(ada, page))
  await until(ada, page, 'whoami')
  await ada.submit(await ada.open(page), page, { sharing: 'each' })
  await until(ben, page, 'Sign-in needed')
  return page
}
const rows = (connection: string) => {
  const database = new Database(join(running.dataDir, 'toolpass.db'), { readonly: true })
  const found = database.query('SELECT kind, user_id FROM credentials WHERE connection_id = ?').all(connection.split('/').at(-1) ?? '')
  database.close()
  return found as { kind: string; user_id: string }[]
}
const call = async (person: Person, profile: string, name: string) => {
  const app = await connectApp(running, person, { profile })
  return JSON.stringify(await readMcp(await callMcp(running, profile, app.access_token, 'tools/call', { name, arguments: {} })))
}

test('[SIGN-IN-MOVED] a sign-in that was under way while the connection was pointed elsewhere is good nowhere', async () => {
  const server = await started()
  const page = await shared('Moves meanwhile', server)
  await makeProfile(ben, 'Bens moved', 1)
  const out = await leaving(ben, page)
  await eve.submit(await eve.open(page), page, { sharing: 'each', 'settings.url': thiefUrl })
  const landed = await comeBack(ben, server, out)
  expect(landed.url).toBe(`${running.url}/connections`)
  stolen.length = 0
  await call(ben, 'bens-moved', 'whoami')
  expect(stolen.filter(Boolean)).toEqual([])
})

test('[SIGN-IN-RENEWED-LATE] a renewal that answers after the sign-out brings nothing back', async () => {
  const server = await started({ accessSeconds: 6 })
  const page = await addHttpConnection(ada, 'Answers late', server.url)
  await until(ada, page, 'Sign-in needed')
  await comeBack(ada, server, await leaving(ada, page))
  await until(ada, page, 'whoami')
  server.provider.use(async (context: { path: string }, next: () => Promise<unknown>) => {
    if (context.path === '/token') await Bun.sleep(1_500)
    await next()
  })
  const refused = server.seen.findLast(({ authorization }) => authorization)?.authorization?.slice('Bearer '.length) ?? ''
  server.now.refused.add(refused)
  await ada.submit(await ada.open(page), `${page}/check`, {})
  await Bun.sleep(300)
  await ada.submit(await ada.open(page), `${page}/sign-out`, {})
  expect(rows(page).filter(({ kind }) => kind === 'oauth')).toEqual([])
  await Bun.sleep(2_000)
  expect(rows(page).filter(({ kind }) => kind === 'oauth')).toEqual([])
})

test('[SIGN-IN-OWNERS-WORD] an administrator cannot let everybody use a credential that its owner keeps for themselves', async () => {
  const server = await started()
  const page = await shared('Kept', server)
  await expect(eve.submit(await eve.open(page), page, { sharing: 'open' })).rejects.toThrow('422')
  await eve.submit(await eve.open(page), page, { sharing: 'each', name: 'Kept still' })
})

test('[SIGN-IN-CLIENT-BOUND] a client that was registered by hand is sent to the first server it was used at, and to no other', async () => {
  const [first, second] = [await started({ registration: false }), await started({ registration: false })]
  const page = await addHttpConnection(ada, 'Bound', first.url)
  await until(ada, page, 'Sign-in needed')
  const redirect_uris = [`${running.url}/connections/callback/${page.split('/').at(-1)}`]
  const client = { client_id: 'by-hand', client_secret: 'top-secret-of-some-length', redirect_uris, application_type: 'native' }
  await first.addClient({ ...client, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] })
  await ada.submit(await ada.open(page), `${page}/sign-in/client`, { client_id: client.client_id, client_secret: client.client_secret })
  await comeBack(ada, first, await leaving(ada, page))
  await until(ada, page, 'whoami')
  const told: string[] = []
  second.provider.use(async (context: { path: string }, next: () => Promise<unknown>) => {
    told.push(context.path)
    await next()
  })
  first.now.metadata = (described) => ({ ...described, authorization_servers: [second.issuer] })
  expect(await leaving(ada, page)).toBe('')
  expect(told.filter((path) => path === '/token' || path === '/auth')).toEqual([])
})

test('[SIGN-IN-OWNERS-WAY] a member’s click does not change how everybody’s connection authenticates', async () => {
  const server = await started()
  const page = await addHttpConnection(ada, 'By header', server.url, 'x-api-key=of-ada')
  await ada.submit(await ada.open(page), page, { sharing: 'each' })
  await until(ben, page, 'Your credential')
  const forged = { url: running.url, status: 200, html: `<form action="${page}/sign-in"></form>`, location: undefined }
  await ben.submit(forged, `${page}/sign-in`, {})
  expect((await ada.open(page)).html.includes('id="sign-in"')).toBe(false)
  expect((await ada.open(page)).html.includes('of-ada')).toBe(false)
})

test('[SIGN-IN-MIX-UP] an answer that comes back to another connection’s address is not redeemed', async () => {
  const [honest, evil] = [await started(), await started()]
  const page = await addHttpConnection(ada, 'Evil', evil.url)
  await until(ada, page, 'Sign-in needed')
  const other = await addHttpConnection(ada, 'Honest', honest.url)
  await until(ada, other, 'Sign-in needed')
  const back = new URL(await browse(await leaving(ada, page), evil.issuer))
  const tokens: string[] = []
  evil.provider.use(async (context: { path: string }, next: () => Promise<unknown>) => {
    tokens.push(context.path)
    await next()
  })
  const landed = await ada.open(back.pathname.replace(page.split('/').at(-1) ?? '', other.split('/').at(-1) ?? '') + back.search)
  expect(landed.url).toBe(`${running.url}/connections`)
  expect(tokens.filter((path) => path === '/token')).toEqual([])
})

test('[SIGN-IN-STALE-FORM] a key that was entered for one address does not go to another', async () => {
  const page = await addHttpConnection(ada, 'Stale', 'http://127.0.0.1:9/mcp', 'x-api-key=of-ada')
  await ada.submit(await ada.open(page), page, { sharing: 'each' })
  const form = await ben.open(page)
  await eve.submit(await eve.open(page), page, { sharing: 'each', 'settings.url': thiefUrl })
  stolen.length = 0
  await expect(ben.submit(form, `${page}/credential`, { 'settings.headers': 'x-api-key=of-ben' })).rejects.toThrow('422')
  expect(rows(page).length).toBeLessThan(2)
  expect(stolen.filter((each) => each.includes('of-ben'))).toEqual([])
})

test('[SIGN-IN-NARROWED] when it is no longer for each, the credentials that others gave are destroyed', async () => {
  const page = await addHttpConnection(ada, 'Narrows', 'http://127.0.0.1:9/mcp', 'x-api-key=of-ada')
  await ada.submit(await ada.open(page), page, { sharing: 'each' })
  await ben.submit(await ben.open(page), `${page}/credential`, { 'settings.headers': 'x-api-key=of-ben' })
  expect(rows(page).length).toBe(2)
  await ada.submit(await ada.open(page), page, { sharing: 'private' })
  expect(rows(page).length).toBe(1)
})
