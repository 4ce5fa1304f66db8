import { describe, expect, test } from 'bun:test'
import { baseOf, parseDocument } from '../../plugins/openapi/document.ts'
import { createNames, operationsOf, OPERATIONS_MAX } from '../../plugins/openapi/operations.ts'
import { ArgumentProblem, buildRequest } from '../../plugins/openapi/requests.ts'
import { createSchemas } from '../../plugins/openapi/schemas.ts'
import { createSecurity } from '../../plugins/openapi/security.ts'
import { headerText, pathText, queryPairs } from '../../plugins/openapi/styles.ts'
import type { JsonObject } from '@/plugins/index.ts'

const base = new URL('https://api.example.com/v1/')
const documentOf = (paths: JsonObject, more: JsonObject = {}): JsonObject => ({
  openapi: '3.1.0',
  info: { title: 'T', version: '1' },
  paths,
  ...more,
})
const toolsOf = (paths: JsonObject, more: JsonObject = {}, picked: string[] = []) => {
  const root = documentOf(paths, more)
  return operationsOf(root, createSchemas(root), picked).operations
}
const only = (operation: JsonObject, path = '/a', method = 'get', more: JsonObject = {}) => {
  const [first] = toolsOf({ [path]: { [method]: operation } }, more)
  if (first === undefined) throw new Error('no operation')
  return first
}
const parameter = (name: string, more: JsonObject = {}) => ({ name, in: 'query', schema: {}, ...more })

describe('[OPENAPI-REQUEST] styles, as in the table of the specification', () => {
  const colours = ['blue', 'black', 'brown']
  const rgb = { R: 100, G: 200, B: 150 }
  test.each<[string, boolean, unknown, string]>([
    ['form', true, 'blue', 'color=blue'],
    ['form', true, '', 'color='],
    ['form', true, colours, 'color=blue&color=black&color=brown'],
    ['form', false, colours, 'color=blue,black,brown'],
    ['form', true, rgb, 'R=100&G=200&B=150'],
    ['form', false, rgb, 'color=R,100,G,200,B,150'],
    ['spaceDelimited', false, colours, 'color=blue%20black%20brown'],
    ['spaceDelimited', false, rgb, 'color=R%20100%20G%20200%20B%20150'],
    ['pipeDelimited', false, colours, 'color=blue%7Cblack%7Cbrown'],
    ['pipeDelimited', true, colours, 'color=blue&color=black&color=brown'],
    ['deepObject', true, rgb, 'color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
    ['deepObject', true, { a: { b: [1, 2] } }, 'color%5Ba%5D%5Bb%5D=1&color%5Ba%5D%5Bb%5D=2'],
    ['form', true, [], ''],
    ['form', true, true, 'color=true'],
    ['form', true, 'a b&c=d#e+f/ü', 'color=a%20b%26c%3Dd%23e%2Bf%2F%C3%BC'],
  ])('query %s, explode %p: %j', (style, explode, value, wanted) => {
    expect(queryPairs({ name: 'color', style, explode }, value).join('&')).toBe(wanted)
  })
  test('query with reserved characters allowed keeps those that cannot end it', () => {
    expect(queryPairs({ name: 'q', style: 'form', explode: true, allowReserved: true }, '/a:b?c,d&e#f')).toEqual(['q=/a:b?c,d%26e%23f'])
  })
  test.each<[string, boolean, unknown, string]>([
    ['simple', false, 'blue', 'blue'],
    ['simple', false, colours, 'blue,black,brown'],
    ['simple', false, rgb, 'R,100,G,200,B,150'],
    ['simple', true, rgb, 'R=100,G=200,B=150'],
    ['label', false, 'blue', '.blue'],
    ['label', true, colours, '.blue.black.brown'],
    ['label', true, rgb, '.R=100.G=200.B=150'],
    ['matrix', false, 'blue', ';color=blue'],
    ['matrix', false, colours, ';color=blue,black,brown'],
    ['matrix', true, colours, ';color=blue;color=black;color=brown'],
    ['matrix', false, rgb, ';color=R,100,G,200,B,150'],
    ['matrix', true, rgb, ';R=100;G=200;B=150'],
    ['simple', false, '../a b?c#d%2e', '..%2Fa%20b%3Fc%23d%252e'],
  ])('path %s, explode %p: %j', (style, explode, value, wanted) => {
    expect(pathText({ name: 'color', style, explode }, value)).toBe(wanted)
  })
  test('headers', () => {
    expect(headerText({ name: 'X', style: 'simple', explode: false }, rgb)).toBe('R,100,G,200,B,150')
    expect(headerText({ name: 'X', style: 'simple', explode: true }, rgb)).toBe('R=100,G=200,B=150')
    expect(headerText({ name: 'X', style: 'simple', explode: false }, colours)).toBe('blue,black,brown')
  })
})

describe('[OPENAPI-REQUEST] a value stays in its place', () => {
  const byId = only({ parameters: [{ name: 'id', in: 'path', required: true, schema: {} }] }, '/users/{id}/mail')
  test.each(['..', '.', ''])('in the path: %j is refused', (id) => {
    expect(() => buildRequest(byId, { id }, base, [])).toThrow(ArgumentProblem)
  })
  test.each([
    ['../admin', 'https://api.example.com/v1/users/..%2Fadmin/mail'],
    ['%2e%2e', 'https://api.example.com/v1/users/%252e%252e/mail'],
    ['a?b#c', 'https://api.example.com/v1/users/a%3Fb%23c/mail'],
    ['@evil.example', 'https://api.example.com/v1/users/%40evil.example/mail'],
  ])('in the path: %j is encoded', (id, url) => {
    expect(buildRequest(byId, { id }, base, []).url).toBe(url)
    expect(new URL(url).pathname).toEndWith('/mail')
  })
  test.each(['a\r\nX-Evil: 1', 'a\nb', 'a\0b', 'snow ☃'])('in a header: %j is refused', (value) => {
    const operation = only({ parameters: [{ name: 'X-A', in: 'header', schema: {} }] })
    expect(() => buildRequest(operation, { 'X-A': value }, base, [])).toThrow('cannot hold'.replace('cannot', 'no header can'))
  })
  test('a path that begins like another host does not lead there', () => {
    expect(buildRequest(only({}, '//evil.example/x'), {}, base, []).url).toStartWith('https://api.example.com/')
  })
  test('a field of a multipart form cannot begin a header of its own', () => {
    const operation = only({ requestBody: { content: { 'multipart/form-data': { schema: {} } } } }, '/a', 'post')
    const { body } = buildRequest(operation, { body: { 'a"\r\nx: y': 'b' } }, base, [])
    expect(body).toContain('name="a%22%0D%0Ax: y"')
  })
  test('what is missing or unknown is named', () => {
    expect(() => buildRequest(byId, {}, base, [])).toThrow('The argument “id” is missing.')
    expect(() => buildRequest(byId, { id: '1', nope: 1 }, base, [])).toThrow('There is no argument “nope”.')
  })
  test('headers that are the transport’s own are not asked for', () => {
    const asked = ['Accept', 'Content-Type', 'Authorization', 'Host', 'X-Fine'].map((name) => ({ name, in: 'header', schema: {} }))
    expect(only({ parameters: asked }).parameters.map(({ name }) => name)).toEqual(['X-Fine'])
  })
})

describe('[OPENAPI-TOOLS] names and schemas', () => {
  test('are safe for clients, short and unique', () => {
    const names = createNames(10)
    expect(['a/b c', 'a b c', 'a.b.c', '…', '-x', 'very long name'].map(names)).toEqual([
      'a_b_c',
      'a_b_c_2',
      'a_b_c_3',
      'unnamed',
      '-x',
      'very_long_',
    ])
    const paths = {
      '/a/{b}': { get: {}, delete: {} },
      '/c': { get: { operationId: 'x'.repeat(100) }, post: { operationId: 'x'.repeat(99) } },
    }
    expect(toolsOf(paths).map(({ tool }) => tool.name)).toEqual(['get_a_b', 'delete_a_b', 'x'.repeat(64), `${'x'.repeat(62)}_2`])
  })
  test('hints follow the method', () => {
    const hints = toolsOf({ '/a': { get: {}, put: {}, post: {}, delete: {}, head: {}, patch: {} } }).map(({ tool, method }) => [
      method,
      tool['annotations'],
    ])
    expect(Object.fromEntries(hints)).toMatchObject({
      GET: { readOnlyHint: true },
      HEAD: { readOnlyHint: true },
      PUT: { readOnlyHint: false, idempotentHint: true },
      POST: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
      DELETE: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
      PATCH: { destructiveHint: true },
    })
  })
  test('parameters of path and operation are joined, and keys are such as clients take', () => {
    const [operation] = toolsOf({
      '/a/{id}': {
        parameters: [parameter('page', { description: 'of the path' }), parameter('filter[name]')],
        get: { parameters: [parameter('page', { description: 'of the operation', required: true }), parameter('id', { in: 'query' })] },
      },
    })
    expect(operation?.tool.inputSchema).toEqual({
      type: 'object',
      properties: { page: { description: 'of the operation' }, filter_name: {}, id: {}, id_2: { type: 'string' } },
      required: ['page', 'id_2'],
      additionalProperties: false,
    })
    const { url } = buildRequest(operation!, { page: 1, filter_name: 'x', id: 'q', id_2: 'p' }, base, [])
    expect(url).toBe('https://api.example.com/v1/a/p?page=1&filter%5Bname%5D=x&id=q')
  })
  test('a body is one argument, read-only fields left out; JSON is preferred', () => {
    const schema = {
      type: 'object',
      properties: { id: { type: 'integer', readOnly: true }, name: { type: 'string' } },
      required: ['id', 'name'],
    }
    const content = { 'application/x-www-form-urlencoded': { schema }, 'application/json': { schema } }
    const { tool, body } = only({ requestBody: { required: true, content } }, '/a', 'post')
    expect(body?.kind).toBe('json')
    expect(tool.inputSchema).toMatchObject({
      properties: { body: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
      required: ['body'],
    })
  })
  test('an output schema is told only where no answer can break it', () => {
    const answer = (schema: JsonObject) => ({ '200': { description: '', content: { 'application/json': { schema } } } })
    const thing = {
      type: 'object',
      required: ['id'],
      additionalProperties: false,
      properties: { id: { type: 'integer', description: 'the id' } },
    }
    expect(only({ responses: answer(thing) }).tool['outputSchema']).toEqual({
      type: 'object',
      properties: { id: { description: 'the id' } },
    })
    expect(only({ responses: answer({ type: 'array', items: thing }) }).tool['outputSchema']).toBeUndefined()
    expect(only({ responses: { ...answer(thing), '204': { description: '' } } }).tool['outputSchema']).toBeUndefined()
  })
})

describe('[OPENAPI-REFS] references', () => {
  const schemasOf = (schemas: JsonObject) => createSchemas({ components: { schemas } })
  const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
  test('stay inside the document', () => {
    for (const $ref of ['https://evil.example/s.json', 'other.yaml#/a', 'file:///etc/passwd', '#/constructor', '#/components/schemas/none'])
      expect(schemasOf({}).standalone({ $ref }, 'request')).toEqual({})
  })
  test('in circles end', () => {
    const schemas = schemasOf({ A: ref('B'), B: ref('A'), Self: { $ref: '#/components/schemas/Self' } })
    expect(schemas.standalone(ref('A'), 'request')).toEqual({})
    expect(schemas.standalone(ref('Self'), 'request')).toEqual({})
  })
  test('to a schema within itself are cut to an outline', () => {
    const tree = { type: 'object', properties: { name: { type: 'string' }, children: { type: 'array', items: ref('Tree') } } }
    expect(schemasOf({ Tree: tree }).standalone(ref('Tree'), 'request')).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string' },
        children: { type: 'array', items: { type: 'object', description: 'Again of the shape Tree, as above.' } },
      },
    })
  })
  test('that unfold without end cost neither time nor size', () => {
    const names = Array.from({ length: 40 }, (_, at) => `S${at}`)
    const all = Object.fromEntries(
      names.map((name) => [name, { type: 'object', properties: Object.fromEntries(names.map((each) => [each, ref(each)])) }]),
    )
    const startMs = performance.now()
    const made = schemasOf(all).standalone(ref('S0'), 'request')
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(JSON.stringify(made).length).toBeLessThan(256 * 1024)
    expect(Object.keys(made['properties'] as JsonObject)).toHaveLength(40)
  })
  test('a pattern that no client could compile is left out', () => {
    expect(schemasOf({}).standalone({ type: 'string', pattern: '(?i)x[' }, 'request')).toEqual({ type: 'string' })
  })
})

describe('[OPENAPI-PICK] operations', () => {
  const paths = {
    '/pets': { get: { operationId: 'listPets', tags: ['pets'] }, post: { tags: ['admin'] } },
    '/x': { get: { operationId: 'x.y' } },
  }
  test.each<[string[], string[]]>([
    [[], ['listPets', 'post_pets', 'x_y']],
    [['pets'], ['listPets']],
    [
      ['post /pets', 'x.y'],
      ['post_pets', 'x_y'],
    ],
    [['X_Y', ' ', 'nothing'], ['x_y']],
  ])('picked by %j are %j', (picked, names) => {
    expect(toolsOf(paths, {}, picked).map(({ tool }) => tool.name)).toEqual(names)
  })
  test(`beyond ${OPERATIONS_MAX} are left out and counted`, () => {
    const root = documentOf(Object.fromEntries(Array.from({ length: OPERATIONS_MAX + 7 }, (_, at) => [`/${at}`, { get: {} }])))
    const { operations, leftOut } = operationsOf(root, createSchemas(root), [])
    expect([operations.length, leftOut]).toEqual([OPERATIONS_MAX, 7])
  })
})

describe('[OPENAPI-CREDENTIALS] security schemes', () => {
  const securitySchemes = {
    key: { type: 'apiKey', in: 'query', name: 'k' },
    head: { type: 'apiKey', in: 'header', name: 'X-Key' },
    cook: { type: 'apiKey', in: 'cookie', name: 'sid' },
    basic: { type: 'http', scheme: 'basic' },
    bearer: { type: 'http', scheme: 'Bearer' },
    oauth: { type: 'oauth2', flows: {} },
    oidc: { type: 'openIdConnect', openIdConnectUrl: 'x' },
    mtls: { type: 'mutualTLS' },
  }
  const securityWith = (held: Record<string, string>) => {
    const root = documentOf({}, { components: { securitySchemes } })
    return createSecurity(root, createSchemas(root), held)
  }
  test.each<[string, string, unknown]>([
    ['key', 'v', { place: 'query', name: 'k', value: 'v' }],
    ['head', 'v', { place: 'header', name: 'X-Key', value: 'v' }],
    ['cook', 'v', { place: 'cookie', name: 'sid', value: 'v' }],
    ['basic', 'user:päss', { place: 'header', name: 'authorization', value: 'Basic dXNlcjpww6Rzcw==' }],
    ['bearer', 'v', { place: 'header', name: 'authorization', value: 'Bearer v' }],
    ['oauth', 'v', { place: 'header', name: 'authorization', value: 'Bearer v' }],
    ['oidc', 'v', { place: 'header', name: 'authorization', value: 'Bearer v' }],
  ])('%s', (name, value, wanted) => {
    expect(securityWith({ [name]: value }).for([{ [name]: [] }])).toEqual([wanted as never])
  })
  test('the first alternative that is held whole counts, and nothing goes where nothing is asked for', () => {
    const security = securityWith({ head: 'h', key: 'k' })
    expect(security.for([{ bearer: [] }, { head: [], cook: [] }, { head: [], key: [] }]).map(({ name }) => name)).toEqual(['X-Key', 'k'])
    expect(security.for([{}, { head: [] }]).map(({ name }) => name)).toEqual(['X-Key'])
    expect(security.for([])).toEqual([])
    expect(security.for(undefined)).toEqual([])
  })
  test('names that mean nothing here are told', () => {
    expect(securityWith({ head: 'h', nope: 'x', mtls: 'x', toString: 'x' }).strangers).toEqual(['nope', 'mtls', 'toString'])
  })
})

describe('[OPENAPI-TOOLS] documents', () => {
  test.each([
    ['', 'This is no OpenAPI document.'],
    ['{"a":', 'The document is neither JSON nor YAML.'],
    ['[1]', 'This is no OpenAPI document.'],
    ['openapi: 4.0.0', 'no version that Toolpass knows'],
    ['{"asyncapi":"2.0.0"}', 'no version that Toolpass knows'],
    [`{"openapi":"3.1.0","x":${'['.repeat(200)}${']'.repeat(200)}}`, 'nested too deeply'],
  ])('%j is refused with the reason', async (text, message) => {
    await expect(parseDocument(text)).rejects.toMatchObject({ name: 'ChannelError', message: expect.stringContaining(message) })
  })
  test('a YAML text that unfolds without end is refused', async () => {
    const text = ['openapi: 3.1.0', 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]']
    for (let at = 1; at < 8; at += 1) text.push(`a${at}: &a${at} [${Array.from({ length: 10 }, () => `*a${at - 1}`).join(',')}]`)
    await expect(parseDocument(text.join('\n'))).rejects.toMatchObject({ name: 'ChannelError' })
  })
  test('of older versions are rewritten: nullable, and Swagger 2.0 with its host', async () => {
    const nullable = { openapi: '3.0.3', info: {}, paths: {}, components: { schemas: { A: { type: 'string', nullable: true } } } }
    expect(JSON.stringify(await parseDocument(JSON.stringify(nullable)))).toContain('["string","null"]')
    const swagger = { swagger: '2.0', info: {}, host: 'old.example', basePath: '/v2', schemes: ['https'], paths: { '/a': { get: {} } } }
    expect(baseOf({ root: await parseDocument(JSON.stringify(swagger)) }, undefined).href).toBe('https://old.example/v2')
  })
  test.each<[JsonObject[] | undefined, string | undefined, string | undefined, string]>([
    [[{ url: 'https://a.example/v1' }], undefined, undefined, 'https://a.example/v1'],
    [[{ url: '/v1' }], 'https://b.example/docs/openapi.json', undefined, 'https://b.example/v1'],
    [[{ url: './v1' }], 'https://b.example/docs/openapi.json', undefined, 'https://b.example/docs/v1'],
    [undefined, 'https://b.example/docs/openapi.json', undefined, 'https://b.example/'],
    [
      [{ url: 'https://{r}.a.example/{v}', variables: { r: { default: 'eu' }, v: { default: 'v2' } } }],
      undefined,
      undefined,
      'https://eu.a.example/v2',
    ],
    [[{ url: 'https://a.example' }], undefined, 'http://localhost:1/x', 'http://localhost:1/x'],
  ])('servers %j from %p, overridden by %p: %s', (servers, from, override, href) => {
    expect(baseOf({ root: servers ? { servers } : {}, ...(from ? { from } : {}) }, override).href).toBe(href)
  })
  test.each([[{ url: '/v1' }], [{ url: 'ftp://a.example' }], [{ url: 'https://user:pass@a.example' }]])(
    'servers %j alone say too little',
    (server) => {
      expect(() => baseOf({ root: { servers: [server] } }, undefined)).toThrow('Enter the address of the API.')
    },
  )
})
