import type { RequestBody } from '@/plugins/api.ts'

const decoder = new TextDecoder()

/** The whole of it, where it is not sent on in pieces. */
export const requestText = (body: RequestBody): string =>
  typeof body === 'string' ? body : body instanceof Uint8Array ? decoder.decode(body) : body.join('')
