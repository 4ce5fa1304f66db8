import { readBody } from '@/lib/body.ts'
import { Failure } from '@/lib/failure.ts'

/** The body as text, counted while it comes: its announced length is only a promise. @throws Failure `too_large`, `request_timeout`, `bad_request` */
export async function readText(request: Request, bytesMax: number): Promise<string> {
  const bytes = await readBody(request, bytesMax)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
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
