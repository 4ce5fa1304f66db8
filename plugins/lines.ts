const LF = 10

/**
 * Cuts a stream of bytes into lines of text (LF or CRLF). A chunk is searched once and copied at most once, however small the
 * chunks and however long the line. A line beyond `bytesMax` is reported instead of delivered, and memory stays bounded.
 */
export function createLines({ bytesMax, onLine, onTooLong }: { bytesMax: number; onLine(line: string): void; onTooLong(): void }) {
  const decoder = new TextDecoder()
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
    const [first] = pieces
    if (!skipping) {
      const whole = first === undefined ? '' : decoder.decode(pieces.length === 1 ? first : Buffer.concat(pieces))
      onLine(whole.endsWith('\r') ? whole.slice(0, -1) : whole)
    }
    pieces = []
    bytes = 0
    skipping = false
  }

  return {
    push(chunk: Uint8Array): void {
      let from = 0
      for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
        take(chunk.subarray(from, at))
        flush()
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
