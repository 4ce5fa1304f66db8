/** ABUSE rows 53 and 60: every secret of a full run is remembered, and looked for wherever it has no business. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from '../../bench/person.ts'
import { valuesOf } from '../../bench/person.ts'
import { crawl } from '../support/crawl.ts'
import { addHttpConnection, CALLBACK, callMcp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { browse, type OidcUpstream, startOidcUpstream } from '../support/oidc-upstream.ts'
import { eventually } from '../support/outside.ts'
import { startRogueUpstream } from '../support/rogue-upstream.ts'
import { ADMIN, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

const PROGRAM = resolve(import.meta.dir, '../support/rogue-upstream.ts')
const canary = (what: string) => `canary-${what}-${crypto.randomUUID()}`
const HEADER = canary('header')
const VARIABLE = canary('variable')
const PASSWORD = canary('password')
const WRONG = canary('wrong')

let running: Running
let ada: Person
let upstream: OidcUpstream
const rogue = startRogueUpstream()
/** What each secret is, by its value. */
const secrets = new Map<string, string>([
  [HEADER, 'secret header of a connection'],
  [VARIABLE, 'secret variable of a program'],
  [PASSWORD, 'password'],
  [WRONG, 'password that was wrong'],
  [ADMIN.password, 'password of the administrator'],
])
const told: Page[] = []
const errors: string[] = []
const keep = (what: string, value: unknown): string => {
  if (typeof value !== 'string' || value.length < 12) throw new Error(`no ${what}: ${String(value)}`)
  secrets.set(value, what)
  return value
}
/** Which of the secrets a text holds. The texts are large and the secrets many, so the answer names kinds, not values. */
const foundIn = (text: string, except: readonly string[] = []) =>
  [...secrets].filter(([value, what]) => text.includes(value) && !except.includes(what)).map(([, what]) => what)

const post = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) => {
  const answer = await fetch(running.url + path, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(form) })
  const text = await answer.text()
  if (!answer.ok) errors.push(`${text}\n${JSON.stringify([...answer.headers])}`)
  return {
    status: answer.status,
    body: (answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : {}) as Record<string, string>,
  }
}

/** A confidential app goes the whole way: client secret, verifier, code, tokens, and each of them once where it is wrong. */
async function connectConfidential() {
  const registered = await fetch(`${running.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Secretive', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'client_secret_post' }),
  })
  const client = (await registered.json()) as Record<string, string>
  const client_id = client['client_id'] ?? ''
  const client_secret = keep('client secret', client['client_secret'])
  keep('registration token', client['registration_access_token'])
  const code_verifier = keep('verifier', canary('verifier').padEnd(64, 'x'))
  const resource = `${running.url}/mcp/work`
  const asked = new URLSearchParams({
    ...{ response_type: 'code', client_id, redirect_uri: CALLBACK, resource, scope: 'mcp offline_access', code_challenge_method: 'S256' },
    code_challenge: new Bun.CryptoHasher('sha256').update(code_verifier).digest('base64url'),
  })
  const consent = await ada.open(`/oauth/authorize?${asked}`)
  told.push(consent)
  const chosen = valuesOf(consent.html, 'tool_id')
  const allowed = await ada.submit(consent, '/oauth/authorize/decide', { decision: 'allow', tool_id: chosen, expires: 'never' })
  const code = keep('code', new URL(allowed.location ?? running.url).searchParams.get('code'))
  const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, client_id, client_secret, code_verifier, resource }
  expect((await post('/oauth/token', { ...form, client_secret: WRONG })).status).toBe(401)
  const first = await post('/oauth/token', form)
  keep('access token', first.body['access_token'])
  const refresh = {
    grant_type: 'refresh_token',
    client_id,
    client_secret,
    refresh_token: keep('refresh token', first.body['refresh_token']),
  }
  const second = await post('/oauth/token', refresh)
  const access = keep('second access token', second.body['access_token'])
  keep('second refresh token', second.body['refresh_token'])
  expect((await post('/oauth/token', { ...refresh, scope: 'mcp more' })).status).toBe(400)
  return { access, replay: () => post('/oauth/token', form) }
}

async function signInUpstream(page: string) {
  expect(await eventually(async () => (await ada.open(page)).html.includes('Sign-in needed'), 5_000)).toBe(true)
  const { html } = await ada.submit(await ada.open(page), `${page}/sign-in`, {})
  const leaving = (/content="0; url=([^"]+)"/.exec(html)?.[1] ?? '').replaceAll('&amp;', '&')
  const back = new URL(await browse(leaving, upstream.issuer))
  keep('code of the upstream', back.searchParams.get('code'))
  await ada.open(back.pathname + back.search)
}

beforeAll(async () => {
  upstream = await startOidcUpstream()
  for (const kind of ['access_token', 'refresh_token', 'registration_access_token'] as const)
    upstream.provider.on(`${kind}.saved` as 'access_token.saved', (token) => void keep(`${kind} of the upstream`, token.jti))
  upstream.provider.on('registration_create.success', (_, client) => {
    if (client.clientSecret) keep('client secret at the upstream', client.clientSecret)
  })
  running = await startToolpass({ env: { TOOLPASS_LOG_LEVEL: 'debug' } })
  const first = await setUp(running)
  keep('session', first.jar.get('toolpass_session'))
  ada = await signedIn(running)
  const browser = createBrowser(running.url)
  await browser.post('/login', ADMIN)
  keep('second session', browser.jar.get('toolpass_session'))
  await browser.post('/admin/users', { username: 'mia', role: 'member', password: PASSWORD })
  for (const password of [WRONG, PASSWORD]) errors.push(await (await browser.post('/login', { username: 'mia', password })).text())
  errors.push(await (await browser.post('/settings/password', { current_password: WRONG, new_password: PASSWORD })).text())

  await addHttpConnection(ada, 'Headed', rogue.url('junk'), `Authorization=Bearer ${HEADER}`)
  const wrong = { connector: 'streamable-http', name: 'Wrong', 'settings.url': 'no address', 'settings.headers': `X-Key=${HEADER}` }
  errors.push(await (await browser.post('/connections', wrong)).text())
  const programs = await ada.open('/connections/new?connector=stdio')
  const settings = { 'settings.command': 'javascript', 'settings.args': `${PROGRAM}\njunk`, 'settings.env': `API_KEY=${VARIABLE}` }
  await ada.submit(programs, '/connections', { name: 'Program', ...settings })
  await signInUpstream(await addHttpConnection(ada, 'Guarded', upstream.url))
  await makeProfile(ada, 'Work', 5)
  const app = await connectConfidential()

  const choice = await ada.open('/apps/tokens/new')
  const form = await ada.open([...choice.html.matchAll(/\/apps\/tokens\/new\?profile=[\w-]+/g)].at(-1)?.[0] ?? '')
  const script = { name: 'Script', expires: 'month', tool_id: valuesOf(form.html, 'tool_id') }
  const made = await ada.submit(form, '/apps/tokens', script)
  keep('token of a script', /tpa_[\w-]{43}/.exec(made.html)?.[0])
  const known = await ada.submit(await ada.open('/admin/clients/new'), '/admin/clients', {
    ...{ name: 'Known', redirect_uris: CALLBACK, confidential: 'on' },
  })
  keep('client secret that an administrator made', [...known.html.matchAll(/<code[^>]*>([\w-]{40,})<\/code>/g)].at(-1)?.[1])

  for (const name of ['headed-go', 'go', 'fine', 'whoami', 'no_such_tool']) {
    const listed = await readMcp(await callMcp(running, 'work', app.access, 'tools/list'))
    const names = ((listed.result?.['tools'] ?? []) as { name: string }[]).map((tool) => tool.name)
    const meant = names.find((each) => each.endsWith(name)) ?? name
    const signal = AbortSignal.timeout(500)
    const answer = await Promise.race([callMcp(running, 'work', app.access, 'tools/call', { name: meant, arguments: {} }), Bun.sleep(500)])
    if (answer instanceof Response && !signal.aborted) errors.push(await answer.text())
  }
  await app.replay()
  errors.push(await (await callMcp(running, 'work', 'tpa_'.padEnd(47, 'x'), 'tools/list')).text())
  keep('key of the house', readFileSync(join(running.dataDir, 'encryption.key'), 'utf8').trim())
  await Bun.sleep(200)
}, 20_000)
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  await rogue.stop()
  running.remove()
})

test('[ABUSE-53] the run has made secrets of every kind, and used them', () => {
  expect(new Set(secrets.values()).size).toBeGreaterThanOrEqual(18)
  expect(rogue.seen.some(({ authorization }) => authorization === `Bearer ${HEADER}`)).toBe(true)
  expect(upstream.seen.some(({ authorization }) => foundIn(authorization ?? '').includes('access_token of the upstream'))).toBe(true)
  expect(errors.length).toBeGreaterThan(5)
})
test('[ABUSE-53] no secret is in the log or in an answer that refuses', () => {
  expect(foundIn(running.output())).toEqual([])
  expect(foundIn(errors.join('\n'))).toEqual([])
})
test('[ABUSE-53] no secret is on a page that an administrator can open', async () => {
  const pages = [...told, ...(await crawl(ada, running.url))]
  expect(pages.length).toBeGreaterThan(25)
  expect(pages.filter(({ html, url }) => foundIn(html + url).length > 0).map(({ url, html }) => [url, foundIn(html + url)])).toEqual([])
  expect(pages.filter(({ status }) => status >= 500)).toEqual([])
}, 20_000)
test('[ABUSE-53] no secret is on a command line, and no program is given one that is not its own', () => {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each)))
    try {
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]))
    } catch {
      // It ended while we looked.
    }
  const isOurs = (pid: number | undefined): boolean => pid === running.pid || (pid !== undefined && pid > 1 && isOurs(parents.get(pid)))
  const ours = [...parents.keys()].filter(isOurs)
  expect(ours.length).toBeGreaterThan(1)
  for (const pid of ours) {
    expect([pid, foundIn(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))]).toEqual([pid, []])
    expect([pid, foundIn(readFileSync(`/proc/${pid}/environ`, 'utf8'), ['secret variable of a program'])]).toEqual([pid, []])
    expect(readlinkSync(`/proc/${pid}/exe`)).not.toBe('')
  }
})
test('[ABUSE-53, ABUSE-60] no secret is in a file of the data folder in clear, nor in any row of the database', () => {
  const files = readdirSync(running.dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  expect(files.length).toBeGreaterThan(2)
  for (const { parentPath, name } of files)
    expect([name, foundIn(readFileSync(join(parentPath, name), 'latin1'))]).toEqual([
      name,
      name === 'encryption.key' ? ['key of the house'] : [],
    ])
  const database = new Database(join(running.dataDir, 'toolpass.db'), { readonly: true })
  const tables = database.query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  const rows = tables.map(({ name }) => JSON.stringify(database.query(`SELECT * FROM "${name}"`).all()))
  expect(rows.join().length).toBeGreaterThan(5_000)
  expect(foundIn(rows.join('\n'))).toEqual([])
  database.close()
})
test('[ABUSE-60] what the database keeps of sessions, tokens and links opens nothing', async () => {
  const database = new Database(join(running.dataDir, 'toolpass.db'), { readonly: true })
  const hashes = (table: string) =>
    database
      .query<{ hash: string }, []>(`SELECT hash FROM ${table}`)
      .all()
      .map(({ hash }) => hash)
  const kept = { sessions: hashes('sessions'), tokens: hashes('tokens') }
  database.close()
  expect([kept.sessions.length > 1, kept.tokens.length > 2]).toEqual([true, true])
  for (const hash of kept.tokens)
    for (const bearer of [hash, `tpa_${hash}`]) expect((await callMcp(running, 'work', bearer, 'tools/list')).status).toBe(401)
  for (const hash of kept.sessions) {
    const answer = await fetch(`${running.url}/settings`, { redirect: 'manual', headers: { cookie: `toolpass_session=${hash}` } })
    expect(answer.status).toBe(303)
  }
})
