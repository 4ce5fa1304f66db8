/** The connection doctor against a running Toolpass: what a person sees while an app connects, and when it does not. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { valuesOf } from '../../bench/person.ts'
import { addHttpConnection, CALLBACK, callMcp, makeProfile, type Person, register, signedIn } from '../support/journey.ts'
import { createRealClient } from '../support/real-clients.ts'
import { type Browser, createBrowser, freePort, type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const MIA = { username: 'mia', password: 'a horse of another colour' }
const LIVE = { 'hx-request': 'true' }

let running: Running
let ada: Person
let admin: Browser
let member: Browser
const upstream = startModernUpstream()

beforeAll(async () => {
  // One proxy is trusted, so that a test can come from an address of its own.
  running = await startToolpass({ env: { TOOLPASS_TRUSTED_PROXIES: '127.0.0.1,::1' } })
  admin = await setUp(running)
  ada = await signedIn(running)
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...MIA, role: 'member' })
  member = createBrowser(running.url)
  await member.post('/login', MIA)
  await addHttpConnection(ada, 'Modern', upstream.url)
  await makeProfile(ada, 'Work', 4)
  await makeProfile(ada, 'Home', 4)
})
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
})

const textIn = (html: string) =>
  html
    .replace(/<(svg|script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&quot;/g, '"')
    .replace(/\s+/g, ' ')
const liveHtml = async (browser: Browser, headers: Record<string, string> = {}) =>
  (await browser.get('/apps/doctor/live?since=0', { ...LIVE, ...headers })).text()
const live = async (browser: Browser, headers?: Record<string, string>) => textIn(await liveHtml(browser, headers))
/** The part about the newest attempt. */
const newest = async (browser: Browser, headers?: Record<string, string>) =>
  textIn((await liveHtml(browser, headers)).split('class="card attempt-older"')[0] ?? '')
/** The newest attempt of this app alone. */
const of = async (name: string, browser = admin) => {
  const cards = (await liveHtml(browser)).split(/<(?:section|details) class="card/)
  return textIn(cards.find((card) => card.includes(name)) ?? '')
}

type Way = { clientId: string; verifier: string; state: string; code: string; token: string }
const challengeOf = (verifier: string) => new Bun.CryptoHasher('sha256').update(verifier).digest('base64url')
const asking = (clientId: string, verifier: string, more: Record<string, string | undefined> = {}) =>
  new URLSearchParams(
    Object.entries({
      ...{
        response_type: 'code',
        client_id: clientId,
        redirect_uri: CALLBACK,
        scope: 'mcp offline_access',
        state: 'a-state-of-its-own-canary',
      },
      ...{ code_challenge: challengeOf(verifier), code_challenge_method: 'S256', resource: `${running.url}/mcp/work` },
      ...more,
    }).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )

/** The real order by hand: knock, metadata, registration, consent, token. */
async function connect(name: string, profile = 'work', headers: Record<string, string> = {}): Promise<Way> {
  await fetch(`${running.url}/mcp/${profile}`, { method: 'POST', headers })
  await fetch(`${running.url}/.well-known/oauth-protected-resource/mcp/${profile}`, { headers })
  await fetch(`${running.url}/.well-known/oauth-authorization-server`, { headers })
  const clientId = await register(running, { client_name: name })
  const verifier = `${name.replace(/\W/g, '')}-verifier-canary-${crypto.randomUUID()}`
  const resource = `${running.url}/mcp/${profile}`
  const consent = await ada.open(`/oauth/authorize?${asking(clientId, verifier, { resource })}`)
  const decided = { decision: 'allow', tool_id: valuesOf(consent.html, 'tool_id'), expires: 'never' }
  const allowed = await ada.submit(consent, '/oauth/authorize/decide', decided)
  const code = new URL(allowed.location ?? running.url).searchParams.get('code') ?? ''
  const redeemed = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: CALLBACK,
    client_id: clientId,
    code_verifier: verifier,
    resource,
  }
  const answer = await fetch(`${running.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(redeemed) })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  return { clientId, verifier, state: 'a-state-of-its-own-canary', code, token }
}
const grantOf = async (name: string) => {
  const { html } = await ada.open('/apps')
  return /href="(\/apps\/grt_[^"]+)"/.exec(html.slice(html.lastIndexOf('<tr', html.indexOf(name))))?.[1] ?? ''
}

describe('the page', () => {
  test('[DOCTOR-WAY] has an address of its own beside those of connected apps, and is closed to strangers', async () => {
    const page = await admin.get('/apps/doctor')
    expect([page.status, (await page.text()).includes('Connection doctor')]).toEqual([200, true])
    expect((await createBrowser(running.url).get('/apps/doctor')).status).not.toBe(200)
    expect((await createBrowser(running.url).get('/apps/doctor/live')).status).not.toBe(200)
    expect((await createBrowser(running.url).post('/apps/doctor/check', {})).status).not.toBe(200)
  })

  test('[DOCTOR-WAY] gives the address of the profile that was chosen, and works without a script', async () => {
    const page = await (await admin.get('/apps/doctor?profile=home&client=claude-code')).text()
    expect(page).toContain(`data-copy="${running.url}/mcp/home"`)
    expect(page).toContain('<noscript><a href="/apps/doctor?profile=home&amp;client=claude-code">')
    expect((await admin.get('/apps/doctor?profile=nonsense&client=%00')).status).toBe(200)
    expect((await admin.get('/apps/doctor/live?since=-1', LIVE)).status).toBe(200)
    // Without htmx the piece leads back to its page.
    expect((await admin.get('/apps/doctor/live?since=0')).headers.get('location')).toBe('/apps/doctor')
  })

  test('[DOCTOR-WHY] warns before anything was tried that a web-hosted app cannot reach this address', async () => {
    const warned = async (client: string) => textIn(await (await admin.get(`/apps/doctor?client=${client}`)).text())
    expect(await warned('claude')).toContain('connects from the internet and over https only')
    expect(await warned('claude-code')).not.toContain('connects from the internet')
  })
})

describe('an app that connects', () => {
  test('[DOCTOR-WAY] is seen on each of its steps, the SDK in its own order', async () => {
    const since = /since=(\d+)/.exec(await (await admin.get('/apps/doctor')).text())?.[1]
    const seen: string[] = []
    const client = await createRealClient('v2', `${running.url}/mcp/work`, async (url) => {
      seen.push(await newest(admin))
      const consent = await ada.open(url.pathname + url.search)
      seen.push(await newest(admin))
      const said = { decision: 'allow', tool_id: valuesOf(consent.html, 'tool_id'), expires: 'never' }
      return new URL((await ada.submit(consent, '/oauth/authorize/decide', said)).location ?? '')
    })
    await client.listTools()
    await client.close()
    const [before, asked] = seen
    expect(before).toContain('Found us Done')
    expect(before).toContain('Metadata Done')
    expect(before).toContain('Registered Done')
    expect(before).toContain('You were asked Waiting for it …')
    expect(asked).toContain('You were asked Waiting')
    expect(asked).toContain('It is your turn')
    const end = await newest(admin)
    expect(end).toContain('SDK v2 client Connected')
    for (const step of ['Found us', 'Metadata', 'Registered', 'You were asked', 'Token', 'First request'])
      expect(end).toContain(`${step} Done`)
    expect(end).toContain('it came without a token, as each app does at first')
    expect(end).not.toContain('What is wrong')
    expect(await (await admin.get(`/apps/doctor/live?since=${since}`, LIVE)).text()).not.toContain('Waiting for your app')
  })

  test('[DOCTOR-WAY] is not swapped in again while nothing changes', async () => {
    const first = await liveHtml(admin)
    const next = /hx-get="([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? ''
    expect((await admin.get(next, LIVE)).status).toBe(204)
    await fetch(`${running.url}/.well-known/oauth-authorization-server`)
    expect((await admin.get(next, LIVE)).status).toBe(200)
  })

  test('[DOCTOR-NO-SECRET] leaves no token, code, verifier, challenge or state on the page', async () => {
    const way = await connect('Canary app')
    await callMcp(running, 'work', way.token, 'tools/list')
    await callMcp(running, 'work', `${way.token}x`, 'tools/list')
    await fetch(`${running.url}/mcp/${way.token}`, { method: 'POST', headers: { authorization: `Basic ${btoa('secret:canary-basic')}` } })
    const html = (await liveHtml(admin)) + (await (await admin.get('/apps/doctor')).text())
    expect(html).toContain('Canary app')
    for (const secret of [
      way.token,
      way.code,
      way.verifier,
      challengeOf(way.verifier),
      way.state,
      'canary-basic',
      btoa('secret:canary-basic'),
      'code_challenge',
    ])
      expect(html).not.toContain(secret)
    expect(running.output()).not.toContain(way.token)
  })
})

describe('an app that does not connect', () => {
  const refused: readonly (readonly [what: string, name: string, more: Record<string, string | undefined>, says: string])[] = [
    ['a redirect that it did not register', 'Strayed', { redirect_uri: `${CALLBACK}/else` }, 'to an address that it did not register'],
    ['another resource', 'Elsewhere', { resource: 'https://else.example/mcp' }, 'asked for an address that is not served here'],
    ['no PKCE', 'Bare', { code_challenge: undefined, code_challenge_method: undefined }, 'with PKCE (S256), which is required'],
    ['plain PKCE', 'Plain', { code_challenge_method: 'plain' }, 'with PKCE (S256), which is required'],
    ['prompt=none', 'Silent', { prompt: 'none' }, 'without you being asked'],
  ]
  test.each(refused)('[DOCTOR-WHY] is told about %s', async (_, name, more, says) => {
    const clientId = await register(running, { client_name: name })
    await admin.get(`/oauth/authorize?${asking(clientId, 'v'.repeat(43), more)}`)
    const attempt = await of(name)
    expect(attempt).toContain(`${name} Refused`)
    expect(attempt).toContain('You were asked Refused')
    expect(attempt).toContain(says)
  })

  test('[DOCTOR-WHY] is told when its user said no', async () => {
    const clientId = await register(running, { client_name: 'Denied' })
    const consent = await ada.open(`/oauth/authorize?${asking(clientId, 'v'.repeat(43))}`)
    await ada.submit(consent, '/oauth/authorize/decide', { decision: 'deny', expires: 'never' })
    expect(await of('Denied')).toContain('You denied Denied.')
  })

  test('[DOCTOR-WHY] is told of a code that is used twice', async () => {
    const { code, clientId, verifier } = await connect('Twice')
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: CALLBACK,
      client_id: clientId,
      code_verifier: verifier,
    })
    await fetch(`${running.url}/oauth/token`, { method: 'POST', body })
    expect(await of('Twice')).toContain('came with a code that is no longer good')
  })

  test('[DOCTOR-401] is told that its token is for another profile, while the client hears no more than before', async () => {
    const { token } = await connect('Crossed')
    const answer = await callMcp(running, 'home', token, 'tools/list')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).not.toContain('work')
    const attempt = await of('Crossed')
    expect(attempt).toContain('Crossed has a token for /mcp/work and came to /mcp/home')
    expect(attempt).toContain('Last refusal at the endpoint: 401')
  })

  test('[DOCTOR-401] is told that it was revoked', async () => {
    const { token } = await connect('Ended')
    await callMcp(running, 'work', token, 'tools/list')
    expect(await of('Ended')).toContain('Ended Connected')
    await admin.post(`${await grantOf('Ended')}/revoke`, {})
    expect((await callMcp(running, 'work', token, 'tools/list')).status).toBe(401)
    expect(await of('Ended')).toContain('Ended is no longer let in: it was revoked')
  })

  test('[DOCTOR-401] is told of a token that is none of ours', async () => {
    await fetch(`${running.url}/mcp/work`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer sk-of-someone-else',
        'x-forwarded-for': '192.0.2.77',
        'x-forwarded-host': new URL(running.url).host,
      },
    })
    expect(await newest(admin)).toContain('sent a token that is not good here: its token is none of ours')
  })

  test('[DOCTOR-WHY] is told that a page from elsewhere may not ask', async () => {
    await fetch(`${running.url}/mcp/work`, { method: 'POST', headers: { origin: 'https://pages.example' } })
    expect(await live(admin)).toContain('A web page at pages.example asked')
  })
})

describe('who sees what', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address, 'x-forwarded-host': new URL(running.url).host })

  test('[DOCTOR-PRIVATE] members see neither the attempts of others nor those from elsewhere', async () => {
    await connect('Of Ada', 'work')
    expect(await live(admin)).toContain('Of Ada')
    expect(await live(member)).not.toContain('Of Ada')
    await fetch(`${running.url}/mcp/nowhere`, { method: 'POST', headers: from('192.0.2.1') })
    expect(await live(admin)).toContain('/mcp/nowhere from 192.0.2.1')
    expect(await live(member)).not.toContain('/mcp/nowhere')
    expect(await live(member, from('192.0.2.1'))).toContain('/mcp/nowhere from 192.0.2.1')
  })

  test('[DOCTOR-PRIVATE] a member sees an attempt from elsewhere once they sign in for it', async () => {
    const clientId = await register(running, { client_name: 'Of Mia' })
    const answer = await member.get(`/oauth/authorize?${asking(clientId, 'v'.repeat(43))}`, from('192.0.2.9'))
    expect(answer.status).toBe(200)
    expect(await live(member, from('192.0.2.10'))).toContain('Of Mia')
  })
})

describe('our own address', () => {
  const checked = async (env: Record<string, string>, port?: number) => {
    const house = await startToolpass({ env, ...(port !== undefined && { port }) })
    try {
      const browser = await setUp(house)
      const before = textIn(await (await browser.get('/apps/doctor/live?since=0', LIVE)).text())
      const answer = await browser.post('/apps/doctor/check', {}, LIVE)
      const html = await answer.text()
      const plain = await browser.post('/apps/doctor/check', {})
      const after = textIn(await (await browser.get('/apps/doctor/live?since=0', LIVE)).text())
      return { text: textIn(html), before, after, location: plain.headers.get('location') }
    } finally {
      await house.stop()
      house.remove()
    }
  }

  test('[DOCTOR-SELF] is as it should be, and the check is no attempt of an app', async () => {
    const port = await freePort()
    const { text, after, location } = await checked({ TOOLPASS_URL: `http://localhost:${port}` }, port)
    expect(text.match(/As it should be/g)).toHaveLength(3)
    expect(text).toContain('What this check cannot see')
    expect(after).toContain('Nothing was tried yet')
    expect(location).toBe('/apps/doctor#check')
  })

  test('[DOCTOR-SELF] says that nobody answers, and that this proves little', async () => {
    const { text } = await checked({ TOOLPASS_URL: `http://localhost:${await freePort()}` })
    expect(text.match(/No answer/g)).toHaveLength(3)
    expect(text).toContain('silence alone proves nothing')
  })

  test('[DOCTOR-SELF] says that something else answers there', async () => {
    const other = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) =>
        url.includes('server')
          ? Response.json({ issuer: 'https://else.example' })
          : new Response('<h1>Welcome</h1>', { headers: { 'content-type': 'text/html' } }),
    })
    const { text } = await checked({ TOOLPASS_URL: `http://localhost:${other.port}` })
    await other.stop(true)
    expect(text.match(/Wrong/g)).toHaveLength(3)
    expect(text).toContain('issuer is https://else.example and must be')
    expect(text).toContain('This is not Toolpass: the answer is no JSON.')
    expect(text).toContain('Without a token the answer must be 401')
  })

  test('[DOCTOR-SELF] says that the address sends on to another one', async () => {
    const other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.redirect('https://else.example/', 302) })
    const { text } = await checked({ TOOLPASS_URL: `http://localhost:${other.port}` })
    await other.stop(true)
    expect(text.match(/It sends on to another address/g)).toHaveLength(2)
  })

  test('[DOCTOR-SELF] is not made up from a request where none is set', async () => {
    const { text } = await checked({})
    expect(text).toContain('No public address is set')
    expect(text).not.toContain('Check now')
  })
})

describe('a wrong public address', () => {
  test('[DOCTOR-WHY] shows as the name that apps ask for, without a word of theirs beyond it', async () => {
    for (const headers of [{ host: 'tools.example.org' }, { 'x-forwarded-host': 'other.example.org' }]) {
      expect((await fetch(`${running.url}/mcp/work?query-canary`, { method: 'POST', headers })).status).toBe(421)
      const text = await newest(admin)
      expect(text).toContain('Found us Refused')
      expect(text).toContain(`asked for ${Object.values(headers)[0]}, and Toolpass answers as`)
      expect(text).not.toContain('query-canary')
    }
  })
})
