/** How a client looks after its own registration, with the token that it was given then (RFC 7592). */
import { and, eq } from 'drizzle-orm'
import { equal, sha256 } from '@/lib/crypto.ts'
import { clients } from '@/store'
import { fetchedKeys } from './copies.ts'
import { describe } from './metadata.ts'
import { OAuthProblem } from './problem.ts'
import { sameRedirects } from './redirects.ts'
import { answerOf, type House } from './registering.ts'
import { about, type Client, type Deps, type JsonObject } from './types.ts'

const refuse = (description: string) => new OAuthProblem('invalid_client_metadata', description)

export function createManagement({ store, clock, audit, changes }: Pick<Deps, 'store' | 'clock' | 'audit' | 'changes'>) {
  const demand = async (identifier: string, token: string): Promise<Client> => {
    const isDynamic = and(eq(clients.identifier, identifier), eq(clients.kind, 'dynamic'))
    const [client] = await store.read.select().from(clients).where(isDynamic)
    const isOver = !client || client.blockedAt !== null || (client.expiresAt !== null && client.expiresAt <= clock())
    // Unknown and wrong look alike (RFC 7592 §2.1), and who is blocked cannot start over by leaving.
    if (isOver || !equal(client.registrationHash ?? '', sha256(token)))
      throw new OAuthProblem('invalid_token', 'the registration access token is not the one of this client', 401)
    return client
  }
  return {
    /** @throws OAuthProblem `invalid_token` (401) */
    readRegistration: async (identifier: string, token: string, house: House): Promise<JsonObject> =>
      answerOf(await demand(identifier, token), house, { management: token }),
    /**
     * Puts the whole description anew. What it is known by, its secret and the way it proves itself stay.
     * @throws OAuthProblem `invalid_token` (401), `invalid_client_metadata`, `invalid_redirect_uri`
     */
    async updateRegistration(identifier: string, token: string, metadata: unknown, house: House): Promise<JsonObject> {
      const client = await demand(identifier, token)
      const described = readUpdate(client, metadata)
      // What an administrator looked at was another app.
      const approval = looksAlike(client, described) ? {} : { approvedAt: null }
      const values = { ...described, ...fetchedKeys(client, described), ...approval }
      const updated = await store.transact(async (tx) => {
        const [row] = await tx.update(clients).set(values).where(eq(clients.id, client.id)).returning()
        await audit.report({ kind: 'auth', action: 'client.update', outcome: 'ok', ...about(client) }, tx)
        return row as Client
      })
      if (!sameRedirects(updated.redirectUris, client.redirectUris)) changes.announce({ kind: 'client-changed', clientId: client.id })
      return answerOf(updated, house, { management: token })
    },
    /** With everything that was granted to it. @throws OAuthProblem `invalid_token` (401) */
    async deleteRegistration(identifier: string, token: string): Promise<void> {
      const client = await demand(identifier, token)
      await store.transact(async (tx) => {
        await tx.delete(clients).where(eq(clients.id, client.id))
        await audit.report({ kind: 'auth', action: 'client.remove', outcome: 'ok', ...about(client) }, tx)
      })
      changes.announce({ kind: 'client-removed', clientId: client.id })
    },
  }
}

const grantTypesOf = ({ metadata }: Pick<Client, 'metadata'>) => JSON.stringify([metadata['grant_types']].flat().toSorted())

const looksAlike = (one: Client, other: Pick<Client, 'name' | 'redirectUris' | 'metadata'>): boolean =>
  one.name === other.name && sameRedirects(one.redirectUris, other.redirectUris) && grantTypesOf(one) === grantTypesOf(other)

function readUpdate(client: Client, metadata: unknown) {
  const said: JsonObject = typeof metadata === 'object' && metadata !== null ? { ...metadata } : {}
  if (said['client_id'] !== client.identifier) throw refuse('client_id is not the one of this client')
  const secret = said['client_secret'] ?? undefined
  const isOwn = typeof secret === 'string' && client.secretHash !== null && equal(client.secretHash, sha256(secret))
  if (secret !== undefined && !isOwn) throw refuse('a client does not choose its secret')
  const described = describe({ ...said, token_endpoint_auth_method: said['token_endpoint_auth_method'] ?? client.authMethod })
  if (described.authMethod !== client.authMethod) throw refuse('token_endpoint_auth_method cannot be changed, register anew')
  return described
}
