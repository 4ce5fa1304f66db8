import { createServer, type Server, type Socket } from 'node:net'

export type RawServer = {
  port: number
  /** Connections so far, and those that are open. */
  accepted(): number
  open(): number
  /** All requests so far, as they came over the wire. */
  requests: string[]
  close(): void
}

/** A server that answers each whole request as it likes: `answer` gets the socket, the request and how many came before it on this connection. */
export async function listenRaw(answer: (socket: Socket, request: string, before: number) => void): Promise<RawServer> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  let accepted = 0
  const server: Server = createServer({ noDelay: true }, (socket) => {
    accepted += 1
    sockets.add(socket)
    let before = 0
    let text = ''
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (let end = endOfRequest(text); end > 0; end = endOfRequest(text)) {
        const request = text.slice(0, end)
        text = text.slice(end)
        requests.push(request)
        answer(socket, request, before++)
      }
    })
  })
  const listening = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', listening.resolve)
  await listening.promise
  return {
    port: (server.address() as { port: number }).port,
    accepted: () => accepted,
    open: () => sockets.size,
    requests,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** 0 while the request goes on. */
function endOfRequest(text: string): number {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return 0
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
  return text.length >= head + 4 + length ? head + 4 + length : 0
}

/** An answer of known length. */
export const answerOf = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
