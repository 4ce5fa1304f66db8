const [LF, CR] = [10, 13]

type Bounds = { bytesMax: number; onTooLong(): void }

/**
 * Cuts a stream of bytes into lines (LF or CRLF). A chunk is searched once and copied at most once, however small the chunks
 * and however long the line; a line that lies within one chunk is a view of it. A line beyond `bytesMax` is reported instead of
 * delivered, and memory stays bounded.
 */
export function createByteLines({ bytesMax, onLine, onTooLong }: Bounds & { onLine(line: Uint8Array): void }) {
  let pieces: Uint8Array[] = []
  let bytes = 0
  let skipping = false

  function take(piece: Uint8Array): void {
    if (skipping || piece.byteLength === 0) return
    bytes += piece.byteLength
    if (bytes > bytesMax) {
      skipping = true
      pieces = []
      onTooLong()
    } else pieces.push(piece)
  }

  function flush(): void {
    const [first = new Uint8Array(0)] = pieces
    if (!skipping) deliver(pieces.length < 2 ? first : Buffer.concat(pieces))
    pieces = []
    bytes = 0
    skipping = false
  }

  const deliver = (line: Uint8Array) => onLine(line[line.byteLength - 1] === CR ? line.subarray(0, -1) : line)

  return {
    push(chunk: Uint8Array): void {
      let from = 0
      for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
        const isWhole = bytes === 0 && !skipping && at - from <= bytesMax
        if (isWhole) deliver(chunk.subarray(from, at))
        else {
          take(chunk.subarray(from, at))
          flush()
        }
        from = at + 1
      }
      take(chunk.subarray(from))
    },
    /** The stream ended: what is left without a line end is a line as well. */
    end(): void {
      if (bytes > 0) flush()
    },
  }
}

/** The same as lines of text. */
export function createLines({ onLine, ...bounds }: Bounds & { onLine(line: string): void }) {
  const decoder = new TextDecoder()
  return createByteLines({ ...bounds, onLine: (line) => onLine(decoder.decode(line)) })
}
