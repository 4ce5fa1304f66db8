import { SECOND_MS } from './clock.ts'
import { Failure } from './failure.ts'

const BODY_MS_MAX = 10 * SECOND_MS

/**
 * The body, counted and timed while it comes: its announced length is only a promise, and so is its end.
 * @throws Failure `too_large`, `request_timeout`
 */
export async function readBody(request: Request, bytesMax: number, msMax = BODY_MS_MAX): Promise<Buffer> {
  const reader = request.body?.getReader()
  if (!reader) return Buffer.alloc(0)
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
      if (done) return Buffer.concat(chunks)
      bytes += value.byteLength
      if (bytes > bytesMax) throw new Failure('too_large')
      chunks.push(value)
    }
  } finally {
    clearTimeout(timer)
  }
}
