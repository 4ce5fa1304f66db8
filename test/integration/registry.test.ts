/** Clients, grants and access tokens as people look after them: by pages, forms and commands, against a running Toolpass. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Page, valuesOf } from '../../bench/person.ts'
import { blockOf } from '@/lib/addresses.ts'
import { DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import { newToolId } from '@/lib/ids.ts'
import { CALLBACK, callMcp, connectApp, makeProfile, type Person, readMcp, register, signedIn } from '../support/journey.ts'
import { openHouse } from '../support/oauth.ts'
import { eventually } from '../support/outside.ts'
import { createBrowser, type Browser, type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const MIA = { username: 'mia', password: 'a horse of another colour' }
const ROOT = resolve(import.meta.dir, '../..')

let running: Running
let ada: Person
let mia: Person
/** Sees status codes, where a person only sees pages. */
let admin: Browser
let member: Browser
const upstream = startModernUpstream()

beforeAll(async () => {
  running = await startToolpass()
  admin = await setUp(running)
  ada = await signedIn(running)
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...MIA, role: 'member' })
  mia = await signedIn(running, MIA)
  member = createBrowser(running.url)
  await member.post('/login', MIA)
  // Only an administrator may connect an address of this machine.
  const settings = { name: 'Modern', 'settings.url': upstream.url, sharing: 'open' }
  await ada.submit(await ada.open('/connections/new?connector=streamable-http'), '/connections', settings)
  await makeProfile(ada, 'Work', 4)
  await makeProfile(mia, 'Work', 4)
  await makeProfile(ada, 'Home', 4)
})
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
})

const toolsOf = async (profile: string, token: string) => {
  const { result } = await readMcp(await callMcp(running, profile, token, 'tools/list'))
  return ((result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
}
const statusOf = async (token: string, profile = 'work') => (await callMcp(running, profile, token, 'tools/list')).status
const pageOf = (clientId: string) => `/admin/clients/${clientId}`
const textOf = async (browser: Browser, path: string) => (await browser.get(path)).text()
/** The data folder as somebody who stole it would read it. */
const stored = () =>
  readdirSync(running.dataDir)
    .filter((name) => name.includes('.db'))
    .map((name) => readFileSync(join(running.dataDir, name), 'latin1'))
    .join('')
const copied = ({ html }: { html: string }): string[] => [...html.matchAll(/data-copy="([^"]*)"/g)].map(([, text = '']) => text)
const asking = (clientId: string) =>
  `/oauth/authorize?${new URLSearchParams({
    ...{
      response_type: 'code',
      client_id: clientId,
      redirect_uri: CALLBACK,
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    },
    ...{ resource: `${running.url}/mcp/work`, scope: 'mcp', state: 's' },
  })}`
const redeem = (form: Record<string, string>) =>
  fetch(`${running.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'authorization_code', code: 'x', redirect_uri: CALLBACK, code_verifier: 'v'.repeat(43), ...form },
    }),
  })
const told = async (answer: Promise<Response>) => {
  const response = await answer
  return [response.status, ((await response.json()) as { error?: string }).error]
}

describe('the registry', () => {
  test('[REGISTRY-ADMINS] to a member each of its routes is a 403, and nothing happens', async () => {
    const id = await register(running, { client_name: 'Only looked at' })
    for (const path of ['/admin/clients', '/admin/clients/new', pageOf(id)])
      expect([path, (await member.get(path)).status]).toEqual([path, 403])
    const deeds = ['', '/documents', '/policy', `/${id}/approve`, `/${id}/block`, `/${id}/unblock`, `/${id}/remove`]
    for (const deed of deeds) {
      const answer = await member.post(`/admin/clients${deed}`, {
        name: 'x',
        redirect_uris: CALLBACK,
        url: 'https://a.example/b',
        admits: 'listed',
      })
      expect([deed, answer.status]).toEqual([deed, 403])
    }
    const html = await textOf(admin, pageOf(id))
    expect(html).toContain('Only looked at')
    expect(html).not.toContain('Blocked')
  })

  test('[REGISTRY-FIND] clients are found by name, kind and state, fifty on a page', async () => {
    for (let at = 0; at < 52; at += 1) await register(running, { client_name: `Crowd ${at}` })
    const rows = (html: string) => [...html.matchAll(/<tr id="client-/g)].length
    const first = await textOf(admin, '/admin/clients?q=crowd')
    expect(rows(first)).toBe(50)
    expect(first).toContain('52 apps')
    expect(first).toContain('href="/admin/clients?q=crowd&amp;page=2"')
    expect(rows(await textOf(admin, '/admin/clients?q=crowd&page=2'))).toBe(2)
    expect(rows(await textOf(admin, '/admin/clients?q=CROWD%2017&kind=dynamic&state=admitted'))).toBe(1)
    expect(rows(await textOf(admin, '/admin/clients?q=crowd&kind=registered'))).toBe(0)
    expect(rows(await textOf(admin, '/admin/clients?q=crowd&state=blocked'))).toBe(0)
    // What makes no sense filters nothing.
    expect(rows(await textOf(admin, '/admin/clients?q=crowd&kind=nonsense&page=-1'))).toBe(50)
  })

  test('[REGISTRY-PREREGISTER] a confidential client gets a secret, shown once, stored as its hash, and asked for', async () => {
    const form = await ada.open('/admin/clients/new')
    const made = await ada.submit(form, '/admin/clients', {
      name: 'Dashboard',
      redirect_uris: `${CALLBACK}\nhttps://d.example/cb`,
      confidential: 'on',
    })
    const [identifier = '', secret = ''] = copied(made)
    expect(made.url).toBe(`${running.url}/admin/clients`)
    expect(secret.length).toBeGreaterThan(40)
    expect(stored()).not.toContain(secret)
    expect((await ada.open(`/admin/clients?q=Dashboard`)).html).not.toContain(secret)
    expect(await told(redeem({ client_id: identifier, client_secret: 'wrong' }))).toEqual([401, 'invalid_client'])
    expect(await told(redeem({ client_id: identifier }))).toEqual([401, 'invalid_client'])
    const basic = `Basic ${btoa(`${identifier}:${secret}`)}`
    const right = fetch(`${running.url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: basic },
      body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x', redirect_uri: CALLBACK, code_verifier: 'v'.repeat(43) }),
    })
    expect(await told(right)).toEqual([400, 'invalid_grant'])
    const bad = await admin.post('/admin/clients', { name: '', redirect_uris: 'http://d.example/cb' })
    expect(bad.status).toBe(422)
    expect(await bad.text()).toContain('http://d.example/cb')
  })

  test('[REGISTRY-PREREGISTER] a document that cannot be listed is a sentence at its field', async () => {
    for (const url of ['http://app.example/client.json', 'https://127.0.0.1/client.json', 'https://app.example/', 'nonsense', '']) {
      const answer = await admin.post('/admin/clients/documents', { url })
      const html = await answer.text()
      expect([url, answer.status, html.includes('document-url-error')]).toEqual([url, 422, true])
    }
  })

  test('[REGISTRY-POLICY] by approval: a new client gets no consent before, and consent after; one in use goes on', async () => {
    const used = await connectApp(running, mia, { profile: 'work' })
    await admin.post('/admin/clients/policy', { admits: 'approved' })
    try {
      expect(await statusOf(used.access_token)).toBe(200)
      const id = await register(running, { client_name: 'Newcomer' })
      const waits = await mia.open(asking(id))
      expect(valuesOf(waits.html, 'tool_id')).toEqual([])
      expect(waits.location).toBeUndefined()
      expect((await ada.open('/admin/clients')).html).toContain('for approval')
      expect((await ada.open('/admin/clients?state=waits')).html).toContain('Newcomer')
      await ada.submit(await ada.open(pageOf(id)), `${pageOf(id)}/approve`, {})
      expect(valuesOf((await mia.open(asking(id))).html, 'tool_id').length).toBe(4)
    } finally {
      await admin.post('/admin/clients/policy', { admits: 'everyone' })
    }
  })

  test('[REGISTRY-POLICY] by list: what registers itself is turned away, what an administrator registers is let ask', async () => {
    await admin.post('/admin/clients/policy', { admits: 'listed' })
    try {
      const answer = await fetch(`${running.url}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ client_name: 'Stranger', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }),
      })
      const { client_id } = (await answer.json()) as { client_id?: string }
      if (client_id) expect(valuesOf((await mia.open(asking(client_id))).html, 'tool_id')).toEqual([])
      const made = await admin.post('/admin/clients', { name: 'Listed', redirect_uris: CALLBACK })
      const id = made.headers.get('location')?.split('/').at(-1) ?? ''
      expect(valuesOf((await mia.open(asking(id))).html, 'tool_id').length).toBe(4)
    } finally {
      await admin.post('/admin/clients/policy', { admits: 'everyone' })
    }
  })

  test('[REGISTRY-BLOCK] blocking holds on the next request and ends streams; unblocking gives back what was allowed', async () => {
    const app = await connectApp(running, mia, { profile: 'work' })
    const listening = await callMcp(running, 'work', app.access_token, 'subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    expect(listening.status).toBe(200)
    let ended = false
    const text = listening.text().finally(() => (ended = true))
    const page = await ada.open(pageOf(app.clientId))
    expect(page.html).toContain('1 connected app of 1 user')
    await ada.submit(page, `${pageOf(app.clientId)}/block`, {})
    expect(await statusOf(app.access_token)).toBe(401)
    expect(await eventually(() => ended, 1_000)).toBe(true)
    await text
    expect((await mia.open(asking(app.clientId))).status).toBe(400)
    await ada.submit(await ada.open(pageOf(app.clientId)), `${pageOf(app.clientId)}/unblock`, {})
    expect(await statusOf(app.access_token)).toBe(200)
  })

  test('[REGISTRY-BLOCK] from the list htmx gets the changed row', async () => {
    const id = await register(running, { client_name: 'In a row' })
    const answer = await admin.post(`${pageOf(id)}/block`, { from: 'list' }, { 'hx-request': 'true' })
    expect(await answer.text()).toMatch(/^<tr id="client-.*Blocked.*Unblock/s)
  })

  test('[REGISTRY-REMOVE] deleting ends the connected apps it names, and the client is unknown', async () => {
    const app = await connectApp(running, mia, { profile: 'work' })
    const page = await ada.open(pageOf(app.clientId))
    expect(page.html).toContain('Ends 1 connected app of 1 user')
    const list = await ada.submit(page, `${pageOf(app.clientId)}/remove`, {})
    expect(list.html).toContain('is deleted.')
    expect(await statusOf(app.access_token)).toBe(401)
    expect(await told(redeem({ client_id: app.clientId }))).toEqual([401, 'invalid_client'])
    expect((await admin.get(pageOf(app.clientId))).status).toBe(404)
  })

  test('[REGISTRY-OWN] a member sees the clients they let in and nothing of anybody else', async () => {
    const hers = await connectApp(running, mia, { profile: 'work' })
    await connectApp(running, ada, { profile: 'work' })
    const grantsIn = (html: string) => new Set([...html.matchAll(/\/apps\/(grt_\w+)/g)].map(([, id]) => id))
    const own = grantsIn((await mia.open('/apps/clients')).html)
    const all = grantsIn((await ada.open('/apps/clients')).html)
    expect(hers.clientId).toMatch(/^cli_/)
    expect(own.size).toBeGreaterThan(0)
    for (const id of own) expect(all.has(id)).toBe(false)
    for (const id of all) if (id) expect((await member.get(`/apps/${id}`)).status).toBe(404)
  })
})

type Asked = { name: string; profile?: string; tools?: (ids: string[]) => string[]; expires?: string }

/** With one profile it comes at once, with several after a choice. */
async function tokenForm(person: Person, profile: string): Promise<Page> {
  const first = await person.open('/apps/tokens/new')
  const choice = new RegExp(`href="(/apps/tokens/new\\?profile=prf_\\w+)">${profile}<`).exec(first.html)?.[1]
  return choice ? person.open(choice) : first
}
async function makeToken(person: Person, { name, profile = 'Work', tools = (ids) => ids, expires = 'month' }: Asked) {
  const form = await tokenForm(person, profile)
  const made = await person.submit(form, '/apps/tokens', { name, tool_id: tools(valuesOf(form.html, 'tool_id')), expires })
  const [token = '', curl = '', configuration = ''] = copied(made).map((text) => text.replaceAll('&quot;', '"').replaceAll('&#39;', "'"))
  return { token, curl, configuration, made }
}
const revokeOf = (page: Page, name: string) => new RegExp(`<tr id="token-(grt_\\w+)"(?:(?!</tr>).)*${name}`, 's').exec(page.html)?.[1] ?? ''

describe('access tokens', () => {
  test('[SCRIPT-TOKEN] it is good at its profile and for its tools, and nowhere else', async () => {
    const all = await toolsOf('work', (await makeToken(ada, { name: 'Everything' })).token)
    const { token } = await makeToken(ada, { name: 'Two of four', tools: (ids) => ids.slice(0, 2) })
    const listed = await toolsOf('work', token)
    expect([all.length, listed.length]).toEqual([4, 2])
    const echo = listed.find((name) => name.endsWith('echo')) ?? listed[0] ?? ''
    const called = await readMcp(await callMcp(running, 'work', token, 'tools/call', { name: echo, arguments: { message: 'hi' } }))
    expect(called.result).toMatchObject({ content: [{ type: 'text' }] })
    const hidden = all.find((name) => !listed.includes(name)) ?? ''
    const refused = await readMcp(await callMcp(running, 'work', token, 'tools/call', { name: hidden, arguments: {} }))
    expect(refused.error?.code).toBe(-32602)
    expect(await statusOf(token, 'home')).toBe(401)
    expect((await fetch(`${running.url}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: '{}' })).status).toBe(
      401,
    )
    await Bun.sleep(100)
    expect((await ada.open('/activity')).html).toContain('Two of four')
  })

  test('[SCRIPT-TOKEN] the lines on the page work as they are', async () => {
    const { token, curl, configuration } = await makeToken(ada, { name: 'Pasted' })
    const { mcpServers } = JSON.parse(configuration) as { mcpServers: Record<string, { url: string; headers: Record<string, string> }> }
    expect(mcpServers['work']).toMatchObject({ url: `${running.url}/mcp/work`, headers: { Authorization: `Bearer ${token}` } })
    const shell = Bun.spawnSync(['sh', '-c', curl])
    expect(shell.stdout.toString()).toContain('echo')
  })

  test('[SCRIPT-TOKEN-ONCE] it is shown once, listed without it, under connected apps not at all, and stored as its hash', async () => {
    const { token, made } = await makeToken(ada, { name: 'Shown once' })
    expect(token).toMatch(/^tpa_[\w-]{43}$/)
    expect(made.url).toBe(`${running.url}/apps/tokens`)
    const list = await ada.open('/apps/tokens')
    expect(list.html).toContain('Shown once')
    const about = await ada.open(`/apps/${revokeOf(list, 'Shown once')}`)
    for (const page of [list, about, await ada.open('/apps'), await ada.open('/activity')]) expect(page.html).not.toContain(token)
    expect((await ada.open('/apps')).html).not.toContain('Shown once')
    expect(stored()).toContain('Shown once')
    expect(stored()).not.toContain(token)
    expect(running.output()).not.toContain(token)
  })

  test('[SCRIPT-TOKEN-ENDS] revoking it holds on the next request, and it stays in the list', async () => {
    const { token } = await makeToken(ada, { name: 'Soon gone' })
    expect(await statusOf(token)).toBe(200)
    const list = await ada.open('/apps/tokens')
    const id = revokeOf(list, 'Soon gone')
    // Somebody else's looks like none.
    expect((await member.post(`/apps/tokens/${id}/revoke`, {})).status).toBe(404)
    expect(await statusOf(token)).toBe(200)
    await ada.submit(list, `/apps/tokens/${id}/revoke`, {})
    expect(await statusOf(token)).toBe(401)
    expect((await ada.open('/apps/tokens')).html).toContain('Revoked')
  })

  test('[SCRIPT-TOKEN-FORM] no name, no tool, a tool or a profile of somebody else: refused, and the form keeps what was chosen', async () => {
    const form = await tokenForm(mia, 'Work')
    const [profile = ''] = valuesOf(form.html, 'profile')
    const [foreign = ''] = valuesOf((await tokenForm(ada, 'Work')).html, 'profile')
    const tools = valuesOf(form.html, 'tool_id')
    expect([profile.length, foreign.length, tools.length]).toEqual([20, 20, 4])
    const post = (change: Record<string, string | string[]>) =>
      member.post('/apps/tokens', { profile, name: 'x', tool_id: tools, expires: 'day', ...change })
    const nameless = await post({ name: ' \u200b ', tool_id: tools.slice(0, 1) })
    expect(nameless.status).toBe(422)
    const kept = await nameless.text()
    // One tool and one expiry.
    expect(kept.match(/ checked/g)).toHaveLength(2)
    expect(kept).toContain('Give it a name')
    expect((await post({ tool_id: [] })).status).toBe(422)
    expect((await post({ tool_id: [...tools, newToolId()] })).status).toBe(422)
    expect((await post({ profile: foreign })).status).toBe(404)
    expect((await post({ expires: 'century' })).status).toBeGreaterThanOrEqual(400)
    expect((await mia.open('/apps/tokens')).html).toContain('No token yet')
  })
})

test('[SCRIPT-TOKEN-ENDS] a token ends with its time; one without an end goes on', async () => {
  const house = await openHouse()
  try {
    const { user } = await house.signIn('ada')
    const [profile] = await house.profiles.list(user.id)
    const toolIds = house.profiles.tools.map(({ toolId }) => toolId)
    const asked = { name: 'x', profileId: profile!.id, toolIds, address: '203.0.113.5', origin: 'http://127.0.0.1:4321', base: '' }
    const day = await house.oauth.issueScriptToken(user, { ...asked, expires: 'day' })
    const never = await house.oauth.issueScriptToken(user, { ...asked, expires: 'never' })
    const isGood = async ({ token }: { token: string }) => (await house.oauth.verify(token)) !== undefined
    house.time.now += DAY_MS - MINUTE_MS
    await house.oauth.sweep()
    await house.grants.sweep()
    expect([await isGood(day), await isGood(never)]).toEqual([true, true])
    house.time.now += 2 * MINUTE_MS
    expect([await isGood(day), await isGood(never)]).toEqual([false, true])
    house.time.now += 50 * 365 * DAY_MS
    for (const sweep of [house.oauth.sweep, house.grants.sweep, house.clients.sweep]) await sweep()
    expect([await isGood(day), await isGood(never)]).toEqual([false, true])
  } finally {
    await house.close()
  }
})

test('[GRANT-NETWORKS] networks are kept coarsely, the latest first, five of them', async () => {
  const cases = [
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['::1', '::/64'],
    ['fe80::1%eth0', undefined],
    ['nonsense', undefined],
  ] as const
  for (const [address, block] of cases) expect([address, blockOf(address)]).toEqual([address, block])
  const house = await openHouse()
  try {
    const { user } = await house.signIn('ada')
    const [profile] = await house.profiles.list(user.id)
    const toolIds = house.profiles.tools.map(({ toolId }) => toolId)
    const asked = { name: 'x', profileId: profile!.id, toolIds, address: '203.0.113.5', origin: 'http://127.0.0.1:4321', base: '' }
    const { grantId } = await house.oauth.issueScriptToken(user, { ...asked, expires: 'never' })
    for (const third of [1, 2, 3, 4, 5, 6, 2]) {
      await house.grants.touch(grantId, `10.0.${third}.9`)
      house.time.now += MINUTE_MS
    }
    const seen = await house.grants.demand(user.id, grantId)
    expect(seen.networks).toEqual(['10.0.2.0/24', '10.0.6.0/24', '10.0.5.0/24', '10.0.4.0/24', '10.0.3.0/24'])
    expect(seen.lastUsedAt! - seen.firstUsedAt!).toBe(6 * MINUTE_MS)
    const [usage] = (await house.grants.usageByClient()).values()
    expect(usage).toEqual({ users: 1, live: 1, lastUsedAt: seen.lastUsedAt })
    await house.grants.revoke({ id: user.id, username: user.username }, grantId)
    expect([...(await house.grants.usageByClient([seen.clientId])).values()]).toEqual([{ users: 0, live: 0, lastUsedAt: seen.lastUsedAt }])
  } finally {
    await house.close()
  }
})

test('[REGISTRY-COMMANDS] the command line works in a running house and in a stopped one', async () => {
  const house = await startToolpass()
  const command = (...words: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, join(ROOT, 'src/main.ts'), 'client', ...words], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', HOME: house.dataDir, TOOLPASS_DATA_DIR: house.dataDir },
      timeout: 20_000,
    })
    return { exitCode, out: stdout.toString(), err: stderr.toString() }
  }
  try {
    const added = command('add', '--name', 'Dash', '--redirect', CALLBACK, '--redirect', 'https://d.example/cb', '--confidential')
    const [, id = ''] = /^Client ID: (\S+)$/m.exec(added.out) ?? []
    expect(added.out).toMatch(/secret, shown this once: tps_\S{40,}/)
    expect(command('list').out).toMatch(new RegExp(`^${id} .*registered.*Dash`, 'm'))
    expect(
      await told(fetch(`${house.url}/oauth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'x', client_id: id }) })),
    ).toEqual([401, 'invalid_client'])
    expect(command('block', id).out).toBe('Done.\n')
    expect(command('list').out).toMatch(new RegExp(`^${id} .*blocked`, 'm'))
    await house.stop()
    expect(command('unblock', id).exitCode).toBe(0)
    expect(command('add', '--name', 'Tool', '--redirect', 'http://localhost/callback').out).not.toContain('secret')
    expect(command('list').out).toMatch(new RegExp(`^${id} .*admitted`, 'm'))
    expect(command('remove', id).out).toContain('ended: 0')
    expect(command('list').out).not.toContain(id)
    expect(command('block', id)).toMatchObject({ exitCode: 1, err: expect.stringContaining('no client') })
    expect(command('add', '--name', 'Bad', '--redirect', 'http://d.example/cb').exitCode).toBe(1)
    expect(command('add', '--name', 'Bad').exitCode).toBe(2)
    expect(command('frobnicate', id).exitCode).toBe(2)
  } finally {
    await house.stop()
    house.remove()
  }
}, 60_000)
