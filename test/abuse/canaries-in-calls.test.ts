/** ABUSE row 53, for what goes through us: secrets in arguments, results, errors, addresses, headers, purposes and names, and where they turn up. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { crawl } from '../support/crawl.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { eventually } from '../support/outside.ts'
import { ADMIN, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

const random = () => crypto.randomUUID().replaceAll('-', '')
const EVE = { username: 'eve', password: 'correct horse battery' }

/** What each secret is, by its value. */
const secrets = new Map<string, string>()
const canary = (what: string, value = `Cnry${random().slice(0, 20)}`): string => {
  secrets.set(value, what)
  return value
}
const foundIn = (text: string) => [...secrets].filter(([value]) => text.includes(value)).map(([, what]) => what)

/** Nothing knows this one for a secret. It is in a profile that keeps all of it, where its owner sees it and nobody else. */
const WHOLE = `Plain${random()}`
const github = (what: string) => canary(what, `ghp_${(random() + random()).slice(0, 36)}`)

const IN = {
  key: canary('argument by its name'),
  text: canary('argument in a text'),
  bearer: canary('argument after Bearer'),
  github: github('argument by its look'),
  number: canary('card', '4111111111111111'),
  refused: canary('argument of a refused call'),
  email: canary('e-mail', `${random()}@example.org`),
}
const OUT = {
  json: canary('result in JSON in a text'),
  text: canary('result in a text'),
  github: github('result by its look'),
  error: canary('message of an error'),
  failed: canary("tool's own error"),
  resource: canary('text of a resource'),
}
const AROUND = {
  uri: canary('address of a resource'),
  trace: canary('traceparent'),
  purpose: canary('purpose'),
  name: canary('name of a tool that is not there'),
  prompt: canary('name of a prompt that is not there'),
  agent: canary('header'),
}

const LISTED = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
const upstream = startEchoUpstream(
  'modern',
  ({ id, params }) => {
    const { kind, plain } = (params?.['arguments'] ?? {}) as { kind?: string; plain?: string }
    if (plain !== undefined) return json(answerText(id, { resultType: 'complete', content: [{ type: 'text', text: plain }] }))
    if (kind === 'error') return Response.json({ jsonrpc: '2.0', id, error: { code: -32_000, message: `no: secret=${OUT.error}` } })
    const content = [
      { type: 'text', text: JSON.stringify({ client_secret: OUT.json, kept: 'kept' }) },
      { type: 'text', text: `the api_key: ${OUT.text}, and ${OUT.github}` },
      { type: 'text', text: JSON.stringify(params) },
    ]
    const failed = { isError: true, content: [{ type: 'text', text: `password=${OUT.failed}` }] }
    return json(answerText(id, { resultType: 'complete', ...(kind === 'failed' ? failed : { content }) }))
  },
  {
    tools: ['look', 'change'],
    reads: ['look'],
    capabilities: { resources: {} },
    others: {
      'resources/list': () => ({ result: { ...LISTED, resources: [] } }),
      'resources/templates/list': () => ({
        result: { ...LISTED, resourceTemplates: [{ uriTemplate: 'https://files.example/{+any}', name: 'any' }] },
      }),
      'resources/read': () => ({
        result: {
          ...LISTED,
          contents: [{ uri: 'https://files.example/a', text: `pwd=${OUT.resource}` }],
        },
      }),
    },
  },
)

let running: Running
let ada: Person
let eve: Person
const forwarded: string[] = []
const http = Bun.serve({
  port: 0,
  fetch: async (request) => {
    forwarded.push(JSON.stringify(request.headers.toJSON()) + (await request.text()))
    return Response.json({})
  },
})
let syslog: Server

async function setUpForwarding(): Promise<void> {
  syslog = createServer((socket) => void socket.on('data', (chunk) => void forwarded.push(chunk.toString())).on('error', () => undefined))
  await new Promise<void>((resolve) => syslog.listen(0, '127.0.0.1', resolve))
  const browser = createBrowser(running.url)
  await browser.post('/login', ADMIN)
  const add = async (form: Record<string, string>) =>
    expect((await browser.post('/admin/trail/forwarders', { name: 'x', ...form })).status).toBe(303)
  await add({ kind: 'webhook', url: `http://127.0.0.1:${http.port}/`, secret: canary('secret of a webhook') })
  const header = `Authorization: Bearer ${canary('header of a collector')}`
  await add({
    kind: 'otlp',
    url: `http://127.0.0.1:${http.port}/?api_key=${canary('address of a collector')}`,
    header,
    logs: 'on',
    traces: 'on',
  })
  await add({ kind: 'syslog', host: '127.0.0.1', port: String((syslog.address() as { port: number }).port) })
}

async function profileThatKeeps(title: string, keeps: string): Promise<void> {
  const page = await makeProfile(ada, title, 2)
  await ada.submit(await ada.open(page), page, { title, keeps, purpose: 'on' })
}

async function callAll(): Promise<void> {
  const { access_token: token } = await connectApp(running, ada, { profile: 'work' })
  const listed = await readMcp(await callMcp(running, 'work', token, 'tools/list'))
  const names = ((listed.result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
  const [look = '', change = ''] = ['look', 'change'].map((name) => names.find((each) => each.endsWith(name)))
  const args = {
    ...{
      password: IN.key,
      note: `token=${IN.text}`,
      log: `got Bearer ${IN.bearer}`,
      text: `use ${IN.github} now`,
      card: Number(IN.number),
      to: IN.email,
    },
    ...{ purpose: `to try password: ${AROUND.purpose}` },
  }
  const headers = { 'user-agent': `App token=${AROUND.agent}`, 'x-api-key': AROUND.agent, traceparent: `00-${AROUND.trace}-01` }
  const call = (name: string, given: object = {}) =>
    callMcp(running, 'work', token, 'tools/call', { name, arguments: { ...args, ...given } }, headers).then(readMcp)
  expect((await call(look)).result?.['content']).toBeDefined()
  expect((await call(change)).result?.['content']).toBeDefined()
  await call(look, { kind: 'error' })
  await call(look, { kind: 'failed' })
  await call(`get?token=${AROUND.name}`, { secret: IN.refused })
  await callMcp(running, 'work', token, 'prompts/get', { name: `p?token=${AROUND.prompt}` }).then(readMcp)
  const uri = `https://files.example/a?token=${AROUND.uri}`
  const read = await callMcp(running, 'work', token, 'resources/read', { uri }, { 'mcp-name': uri })
  expect(await read.text()).toContain(OUT.resource)

  const { access_token: second } = await connectApp(running, ada, { profile: 'all' })
  const whole = { name: look, arguments: { plain: WHOLE } }
  expect(JSON.stringify(await readMcp(await callMcp(running, 'all', second, 'tools/call', whole)))).toContain(WHOLE)
}

beforeAll(async () => {
  const compiled = process.env['TOOLPASS_TEST_EXECUTABLE'] !== undefined
  running = await startToolpass({ env: { TOOLPASS_LOG_LEVEL: 'debug' }, compiled })
  await setUp(running)
  ada = await signedIn(running)
  const made = await ada.submit(await ada.open('/admin'), '/admin/users', { username: EVE.username, role: 'admin', password: EVE.password })
  expect(made.html).toContain('eve')
  eve = await signedIn(running, EVE)
  await setUpForwarding()
  await addHttpConnection(ada, 'Echo', upstream.url)
  await profileThatKeeps('Work', 'redacted')
  await profileThatKeeps('All', 'whole')
  await callAll()
  // Forwarders look every five seconds, and the index follows the trail once a second.
  const signs = ['>1 20', 'resourceLogs', 'resourceSpans', 'toolpass-signature']
  const arrived = () => signs.every((sign) => forwarded.some((text) => text.includes(sign) && text.includes('resources/read')))
  expect(await eventually(arrived, 15_000)).toBe(true)
  await Bun.sleep(2_000)
}, 60_000)
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  await http.stop(true)
  syslog.close()
  running.remove()
})

test('[ABUSE-53] secrets went through us, whole, in both directions', () => {
  const sent = upstream.calls.join('\n')
  for (const value of [IN.key, IN.text, IN.bearer, IN.github, IN.email])
    expect([secrets.get(value), sent.includes(value)]).toEqual([secrets.get(value), true])
  expect(sent).not.toContain(AROUND.purpose)
  expect(secrets.size).toBeGreaterThan(20)
})
test('[ABUSE-53] none of them is in the log', () => {
  expect(foundIn(running.output())).toEqual([])
  expect(running.output()).not.toContain(WHOLE)
})
test('[ABUSE-53] none is in what was forwarded, by any way', () => {
  const text = forwarded.join('\n')
  for (const sign of ['<110>1', 'resourceLogs', 'resourceSpans', 'toolpass-signature', 'tools/call', 'prompts/get', 'resources/read'])
    expect(text).toContain(sign)
  expect(text).toContain('[redacted: ')
  // A receiver is told its own header, in the request itself.
  expect(foundIn(text).filter((what) => what !== 'header of a collector')).toEqual([])
  expect(text).not.toContain(WHOLE)
})
test('[ABUSE-53] none is in what is exported, contents of own calls included', async () => {
  for (const format of ['csv', 'jsonl']) {
    const { html } = await ada.open(`/activity/export?format=${format}&contents=on&kind=all`)
    expect(html).toContain('[redacted: GitHub token]')
    expect(html).toContain('kept')
    expect([format, foundIn(html)]).toEqual([format, []])
    // Who asked for all of it gets all of it, and nobody else.
    expect(html).toContain(WHOLE)
    const others = (await eve.open(`/activity/export?format=${format}&contents=on&kind=all`)).html
    expect([others.includes('tools/call'), foundIn(others), others.includes(WHOLE)]).toEqual([true, [], false])
  }
})
test('[ABUSE-53] none is on a page that an administrator can open, nor on those of who made the calls', async () => {
  for (const [person, mayHaveWhole] of [
    [eve, false],
    [ada, true],
  ] as const) {
    const pages = await crawl(person, running.url, ['/', '/activity?kind=all'])
    expect(pages.length).toBeGreaterThan(25)
    const calls = pages.filter(({ url }) => /\/activity\/\d+$/.test(url))
    expect(calls.length).toBeGreaterThan(7)
    const found = pages.map(({ url, html }) => [url, foundIn(html + url)])
    expect(found.filter(([, what]) => what?.length !== 0)).toEqual([])
    if (!mayHaveWhole) expect(pages.filter(({ html }) => html.includes(WHOLE)).map(({ url }) => url)).toEqual([])
  }
}, 60_000)
test('[ABUSE-53, ABUSE-60] none is in a file of the data folder in clear, nor in any row that the trail is made of', () => {
  const database = new Database(join(running.dataDir, 'toolpass.db'), { readonly: true })
  const tables = database.query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  const rows = tables
    .filter(({ name }) => /^(audit|forwarders|approvals|kept_results)/.test(name))
    .map(({ name }) => JSON.stringify(database.query(`SELECT * FROM "${name}"`).all()))
  expect(database.query<{ n: number }, []>('SELECT sum(rows) AS n FROM audit_contents').get()?.n).toBeGreaterThan(6)
  database.close()
  expect(rows.join().length).toBeGreaterThan(5_000)
  expect(foundIn(rows.join('\n'))).toEqual([])
  for (const { parentPath, name } of readdirSync(running.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )) {
    const text = readFileSync(join(parentPath, name), 'latin1')
    expect([name, foundIn(text)]).toEqual([name, []])
    expect([name, text.includes(WHOLE)]).toEqual([name, false])
  }
})
