/**
 * The cookies of the house. Over https they carry the `__Host-` prefix, so no sibling host can plant one; over plain http
 * (loopback, or an explicit setting) browsers refuse that prefix, and the plain name is used.
 */
import type { Incoming } from './incoming.ts'

export const COOKIES = { session: 'toolpass_session', device: 'toolpass_device', notice: 'toolpass_notice' } as const
export type CookieName = keyof typeof COOKIES

const nameOf = (cookie: CookieName, { secure }: Pick<Incoming, 'secure'>) => (secure ? '__Host-' : '') + COOKIES[cookie]

/** The value, or undefined. A name that comes twice is believed neither time. */
export function readCookie(request: Request, incoming: Incoming, cookie: CookieName): string | undefined {
  const name = nameOf(cookie, incoming)
  const values = (request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  return values.length === 1 && values[0] ? values[0] : undefined
}

/** @param maxAgeSeconds 0 removes it */
export function cookieHeader(incoming: Pick<Incoming, 'secure'>, cookie: CookieName, value: string, maxAgeSeconds: number): string {
  const secure = incoming.secure ? '; Secure' : ''
  return `${nameOf(cookie, incoming)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`
}
