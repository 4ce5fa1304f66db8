import { isIP } from 'node:net'
import type { Socket } from 'bun'
import { drainLine, endLine, feedLine, type Line } from './line.ts'

type Attempt = {
  line: Line
  isSecure: boolean
  isOpen: boolean
  isGivenUp: boolean
  resolve(socket: Socket<Attempt>): void
  reject(error: unknown): void
}

/**
 * Opens a connection to the address itself. Over TLS it counts as open when the certificate has been verified for the name,
 * and not one byte is written before. A connection that was given up meanwhile is closed as soon as it stands.
 */
export function openSocket(line: Line, ca: string | undefined) {
  const { address, port, isSecure, hostname } = line.place
  const { promise, resolve, reject } = Promise.withResolvers<Socket<Attempt>>()
  const attempt: Attempt = { line, isSecure, isOpen: false, isGivenUp: false, resolve, reject }
  const serverName = isIP(hostname) === 0 ? { serverName: hostname } : {}
  const tls = { ...serverName, ...(ca === undefined ? {} : { ca }), rejectUnauthorized: true }
  let early: Socket<Attempt> | undefined
  Bun.connect<Attempt>({ hostname: address, port, data: attempt, socket: HANDLERS, ...(isSecure ? { tls } : {}) }).then((socket) => {
    early = socket
    if (attempt.isGivenUp) socket.terminate()
  }, reject)
  return {
    opened: promise,
    giveUp: (error: Error): void => {
      attempt.isGivenUp = true
      reject(error)
      early?.terminate()
    },
  }
}

function stand(socket: Socket<Attempt>): void {
  const attempt = socket.data
  if (attempt.isGivenUp) return socket.terminate()
  attempt.isOpen = true
  attempt.resolve(socket)
}

function refuse(socket: Socket<Attempt>, error: unknown): void {
  socket.data.isGivenUp = true
  socket.data.reject(error)
  socket.terminate()
}

const HANDLERS = {
  open: (socket: Socket<Attempt>): void => {
    if (!socket.data.isSecure) stand(socket)
  },
  // `authorized` is asked as well: an error that is not handed over must not pass for none.
  handshake: (socket: Socket<Attempt>, isVerified: boolean, error: Error | null): void => {
    if (isVerified && error === null && (socket as { authorized?: boolean }).authorized === true) stand(socket)
    else refuse(socket, error ?? Object.assign(new Error('The certificate was not verified.'), { code: 'ERR_TLS_NOT_VERIFIED' }))
  },
  data: (socket: Socket<Attempt>, bytes: Buffer<ArrayBuffer>): void => {
    if (socket.data.isOpen) feedLine(socket.data.line, bytes)
    else refuse(socket, new Error('The server spoke before it was asked.'))
  },
  drain: (socket: Socket<Attempt>): void => {
    if (socket.data.isOpen) drainLine(socket.data.line)
  },
  close: (socket: Socket<Attempt>, error?: unknown): void => {
    socket.data.reject(error ?? new Error('The connection was closed.'))
    endLine(socket.data.line, error)
  },
  error: (socket: Socket<Attempt>, error: unknown): void => {
    socket.data.reject(error)
    endLine(socket.data.line, error)
  },
  connectError: (socket: Socket<Attempt>, error: unknown): void => socket.data.reject(error),
}
