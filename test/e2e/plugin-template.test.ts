/** A newcomer's plugin in the compiled executable: the template as it is, a change to it, and one that needs a package. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { valuesOf } from '../../bench/person.ts'
import { makeProfile, type Person, signedIn } from '../support/journey.ts'
import { manifestOf, putPlugin, saying } from '../support/outside-plugins.ts'
import { createRealClient, type RealClient } from '../support/real-clients.ts'
import { EXECUTABLE, type Running, setUp, startToolpass } from '../support/running.ts'

const TEMPLATE = resolve(import.meta.dir, '../../templates/plugin')
const work = mkdtempSync(join(tmpdir(), 'toolpass-template-'))
const dataDir = join(work, 'data')
const dice = join(dataDir, 'plugins/dice')

let running: Running
let ada: Person
let app: RealClient

beforeAll(async () => {
  running = await startToolpass({ compiled: true, dataDir })
  await setUp(running)
  ada = await signedIn(running)
})
afterAll(async () => {
  await running.stop()
  rmSync(work, { recursive: true, force: true })
})

const reload = async () => (await ada.submit(await ada.open('/admin/plugins'), '/admin/plugins/reload', {})).html

async function consent(url: URL): Promise<URL> {
  const asked = await ada.open(url.pathname + url.search)
  const filled = { decision: 'allow', tool_id: valuesOf(asked.html, 'tool_id'), expires: 'never' }
  const { location } = await ada.submit(asked, '/oauth/authorize/decide', filled)
  return new URL(location ?? '')
}
const roll = async (count: number) => {
  const [name = ''] = (await app.listTools()).filter((tool) => tool.endsWith('roll'))
  const { content, isError } = await app.callTool(name, { count })
  return isError ? [] : (content[0]?.text ?? '').split(', ').map(Number)
}

test('[PLUGIN-TEMPLATE] the template is dropped in, reloaded, connected on the pages, and called by an app', async () => {
  cpSync(TEMPLATE, dice, { recursive: true })
  expect(await reload()).toContain('Started dice.')
  const form = await ada.open('/connections/new?connector=dice')
  expect(form.html).toContain('How many sides each die has.')
  await ada.submit(form, '/connections', { name: 'Dice', 'settings.sides': '8' })
  await makeProfile(ada, 'Games', 1)
  app = await createRealClient('v2', `${running.url}/mcp/games`, consent)
  const thrown = await roll(20)
  expect(thrown).toHaveLength(20)
  for (const one of thrown) expect(one >= 1 && one <= 8).toBe(true)
  expect(await roll(99)).toEqual([])
})

test('[PLUGIN-RELOAD] the change that the guide proposes holds after a reload, without a restart', async () => {
  const code = join(dice, 'index.ts')
  const text = readFileSync(code, 'utf8')
  writeFileSync(code, text.replace(/const throwDie = .*/, 'const throwDie = (sides: number) => sides'))
  expect(readFileSync(code, 'utf8')).not.toBe(text)
  expect(await reload()).toContain('Started again dice.')
  expect(await roll(3)).toEqual([8, 8, 8])
})

test('[PLUGIN-HOST-MODULE] it starts with the executable as well, and its connection works at once', async () => {
  await running.stop()
  running = await startToolpass({ compiled: true, dataDir, port: running.port })
  expect(await roll(2)).toEqual([8, 8])
})

test('[PLUGIN-PACKAGES] a missing package is named, and the executable installs it', async () => {
  const folder = putPlugin(dataDir, 'wordy', manifestOf('wordy'), {
    'index.ts': saying('wordy', 'word', { before: "import { word } from 'words'" }),
    'package.json': JSON.stringify({ name: 'wordy', private: true, dependencies: { words: 'file:./words' } }),
    'words/package.json': JSON.stringify({ name: 'words', version: '1.0.0', main: 'index.js' }),
    'words/index.js': "exports.word = 'from a package'",
  })
  const html = await reload()
  expect(html).toContain('It needs the package &quot;words&quot;, which is not installed.')
  const home = join(work, 'home')
  mkdirSync(home)
  // No registry can be reached here: what is installed comes from the folder alone.
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, BUN_BE_BUN: '1', BUN_CONFIG_REGISTRY: 'http://127.0.0.1:9/' }
  const child = Bun.spawn([EXECUTABLE, 'install'], { cwd: folder, env, stdout: 'ignore', stderr: 'pipe' })
  const [problem, status] = await Promise.all([new Response(child.stderr).text(), child.exited])
  expect({ status, problem: status === 0 ? '' : problem }).toEqual({ status: 0, problem: '' })
  expect(await reload()).toContain('Started wordy.')
})
