/**
 * Bodies that are large and here as a whole. Bun sends such a one, where it is handed over later than in its request's own turn, behind
 * a dozen writes for the head, a name or a colon each; as a stream that is written at once it goes out with its head and its length.
 */
const BYTES_MIN = 15 * 1024

/** Pieces are one body, one after the other. The stream copies them together anyway, so nobody has to before. */
export type Whole = string | Uint8Array<ArrayBuffer> | readonly Uint8Array<ArrayBuffer>[]

/** What a `Response` is made of. Nothing of `body` may be changed afterwards. */
export function wholeBody(body: Whole): BodyInit {
  if (isOne(body) && body.length < BYTES_MIN) return body
  const pieces = isOne(body) ? [body] : body
  const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
  if (!isOne(body) && length < BYTES_MIN) return Buffer.concat(body)
  const source: Bun.DirectUnderlyingSource = {
    type: 'direct',
    pull: (controller) => {
      for (const piece of pieces) controller.write(piece)
      void controller.end()
    },
  }
  // Up to the high-water mark all is held back until the end, and then its length is known.
  return new ReadableStream(source as unknown as UnderlyingSource, { highWaterMark: length + 1 })
}
const isOne = (body: Whole): body is string | Uint8Array<ArrayBuffer> => typeof body === 'string' || body instanceof Uint8Array
