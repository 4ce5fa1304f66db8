/**
 * Answers as server-sent events. Those of a legacy client carry ids and are kept for a while, so that a client whose line broke gets the
 * rest by `Last-Event-ID` (2025-11-25, "Resumability and Redelivery"); on 2026-07-28 the end of a stream is the end of its request.
 */
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { randomSecret } from '@/lib/crypto.ts'

const KEEP_ALIVE_MS = 15 * SECOND_MS
/** A reader that takes nothing for so many events is gone. */
const EVENTS_WAITING_MAX = 1_000
const KEPT_EVENTS_MAX = 500
const KEPT_CHARS_MAX = 2 * 1024 * 1024
/** How long one waits for a client whose line broke, and how long what was said is kept after the end. */
const AWAY_MS_MAX = MINUTE_MS
const KEPT_AFTER_END_MS = 2 * MINUTE_MS
const STREAMS_KEPT_MAX = 2_000
const RETRY_MS = 1_000

const HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
const encoder = new TextEncoder()

export type EventStream = {
  response: Response
  send(message: unknown): void
  close(): void
  readonly isOpen: boolean
  /** Whether somebody is at the other end right now. */
  readonly isHeard: boolean
}
type Line = { response: Response; write(text: string): void; close(): void; readonly isOpen: boolean }

/** One connection's worth of events. `onGone` is called once, when the other side went away. */
function openLine(onGone: () => void, signal?: AbortSignal): Line {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const end = () => {
    clearInterval(timer)
    const ended = controller
    controller = undefined
    return ended
  }
  const gone = () => {
    if (end()) onGone()
  }
  const write = (text: string) => {
    if (!controller) return
    if ((controller.desiredSize ?? 0) < -EVENTS_WAITING_MAX) {
      const slow = controller
      gone()
      slow.error(new Error('the reader is too slow'))
    } else controller.enqueue(encoder.encode(text))
  }
  const body = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened
    },
    cancel: gone,
  })
  const timer = setInterval(() => write(': still here\n\n'), KEEP_ALIVE_MS)
  timer.unref()
  signal?.addEventListener('abort', gone, { once: true })
  return {
    response: new Response(body, { headers: HEADERS }),
    write,
    close: () => end()?.close(),
    get isOpen() {
      return controller !== undefined
    },
  }
}

const eventOf = (message: unknown, id = '') => `${id}event: message\ndata: ${JSON.stringify(message)}\n\n`

/** A stream that ends with its line. */
export function openEventStream(onGone: () => void): EventStream {
  const line = openLine(onGone)
  // Some proxies hold the head of an answer back until its first byte.
  line.write(': open\n\n')
  return {
    response: line.response,
    send: (message) => line.write(eventOf(message)),
    close: line.close,
    get isOpen() {
      return line.isOpen
    },
    get isHeard() {
      return line.isOpen
    },
  }
}

type Kept = {
  of: string
  events: { seq: number; text: string }[]
  chars: number
  seq: number
  line?: Line
  isOver: boolean
  onGone(): void
  timer?: ReturnType<typeof setTimeout>
}

type Opening = {
  /** Of the request that it answers: when it aborts the line is broken. */
  signal: AbortSignal
  /** An event without data comes first, whose id is enough to come back with (from 2025-11-25 on). */
  isPrimed: boolean
  /** Nobody came back. */
  onGone(): void
}

/** What is kept of each stream, and for how long. */
function createKeeping(awayMsMax: number) {
  const streams = new Map<string, Kept>()
  const forget = (id: string) => {
    clearTimeout(streams.get(id)?.timer)
    streams.delete(id)
  }
  const later = (stream: Kept, ms: number, work: () => void) => {
    clearTimeout(stream.timer)
    stream.timer = setTimeout(work, ms)
    stream.timer.unref()
  }
  /** Its line broke: whoever works on it goes on for a while, then is told that nobody came back. */
  const away = (id: string, stream: Kept) => {
    delete stream.line
    if (!stream.isOver)
      later(stream, awayMsMax, () => {
        forget(id)
        stream.onGone()
      })
  }
  return {
    streams,
    forget,
    /** Nothing more will come; what was said is kept for who lost it on the way. */
    over(id: string, stream: Kept): void {
      delete stream.line
      later(stream, KEPT_AFTER_END_MS, () => forget(id))
    },
    attach(id: string, stream: Kept, signal: AbortSignal): Line {
      clearTimeout(stream.timer)
      const line = openLine(() => {
        if (stream.line === line) away(id, stream)
      }, signal)
      stream.line = line
      return line
    },
    /** There are too many: who has been away from theirs the longest has to begin anew. */
    giveUpOldest(): void {
      for (const [id, stream] of streams) {
        if (stream.line) continue
        forget(id)
        if (!stream.isOver) stream.onGone()
        return
      }
    },
    keep(stream: Kept, text: string): number {
      stream.seq += 1
      stream.events.push({ seq: stream.seq, text })
      stream.chars += text.length
      while (stream.events.length > KEPT_EVENTS_MAX || stream.chars > KEPT_CHARS_MAX)
        stream.chars -= stream.events.shift()?.text.length ?? stream.chars
      return stream.seq
    },
  }
}

/** Streams that outlive a broken line. `of` names whose they are: nobody else's last event id opens them. */
export function createResumable({ awayMsMax = AWAY_MS_MAX }: { awayMsMax?: number } = {}) {
  const { streams, forget, over, attach, giveUpOldest, keep } = createKeeping(awayMsMax)
  return {
    open(of: string, { signal, isPrimed, onGone }: Opening): EventStream {
      const id = randomSecret(12)
      const stream: Kept = { of, events: [], chars: 0, seq: 0, isOver: false, onGone }
      if (streams.size >= STREAMS_KEPT_MAX) giveUpOldest()
      streams.set(id, stream)
      const { response, write } = attach(id, stream, signal)
      write(isPrimed ? `id: ${id}-0\nretry: ${RETRY_MS}\ndata: \n\n` : ': open\n\n')
      return {
        response,
        send(message) {
          if (stream.isOver) return
          const text = eventOf(message)
          const seq = keep(stream, text)
          stream.line?.write(`id: ${id}-${seq}\n${text}`)
        },
        close() {
          if (stream.isOver) return
          stream.isOver = true
          stream.line?.close()
          over(id, stream)
        },
        get isOpen() {
          return !stream.isOver
        },
        get isHeard() {
          return stream.line !== undefined
        },
      }
    },
    /** What came after this event on its stream, and what still comes; undefined where there is no such stream of theirs. */
    resume(of: string, lastEventId: string, signal: AbortSignal): Response | undefined {
      const [, id = '', seq = ''] = /^([\w-]{16})-(\d{1,9})$/.exec(lastEventId) ?? []
      const stream = streams.get(id)
      if (!stream || stream.of !== of) return undefined
      const before = stream.line
      const line = attach(id, stream, signal)
      before?.close()
      line.write(': again\n\n')
      for (const event of stream.events) if (event.seq > Number(seq)) line.write(`id: ${id}-${event.seq}\n${event.text}`)
      if (stream.isOver) {
        line.close()
        over(id, stream)
      }
      return line.response
    },
    /** Ends what is open and forgets what was kept: its grant or its session is over. */
    endOf(isMeant: (of: string) => boolean): void {
      for (const [id, stream] of streams) {
        if (!isMeant(stream.of)) continue
        forget(id)
        const { line, isOver } = stream
        delete stream.line
        stream.isOver = true
        line?.close()
        if (!isOver) stream.onGone()
      }
    },
    close(): void {
      this.endOf(() => true)
    },
  }
}
export type Resumable = ReturnType<typeof createResumable>
