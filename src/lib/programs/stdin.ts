/** What a program that does not read its stdin may pile up in our memory. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024

type Sink = Pick<Bun.FileSink, 'write' | 'flush' | 'end'>

/**
 * Writes to a program. The first text of a turn goes at once, so that the program is at work while the rest of the turn is done; what
 * is written after it in the same turn goes together, and so does what is written while the program has not read all of it yet.
 * `write` throws what `refuse` makes when the program leaves too much unread.
 */
export function createStdin(sink: Sink, refuse: () => Error) {
  let gathered = ''
  let pendingBytes = 0
  let isHeld = false

  function send(text: string): void {
    const bytes = pendingBytes
    sink.write(text)
    const flushed = sink.flush()
    isHeld = true
    const sent = () => {
      pendingBytes -= bytes
      release()
    }
    if (flushed instanceof Promise) void flushed.then(sent, sent)
    else setImmediate(sent)
  }

  function release(): void {
    isHeld = false
    if (gathered === '') return
    const text = gathered
    gathered = ''
    try {
      send(text)
    } catch {
      // It is gone, of which whoever waits for its end is told.
      pendingBytes = 0
    }
  }

  return {
    write(text: string): void {
      const bytes = Buffer.byteLength(text)
      if (pendingBytes + bytes > PENDING_BYTES_MAX) throw refuse()
      pendingBytes += bytes
      if (isHeld) gathered += text
      else send(text)
    },
    end(): void {
      // A pipe that is broken already has nothing to end.
      Promise.try(() => (sink.write(gathered), sink.end())).catch(() => {})
      gathered = ''
    },
  }
}
