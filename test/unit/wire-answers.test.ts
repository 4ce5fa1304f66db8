import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type AnswerRules, createAnswerReader } from '@/lib/wire/answer.ts'
import { AnswerError } from '@/lib/wire/head.ts'

type Read = { status?: number; headers: Record<string, string | null>; body: string; isWhole: boolean; isClean: boolean; problem?: string }
const NAMES = ['content-type', 'x-a', 'set-cookie', 'connection']

/** What a reader makes of the bytes, cut into those pieces. `closed`: the connection ends behind them. */
function read(
  bytes: Buffer,
  cuts: readonly number[] = [],
  { closed = false, ...rules }: Partial<AnswerRules> & { closed?: boolean } = {},
): Read {
  const found: Read = { headers: {}, body: '', isWhole: false, isClean: true }
  const body: Buffer[] = []
  const reader = createAnswerReader({
    head: ({ status, header }) => {
      found.status = status
      for (const name of NAMES) if (header(name) !== null) found.headers[name] = header(name)
    },
    body: (part) => body.push(Buffer.from(part)),
    end: () => (found.isWhole = true),
  })
  reader.begin({ method: 'POST', bodyBytesMax: 1_000_000, ...rules })
  const at = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length]
  try {
    for (let piece = 1; piece < at.length; piece += 1) {
      // The reader moves bytes around in what it is given, so each piece is its own.
      const part = Buffer.from(bytes.subarray(at[piece - 1], at[piece]))
      if (part.length > 0 && !reader.push(part)) found.isClean = false
    }
    if (closed) reader.close()
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    found.problem = error.kind
  }
  found.body = Buffer.concat(body).toString('latin1')
  return found
}

/** As one piece, byte by byte, and in threes: no cut may change what is read. */
function readAll(text: string, rules: Parameters<typeof read>[2] = {}): Read {
  const bytes = Buffer.from(text, 'latin1')
  const whole = read(bytes, [], rules)
  for (const step of [1, 3]) {
    const cuts = Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) => at * step)
    const cut = read(bytes, cuts, rules)
    // How much of a body is seen before the mistake behind it depends on the cuts, and nobody gets to see it.
    if (whole.problem === undefined) expect(cut).toEqual(whole)
    else expect(cut.problem).toBe(whole.problem)
  }
  return whole
}
const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`

describe('an answer', () => {
  test.each<[string, string, Partial<Read>]>([
    ['of known length', `${OK}Content-Length: 5\r\n\r\nhello`, { body: 'hello', isWhole: true }],
    ['of no length', `${OK}content-length: 0\r\n\r\n`, { body: '', isWhole: true }],
    ['with the same length twice', `${OK}content-length: 2\r\ncontent-length: 2\r\n\r\nok`, { body: 'ok', isWhole: true }],
    ['without a reason', 'HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok', { status: 200, body: 'ok', isWhole: true }],
    ['with an empty reason', 'HTTP/1.1 404 \r\ncontent-length: 2\r\n\r\nok', { status: 404, isWhole: true }],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', { body: 'ok', isWhole: true }],
    [
      'with headers of every kind',
      `${OK}X-A: \t one \r\nx-a:two\r\nContent-Type: Application/JSON\r\ncontent-length: 0\r\n\r\n`,
      { headers: { 'x-a': 'one, two', 'content-type': 'Application/JSON' } },
    ],
    ['with bytes beyond ASCII in a value', `${OK}x-a: caf\xe9\xa0\r\ncontent-length: 0\r\n\r\n`, { headers: { 'x-a': 'caf\xe9\xa0' } }],
    ['in chunks', `${CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`, { body: 'hello!', isWhole: true }],
    [
      'in chunks, in any case',
      `${OK}Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n`,
      { body: '0123456789', isWhole: true },
    ],
    ['in no chunk', `${CHUNKED}0\r\n\r\n`, { body: '', isWhole: true }],
    ['in chunks with extensions', `${CHUNKED}2;a=b;c\r\nok\r\n0;x="y"\r\n\r\n`, { body: 'ok', isWhole: true }],
    ['in chunks with trailers', `${CHUNKED}2\r\nok\r\n0\r\nx-sum: 1\r\nx-b: 2\r\n\r\n`, { body: 'ok', isWhole: true }],
    ['in chunks whose size has noughts in front', `${CHUNKED}002\r\nok\r\n000\r\n\r\n`, { body: 'ok', isWhole: true }],
    ['without length, so far', `${OK}\r\nso far`, { body: 'so far', isWhole: false }],
    [
      'behind interim answers',
      `HTTP/1.1 103 Early\r\nx-a: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
      { status: 200, body: 'ok' },
    ],
    ['that has no body by its status', 'HTTP/1.1 204 No\r\n\r\n', { status: 204, isWhole: true, body: '' }],
    ['that has not changed', 'HTTP/1.1 304 No\r\ncontent-length: 500\r\n\r\n', { status: 304, isWhole: true, body: '' }],
    ['with bytes behind it', `${OK}content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n`, { body: 'ok', isWhole: true, isClean: false }],
    ['in chunks with bytes behind it', `${CHUNKED}0\r\n\r\nx`, { isWhole: true, isClean: false }],
    ['without a body, with one', 'HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\nok', { isWhole: true, isClean: false, body: '' }],
  ])('%s is read', (_what, text, expected) => {
    const found = readAll(text)
    expect(found.problem).toBeUndefined()
    expect(found).toMatchObject(expected)
  })
  test('to HEAD has no body', () => {
    const found = readAll(`${OK}content-length: 500\r\n\r\n`, { method: 'HEAD' })
    expect(found).toMatchObject({ isWhole: true, body: '', isClean: true })
  })
  test('without length ends with the connection', () => {
    expect(readAll(`${OK}\r\nall of it`, { closed: true })).toMatchObject({ body: 'all of it', isWhole: true })
  })

  test.each<[string, string]>([
    ['is no HTTP', 'garbage\r\n\r\n'],
    ['is HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['is HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['is HTTP/11.1', 'HTTP/11.1 200 OK\r\n\r\n'],
    ['has a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['has a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['has a status beyond five hundred', 'HTTP/1.1 600 OK\r\n\r\n'],
    ['has a blank before its start', ' HTTP/1.1 200 OK\r\n\r\n'],
    ['begins with an empty line', `\r\n${OK}\r\n`],
    ['ends its lines with LF', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok'],
    ['ends one line with LF', `${OK}x-a: 1\ncontent-length: 2\r\n\r\nok`],
    ['has a bare CR', `${OK}x-a: 1\rcontent-length: 5\r\n\r\nok`],
    ['has a NUL', `${OK}x-a: a\0b\r\n\r\n`],
    ['continues a line', `${OK}x-a: 1\r\n  2\r\n\r\n`],
    ['has a blank before the colon', `${OK}content-length : 2\r\n\r\nok`],
    ['has a field without a colon', `${OK}what\r\n\r\n`],
    ['has a field without a name', `${OK}: what\r\n\r\n`],
    ['has two lengths', `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nok`],
    ['has a list of lengths', `${OK}content-length: 2, 2\r\n\r\nok`],
    ['has a negative length', `${OK}content-length: -2\r\n\r\nok`],
    ['has a length with a sign', `${OK}content-length: +2\r\n\r\nok`],
    ['has a hexadecimal length', `${OK}content-length: 0x2\r\n\r\nok`],
    ['has an empty length', `${OK}content-length:\r\n\r\nok`],
    ['has a length beyond numbers', `${OK}content-length: 9999999999999999999\r\n\r\nok`],
    ['has length and chunks', `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
    ['is chunked twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['is packed for the transfer', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['is coded in an unknown way', `${OK}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['is identity for the transfer', `${OK}transfer-encoding: identity\r\n\r\n0\r\n\r\n`],
    ['is chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n'],
    ['never gets beyond interim answers', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(9)],
    ['has too many fields', `${OK}${'x-a: 1\r\n'.repeat(101)}\r\n`],
    ['has a head without end', `${OK}x-a: ${'y'.repeat(40_000)}`],
    ['has chunks without a size', `${CHUNKED}\r\nok\r\n0\r\n\r\n`],
    ['has chunks of no hexadecimal size', `${CHUNKED}0x2\r\nok\r\n0\r\n\r\n`],
    ['has chunks of a negative size', `${CHUNKED}-2\r\nok\r\n0\r\n\r\n`],
    ['has chunks of a size beyond numbers', `${CHUNKED}${'0'.repeat(10)}2\r\nok\r\n0\r\n\r\n`],
    ['has chunks that are longer than they say', `${CHUNKED}2\r\nokay\r\n0\r\n\r\n`],
    ['has chunks with LF', `${CHUNKED}2\nok\n0\n\n`],
    ['has chunks without their end', `${CHUNKED}2\r\nok0\r\n\r\n`],
    ['has extensions without end', `${CHUNKED}2;${'x'.repeat(5_000)}\r\nok\r\n0\r\n\r\n`],
    ['has a little extension a thousand times', `${CHUNKED}${`1;${'x'.repeat(10)}\r\ny\r\n`.repeat(1_000)}0\r\n\r\n`],
    ['has LF in an extension', `${CHUNKED}2;a\nb\r\nok\r\n0\r\n\r\n`],
    ['has trailers without end', `${CHUNKED}0\r\n${'x-a: 1\r\n'.repeat(2_000)}\r\n`],
    ['continues a trailer', `${CHUNKED}0\r\nx-a: 1\r\n 2\r\n\r\n`],
    ['ends its trailers with LF', `${CHUNKED}0\r\n\n`],
  ])('that %s is refused', (_what, text) => expect(readAll(text).problem).toBe('malformed'))

  test.each<[string, string]>([
    ['announced', `${OK}content-length: 11\r\n\r\n`],
    ['in one chunk', `${CHUNKED}b\r\n`],
    ['in many chunks', `${CHUNKED}${'2\r\nxx\r\n'.repeat(6)}`],
    ['until the end', `${OK}\r\n${'x'.repeat(11)}`],
  ])('of more than is allowed, %s, is cut off', (_what, text) => expect(readAll(text, { bodyBytesMax: 10 }).problem).toBe('too-large'))
  test.each([`${OK}content-length: 5\r\n\r\nhell`, `${CHUNKED}5\r\nhello\r\n`, `${CHUNKED}5\r\nhello\r\n0\r\n`, 'HTTP/1.1 200 OK\r\n', ''])(
    'that the connection cuts off is none: %j',
    (text) => expect(readAll(text, { closed: true })).toMatchObject({ problem: 'malformed', isWhole: false }),
  )
})

describe('any answer', () => {
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
  const value = fc.stringMatching(/^[\x21-\x7e\x80-\xff]{0,20}$/)
  const field = fc.tuple(token, value).filter(([name]) => !/^(content-length|transfer-encoding|set-cookie)$/i.test(name))
  const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
  const cuts = fc.array(fc.nat(2_000), { maxLength: 12 })
  const chunkSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 })

  const chunked = (text: string, sizes: readonly number[]): string => {
    let coded = ''
    for (let at = 0, turn = 0; at < text.length; turn += 1) {
      const size = sizes[turn % sizes.length] as number
      const piece = text.slice(at, at + size)
      coded += `${piece.length.toString(16)}${turn % 3 === 0 ? ';n=1' : ''}\r\n${piece}\r\n`
      at += size
    }
    return `${coded}0\r\n\r\n`
  }

  test('is read as it was meant, wherever it is cut', () => {
    const answer = fc.tuple(fc.integer({ min: 200, max: 599 }), fc.array(field, { maxLength: 6 }), body, chunkSizes, fc.boolean(), cuts)
    fc.assert(
      fc.property(answer, ([status, fields, text, sizes, isChunked, where]) => {
        fc.pre(status !== 204 && status !== 304)
        const framing = isChunked ? 'transfer-encoding: chunked' : `content-length: ${text.length}`
        const head = `HTTP/1.1 ${status} x\r\n${fields.map(([name, given]) => `${name}: ${given}\r\n`).join('')}${framing}\r\n\r\n`
        const bytes = Buffer.from(head + (isChunked ? chunked(text, sizes) : text), 'latin1')
        const found = read(bytes, where)
        expect(found).toMatchObject({ status, body: text, isWhole: true, isClean: true })
        expect(found.problem).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
  })

  test('is never mixed with the next one: the bytes behind its end are seen, and none of them is handed over', () => {
    fc.assert(
      fc.property(
        body,
        chunkSizes,
        fc.boolean(),
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        cuts,
        (text, sizes, isChunked, extra, where) => {
          const head = isChunked ? CHUNKED : `${OK}content-length: ${text.length}\r\n\r\n`
          const bytes = Buffer.concat([Buffer.from(head + (isChunked ? chunked(text, sizes) : text), 'latin1'), extra])
          expect(read(bytes, where)).toMatchObject({ body: text, isWhole: true, isClean: false })
        },
      ),
      { numRuns: 1_000 },
    )
  })

  /** Pieces of HTTP in any order and number: what garbage has to be made of to come far. */
  const shards = fc.oneof(
    fc.constantFrom(
      OK,
      'HTTP/1.1 100 x\r\n\r\n',
      'HTTP/1.0 204\r\n',
      '\r\n',
      '\r\n\r\n',
      '\n',
      '\r',
      ':',
      ' ',
      '\0',
      '0',
      'ffff',
      ';',
      '5\r\nhello',
    ),
    fc.constantFrom(
      'content-length: 5\r\n',
      'content-length: 6\r\n',
      'transfer-encoding: chunked\r\n',
      'connection: close\r\n',
      '0\r\n\r\n',
    ),
    fc.string({ maxLength: 8 }),
  )
  test('that is garbage is refused or waited for, never believed to be two things', () => {
    fc.assert(
      fc.property(fc.array(shards, { maxLength: 20 }), cuts, fc.boolean(), (parts, where, closed) => {
        const bytes = Buffer.from(parts.join(''), 'latin1')
        const whole = read(bytes, [], { closed })
        const cut = read(bytes, where, { closed })
        expect([cut.problem, cut.isWhole, cut.isClean]).toEqual([whole.problem, whole.isWhole, whole.isClean])
        if (whole.problem === undefined) expect(cut).toEqual(whole)
        expect(whole.body.length).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 5_000 },
    )
  })
})
