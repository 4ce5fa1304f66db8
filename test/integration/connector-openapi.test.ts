import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import type { Channel, JsonObject } from '@/plugins/index.ts'
import { ask, openHouse } from '../support/channels.ts'
import { eventually } from '../support/outside.ts'

/** The document of a real public API (Blockfrost's, MIT), from its own package. */
const REAL = resolve(import.meta.dir, '../../node_modules/@blockfrost/openapi/openapi.yaml')

type Seen = { method: string; url: string; headers: Record<string, string>; body: string }
let seen: Seen[] = []
beforeEach(() => {
  seen = []
})
const answers: Record<string, () => Response> = {
  '/array': () => Response.json([1, 2]),
  '/text': () => new Response('plain words', { headers: { 'content-type': 'text/plain; charset=utf-8' } }),
  '/latin': () => new Response(new Uint8Array([0xe4]), { headers: { 'content-type': 'text/plain; charset=iso-8859-1' } }),
  '/xml': () => new Response('<a/>', { headers: { 'content-type': 'application/atom+xml' } }),
  '/image': () => new Response(new Uint8Array([1, 2, 3]), { headers: { 'content-type': 'image/png' } }),
  '/file': () => new Response(new Uint8Array(1234), { headers: { 'content-type': 'application/pdf' } }),
  '/none': () => new Response(null, { status: 204 }),
  '/not-json': () => new Response('<html>', { headers: { 'content-type': 'application/json' } }),
  '/deep': () => new Response(`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, { headers: { 'content-type': 'application/json' } }),
  '/huge': () => new Response(new Uint8Array(9 * 1024 * 1024).fill(97), { headers: { 'content-type': 'text/plain' } }),
  '/missing': () => Response.json({ problem: 'no such thing' }, { status: 404 }),
  '/broken': () => new Response('x'.repeat(100_000), { status: 500, headers: { 'content-type': 'text/plain' } }),
  '/login': () => new Response('who?', { status: 401, headers: { 'www-authenticate': 'Bearer scope="all"' } }),
  '/moved': () => Response.redirect(`${api.url.origin}/text`, 302),
  '/away': () => Response.redirect(`${elsewhere.url.origin}/stolen`, 307),
}
const record = async (request: Request) => {
  const url = request.url.slice(new URL(request.url).origin.length)
  const headers = Object.fromEntries(request.headers as unknown as Iterable<[string, string]>)
  seen.push({ method: request.method, url, headers, body: await request.text() })
}
const api = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    await record(request)
    const { pathname } = new URL(request.url)
    if (pathname === '/docs/real.yaml') return new Response(Bun.file(REAL))
    if (pathname === '/docs/own.json') return Response.json(own)
    return answers[pathname.replace(/^\/v1/, '')]?.() ?? Response.json({ got: seen.at(-1) })
  },
})
const elsewhere = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => (await record(request), new Response('elsewhere')),
})

const string = { type: 'string' }
const get = (parameters: JsonObject[] = [], more: JsonObject = {}) => ({ get: { parameters, ...more } })
const query = (name: string, more: JsonObject = {}) => ({ name, in: 'query', schema: {}, ...more })
const body = (mediaType: string, more: JsonObject = {}) => ({
  post: { requestBody: { required: true, content: { [mediaType]: { schema: { type: 'object' }, ...more } } } },
})
const own = {
  openapi: '3.0.3',
  info: { title: 'Edges', version: '2', description: 'Edge cases.' },
  servers: [{ url: '/v1' }],
  security: [{ key: [] }],
  components: {
    securitySchemes: {
      key: { type: 'apiKey', in: 'header', name: 'X-Key' },
      inQuery: { type: 'apiKey', in: 'query', name: 'k' },
      login: { type: 'http', scheme: 'basic' },
    },
    parameters: { Limit: query('limit', { schema: { type: 'integer', maximum: 100 } }) },
  },
  paths: {
    '/things/{id}': get([
      { name: 'id', in: 'path', required: true, schema: string },
      { $ref: '#/components/parameters/Limit' },
      query('tags', { style: 'form', explode: false }),
      query('where', { style: 'deepObject', explode: true }),
      query('json', { schema: undefined, content: { 'application/json': { schema: {} } } }),
      { name: 'X-Trace', in: 'header', schema: string },
      { name: 'session', in: 'cookie', schema: string },
    ]),
    '/json': body('application/json'),
    '/patch': { patch: { requestBody: { content: { 'application/merge-patch+json': { schema: {} } } } } },
    '/form': body('application/x-www-form-urlencoded', { encoding: { list: { style: 'form', explode: false } } }),
    '/multipart': body('multipart/form-data'),
    '/csv': body('text/csv'),
    '/open': get([], { security: [] }),
    '/by-query': get([], { security: [{ inQuery: [] }] }),
    '/by-login': get([], { security: [{ login: [] }] }),
    '/elsewhere': get([], { servers: [{ url: elsewhere.url.origin }] }),
    ...Object.fromEntries(Object.keys(answers).map((path) => [path, get()])),
    '/promised': get([], {
      responses: { '200': { description: '', content: { 'application/json': { schema: { type: 'object', properties: { a: string } } } } } },
    }),
  },
}

const house = openHouse()
const opened: Channel[] = []
afterAll(async () => {
  await Promise.all(opened.map((channel) => channel.close()))
  await house.close()
  await Promise.all([api.stop(true), elsewhere.stop(true)])
})
const credentials = { key: 'key-secret', inQuery: 'query&secret', login: 'user:pass' }
async function open(settings: JsonObject = {}) {
  const one = await house.open('openapi', { document: `${api.url.origin}/docs/own.json`, credentials, ...settings })
  opened.push(one.channel)
  seen = []
  return one
}
const call = async (channel: Channel, name: string, args: JsonObject = {}) => {
  const { result } = await ask(channel, 'tools/call', { name, arguments: args }, { modern: true })
  return result as { content: JsonObject[]; structuredContent?: JsonObject; isError?: boolean }
}
const textOf = ({ content }: { content: JsonObject[] }) => String(content[0]?.['text'])

describe('a document of a real API', () => {
  test('[OPENAPI-TOOLS] becomes tools that can all be listed, and one of them called', async () => {
    const startMs = performance.now()
    const { channel, heard } = await open({
      document: `${api.url.origin}/docs/real.yaml`,
      url: `${api.url.origin}/api/v0`,
      credentials: { project_id: 'mainnetSecret' },
    })
    const tools: { name: string; inputSchema: JsonObject; annotations: JsonObject }[] = []
    let cursor: unknown
    do {
      const { result } = await ask(channel, 'tools/list', cursor === undefined ? {} : { cursor }, { modern: true })
      tools.push(...((result?.['tools'] ?? []) as typeof tools))
      cursor = result?.['nextCursor']
    } while (cursor !== undefined)
    expect(performance.now() - startMs).toBeLessThan(3_000)
    expect(tools.length).toBeGreaterThan(100)
    expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length)
    for (const { name, inputSchema } of tools) {
      expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      expect(JSON.stringify(inputSchema)).not.toContain('$ref')
      for (const key of Object.keys(inputSchema['properties'] as JsonObject)) expect(key).toMatch(/^[A-Za-z0-9_.-]{1,64}$/)
    }
    expect(heard.lines).toEqual([])
    const byPath = tools.find(
      ({ name }) => /block/i.test(name) && /hash_or_number/.test(JSON.stringify(tools.find((each) => each.name === name)?.inputSchema)),
    )
    const args = Object.fromEntries(((byPath?.inputSchema['required'] as string[]) ?? []).map((key) => [key, '42']))
    await call(channel, byPath?.name ?? '', args)
    expect(seen[0]).toMatchObject({ method: 'GET', headers: { project_id: 'mainnetSecret' } })
    expect(seen[0]?.url).toStartWith('/api/v0/')
    expect(seen[0]?.url).toContain('/42')
  })
})

describe('[OPENAPI-REQUEST] a call', () => {
  test('is written exactly as the document says', async () => {
    const { channel } = await open()
    await call(channel, 'get_things_id', {
      id: 'a/b',
      limit: 5,
      tags: ['x y', 'z'],
      where: { name: { eq: 'ü' } },
      json: { a: [1] },
      'X-Trace': 't-1',
      session: 's;1',
    })
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: '/v1/things/a%2Fb?limit=5&tags=x%20y,z&where%5Bname%5D%5Beq%5D=%C3%BC&json=%7B%22a%22%3A%5B1%5D%7D',
      headers: { 'x-trace': 't-1', cookie: 'session=s%3B1', 'x-key': 'key-secret' },
    })
  })
  test.each<[string, unknown, string | RegExp, string | RegExp]>([
    ['post_json', { a: 'ü' }, 'application/json', '{"a":"ü"}'],
    ['patch_patch', { a: null }, 'application/merge-patch+json', '{"a":null}'],
    ['post_form', { a: 'b c&d', list: [1, 2], o: { x: 1 } }, 'application/x-www-form-urlencoded', 'a=b+c%26d&list=1,2&o=%7B%22x%22%3A1%7D'],
    ['post_csv', 'a,b\n1,2', 'text/csv', 'a,b\n1,2'],
    [
      'post_multipart',
      { a: 'ü', list: ['1', '2'], o: { x: 1 } },
      /^multipart\/form-data; boundary=toolpass-/,
      /name="a"\r\n\r\nü\r\n[\s\S]+name="list"\r\n\r\n1\r\n[\s\S]+name="list"\r\n\r\n2\r\n[\s\S]+name="o"\r\ncontent-type: application\/json\r\n\r\n\{"x":1\}\r\n/,
    ],
  ])('%s with %j', async (name, value, type, text) => {
    const { channel } = await open()
    await call(channel, name, { body: value })
    expect(seen[0]?.headers['content-type']).toMatch(type)
    if (typeof text === 'string') expect(seen[0]?.body).toBe(text)
    else expect(seen[0]?.body).toMatch(text)
  })
  test('that cannot be made is told to the model, and nothing is sent', async () => {
    const { channel } = await open()
    for (const args of [{}, { id: '..' }, { id: 'a', 'X-Trace': 'a\r\nX-Evil: 1' }, { id: 'a', nope: 1 }])
      expect(await call(channel, 'get_things_id', args)).toMatchObject({ isError: true })
    expect(seen).toEqual([])
  })
})

describe('[OPENAPI-CREDENTIALS] credentials', () => {
  test('go where their scheme says, and only where one is asked for', async () => {
    const { channel, heard } = await open({ credentials: { ...credentials, unknown: 'x' } })
    for (const name of ['get_open', 'get_by-query', 'get_by-login', 'get_text']) await call(channel, name)
    expect(seen.map(({ url, headers }) => [url, headers['x-key'], headers['authorization']])).toEqual([
      ['/v1/open', undefined, undefined],
      ['/v1/by-query?k=query%26secret', undefined, undefined],
      ['/v1/by-login', undefined, `Basic ${btoa('user:pass')}`],
      ['/v1/text', 'key-secret', undefined],
    ])
    expect(heard.lines).toEqual(['The document has no security scheme “unknown” that Toolpass can use.'])
  })
  test('never go to another origin: not by a server of one operation, not by a redirect', async () => {
    const { channel } = await open()
    await call(channel, 'get_elsewhere')
    await call(channel, 'get_away')
    const strange = seen.filter(({ headers }) => headers['host'] === elsewhere.url.host)
    expect(strange).toHaveLength(2)
    expect(JSON.stringify(strange)).not.toMatch(/secret/)
  })
  test('that are refused are the connection’s matter: 401 is no answer', async () => {
    const { channel } = await open()
    await expect(call(channel, 'get_login')).rejects.toMatchObject({
      kind: 'unauthorized',
      details: { status: 401, wwwAuthenticate: 'Bearer scope="all"' },
    })
  })
})

describe('[OPENAPI-ANSWERS] an answer', () => {
  test.each<[string, JsonObject]>([
    ['array', { content: [{ type: 'text', text: '[1,2]' }] }],
    ['text', { content: [{ type: 'text', text: 'plain words' }] }],
    ['latin', { content: [{ type: 'text', text: 'ä' }] }],
    ['xml', { content: [{ type: 'text', text: '<a/>' }] }],
    ['image', { content: [{ type: 'image', data: 'AQID', mimeType: 'image/png' }] }],
    ['file', { content: [{ type: 'text', text: 'The API answered with 1234 bytes of application/pdf, which cannot be shown here.' }] }],
    ['none', { content: [{ type: 'text', text: 'Done (HTTP status 204, no content).' }] }],
    ['not-json', { content: [{ type: 'text', text: '<html>' }] }],
    ['moved', { content: [{ type: 'text', text: 'plain words' }] }],
    [
      'missing',
      { isError: true, content: [{ type: 'text', text: 'The API answered with HTTP status 404.\n\n{"problem":"no such thing"}' }] },
    ],
  ])('%s', async (name, wanted) => {
    const { channel } = await open()
    const { _meta, resultType, ...result } = (await call(channel, `get_${name}`)) as JsonObject
    expect(resultType).toBe('complete')
    expect(_meta).toMatchObject({ 'io.modelcontextprotocol/serverInfo': { name: 'Edges' } })
    expect(result).toEqual(wanted)
  })
  test('a JSON object is structured, and text besides', async () => {
    const { channel } = await open()
    const result = await call(channel, 'get_open')
    expect(result.structuredContent).toMatchObject({ got: { method: 'GET', url: '/v1/open' } })
    expect(JSON.parse(textOf(result))).toEqual(result.structuredContent)
    expect((await call(channel, 'get_promised')).structuredContent).toMatchObject({ got: {} })
  })
  test('is bounded: too long is cut, too deep is text only', async () => {
    const { channel } = await open()
    expect(textOf(await call(channel, 'get_huge')).length).toBeLessThan(401_000)
    expect(textOf(await call(channel, 'get_broken')).length).toBeLessThan(5_000)
    expect((await call(channel, 'get_deep')).structuredContent).toBeUndefined()
    expect(await eventually(() => api.pendingRequests === 0)).toBe(true)
  })
})

describe('a document that is not to be had', () => {
  test.each<[string, JsonObject, string]>([
    ['missing', { document: () => '/missing' }, 'Asking for the document was answered with HTTP status 404.'],
    ['no document', { document: () => '/text' }, 'This is no OpenAPI document.'],
    ['too large', { document: () => '/huge-document' }, 'more than'],
    ['without operations', { operations: ['nothing'] }, 'The document has no operation that could be offered.'],
    ['pasted, without a full server', { document: JSON.stringify(own) }, 'Enter the address of the API.'],
  ])('[OPENAPI-TOOLS] is refused with the reason: %s', async (_what, settings, message) => {
    answers['/huge-document'] = () => new Response(new Uint8Array(11 * 1024 * 1024).fill(32))
    const { document } = settings
    const given = typeof document === 'function' ? { document: `${api.url.origin}${document()}` } : {}
    await expect(open({ ...settings, ...given })).rejects.toMatchObject({ name: 'ChannelError', message: expect.stringContaining(message) })
  })
  test('[OPENAPI-REFS] nothing but the document itself is fetched', async () => {
    const stranger = { $ref: `${elsewhere.url.origin}/schema.json` }
    const paths = {
      '/a': { get: { parameters: [stranger, query('q', { schema: stranger })] } },
      '/b': { $ref: `${elsewhere.url.origin}/b.json` },
    }
    const document = JSON.stringify({ openapi: '3.1.0', info: {}, servers: [{ url: api.url.origin }], paths })
    const { channel } = await open({ document })
    const { result } = await ask(channel, 'tools/list', {}, { modern: true })
    expect(result?.['tools']).toMatchObject([{ name: 'get_a', inputSchema: { properties: { q: {} } } }])
    expect(seen).toEqual([])
  })
})
