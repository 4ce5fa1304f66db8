/** The catalogue by pages and forms alone, without JavaScript, against a running Toolpass; a registry stands in for the real one. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { valuesOf } from '../../bench/person.ts'
import { addHttpConnection, connectApp, makeProfile, type Person, signedIn } from '../support/journey.ts'
import { type Browser, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'
import { startRegistry } from '../support/registry.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const MIA = { username: 'mia', password: 'a horse of another colour' }

let running: Running
let ada: Person
let mia: Person
let admin: Browser
let member: Browser
const upstream = startModernUpstream()
const registry = startRegistry()

beforeAll(async () => {
  running = await startToolpass()
  admin = await setUp(running)
  ada = await signedIn(running)
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...MIA, role: 'member' })
  mia = await signedIn(running, MIA)
  member = createBrowser(running.url)
  await member.post('/login', MIA)
})
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  await registry.stop()
  running.remove()
})

const textOf = async (browser: Browser, path: string) => (await browser.get(path)).text()
const titlesIn = (html: string) => [...html.matchAll(/class="tile-link"[^>]*><bdi>([^<]*)</g)].map(([, title = '']) => title)
const entry = (name: string, more: object = {}) => ({
  ...{ name, title: name.split('/')[1], description: `About ${name}.`, version: '1.0.0' },
  remotes: [{ type: 'streamable-http', url: upstream.url }],
  ...more,
})
const wayIn = (way: string, more: object = {}) => ({ _meta: { 'io.toolpass/catalogue': { wayIn: way, ...more } } })
const write = (value: object, replaces?: string) =>
  admin.post('/admin/catalogue/entry', { entry: JSON.stringify(value), ...(replaces ? { replaces } : {}) })

const item = (name: string, updatedAt: string, more: object = {}, status = 'active') => ({
  server: entry(name, more),
  _meta: { 'io.modelcontextprotocol.registry/official': { status, isLatest: true, updatedAt } },
})

describe('finding', () => {
  test('[CATALOGUE-FIND] by words and by how one gets in, over pages', async () => {
    const all = await textOf(member, '/catalogue')
    expect(titlesIn(all)).toHaveLength(60)
    expect(all).toContain('href="/catalogue?page=2"')
    expect(titlesIn(await textOf(member, '/catalogue?page=2')).length).toBeGreaterThan(20)
    expect(titlesIn(await textOf(member, '/catalogue?q=LINEAR'))).toEqual(['Linear'])
    expect(titlesIn(await textOf(member, '/catalogue?q=documentation&way=open'))).toContain('Astro documentation')
    expect(titlesIn(await textOf(member, '/catalogue?way=local'))).not.toContain('Linear')
    const none = await textOf(member, '/catalogue?q=zzzzzz')
    expect(none).toContain('Nothing fits')
    // What makes no sense filters nothing.
    expect(titlesIn(await textOf(member, '/catalogue?way=nonsense&page=x'))).toHaveLength(60)
  })

  test('[CATALOGUE-FIND] an entry says how one gets in, since when and from where; an unknown one is a 404', async () => {
    const html = await textOf(member, '/catalogue/com.slack/mcp')
    expect(html).toContain('Make a Slack app first')
    expect(html).toMatch(/Compared<\/dt><dd>20\d\d-\d\d-\d\d/)
    expect(html).toContain('href="https://docs.slack.dev/ai/slack-mcp-server/"')
    expect((await member.get('/catalogue/com.nobody/knows')).status).toBe(404)
    expect((await member.get('/catalogue/..%2f..%2fetc/passwd')).status).toBe(404)
  })
})

describe('entries of administrators', () => {
  test('[CATALOGUE-OWN] are written, hide what came with the program, change, and go', async () => {
    expect((await write(entry('com.example/warehouse', wayIn('open')))).headers.get('location')).toEndWith(
      '/catalogue/com.example/warehouse',
    )
    expect(titlesIn(await textOf(member, '/catalogue?q=warehouse'))).toEqual(['warehouse'])
    expect((await write(entry('com.example/warehouse'))).status).toBe(422)
    expect((await write(entry('com.example/stock', { title: 'Stock' }), 'com.example/warehouse')).status).toBe(303)
    expect((await member.get('/catalogue/com.example/warehouse')).status).toBe(404)
    await write(entry('app.linear/linear', { title: 'Our Linear' }))
    expect(titlesIn(await textOf(member, '/catalogue?q=linear'))).toEqual(['Our Linear'])
    await admin.post('/admin/catalogue/remove', { name: 'app.linear/linear' })
    expect(titlesIn(await textOf(member, '/catalogue?q=linear'))).toEqual(['Linear'])
    expect((await admin.post('/admin/catalogue/remove', { name: 'app.linear/linear' })).status).toBe(404)
    const bad = await admin.post('/admin/catalogue/entry', { entry: '{"name":"x"' })
    expect([bad.status, (await bad.text()).includes('field-entry-error')]).toEqual([422, true])
  })

  test('[CATALOGUE-OWN] to a member each of the routes is a 403', async () => {
    for (const path of ['/admin/catalogue', '/admin/catalogue/edit']) expect([path, (await member.get(path)).status]).toEqual([path, 403])
    for (const deed of ['entry', 'load', 'follow', 'sync', 'unfollow', 'remove'])
      expect([
        deed,
        (await member.post(`/admin/catalogue/${deed}`, { entry: '{}', url: registry.url, name: 'com.slack/mcp', text: '[]' })).status,
      ]).toEqual([deed, 403])
  })

  test('[CATALOGUE-LOAD] come from a list or a saved page; what is no entry is named', async () => {
    const list = JSON.stringify([
      entry('com.example/one'),
      entry('com.example/stock', { title: 'Hidden' }),
      { name: 'com.example/two', description: 'x' },
    ])
    const loaded = await admin.post('/admin/catalogue/load', { text: list })
    const html = await loaded.text()
    expect(loaded.status).toBe(200)
    expect(html).toContain('1 entry loaded')
    expect(html).toContain('Left as written here: com.example/stock')
    expect(html).toContain('It names neither an address nor a package.')
    const page = new FormData()
    page.set(
      'file',
      new File([JSON.stringify({ servers: [item('com.example/three', '2026-01-01T00:00:00Z')], metadata: {} })], '../../page.json'),
    )
    const answer = await admin.get('/admin/catalogue').then(() => upload('/admin/catalogue/load', page))
    expect(await answer.text()).toContain('1 entry loaded')
    expect(await textOf(admin, '/catalogue/com.example/three')).toContain('>page.json<')
    for (const text of ['', 'words', '{"a":1}', '['.repeat(500)])
      expect((await admin.post('/admin/catalogue/load', { text })).status).toBe(422)
    const zip = new FormData()
    zip.set('file', new File([new Uint8Array([0x50, 0x4b, 3, 4, 0, 0])], 'x.json'))
    const refused = await upload('/admin/catalogue/load', zip)
    expect([refused.status, (await refused.text()).includes('This is an archive')]).toEqual([422, true])
  })

  test('[ABUSE-51] markup in an entry is text, and no script: link is shown', async () => {
    const evil = '<script>alert(1)</script>'
    const value = entry('com.evil/x', {
      title: evil,
      description: evil,
      websiteUrl: 'javascript:alert(1)',
      ...wayIn('open', { warnings: [evil] }),
    })
    expect((await write(value)).status).toBe(303)
    for (const path of ['/catalogue?q=evil', '/catalogue/com.evil/x', '/admin/catalogue', '/admin/catalogue/edit?name=com.evil%2Fx']) {
      const html = await textOf(admin, path)
      expect([path, html.includes('&lt;script&gt;alert(1)'), html.includes(evil), /href="javascript:/.test(html)]).toEqual([
        path,
        true,
        false,
        false,
      ])
    }
  })
})

describe('adding', () => {
  test('[CATALOGUE-ONE-CLICK] an open server becomes a connection with one click, and knows its entry', async () => {
    await write(entry('com.example/open', { title: 'Open one', ...wayIn('open') }))
    const list = await ada.open('/catalogue?q=open one')
    const page = await ada.submit(list, '/catalogue/com.example/open', {})
    expect(page.url).toMatch(/\/connections\/con_/)
    expect(page.html).toContain('Open one')
    expect((await ada.open('/catalogue?q=open one')).html).toContain(`href="${new URL(page.url).pathname}"`)
    // Once more, under a name that is free.
    const again = await ada.submit(await ada.open('/catalogue/com.example/open'), '/catalogue/com.example/open', {})
    expect(again.html).toContain('Open one 2')
  })

  test('[CATALOGUE-ONE-CLICK] one that asks for a key asks first, says what is missing, and shows no secret again', async () => {
    const headers = [
      { name: 'X-Key', isRequired: true, isSecret: true },
      { name: 'X-Team', isRequired: true },
    ]
    await write(
      entry('com.example/keyed', { title: 'Keyed', remotes: [{ type: 'streamable-http', url: upstream.url, headers }], ...wayIn('key') }),
    )
    expect(await textOf(admin, '/catalogue?q=keyed')).not.toContain('action="/catalogue/com.example/keyed"')
    const half = await admin.post('/catalogue/com.example/keyed', { way: 'remote-0', 'answer.header.X-Key': 'canary-key-1' })
    const html = await half.text()
    expect([half.status, html.includes('Enter X-Team.'), html.includes('canary-key-1')]).toEqual([422, true, false])
    const done = await admin.post('/catalogue/com.example/keyed', {
      way: 'remote-0',
      'answer.header.X-Key': 'canary-key-1',
      'answer.header.X-Team': 't',
    })
    expect(done.status).toBe(303)
    expect(await textOf(admin, new URL(done.headers.get('location') ?? '', running.url).pathname)).not.toContain('canary-key-1')
    expect((await admin.post('/catalogue/com.example/keyed', { way: 'remote-9' })).status).toBe(404)
  })

  test('[CATALOGUE-PROGRAMS] a program is not for members, whatever they post', async () => {
    const before = (await textOf(member, '/connections')).match(/con_\w+/g)
    expect(await textOf(member, '/catalogue/io.modelcontextprotocol/server-time')).toContain(
      'An administrator can add it, or allow you to.',
    )
    const answer = await member.post('/catalogue/io.modelcontextprotocol/server-time', { way: 'package-0', name: 'Time' })
    expect([403, 422]).toContain(answer.status)
    expect((await textOf(member, '/connections')).match(/con_\w+/g)).toEqual(before)
    expect(await textOf(admin, '/catalogue/io.modelcontextprotocol/server-time')).toContain('Add and try it')
  })
})

describe('a followed registry', () => {
  test('[CATALOGUE-SYNC] is read page by page, and keeps our words about the way in', async () => {
    registry.state.items = [
      item('com.example/alpha', '2026-03-01T00:00:00Z'),
      item('com.example/beta', '2026-04-01T00:00:00Z'),
      item('app.linear/linear', '2026-02-01T00:00:00Z', { title: 'Linear of the registry' }),
      item('com.example/gone', '2026-02-01T00:00:00Z', {}, 'deleted'),
      { server: { name: 'broken' }, _meta: {} },
    ]
    const followed = await ada.submit(await ada.open('/admin/catalogue'), '/admin/catalogue/follow', {
      url: `${registry.url}/v0.1/servers`,
    })
    expect(followed.html).toContain('Entries read: 4.')
    expect(registry.state.asked.map(({ query }) => query['cursor'])).toEqual([undefined, '2', '4'])
    expect(titlesIn(await textOf(member, '/catalogue?q=com.example/alpha'))).toEqual(['alpha'])
    expect((await member.get('/catalogue/com.example/gone')).status).toBe(404)
    const linear = await textOf(member, '/catalogue/app.linear/linear')
    expect(linear).toContain('Linear of the registry')
    expect(linear).toContain('You sign in there once')
    expect((await admin.post('/admin/catalogue/follow', { url: registry.url })).status).toBe(422)
    for (const url of ['ftp://a.example', 'nonsense', 'https://me:pw@a.example'])
      expect((await admin.post('/admin/catalogue/follow', { url })).status).toBe(422)
  })

  test('[CATALOGUE-SYNC] is left alone for an hour, and goes with all that came from it', async () => {
    const asked = registry.state.asked.length
    const soon = await ada.submit(await ada.open('/admin/catalogue'), '/admin/catalogue/sync', { url: registry.url })
    expect(soon.html).toContain('once an hour at most')
    expect(registry.state.asked).toHaveLength(asked)
    await ada.submit(await ada.open('/admin/catalogue'), '/admin/catalogue/unfollow', { url: registry.url })
    expect((await member.get('/catalogue/com.example/alpha')).status).toBe(404)
    expect(titlesIn(await textOf(member, '/catalogue?q=linear'))).toEqual(['Linear'])
  })

  test('[CATALOGUE-SYNC] that answers with nonsense says so on the page, and breaks nothing', async () => {
    registry.state.status = 503
    const failed = await ada.submit(await ada.open('/admin/catalogue'), '/admin/catalogue/follow', { url: registry.url })
    expect(failed.html).toContain('It answered with status 503.')
    expect(failed.html).toContain('Trouble')
    expect(titlesIn(await textOf(member, '/catalogue'))).toHaveLength(60)
    await admin.post('/admin/catalogue/unfollow', { url: registry.url })
  })
})

describe('the registry that we offer', () => {
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(running.url + path, { headers })
    return {
      status: answer.status,
      body: (await answer.json()) as {
        servers?: { server: { name: string; remotes: { url: string }[] } }[]
        metadata?: { nextCursor?: string }
      },
    }
  }

  test('[REGISTRY-OFFERED] lists profiles to their user by session, with the catalogue where that is asked for', async () => {
    await addHttpConnection(ada, 'Modern', upstream.url)
    await makeProfile(ada, 'Work', 4)
    expect((await ask('/v0.1/servers')).status).toBe(401)
    const cookie = { cookie: [...admin.jar].map(([name, value]) => `${name}=${value}`).join('; ') }
    const { body } = await ask('/v0.1/servers', cookie)
    expect(body.servers?.map(({ server }) => [server.name, server.remotes[0]?.url])).toContainEqual([
      'localhost/work',
      `${running.url}/mcp/work`,
    ])
    const one = await fetch(`${running.url}/v0.1/servers/localhost%2Fwork/versions/latest`, { headers: cookie })
    expect(((await one.json()) as { server: { title: string } }).server.title).toBe('Work')
    expect((await fetch(`${running.url}/v0.1/servers/localhost%2Fnone/versions/latest`, { headers: cookie })).status).toBe(404)
    const names: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const page = await ask(`/v0.1/servers?include=catalogue&limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`, cookie)
      names.push(...(page.body.servers ?? []).map(({ server }) => server.name))
      cursor = page.body.metadata?.nextCursor
    }
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('app.linear/linear')
    expect((await ask('/v0.1/servers?include=catalogue&search=linear', cookie)).body.servers?.map(({ server }) => server.name)).toEqual([
      'app.linear/linear',
    ])
  })

  test('[REGISTRY-OFFERED] opens to an access token for scripts, and to no token of an app', async () => {
    const { access_token: ofApp } = await connectApp(running, ada, { profile: 'work' })
    expect((await ask('/v0.1/servers', { authorization: `Bearer ${ofApp}` })).status).toBe(401)
    expect((await ask('/v0.1/servers', { authorization: 'Bearer tpa_nonsense' })).status).toBe(401)
    const start = await ada.open('/apps/tokens/new')
    const choice = /href="(\/apps\/tokens\/new\?profile=prf_\w+)">Work</.exec(start.html)?.[1] ?? ''
    const form = await ada.open(choice)
    const made = await ada.submit(form, '/apps/tokens', {
      name: 'Registry reader',
      tool_id: valuesOf(form.html, 'tool_id'),
      expires: 'day',
    })
    const token = /tpa_[\w-]{43}/.exec(made.html)?.[0] ?? ''
    const { status, body } = await ask('/v0.1/servers', { authorization: `Bearer ${token}` })
    expect(status).toBe(200)
    expect(body.servers?.map(({ server }) => server.name)).toContain('localhost/work')
    // What is somebody else's is not there.
    await mia.submit(await mia.open('/profiles'), '/profiles', { title: 'Secret of Mia' })
    expect(JSON.stringify((await ask('/v0.1/servers', { authorization: `Bearer ${token}` })).body)).not.toContain('secret')
  })
})

async function upload(path: string, form: FormData): Promise<Response> {
  const cookie = [...admin.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  return fetch(running.url + path, {
    method: 'POST',
    body: form,
    redirect: 'manual',
    headers: { cookie, origin: running.url, 'sec-fetch-site': 'same-origin' },
  })
}
