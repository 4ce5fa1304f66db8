/**
 * The load generator, a process of its own. Reads one job a line, writes one result a line. Each connection sends a request,
 * waits for the whole answer, and sends the next: as an MCP client does. HTTP is spoken on bare sockets, because `fetch`
 * would cost more than what is measured. Jobs are bounded in count and in time, and go to loopback only.
 */
import { createTally, mark, MARK, type Result } from './load-tally.ts'
import { runProgram } from './load-program.ts'

/** `body` may hold `MARK` once: each request gets a number in its place, and its answer must hold the same number. */
export type Ask = { headers: Record<string, string>; body: string }
type Bounds = { requests: number; ms: number }
export type HttpJob = Bounds & {
  port: number
  path: string
  /** Connection n sends the n-th, from the start again when there are fewer. */
  asks: Ask[]
  connections: number
  /** Stands in each answer, beside its number. */
  expect: string
  /** No answer is shorter. */
  bytesMin: number
}
export type ProgramJob = Bounds & { command: string[]; body: string; inFlight: number }
export type Job = HttpJob | ProgramJob

type Line = {
  request: Buffer
  markAt: number
  number: string
  sentAt: number
  pieces: Buffer[]
  have: number
  /** Bytes of the whole answer; 0 until its head is there, Infinity while it is chunked. */
  need: number
  unsent: Buffer | undefined
  ended: boolean
}

const HEAD_END = '\r\n\r\n'
const CHUNKS_END = '0\r\n\r\n'

function requestOf({ port, path }: HttpJob, { headers, body }: Ask): Buffer {
  const all = { host: `localhost:${port}`, ...headers, 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return Buffer.from([`POST ${path} HTTP/1.1`, ...lines, '', body].join('\r\n'))
}

/** How long the answer is that begins so. @throws on any status but 200 */
function needOf(bytes: Buffer): number {
  const head = bytes.indexOf(HEAD_END)
  if (head < 0) return 0
  const text = bytes.toString('latin1', 0, head + 2)
  if (!text.startsWith('HTTP/1.1 200')) throw new Error(`answered ${bytes.toString('latin1', 0, 600)}`)
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length !== undefined) return head + HEAD_END.length + Number(length)
  if (!/\r\ntransfer-encoding: *chunked/i.test(text)) throw new Error(`an answer of no known length: ${text}`)
  return Number.POSITIVE_INFINITY
}

const joined = (line: Line): Buffer => {
  if (line.pieces.length > 1) line.pieces = [Buffer.concat(line.pieces)]
  return line.pieces[0] as Buffer
}

/** Whether the answer is whole. Two requests are never under way on one connection, so what ends like the last chunk is it. */
function isWhole(line: Line): boolean {
  if (line.need === 0) line.need = needOf(joined(line))
  if (line.need === 0) return false
  if (line.need !== Number.POSITIVE_INFINITY) {
    if (line.have > line.need) throw new Error('an answer that goes on after its end')
    return line.have === line.need
  }
  const last = line.pieces.at(-1) as Buffer
  const tail = last.length >= CHUNKS_END.length ? last : joined(line)
  return tail.toString('latin1', tail.length - CHUNKS_END.length) === CHUNKS_END
}

/** What stands in it near its end is found without joining the pieces of a large answer. */
function demandAnswer(line: Line, expect: string, bytesMin: number): void {
  for (const text of [line.number, expect]) {
    if (text === '' || (line.pieces.at(-1) as Buffer).includes(text) || joined(line).includes(text)) continue
    // A chunk may have cut it in two.
    const plain = joined(line)
      .toString('latin1')
      .replace(/\r\n[0-9a-f]+\r\n/gi, '')
    if (!plain.includes(text)) throw new Error(`an answer without what was sent (${text}): ${plain.slice(-400)}`)
  }
  if (line.have < bytesMin) throw new Error(`an answer of ${line.have} bytes, less than the ${bytesMin} that it must have`)
}

async function runHttp(job: HttpJob): Promise<Result> {
  const requests = job.asks.map((ask) => requestOf(job, ask))
  const tally = createTally(job)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let open = job.connections

  const flush = (socket: Bun.Socket<Line>, bytes: Buffer) => {
    const sent = Math.max(0, socket.write(bytes))
    socket.data.unsent = sent < bytes.length ? bytes.subarray(sent) : undefined
  }
  const send = (socket: Bun.Socket<Line>) => {
    const line = socket.data
    const number = tally.begin()
    if (number === undefined) {
      line.ended = true
      socket.end()
      open -= 1
      if (open === 0) resolve()
      return
    }
    if (line.markAt >= 0) {
      line.number = mark(number)
      line.request.write(line.number, line.markAt, 'latin1')
    }
    line.pieces = []
    line.have = 0
    line.need = 0
    line.sentAt = Bun.nanoseconds()
    flush(socket, line.request)
  }
  const onData = (socket: Bun.Socket<Line>, bytes: Buffer) => {
    const line = socket.data
    line.pieces.push(bytes)
    line.have += bytes.length
    if (!isWhole(line)) return
    tally.end(line.sentAt)
    demandAnswer(line, job.expect, job.bytesMin)
    send(socket)
  }
  const handlers = {
    data(socket: Bun.Socket<Line>, bytes: Buffer) {
      try {
        onData(socket, bytes)
      } catch (error) {
        reject(error)
      }
    },
    drain: (socket: Bun.Socket<Line>) => socket.data.unsent && flush(socket, socket.data.unsent),
    error: (_: unknown, error: Error) => reject(error),
    close: (socket: Bun.Socket<Line>) => (socket.data.ended ? undefined : reject(new Error('a connection was closed'))),
  }
  const sockets = await Promise.all(
    Array.from({ length: job.connections }, (_, at) => {
      // A copy for each: the number in it is its own.
      const request = Buffer.from(requests[at % requests.length] as Buffer)
      const blank = { number: '', sentAt: 0, pieces: [], have: 0, need: 0, unsent: undefined, ended: false }
      const data: Line = { ...blank, request, markAt: request.indexOf(MARK) }
      return Bun.connect({ hostname: '127.0.0.1', port: job.port, socket: handlers, data })
    }),
  )
  // The clock starts when all are connected.
  tally.start()
  for (const socket of sockets) send(socket)
  try {
    await promise
  } finally {
    for (const socket of sockets) {
      socket.data.ended = true
      socket.end()
    }
  }
  return tally.result()
}

for await (const text of console) {
  const job = JSON.parse(text) as Job
  const result = await ('command' in job ? runProgram(job) : runHttp(job)).catch((error: Error) => ({ error: error.message }))
  console.log(JSON.stringify(result))
}
