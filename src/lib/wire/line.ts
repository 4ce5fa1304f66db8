import type { Socket } from 'bun'
import { OutboundError } from '../outbound-error.ts'
import { type AnswerReader, createAnswerReader } from './answer.ts'
import { type Ask, answerAsk, endAsk, failAsk } from './ask.ts'
import { type Body, createBody, createGathering, type Gathering } from './body.ts'
import { AnswerError, type AnswerHead } from './head.ts'
import { isRepeatable, type WirePlace, writeRequest, writeRest } from './request.ts'

/** Up to here an answer of known length, and JSON of unknown length, is handed over whole. */
const WHOLE_BYTES_MAX = 256 * 1024

/** Whoever keeps the connections. */
type LineKeeper = {
  /** It may carry the next request, and is idle until then. */
  onFree(line: Line): void
  /** Its connection is closed, or about to be. */
  onDead(line: Line): void
  /** The request was certainly not carried out, or may be sent again: it needs a new connection. */
  onRepeat(ask: Ask): void
}

/**
 * One kept-alive connection, which carries one request after another and never two at once. Whatever is unexpected ends it:
 * bytes that nobody asked for, a malformed answer, a request that was given up.
 */
export type Line = {
  readonly place: WirePlace
  readonly keeper: LineKeeper
  readonly reader: AnswerReader
  readonly gathering: Gathering
  /** Ends the connection at once. */
  readonly stop: (error: OutboundError) => void
  socket: Socket<unknown> | undefined
  /** What is on it now. */
  ask: Ask | undefined
  isDead: boolean
  /** Its request has not gone out yet. */
  isHeld: boolean
  uses: number
  sentBytes: number
  /** Of the request, what the socket did not take yet. */
  rest: Uint8Array<ArrayBuffer>[]
  head: AnswerHead | undefined
  /** Of the body, where it is known. */
  length: number | undefined
  isWhole: boolean
  body: Body | undefined
  /** Where it is idle: until when it may be used. */
  idleUntilMs: number
}

export function createLine(place: WirePlace, keeper: LineKeeper): Line {
  const reader = createAnswerReader({
    head: (head, length) => {
      line.head = head
      line.length = length
    },
    body: (bytes) => {
      if (line.body === undefined) line.gathering.push(bytes, isShort(line.length) ? line.length : undefined)
      else line.body.push(bytes)
    },
    end: () => {
      line.isWhole = true
    },
  })
  const nothing = { socket: undefined, ask: undefined, head: undefined, length: undefined, body: undefined, rest: [] }
  const stop = (error: OutboundError): void => destroyLine(line, error)
  const line: Line = {
    ...{ place, keeper, reader, gathering: createGathering(), stop, ...nothing },
    ...{ isDead: false, isHeld: false, isWhole: false, uses: 0, sentBytes: 0, idleUntilMs: Number.POSITIVE_INFINITY },
  }
  return line
}

/** Puts a request on an idle connection. It goes out at the end of this turn. */
export function startLine(line: Line, ask: Ask): void {
  const { socket } = line
  if (socket === undefined || line.isDead) return line.keeper.onRepeat(ask)
  line.ask = ask
  ask.stop = line.stop
  line.uses += 1
  line.idleUntilMs = Number.POSITIVE_INFINITY
  line.head = line.body = undefined
  line.isWhole = false
  line.gathering.begin()
  line.reader.begin(ask.request)
  line.sentBytes = 0
  line.rest = NOTHING
  line.isHeld = true
  if (held.push(line) === 1) setImmediate(sendHeld)
}

/**
 * Requests of one turn of the loop go out one right after the other at its end: whoever is woken by the first of them finds the others
 * there, and to wake somebody costs as much as to send.
 */
let held: Line[] = []
function sendHeld(): void {
  const lines = held
  held = []
  for (const line of lines) {
    try {
      send(line)
    } catch (error) {
      endLine(line, error)
    }
  }
}
function send(line: Line): void {
  const { ask, socket } = line
  line.isHeld = false
  if (ask === undefined || socket === undefined || line.isDead) return
  const { sent, rest } = writeRequest(socket, ask.request)
  line.sentBytes = Math.max(0, sent)
  line.rest = rest
  if (sent < 0) endLine(line)
}
const NOTHING: Uint8Array<ArrayBuffer>[] = []

export function feedLine(line: Line, bytes: Buffer<ArrayBuffer>): void {
  if (line.ask === undefined) return destroyLine(line)
  // An answer to what was not asked yet is none.
  if (line.isHeld) return endLine(line)
  try {
    const isClean = line.reader.push(bytes)
    progress(line, isClean)
  } catch (error) {
    destroyLine(line, unreadable(line, error))
  }
}

/** The socket takes bytes again. */
export function drainLine(line: Line): void {
  if (line.socket === undefined || line.rest.length === 0) return
  const { sent, rest } = writeRest(line.socket, line.rest)
  line.rest = rest
  if (sent < 0) endLine(line)
  else line.sentBytes += sent
}

/** Hands over what has come: the whole, or the stream of what is still coming. */
function progress(line: Line, isClean: boolean): void {
  const { ask, head } = line
  if (ask === undefined || head === undefined) return
  if (line.isWhole) return finish(line, ask, head, isClean)
  if (line.body !== undefined || isAwaited(line, head)) return
  const flow = { pause: () => line.socket?.pause(), resume: () => line.socket?.resume(), cancel: () => destroyLine(line) }
  line.body = createBody(flow, line.gathering.take())
  answerAsk(ask, head, line.body.stream)
}

function finish(line: Line, ask: Ask, head: AnswerHead, isClean: boolean): void {
  line.ask = undefined
  if (line.body === undefined) answerAsk(ask, head, line.length === 0 ? null : (line.gathering.take() ?? new Uint8Array()))
  else line.body.end()
  line.body = undefined
  endAsk(ask)
  if (line.isDead) return
  // An answer before the end of its request leaves a connection on which the next request would begin inside this one.
  if (!isClean || line.rest.length > 0) destroyLine(line)
  else if (head.idleMs > 0) line.keeper.onFree(line)
  else retireLine(line)
}

/** Says goodbye to a connection that nothing is on. */
export function retireLine(line: Line): void {
  if (line.isDead || line.ask !== undefined) return
  line.isDead = true
  line.socket?.end()
  line.keeper.onDead(line)
}

/** Ends the connection at once, and what is on it with `error`. */
export const destroyLine = (line: Line, error = new OutboundError('aborted', 'The request was given up.')): void => endLine(line, error)

/** The end of the connection, by whomever. What is on it ends as well, or is sent again where that is safe. */
export function endLine(line: Line, error?: unknown): void {
  if (line.isDead) return
  const { ask, keeper } = line
  line.isDead = true
  line.socket?.terminate()
  keeper.onDead(line)
  if (ask === undefined) return
  if (error === undefined && isOver(line)) return progress(line, false)
  line.ask = undefined
  ask.stop = undefined
  if (!(error instanceof OutboundError) && mayRepeat(line, ask)) {
    ask.isRepeat = true
    return keeper.onRepeat(ask)
  }
  const described = error instanceof OutboundError ? error : broken(line, error)
  line.body?.fail(described)
  failAsk(ask, described)
}

/**
 * A kept connection that dies without a word was closed over there while it lay idle, most likely. Likely is not enough to
 * repeat what may have been carried out: a request is sent again only if not one byte of it went out, or if it changes nothing.
 */
function mayRepeat({ uses, reader, sentBytes }: Line, { isRepeat, request }: Ask): boolean {
  return uses > 1 && !isRepeat && reader.isUntouched() && (sentBytes === 0 || isRepeatable(request.method))
}

/** A body may end with its connection. */
function isOver({ reader, head }: Line): boolean {
  try {
    reader.close()
    return head !== undefined
  } catch {
    return false
  }
}

function broken({ place, sentBytes }: Line, cause: unknown): OutboundError {
  return sentBytes === 0
    ? new OutboundError('connect', `${place.hostname} does not take connections.`, cause)
    : new OutboundError('lost', `The connection to ${place.hostname} broke.`, cause)
}

function unreadable({ place, ask }: Line, cause: unknown): OutboundError {
  return cause instanceof AnswerError && cause.kind === 'too-large'
    ? new OutboundError('too-large', `${place.hostname} sent more than ${ask?.request.bodyBytesMax} bytes.`, cause)
    : new OutboundError('lost', `${place.hostname} sent an answer that cannot be read.`, cause)
}

const isShort = (bytes: number | undefined): boolean => bytes !== undefined && bytes <= WHOLE_BYTES_MAX
const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/

/** A short answer is worth more whole. Events are wanted one by one, so a stream of them is never waited for. */
function isAwaited({ length, gathering }: Line, { header }: AnswerHead): boolean {
  const type = header('content-type')?.toLowerCase() ?? ''
  if (type.startsWith('text/event-stream')) return false
  return length === undefined ? isShort(gathering.bytes()) && JSON_TYPE.test(type) : isShort(length)
}
