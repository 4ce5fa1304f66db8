/** Which client is speaking at the token endpoint (RFC 6749 §2.3). */
import { type Client, type Clients, OAuthProblem } from '@/clients'
import type { Parameters } from './parameters.ts'

const refuse = (description = 'the client is unknown or its secret is wrong') => new OAuthProblem('invalid_client', description, 401)

/**
 * A client with a secret may send it either way, whichever of the two it registered: libraries differ, and it proves the same.
 * @throws OAuthProblem `invalid_client` (401), `invalid_request`
 */
export async function authenticate(clients: Clients, authorization: string | null, asked: Parameters): Promise<Client> {
  const basic = authorization === null ? undefined : readBasic(authorization)
  const bodyId = asked.get('client_id')
  const bodySecret = asked.get('client_secret')
  if (basic && bodySecret !== undefined) throw new OAuthProblem('invalid_request', 'the client authenticates in one way, not in two')
  if (basic && bodyId !== undefined && bodyId !== basic.id)
    throw new OAuthProblem('invalid_request', 'client_id differs from the Authorization header')
  const identifier = basic?.id ?? bodyId
  if (identifier === undefined) throw refuse('client_id is missing')
  const client = await clients.find(identifier)
  const secret = (basic?.secret || undefined) ?? bodySecret
  if (!client || client.blockedAt !== null) throw refuse()
  const isProven = client.authMethod === 'none' ? secret === undefined : secret !== undefined && clients.knowsSecret(client, secret)
  if (!isProven) throw refuse()
  return client
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
