import type { AnswerHead } from './head.ts'

/** Where a connection goes, and for whom its other end has to be proven. */
export type WirePlace = {
  /** The same for places that may share connections: address, port, and the name that is verified. */
  key: string
  /** Literal: nothing is resolved here. */
  address: string
  port: number
  isSecure: boolean
  /** What the certificate has to be for. An address where there is no name. */
  hostname: string
}

export type WireRequest = {
  method: string
  /** Request line and fields with their line ends, without length and empty line. Checked by whoever made it. */
  head: string
  /** Whether the head is ASCII; else it is Latin-1. */
  isAscii: boolean
  /** Must not be changed while the request is under way. */
  body: string | Uint8Array<ArrayBuffer> | undefined
  /** Until an answer is handed over; what is left of a streamed body is not timed. */
  timeoutMs: number
  bodyBytesMax: number
  signal?: AbortSignal | undefined
  /** All requests of one scope can be ended together, which costs less than a signal each. */
  scope?: object | undefined
}

export type WireAnswer = {
  status: number
  /** The values of a header, joined by comma. The name in lower case. */
  header: AnswerHead['header']
  /** Whole where it was short or here at once, else a stream; null where there is none. */
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | null
}

/** Methods whose requests may be sent again when a kept connection turns out to be dead (RFC 9110 §9.2.2). */
const REPEATABLE = new Set(['GET', 'HEAD'])
export const isRepeatable = (method: string): boolean => REPEATABLE.has(method)

const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])
/** Up to here head and body go out as one piece, which is one call of the system. */
const JOINED_BYTES_MAX = 128 * 1024
const scratch = Buffer.allocUnsafeSlow(JOINED_BYTES_MAX)

type Writable = { write(data: string | Uint8Array<ArrayBuffer>): number }

/** Writes as much as the socket takes. `sent` is negative when the socket was closed already. */
export function writeRequest(
  socket: Writable,
  { method, head, isAscii, body }: WireRequest,
): { sent: number; rest: Uint8Array<ArrayBuffer>[] } {
  if (body === undefined) return writeText(socket, WITH_BODY.has(method) ? `${head}content-length: 0\r\n\r\n` : `${head}\r\n`, isAscii)
  if (typeof body === 'string') {
    const length = Buffer.byteLength(body)
    // Only ASCII is as long in every encoding; what is announced and what is written must never differ.
    if (isAscii && length === body.length) return writeText(socket, `${head}content-length: ${length}\r\n\r\n${body}`, true)
    return writeBytes(socket, `${head}content-length: ${length}\r\n\r\n`, Buffer.from(body))
  }
  return writeBytes(socket, `${head}content-length: ${body.byteLength}\r\n\r\n`, body)
}

function writeText(socket: Writable, text: string, isAscii: boolean): ReturnType<typeof writeRequest> {
  if (!isAscii) return writeRest(socket, [Buffer.from(text, 'latin1')])
  const sent = socket.write(text)
  return { sent, rest: sent >= text.length || sent < 0 ? NOTHING : [Buffer.from(text.slice(sent), 'latin1')] }
}
const NOTHING: Uint8Array<ArrayBuffer>[] = []

function writeBytes(socket: Writable, head: string, body: Uint8Array<ArrayBuffer>): ReturnType<typeof writeRequest> {
  const length = head.length + body.byteLength
  if (length > scratch.length) return writeRest(socket, [Buffer.from(head, 'latin1'), body])
  scratch.write(head, 0, 'latin1')
  scratch.set(body, head.length)
  const sent = socket.write(scratch.subarray(0, length))
  // The scratch is everybody's: what is left moves out of it.
  return { sent, rest: sent >= length || sent < 0 ? NOTHING : [Buffer.from(scratch.subarray(sent, length))] }
}

/** Takes from the front of `rest` what the socket takes. */
export function writeRest(socket: Writable, rest: Uint8Array<ArrayBuffer>[]): ReturnType<typeof writeRequest> {
  let sent = 0
  for (let at = 0; at < rest.length; at += 1) {
    const piece = rest[at] as Uint8Array<ArrayBuffer>
    const taken = socket.write(piece)
    if (taken < 0) return { sent: sent === 0 ? -1 : sent, rest: NOTHING }
    sent += taken
    if (taken < piece.byteLength) return { sent, rest: [piece.subarray(taken), ...rest.slice(at + 1)] }
  }
  return { sent, rest: NOTHING }
}
