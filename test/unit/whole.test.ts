/** Large bodies on the wire: whole, with their length, no faster than they are read, and gone with their reader. */
import { afterAll, describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { wholeBody } from '@/http/whole.ts'
import { eventually } from '../support/outside.ts'

const texts: Record<string, string> = { '/short': 'ä'.repeat(20), '/long': 'ä'.repeat(100_000), '/huge': 'x'.repeat(8_000_000) }
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  // Handed over later than in the request's own turn, as an answer of an upstream is.
  fetch: async (request) => {
    await Bun.sleep(1)
    const text = texts[new URL(request.url).pathname] ?? ''
    const bytes = new TextEncoder().encode(text)
    const pieces = [bytes.subarray(0, 3), bytes.subarray(3, 3), bytes.subarray(3)]
    return new Response(wholeBody(request.method === 'PUT' ? bytes : request.method === 'POST' ? pieces : text))
  },
})
afterAll(() => server.stop(true))

const sockets: Socket[] = []
afterAll(() => {
  for (const socket of sockets) socket.destroy()
})
/** What comes first of an answer; then nothing more is taken until somebody asks. */
async function begun(path: string): Promise<{ socket: Socket; first: string }> {
  const socket = connect(server.port ?? 0, '127.0.0.1')
  sockets.push(socket)
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  socket.pause()
  return { socket, first: bytes.toString('latin1') }
}

describe('a body that is here as a whole', () => {
  test.each(Object.keys(texts))('comes as it is, as text, as bytes and in pieces: %s', async (path) => {
    for (const method of ['GET', 'PUT', 'POST']) {
      const answer = await fetch(server.url.origin + path, { method })
      expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(texts[path] ?? '')))
      expect(await answer.text()).toBe(texts[path] as string)
    }
  })
  test('waits for a reader that takes its time', async () => {
    const { socket, first } = await begun('/huge')
    await Bun.sleep(100)
    let bytes = first.length - first.indexOf('\r\n\r\n') - 4
    for await (const piece of socket) {
      bytes += (piece as Buffer).byteLength
      if (bytes >= 8_000_000) break
    }
    expect(bytes).toBe(8_000_000)
  })
  test('is let go of with its reader', async () => {
    for (let at = 0; at < 20; at += 1) (await begun('/huge')).socket.destroy()
    expect(await eventually(() => server.pendingRequests === 0)).toBe(true)
  })
})
