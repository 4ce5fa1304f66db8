/** Signing in to upstreams that have a real authorization server in front, through the pages of a running Toolpass. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { browse, type OidcUpstream, startOidcUpstream } from '../support/oidc-upstream.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

let running: Running
let upstream: OidcUpstream
let ada: Person
const others: OidcUpstream[] = []

beforeAll(async () => {
  upstream = await startOidcUpstream({ accessSeconds: 30 })
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
})
afterAll(async () => {
  await running.stop()
  await Promise.all([upstream, ...others].map((each) => each.stop()))
  running.remove()
})
const another = async (options: Parameters<typeof startOidcUpstream>[0] = {}) => {
  const started = await startOidcUpstream(options)
  others.push(started)
  return started
}

/** Adds the server by its address alone and waits until Toolpass has found out that it wants a sign-in. */
async function added(name: string, url: string): Promise<string> {
  const page = await addHttpConnection(ada, name, url)
  await until(page, 'Sign-in needed')
  return page
}
async function until(page: string, text: string) {
  for (let tries = 0; tries < 100; tries += 1) {
    const { html } = await ada.open(page)
    if (html.includes(text)) return html
    await Bun.sleep(50)
  }
  throw new Error(`${page} never said ${text}`)
}
/** Where the page after the click sends the browser. */
async function leaving(page: string): Promise<string> {
  const { html } = await ada.submit(await ada.open(page), `${page}/sign-in`, {})
  return (/content="0; url=([^"]+)"/.exec(html)?.[1] ?? html).replaceAll('&amp;', '&')
}
async function signIn(page: string, at: OidcUpstream, change: (back: URL) => URL = (back) => back) {
  const back = change(new URL(await browse(await leaving(page), at.issuer)))
  return ada.open(back.pathname + back.search)
}
const credentials = () => {
  const database = new Database(join(running.dataDir, 'toolpass.db'), { readonly: true })
  const rows = database.query('SELECT kind, status, issuer, scope, sealed FROM credentials WHERE kind = ?').all('oauth')
  database.close()
  return rows as { status: string; issuer: string; scope: string; sealed: Uint8Array }[]
}

test('[UPSTREAM-OAUTH] a pasted address is found to want a sign-in, and one click later its tools are there', async () => {
  const page = await added('Guarded', upstream.url)
  const out = new URL(await leaving(page))
  expect(out.origin).toBe(upstream.issuer)
  expect(Object.fromEntries(out.searchParams)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    resource: upstream.url,
    redirect_uri: `${running.url}/connections/callback/${page.split('/').at(-1)}`,
  })
  const landed = await signIn(page, upstream)
  expect(landed.url).toBe(running.url + page)
  await until(page, 'whoami')
  const [row] = credentials()
  expect(row).toMatchObject({ status: 'ok', issuer: upstream.issuer })
  expect(Buffer.from(row?.sealed ?? []).toString('latin1')).not.toContain('access')
})

test('[UPSTREAM-OAUTH-CALL] a call goes out with that sign-in, and the app never sees it nor it the app’s token', async () => {
  await makeProfile(ada, 'Guarded tools', 1)
  const app = await connectApp(running, ada, { profile: 'guarded-tools' })
  upstream.seen.length = 0
  const answer = await readMcp(await callMcp(running, 'guarded-tools', app.access_token, 'tools/call', { name: 'whoami', arguments: {} }))
  expect(answer.result?.['content']).toEqual([{ type: 'text', text: 'alice' }])
  const sent = upstream.seen.map(({ authorization }) => authorization ?? '')
  expect(sent.length).toBeGreaterThan(0)
  expect(sent.filter((header) => header.includes(app.access_token) || !header.startsWith('Bearer '))).toEqual([])
  expect(JSON.stringify(answer)).not.toContain(sent[0]?.slice('Bearer '.length))
})

test('[UPSTREAM-OAUTH-RENEW] a token that the server refuses is renewed within the call', async () => {
  const app = await connectApp(running, ada, { profile: 'guarded-tools' })
  const call = () => callMcp(running, 'guarded-tools', app.access_token, 'tools/call', { name: 'whoami', arguments: {} })
  const before = upstream.seen.at(-1)?.authorization?.slice('Bearer '.length) ?? ''
  upstream.now.refused.add(before)
  const answers = await Promise.all([call(), call(), call()].map(async (each) => readMcp(await each)))
  expect(answers.map(({ result }) => result?.['content'])).toEqual(Array(3).fill([{ type: 'text', text: 'alice' }]))
  expect(credentials()[0]).toMatchObject({ status: 'ok' })
})

test('[UPSTREAM-OAUTH-STATE] a state that is made up, used, or of another browser leads nowhere', async () => {
  const page = (await addHttpConnection(ada, 'Second', upstream.url)).toString()
  await until(page, 'Sign-in needed')
  const back = new URL(await browse(await leaving(page), upstream.issuer))
  const stranger = await signedIn(running)
  const elsewhere = await stranger.open(back.pathname + back.search)
  expect(elsewhere.url).toBe(`${running.url}/connections`)
  const made = new URL(back)
  made.searchParams.set('state', 'x'.repeat(43))
  expect((await ada.open(made.pathname + made.search)).url).toBe(`${running.url}/connections`)
  expect((await ada.open(back.pathname + back.search)).url).toBe(running.url + page)
  expect((await ada.open(back.pathname + back.search)).url).toBe(`${running.url}/connections`)
})

test('[ABUSE-43] an answer with another issuer, or with none where one was promised, stops before the code is sent', async () => {
  const server = await another()
  const page = await added('Mixed up', server.url)
  for (const iss of ['https://evil.example', undefined]) {
    const landed = await signIn(page, server, (back) => {
      if (iss === undefined) back.searchParams.delete('iss')
      else back.searchParams.set('iss', iss)
      return back
    })
    expect(landed.url).toBe(`${running.url}/connections`)
  }
  expect((await ada.open(page)).html).toContain('Sign-in needed')
})

test('[ABUSE-43] a resource that is not the server’s own address stops, and nothing is sent', async () => {
  const server = await another()
  server.now.metadata = (described) => ({ ...described, resource: 'https://elsewhere.example/mcp' })
  const page = await addHttpConnection(ada, 'Other resource', server.url)
  await until(page, 'valid credential')
  expect((await ada.open(page)).html).not.toContain(`${page}/sign-in`)
})

test('[ABUSE-45] an authorization endpoint that is javascript: or plain http is refused', async () => {
  for (const endpoint of ['javascript:alert(1)', 'http://evil.example/authorize']) {
    const port = await Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    await port.stop(true)
    const fake = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch(request) {
        const own = new URL(request.url).origin
        if (request.url.includes('oauth-protected-resource')) return Response.json({ resource: `${own}/mcp`, authorization_servers: [own] })
        if (request.url.includes('.well-known/'))
          return Response.json({
            ...{ issuer: own, authorization_endpoint: endpoint, token_endpoint: `${own}/token`, registration_endpoint: `${own}/reg` },
            ...{ response_types_supported: ['code'], code_challenge_methods_supported: ['S256'] },
          })
        return new Response('no', { status: 401, headers: { 'www-authenticate': 'Bearer' } })
      },
    })
    const page = await addHttpConnection(ada, `Bad ${endpoint.slice(0, 6)}`, `http://127.0.0.1:${fake.port}/mcp`)
    await until(page, 'valid credential')
    expect((await ada.open(page)).html).not.toContain(`${page}/sign-in`)
    await fake.stop(true)
  }
})

test('[ABUSE-44] a server that moves to another authorization server gets nothing of the old sign-in', async () => {
  const [first, second] = [await another({ accessSeconds: 1 }), await another()]
  const page = await added('Moves', first.url)
  await signIn(page, first)
  await until(page, 'whoami')
  first.now.metadata = (described) => ({ ...described, authorization_servers: [second.issuer] })
  const asked: string[] = []
  second.provider.use(async (context: { path: string }, next: () => Promise<unknown>) => {
    asked.push(context.path)
    await next()
  })
  const out = new URL(await leaving(page))
  expect(out.origin).toBe(second.issuer)
  expect(asked.filter((path) => path === '/token')).toEqual([])
})

test('[UPSTREAM-OAUTH-SCOPE] a server that asks for more gets the union at the next sign-in', async () => {
  const server = await another()
  const page = await added('Steps up', server.url)
  await signIn(page, server)
  await until(page, 'whoami')
  server.now.needs = 'write'
  await ada.submit(await ada.open(page), `${page}/check`, {})
  await until(page, 'Needs more permission')
  expect(new URL(await leaving(page)).searchParams.get('scope')?.split(' ').toSorted()).toEqual(['offline_access', 'read', 'write'])
  await signIn(page, server)
  await until(page, 'Signed in')
})

test('[UPSTREAM-OAUTH-CLIENT] where Toolpass may not register itself, a client registered by hand signs in, or the connection itself', async () => {
  const server = await another({ registration: false })
  const page = await added('By hand', server.url)
  const redirect_uris = [`${running.url}/connections/callback/${page.split('/').at(-1)}`]
  expect((await ada.open(page)).html.includes(String(redirect_uris[0]))).toBe(true)
  const registered = { client_id: 'by-hand', client_secret: 'a-secret-of-some-length', redirect_uris, application_type: 'native' }
  const grant_types = ['authorization_code', 'refresh_token', 'client_credentials']
  await server.addClient({ ...registered, grant_types, response_types: ['code'] })
  await ada.submit(await ada.open(page), `${page}/sign-in`, {})
  const fields = { client_id: registered.client_id, client_secret: registered.client_secret }
  await ada.submit(await ada.open(page), `${page}/sign-in/client`, fields)
  expect((await ada.open(page)).html).not.toContain(registered.client_secret)
  await signIn(page, server)
  await until(page, 'whoami')
  await ada.submit(await ada.open(page), `${page}/sign-in/options`, { grant: 'client_credentials', return_by: 'callback', scopes: '' })
  const done = await ada.submit(await ada.open(page), `${page}/sign-in`, {})
  expect(done.url).toBe(running.url + page)
  await until(page, 'Toolpass renews it by itself')
  const refused = server.seen.findLast(({ authorization }) => authorization)?.authorization?.slice('Bearer '.length) ?? ''
  server.now.refused.add(refused)
  await ada.submit(await ada.open(page), `${page}/check`, {})
  await until(page, 'It offers one tool')
  expect(server.seen.at(-1)?.authorization).not.toContain(refused)
})

test('[UPSTREAM-OAUTH-PASTE] where only loopback comes back, the final address is pasted', async () => {
  const server = await another()
  const page = await added('Pasted', server.url)
  await ada.submit(await ada.open(page), `${page}/sign-in/options`, { grant: 'code', return_by: 'paste', scopes: '' })
  const asking = await ada.submit(await ada.open(page), `${page}/sign-in`, {})
  const out = (/href="(http:\/\/127[^"]+)"/.exec(asking.html)?.[1] ?? '').replaceAll('&amp;', '&')
  const final = await browse(out, server.issuer)
  expect(final).toStartWith('http://localhost:38921/callback?')
  const landed = await ada.submit(asking, `${page}/sign-in/paste`, { address: final })
  expect(landed.url).toBe(running.url + page)
  await until(page, 'whoami')
})

test('[UPSTREAM-OAUTH-OUT] disconnecting destroys what was held here and revokes it over there', async () => {
  const server = await another()
  const page = await added('Leaves', server.url)
  await signIn(page, server)
  await until(page, 'whoami')
  const revoked: string[] = []
  server.provider.on('grant.revoked', () => void revoked.push('grant'))
  server.provider.on('refresh_token.destroyed', () => void revoked.push('refresh'))
  const held = credentials().length
  await ada.submit(await ada.open(page), `${page}/sign-out`, {})
  expect(credentials().length).toBe(held - 1)
  await until(page, 'Sign-in needed')
  expect(revoked.length).toBeGreaterThan(0)
})

test('[UPSTREAM-OAUTH-DOCUMENT] our own metadata document names itself, its callback and no secret', async () => {
  const answer = await fetch(`${running.url}/oauth/client.json`)
  expect(answer.headers.get('cache-control')).toContain('public')
  expect(await answer.json()).toMatchObject({
    client_id: `${running.url}/oauth/client.json`,
    redirect_uris: [`${running.url}/connections/callback`],
    token_endpoint_auth_method: 'none',
  })
})
