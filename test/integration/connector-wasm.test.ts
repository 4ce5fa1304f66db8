import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import type { JsonObject } from '@/plugins/index.ts'
import { ask, openHouse } from '../support/channels.ts'
import { eventually } from '../support/outside.ts'
import { buildModule } from '../support/wasm-module.ts'

const house = openHouse()
let bytes: Uint8Array
let seen: { path: string; headers: Headers; body: string }[] = []
const web = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    const { pathname } = new URL(request.url)
    seen.push({ path: pathname, headers: request.headers, body: await request.text() })
    if (pathname === '/module.wasm') return new Response(bytes as Uint8Array<ArrayBuffer>)
    if (pathname === '/away') return Response.redirect('http://127.0.0.1:1/', 302)
    return new Response('from the web', { status: 201 })
  },
})
const host = `127.0.0.1:${web.port}`
beforeAll(() => {
  bytes = buildModule()
}, 60_000)
afterAll(async () => {
  await house.close()
  await web.stop(true)
})

const base64 = () => Buffer.from(bytes).toString('base64')
const opened: { close(): Promise<void> }[] = []
async function open(settings: JsonObject = {}, by = {}) {
  const one = await house.open('wasm', { module: base64(), ...settings }, by)
  opened.push(one.channel)
  return one
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((channel) => channel.close()))
})
type Content = { text: string }[]
async function call(channel: Awaited<ReturnType<typeof open>>['channel'], name: string, args: JsonObject = {}, signal?: AbortSignal) {
  const { result } = await ask(channel, 'tools/call', { name, arguments: args }, { modern: true, ...(signal && { signal }) })
  return { text: (result?.['content'] as Content | undefined)?.[0]?.text ?? '', isError: result?.['isError'] === true }
}
/** Our direct and indirect children that run a module. */
const runners = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        /plugins\/wasm\/runner\.ts/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) &&
        readFileSync(`/proc/${pid}/environ`, 'utf8').includes(house.dataDir)
      )
    } catch {
      return false
    }
  })

describe('a module', () => {
  test('[WASM-TOOLS] lists what it describes and answers calls, its settings and secrets in hand', async () => {
    const { channel } = await open({ settings: { greeting: 'hello' }, secrets: { key: 'sealed' } })
    const discovered = await ask(channel, 'server/discover', {}, { modern: true })
    expect(discovered.result).toMatchObject({ supportedVersions: ['2026-07-28'], instructions: 'For tests.' })
    const { result } = await ask(channel, 'tools/list', {}, { modern: true })
    expect((result?.['tools'] as { name: string }[] | undefined)?.map(({ name }) => name)).toContain('echo')
    expect(await call(channel, 'echo', { message: 'straße 🙂' })).toEqual({ text: 'straße 🙂', isError: false })
    expect(await call(channel, 'config', { key: 'greeting' })).toEqual({ text: 'hello', isError: false })
    expect(await call(channel, 'config', { key: 'key' })).toEqual({ text: 'sealed', isError: false })
    for (const key of ['toString', '__proto__', 'PATH']) expect((await call(channel, 'config', { key })).text).toBe('(nothing)')
    await channel.close()
  })
  test('[WASM-SANDBOX] keeps nothing from one call to the next', async () => {
    const { channel } = await open()
    for (const _ of [1, 2, 3]) expect((await call(channel, 'count')).text).toBe('1')
    await channel.close()
  })
  test('[WASM-SANDBOX] has of WASI the clock and a log, and no file', async () => {
    const { channel, heard } = await open()
    const [wrote, opened, seconds] = (await call(channel, 'wasi')).text.split(' ').map(Number)
    expect([wrote, opened]).toEqual([0, 52])
    expect(Math.abs((seconds ?? 0) - Date.now() / 1_000)).toBeLessThan(10)
    expect(heard.lines).toEqual(['by WASI'])
  })
  test('[WASM-SANDBOX] serves calls side by side, each with its own answer, in two processes at most', async () => {
    const { channel } = await open()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => call(channel, 'echo', { message: `number ${at}` })))
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, at) => `number ${at}`))
    expect(runners().length).toBeGreaterThan(0)
    expect(runners().length).toBeLessThanOrEqual(2)
    await channel.close()
    expect(await eventually(() => runners().length === 0)).toBe(true)
  })
})

describe('a module that misbehaves', () => {
  test('[WASM-LIMITS] by spinning is stopped at its time limit, for good, and the next call is served', async () => {
    const { channel } = await open({ timeoutSeconds: 1 })
    const startMs = performance.now()
    expect(await call(channel, 'spin')).toEqual({ text: 'The module took longer than 1 s and was stopped.', isError: true })
    expect(performance.now() - startMs).toBeLessThan(2_500)
    expect((await call(channel, 'echo', { message: 'still here' })).text).toBe('still here')
    expect(await eventually(() => runners().length <= 1)).toBe(true)
    await channel.close()
  })
  test('[WASM-LIMITS] by spinning is stopped at once when the call is given up', async () => {
    const { channel } = await open()
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 200)
    await expect(call(channel, 'spin', {}, abort.signal)).rejects.toMatchObject({ name: 'ChannelError', kind: 'lost' })
    expect(await eventually(() => runners().length === 0)).toBe(true)
    expect((await call(channel, 'echo', { message: 'still here' })).text).toBe('still here')
    await channel.close()
  })
  test('[WASM-LIMITS] by taking memory gets what it may have and no more', async () => {
    const { channel } = await open({ memoryMb: 16 })
    expect(Number((await call(channel, 'eat')).text)).toBeLessThanOrEqual(16)
    expect(await call(channel, 'blocks')).toEqual({ text: 'The module failed: the module used up its memory.', isError: true })
    expect((await call(channel, 'echo', { message: 'still here' })).text).toBe('still here')
    await channel.close()
  })
  test.each([
    ['throw', 'The module failed: Plugin-originated error: not with me.'],
    ['nonsense', 'The module answered with something that is no result of a tool.'],
  ])('[WASM-LIMITS] by %s is answered with an error that the model can read', async (name, text) => {
    const { channel } = await open()
    expect(await call(channel, name)).toEqual({ text, isError: true })
    await channel.close()
  })
  test('[WASM-LIMITS] by answering with too much, or logging without end, is cut off', async () => {
    const { channel, heard } = await open({ memoryMb: 256 })
    expect(await call(channel, 'large')).toMatchObject({
      isError: true,
      text: expect.stringContaining('more than the 8388608 it may have'),
    })
    expect((await call(channel, 'log')).text).toBe('logged')
    expect(heard.lines.length).toBe(100)
    await channel.close()
  })
  const refused: [string, () => JsonObject, string][] = [
    ['no module', () => ({ module: Buffer.from('hello').toString('base64') }), 'The file is no sound WebAssembly module.'],
    ['no base64', () => ({ module: '<script>' }), 'The module is neither an address nor base64.'],
    ['cut short', () => ({ module: Buffer.from(bytes.subarray(0, 500)).toString('base64') }), 'The file is no sound WebAssembly module.'],
    ['another one than was pinned', () => ({ sha256: '0'.repeat(64) }), `The module is another one than was pinned: its SHA-256 is`],
    ['empty', () => ({ module: 'AGFzbQEAAAA=' }), 'The module does not export “describe”.'],
  ]
  test.each(refused)('[WASM-PINNED] %s is refused with the reason, and nothing is left', async (_what, settings, message) => {
    await expect(open(settings())).rejects.toMatchObject({
      name: 'ChannelError',
      kind: 'refused',
      message: expect.stringContaining(message),
    })
    expect(await eventually(() => runners().length === 0)).toBe(true)
  })
})

describe('what a module may reach', () => {
  test('[WASM-HOSTS] is the hosts that were named, by the guarded fetch', async () => {
    seen = []
    const { channel } = await open({ hosts: [host] })
    expect(await call(channel, 'fetch', { url: `http://${host}/a` })).toEqual({ text: '201 from the web', isError: false })
    expect(seen[0]).toMatchObject({ path: '/a', body: 'from the module' })
    expect(seen[0]?.headers.get('x-of-the-module')).toBe('yes')
    // A redirect is an answer: where it leads is asked for anew, or not at all.
    expect((await call(channel, 'fetch', { url: `http://${host}/away` })).text).toStartWith('302')
    for (const url of [
      `http://localhost:${web.port}/`,
      'http://example.com/',
      `http://${host}@example.com/`,
      'file:///etc/passwd',
      '/etc/passwd',
    ])
      expect(await call(channel, 'fetch', { url })).toMatchObject({ isError: true, text: expect.stringContaining('it may not reach') })
    expect(seen).toHaveLength(2)
    expect((await call(channel, 'fetch', { url: `http://${host}/a`, times: 'many' })).text).toContain('more than 100 times')
    expect(seen).toHaveLength(102)
    await channel.close()
  })
  test('[WASM-HOSTS] is no private address unless an administrator owns the connection', async () => {
    seen = []
    const { channel } = await open({ hosts: [host] }, { privateAllowed: false })
    expect(await call(channel, 'fetch', { url: `http://${host}/a` })).toMatchObject({
      isError: true,
      text: expect.stringContaining('not allowed'),
    })
    expect(seen).toEqual([])
    await channel.close()
  })
  test('[WASM-PINNED] a module by its address is the pinned one or none', async () => {
    const sha256 = new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
    const { channel } = await open({ module: `http://${host}/module.wasm`, sha256 })
    expect((await call(channel, 'echo', { message: 'fetched' })).text).toBe('fetched')
    await channel.close()
    await expect(open({ module: `http://${host}/away` })).rejects.toMatchObject({ name: 'ChannelError' })
  })
})
