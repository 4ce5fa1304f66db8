import { SECOND_MS } from './clock.ts'
import { Failure } from './failure.ts'

const BODY_MS_MAX = 10 * SECOND_MS

/**
 * The body, counted and timed while it comes: its announced length is only a promise, and so is its end.
 * @throws Failure `too_large`, `request_timeout`
 */
export async function readBody(request: Request, bytesMax: number, msMax = BODY_MS_MAX): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get('content-length') ?? Number.NaN)
  if (announced > bytesMax) throw new Failure('too_large')
  // HTTP holds a body to its announced length, and most are there as a whole by now.
  return announced >= 0 ? withinTime(request.bytes(), msMax) : readUnannounced(request, bytesMax, msMax)
}

function withinTime<T>(work: Promise<T>, msMax: number): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new Failure('request_timeout')), msMax)
  work.then(
    (value) => (clearTimeout(timer), resolve(value)),
    (error) => (clearTimeout(timer), reject(error)),
  )
  return promise
}

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
      if (isLate) throw new Failure('request_timeout')
      if (done) return new Uint8Array(Buffer.concat(chunks))
      bytes += value.byteLength
      if (bytes > bytesMax) throw new Failure('too_large')
      chunks.push(value)
    }
  } finally {
    clearTimeout(timer)
  }
}
