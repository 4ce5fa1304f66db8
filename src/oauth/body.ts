import { Failure } from '@/lib/failure.ts'

/** The body as text, counted while it comes: its announced length is only a promise. @throws Failure `too_large`, `bad_request` */
export async function readText(request: Request, bytesMax: number): Promise<string> {
  if (!request.body) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw new Failure('too_large')
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new Failure('bad_request')
  }
}

const FORM_BYTES_MAX = 256 * 1024

/** A form with every value of every name, in the order it was sent. @throws Failure `too_large`, `bad_request` */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') throw new Failure('bad_request', { message: 'Send application/x-www-form-urlencoded.' })
  return new URLSearchParams(await readText(request, FORM_BYTES_MAX))
}
