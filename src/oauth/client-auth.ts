/** Which client is speaking at an endpoint for machines (RFC 6749 §2.3). */
import { type Client, OAuthProblem } from '@/clients'
import { ASSERTION_TYPE, createProof, subjectOf } from './assertion.ts'
import type { Asking } from './asking.ts'
import type { Deps } from './needs.ts'
import type { Parameters } from './parameters.ts'
import { type House, issuerOf } from './places.ts'

export type Authenticate = (asking: Asking, asked: Parameters) => Promise<Client>

/** Parameters that say who asks, and nothing about what. */
export const AUTHENTICATING = new Set(['client_secret', 'client_assertion', 'client_assertion_type'])

const refuse = (description = 'the client is unknown or its secret is wrong') => new OAuthProblem('invalid_client', description, 401)

/**
 * A client with a secret may send it either way, whichever of the two it registered: libraries differ, and it proves the same.
 * One with a key proves itself by that alone.
 */
export function createAuthenticate(deps: Pick<Deps, 'store' | 'clock' | 'clients' | 'config'>): Authenticate {
  const { clients, config } = deps
  const prove = createProof(deps)
  /** @throws OAuthProblem `invalid_client` (401), `invalid_request` */
  return async ({ authorization, house, path, address }, asked) => {
    const basic = authorization === null ? undefined : readBasic(authorization)
    const assertion = readAssertion(asked)
    const bodySecret = asked.get('client_secret')
    if ([basic, bodySecret, assertion].filter((way) => way !== undefined).length > 1)
      throw new OAuthProblem('invalid_request', 'the client authenticates in one way, not in two')
    const identifier = await identifierOf(asked.get('client_id'), basic?.id, assertion)
    const client = await resolve(clients, identifier, address)
    if (!client || client.blockedAt !== null) throw refuse()
    if (client.authMethod === 'private_key_jwt') {
      if (assertion === undefined) throw refuse('this client proves itself with a client_assertion')
      if (!isOurs(house, config)) throw refuse('a client_assertion counts at our public address alone')
      await prove(client, assertion, audienceOf(house, path))
      return client
    }
    const secret = (basic?.secret || undefined) ?? bodySecret
    const isPublic = client.authMethod === 'none'
    const isProven = isPublic ? secret === undefined : secret !== undefined && clients.knowsSecret(client, secret)
    if (!isProven || assertion !== undefined) throw refuse()
    return client
  }
}

/** Our names in an assertion: the issuer, the endpoint that is asked, and the token endpoint at every other (RFC 9126 §2). */
const audienceOf = (house: House, path: string): string[] => [issuerOf(house), issuerOf(house) + path, `${issuerOf(house)}/oauth/token`]

/** What the Host header says makes no audience: an assertion that was made for another server would be good here under its name. */
const isOurs = ({ origin }: House, { url, port }: Deps['config']): boolean => {
  if (url) return origin === url.origin
  const asked = new URL(origin)
  // With 0 the system chose one.
  return port === 0 || Number(asked.port || (asked.protocol === 'https:' ? 443 : 80)) === port
}

/** A document that cannot be had makes its client unknown here: the reason was told where a person could read it. */
async function resolve(clients: Deps['clients'], identifier: string, address: string): Promise<Client | undefined> {
  const known = await clients.find(identifier)
  if (known) return known
  try {
    return await clients.resolve(identifier, address)
  } catch (error) {
    if (error instanceof OAuthProblem && error.status !== 429) throw refuse(error.description)
    throw error
  }
}

function readAssertion(asked: Parameters): string | undefined {
  const assertion = asked.get('client_assertion')
  const type = asked.get('client_assertion_type')
  if (assertion === undefined && type === undefined) return undefined
  if (assertion === undefined || type !== ASSERTION_TYPE)
    throw new OAuthProblem('invalid_request', `client_assertion goes with client_assertion_type ${ASSERTION_TYPE}`)
  return assertion
}

/** Where it is said more than once, it is said alike. */
async function identifierOf(fromBody: string | undefined, fromHeader: string | undefined, assertion: string | undefined): Promise<string> {
  const fromAssertion = assertion === undefined ? undefined : await subjectOf(assertion)
  if (assertion !== undefined && fromAssertion === undefined) throw refuse('the client_assertion cannot be read')
  const said = [fromHeader, fromAssertion, fromBody].filter((each) => each !== undefined)
  const [identifier] = said
  if (identifier === undefined) throw refuse('client_id is missing')
  if (said.some((each) => each !== identifier))
    throw assertion === undefined
      ? new OAuthProblem('invalid_request', 'client_id differs from the Authorization header')
      : refuse('client_id differs from the client_assertion')
  return identifier
}

function readBasic(header: string): { id: string; secret: string } {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? []
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? []
  if (!id || secret === undefined) throw refuse('the Authorization header is not of the Basic scheme')
  try {
    // Both parts are form-encoded inside (RFC 6749 §2.3.1).
    return { id: decodeURIComponent(id.replaceAll('+', ' ')), secret: decodeURIComponent(secret.replaceAll('+', ' ')) }
  } catch {
    throw refuse()
  }
}
