/**
 * The far side of the measurement: a hand-written MCP server of revision 2026-07-28 on bare sockets that does as little as
 * one can, so that what is measured is the way to it. Its tools return their text: `echo` only reads, `echo_write` does not
 * say so, and `--tools N` adds others. Prints its ports, one for each of `--servers N`, as its first line. `GET /stats` on
 * the first tells how many sockets all of them have accepted.
 */
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { servers: { type: 'string', default: '1' }, tools: { type: 'string', default: '2' } } })

const REVISION = '2026-07-28'
const MARKED = { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'bench-upstream', version: '1' } } }
const CACHED = { ttlMs: 60_000, cacheScope: 'public' }
const HEAD_END = '\r\n\r\n'
/** From here on a call is not parsed whole: its text is cut out of the bytes and put back into the answer. */
const LARGE_BYTES = 8 * 1024

type Peer = { pieces: Buffer[]; have: number; need: number; unsent: Buffer[] }
type Message = { id?: string | number; method: string; params?: { name?: string; arguments?: { text?: string } } }

const counted = { accepted: 0, calls: 0 }

const tools = Array.from({ length: Number(values.tools) }, (_, at) => ({
  name: at === 0 ? 'echo' : at === 1 ? 'echo_write' : `echo_${String(at).padStart(4, '0')}`,
  description: 'Returns the text that it is given, as it came. Nothing is looked up, nothing is stored and nothing is changed.',
  inputSchema: {
    type: 'object',
    properties: { text: { type: 'string', description: 'What is to be returned' }, times: { type: 'integer', minimum: 1, maximum: 9 } },
    required: ['text'],
  },
  annotations: { readOnlyHint: at !== 1 },
}))
const names = new Set(tools.map(({ name }) => name))

const TYPE = 'content-type: application/json\r\n'
const http = (status: string, body: string) => `HTTP/1.1 ${status}\r\n${TYPE}content-length: ${Buffer.byteLength(body)}${HEAD_END}${body}`
const reply = (id: Message['id'], result: object) => http('200 OK', JSON.stringify({ jsonrpc: '2.0', id, result }))
const LIST = { ...MARKED, tools, ...CACHED }
const DISCOVERED = { ...MARKED, supportedVersions: [REVISION], capabilities: { tools: {} }, ...CACHED }
const CALLED = `"result":{"resultType":"complete","_meta":${JSON.stringify(MARKED._meta)},"content":[{"type":"text","text":`

/** @param text as JSON, quotes included */
function called(id: Message['id'], text: string): string {
  counted.calls += 1
  return http('200 OK', `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${CALLED}${text}}]}}`)
}

function answer({ id, method, params }: Message): string {
  if (id === undefined) return `HTTP/1.1 202 Accepted\r\ncontent-length: 0${HEAD_END}`
  if (method === 'tools/call' && names.has(params?.name ?? '')) return called(id, JSON.stringify(params?.arguments?.text ?? ''))
  if (method === 'tools/list') return reply(id, LIST)
  if (method === 'server/discover') return reply(id, DISCOVERED)
  return http('404 Not Found', JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } }))
}

const TEXT = '"text":"'

/** A large call with a text that needs no unescaping, or undefined: the same answer as `answer` gives, from the same bytes. */
function answerLarge(body: Buffer): Buffer | undefined {
  const from = body.indexOf(TEXT) + TEXT.length
  const end = body.indexOf('"', from)
  const backslash = body.indexOf('\\', from)
  if (from < TEXT.length || end < 0 || (backslash >= 0 && backslash < end)) return undefined
  const { id, method, params } = JSON.parse(body.toString('utf8', 0, from) + body.toString('utf8', end)) as Message
  if (method !== 'tools/call' || !names.has(params?.name ?? '') || params?.arguments?.text !== '') return undefined
  const text = body.subarray(from, end)
  counted.calls += 1
  const [before, after] = [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},${CALLED}"`, '"}]}}']
  const length = before.length + text.length + after.length
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${TYPE}content-length: ${length}${HEAD_END}${before}`), text, Buffer.from(after)])
}

const write = (socket: Bun.Socket<Peer>, bytes: Buffer) => {
  const { unsent } = socket.data
  const sent = unsent.length > 0 ? 0 : Math.max(0, socket.write(bytes))
  if (sent < bytes.length) unsent.push(bytes.subarray(sent))
}

/** The length of the request that begins these bytes, Infinity while its head is not whole. */
function lengthOf(bytes: Buffer): number {
  const head = bytes.indexOf(HEAD_END)
  if (head < 0) return Number.POSITIVE_INFINITY
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head + 2))?.[1] ?? '0'
  return head + HEAD_END.length + Number(length)
}

function handle(request: Buffer): string | Buffer {
  const method = request.toString('latin1', 0, 5)
  if (method === 'GET /' && request.toString('latin1', 0, 11) === 'GET /stats ') return http('200 OK', JSON.stringify(counted))
  if (method !== 'POST ') return http('405 Method Not Allowed', '{}')
  const body = request.subarray(request.indexOf(HEAD_END) + HEAD_END.length)
  return (body.length > LARGE_BYTES ? answerLarge(body) : undefined) ?? answer(JSON.parse(body.toString()) as Message)
}

function onData(socket: Bun.Socket<Peer>, bytes: Buffer): void {
  const peer = socket.data
  peer.pieces.push(bytes)
  peer.have += bytes.length
  while (peer.have > 0) {
    if (peer.need === Number.POSITIVE_INFINITY || peer.need === 0) {
      if (peer.pieces.length > 1) peer.pieces = [Buffer.concat(peer.pieces)]
      peer.need = lengthOf(peer.pieces[0] as Buffer)
    }
    if (peer.have < peer.need) return
    const all = peer.pieces.length > 1 ? Buffer.concat(peer.pieces) : (peer.pieces[0] as Buffer)
    const rest = all.subarray(peer.need)
    const response = handle(all.subarray(0, peer.need))
    peer.pieces = rest.length > 0 ? [rest] : []
    peer.have = rest.length
    peer.need = 0
    write(socket, typeof response === 'string' ? Buffer.from(response) : response)
  }
}

const servers = Array.from({ length: Number(values.servers) }, () =>
  Bun.listen<Peer>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        counted.accepted += 1
        socket.data = { pieces: [], have: 0, need: 0, unsent: [] }
      },
      data: onData,
      drain(socket) {
        const unsent = socket.data.unsent.splice(0)
        for (const bytes of unsent) write(socket, bytes)
      },
    },
  }),
)
console.log(servers.map(({ port }) => port).join(' '))
