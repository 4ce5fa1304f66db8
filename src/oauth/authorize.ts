/** Whether an authorization request may be put before the user. Pure: two tables of checks, read in order. */
import { type Client, matchesRedirect } from '@/clients'
import { ALL_SCOPES, type Parameters, scopeOf } from './parameters.ts'
import { type House, issuerOf, type Resource, resourceAddress, resourceOf, withAnswer } from './places.ts'

export type Problem = { error: string; error_description: string }
type Asker = Pick<Client, 'redirectUris' | 'blockedAt'>
type Asking = { asked: Parameters; client: Asker; house: House; isSignedIn: boolean }
type Check = (asking: Asking) => Problem | undefined

/** What is left of a request once every check has passed. */
export type Request = {
  redirectUri: string
  state: string | undefined
  challenge: string
  scope: string
  resource: Resource
}

export type Verdict =
  /** Nobody knows whose redirect address it is: the error stays with us. RFC 6749 §4.1.2.1 */
  | { kind: 'show'; problem: Problem }
  /** `to` is the whole address, with error, state and iss. */
  | { kind: 'send-back'; to: string; problem: Problem }
  | { kind: 'ask-the-user'; request: Request }

const no = (error: string, error_description: string): Problem => ({ error, error_description })

const identityOnce: Check = ({ asked }) => {
  const twice = ['client_id', 'redirect_uri'].find((name) => asked.doubled.has(name))
  return twice ? no('invalid_request', `${twice} came twice`) : undefined
}
const notBlocked: Check = ({ client }) => (client.blockedAt === null ? undefined : no('unauthorized_client', 'this client is blocked here'))
/** Exact string comparison, no prefix and no normalising. RFC 9700 §2.1 */
const exactRedirectUri: Check = ({ asked, client }) =>
  matchesRedirect(client.redirectUris, asked.get('redirect_uri') ?? '')
    ? undefined
    : no('invalid_request', 'redirect_uri is missing or not registered')

/** RFC 6749 §3.1. A second resource has an error of its own. */
const eachOnce: Check = ({ asked }) => {
  const twice = [...asked.doubled].find((name) => name !== 'resource' && /^[\w.-]{1,64}$/.test(name))
  return twice || (asked.doubled.size > 0 && !asked.doubled.has('resource'))
    ? no('invalid_request', `${twice ?? 'a parameter'} came twice`)
    : undefined
}
const noRequestObject: Check = ({ asked }) => {
  if (asked.get('request')) return no('request_not_supported', 'request objects are not supported')
  return asked.get('request_uri') ? no('request_uri_not_supported', 'request_uri is not supported') : undefined
}
/** OAuth 2.1 keeps only the code flow. */
const codeFlow: Check = ({ asked }) => {
  const type = asked.get('response_type')
  if (type === undefined) return no('invalid_request', 'response_type is missing')
  return type === 'code' ? undefined : no('unsupported_response_type', 'use response_type=code')
}
const inTheQuery: Check = ({ asked }) =>
  (asked.get('response_mode') ?? 'query') === 'query' ? undefined : no('invalid_request', 'use response_mode=query')
/** PKCE for everyone, S256 only. RFC 7636 §4.3, OAuth 2.1 §4.1.1 */
const pkceS256: Check = ({ asked }) =>
  asked.get('code_challenge_method') === 'S256' && /^[\w-]{43}$/.test(asked.get('code_challenge') ?? '')
    ? undefined
    : no('invalid_request', 'an S256 code_challenge is required')
/** RFC 8707 §2. Older clients send none: the user picks. */
const oneOfOurs: Check = ({ asked, house }) => {
  if (asked.doubled.has('resource')) return no('invalid_target', 'ask for one resource')
  const resource = asked.get('resource')
  return resource === undefined || resourceOf(resource, house) ? undefined : no('invalid_target', 'resource is not served here')
}
const knownScope: Check = ({ asked }) =>
  scopeOf(asked.get('scope') ?? '') === undefined ? no('invalid_scope', `the scopes are ${ALL_SCOPES}`) : undefined
/** We always ask, so `none` can never be granted. OpenID Connect Core §3.1.2.6 */
const mayAsk: Check = ({ asked, isSignedIn }) => {
  const prompts = (asked.get('prompt') ?? '').split(' ')
  if (!prompts.includes('none')) return undefined
  if (prompts.length > 1) return no('invalid_request', 'prompt=none stands alone')
  return isSignedIn ? no('consent_required', 'the user has to be asked') : no('login_required', 'the user has to sign in')
}

const BEFORE_REDIRECT: readonly Check[] = [identityOnce, notBlocked, exactRedirectUri]
const AFTER_REDIRECT: readonly Check[] = [eachOnce, noRequestObject, codeFlow, inTheQuery, pkceS256, oneOfOurs, knownScope, mayAsk]

export function judge(asked: Parameters, client: Asker | undefined, house: House, isSignedIn: boolean): Verdict {
  if (!client) return { kind: 'show', problem: no('invalid_client', 'unknown client_id') }
  const asking = { asked, client, house, isSignedIn }
  for (const check of BEFORE_REDIRECT) {
    const problem = check(asking)
    if (problem) return { kind: 'show', problem }
  }
  const redirectUri = asked.get('redirect_uri') as string
  // Of two states neither can be trusted to be the client's.
  const state = asked.doubled.has('state') ? undefined : asked.get('state')
  for (const check of AFTER_REDIRECT) {
    const problem = check(asking)
    if (problem) return { kind: 'send-back', to: withAnswer(redirectUri, { ...problem, state, iss: issuerOf(house) }), problem }
  }
  return { kind: 'ask-the-user', request: { ...readOf(asked, house), redirectUri, state } }
}

function readOf(asked: Parameters, house: House): Pick<Request, 'challenge' | 'scope' | 'resource'> {
  const scope = scopeOf(asked.get('scope') ?? ALL_SCOPES) as string
  const resource = asked.get('resource')
  return {
    challenge: asked.get('code_challenge') as string,
    // Whoever asks to stay asks for something to stay for.
    scope: scope === 'offline_access' ? ALL_SCOPES : scope,
    resource: (resource && resourceOf(resource, house)) || { address: resourceAddress(house), profileName: undefined },
  }
}
