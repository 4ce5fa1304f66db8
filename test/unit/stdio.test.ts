/** What goes over the pipe of a program, and how its answers are told apart before anybody reads them. */
import { describe, expect, test } from 'bun:test'
import { idAnswered, inOneLine } from '../../plugins/stdio/messages.ts'
import { createStdin } from '@/lib/programs/stdin.ts'

describe('whose answer a line is', () => {
  test.each<[string, string, number | undefined]>([
    ['whose id is first', '{"jsonrpc":"2.0","id":12,"result":{"a":{}}}', 12],
    ['whose id is last', '{"result":{"a":{}},"jsonrpc":"2.0","id":12}', 12],
    ['that is an error', '{"jsonrpc":"2.0","id":12,"error":{"code":1,"message":"no"}}', undefined],
    ['whose result is no object', '{"jsonrpc":"2.0","id":12,"result":"{}"}', undefined],
    ['whose id is text', '{"jsonrpc":"2.0","id":"12","result":{}}', undefined],
    ['whose id is a fraction', '{"jsonrpc":"2.0","id":1.5,"result":{}}', undefined],
    ['whose id is no whole number we gave', '{"jsonrpc":"2.0","id":1234567890123456,"result":{}}', undefined],
    ['without an id', '{"jsonrpc":"2.0","id":,"result":{}}', undefined],
    ['without an id at its end', '{"result":{},"jsonrpc":"2.0","id":}', undefined],
    ['of a request', '{"jsonrpc":"2.0","id":12,"method":"ping"}', undefined],
    ['of a batch', '[{"jsonrpc":"2.0","id":12,"result":{}}]', undefined],
    ['that was cut off', '{"jsonrpc":"2.0","id":12,"result":{"a":"b', undefined],
    ['too short', '{"result":{}', undefined],
    ['with nothing in it', '', undefined],
  ])('%s', (_, line, id) => expect(idAnswered(Buffer.from(line))).toBe(id))
})

test.each(['\n', '\r', '\r\n', '\n\n'])('a message stays one line, and says the same, with %j in between', (end) => {
  const message = { id: 1, params: { text: 'a\nb\rc', of: [1, { more: true }] } }
  const text = JSON.stringify(message, null, 1).replaceAll('\n', end)
  for (const body of [text, Buffer.from(text), [text.slice(0, 9), text.slice(9)]]) {
    const line = inOneLine(body)
    expect(line).not.toMatch(/[\r\n]/)
    expect(JSON.parse(line)).toEqual(message)
  }
})

const turn = () => new Promise((done) => setImmediate(done))

describe('writing to a program', () => {
  /** What was written and flushed; the next flush waits for `read` where `isFull`. */
  function pipe() {
    const went: string[] = []
    let unread = ''
    let reading = Promise.withResolvers<number>()
    const state = { isFull: false, isBroken: false, ended: false }
    const sink = {
      write: (text: string) => {
        if (state.isBroken) throw new Error('EPIPE')
        unread += text
        return text.length
      },
      flush: () => {
        went.push(unread)
        unread = ''
        return state.isFull ? reading.promise : 1
      },
      end: () => {
        went.push(unread)
        state.ended = true
        return 0
      },
    }
    const stdin = createStdin(sink as never, () => new Error('does not read'))
    const read = () => {
      reading.resolve(1)
      reading = Promise.withResolvers()
      return turn()
    }
    return { stdin, went, state, read }
  }

  test('the first of a turn goes at once, the rest together, in their order', async () => {
    const { stdin, went } = pipe()
    for (const text of 'abc') stdin.write(text)
    expect(went).toEqual(['a'])
    await turn()
    expect(went).toEqual(['a', 'bc'])
    await turn()
    stdin.write('d')
    expect(went).toEqual(['a', 'bc', 'd'])
  })
  test('while the program does not read, what is written waits, and no more of it than fits', async () => {
    const { stdin, went, state, read } = pipe()
    state.isFull = true
    const mebibyte = 'x'.repeat(1024 * 1024)
    for (let at = 0; at < 32; at += 1) stdin.write(mebibyte)
    await turn()
    expect(went.length).toBe(1)
    expect(() => stdin.write('y')).toThrow('does not read')
    await read()
    expect(went.map(({ length }) => length / mebibyte.length)).toEqual([1, 31])
    stdin.write('y')
    expect(() => stdin.write(mebibyte)).toThrow('does not read')
    await read()
    expect(went.at(-1)).toBe('y')
  })
  test('what is still waiting goes before the end', () => {
    const { stdin, went, state } = pipe()
    for (const text of 'abc') stdin.write(text)
    stdin.end()
    expect([went, state.ended]).toEqual([['a', 'bc'], true])
  })
  test('a pipe that breaks is told to whoever writes, and to nobody later', async () => {
    const { stdin, state } = pipe()
    stdin.write('a')
    stdin.write('b')
    state.isBroken = true
    await turn()
    stdin.end()
    const { stdin: broken, state: from } = pipe()
    from.isBroken = true
    expect(() => broken.write('a')).toThrow('EPIPE')
    expect(() => broken.write('b')).toThrow('EPIPE')
  })
})
