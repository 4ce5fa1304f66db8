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

/** Pieces are one text, one after the other. To put a long one together costs more than to send it. */
export type WireBody = string | readonly string[] | Uint8Array<ArrayBuffer>

export type WireRequest = {
  method: string
  /** Request line and fields with their line ends, without length and empty line. Checked by whoever made it. */
  head: string
  /** Whether the head is ASCII; else it is Latin-1. */
  isAscii: boolean
  /** Must not be changed while the request is under way. */
  body: WireBody | undefined
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
/** Up to here a text goes to the socket as a text; beyond it pays to encode it first. */
const TEXT_CHARS_MAX = 2 * 1024
/** Head and body that fit go out as one piece, which is one call of the system. The head is put in front of the body. */
const BODY_AT = 32 * 1024
const scratch = Buffer.allocUnsafeSlow(BODY_AT + 192 * 1024)
const bodyRoom = scratch.subarray(BODY_AT)
const encoder = new TextEncoder()

type Writable = { write(data: string | Uint8Array<ArrayBuffer>): number }
/** `sent` is negative when the socket was closed already. */
type Written = { sent: number; rest: Uint8Array<ArrayBuffer>[] }
const NOTHING: Uint8Array<ArrayBuffer>[] = []

/** Writes as much as the socket takes. What is announced as the length is counted from the very bytes that are written. */
export function writeRequest(socket: Writable, { method, head, isAscii, body }: WireRequest): Written {
  if (body === undefined) return writeText(socket, WITH_BODY.has(method) ? `${head}content-length: 0\r\n\r\n` : `${head}\r\n`, isAscii)
  if (body instanceof Uint8Array) {
    if (body.byteLength > bodyRoom.length) return writePieces(socket, head, body)
    bodyRoom.set(body)
    return writeScratch(socket, head, body.byteLength)
  }
  if (typeof body === 'string' && isAscii && body.length <= TEXT_CHARS_MAX) {
    const length = Buffer.byteLength(body)
    // Only ASCII is as long in every encoding.
    if (length === body.length) return writeText(socket, `${head}content-length: ${length}\r\n\r\n${body}`, true)
  }
  const pieces = typeof body === 'string' ? [body] : body
  const written = encodedInto(bodyRoom, pieces)
  return written === undefined ? writePieces(socket, head, Buffer.from(pieces.join(''))) : writeScratch(socket, head, written)
}

/** How many bytes they take; undefined where they do not fit, or where one ends in half a character, whose other half begins the next. */
function encodedInto(room: Uint8Array<ArrayBuffer>, pieces: readonly string[]): number | undefined {
  let filled = 0
  for (const [at, piece] of pieces.entries()) {
    const { read, written } = encoder.encodeInto(piece, filled === 0 ? room : room.subarray(filled))
    if (read < piece.length || (at < pieces.length - 1 && endsInHalf(piece))) return undefined
    filled += written
  }
  return filled
}
const endsInHalf = (piece: string): boolean => (piece.charCodeAt(piece.length - 1) & 0xfc00) === 0xd800

function writeText(socket: Writable, text: string, isAscii: boolean): Written {
  if (!isAscii) return writeRest(socket, [Buffer.from(text, 'latin1')])
  const sent = socket.write(text)
  return { sent, rest: sent >= text.length || sent < 0 ? NOTHING : [Buffer.from(text.slice(sent), 'latin1')] }
}

/** The body lies in the scratch already. */
function writeScratch(socket: Writable, head: string, length: number): Written {
  const start = `${head}content-length: ${length}\r\n\r\n`
  if (start.length > BODY_AT) return writePieces(socket, head, Buffer.from(bodyRoom.subarray(0, length)))
  scratch.write(start, BODY_AT - start.length, 'latin1')
  const all = scratch.subarray(BODY_AT - start.length, BODY_AT + length)
  const sent = socket.write(all)
  // The scratch is everybody's: what is left moves out of it.
  return { sent, rest: sent >= all.length || sent < 0 ? NOTHING : [Buffer.from(all.subarray(sent))] }
}

const writePieces = (socket: Writable, head: string, body: Uint8Array<ArrayBuffer>): Written =>
  writeRest(socket, [Buffer.from(`${head}content-length: ${body.byteLength}\r\n\r\n`, 'latin1'), body])

/** Takes from the front of `rest` what the socket takes. */
export function writeRest(socket: Writable, rest: Uint8Array<ArrayBuffer>[]): Written {
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
