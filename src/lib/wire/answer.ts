import { createChunkReader } from './chunks.ts'
import { AnswerError, type AnswerHead, createHeadReader, malformed } from './head.ts'

/** Hears of an answer while it is read. The bytes are its to keep. */
export type AnswerSink = {
  /** `length` of the body where it is known: 0 where there is none, whatever the head announces. */
  head(head: AnswerHead, length: number | undefined): void
  body(bytes: Uint8Array<ArrayBuffer>): void
  /** The answer is whole. */
  end(): void
}
export type AnswerRules = { method: string; bodyBytesMax: number }

const INTERIM_MAX = 8

/** Between answers `rest`; then the head, then one of the three kinds of body. */
type State = 'rest' | 'head' | 'length' | 'chunked' | 'until-close'

/**
 * Reads one answer after another from what comes over one connection, however it is cut. Throws `AnswerError` when the bytes
 * are no answer, or more than is allowed; the connection is of no use then. What is pushed must be the reader's own: the
 * parts of a chunked body are moved together inside it.
 */
export function createAnswerReader(sink: AnswerSink) {
  const heads = createHeadReader()
  const chunks = createChunkReader()
  let state: State = 'rest'
  let rules: AnswerRules = { method: 'GET', bodyBytesMax: 0 }
  let interims = 0
  let remaining = 0
  let bodyBytes = 0

  function end(): void {
    state = 'rest'
    sink.end()
  }

  function take(head: AnswerHead): void {
    if (head.status < 200) {
      interims += 1
      // 101 would make something else of the connection, which is never asked for.
      if (head.status === 101 || interims > INTERIM_MAX) throw malformed('there are too many interim answers')
      return
    }
    // RFC 9112 §6.3: no body, whatever the head announces. Bytes that come all the same end the connection.
    const isBare = rules.method === 'HEAD' || head.status === 204 || head.status === 304
    const length = isBare ? 0 : head.length
    if (length !== undefined && length > rules.bodyBytesMax) throw tooLarge(rules)
    state = length !== undefined ? 'length' : head.isChunked ? 'chunked' : 'until-close'
    remaining = length ?? 0
    sink.head(head, length)
    if (length === 0) end()
  }

  function hand(bytes: Uint8Array<ArrayBuffer>): void {
    bodyBytes += bytes.byteLength
    if (bodyBytes > rules.bodyBytesMax) throw tooLarge(rules)
    if (bytes.byteLength > 0) sink.body(bytes)
  }

  /** Returns where the body's bytes end. */
  function readBody(bytes: Buffer<ArrayBuffer>, from: number): number {
    if (state === 'rest') return from
    if (state === 'chunked') {
      const { filled, at } = chunks.read(bytes, from)
      hand(part(bytes, from, filled))
      if (bodyBytes + chunks.announced() > rules.bodyBytesMax) throw tooLarge(rules)
      if (chunks.isAtEnd()) end()
      return at
    }
    const to = state === 'length' ? Math.min(bytes.length, from + remaining) : bytes.length
    hand(part(bytes, from, to - from))
    remaining -= to - from
    if (state === 'length' && remaining === 0) end()
    return to
  }

  return {
    begin: (given: AnswerRules): void => {
      state = 'head'
      rules = given
      interims = remaining = bodyBytes = 0
      heads.begin()
      chunks.begin()
    },
    /** False when bytes are left that belong to no answer. */
    push: (bytes: Buffer<ArrayBuffer>): boolean => {
      let at = 0
      while (state === 'head') {
        const found = heads.read(bytes, at)
        if (found === undefined) return true
        at = found.at
        take(found.head)
      }
      return readBody(bytes, at) >= bytes.length
    },
    /** The server closed the connection: the end of an answer that lasts until then. Throws when one was under way. */
    close: (): void => {
      if (state === 'until-close') end()
      else if (state !== 'rest') throw malformed('the connection was closed inside an answer')
    },
    /** Nothing has come of the answer yet. */
    isUntouched: (): boolean => state === 'head' && interims === 0 && !heads.hasBegun(),
  }
}
export type AnswerReader = ReturnType<typeof createAnswerReader>

/** Up to here a copy is cheaper than a view, and lets go of the rest of what came. */
const COPIED_BYTES_MAX = 8 * 1024

function part(bytes: Buffer<ArrayBuffer>, from: number, length: number): Uint8Array<ArrayBuffer> {
  if (length > COPIED_BYTES_MAX) return new Uint8Array(bytes.buffer, bytes.byteOffset + from, length)
  const copy = new Uint8Array(length)
  bytes.copy(copy, 0, from, from + length)
  return copy
}

const tooLarge = ({ bodyBytesMax }: AnswerRules) => new AnswerError('too-large', `the body is larger than ${bodyBytesMax} bytes`)
