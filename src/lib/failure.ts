/**
 * Every way we knowingly say no, with the one sentence a stranger may read. Each surface (page, OAuth, MCP, command line)
 * translates it once. Anything else that is thrown is a bug: it is logged whole and shown as a bare 500.
 */
const FAILURES = {
  not_signed_in: [401, 'Sign in to continue.'],
  wrong_login: [401, 'User name or password is wrong.'],
  slow_down: [429, 'Too many attempts. Wait a little and try again.'],
  foreign_origin: [403, 'This request came from another site and was refused.'],
  administrators_only: [403, 'Only an administrator can do this.'],
  wrong_password: [403, 'The current password is wrong.'],
  unknown_host: [421, 'This address is not served here. Set TOOLPASS_URL to the public address.'],
  bad_request: [400, 'The request could not be read.'],
  invalid_form: [422, 'Check the marked fields.'],
  too_large: [413, 'That is larger than the limit.'],
  not_found: [404, 'There is no such page.'],
  user_not_found: [404, 'There is no such user.'],
  username_taken: [409, 'This user name is taken.'],
  last_administrator: [409, 'This is the last administrator; make another one first.'],
  setup_link_dead: [410, 'This link was used already or has expired.'],
  already_set_up: [409, 'An administrator exists already.'],
  entry_not_found: [404, 'The catalogue has no such entry.'],
  connection_not_found: [404, 'This connection does not exist.'],
  connector_not_found: [404, 'There is no such connector.'],
  name_taken: [409, 'This name is taken.'],
  profile_not_found: [404, 'This profile does not exist.'],
  tool_not_found: [404, 'This tool does not exist.'],
  definition_changed: [403, 'Its server changed this tool since it was picked, and nobody has accepted the change yet.'],
  tool_changed: [409, 'A tool changed once more while you looked. Look at it again.'],
  names_collide: [409, 'Two tools would have the same name; choose another way to prefix them.'],
  too_many: [409, 'That is more than the limit.'],
  grant_not_found: [404, 'This connected app does not exist.'],
  grant_paused: [403, 'You paused this app in Toolpass. Resume it there to go on.'],
  tool_not_granted: [404, 'Unknown tool'],
  connection_paused: [403, 'The connection of this tool is paused in Toolpass, for now.'],
  needs_approval: [403, 'This tool is set to ask first, and nobody has approved the call yet.'],
  approval_refused: [403, 'Its user refused this call.'],
  too_many_approvals: [429, 'Too many calls wait for approval already.'],
  approval_not_found: [404, 'There is no such call to decide about.'],
  approval_decided: [409, 'This was decided already, or its time has run out.'],
  notice_way_not_found: [404, 'There is no such way to be told.'],
  client_not_found: [404, 'This app is not registered.'],
  client_blocked: [403, 'An administrator has blocked this app.'],
  client_waits: [403, 'An administrator has to approve this app first.'],
  client_not_listed: [403, 'Only apps that an administrator listed are let in here.'],
  user_code_unknown: [404, 'This code is unknown or has expired. Start again on the device.'],
  upstream_unreachable: [502, 'The connected server cannot be reached.'],
  upstream_timeout: [504, 'The connected server did not answer in time.'],
  upstream_unauthorized: [502, 'The connected server refused the credential. Sign in to it again.'],
  sign_in_needed: [502, 'The connected server asks for a sign-in.'],
  upstream_failed: [502, 'The connected server gave an answer that could not be used.'],
  plugin_missing: [502, 'The plugin of this connection is not running. An administrator can see why.'],
  upstream_busy: [503, 'Too many calls are waiting for the connected server.'],
  limit_reached: [429, 'That is more than a limit here allows. Try again later.'],
  call_too_long: [504, 'The call took longer than a limit here allows, and was ended.'],
  request_cancelled: [499, 'The app cancelled this call.'],
  too_many_streams: [429, 'Too many open streams for this user.'],
  request_timeout: [408, 'The request did not arrive in time.'],
  store_unavailable: [503, 'The data folder cannot be written to right now.'],
} as const satisfies Record<string, readonly [status: number, message: string]>

export type FailureCode = keyof typeof FAILURES

export type FailureOptions = {
  /** What went wrong underneath; logged, never shown. */
  cause?: unknown
  /** A sentence made for this case, where the table's is too general. Public: no secret, no other user's data. */
  message?: string
  /** For `invalid_form`: the sentence for each field. */
  fields?: Record<string, string>
  /** For `slow_down` and its like, in seconds. */
  retryAfterSeconds?: number
}

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly fields: Record<string, string>
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: FailureCode,
    options: FailureOptions = {},
  ) {
    super(options.message ?? FAILURES[code][1], 'cause' in options ? { cause: options.cause } : undefined)
    this.fields = options.fields ?? {}
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return FAILURES[this.code][0]
  }
}

export const isFailure = (error: unknown, code?: FailureCode): error is Failure =>
  error instanceof Failure && (code === undefined || error.code === code)
