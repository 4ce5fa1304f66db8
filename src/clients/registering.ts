/** The ways to become a client: by itself (RFC 7591, managed by RFC 7592), by an administrator's hand, for a script. */
import { and, eq } from 'drizzle-orm'
import type { Audit, Trace } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import { type Clock, DAY_MS } from '@/lib/clock.ts'
import { equal, randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { newClientId, type UserId } from '@/lib/ids.ts'
import { clients, type Store, type Writer } from '@/store'
import type { Actor } from '@/users'
import type { Client, JsonObject } from './clients.ts'
import { createRegistrationTurnstile } from './flood.ts'
import { describe, type Described } from './metadata.ts'
import { cleanText } from './names.ts'
import { byActor } from './policy.ts'
import { OAuthProblem } from './problem.ts'
import { redirectProblem } from './redirects.ts'

type Deps = { store: Store; clock: Clock; audit: Audit; trace: Pick<Trace, 'note'>; changes: Changes; policy(): Promise<string> }
/** Our own address, for the ones that a client is told. */
export type House = { origin: string; base: string }

/** A registration that no user let in goes away after this. */
const UNUSED_MS = 30 * DAY_MS
const REDIRECTS_MAX = 20

const registrationAddress = ({ origin, base }: House, identifier: string) => `${origin}${base}/oauth/register/${identifier}`

const answerOf = (client: Client, more: { secret?: string | undefined; management?: string | undefined; house: House }): JsonObject => ({
  client_id: client.identifier,
  client_id_issued_at: Math.floor(client.createdAt / 1_000),
  ...client.metadata,
  // 0 means that the secret itself does not expire.
  ...(more.secret !== undefined && { client_secret: more.secret, client_secret_expires_at: 0 }),
  ...(more.management !== undefined && {
    registration_access_token: more.management,
    registration_client_uri: registrationAddress(more.house, client.identifier),
  }),
})

function rowOf(described: Described, kind: Client['kind'], from: string, now: number) {
  const id = newClientId()
  return { ...described, id, identifier: id, kind, createdAt: now, createdFrom: from }
}

const needsSecret = (method: Described['authMethod']) => method === 'client_secret_basic' || method === 'client_secret_post'
const newSecret = () => `tps_${randomSecret()}`

export function createRegistration({ store, clock, audit, trace, policy }: Deps) {
  const pass = createRegistrationTurnstile()
  return {
    /**
     * Dynamic registration (RFC 7591). @param from the address that asks
     * @throws OAuthProblem `invalid_redirect_uri`, `invalid_client_metadata`, or one of status 403 or 429
     */
    async register(metadata: unknown, from: string, house: House): Promise<{ client: Client; answer: JsonObject }> {
      try {
        await pass(from)
        if ((await policy()) === 'listed')
          throw new OAuthProblem('access_denied', 'only clients that an administrator listed are let in here', 403)
        const described = describe(metadata)
        const secret = needsSecret(described.authMethod) ? newSecret() : undefined
        const management = `tpm_${randomSecret()}`
        const row = {
          ...rowOf(described, 'dynamic', from, clock()),
          secretHash: secret === undefined ? null : sha256(secret),
          registrationHash: sha256(management),
          expiresAt: clock() + UNUSED_MS,
        }
        const client = await store.transact(async (tx) => {
          const [inserted] = await tx.insert(clients).values(row).returning()
          const about = { clientId: row.id, clientName: row.name, subject: row.name, address: from }
          await audit.report({ kind: 'auth', action: 'client.register', outcome: 'ok', ...about }, tx)
          return inserted as Client
        })
        trace.note({ step: 'register', outcome: 'ok', address: from, clientId: client.id, clientName: client.name })
        return { client, answer: answerOf(client, { secret, management, house }) }
      } catch (error) {
        if (error instanceof OAuthProblem) trace.note({ step: 'register', outcome: 'refused', address: from, reason: error.description })
        throw error
      }
    },
    /** By an administrator: on the page, or at the machine. @throws Failure `invalid_form` */
    async preregister(
      by: Actor,
      asked: { name: string; redirectUris: readonly string[]; confidential: boolean },
    ): Promise<{ client: Client; secret: string | undefined }> {
      const { name, redirectUris } = demandAsked(asked)
      const described = describe({
        client_name: name,
        redirect_uris: redirectUris,
        token_endpoint_auth_method: asked.confidential ? 'client_secret_basic' : 'none',
        grant_types: ['authorization_code', 'refresh_token'],
      })
      const secret = asked.confidential ? newSecret() : undefined
      const whose = by === 'command line' ? null : by.id
      const row = {
        ...rowOf(described, 'registered', 'here', clock()),
        ...{ secretHash: secret === undefined ? null : sha256(secret), createdBy: whose, approvedAt: clock() },
      }
      const client = await store.transact(async (tx) => {
        const [inserted] = await tx.insert(clients).values(row).returning()
        const about = { clientId: row.id, clientName: name, subject: name }
        await audit.report({ kind: 'admin', action: 'client.add', outcome: 'ok', ...byActor(by), ...about }, tx)
        return inserted as Client
      })
      return { client, secret }
    },
    /** The client that an access token for a script stands for. No authorization request finds it. */
    async createScript(tx: Writer, name: string, by: UserId, from: string): Promise<Client> {
      const id = newClientId()
      const described = { name, redirectUris: [], applicationType: 'native' as const, authMethod: 'none' as const, metadata: {} }
      const row = { ...described, id, identifier: `script:${id}`, kind: 'script' as const, createdAt: clock(), createdBy: by }
      const [inserted] = await tx
        .insert(clients)
        .values({ ...row, createdFrom: from })
        .returning()
      return inserted as Client
    },
  }
}

function demandAsked({ name, redirectUris }: { name: string; redirectUris: readonly string[] }) {
  const fields: Record<string, string> = {}
  const tidy = cleanText(name)
  if (tidy === '') fields['name'] = 'Give it a name.'
  const uris = [...new Set(redirectUris.map((uri) => uri.trim()).filter(Boolean))]
  const problem = uris.map((uri) => redirectProblem(uri)).find(Boolean)
  if (uris.length === 0) fields['redirect_uris'] = 'Enter at least one redirect URI.'
  else if (uris.length > REDIRECTS_MAX) fields['redirect_uris'] = `At most ${REDIRECTS_MAX} redirect URIs.`
  else if (problem) fields['redirect_uris'] = `${problem[0]?.toUpperCase()}${problem.slice(1)}.`
  if (Object.keys(fields).length > 0) throw new Failure('invalid_form', { fields })
  return { name: tidy, redirectUris: uris }
}

const gone = () => new OAuthProblem('invalid_token', 'the registration access token is not the one of this client', 401)

/** RFC 7592: a client looks after its own registration with the token that it was given. */
export function createManagement({ store, audit, changes }: Deps) {
  const demand = async (identifier: string, token: string): Promise<Client> => {
    const isDynamic = and(eq(clients.identifier, identifier), eq(clients.kind, 'dynamic'))
    const [client] = await store.read.select().from(clients).where(isDynamic)
    const hash = client?.registrationHash ?? ''
    // An unknown client and a wrong token look alike (RFC 7592 §2.1).
    if (!client || client.blockedAt !== null || !equal(hash, sha256(token))) throw gone()
    return client
  }
  const about = (client: Client) => ({ clientId: client.id, clientName: client.name, subject: client.name })
  return {
    async readRegistration(identifier: string, token: string, house: House): Promise<JsonObject> {
      return answerOf(await demand(identifier, token), { management: token, house })
    },
    /** Puts the whole description anew. What the client is known by, its secret and its way to prove itself stay. */
    async updateRegistration(identifier: string, token: string, metadata: unknown, house: House): Promise<JsonObject> {
      const client = await demand(identifier, token)
      const said = typeof metadata === 'object' && metadata !== null ? (metadata as JsonObject) : {}
      if (said['client_id'] !== identifier) throw new OAuthProblem('invalid_client_metadata', 'client_id is not the one of this client')
      const given = said['client_secret']
      const isOwnSecret = typeof given === 'string' && client.secretHash !== null && equal(client.secretHash, sha256(given))
      if (given !== undefined && !isOwnSecret) throw new OAuthProblem('invalid_client_metadata', 'a client does not choose its secret')
      const described = describe({ token_endpoint_auth_method: client.authMethod, ...said })
      if (described.authMethod !== client.authMethod)
        throw new OAuthProblem('invalid_client_metadata', 'token_endpoint_auth_method cannot be changed; register anew')
      const updated = await store.transact(async (tx) => {
        const [row] = await tx.update(clients).set(described).where(eq(clients.id, client.id)).returning()
        await audit.report({ kind: 'auth', action: 'client.update', outcome: 'ok', ...about(client) }, tx)
        return row as Client
      })
      if (JSON.stringify(updated.redirectUris) !== JSON.stringify(client.redirectUris))
        changes.announce({ kind: 'client-changed', clientId: client.id })
      return answerOf(updated, { management: token, house })
    },
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
