/** Connectors that bring more than code into the executable: a library loaded when needed, a runner of its own, programs. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'
import { startSseUpstream } from '../support/sse-upstream.ts'
import { buildModule } from '../support/wasm-module.ts'

let running: Running
const old = await startSseUpstream()
const api = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => Response.json({ asked: new URL(request.url).pathname }) })
beforeAll(async () => {
  running = await startToolpass({ compiled: true })
  await setUp(running)
}, 60_000)
afterAll(async () => {
  await running.stop()
  running.remove()
  await Promise.all([old.stop(), api.stop(true)])
})

async function addConnection(person: Person, name: string, connector: string, settings: Record<string, string>) {
  const fields = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`settings.${key}`, value]))
  await person.submit(await person.open(`/connections/new?connector=${connector}`), '/connections', { name, ...fields })
}

test('[WASM-EXECUTABLE] a module, a web API and a server of before 2025 serve an app through the executable', async () => {
  const person = await signedIn(running)
  const module = Buffer.from(buildModule()).toString('base64')
  const document = {
    openapi: '3.0.3',
    info: { title: 'API', version: '1' },
    servers: [{ url: api.url.origin }],
    paths: { '/ask': { get: {} } },
  }
  await addConnection(person, 'Module', 'wasm', { module, settings: 'greeting=hello', timeoutSeconds: '1' })
  await addConnection(person, 'Web', 'openapi', { document: JSON.stringify(document) })
  await addConnection(person, 'Old', 'streamable-http', { url: old.url })
  await makeProfile(person, 'All', 13 + 1 + 4)
  const { access_token } = await connectApp(running, person, { profile: 'all' })
  const list = await readMcp(await callMcp(running, 'all', access_token, 'tools/list'))
  const names = ((list.result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
  const call = async (ending: string, args = {}) => {
    const name = names.find((each) => each.endsWith(ending)) ?? `no tool ${ending} among ${names}`
    return (await readMcp(await callMcp(running, 'all', access_token, 'tools/call', { name, arguments: args }))).result
  }
  expect(await call('config', { key: 'greeting' })).toMatchObject({ content: [{ text: 'hello' }] })
  expect(await call('spin')).toMatchObject({ isError: true, content: [{ text: 'The module took longer than 1 s and was stopped.' }] })
  expect(await call('count')).toMatchObject({ content: [{ text: '1' }] })
  expect(await call('get_ask')).toMatchObject({ structuredContent: { asked: '/ask' } })
  expect(await call('announce')).toMatchObject({ content: [{ text: 'announce' }] })
}, 90_000)
