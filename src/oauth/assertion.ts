/** A client proves itself with a key: `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core §9). */
import type * as Jose from 'jose'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import { type Client, OAuthProblem } from '@/clients'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { assertions } from '@/store'
import type { Deps } from './needs.ts'

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Asymmetric ones alone: with a symmetric algorithm a public key could be taken for the secret. */
export const ASSERTION_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
const LENGTH_MAX = 8_192
const JTI_LENGTH_MAX = 256
/** An assertion is made for one request; one that lives for long is a password. */
const LIFE_MS_MAX = 10 * MINUTE_MS
const SKEW_MS = 30 * SECOND_MS

const refuse = (description: string) => new OAuthProblem('invalid_client', description, 401)

/** Few clients have keys; who meets none of them need not load what reads them. */
let loaded: Promise<typeof Jose> | undefined
const jose = (): Promise<typeof Jose> => (loaded ??= import('jose'))

/** Whom an assertion claims to speak for, before anything about it is believed. */
export async function subjectOf(assertion: string): Promise<string | undefined> {
  try {
    const { decodeJwt } = await jose()
    const { sub } = decodeJwt(assertion.slice(0, LENGTH_MAX))
    return typeof sub === 'string' ? sub : undefined
  } catch {
    return undefined
  }
}

export function createProof({ store, clock, clients }: Pick<Deps, 'store' | 'clock' | 'clients'>) {
  const check = async (assertion: string, jwks: JSONWebKeySet | undefined, client: Client, audience: readonly string[]) => {
    const { createLocalJWKSet, errors, jwtVerify } = await jose()
    if (!jwks) throw new errors.JWKSNoMatchingKey()
    const wanted = {
      algorithms: [...ASSERTION_ALGORITHMS],
      audience: [...audience],
      issuer: client.identifier,
      subject: client.identifier,
      requiredClaims: ['exp', 'jti'],
      clockTolerance: SKEW_MS / SECOND_MS,
      currentDate: new Date(clock()),
    }
    return (await jwtVerify(assertion, createLocalJWKSet(jwks), wanted)).payload
  }
  const checkWithFreshKeys = async (assertion: string, client: Client, audience: readonly string[]): Promise<JWTPayload> => {
    const held = await clients.keysOf(client)
    try {
      return await check(assertion, held, client, audience)
    } catch (error) {
      const { errors } = await jose()
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw await invalid(error)
    }
    // Keys are rolled over: the client's own address knows the new one.
    const fresh = await clients.keysOf(client, { again: true })
    return check(assertion, fresh, client, audience).catch(async (error) => {
      throw await invalid(error)
    })
  }

  /** @param audience what we may be called: the issuer, or an endpoint of ours. @throws OAuthProblem `invalid_client` */
  return async (client: Client, assertion: string, audience: readonly string[]): Promise<void> => {
    if (assertion.length > LENGTH_MAX) throw refuse('the client_assertion is too long')
    const { exp = 0, iat = 0, jti, aud } = await checkWithFreshKeys(assertion, client, audience)
    const now = clock()
    if (Array.isArray(aud) && aud.length !== 1) throw refuse('the client_assertion is for more than one audience')
    if (exp * SECOND_MS > now + LIFE_MS_MAX + SKEW_MS) throw refuse('the client_assertion lives longer than 10 minutes')
    if (typeof iat !== 'number' || iat * SECOND_MS > now + SKEW_MS) throw refuse('the client_assertion was issued in the future')
    if (typeof jti !== 'string' || jti === '' || jti.length > JTI_LENGTH_MAX) throw refuse('the client_assertion has no usable jti')
    const row = { hash: sha256(`${client.id} ${jti}`), expiresAt: exp * SECOND_MS + SKEW_MS }
    // The primary key decides: of two with one jti the second is a replay.
    const fresh = await store.transact((tx) => tx.insert(assertions).values(row).onConflictDoNothing().returning())
    if (fresh.length === 0) throw refuse('the client_assertion was used before')
  }
}

/** Which claim is wrong helps whoever sets a client up. Its value is not repeated, and a broken key is the client's fault too. */
async function invalid(error: unknown): Promise<OAuthProblem> {
  const { errors } = await jose()
  const isClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired
  const why = isClaim ? error.claim : error instanceof errors.JOSEError ? error.code : 'its key cannot be used'
  return refuse(`the client_assertion is not valid (${why})`)
}
