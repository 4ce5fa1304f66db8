import { afterAll, describe, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import { type Channel, ChannelError, type RawAnswer, type UpstreamMessage } from '@/plugins/index.ts'
import { ask, greet, openHouse } from '../support/channels.ts'
import { eventually } from '../support/outside.ts'
import { startLegacyUpstream, startModernUpstream } from '../support/upstreams.ts'

const house = openHouse()
const modern = startModernUpstream()
const legacy = startLegacyUpstream()
afterAll(async () => {
  await house.close()
  await Promise.all([modern.stop(), legacy.stop()])
})

const EVERYTHING = resolve(import.meta.dir, '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const openEverything = (env: Record<string, string> = {}) =>
  house.open('stdio', { command: 'javascript', args: [EVERYTHING, 'stdio'], env })
const openLegacy = (headers = {}) => house.open('streamable-http', { url: legacy.url, headers })
const openModern = (headers = {}) => house.open('streamable-http', { url: modern.url, headers })

type Subject = { name: string; open: typeof openEverything; modern: boolean; slow: { name: string; arguments: object }; steps: number }
const SUBJECTS: readonly Subject[] = [
  {
    name: 'stdio, server-everything',
    open: openEverything,
    modern: false,
    slow: { name: 'trigger-long-running-operation', arguments: { duration: 0.09, steps: 3 } },
    steps: 3,
  },
  { name: 'HTTP, legacy with sessions (SDK 1)', open: openLegacy, modern: false, slow: { name: 'slow', arguments: {} }, steps: 3 },
  { name: 'HTTP, 2026-07-28 (SDK 2)', open: openModern, modern: true, slow: { name: 'slow', arguments: {} }, steps: 3 },
]

describe.each(SUBJECTS)('a channel keeps the contract: $name', (subject) => {
  const { modern: isModern } = subject
  async function ready(capabilities = {}) {
    const { channel, heard } = await subject.open()
    if (!isModern) await greet(channel, capabilities)
    const call = (name: string, args: object, extra = {}) =>
      ask(channel, 'tools/call', { name, arguments: args }, { modern: isModern, ...extra })
    return { channel, heard, call }
  }
  const contentOf = async (response: ReturnType<typeof ask>) =>
    ((await response).result?.['content'] as { text: string }[] | undefined)?.[0]?.text

  test('lists and calls tools', async () => {
    const { channel, call } = await ready()
    const list = await ask(channel, 'tools/list', {}, { modern: isModern })
    expect((list.result?.['tools'] as { name: string }[] | undefined)?.map(({ name }) => name)).toContain('echo')
    expect(await contentOf(call('echo', { message: 'straße 🙂' }))).toContain('straße 🙂')
    await channel.close()
  })
  test('gives each of many parallel requests its own answer', async () => {
    const { channel, call } = await ready()
    const answers = await Promise.all(Array.from({ length: 30 }, (_, at) => contentOf(call('echo', { message: `number ${at}.` }))))
    answers.forEach((answer, at) => {
      expect(answer).toContain(`number ${at}.`)
    })
    await channel.close()
  })
  test('hands progress to the request it belongs to, in order, before the response', async () => {
    const { channel, heard, call } = await ready()
    const events: unknown[] = []
    const receive = ({ method, params }: UpstreamMessage) =>
      void events.push(method === 'notifications/progress' ? params?.['progress'] : method)
    const stranger: UpstreamMessage[] = []
    const [answer] = await Promise.all([
      call(subject.slow.name, subject.slow.arguments, { receive }),
      call('echo', { message: 'x' }, { receive: (message: UpstreamMessage) => void stranger.push(message) }),
    ])
    events.push(answer.result === undefined ? 'error' : 'response')
    expect(events).toEqual([1, 2, 3, 'response'])
    expect(stranger).toEqual([])
    expect(heard.messages.filter(({ method }) => method === 'notifications/progress')).toEqual([])
    await channel.close()
  })
  test('brings an error of the upstream as a response, not as a broken channel', async () => {
    const { channel } = await ready()
    const response = await ask(channel, 'no/such-method', {}, { modern: isModern })
    expect(response.error?.code).toBe(-32601)
    await channel.close()
  })
  test('gives up at once when asked to, and serves on', async () => {
    const { channel, call } = await ready()
    const abort = new AbortController()
    const slow =
      isModern || subject.name.startsWith('HTTP')
        ? call('forever', {}, { signal: abort.signal })
        : call(subject.slow.name, { duration: 30, steps: 2 }, { signal: abort.signal })
    setTimeout(() => abort.abort(), 50)
    const startMs = performance.now()
    await expect(slow).rejects.toMatchObject({ name: 'ChannelError', kind: 'lost' })
    expect(performance.now() - startMs).toBeLessThan(5_000)
    await expect(call('echo', {}, { signal: abort.signal })).rejects.toMatchObject({ kind: 'lost' })
    expect(await contentOf(call('echo', { message: 'still here' }))).toContain('still here')
    await channel.close()
  })
  test('closes twice without a word, and takes what is under way with it', async () => {
    const { channel, heard, call } = await ready()
    const slow = isModern || subject.name.startsWith('HTTP') ? call('forever', {}) : call(subject.slow.name, { duration: 30, steps: 2 })
    const outcome = slow.catch((error) => error)
    await Bun.sleep(30)
    const startMs = performance.now()
    await Promise.all([channel.close(), channel.close()])
    expect(performance.now() - startMs).toBeLessThan(5_000)
    expect(await outcome).toMatchObject({ name: 'ChannelError', kind: 'lost' })
    expect(heard.closed).toEqual([])
    await expect(call('echo', {})).rejects.toMatchObject({ kind: 'lost' })
  })
})

/** A legacy upstream asks us; the answer goes back by `respond`. */
async function answerSampling(channel: Channel, tool: string, args: object, requests: UpstreamMessage[], exchangeHears: boolean) {
  const answer = (message: UpstreamMessage) => {
    requests.push(message)
    if (!('id' in message) || message.method !== 'sampling/createMessage') return
    const result = { role: 'assistant', model: 'none', content: { type: 'text', text: 'forty-two' } }
    void channel.respond({ jsonrpc: '2.0', id: message.id, result })
  }
  const response = await ask(channel, 'tools/call', { name: tool, arguments: args }, exchangeHears ? { receive: answer } : {})
  return { response, answer }
}

describe('a legacy upstream that asks back', () => {
  test('over HTTP is heard within the request, and answered', async () => {
    const { channel } = await openLegacy()
    await greet(channel, { sampling: {} })
    const requests: UpstreamMessage[] = []
    const { response } = await answerSampling(channel, 'ask', {}, requests, true)
    expect(JSON.stringify(response.result)).toContain('forty-two')
    expect(requests.map(({ method }) => method)).toEqual(['sampling/createMessage'])
    await channel.close()
  })
  test('over stdio is heard on the channel, and answered', async () => {
    let respond = (_: UpstreamMessage) => {}
    const { channel } = await house.open(
      'stdio',
      { command: 'javascript', args: [EVERYTHING, 'stdio'] },
      { receive: (message) => respond(message) },
    )
    respond = (message) => {
      if (!('id' in message)) return
      const result =
        message.method === 'sampling/createMessage'
          ? { role: 'assistant', model: 'none', content: { type: 'text', text: 'forty-two' } }
          : {}
      void channel.respond({ jsonrpc: '2.0', id: message.id, result })
    }
    await greet(channel, { sampling: {} })
    let response = await ask(channel, 'tools/call', { name: 'trigger-sampling-request', arguments: { prompt: 'hi', maxTokens: 10 } })
    expect(
      await eventually(async () => {
        response = await ask(channel, 'tools/call', { name: 'trigger-sampling-request', arguments: { prompt: 'hi', maxTokens: 10 } })
        return JSON.stringify(response.result).includes('forty-two')
      }),
    ).toBe(true)
    await channel.close()
  })
})

describe('legacy sessions', () => {
  test('carry id and revision after initialize, open the stream for notices, and end with DELETE', async () => {
    legacy.seen.length = 0
    const { channel, heard } = await openLegacy({ 'X-Api-Key': 'mine' })
    await greet(channel)
    expect(await eventually(() => legacy.seen.some(({ method }) => method === 'GET'))).toBe(true)
    await Bun.sleep(50)
    await legacy.announce()
    expect(await eventually(() => heard.messages.some(({ method }) => method === 'notifications/tools/list_changed'))).toBe(true)
    await channel.close()
    const [first, ...later] = legacy.seen
    expect(first?.headers).not.toHaveProperty('mcp-session-id')
    expect(first?.headers).not.toHaveProperty('mcp-method')
    for (const { headers } of later)
      expect(headers).toMatchObject({ 'mcp-session-id': expect.any(String), 'mcp-protocol-version': '2025-11-25', 'x-api-key': 'mine' })
    expect(legacy.seen.at(-1)?.method).toBe('DELETE')
  })
  test('that the upstream forgot are expired', async () => {
    const { channel } = await openLegacy()
    await greet(channel)
    legacy.forget()
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject({ name: 'ChannelError', kind: 'expired' })
    await channel.close()
  })
})

const plain = { signal: new AbortController().signal, receive: () => undefined }
/** The answer as text, whether it came as bytes or was read from a stream. */
const textIn = (answer: RawAnswer | undefined): string =>
  answer?.bytes ? new TextDecoder().decode(answer.bytes) : JSON.stringify(answer?.response)

describe('the modern way', () => {
  test('says in the headers what the body says, names beyond ASCII encoded', async () => {
    modern.seen.length = 0
    const { channel } = await openModern()
    const response = await ask(channel, 'tools/call', { name: 'naïve name', arguments: {} }, { modern: true })
    expect(response.error).toBeUndefined()
    expect(modern.seen[0]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': `=?base64?${Buffer.from('naïve name').toString('base64')}?=`,
    })
    await channel.close()
  })
  test('brings errors with HTTP 400 and 404 as responses', async () => {
    const { channel } = await openModern()
    const version = await channel.request(
      {
        jsonrpc: '2.0',
        id: 'v',
        method: 'tools/list',
        params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2099-01-01', 'io.modelcontextprotocol/clientCapabilities': {} } },
      },
      { signal: new AbortController().signal, receive: () => {} },
    )
    expect(version).toMatchObject({ id: 'v', error: { code: -32022 } })
    const initialize = await ask(channel, 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    })
    expect(initialize.error?.code).toBe(-32022)
    await channel.close()
  })
  test('forwards bytes both ways without reading them', async () => {
    const { channel } = await openModern()
    const request = {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: {
        name: 'echo',
        arguments: { message: 'bytes' },
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
      },
    }
    const answer = await channel.forward?.({ id: 7, body: Buffer.from(JSON.stringify(request)), method: 'tools/call', name: 'echo' }, plain)
    expect(JSON.parse(textIn(answer))).toMatchObject({ id: 7, result: { content: [{ text: 'bytes' }] } })
    const text = await channel.forward?.(
      { id: 'text', body: JSON.stringify({ ...request, id: 'text' }), method: 'tools/call', name: 'echo' },
      plain,
    )
    expect(JSON.parse(textIn(text))).toMatchObject({ id: 'text', result: { content: [{ text: 'bytes' }] } })
    await channel.close()
    await expect(channel.forward?.({ id: 1, body: '{}', method: 'tools/call' }, plain)).rejects.toMatchObject({
      name: 'ChannelError',
      kind: 'lost',
    })
  })
  test('forwards within the session of an older revision', async () => {
    const { channel } = await openLegacy()
    const call = (id: number) =>
      JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: { message: `number ${id}` } } })
    await greet(channel)
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, id) => {
        return textIn(await channel.forward?.({ id, body: call(id), method: 'tools/call', name: 'echo' }, plain))
      }),
    )
    answers.forEach((answer, id) => {
      expect(answer).toContain(`"id":${id}`)
      expect(answer).toContain(`number ${id}`)
    })
    await channel.close()
  })
  test('forwards until the channel is closed, and what is under way ends with it', async () => {
    const { channel } = await openModern()
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'forever',
        arguments: {},
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} },
      },
    })
    const hanging = (async () => {
      return textIn(await channel.forward?.({ id: 1, body, method: 'tools/call', name: 'forever' }, plain))
    })()
    await Bun.sleep(100)
    const closing = channel.close()
    await expect(hanging).rejects.toThrow()
    await closing
  })
})

describe('a program', () => {
  test('gets its own environment and none of ours', async () => {
    process.env['CANARY_OF_THE_HOUSE'] = 'canary'
    const { channel } = await openEverything({ API_KEY: 'of this connection' })
    await greet(channel)
    const env = JSON.stringify(await ask(channel, 'tools/call', { name: 'get-env', arguments: {} }))
    expect(env).toContain('of this connection')
    expect(env).not.toContain('canary')
    await channel.close()
  })
  test('that ends by itself loses what waits, and the channel is reported closed once', async () => {
    const { channel, heard } = await house.open('stdio', {
      command: 'javascript',
      args: ['-e', 'process.stdin.once("data", () => process.exit(3))'],
    })
    await expect(ask(channel, 'tools/list', {})).rejects.toMatchObject({
      kind: 'lost',
      message: 'The program ended by itself (exit code 3).',
    })
    expect(await eventually(() => heard.closed.length === 1)).toBe(true)
    await expect(ask(channel, 'tools/list', {})).rejects.toBeInstanceOf(ChannelError)
    await channel.close()
    expect(heard.closed).toHaveLength(1)
  })
  test('that is missing is named', async () => {
    const opening = house.open('stdio', { command: 'no-such-program', args: [] })
    await expect(opening).rejects.toMatchObject({
      kind: 'unreachable',
      message: '“no-such-program” is not on the machine that Toolpass runs on. Install it there, or give its full path.',
    })
  })
})
