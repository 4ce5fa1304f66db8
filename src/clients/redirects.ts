/** Which redirect URIs may be registered, and which of them a request may name. Pure: texts in, verdicts out. */
const LENGTH_MAX = 2_000

// As written, not as a URL parser would read it: `http://127.1/` and `http://LOCALHOST/` are no loopback here.
const LOOPBACK = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::(\d{1,5}))?((?:[/?].*)?)$/
const SCHEME = /^([a-z][a-z0-9+.-]*):/
/** Schemes that run, read or leave something on the user's machine instead of handing over to an app. */
const NEVER = new Set(
  'javascript data vbscript file blob about filesystem view-source ws wss ftp mailto tel sms intent chrome resource jar'.split(' '),
)

export type RedirectKind = 'web' | 'loopback' | 'scheme'

export function redirectKind(uri: string): RedirectKind {
  if (LOOPBACK.test(uri)) return 'loopback'
  return uri.startsWith('https:') ? 'web' : 'scheme'
}

/** Why this cannot be registered, or undefined. */
export function redirectProblem(uri: string): string | undefined {
  if (uri.length > LENGTH_MAX) return 'a redirect URI is too long'
  if (!/^[\x21-\x7e]+$/.test(uri) || /["'<>\\^`{|}]/.test(uri)) return 'a redirect URI has characters that no URI has'
  if (uri.includes('#')) return 'a redirect URI has no fragment'
  const scheme = SCHEME.exec(uri)?.[1]
  if (!scheme || !URL.canParse(uri)) return 'a redirect URI is absolute, its scheme in lower case'
  if (NEVER.has(scheme)) return `the scheme ${scheme} is not allowed`
  const { username, password } = new URL(uri)
  if (username || password || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/.test(uri)) return 'a redirect URI has no user in it'
  if (scheme === 'http') return LOOPBACK.test(uri) ? undefined : 'http is for loopback addresses only'
  if (scheme === 'https' && !/^https:\/\/[^/?]/.test(uri)) return 'an https redirect URI names its host'
  return undefined
}

/** Exact, character by character. The one exception is the port of a loopback address (RFC 8252 §7.3). */
export function matchesRedirect(registered: readonly string[], asked: string): boolean {
  if (registered.includes(asked)) return true
  const wanted = loopback(asked)
  return wanted !== undefined && registered.some((uri) => loopback(uri) === wanted)
}

function loopback(uri: string): string | undefined {
  const [, host, port, rest] = LOOPBACK.exec(uri) ?? []
  if (host === undefined || Number(port ?? 80) > 65_535 || redirectProblem(uri)) return undefined
  return `${host}|${rest}`
}

/** Whether two registrations let users be sent to the same places. */
export const sameRedirects = (one: readonly string[], other: readonly string[]): boolean =>
  JSON.stringify(one.toSorted()) === JSON.stringify(other.toSorted())
