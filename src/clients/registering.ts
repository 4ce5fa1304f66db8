/** The ways to become a client: by itself (RFC 7591), by an administrator's hand, for a script. */
import { DAY_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { newClientId, type UserId } from '@/lib/ids.ts'
import { clients, type Writer } from '@/store'
import type { Actor } from '@/users'
import { createRegistrationTurnstile } from './flood.ts'
import { describe, type Described, DEVICE_GRANT } from './metadata.ts'
import { cleanText } from './names.ts'
import { byActor } from './policy.ts'
import { OAuthProblem } from './problem.ts'
import { redirectProblem } from './redirects.ts'
import { about, type Client, type Deps, type JsonObject } from './types.ts'
import { makeRoom } from './unused.ts'

/** Our own address as this client sees it. */
export type House = { origin: string; base: string }

/** A registration that no user let in goes away after this. */
const UNUSED_MS = 30 * DAY_MS
const REDIRECTS_MAX = 20

/** What a client is told of its registration. Secrets are told once: later answers go without. */
export const answerOf = (client: Client, house: House, secrets: { secret?: string | undefined; management: string }): JsonObject => ({
  client_id: client.identifier,
  client_id_issued_at: Math.floor(client.createdAt / 1_000),
  ...client.metadata,
  ...(client.jwks && client.jwksUri === null && { jwks: client.jwks }),
  registration_access_token: secrets.management,
  registration_client_uri: `${house.origin}${house.base}/oauth/register/${client.identifier}`,
  // 0 means that the secret itself does not expire.
  ...(secrets.secret !== undefined && { client_secret: secrets.secret, client_secret_expires_at: 0 }),
})

function rowOf(described: Described, kind: Client['kind'], from: string, now: number) {
  const id = newClientId()
  return { ...described, id, identifier: id, kind, createdAt: now, createdFrom: from }
}

const needsSecret = (method: Described['authMethod']) => method === 'client_secret_basic' || method === 'client_secret_post'
const newSecret = () => `tps_${randomSecret()}`

export function createRegistration({ store, clock, audit, trace }: Deps) {
  const pass = createRegistrationTurnstile()
  return {
    /**
     * Dynamic registration (RFC 7591). @param from the address that asks
     * @throws OAuthProblem `invalid_redirect_uri`, `invalid_client_metadata`, or one of status 429
     */
    async register(metadata: unknown, from: string, house: House): Promise<{ client: Client; answer: JsonObject }> {
      const noted = { step: 'register' as const, address: from, origin: house.origin }
      try {
        await pass(from)
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
          await makeRoom(tx, 'dynamic')
          const [inserted] = await tx.insert(clients).values(row).returning()
          await audit.report({ kind: 'auth', action: 'client.register', outcome: 'ok', ...about(row), address: from }, tx)
          return inserted as Client
        })
        trace.note({ ...noted, outcome: 'ok', clientId: client.id, clientName: client.name })
        return { client, answer: answerOf(client, house, { secret, management }) }
      } catch (error) {
        if (error instanceof OAuthProblem) trace.note({ ...noted, outcome: 'refused', reason: `${error.error}: ${error.description}` })
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
        grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
      })
      const secret = asked.confidential ? newSecret() : undefined
      const row = {
        ...rowOf(described, 'registered', by === 'command line' ? by : by.username, clock()),
        secretHash: secret === undefined ? null : sha256(secret),
        createdBy: by === 'command line' ? null : by.id,
        approvedAt: clock(),
      }
      const client = await store.transact(async (tx) => {
        const [inserted] = await tx.insert(clients).values(row).returning()
        await audit.report({ kind: 'admin', action: 'client.add', outcome: 'ok', ...byActor(by), ...about(row) }, tx)
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
