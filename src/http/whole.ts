/**
 * Bodies that are large and here as a whole. Bun sends such a one, where it is handed over later than in its request's own turn, behind
 * a dozen writes for the head, a name or a colon each; as a stream that is written at once it goes out with its head and its length.
 */
const BYTES_MIN = 15 * 1024

/** What a `Response` is made of. Nothing of `body` may be changed afterwards. */
export function wholeBody(body: string | Uint8Array<ArrayBuffer>): BodyInit {
  if (body.length < BYTES_MIN) return body
  const bytes = typeof body === 'string' ? encoder.encode(body) : body
  const source: Bun.DirectUnderlyingSource = {
    type: 'direct',
    pull: (controller) => {
      controller.write(bytes)
      void controller.end()
    },
  }
  // Up to the high-water mark all is held back until the end, and then its length is known.
  return new ReadableStream(source as unknown as UnderlyingSource, { highWaterMark: bytes.byteLength + 1 })
}
const encoder = new TextEncoder()
