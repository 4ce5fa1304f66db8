/**
 * The load generator, a process of its own. Reads one job a line, writes one result a line. Each connection sends a request,
 * waits for the whole answer, and sends the next: as an MCP client does. HTTP is spoken on bare sockets, because `fetch`
 * would cost more than what is measured. Jobs are bounded in count and in time, and go to loopback only.
 */
export type Job = {
  port: number
  path: string
  headers: Record<string, string>
  body: string
  connections: number
  requests: number
  msMax: number
  expect: string
}
export type Result = { done: number; ms: number; latenciesUs: number[] }

type Line = { pending: string; sentAt: number; ended: boolean }

const HEAD_END = '\r\n\r\n'

/** The length of the first whole answer in `text`, 0 while it is not whole. Throws on any status but 200. */
function wholeAnswer(text: string): number {
  const head = text.indexOf(HEAD_END)
  if (head < 0) return 0
  if (!text.startsWith('HTTP/1.1 200')) throw new Error(`answered ${text.slice(0, 400)}`)
  const body = head + HEAD_END.length
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1]
  if (length !== undefined) return text.length >= body + Number(length) ? body + Number(length) : 0
  const end = text.indexOf(`\r\n0${HEAD_END}`, head)
  return end < 0 ? 0 : end + `\r\n0${HEAD_END}`.length
}

function requestOf({ port, path, headers, body }: Job): string {
  const all = { host: `localhost:${port}`, ...headers, 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`POST ${path} HTTP/1.1`, ...lines, '', body].join('\r\n')
}

async function run(job: Job): Promise<Result> {
  const request = requestOf(job)
  const latenciesUs: number[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const started = performance.now()
  let sent = 0
  let open = job.connections

  const send = (socket: Bun.Socket<Line>) => {
    if (sent >= job.requests || performance.now() - started > job.msMax) {
      socket.data.ended = true
      socket.end()
      open -= 1
      if (open === 0) resolve()
      return
    }
    sent += 1
    socket.data = { pending: '', sentAt: performance.now(), ended: false }
    // A request fits into any socket's buffer; one that is cut would wait for ever.
    if (socket.write(request) !== request.length) reject(new Error('a request did not fit into the socket'))
  }
  const onData = (socket: Bun.Socket<Line>, bytes: Buffer) => {
    const line = socket.data
    line.pending += bytes.toString('latin1')
    if (wholeAnswer(line.pending) === 0) return
    latenciesUs.push((performance.now() - line.sentAt) * 1_000)
    if (!line.pending.includes(job.expect)) throw new Error(`an answer without the text that was sent: ${line.pending.slice(-400)}`)
    send(socket)
  }
  const guarded = (socket: Bun.Socket<Line>, bytes: Buffer) => {
    try {
      onData(socket, bytes)
    } catch (error) {
      reject(error)
    }
  }
  const handlers = {
    open: send,
    data: guarded,
    error: (_: unknown, error: Error) => reject(error),
    close: (socket: Bun.Socket<Line>) => (socket.data.ended ? undefined : reject(new Error('a connection was closed'))),
  }
  for (let at = 0; at < job.connections; at++)
    Bun.connect({ hostname: '127.0.0.1', port: job.port, socket: handlers, data: { pending: '', sentAt: 0, ended: false } }).catch(reject)
  await promise
  return { done: latenciesUs.length, ms: performance.now() - started, latenciesUs }
}

for await (const line of console) {
  const result = await run(JSON.parse(line) as Job).catch((error: Error) => ({ error: error.message }))
  console.log(JSON.stringify(result))
}
