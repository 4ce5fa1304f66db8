/** A refusal in the words of OAuth (RFC 6749 §5.2, RFC 7591 §3.2.2): what a client, not a person, is told. */
export class OAuthProblem extends Error {
  override readonly name = 'OAuthProblem'
  constructor(
    /** For example `invalid_grant`. */
    readonly error: string,
    /** Printable ASCII without quotes or backslashes, as RFC 6749 demands; never a secret. */
    readonly description: string,
    readonly status = 400,
    readonly retryAfterSeconds?: number,
  ) {
    super(`${error}: ${description}`)
  }
}
