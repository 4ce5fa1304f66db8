/** Room for an authorization request with a long state. */
const NEXT_LENGTH_MAX = 16_384
/** More layers of percent-encoding than this have no honest reason. */
const DECODINGS_MAX = 3

/** Browsers read `\` as `/`, drop tabs and newlines, and take `//host` for another site. */
const isStrange = (path: string): boolean =>
  !path.startsWith('/') || path.startsWith('//') || /[\\\p{Cc}]/u.test(path) || /\/\.{1,2}(\/|$)/.test(path)

/** The path with every layer of encoding taken off, undefined when it does not come to an end or is malformed. */
function decoded(path: string): string | undefined {
  let text = path
  for (let layer = 0; layer <= DECODINGS_MAX; layer++) {
    try {
      const plain = decodeURIComponent(text)
      if (plain === text) return text
      text = plain
    } catch {
      return undefined
    }
  }
  return undefined
}

/**
 * Where to go after signing in: one of our own paths (without the base path), and `/` for whatever else it claims to be, so
 * that a link to our sign-in can never end on somebody else's page. The query may hold anything, an address included; only
 * the path decides where a browser goes.
 */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string' || next.length > NEXT_LENGTH_MAX || isStrange(next)) return '/'
  const path = next.split(/[?#]/, 1)[0] as string
  const plain = decoded(path)
  return plain === undefined || isStrange(plain) ? '/' : next
}
