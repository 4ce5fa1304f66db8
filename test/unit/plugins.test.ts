import { describe, expect, test } from 'bun:test'
import stdio from '../../plugins/stdio/index.ts'
import streamableHttp from '../../plugins/streamable-http/index.ts'
import { CallSignal } from '@/lib/call-signal.ts'
import { createOutbound } from '@/lib/outbound.ts'
import { ProgramError } from '@/lib/programs.ts'
import { type Channel, ChannelError, createPlugins, joinSettings, type OpenedBy, settingsForm, splitSettings } from '@/plugins/index.ts'
import { type ConnectorContext, defineConnector, z } from '@/plugins/api.ts'
import { eventually } from '../support/outside.ts'

const programs = { start: () => Promise.reject(new ProgramError('no programs in this test')) }
const host = (...plugins: unknown[]) => createPlugins({ plugins, outbound: createOutbound(), programs })
const channel: Channel = {
  shared: false,
  request: async ({ id }) => ({ jsonrpc: '2.0', id, result: {} }),
  notify: async () => {},
  respond: async () => {},
  close: async () => {},
}
const sound = (id: string, open: (context: never) => Promise<Channel> = async () => channel) => ({
  id,
  version: '1.0.0',
  title: id,
  connectors: [{ id, title: id, description: 'For a test.', settings: z.object({}), definedBy: 'anyone', summary: () => '', open }],
})
const by = (more: Partial<OpenedBy> = {}): OpenedBy => ({
  settings: {},
  key: 'con_1',
  privateAllowed: false,
  receive: () => {},
  log: () => {},
  closed: () => {},
  signal: new AbortController().signal,
  ...more,
})
const openWith = (open: (context: never) => Promise<Channel>, more: Partial<OpenedBy> = {}) => {
  const plugins = host(sound('one', open))
  return plugins.open(plugins.connector('one') as never, by(more))
}

describe('the host', () => {
  test('takes the built-in plugins', () => {
    const plugins = host(stdio, streamableHttp)
    expect(plugins.setAside()).toEqual([])
    expect(plugins.connectors().map(({ id, definedBy }) => [id, definedBy])).toEqual([
      ['stdio', 'administrator'],
      ['streamable-http', 'anyone'],
    ])
  })
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('mine')
      },
    },
  )
  const withConnector = (more: object) => ({ ...sound('bad'), connectors: [{ ...sound('bad').connectors[0], ...more }] })
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a string', 'plugin'],
    ['a bad id', { ...sound('x1'), id: '../etc' }],
    ['a bad connector id', withConnector({ id: 'Bad Id' })],
    ['no version', { ...sound('bad'), version: undefined }],
    ['no open', withConnector({ open: undefined })],
    ['settings that are no schema', withConnector({ settings: { type: 'object' } })],
    ['settings that make no form', withConnector({ settings: z.object({ at: z.date() }) })],
    ['getters that throw', throwing],
    ['an unknown definedBy', withConnector({ definedBy: 'nobody' })],
    ['two connectors of one id', { ...sound('bad'), connectors: [sound('bad').connectors[0], sound('bad').connectors[0]] }],
    ['a connector id that is taken', { ...sound('bad'), connectors: sound('first').connectors }],
  ])('sets aside a plugin with %s, and starts the rest', (_what, broken) => {
    const plugins = host(sound('first'), broken, sound('last'))
    expect(plugins.connectors().map(({ id }) => id)).toEqual(['first', 'last'])
    expect(plugins.setAside()).toHaveLength(1)
    expect(plugins.setAside()[0]?.reason).not.toBe('')
  })
})

describe('settings', () => {
  const connector = defineConnector({
    id: 'form',
    title: 'Form',
    description: 'For a test.',
    settings: z.object({ url: z.string().meta({ title: 'Address' }), key: z.string().meta({ secret: true }), size: z.number().default(1) }),
    definedBy: 'anyone',
    summary: ({ url = '' }) => url,
    open: async () => channel,
  })

  test('become a form with secrets marked; defaults are not required', () => {
    expect(settingsForm(connector)).toMatchObject({
      type: 'object',
      required: ['url', 'key'],
      properties: { url: { title: 'Address' }, key: { secret: true } },
    })
  })
  test('are parted into plain and secret and joined again; strangers are in neither', () => {
    const parted = splitSettings(connector, { url: 'u', key: 'k', admin: true, ['__proto__']: { admin: true } })
    expect(parted).toEqual({ plain: { url: 'u' }, secret: { key: 'k' } })
    expect(joinSettings(connector, parted)).toEqual({ url: 'u', key: 'k' })
  })
  test('a plain row never fills a secret field, nor the other way round', () => {
    expect(joinSettings(connector, { plain: { key: 'planted', url: 'u' }, secret: { url: 'planted', key: 'k' } })).toEqual({
      url: 'u',
      key: 'k',
    })
  })
  test('the built-in connectors keep headers and environment secret', () => {
    const plugins = host(stdio, streamableHttp)
    const secretsOf = (id: string) =>
      Object.entries(settingsForm(plugins.connector(id) as never).properties)
        .filter(([, { secret }]) => secret)
        .map(([name]) => name)
    expect(secretsOf('stdio')).toEqual(['env'])
    expect(secretsOf('streamable-http')).toEqual(['headers'])
  })
  test('that do not fit the schema do not open', async () => {
    const plugins = host(streamableHttp)
    const opening = plugins.open(plugins.connector('streamable-http') as never, by({ settings: { url: 'ftp://x' } }))
    await expect(opening).rejects.toMatchObject({
      name: 'ChannelError',
      kind: 'unreachable',
      message: 'The settings are not complete: url.',
    })
  })
})

describe('61: a connector that misbehaves', () => {
  const boom = () => {
    throw new Error('a path of this machine')
  }
  test.each<[string, () => Promise<Channel>]>([
    ['at once', boom],
    ['later', async () => boom()],
  ])('by throwing %s fails as a channel does, its text unseen', async (_when, open) => {
    await expect(openWith(open)).rejects.toMatchObject({ name: 'ChannelError', message: 'The connector failed.' })
  })
  test('by throwing in every method fails as a channel does, and closes all the same', async () => {
    const broken = {
      shared: false,
      request: boom,
      notify: async () => boom(),
      respond: async () => boom(),
      close: async () => boom(),
    } as unknown as Channel
    const opened = await openWith(async () => broken)
    const exchange = { signal: new AbortController().signal, receive: () => {} }
    await expect(opened.request({ jsonrpc: '2.0', id: 1, method: 'x' }, exchange)).rejects.toBeInstanceOf(ChannelError)
    await expect(opened.notify({ jsonrpc: '2.0', method: 'x' })).rejects.toBeInstanceOf(ChannelError)
    await opened.close()
  })
  test('by hanging is left behind, and what it opens after all is closed', async () => {
    const abort = new AbortController()
    const late = Promise.withResolvers<Channel>()
    let closed = 0
    const opening = openWith(() => late.promise, { signal: abort.signal })
    abort.abort()
    await expect(opening).rejects.toMatchObject({ kind: 'unreachable' })
    const close = async () => {
      closed += 1
    }
    late.resolve({ ...channel, close })
    await Bun.sleep(1)
    expect(closed).toBe(1)
  })
  test('by speaking after its end is not heard', async () => {
    const heard: unknown[] = []
    let context: { closed(reason: ChannelError): void; receive(message: unknown): void } | undefined
    const open = async (given: never) => {
      context = given
      return channel
    }
    const opened = await openWith(open, {
      closed: (reason) => void heard.push(reason.kind),
      receive: (message) => void heard.push(message),
    })
    for (const _ of [1, 2]) context?.closed(new ChannelError('lost', 'gone'))
    context?.receive({ jsonrpc: '2.0', method: 'late' })
    await opened.close()
    context?.closed(new ChannelError('lost', 'gone'))
    expect(heard).toEqual(['lost'])
  })
  test('by handing on deep JSON is stopped: the response fails, a message is dropped with a remark', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`)
    const lines: string[] = []
    let context: { receive(message: unknown): void } | undefined
    const open = async (given: never) => {
      context = given
      return { ...channel, request: async () => ({ jsonrpc: '2.0' as const, id: 1, result: deep }) }
    }
    const opened = await openWith(open, { log: (line) => void lines.push(line) })
    const request = opened.request({ jsonrpc: '2.0', id: 1, method: 'x' }, { signal: new AbortController().signal, receive: () => {} })
    await expect(request).rejects.toMatchObject({ kind: 'invalid' })
    context?.receive({ jsonrpc: '2.0', method: 'x', params: deep })
    expect(lines).toEqual(['The upstream sent JSON that is nested too deeply.'])
  })
  test('by asking for an address inside is refused, unless an administrator allowed it', async () => {
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => new Response(request.headers.get('authorization')) })
    const open = async (context: { fetch(url: string): Promise<Response> }) => {
      const texts = [
        await (await context.fetch(server.url.href)).text(),
        await (await context.fetch(`http://localhost:${server.port}/`)).text(),
      ]
      return { ...channel, request: async () => ({ jsonrpc: '2.0' as const, id: 1, result: { texts } }) }
    }
    await expect(openWith(open as never)).rejects.toMatchObject({ kind: 'unreachable' })
    // The credential goes to its own origin only, and localhost is another one.
    const credential = { origin: `http://127.0.0.1:${server.port}`, headers: () => ({ authorization: 'Bearer mine' }) }
    const opened = await openWith(open as never, { privateAllowed: true, credential })
    const { result } = await opened.request(
      { jsonrpc: '2.0', id: 1, method: 'x' },
      { signal: new AbortController().signal, receive: () => {} },
    )
    expect(result).toEqual({ texts: ['Bearer mine', ''] })
    await server.stop(true)
  })
  test.each([true, false])('by giving nothing up keeps no caller waiting (light signals: %p)', async (takesLightSignals) => {
    const deaf: Channel = { ...channel, takesLightSignals, forward: () => new Promise(() => undefined) }
    const opened = await openWith(async () => deaf)
    const ending = new CallSignal()
    const exchange = { signal: ending.signal, receive: () => undefined }
    const waits = opened.forward?.({ id: 1, body: '{}', method: 'tools/call' }, exchange)
    ending.abort(new Error('enough'))
    await expect(waits).rejects.toMatchObject({ name: 'ChannelError', kind: 'lost' })
    await expect(opened.forward?.({ id: 2, body: '{}', method: 'tools/call' }, exchange)).rejects.toMatchObject({ kind: 'lost' })
  })
  test('by throwing where it should reject is an answer to its caller all the same', async () => {
    const throwing = () => {
      throw new Error('mine')
    }
    const opened = await openWith(async () => ({ ...channel, takesLightSignals: true, forward: throwing }))
    const { signal } = new CallSignal()
    const waits = opened.forward?.({ id: 1, body: '{}', method: 'tools/call' }, { signal, receive: () => undefined })
    await expect(waits).rejects.toMatchObject({ name: 'ChannelError' })
  })
  test('by exchange that is given up waits for no credential, and one that comes later sends nothing', async () => {
    let asked = 0
    const answer = () => {
      asked += 1
      return new Response('{}')
    }
    await using server = Bun.serve({ port: 0, fetch: answer })
    const origin = `http://127.0.0.1:${server.port}`
    const { promise, resolve } = Promise.withResolvers<Record<string, string>>()
    const ending = new AbortController()
    let outcome: Promise<unknown> | undefined
    const open = async ({ exchange }: ConnectorContext<unknown>) => {
      outcome = exchange(origin, { method: 'POST', body: '{}', signal: ending.signal }).catch((error) => error)
      return channel
    }
    await openWith(open as never, { privateAllowed: true, credential: { origin, headers: () => promise } })
    ending.abort()
    expect(await outcome).toMatchObject({ name: 'ChannelError', kind: 'lost' })
    resolve({ authorization: 'Bearer mine' })
    await Bun.sleep(20)
    expect(asked).toBe(0)
  })
  test('by exchange gets the credential of the moment, for its own origin, over whatever the connector says, and ends with it', async () => {
    let hung = 0
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      fetch: async (request) => {
        if (!request.url.endsWith('/hang')) return new Response(request.headers.get('authorization'))
        hung += 1
        await new Promise((done) => request.signal.addEventListener('abort', done))
        hung -= 1
        return new Response()
      },
    })
    let context: ConnectorContext<unknown> | undefined
    const open = async (given: never) => {
      context = given
      return channel
    }
    const tokens: (() => Record<string, string> | Promise<Record<string, string>>)[] = []
    const credential = { origin: `http://127.0.0.1:${server.port}`, headers: () => tokens.shift()?.() ?? {} }
    const opened = await openWith(open, { privateAllowed: true, credential })
    const ask = async (url: string, headers: Record<string, string> = {}) =>
      new Response((await context?.exchange(url, { headers }))?.body).text()
    const record: Record<string, string> = { authorization: 'Bearer 3' }
    tokens.push(
      () => ({ authorization: 'Bearer 1' }),
      () => ({ Authorization: 'Bearer 2' }),
      () => record,
      async () => ({ authorization: 'Bearer 5' }),
    )
    expect(await ask(server.url.href)).toBe('Bearer 1')
    expect(await ask(server.url.href, { Authorization: 'Bearer of the connector' })).toBe('Bearer 2')
    expect(await ask(server.url.href)).toBe('Bearer 3')
    expect(await ask(`http://localhost:${server.port}/`)).toBe('')
    expect(await ask(server.url.href)).toBe('Bearer 5')
    record['authorization'] = 'Bearer 6'
    tokens.push(
      () => record,
      () => ({}),
      () => Promise.reject(new ChannelError('unauthorized', 'Sign in again.')),
    )
    expect(await ask(server.url.href)).toBe('Bearer 6')
    expect(await ask(server.url.href)).toBe('')
    await expect(ask(server.url.href)).rejects.toMatchObject({ name: 'ChannelError', kind: 'unauthorized' })
    await expect(ask('http://169.254.169.254/')).rejects.toMatchObject({ name: 'ChannelError', kind: 'unreachable' })

    const hanging = ask(`${server.url.href}hang`)
    expect(await eventually(() => hung === 1)).toBe(true)
    const closing = opened.close()
    await expect(hanging).rejects.toMatchObject({ name: 'ChannelError', kind: 'lost' })
    await closing
    expect(await eventually(() => hung === 0)).toBe(true)
    await server.stop(true)
  })
})
