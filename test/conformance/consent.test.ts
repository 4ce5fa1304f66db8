/** The consent page and the answer to it, as a browser without JavaScript meets them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type ClientId, newClientId, newConnectionId, newToolId } from '@/lib/ids.ts'
import { clients as clientTable, grants as grantTable, grantTools } from '@/store'
import { eq } from 'drizzle-orm'
import { CALLBACK, openHouse, ORIGIN, sentTo, type TestHouse, told, type Tokens } from '../support/oauth.ts'

let house: TestHouse
let cookie: string
let userId: string
let clientId: string
let people = 0

const idOf = (name: string) => house.profiles.tools.find((tool) => tool.exposedName === name)?.toolId ?? ''
const names = () => house.profiles.tools.map((tool) => tool.exposedName)

beforeAll(async () => {
  house = await openHouse()
  house.profiles.tools.push({
    ...{ toolId: newToolId(), connectionId: newConnectionId(), connectionName: 'Notes', exposedName: 'write_note' },
    feature: 'tool',
    ...{ kind: 'write', contextCost: 10, definition: { name: 'write_note', description: 'Writes' } },
  })
})
beforeEach(async () => {
  const person = await house.signIn(`person-${++people}`)
  cookie = person.cookie
  userId = person.user.id
  clientId = (await house.newClient()).client_id
})
afterAll(() => house.close())

/** What a page would send as it comes up. */
function formIn(html: string) {
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  const inputs = [...html.matchAll(/<input\b[^>]*>/g)].map(([tag]) => tag)
  const boxes = (name: string) => inputs.filter((tag) => attribute(tag, 'name') === name)
  const on = (name: string) =>
    boxes(name)
      .filter((tag) => / checked\b/.test(tag))
      .map((tag) => attribute(tag, 'value'))
  const toolName = new Map(house.profiles.tools.map((tool) => [tool.toolId as string, tool.exposedName]))
  return {
    html,
    request: attribute(boxes('request')[0] ?? '', 'value'),
    profileId: attribute(boxes('profile_id')[0] ?? '', 'value'),
    tools: on('tool_id').map((id) => toolName.get(id) ?? id),
    expires: on('expires')[0],
    replaces: on('replaces'),
    replaceable: boxes('replaces').map((tag) => attribute(tag, 'value')),
    deviceName: attribute(boxes('device_name')[0] ?? '', 'value'),
    badges: [...html.matchAll(/<span class="badge tone-(\w+)"[^>]*>([^<]*)</g)].map(([, tone, word]) => [tone, word]),
  }
}
type Sent = Record<string, string | string[]>
const post = (path: string, fields: Sent, as = cookie, headers: Record<string, string> = {}) =>
  house.post(path, new URLSearchParams(Object.entries(fields).flatMap(([name, all]) => [all].flat().map((value) => [name, value]))), {
    cookie: as,
    ...headers,
  })
const decide = (fields: Sent, as = cookie, headers = {}) => post('/oauth/authorize/decide', fields, as, headers)
const ask = async (change: Record<string, string | undefined> = {}, as = cookie) =>
  formIn(await (await house.authorize(house.asking(change['client_id'] ?? clientId, change), as)).text())
const allowing = (form: { request: string }, change: Sent = {}): Sent => ({
  ...{ request: form.request, decision: 'allow', tool_id: idOf('read_file'), expires: 'month', device_name: 'Test' },
  ...change,
})
const codeIn = (answer: Response) => sentTo(answer)['code'] ?? ''
const connect = async (change: Sent = {}, asked: Record<string, string | undefined> = {}): Promise<Tokens> => {
  const answer = await decide(allowing(await ask(asked), change))
  return (await (await house.redeem(asked['client_id'] ?? clientId, codeIn(answer))).json()) as Tokens
}
const grants = () =>
  house.store.read
    .select()
    .from(grantTable)
    .where(eq(grantTable.userId, userId as never))
const isGood = async (token: string) => (await house.oauth.verify(token)) !== undefined

/** A client by its metadata document, as if it had just been fetched. */
async function documentClient(redirectUris: string[], identifier = `https://app.example/oauth/${newClientId()}.json`) {
  const now = house.time.now
  await house.store.transact(async (tx) => {
    await tx.insert(clientTable).values({
      ...{ id: newClientId() as ClientId, identifier, kind: 'document', name: 'Documented', redirectUris },
      ...{ applicationType: 'web', authMethod: 'none', metadata: {}, createdAt: now, createdFrom: '203.0.113.5' },
      ...{ fetchedAt: now, freshUntil: now + 86_400_000 },
    })
  })
  return identifier
}

test('[CONSENT-PLAIN] Deny comes first and looks like Allow, every control has its name, and no script is needed', async () => {
  const { html } = await ask()
  const form = /<form class="consent"[\s\S]*?<\/form>/.exec(html)?.[0] ?? ''
  expect(form).not.toMatch(/hx-|onclick|style=/)
  // Buttons of other forms stand in this one's markup; those are not what Enter presses.
  const own = [...form.matchAll(/<button\b[^>]*>/g)].map(([tag]) => tag).filter((tag) => !/ form=|type="button"/.test(tag))
  expect(own.map((tag) => /value="(\w+)"/.exec(tag)?.[1])).toEqual(['deny', 'allow'])
  expect(new Set(own.map((tag) => /class="([^"]*)"/.exec(tag)?.[1])).size).toBe(1)
  for (const [, id] of form.matchAll(/<input\b(?=[^>]*type="(?:text|checkbox)")[^>]*\bid="([^"]+)"/g)) expect(form).toContain(`for="${id}"`)
  expect(form).toContain('role="status"')
  expect(html).toContain('<main id="main"')
  expect(form.match(/<fieldset/g)?.length).toBe(form.match(/<legend/g)?.length)
})

test('[CONSENT-VERIFIED] one badge says how far the name is verified, and a domain vouches for no program or device', async () => {
  const at = 'https://app.example/callback'
  const web = (await house.newClient({ redirect_uris: [at] })).client_id
  expect((await ask({ client_id: web, redirect_uri: at })).badges).toEqual([['warning', 'unverified name']])
  const verified = await ask({ client_id: await documentClient([at]), redirect_uri: at })
  expect(verified.badges).toEqual([['ok', 'verified domain']])
  expect(verified.html).toContain('app.example publishes this name and where its answers go')
  const local = await ask({ client_id: await documentClient([CALLBACK]) })
  expect(local.badges).toEqual([['neutral', 'verified domain, unverified program']])
  const admin = await house.users.create('command line', { username: `root-${people}`, role: 'admin' })
  const { client } = await house.clients.preregister(admin, { name: 'Ours', redirectUris: [at], confidential: false })
  expect((await ask({ client_id: client.identifier, redirect_uri: at })).badges).toEqual([['ok', 'registered by an administrator']])
})

test('[CONSENT-VERIFIED] a known app is named by its exact address and by nothing that merely resembles it', async () => {
  const known = 'https://claude.ai/api/mcp/auth_callback'
  const by = async (uri: string) => {
    const id = (await house.newClient({ client_name: 'Claude', redirect_uris: [uri] })).client_id
    return ask({ client_id: id, redirect_uri: uri })
  }
  const exact = await by(known)
  expect(exact.badges).toEqual([['neutral', 'known app']])
  expect(exact.html).toMatch(/Looks like [^.]*Claude[^.]*, by the address that it is sent back to/)
  expect(exact.html).toContain('Look at where you will be sent back')
  const documented = await documentClient([known], 'https://claude.ai/oauth/mcp-oauth-client-metadata')
  const byDocument = await ask({ client_id: documented, redirect_uri: known })
  expect(byDocument.badges).toEqual([['ok', 'verified domain']])
  expect(byDocument.html).toMatch(/Looks like [^.]*Claude[^.]*, by the address of its metadata document/)
  for (const near of [`${known}/`, `${known}?x=1`, 'https://claude.ai.evil.example/api/mcp/auth_callback']) {
    const page = await by(near)
    expect(page.badges).toEqual([['warning', 'unverified name']])
    expect(page.html).not.toContain('Looks like')
  }
})

test('[ABUSE-26] a program on this computer that calls itself a known app gets a warning, its host, and no label', async () => {
  const loopback = ['http://127.0.0.1:1/callback', 'http://localhost:8787/callback', 'http://[::1]:7/callback']
  const borrowed = await documentClient(loopback, 'https://claude.ai/oauth/claude-code-client-metadata')
  for (const uri of loopback) {
    const dynamic = (await house.newClient({ client_name: 'Claude Code', redirect_uris: [uri] })).client_id
    for (const id of [dynamic, borrowed])
      for (const _ of ['first', 'after it was let in']) {
        const page = await ask({ client_id: id, redirect_uri: uri })
        expect(page.html).toContain('The answer goes to a program on this computer')
        expect(page.html).toContain(new URL(uri).host)
        expect(page.html).not.toMatch(/Looks like|known app/)
        expect(page.badges).toHaveLength(1)
        expect(page.badges[0]?.[0]).not.toBe('ok')
        const said = await ask({ client_id: id, redirect_uri: uri })
        expect((await house.redeem(id, codeIn(await decide(allowing(said))), { redirect_uri: uri })).status).toBe(200)
      }
  }
})

test('[ABUSE-25] markup, direction marks and ten kilobytes in a name are text, cut and unverified; the logo is not shown', async () => {
  const hostile = [
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['safe\u202Eexe.txt\u200B\u2066', 'safeexe.txt'],
    [`"><img src=x onerror=alert(1)>${'A'.repeat(10_240)}`, '&quot;&gt;&lt;img'],
  ] as const
  for (const [client_name, seen] of hostile) {
    const id = (await house.newClient({ client_name, logo_uri: 'https://evil.example/logo.svg' })).client_id
    const page = await ask({ client_id: id })
    const title = /<h1[\s\S]*?<\/h1>/.exec(page.html)?.[0] ?? ''
    expect(title).toContain(seen)
    expect(title.length).toBeLessThan(600)
    expect(page.html).not.toMatch(/<script>|<img|[\u202a-\u202e\u2066-\u2069\u200b]|evil\.example|A{81}/)
    expect(page.badges).toEqual([['warning', 'unverified name']])
  }
})

test('[ABUSE-28] no variant of the page may be framed', async () => {
  const secret = (await ask()).request
  const variants = [
    await house.authorize(house.asking(clientId), cookie),
    await house.authorize(house.asking(clientId, { redirect_uri: 'https://evil.example/' }), cookie),
    await house.authorize(house.asking(clientId, { resource: `${ORIGIN}/mcp/none` }), cookie),
    await decide({ request: secret, decision: 'read-only' }),
    await decide({ request: 'gone', decision: 'deny' }),
    await house.send('/device', { headers: { cookie } }),
  ]
  for (const { headers } of variants) {
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  }
})

test('[ABUSE-29] a new client is asked about while others and their connections live', async () => {
  const tokens = await connect()
  expect(await isGood(tokens.access_token)).toBe(true)
  const next = (await house.newClient()).client_id
  for (const id of [next, clientId]) {
    const page = await house.authorize(house.asking(id), cookie)
    expect([page.status, page.headers.get('location')]).toEqual([200, null])
  }
})

test('[CONSENT-READ-ONLY] the preset shows the page again with what reads alone, keeps what was entered, and decides nothing', async () => {
  const first = await ask()
  expect(first.tools.sort()).toEqual(['read_file', 'write_note'])
  const again = formIn(
    await (await decide({ request: first.request, decision: 'read-only', device_name: 'Lapt<op', expires: 'day' })).text(),
  )
  expect([again.tools, again.request, again.expires, again.deviceName]).toEqual([['read_file'], first.request, 'day', 'Lapt&lt;op'])
  expect(await grants()).toEqual([])
  const lonely = await decide({ request: first.request, decision: 'read-only' }, (await house.signIn(`lonely-${people}`)).cookie)
  expect(lonely.status).toBe(400)
  expect((await decide(allowing(again))).status).toBe(303)
})

test('[CONSENT-PROFILE] for /mcp the profiles are a list, the choice is kept, and only what was shown can be allowed', async () => {
  await house.profiles.create({ id: userId as never }, { title: 'Home', name: 'home' })
  const stranger = await house.signIn(`stranger-${people}`)
  await house.profiles.create(stranger.user, { title: 'Secret', name: 'secret' })
  const first = await ask({ resource: `${ORIGIN}/mcp` })
  const shown = (html: string) => [...html.matchAll(/name="profile" value="(\w+)"/g)].map(([, name]) => name)
  const current = (html: string) => /name="profile" value="(\w+)" aria-current="true"/.exec(html)?.[1]
  expect(shown(first.html).sort()).toEqual(['home', 'work'])
  const wanted = current(first.html) === 'work' ? 'home' : 'work'
  const other = formIn(await (await decide({ request: first.request, profile: wanted })).text())
  expect(current(other.html)).toBe(wanted)
  expect(other.profileId).not.toBe(first.profileId)
  expect((await decide({ request: first.request, profile: 'secret' })).status).toBe(404)
  for (const profile_id of [first.profileId, 'prf_0000000000000000'])
    expect((await decide(allowing(first, { profile_id }))).status).toBe(422)
  expect(await grants()).toEqual([])
  expect((await decide(allowing(other, { profile_id: other.profileId }))).status).toBe(303)
  expect(await grants()).toMatchObject([{ profileId: other.profileId, reach: 'any' }])
  const fixed = await ask()
  expect((await decide({ request: fixed.request, profile: 'home' })).status).toBe(404)
})

describe('prompts and resources', () => {
  const beside = (feature: 'prompt' | 'resource', exposedName: string, definition: Record<string, unknown>) => ({
    ...{ toolId: newToolId(), connectionId: newConnectionId(), connectionName: 'Notes', exposedName, feature, definition },
    ...{ kind: 'read' as const, contextCost: 0 },
  })
  const prompt = beside('prompt', 'summarize', { name: 'summarize', title: '<b>Sum</b>\u202e', description: 'Writes a summary.' })
  const every = beside('resource', 'notes:*', { uri: '*', name: 'Every resource' })
  const page = beside('resource', `notes://${'deep/'.repeat(40)}end`, { uri: 'notes://deep', name: 'A page' })
  beforeAll(() => void house.profiles.tools.push(page, prompt, every))
  afterAll(() => void house.profiles.tools.splice(-3))

  test('[CONSENT-FEATURES] they are a group of their own after the tools, with switches as tools have, and no cost', async () => {
    const { html, tools } = await ask()
    expect([...html.matchAll(/<fieldset class="consent-group consent-(\w+)"/g)].map(([, kind]) => kind)).toEqual([
      ...['read', 'write', 'destructive', 'beside'],
    ])
    const group = /<fieldset class="consent-group consent-beside"[\s\S]*?<\/fieldset>/.exec(html)?.[0] ?? ''
    expect(group).toContain('cost nothing until they are used')
    expect(group).not.toContain('consent-cost')
    expect(group.replaceAll(/<[^>]+>/g, '')).toContain('Every resource of Notes, also ones it adds later')
    expect(group).toContain('&lt;b&gt;Sum&lt;/b&gt;')
    expect(group).toMatch(/title="notes:\/\/(deep\/){40}end"/)
    expect(html).not.toMatch(/[\u202a-\u202e]|<b>/)
    expect(html).toContain('3 tools, 1 prompt and resources it asks for')
    expect(tools.toSorted()).toEqual(['notes:*', page.exposedName, 'read_file', 'summarize', 'write_note'])
  })

  test('[CONSENT-FEATURES] one of them alone can be allowed, none at all cannot, and the difference counts them later', async () => {
    const none = await decide(allowing(await ask(), { tool_id: [] }))
    expect([none.status, await none.text()]).toEqual([422, expect.stringContaining('Switch at least one of them on, or deny.')])
    await connect({ tool_id: prompt.toolId })
    const [grant] = await grants()
    const allowed = await house.store.read
      .select()
      .from(grantTools)
      .where(eq(grantTools.grantId, grant?.id as never))
    expect(allowed.filter(({ permission }) => permission !== 'refuse').map(({ toolId }) => toolId)).toEqual([prompt.toolId])
    const first = await ask()
    expect(first.tools).toEqual(['summarize'])
    expect(first.html).toMatch(/Off, as before or new since: [\s\S]*every resource of Notes/)
    const reading = await (await decide({ request: first.request, decision: 'read-only' })).text()
    expect(reading).toMatch(/On now, not before: [\s\S]{0,120}every resource of Notes/)
    expect(reading).not.toMatch(/No longer on/)
    house.profiles.tools.splice(house.profiles.tools.indexOf(prompt), 1)
    try {
      expect((await ask()).html).toContain('Of what it had, 1 is not in this profile.')
    } finally {
      house.profiles.tools.push(prompt)
    }
  })
})

test('[CONSENT-AGAIN] what was left off stays off, and the difference is said', async () => {
  await connect({ tool_id: [idOf('read_file'), idOf('delete_file')], expires: 'never', device_name: 'Laptop' })
  const again = await ask()
  expect([again.tools.sort(), again.expires, again.deviceName]).toEqual([['delete_file', 'read_file'], 'never', 'Laptop'])
  expect(again.html).toContain('You let this app in')
  expect(again.html).toMatch(/Off, as before or new since: [\s\S]{0,80}write_note/)
  const reading = await (await decide({ request: again.request, decision: 'read-only', expires: 'day' })).text()
  expect(reading).toMatch(/No longer on: [\s\S]{0,80}delete_file/)
  expect(reading).toContain('Ends after 1 day; before, when revoked.')
  await house.profiles.create({ id: userId as never }, { title: 'Home', name: 'home' })
  const elsewhere = await ask({ resource: `${ORIGIN}/mcp/home` })
  expect(elsewhere.html).toContain('Another profile; it was Work.')
  expect((await ask({}, (await house.signIn(`fresh-${people}`)).cookie)).html).not.toContain('You let this app in')
})

test('[CONSENT-AGAIN] a tool about which each call is asked stays so', async () => {
  await connect()
  const [earlier] = await grants()
  const user = { id: userId as never, username: 'x' }
  await house.grants.permit(user, earlier?.id as never, idOf('read_file') as never, 'ask')
  await connect({ tool_id: [idOf('read_file'), idOf('write_note')] })
  const latest = (await house.grants.listForUser(userId as never)).find(({ id }) => id !== earlier?.id)
  // What was left off is refused, and told from what joins the profile later.
  expect([...(latest?.tools.values() ?? [])].sort()).toEqual(['allow', 'ask', 'refuse'])
})

test('[CONSENT-REPLACES] the earlier connection of a registration ends with the new one, unless its user says otherwise', async () => {
  const first = await connect()
  const [grant] = await grants()
  const again = await ask()
  expect([again.replaceable, again.replaces]).toEqual([[grant?.id ?? ''], [grant?.id ?? '']])
  const other = await house.signIn(`other-${people}`)
  expect((await decide(allowing(await ask({}, other.cookie), { replaces: grant?.id ?? '' }), other.cookie)).status).toBe(422)
  expect(await isGood(first.access_token)).toBe(true)
  const second = await connect()
  expect([await isGood(first.access_token), await isGood(second.access_token)]).toEqual([true, true])
  const both = await ask()
  const third = codeIn(await decide(allowing(both, { replaces: both.replaceable })))
  expect([await isGood(first.access_token), await isGood(second.access_token)]).toEqual([false, false])
  expect((await house.redeem(clientId, third)).status).toBe(200)
  const ended = (await grants()).filter(({ revokedAt }) => revokedAt !== null)
  expect(ended.map(({ revokedWhy }) => revokedWhy)).toEqual(['replaced', 'replaced'])
})

test('[CONSENT-REPLACES] a document stands for every install: nothing is replaced unasked; denying replaces nothing', async () => {
  const id = await documentClient([CALLBACK])
  const first = await connect({}, { client_id: id })
  const again = await ask({ client_id: id })
  expect([again.replaceable.length, again.replaces]).toEqual([1, []])
  await decide({ request: again.request, decision: 'deny', replaces: again.replaceable })
  expect(await isGood(first.access_token)).toBe(true)
})

test('[CONSENT-UNREADY] a connection of the profile that fails is named, another one is not', async () => {
  const used = house.profiles.tools[0]?.connectionId as never
  const problem = 'The connected server refused the credential. Sign in to it again.'
  const failing = { id: used, name: 'Files <b>', status: 'failing', problem }
  house.connections.failing = [failing, { ...failing, id: newConnectionId(), name: 'Unrelated' }]
  const { html } = await ask()
  house.connections.failing = []
  expect(html).toContain(`href="/connections/${used}"`)
  expect(html).toContain('Connect Files &lt;b&gt;')
  expect(html).toContain(problem)
  expect(html).not.toContain('Unrelated')
  expect((await ask()).html).not.toContain('has to be connected first')
})

test('[CONSENT-POLICY] a client that waits is let in by nobody; an administrator approves it from the page and goes on', async () => {
  const root = await house.users.create('command line', { username: `boss-${people}`, role: 'admin' })
  await house.profiles.create(root, { title: 'Work', name: 'work' })
  const asRoot = `toolpass_session=${await house.users.sessions.open(root.id, { address: '127.0.0.1', userAgent: '' })}`
  try {
    for (const [policy, says] of [
      ['approved', 'An administrator has to approve this app first'],
      ['listed', 'Only apps on a list are let in here'],
    ] as const) {
      await house.clients.setPolicy(root, 'everyone', [])
      const id = (await house.newClient()).client_id
      await house.clients.setPolicy(root, policy, [])
      const member = await ask({ client_id: id })
      expect(member.html).toContain(says)
      expect(member.html).not.toMatch(/value="allow"|authorize\/approve/)
      const forced = await decide(allowing(member))
      expect([forced.status, await grants().then((all) => all.length)]).toEqual([200, policy === 'approved' ? 0 : 1])
      expect((await post('/oauth/authorize/approve', { request: member.request })).status).toBe(403)
      expect(sentTo(await decide({ request: (await ask({ client_id: id })).request, decision: 'deny' }))).toMatchObject({
        error: 'access_denied',
      })
      const admin = await ask({ client_id: id }, asRoot)
      const foreign = { 'sec-fetch-site': 'cross-site' }
      expect((await post('/oauth/authorize/approve', { request: admin.request }, asRoot, foreign)).status).toBe(403)
      const approved = await post('/oauth/authorize/approve', { request: admin.request }, asRoot)
      expect(await approved.text()).toContain('value="allow"')
      expect((await decide(allowing(member))).status).toBe(303)
    }
  } finally {
    await house.clients.setPolicy(root, 'everyone', [])
  }
})

test('[ABUSE-27] what was not offered, another session, another origin and a second answer create nothing', async () => {
  const { request } = await ask()
  const other = (await house.signIn(`thief-${people}`)).cookie
  const form = allowing({ request })
  const refused = [
    await decide({ ...form, request: '' }),
    await decide(form, other),
    await decide(form, cookie, { origin: 'https://evil.example' }),
    await decide(form, cookie, { 'sec-fetch-site': 'cross-site' }),
    await decide({ ...form, tool_id: [idOf('read_file'), newToolId()] }),
    await decide({ ...form, tool_id: [] }),
    await decide({ ...form, profile_id: 'prf_0000000000000000' }),
    await decide({ ...form, replaces: 'grt_0000000000000000' }),
    await decide({ ...form, decision: 'perhaps' }),
  ]
  expect(refused.map(({ status }) => status)).toEqual([400, 400, 403, 403, 422, 422, 422, 422, 400])
  expect(await grants()).toEqual([])
  const twice = await Promise.all([decide(form), decide(form)])
  expect(twice.map(({ status }) => status).sort()).toEqual([303, 400])
  expect(await grants()).toHaveLength(1)
})

test('[CONSENT-NARROW] whatever subset of tools is posted, the grant holds that subset of the offered ones or nothing', async () => {
  const some = fc.array(fc.oneof(fc.constantFrom(...names()), fc.string({ maxLength: 30 })), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(some, async (chosen) => {
      const before = new Set((await grants()).map(({ id }) => id))
      const posted = chosen.map((name) => idOf(name) || name)
      await decide(allowing(await ask(), { tool_id: posted }))
      const made = (await grants()).filter(({ id }) => !before.has(id))
      const isGoodChoice = chosen.length > 0 && chosen.every((name) => names().includes(name))
      expect(made).toHaveLength(isGoodChoice ? 1 : 0)
      if (!made[0]) return
      const held = await house.store.read.select().from(grantTools).where(eq(grantTools.grantId, made[0].id))
      const those = (isRefused: boolean) =>
        held.flatMap(({ toolId, permission }) => ((permission === 'refuse') === isRefused ? [toolId as string] : [])).sort()
      expect(those(false)).toEqual([...new Set(posted)].sort())
      const left = names()
        .map(idOf)
        .filter((id) => !posted.includes(id))
      expect(those(true)).toEqual(left.sort())
    }),
    { numRuns: 40 },
  )
})

test('[CONSENT-NARROW] whatever chain of scopes refreshes ask for, none is wider than the one before it', async () => {
  const scopes = fc.constantFrom(undefined, 'mcp', 'offline_access', 'mcp offline_access', 'mcp admin', 'openid', ' ')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('mcp', 'mcp offline_access', undefined),
      fc.array(scopes, { maxLength: 4 }),
      async (granted, chain) => {
        const id = (await house.newClient()).client_id
        let tokens = await connect({}, { client_id: id, scope: granted })
        const most = new Set(tokens.scope.split(' '))
        for (const scope of chain) {
          if (!tokens.refresh_token) return
          const answer = await house.refresh(id, tokens.refresh_token, scope === undefined ? {} : { scope })
          const next = (await answer.json()) as Tokens
          if (answer.status !== 200) continue
          expect(next.scope.split(' ').every((one) => most.has(one))).toBe(true)
          tokens = next
        }
      },
    ),
    { numRuns: 30 },
  )
})

const push = async (change: Record<string, string | undefined> = {}) => {
  const answer = await house.post('/oauth/par', house.asking(clientId, change))
  expect(answer.status).toBe(201)
  return ((await answer.json()) as { request_uri: string }).request_uri
}
const pushedPage = async (request_uri: string, id = clientId) =>
  house.authorize(new URLSearchParams({ client_id: id, request_uri }), cookie)

test('[CONSENT-PUSHED] a pushed request is shown as often as it is loaded, and decided once', async () => {
  const uri = await push({ state: 'pushed' })
  const [first, second] = [formIn(await (await pushedPage(uri)).text()), formIn(await (await pushedPage(uri)).text())]
  expect(first.request).not.toBe(second.request)
  const answer = await decide(allowing(first))
  expect(sentTo(answer)).toMatchObject({ state: 'pushed', iss: ORIGIN })
  expect((await house.redeem(clientId, codeIn(answer))).status).toBe(200)
  expect((await decide(allowing(second))).status).toBe(400)
  expect(await grants()).toHaveLength(1)
  const used = await pushedPage(uri)
  expect([used.status, used.headers.get('location')]).toEqual([400, null])
  const another = (await house.newClient()).client_id
  expect((await pushedPage(await push(), another)).status).toBe(400)
})

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const begin = async () => {
  const asked = { client_id: clientId, resource: `${ORIGIN}/mcp/work`, scope: 'mcp offline_access' }
  return (await (await house.post('/oauth/device_authorization', asked)).json()) as Record<string, string>
}
const poll = (device: Record<string, string>) => {
  house.time.now += 6_000
  return house.post('/oauth/token', { grant_type: DEVICE_GRANT, client_id: clientId, device_code: device['device_code'] ?? '' })
}

test('[CONSENT-DEVICE] from the code through the page to tokens', async () => {
  const device = await begin()
  const userCode = device['user_code'] ?? ''
  const link = device['verification_uri_complete']?.slice(ORIGIN.length) ?? ''
  const stranger = await house.send(link)
  expect(stranger.headers.get('location')).toBe(`/login?next=${encodeURIComponent(link)}`)
  const prefilled = await (await house.send(link, { headers: { cookie } })).text()
  expect(prefilled).toContain(`value="${userCode}"`)
  expect(prefilled).not.toContain('name="request"')
  expect((await post('/device', { user_code: 'ZZZZ-ZZZZ' })).status).toBe(404)
  expect((await post('/device', { user_code: userCode }, cookie, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  const page = formIn(await (await post('/device', { user_code: userCode.toLowerCase().replace('-', ' ') })).text())
  expect(page.html).toContain('203.0.113.5')
  expect(page.html).toContain('Go on only if you have just started this yourself')
  expect(page.html).not.toContain('Sends you back to')
  expect(page.deviceName).toBe('')
  expect(await told(poll(device))).toEqual([400, 'authorization_pending'])
  const answer = await decide(allowing(page, { profile_id: page.profileId }))
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/device/done'])
  expect((await decide(allowing(page))).status).toBe(400)
  const tokens = (await (await poll(device)).json()) as Tokens
  expect(await isGood(tokens.access_token)).toBe(true)
  expect(await grants()).toMatchObject([{ reach: 'profile', deviceName: 'Test' }])
})

test('[CONSENT-DEVICE] a denied device is told so', async () => {
  const device = await begin()
  const page = formIn(await (await post('/device', { user_code: device['user_code'] ?? '' })).text())
  const answer = await decide({ request: page.request, decision: 'deny' })
  expect(answer.headers.get('location')).toBe('/device/done?denied')
  expect(await told(poll(device))).toEqual([400, 'access_denied'])
  expect(await grants()).toEqual([])
})

test('[CONSENT-TRACE] authorize, sign-in and consent are noted with their outcome and without what was sent', async () => {
  const since = house.trace.lastSeq()
  await house.authorize(house.asking(clientId, { state: 'sentinel-state' }))
  await house.authorize(house.asking(clientId, { redirect_uri: 'https://sentinel.example/' }), cookie)
  await decide(allowing(await ask({ state: 'sentinel-state' })))
  await decide({ request: (await ask()).request, decision: 'deny' })
  const notes = house.trace.since(since)
  expect(notes.map(({ step, outcome, reason }) => [step, outcome, reason])).toEqual([
    ['sign-in', 'waiting', undefined],
    ['authorize', 'refused', 'invalid_request'],
    ['authorize', 'ok', undefined],
    ['consent', 'ok', undefined],
    ['authorize', 'ok', undefined],
    ['consent', 'refused', 'access_denied'],
  ])
  expect(JSON.stringify(notes)).not.toMatch(/sentinel|tpc_/)
})
