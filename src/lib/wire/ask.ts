import { boundedBody } from '../outbound-body.ts'
import { describeError, OutboundError } from '../outbound-error.ts'
import type { AnswerHead } from './head.ts'
import type { WireAnswer, WirePlace, WireRequest } from './request.ts'

/** One request under way: first without a connection, then on one, until the last byte of its answer. */
export type Ask = {
  readonly place: WirePlace
  readonly request: WireRequest
  /** Until when there has to be an answer. */
  readonly deadlineMs: number
  /** Was on a kept connection that turned out dead, so this is its second and last try. */
  isRepeat: boolean
  isAnswered: boolean
  isOver: boolean
  /** Ends the connection that it is on, where it is on one. */
  stop: ((error: OutboundError) => void) | undefined
  readonly resolve: (answer: WireAnswer) => void
  readonly reject: (error: OutboundError) => void
  readonly onOver: (ask: Ask) => void
  onAbort: (() => void) | undefined
  /** Among all that are under way. */
  index: number
}

export function answerAsk(ask: Ask, head: AnswerHead, body: WireAnswer['body']): void {
  ask.isAnswered = true
  const { status, header, encoding } = head
  if (encoding === '' || body === null) return ask.resolve({ status, header, body })
  try {
    ask.resolve({ status, header: (name) => (OF_THE_PACKED.has(name) ? null : header(name)), body: unpacked(ask, encoding, body) })
  } catch (error) {
    ask.reject(describeError(error, ask.place.hostname))
  }
}
const OF_THE_PACKED = new Set(['content-encoding', 'content-length'])

/** Nobody asks for a packed body, but some servers cannot be talked out of it. */
function unpacked({ place, request }: Ask, encoding: string, body: NonNullable<WireAnswer['body']>): NonNullable<WireAnswer['body']> {
  const source = body instanceof Uint8Array ? streamOf(body) : body
  return boundedBody(source, {
    encoding,
    bytesMax: request.bodyBytesMax,
    tooLarge: () => new OutboundError('too-large', `${place.hostname} sent more than ${request.bodyBytesMax} bytes.`),
    describe: (error) => describeError(error, place.hostname),
    end: () => {},
  }) as ReadableStream<Uint8Array<ArrayBuffer>>
}

const streamOf = (bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes)
      controller.close()
    },
  })

/** No more bytes of it will come. */
export function endAsk(ask: Ask): void {
  if (ask.isOver) return
  ask.isOver = true
  ask.stop = undefined
  if (ask.onAbort !== undefined) ask.request.signal?.removeEventListener('abort', ask.onAbort)
  ask.onOver(ask)
}

export function failAsk(ask: Ask, error: OutboundError): void {
  if (!ask.isAnswered) ask.reject(error)
  endAsk(ask)
}
