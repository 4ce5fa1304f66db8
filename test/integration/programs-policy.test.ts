/** Programs that run here: who may have some and which, how long they run, and what becomes of one that misbehaves. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { valuesOf } from '../../bench/person.ts'
import type { ProgramPolicy } from '@/connections'
import { mayDefine } from '@/connections/program-policy.ts'
import type { UserId } from '@/lib/ids.ts'
import { callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { createBrowser, type Running, setUp, startToolpass } from '../support/running.ts'

const PROGRAM = resolve(import.meta.dir, '../../bench/program.ts')
const BEN = { username: 'ben', password: 'another horse battery' }
let running: Running
let ada: Person
let ben: Person
let browser: ReturnType<typeof createBrowser>
let benId = ''

beforeAll(async () => {
  running = await startToolpass({ env: { TOOLPASS_PROGRAM_IDLE_SECONDS: '3' } })
  browser = await setUp(running)
  ada = await signedIn(running)
  await ada.submit(await ada.open('/admin'), '/admin/users', { ...BEN, role: 'member' })
  ben = await signedIn(running, BEN)
  benId = valuesOf((await ada.open('/admin/programs')).html, 'user_id')[0] ?? ''
}, 30_000)
afterAll(async () => {
  await running.stop()
  running.remove()
})

const settings = (more: Record<string, string> = {}) => ({ 'settings.command': 'javascript', 'settings.args': PROGRAM, ...more })
async function add(person: Person, name: string, more: Record<string, string> = {}): Promise<string> {
  const form = await person.open('/connections/new?connector=stdio')
  return new URL((await person.submit(form, '/connections', { name, ...settings(more) })).url).pathname
}
async function until(person: Person, page: string, text: string | RegExp): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { html } = await person.open(page)
    if (typeof text === 'string' ? html.includes(text) : text.test(html)) return html
    await Bun.sleep(50)
  }
  throw new Error(`${page} never said ${text}`)
}
const allow = (users: string[], commands: string) =>
  browser.post('/admin/programs/policy', { ...(users.length > 0 && { user_id: users }), commands })
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)

describe('who may', () => {
  test('[PROGRAM-WHO] a member may not, until an administrator allows it; then their program stops when it is taken back', async () => {
    const asBen = createBrowser(running.url)
    await asBen.post('/login', BEN)
    const form = { connector: 'stdio', name: 'Ben’s', ...settings() }
    expect((await asBen.post('/connections', form)).status).toBe(403)
    expect((await asBen.get('/admin/programs')).status).toBe(403)
    expect((await asBen.post('/admin/programs/policy', { user_id: benId, commands: '' })).status).toBe(403)

    expect((await allow([benId], '')).status).toBe(303)
    const page = await add(ben, 'Ben’s')
    await until(ben, page, 'where')
    const pid = Number(/<dt>Process<\/dt><dd>(\d+)/.exec((await ben.open(page)).html)?.[1])
    expect(isAlive(pid)).toBe(true)

    await allow([], '')
    expect(isAlive(pid)).toBe(false)
    await ben.submit(await ben.open(page), `${page}/check`, {})
    await until(ben, page, 'Its owner may not run programs here any more')
    expect((await asBen.post('/connections', { ...form, name: 'Another' })).status).toBe(403)
  })

  test('[PROGRAM-COMMANDS] only listed programs start, those of connections that exist included', async () => {
    const page = await add(ada, 'Listed')
    await until(ada, page, 'where')
    await allow([], 'npx\n/usr/bin/env')
    await ada.submit(await ada.open(page), `${page}/check`, {})
    await until(ada, page, '“javascript” is not among the programs that an administrator allowed to run here.')
    const refused = await browser.post('/connections', { connector: 'stdio', name: 'Other', ...settings({ 'settings.command': 'sh' }) })
    expect(refused.status).toBe(422)
    expect(await refused.text()).toContain('“sh” is not among the programs')

    await allow([], 'javascript')
    await ada.submit(await ada.open(page), `${page}/check`, {})
    await until(ada, page, 'Working')
    const smuggled = { connector: 'stdio', name: 'Other', ...settings({ 'settings.env': 'NODE_OPTIONS=--import=data:text/javascript,1' }) }
    expect((await browser.post('/connections', smuggled)).status).toBe(422)
    const changed = await browser.post(page, { name: 'Listed', ...settings({ 'settings.command': 'bash' }) })
    expect(changed.status).toBe(422)
    expect((await allow([], 'npx -y')).status).toBe(422)
    expect((await allow([], './run')).status).toBe(422)
    await allow([], '')
  })

  test('[PROGRAM-GIFT] whoever uses a program with their own credential cannot make another program of it', async () => {
    const page = await add(ada, 'Shared', { sharing: 'each' })
    await until(ada, page, 'where')
    const asBen = createBrowser(running.url)
    await asBen.post('/login', BEN)
    const [seen = ''] = valuesOf((await ben.open(page)).html, 'seen')
    const give = (env: string) => asBen.post(`${page}/credential`, { seen, 'settings.env': env })
    for (const env of ['BUN_OPTIONS=--preload=/tmp/x.ts', 'LD_PRELOAD=/tmp/x.so']) {
      const refused = await give(env)
      expect(refused.status).toBe(422)
      expect(await refused.text()).toContain('would load other code into the program')
    }
    expect((await give('API_KEY=mine')).status).toBe(303)
  })

  const member = { id: 'usr_1' as UserId, role: 'member' as const }
  const admin = { id: 'usr_2' as UserId, role: 'admin' as const }
  const policy = (users: UserId[], commands: string[] | null): ProgramPolicy => ({ users, commands })
  test.each([
    ['an administrator, any', admin, policy([], null), { command: 'sh' }, 'yes'],
    ['an administrator, not listed', admin, policy([], ['npx']), { command: 'sh' }, 'not-this-command'],
    ['a member', member, policy([], null), { command: 'sh' }, 'not-this-user'],
    ['an allowed member', member, policy([member.id], null), { command: 'sh' }, 'yes'],
    ['a name is not a path', member, policy([member.id], ['npx']), { command: '/tmp/npx' }, 'not-this-command'],
    ['a path is not its name', member, policy([member.id], ['/usr/bin/npx']), { command: 'npx' }, 'not-this-command'],
    ['no prefix', member, policy([member.id], ['/usr/bin/npx']), { command: '/usr/bin/npx2' }, 'not-this-command'],
    ['another PATH', admin, policy([], ['npx']), { command: 'npx', variables: ['PATH'] }, 'not-this-variable'],
    ['in small letters', admin, policy([], ['npx']), { command: 'npx', variables: ['ld_preload'] }, 'not-this-variable'],
    ['a key', admin, policy([], ['npx']), { command: 'npx', variables: ['API_KEY'] }, 'yes'],
    ['no command at all', member, policy([member.id], ['npx']), {}, 'yes'],
  ] as const)('[PROGRAM-COMMANDS] the rule: %s', (_name, user, rule, asked, verdict) => {
    expect(mayDefine(user, rule, asked)).toBe(verdict)
  })
})

describe('one that runs', () => {
  let page = ''
  let token = ''
  const call = async (name: string, args: object = {}) => {
    const answer = await readMcp(await callMcp(running, 'programs', token, 'tools/call', { name, arguments: args }))
    return JSON.stringify(answer.result?.['content'] ?? answer.error)
  }
  const whereIs = async () => Number(/text\\?":\\?"(\d+)/.exec(await call('where'))?.[1])
  beforeAll(async () => {
    for (const name of ['Listed', 'Shared']) {
      const { html } = await ada.open('/connections')
      const path = new RegExp(`href="(/connections/con_[^"]+)"[^>]*>(?:<bdi>)?${name}`).exec(html)?.[1]
      if (path) await ada.submit(await ada.open(path), `${path}/delete`, {})
    }
    page = await add(ada, 'Program', { 'settings.memoryMb': '256' })
    await until(ada, page, 'where')
    await makeProfile(ada, 'Programs', 4)
    token = (await connectApp(running, ada, { profile: 'programs' })).access_token
  }, 30_000)

  test('[PROGRAM-PAGE] the page tells what runs; stopping it ends the process, and the next use starts another', async () => {
    const pid = await whereIs()
    expect(isAlive(pid)).toBe(true)
    const admin = await ada.open('/admin/programs')
    for (const text of [String(pid), 'Program', '256 MB', PROGRAM, 'Landlock', 'No shell']) expect(admin.html).toContain(text)
    const own = await ada.open(page)
    for (const text of ['What protects this machine from it', String(pid), 'id="log"']) expect(own.html).toContain(text)
    const [connection] = valuesOf(admin.html, 'connection_id')
    const [user] = valuesOf(admin.html, 'user_id')
    expect((await browser.post('/admin/programs/stop', { connection_id: connection ?? '', user_id: user ?? '' })).status).toBe(303)
    expect(isAlive(pid)).toBe(false)
    const next = await whereIs()
    expect(next).not.toBe(pid)
    expect(isAlive(next)).toBe(true)
  })

  test('[PROGRAM-IDLE] it ends when nobody uses it, and starts again at the next use', async () => {
    const pid = await whereIs()
    for (let tries = 0; isAlive(pid) && tries < 100; tries += 1) await Bun.sleep(100)
    expect(isAlive(pid)).toBe(false)
    expect((await ada.open(page)).html).toContain('Stopped until it is used')
    expect(isAlive(await whereIs())).toBe(true)
  }, 15_000)

  test('[PROGRAM-MEMORY] it is ended when it holds more memory than its connection allows, and its page says so', async () => {
    expect(await call('grow', { mb: 10 })).toContain('10')
    const pid = await whereIs()
    // Answered first: on a busy machine it is ended before all of it is taken.
    expect(await call('grow', { mb: 400, afterwards: true })).toContain('10')
    for (let tries = 0; isAlive(pid) && tries < 60; tries += 1) await Bun.sleep(100)
    expect(isAlive(pid)).toBe(false)
    expect((await ada.open(page)).html).toContain('It held more than 256 MB of memory and was ended.')
  }, 15_000)

  test('[PROGRAM-RESTART] one that keeps dying waits longer each time, and the pages say how long', async () => {
    await browser.post(`${page}/check`, {})
    expect(isAlive(await whereIs())).toBe(true)
    const waits: number[] = []
    for (let death = 0; death < 4; death += 1) {
      await call('die')
      const seconds = Number(/Restarts in (\d+) s/.exec((await ada.open(page)).html)?.[1] ?? 0)
      waits.push(seconds)
      if (seconds > 0) {
        expect(await call('where')).toContain('cannot be reached')
        expect((await ada.open(page)).html).toContain('The program ended by itself (exit code 3).')
        expect((await ada.open('/admin/programs')).html).toMatch(/Restarts in \d+ s/)
      }
      if (death < 3) await Bun.sleep(seconds * 1_000)
    }
    expect(waits).toEqual([0, 1, 2, 4])
    // Somebody who asks to try again is not made to wait.
    await browser.post(`${page}/check`, {})
    await until(ada, page, 'Running')
    expect(isAlive(await whereIs())).toBe(true)
  }, 30_000)

  test('[PROGRAM-FETCHES] before it is added the form says what will be downloaded, and from where in general', async () => {
    const ask = async (command: string, args: string) =>
      (await browser.post('/programs/fetches', { 'settings.command': command, 'settings.args': args }, { 'hx-request': 'true' })).text()
    expect(await ask('npx', '-y\n@modelcontextprotocol/server-everything')).toMatch(/server-everything.* from the npm registry/)
    expect(await ask('uvx', 'mcp-server-git')).toMatch(/mcp-server-git.* from the Python package index/)
    expect(await ask('docker', 'run\n-i\n--rm\n-e\nTOKEN\nmcp/time')).toMatch(/the image “mcp\/time”.* container registry/)
    expect(await ask('sh', '-c\ntrue')).not.toContain('downloads')
    expect((await ada.open('/connections/new?connector=stdio')).html).toContain('hx-post="/programs/fetches"')
  })
})
