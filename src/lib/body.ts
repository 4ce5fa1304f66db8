import { SECOND_MS } from './clock.ts'
import { Failure } from './failure.ts'
import { withinTime } from './waiting.ts'

const BODY_MS_MAX = 10 * SECOND_MS
const late = (): Failure => new Failure('request_timeout')

/** A body of an announced length; undefined where none was. @throws Failure `too_large` */
function announcedBytes(request: Request, bytesMax: number): number | undefined {
  const announced = Number(request.headers.get('content-length') ?? Number.NaN)
  if (announced > bytesMax) throw new Failure('too_large')
  return announced >= 0 ? announced : undefined
}

/**
 * The body, counted and timed while it comes: its announced length is only a promise, and so is its end.
 * @throws Failure `too_large`, `request_timeout`
 */
export async function readBody(request: Request, bytesMax: number, msMax = BODY_MS_MAX): Promise<Uint8Array<ArrayBuffer>> {
  // HTTP holds a body to its announced length, and most are there as a whole by now.
  if (announcedBytes(request, bytesMax) !== undefined) return withinTime(msMax, request.bytes(), late)
  return readUnannounced(request, bytesMax, msMax)
}

/** The same as text, without the bytes in between, handed on together with how many there were. @throws as `readBody` */
export function withText<T>(request: Request, bytesMax: number, msMax: number, take: (text: string, bytes: number) => T): Promise<T> {
  const announced = announcedBytes(request, bytesMax)
  if (announced !== undefined) return withinTime(msMax, request.text(), late).then((text) => take(text, announced))
  return readUnannounced(request, bytesMax, msMax).then((bytes) => take(decoder.decode(bytes), bytes.byteLength))
}
const decoder = new TextDecoder()

async function readUnannounced(request: Request, bytesMax: number, msMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = request.body?.getReader()
  if (!reader) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let bytes = 0
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    void reader.cancel().catch(() => undefined)
  }, msMax)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (isLate) throw late()
      if (done) return new Uint8Array(Buffer.concat(chunks))
      bytes += value.byteLength
      if (bytes > bytesMax) throw new Failure('too_large')
      chunks.push(value)
    }
  } finally {
    clearTimeout(timer)
  }
}
