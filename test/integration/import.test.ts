/** Importing by pages and by the command, without JavaScript, against a running Toolpass. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Person, signedIn } from '../support/journey.ts'
import { type Browser, createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const ROOT = resolve(import.meta.dir, '../..')
const MIA = { username: 'mia', password: 'a horse of another colour' }
const CANARY = 'canary-9f2c'

let running: Running
let ada: Person
let admin: Browser
let member: Browser
const upstream = startModernUpstream()
const folder = mkdtempSync(join(tmpdir(), 'toolpass-import-'))

beforeAll(async () => {
  running = await startToolpass()
  admin = await setUp(running)
  ada = await signedIn(running)
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...MIA, role: 'member' })
  member = createBrowser(running.url)
  await member.post('/login', MIA)
})
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
  rmSync(folder, { recursive: true, force: true })
})

const namesOf = async (browser: Browser) =>
  [...(await (await browser.get('/connections')).text()).matchAll(/class="strong" href="\/connections\/con_\w+">(?:<bdi>)?([^<]*)/g)]
    .map(([, name = '']) => name)
    .sort()
const config = (servers: object, more: object = {}) => JSON.stringify({ mcpServers: servers, ...more })
const preview = async (text: string) => ada.submit(await ada.open('/connections/import'), '/connections/import', { text })
const tokenIn = (html: string) => /name="token" value="([^"]+)"/.exec(html)?.[1] ?? ''
/** The data folder as somebody who stole it would read it. */
const stored = () =>
  readdirSync(running.dataDir)
    .filter((name) => name.includes('.db'))
    .map((name) => readFileSync(join(running.dataDir, name), 'latin1'))
    .join('')
const upload = (browser: Browser, bytes: string | Uint8Array<ArrayBuffer>, name = 'mcp.json') => {
  const form = new FormData()
  form.set('file', new File([bytes], name))
  const cookie = [...browser.jar].map(([key, value]) => `${key}=${value}`).join('; ')
  const headers = { cookie, origin: running.url, 'sec-fetch-site': 'same-origin', accept: 'text/html' }
  return fetch(`${running.url}/connections/import`, { method: 'POST', body: form, redirect: 'manual', headers })
}

describe('by pages', () => {
  test('[IMPORT-PREVIEW] what is ticked is made, once, and works', async () => {
    const shown = await preview(
      config({
        modern: { type: 'http', url: upstream.url, headers: { 'X-Canary': CANARY } },
        off: { url: 'https://off.example/mcp', disabled: true },
        '../../up': { url: 'https://up.example/mcp' },
      }),
    )
    expect(shown.html).toContain('Kept sealed: X-Canary')
    expect(shown.html).toContain('It is switched off in the file.')
    expect(shown.html).toContain('Its name contains “../”')
    expect(shown.html).not.toContain(CANARY)
    expect(await namesOf(admin)).toEqual([])
    // The form as it was proposed: `off` is not ticked, `../../up` cannot be.
    const done = await ada.submit(shown, '/connections/import/create', { 'name.0': 'Modern one' })
    expect(done.html).toContain('1 connection imported')
    expect(await namesOf(admin)).toEqual(['Modern one'])
    const [, id = ''] = /href="\/connections\/(con_\w+)"/.exec(done.html) ?? []
    const until = Date.now() + 10_000
    while (!(await (await admin.get(`/connections/${id}`)).text()).includes('Working') && Date.now() < until) await Bun.sleep(100)
    expect(await (await admin.get(`/connections/${id}`)).text()).toContain('Working')
    // Sent again, it is told so.
    const again = await ada.submit(shown, '/connections/import/create', {})
    expect(again.html).toContain('What was read is gone')
    expect(await namesOf(admin)).toEqual(['Modern one'])
  })

  test('[IMPORT-SECRETS] are in no page and in no readable byte of the data folder', async () => {
    expect(stored()).not.toContain(CANARY)
    const [, id = ''] = /href="\/connections\/(con_\w+)"/.exec(await (await admin.get('/connections')).text()) ?? []
    expect(await (await admin.get(`/connections/${id}`)).text()).not.toContain(CANARY)
    const refused = await admin.post('/connections/import', { text: `{"mcpServers": {"a": {"env": {"K": "${CANARY}"` })
    expect([refused.status, (await refused.text()).includes(CANARY)]).toEqual([422, false])
    expect(running.output()).not.toContain(CANARY)
  })

  test('[IMPORT-PREVIEW] says what is there already, and proposes a free name', async () => {
    const shown = await preview(config({ 'Modern one': { url: 'https://other.example/mcp' }, twin: { url: upstream.url } }))
    expect(shown.html).toContain('The name “Modern one” is taken.')
    expect(shown.html).toContain('value="Modern one 2"')
    expect(shown.html).toContain('You have it already, as “Modern one”.')
  })

  test('[IMPORT-PREVIEW] what is left to fill in is asked for; of two, one that is refused leaves the other', async () => {
    const inputs = [{ id: 'team-key', type: 'promptString', description: 'The key of the team', password: true }]
    const servers = {
      one: { url: 'https://one.example/mcp', headers: { Authorization: `Bearer \${input:team-key}` } },
      two: { url: 'https://two.example/mcp' },
    }
    const shown = await preview(JSON.stringify({ servers, inputs }))
    expect(shown.html).toContain('The key of the team')
    const token = tokenIn(shown.html)
    const half = await admin.post('/connections/import/create', { token, pick: ['0', '1'], 'name.0': 'One', 'name.1': 'Two' })
    // Another session of the same user may go on; what it answers is the same page.
    expect([half.status, (await half.text()).includes('Fill it in')]).toEqual([422, true])
    const done = await admin.post('/connections/import/create', {
      ...{ token, pick: ['0', '1'], 'name.0': 'One', 'name.1': 'Modern one', 'variable.0': `${CANARY}-2` },
    })
    const html = await done.text()
    expect(html).toContain('1 connection imported')
    expect(html).toContain('Modern one was not made')
    expect(html).not.toContain(CANARY)
    expect(await namesOf(admin)).toEqual(['Modern one', 'One'])
    expect(stored()).not.toContain(`${CANARY}-2`)
  })

  test("[IMPORT-PREVIEW] nobody makes what somebody else's file held", async () => {
    const shown = await preview(config({ mine: { url: 'https://mine.example/mcp' } }))
    const answer = await member.post('/connections/import/create', { token: tokenIn(shown.html), pick: '0', 'name.0': 'Mine' })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, expect.stringContaining('/connections/import')])
    expect(await namesOf(member)).toEqual([])
  })

  test('[CATALOGUE-PROGRAMS] of a member, a program is left out whatever is posted', async () => {
    const shown = await (
      await member.post('/connections/import', { text: config({ git: { command: 'uvx', args: ['mcp-server-git'] } }) })
    ).text()
    expect(shown).toContain('An administrator can add it, or allow you to.')
    const answer = await member.post('/connections/import/create', { token: tokenIn(shown), pick: '0', 'name.0': 'Git' })
    expect(await answer.text()).toContain('Git was not made')
    expect(await namesOf(member)).toEqual([])
  })

  test('[ABUSE-56] an archive, a huge, a deep and a binary file get the reason, and make nothing', async () => {
    const before = await namesOf(admin)
    const table: [string | Uint8Array<ArrayBuffer>, number, string][] = [
      [new Uint8Array([0x50, 0x4b, 3, 4, 20, 0]), 422, 'This is an archive'],
      [Bun.gzipSync('x'.repeat(100_000)), 422, 'This is an archive'],
      [new Uint8Array([0xff, 0xfe, 0x00, 0x80]), 422, 'no text file'],
      [`{"mcpServers":${'['.repeat(100_000)}`, 422, 'nested too deeply'],
      ['x'.repeat(5 * 1024 * 1024), 413, 'larger than the limit'],
      ['x'.repeat(252 * 1024), 422, '250 KB'],
      ['', 422, 'nothing in it'],
    ]
    for (const [bytes, status, part] of table) {
      const answer = await upload(admin, bytes, '../../mcp.json')
      const html = await answer.text()
      expect([part, answer.status, html.includes(part)]).toEqual([part, status, true])
    }
    for (const text of ['[]', 'null', '{"mcpServers":5}', '"text"', '{"mcpServers":{"a":{}}}']) {
      const answer = await admin.post('/connections/import', { text })
      expect([text, [200, 422].includes(answer.status)]).toEqual([text, true])
    }
    expect(await namesOf(admin)).toEqual(before)
    expect((await upload(admin, config({ fine: { url: 'https://fine.example/mcp' } }))).status).toBe(200)
  })

  test('[ABUSE-51] markup in a configuration is text', async () => {
    const evil = '<img src=x onerror=alert(1)>'
    const shown = await preview(config({ [evil]: { command: evil, args: [evil], env: { [evil]: 'x' }, [evil]: 1 } }))
    expect(shown.html).not.toContain(evil)
    expect(shown.html).toContain('&lt;img')
  })
})

describe('by the command', () => {
  const run = (args: string[], env: Record<string, string> = {}) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, join(ROOT, 'src/main.ts'), ...args], {
      ...{ cwd: ROOT, env: { PATH: process.env['PATH'] ?? '', HOME: folder, TOOLPASS_DATA_DIR: running.dataDir, ...env } },
    })
    return { exitCode, out: stdout.toString(), err: stderr.toString() }
  }
  const write = (text: string) => {
    const path = join(folder, 'config.toml')
    writeFileSync(path, text)
    return path
  }

  test('[IMPORT-COMMAND] shows, then makes, for the user who is named', async () => {
    const path = write(
      '[mcp_servers.docs]\nurl = "https://docs.example/mcp"\nbearer_token_env_var = "DOCS_TOKEN"\n\n[mcp_servers."a/../b"]\nurl = "https://b.example"\n',
    )
    expect(run(['import', path]).err).toContain('Name one with --user')
    const dry = run(['import', path, '--user', 'mia', '--dry-run'])
    expect([dry.exitCode, dry.out.includes('Nothing was made'), dry.out.includes('Not in the environment: DOCS_TOKEN')]).toEqual([
      0,
      true,
      true,
    ])
    expect(await namesOf(member)).toEqual([])
    const empty = run(['import', path, '--user', 'mia'])
    expect([empty.exitCode, empty.out.includes('not made: docs: “DOCS_TOKEN” was left empty.')]).toEqual([1, true])
    const done = run(['import', path, '--user', 'mia'], { DOCS_TOKEN: `${CANARY}-3` })
    expect([done.exitCode, done.out.includes('Connections made: 1 (docs).'), done.out.includes(CANARY)]).toEqual([0, true, false])
    expect(done.out).toContain('left out: Its name contains “../”')
    expect(await namesOf(member)).toEqual(['docs'])
    expect(stored()).not.toContain(`${CANARY}-3`)
    const again = run(['import', path, '--user', 'mia'], { DOCS_TOKEN: 'x' })
    expect([again.out.includes('You have it already, as “docs”.'), again.out.includes('Connections made: 0.')]).toEqual([true, true])
  })

  test('[IMPORT-COMMAND] is clear about what cannot be read', () => {
    expect(run(['import', join(folder, 'none.json')])).toMatchObject({ exitCode: 2, err: expect.stringContaining('cannot be read') })
    expect(run(['import'])).toMatchObject({ exitCode: 2, err: expect.stringContaining('Usage: toolpass import FILE') })
    expect(run(['import', write('PK\u0003\u0004'), '--user', 'mia'])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('This is an archive'),
    })
    expect(run(['import', write('{}'), '--user', 'nobody'])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('There is no user "nobody"'),
    })
  })
})
