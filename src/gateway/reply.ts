/**
 * The answer to one request. It is JSON unless there is something to say before the result is there; then, and where it takes long,
 * it becomes a stream, whose first byte keeps proxies from giving up.
 */
import { SECOND_MS } from '@/lib/clock.ts'
import type { EventStream } from './events.ts'
import { json, jsonText } from './messages.ts'

const STREAM_AFTER_MS = 10 * SECOND_MS

const none = (): undefined => undefined

/** A class, since one is made for each call: nothing but the reply itself is allocated. */
export class Reply {
  readonly response: Promise<Response>
  private readonly resolve: (response: Response | Promise<Response>) => void
  private stream: EventStream | undefined = undefined
  private isOver = false
  private timer: ReturnType<typeof setTimeout> | undefined = undefined

  /** @param openStream asked only where there is something to stream; undefined where the client takes none. @param isStream it asked for one first of all */
  constructor(
    private openStream: () => EventStream | undefined,
    isStream = false,
  ) {
    const { promise, resolve } = Promise.withResolvers<Response>()
    this.response = promise
    this.resolve = resolve
    if (isStream) this.opened()
  }
  isStream(): boolean {
    return this.stream !== undefined
  }
  /** It takes longer than most: from now on it is thought of those who wait on the way. */
  late(): void {
    if (!this.isOver) this.timer = setTimeout(() => this.opened(), STREAM_AFTER_MS)
  }
  /** Something that belongs to the request. False where the client takes no stream. */
  tell(message: unknown): boolean {
    const open = this.opened()
    open?.send(message)
    return open !== undefined
  }
  /** The answer: an object, or JSON that is bytes already, in pieces. */
  finish(answer: object | readonly Uint8Array<ArrayBuffer>[]): void {
    if (this.over()) return
    const pieces = Array.isArray(answer) ? (answer as readonly Uint8Array<ArrayBuffer>[]) : undefined
    if (this.stream) this.onStream(pieces ? JSON.parse(Buffer.concat(pieces).toString('utf8')) : answer)
    else this.resolve(pieces ? jsonText(pieces) : json(answer))
  }
  fail(answer: object, status: number, headers: Record<string, string> = {}): void {
    if (this.over() || this.onStream(answer)) return
    this.resolve(json(answer, status, headers))
  }
  /** The answer is made elsewhere. */
  hand(response: Promise<Response>): void {
    if (!this.over()) this.resolve(response)
  }
  /** Nobody is answered any more. */
  drop(): void {
    if (this.over()) return
    this.stream?.close()
    // A client that cancelled reads no answer (2025-11-25, "Cancellation"); its request still has to end.
    this.resolve(new Response(null, { status: 202, headers: { 'cache-control': 'no-store' } }))
  }
  private opened(): EventStream | undefined {
    if (this.isOver || this.stream) return this.isOver ? undefined : this.stream
    this.stream = this.openStream()
    if (this.stream) this.resolve(this.stream.response)
    return this.stream
  }
  private over(): boolean {
    clearTimeout(this.timer)
    const was = this.isOver
    this.isOver = true
    // It holds on to the request.
    this.openStream = none
    return was
  }
  private onStream(answer: unknown): boolean {
    this.stream?.send(answer)
    this.stream?.close()
    return this.stream !== undefined
  }
}
