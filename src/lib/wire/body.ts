/** Read ahead of whoever reads the body, besides what one look at the socket brings. */
const AHEAD_BYTES = 64 * 1024
/** What a piece costs besides its bytes, so that single bytes do not pile up by the thousand. */
const PIECE_BYTES = 256

type BodyFlow = {
  /** Nothing more is wanted for now, and then it is. */
  pause(): void
  resume(): void
  /** Whoever read the body gave it up. */
  cancel(): void
}

/** A body that comes piece by piece, no faster than it is read. */
export function createBody(flow: BodyFlow, first: Uint8Array<ArrayBuffer> | undefined) {
  let isPaused = false
  let isOver = false
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start: (given) => {
        controller = given
        if (first !== undefined) given.enqueue(first)
      },
      pull: () => {
        if (!isPaused) return
        isPaused = false
        flow.resume()
      },
      cancel: () => {
        if (isOver) return
        isOver = true
        flow.cancel()
      },
    },
    { highWaterMark: AHEAD_BYTES, size: (piece) => (piece?.byteLength ?? 0) + PIECE_BYTES },
  )

  return {
    stream,
    push: (piece: Uint8Array<ArrayBuffer>): void => {
      if (isOver || controller === undefined) return
      controller.enqueue(piece)
      if (isPaused || (controller.desiredSize ?? 1) > 0) return
      isPaused = true
      flow.pause()
    },
    end: (): void => {
      if (isOver) return
      isOver = true
      controller?.close()
      // The connection is somebody else's from here on, and must not wait for whoever still reads what came.
      if (isPaused) flow.resume()
      isPaused = false
    },
    fail: (error: Error): void => {
      if (isOver) return
      isOver = true
      controller?.error(error)
    },
  }
}
export type Body = ReturnType<typeof createBody>

/** Gathers a short body. One piece is kept as it is; more are copied together, so that many small ones cost no more than a large one. */
export function createGathering() {
  let whole: Uint8Array<ArrayBuffer> | undefined
  let bytes = 0

  return {
    begin: (): void => {
      whole = undefined
      bytes = 0
    },
    /** `expected` where it is known how many bytes there will be. */
    push: (piece: Uint8Array<ArrayBuffer>, expected: number | undefined): void => {
      const filled = bytes
      bytes += piece.byteLength
      if (whole === undefined) {
        whole = piece
        return
      }
      if (filled === whole.byteLength || bytes > whole.byteLength) {
        // Where the length is known, all of it is written before anybody sees it, so it need not be cleared first.
        const larger = expected === undefined || expected < bytes ? new Uint8Array(2 * bytes) : Buffer.allocUnsafeSlow(expected)
        larger.set(whole.subarray(0, filled))
        whole = larger
      }
      whole.set(piece, filled)
    },
    bytes: (): number => bytes,
    /** What has come, to keep. */
    take: (): Uint8Array<ArrayBuffer> | undefined => {
      const taken = whole === undefined || whole.byteLength === bytes ? whole : whole.subarray(0, bytes)
      whole = undefined
      return taken
    },
  }
}
export type Gathering = ReturnType<typeof createGathering>
