/** What a browser gets when somebody signs in, and gives back when they leave. */
import { cookieHeader, readCookie } from '@/http/cookies.ts'
import type { Incoming } from '@/http/incoming.ts'
import type { From, Login } from '@/users'

const DAY_SECONDS = 86_400
/** As long as a session can last at most; it ends earlier when it is not used. */
const SESSION_SECONDS = 30 * DAY_SECONDS
/** The most that browsers keep a cookie for. */
const DEVICE_SECONDS = 400 * DAY_SECONDS

export const fromOf = (request: Request, incoming: Incoming): From => ({
  address: incoming.address,
  userAgent: request.headers.get('user-agent') ?? '',
  device: readCookie(request, incoming, 'device'),
})

export const signedIn = (incoming: Incoming, { session, device }: Login): string[] => [
  cookieHeader(incoming, 'session', session, SESSION_SECONDS),
  cookieHeader(incoming, 'device', device, DEVICE_SECONDS),
]
/** The device stays known: it is what keeps the owner's own guesses apart from a stranger's. */
export const signedOut = (incoming: Incoming): string[] => [cookieHeader(incoming, 'session', '', 0)]
