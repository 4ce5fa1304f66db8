/**
 * The answer to one request. It is JSON unless there is something to say before the result is there; then, and where it takes long,
 * it becomes a stream, whose first byte keeps proxies from giving up.
 */
import { SECOND_MS } from '@/lib/clock.ts'
import type { EventStream } from './events.ts'
import { json, jsonText } from './messages.ts'

const STREAM_AFTER_MS = 10 * SECOND_MS

export type Reply = {
  response: Promise<Response>
  /** Something that belongs to the request. False where the client takes no stream. */
  tell(message: unknown): boolean
  /** The answer: an object, or JSON that is bytes already. */
  finish(answer: object | Buffer): void
  fail(answer: object, status: number, headers?: Record<string, string>): void
  isStream(): boolean
  /** It takes longer than most: from now on it is thought of those who wait on the way. */
  late(): void
  /** The answer is made elsewhere. */
  hand(response: Promise<Response>): void
  /** Nobody is answered any more. */
  drop(): void
}

/** @param openStream undefined where the client takes none. @param isStream it asked for one first of all */
export function createReply(openStream: (() => EventStream) | undefined, isStream = false): Reply {
  const { promise: response, resolve } = Promise.withResolvers<Response>()
  let stream: EventStream | undefined
  let isOver = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const opened = (): EventStream | undefined => {
    if (isOver || !openStream) return undefined
    if (!stream) {
      stream = openStream()
      resolve(stream.response)
    }
    return stream
  }
  const over = (): boolean => {
    clearTimeout(timer)
    const was = isOver
    isOver = true
    return was
  }
  const onStream = (answer: unknown): boolean => {
    stream?.send(answer)
    stream?.close()
    return stream !== undefined
  }
  if (isStream) opened()
  return {
    response,
    isStream: () => stream !== undefined,
    late() {
      if (openStream && !isOver) timer = setTimeout(opened, STREAM_AFTER_MS)
    },
    tell(message) {
      const open = opened()
      open?.send(message)
      return open !== undefined
    },
    finish(answer) {
      if (over()) return
      const isWritten = Buffer.isBuffer(answer)
      if (stream) onStream(isWritten ? JSON.parse(answer.toString('utf8')) : answer)
      else resolve(isWritten ? jsonText(answer as Uint8Array<ArrayBuffer>) : json(answer))
    },
    fail(answer, status, headers = {}) {
      if (over() || onStream(answer)) return
      resolve(json(answer, status, headers))
    },
    hand(response) {
      if (!over()) resolve(response)
    },
    drop() {
      if (over()) return
      stream?.close()
      // A client that cancelled reads no answer (2025-11-25, "Cancellation"); its request still has to end.
      resolve(new Response(null, { status: 202, headers: { 'cache-control': 'no-store' } }))
    },
  }
}
