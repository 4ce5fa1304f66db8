import { describe, expect, test } from 'bun:test'
import { createLines } from '../../plugins/lines.ts'
import { claimedVersion, headerValue, modernHeaders } from '../../plugins/streamable-http/headers.ts'
import { createEventReader, type ServerSentEvent } from '../../plugins/events.ts'

/** The same bytes in chunks of one size after another: no cut may change what is read. */
function* cuts(text: string): Generator<Uint8Array[]> {
  const bytes = new TextEncoder().encode(text)
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const chunks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    yield chunks
  }
}

describe('lines', () => {
  test('are found whatever the chunks, in UTF-8, with either line end, the last one without', () => {
    for (const chunks of cuts('eins\r\n\nzwölf 🙂\nlast')) {
      const found: string[] = []
      const lines = createLines({ bytesMax: 100, onLine: (line) => found.push(line), onTooLong: () => {} })
      for (const chunk of chunks) lines.push(chunk)
      lines.end()
      expect(found).toEqual(['eins', '', 'zwölf 🙂', 'last'])
    }
  })
  test('beyond the limit are reported once and skipped; the next one is read', () => {
    for (const chunks of cuts(`${'x'.repeat(50)}\nshort\n${'y'.repeat(11)}\nend\n`)) {
      const found: string[] = []
      const lines = createLines({ bytesMax: 10, onLine: (line) => found.push(line), onTooLong: () => found.push('(too long)') })
      for (const chunk of chunks) lines.push(chunk)
      expect(found).toEqual(['(too long)', 'short', '(too long)', 'end'])
    }
  })
})

describe('events', () => {
  const read = (chunks: Uint8Array[], bytesMax = 1_000) => {
    const events: (ServerSentEvent | 'too long')[] = []
    const reader = createEventReader({ bytesMax, onEvent: (event) => events.push(event), onTooLong: () => events.push('too long') })
    for (const chunk of chunks) reader.push(chunk)
    return events
  }
  test.each<[string, string, ServerSentEvent[]]>([
    ['one', 'data: a\n\n', [{ data: 'a' }]],
    ['no space, CRLF, comments, unknown fields', ': hi\r\nevent: message\r\nfoo\r\ndata:a\r\n\r\n', [{ data: 'a' }]],
    [
      'one with a name of its own, which does not last',
      'event: endpoint\ndata: /m\n\ndata: a\n\n',
      [{ data: '/m', event: 'endpoint' }, { data: 'a' }],
    ],
    ['several lines of data', 'data: {\ndata:\ndata: }\n\n', [{ data: '{\n\n}' }]],
    [
      'ids that last and waits that do not',
      'id: 1\nretry: 20\ndata: a\n\ndata: b\n\n',
      [
        { data: 'a', id: '1', retryMs: 20 },
        { data: 'b', id: '1' },
      ],
    ],
    ['an empty one with an id only, as SEP-1699 primes', 'id: p\ndata:\n\n', [{ data: '', id: 'p' }]],
    ['a wait beyond reason is cut', 'retry: 999999999\n\n', [{ data: '', retryMs: 30_000 }]],
    ['a byte order mark', '\ufeffdata: a\n\n', [{ data: 'a' }]],
    ['lone CR', 'data: a\rid: 7\n\n', [{ data: 'a', id: '7' }]],
    ['one that was cut off is none', 'data: a\n\ndata: b\n', [{ data: 'a' }]],
    ['nothing', ': keep-alive\n\n\n\n', []],
  ])('%s', (_name, text, events) => {
    for (const chunks of cuts(text)) expect(read(chunks)).toEqual(events)
  })
  test('beyond the limit are reported, as one line or as many', () => {
    expect(read([...cuts(`data: ${'x'.repeat(200)}\n\n`)].at(-1) as Uint8Array[], 100)).toContain('too long')
    expect(read([...cuts('data: xxxxxxxxxxxx\n'.repeat(20))].at(-1) as Uint8Array[], 100)).toContain('too long')
  })
})

describe('modern headers', () => {
  test.each([
    ['plain_name', 'plain_name'],
    ['with space', 'with space'],
    [' edge', '=?base64?IGVkZ2U=?='],
    ['', '=?base64??='],
    ['ü', '=?base64?w7w=?='],
    ['a\r\nx-evil: 1', '=?base64?YQ0KeC1ldmlsOiAx?='],
    ['=?base64?YQ==?=', '=?base64?PT9iYXNlNjQ/WVE9PT89?='],
  ])('%p travels as %p', (value, header) => expect(headerValue(value)).toBe(header))

  test.each([
    ['tools/call', { name: 'n' }, 'n'],
    ['prompts/get', { name: 'n' }, 'n'],
    ['resources/read', { uri: 'file:///a' }, 'file:///a'],
    ['tasks/get', { taskId: 't' }, 't'],
    ['tools/list', { name: 'n' }, undefined],
    ['tools/call', { name: 7 }, undefined],
    ['constructor', { name: 'n' }, undefined],
  ])('%s names %o as %p', (method, params, name) => {
    const headers = modernHeaders({ jsonrpc: '2.0', id: 1, method, params }, '2026-07-28')
    expect(headers).toMatchObject({ 'mcp-method': method, 'mcp-protocol-version': '2026-07-28' })
    expect(headers['mcp-name']).toBe(name as string)
  })
  test('only a request that names its revision is modern', () => {
    expect(claimedVersion({ params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } })).toBe('2026-07-28')
    for (const params of [{}, { _meta: {} }, { _meta: null }, { _meta: { 'io.modelcontextprotocol/protocolVersion': 7 } }])
      expect(claimedVersion({ params })).toBeUndefined()
  })
})
