/**
 * Why a request got no answer, or no whole one.
 * - `request`: it may not be sent as asked (scheme, userinfo, a malformed header).
 * - `address`: the name leads to an address that is out of bounds. No connection was made.
 * - `resolve` | `connect` | `tls`: no such name, nobody listening, wrong certificate. Nothing was sent.
 * - `lost`: the connection broke after something may have been sent.
 * - `timeout`: our time limit; something may have been sent.
 * - `too-large`: more body than allowed, on the wire or unpacked.
 * - `redirect`: one too many, or to where we do not follow.
 * - `aborted`: the caller gave up.
 */
export type OutboundErrorKind =
  | 'request'
  | 'address'
  | 'resolve'
  | 'connect'
  | 'tls'
  | 'lost'
  | 'timeout'
  | 'too-large'
  | 'redirect'
  | 'aborted'

export class OutboundError extends Error {
  override readonly name = 'OutboundError'
  constructor(
    readonly kind: OutboundErrorKind,
    /** A plain sentence that may be shown; names the host at most. */
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause })
  }
}

const NOTHING_SENT = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ConnectionRefused', 'FailedToOpenSocket'])
const WRONG_CERTIFICATE = /^(ERR_TLS_|UNABLE_TO_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|ERR_SSL|HOSTNAME_MISMATCH|INVALID_CA|ERROR_IN_CERT)/

export function describeError(error: unknown, hostname: string): OutboundError {
  if (error instanceof OutboundError) return error
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  if (NOTHING_SENT.has(code)) return new OutboundError('connect', `${hostname} does not take connections.`, error)
  if (WRONG_CERTIFICATE.test(code)) return new OutboundError('tls', `${hostname} did not show a valid certificate for its name.`, error)
  return new OutboundError('lost', `The connection to ${hostname} broke.`, error)
}
