/** Plugins from outside in a running Toolpass: broken ones of every kind beside good ones, reloaded, changed, taken away. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { eventually } from '../support/outside.ts'
import { manifestOf, putPlugin, saying } from '../support/outside-plugins.ts'
import { ADMIN, type Browser, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

const ROOT = resolve(import.meta.dir, '../..')
const MIA = { username: 'mia', password: 'a horse of another colour' }
const work = mkdtempSync(join(tmpdir(), 'toolpass-plugins-'))
const dataDir = join(work, 'data')
const lines = join(work, 'lines.txt')

let running: Running
let admin: Browser
let ada: Person

const put = (name: string, manifest: object | string | undefined, code: string) => putPlugin(dataDir, name, manifest, { 'index.ts': code })
/** Code that leaves a line which the test can read. */
const leave = (line: string) => `(await import('node:fs')).appendFileSync(${JSON.stringify(lines)}, '${line}\\n')`
const left = async () => (await Bun.file(lines).text()).trim().split('\n')
const never = 'await new Promise(() => {})'

/** Every way to be broken, and what is said about it. */
const BROKEN: readonly [name: string, manifest: object | string | undefined, code: string, says: string][] = [
  ['no-manifest', undefined, saying('no-manifest', '1'), 'plugin.json is missing'],
  ['no-json', '{ "id": ', saying('no-json', '1'), 'plugin.json is not valid JSON'],
  ['huge', JSON.stringify(manifestOf('huge', { more: 'x'.repeat(70_000) })), '', 'plugin.json is larger'],
  ['no-version', manifestOf('no-version', { version: undefined }), saying('no-version', '1'), 'plugin.json: version'],
  ['bad-id', manifestOf('../../etc'), saying('bad', '1'), 'plugin.json: id'],
  ['older', manifestOf('older', { api: 0 }), leave('older ran'), 'written for version 0 of the plugin API'],
  ['newer', manifestOf('newer', { api: 2 }), leave('newer ran'), 'written for version 2 of the plugin API'],
  ['no-main', manifestOf('no-main', { main: 'other.ts' }), '', 'other.ts is missing'],
  ['climbs', manifestOf('climbs', { main: '../../outside.ts' }), '', 'leads out of the plugin'],
  ['links', manifestOf('links', { main: 'link.ts' }), '', 'leads out of the plugin'],
  ['other-id', manifestOf('other-id'), saying('another', '1'), 'Its id is'],
  ['taken', manifestOf('stdio'), leave('taken ran'), 'plugin stdio exists already'],
  [
    'taken-inside',
    manifestOf('taken-inside'),
    saying('taken-inside', '1').replace("id: 'taken-inside', title: 'C", "id: 'stdio', title: 'C"),
    'connector stdio exists',
  ],
  ['syntax', manifestOf('syntax'), 'export default {\n  a: ,\n', 'index.ts, line 2: Unexpected'],
  ['package', manifestOf('package'), "import x from 'no-such-package-anywhere'\nexport default x", 'no-such-package-anywhere'],
  ['file', manifestOf('file'), "import x from './gone.ts'\nexport default x", './gone.ts'],
  ['throws', manifestOf('throws'), "throw new Error('mine alone')", 'It threw while it was loaded: mine alone'],
  ['throws-text', manifestOf('throws-text'), "throw 'no error at all'", 'no error at all'],
  ['hangs', manifestOf('hangs'), `${never}\nexport default {}`, 'It did not load within 10 seconds'],
  ['no-default', manifestOf('no-default'), 'export const x = 1', 'It has no default export'],
  ['no-plugin', manifestOf('no-plugin'), "export default { id: 'no-plugin', version: '1.0.0' }", 'title'],
  ['no-form', manifestOf('no-form'), saying('no-form', '1', { settings: 'z.object({ at: z.date() })' }), 'Date'],
  [
    'open-throws',
    manifestOf('open-throws'),
    saying('open-throws', '1', { plugin: `open() { throw new Error('not today') }, async close() { ${leave('open-throws closed')} }` }),
    'It failed to open: not today',
  ],
  [
    'close-throws',
    manifestOf('close-throws'),
    saying('close-throws', '1', { plugin: "open() { throw new Error('first') }, close() { throw new Error('second') }" }),
    'It failed to open: first',
  ],
]

beforeAll(async () => {
  mkdirSync(dataDir, { recursive: true })
  writeFileSync(lines, '')
  writeFileSync(join(dataDir, 'outside.ts'), leave('outside ran'))
  for (const [name, manifest, code] of BROKEN) put(name, manifest, code)
  symlinkSync(join(dataDir, 'outside.ts'), join(dataDir, 'plugins/links/link.ts'))
  mkdirSync(join(work, 'elsewhere'))
  writeFileSync(join(work, 'elsewhere/plugin.json'), JSON.stringify(manifestOf('elsewhere')))
  symlinkSync(join(work, 'elsewhere'), join(dataDir, 'plugins/a-link'))
  writeFileSync(join(dataDir, 'plugins/README.txt'), 'no plugin, and no problem')
  const helper = { 'helper.ts': "export const word: string = 'first'" }
  const opens = `async open({ log }) { log('good opened'); ${leave('good opened')} }, async close() { ${leave('good closed')} }`
  putPlugin(dataDir, 'good', manifestOf('good'), {
    'index.ts': saying('good', 'word', { before: "import { word } from './helper.ts'", plugin: opens }),
    ...helper,
  })
  putPlugin(dataDir, 'steady', manifestOf('steady'), {
    'index.ts': saying('steady', 'String(loadedAt)', { before: 'const loadedAt = performance.now()' }),
  })
  const own = { 'node_modules/zod/package.json': '{"name":"zod","main":"index.js"}', 'node_modules/zod/index.js': "exports.z = 'its own'" }
  putPlugin(dataDir, 'own-zod', manifestOf('own-zod'), {
    'index.ts': saying('own-zod', 'String(own)', { before: "import { z as own } from 'zod'" }),
    ...own,
  })
  running = await startToolpass({ dataDir })
  admin = await setUp(running)
  ada = await signedIn(running)
}, 60_000)
afterAll(async () => {
  await running.stop()
  rmSync(work, { recursive: true, force: true })
})

const page = async () => (await ada.open('/admin/plugins')).html.replaceAll('&#39;', "'").replaceAll('&quot;', '"')
const reload = async () => (await ada.submit(await ada.open('/admin/plugins'), '/admin/plugins/reload', {})).html
/** The text of the row in which a plugin stands. */
const rowOf = (html: string, title: string) =>
  (/<tbody>(.*)<\/tbody>/s.exec(html)?.[1] ?? '')
    .split('</tr>')
    .map((row) => row.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' '))
    .find((row) => row.includes(` ${title} `)) ?? ''
const connect = async (connector: string, name: string) => {
  const made = await ada.submit(await ada.open(`/connections/new?connector=${connector}`), '/connections', { name })
  return new URL(made.url).pathname
}
/** An app that may call the tool of one connection. */
async function appFor(connector: string) {
  const connection = await connect(connector, connector)
  await makeProfile(ada, connector, 1)
  const { access_token: token } = await connectApp(running, ada, { profile: connector })
  const call = async () => {
    const listed = await readMcp(await callMcp(running, connector, token, 'tools/list'))
    const tools = (listed.result?.['tools'] ?? []) as { name: string }[]
    const tool = tools.find(({ name }) => name.startsWith(connector)) ?? tools[0]
    const { result, error } = await readMcp(
      await callMcp(running, connector, token, 'tools/call', { name: tool?.name ?? 'say', arguments: {} }),
    )
    const [content] = (result?.['content'] ?? []) as { text: string }[]
    return content?.text ?? error?.message ?? ''
  }
  return { connection, call }
}

const command = async (...words: string[]) => {
  const env = { PATH: process.env['PATH'] ?? '', TOOLPASS_DATA_DIR: dataDir }
  const child = Bun.spawn([process.execPath, 'src/main.ts', 'plugins', ...words], { cwd: ROOT, env, stderr: 'pipe' })
  return { text: await new Response(child.stdout).text(), status: await child.exited }
}

describe('broken ones', () => {
  test.each(BROKEN)('[ABUSE-61] %s is named and set aside', async (name, manifest, _code, says) => {
    const id = typeof manifest === 'object' && /^[a-z-]+$/.test((manifest as { id: string }).id) ? (manifest as { id: string }).id : name
    const html = await page()
    const row = html.split('<tr').find((each) => each.includes(`/plugins/${name}<`)) ?? ''
    expect({ id, row: row.includes('Set aside'), says: row.includes(says) ? says : row }).toEqual({ id, row: true, says })
    expect(running.output()).toContain('a plugin is set aside')
  })

  test('[ABUSE-61] the rest starts: Toolpass and the sound plugins', async () => {
    const html = await page()
    for (const title of ['stdio built in', 'The good plugin', 'The steady plugin']) expect(rowOf(html, title)).toContain('Running')
    expect(html).toContain(`${BROKEN.length + 1} plugins set aside`)
  })

  test('[PLUGIN-MANIFEST] a manifest that says no runs no code, and none leads out of its folder', async () => {
    const html = await page()
    expect(html).toContain('It is a link.')
    for (const what of ['older', 'newer', 'taken', 'outside']) expect(await left()).not.toContain(`${what} ran`)
  })

  test('[PLUGIN-LIFECYCLE] a plugin whose open failed or hung is closed all the same', async () => {
    expect(await left()).toContain('open-throws closed')
    const hanging = `async open() { ${never} }, async close() { ${leave('open-hangs closed')} }`
    const folder = put('open-hangs', manifestOf('open-hangs'), saying('open-hangs', '1', { plugin: hanging }))
    await reload()
    expect(rowOf(await page(), 'The open-hangs plugin')).toContain('It did not open within 5 seconds')
    expect(await left()).toContain('open-hangs closed')
    rmSync(folder, { recursive: true })
    expect(running.output()).toContain('did not close in good order')
  })

  test('[PLUGIN-MANIFEST] they can all be taken away, and nothing is said about them any more', async () => {
    for (const [name] of BROKEN) rmSync(join(dataDir, 'plugins', name), { recursive: true })
    rmSync(join(dataDir, 'plugins/a-link'))
    await reload()
    const html = await page()
    expect(html).not.toContain('set aside')
    expect(rowOf(html, 'The good plugin')).toContain('Running')
  })
})

describe('good ones', () => {
  let good: Awaited<ReturnType<typeof appFor>>
  let steady: Awaited<ReturnType<typeof appFor>>

  test('[PLUGIN-PAGE] the page says of each what it brings, which version, and where it lies', async () => {
    const row = rowOf(await page(), 'The good plugin')
    for (const text of ['from outside', 'Connector: Connector good', '1.0.0', join(dataDir, 'plugins/good')]) expect(row).toContain(text)
    expect(rowOf(await page(), 'stdio')).toContain('built in')
  })

  test('[PLUGIN-PAGE] a member sees no plugins and reloads none', async () => {
    await ada.submit(await ada.open('/admin'), '/admin/users', { ...MIA, role: 'member' })
    const member = createBrowser(running.url)
    await member.post('/login', MIA)
    expect((await member.get('/admin/plugins')).status).toBe(403)
    expect((await member.post('/admin/plugins/reload', {})).status).toBe(403)
    expect((await admin.post('/admin/plugins/reload', {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await createBrowser(running.url).post('/admin/plugins/reload', {})).status).not.toBe(200)
  })

  test('[PLUGIN-HOST-MODULE] their tools are called by an app; a plugin keeps its own zod', async () => {
    good = await appFor('good')
    steady = await appFor('steady')
    expect(await good.call()).toBe('first')
    expect(await (await appFor('own-zod')).call()).toBe('its own')
  })

  test('[PLUGIN-RELOAD] a changed file that is imported holds after a reload; what did not change goes on', async () => {
    const before = await steady.call()
    putPlugin(dataDir, 'good', undefined, { 'helper.ts': "export const word: string = 'second'" })
    expect(await good.call()).toBe('first')
    expect(await reload()).toContain('Started again good.')
    expect(await good.call()).toBe('second')
    expect(await steady.call()).toBe(before)
    expect(await reload()).toContain('Nothing has changed.')
  })

  test('[PLUGIN-LIFECYCLE] a changed plugin is closed before it is opened anew', async () => {
    expect(await left()).toEqual(expect.arrayContaining(['good opened', 'good closed']))
    const own = (await left()).filter((line) => line.startsWith('good'))
    expect(own).toEqual(['good opened', 'good closed', 'good opened'])
    expect(running.output()).toContain('good opened')
  })

  test('[PLUGIN-GONE] without its plugin a connection says so, to apps and on its page, and works again after', async () => {
    const code = await Bun.file(join(dataDir, 'plugins/good/index.ts')).text()
    put('good', undefined, 'export default ((')
    expect(await reload()).toContain('1 set aside')
    expect(await good.call()).toContain('The plugin of this connection is not running')
    const says = async (text: RegExp) => text.test((await ada.open(good.connection)).html)
    expect(await eventually(() => says(/is not running/))).toBe(true)
    expect((await ada.open('/connections')).html).toContain('its plugin is missing')
    put('good', undefined, code)
    expect(await reload()).toContain('Started good.')
    expect(await good.call()).toBe('second')
    expect(await eventually(async () => !(await says(/is not running/)))).toBe(true)
  })

  test('[PLUGIN-COMMANDS] the command line lists and reloads those of the running Toolpass', async () => {
    const { text } = await command('list')
    expect(text).toMatch(/^good +1\.0\.0 .*plugins\/good {2}connectors: good$/m)
    expect(text).toMatch(/^stdio .*built in/m)
    put('fresh', manifestOf('fresh'), saying('fresh', "'hello'"))
    put('broken', '{', '')
    const reloaded = await command('reload')
    expect(reloaded.text).toContain('Started: fresh. Stopped: none.')
    expect(reloaded.text).toMatch(/^broken .*set aside: plugin\.json is not valid JSON\.$/m)
    expect(rowOf(await page(), 'The fresh plugin')).toContain('Running')
    expect((await command('reload')).text).toContain('Nothing changed.')
    expect((await command('dance')).status).toBe(2)
    rmSync(join(dataDir, 'plugins/broken'), { recursive: true })
  })

  test('[PLUGIN-RELOAD] reloading is in the audit trail, with who did it', async () => {
    const db = new Database(join(dataDir, 'toolpass.db'), { readonly: true })
    const rows = db.query('SELECT user_name, subject FROM audit_rows WHERE action = ? ORDER BY seq').all('plugins.reload')
    db.close()
    expect(rows).toContainEqual({ user_name: ADMIN.username, subject: 'started good; stopped good' })
    expect(rows).toContainEqual({ user_name: 'command line', subject: 'started fresh' })
  })

  test.each([
    ['a timer', "setTimeout(() => { throw new Error('late') }, 50)"],
    ['a promise that nobody waits for', "setTimeout(async () => { throw new Error('late') }, 50)"],
  ])('[ABUSE-61] one that throws late, in %s, is set aside, and the rest goes on', async (_what, late) => {
    const before = await steady.call()
    put('late', manifestOf('late'), saying('late', "'here'", { before: late }))
    await reload()
    expect(await eventually(async () => rowOf(await page(), 'The late plugin').includes('Set aside'))).toBe(true)
    expect(rowOf(await page(), 'The late plugin')).toContain('It failed while it ran: late')
    expect(await steady.call()).toBe(before)
    rmSync(join(dataDir, 'plugins/late'), { recursive: true })
    await reload()
  })

  test('[PLUGIN-PROVIDERS] one from outside brings an OAuth provider, which is set up on its page', async () => {
    put(
      'harbour',
      manifestOf('harbour'),
      `import { defineOAuthProvider, definePlugin, oauthClientSettings, z } from 'toolpass/plugin'
      const at = 'https://accounts.harbour.example'
      const harbour = defineOAuthProvider({
        id: 'harbour', title: 'Harbour', description: 'Accounts at the harbour.',
        settings: z.object({ ...oauthClientSettings, pier: z.string().min(1).meta({ title: 'Pier' }) }),
        scopes: [{ name: 'berths', description: 'Read the list of berths', default: true }],
        endpoints: ({ pier }) => ({ issuer: at, authorization: at + '/' + pier, token: at + '/token' }),
      }); export default definePlugin({ id: 'harbour', version: '1.0.0', title: 'harbour', oauthProviders: [harbour] })`,
    )
    expect(await reload()).toContain('Started harbour.')
    const form = { 'settings.clientId': 'us', 'settings.clientSecret': 'a secret of the harbour', 'settings.pier': 'seven' }
    await ada.submit(await ada.open('/admin/providers/harbour'), '/admin/providers/harbour', form)
    const signIn = '/connections/accounts/harbour/sign-in'
    const begun = await ada.submit(await ada.open(signIn), signIn, { scope: 'berths' })
    expect(begun.html).toContain('https://accounts.harbour.example/seven?')
  })

  test('[PLUGIN-RELOAD] many reloads at once are done one after the other', async () => {
    putPlugin(dataDir, 'good', undefined, { 'helper.ts': "export const word: string = 'third'" })
    await Promise.all(Array.from({ length: 8 }, () => admin.post('/admin/plugins/reload', {})))
    expect(await good.call()).toBe('third')
    const own = (await left()).filter((line) => line.startsWith('good'))
    expect(own.slice(-2)).toEqual(['good closed', 'good opened'])
    expect(own.filter((line) => line === 'good opened').length).toBe(own.filter((line) => line === 'good closed').length + 1)
  })

  test('[PLUGIN-LIFECYCLE] when Toolpass stops, its plugins are closed', async () => {
    const before = (await left()).filter((line) => line === 'good closed').length
    await running.stop()
    expect((await left()).filter((line) => line === 'good closed').length).toBe(before + 1)
  })
})
