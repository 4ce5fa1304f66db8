/** Whether a token is good, for clients that prove themselves (RFC 7662). */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { OAuthProblem } from '@/clients'
import { state } from '@/grants'
import { SECOND_MS } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import { tokens } from '@/store'
import { type Asking, once } from './asking.ts'
import type { Authenticate } from './client-auth.ts'
import type { Deps } from './needs.ts'
import { issuerOf } from './places.ts'

type Introspected = { active: false } | { active: true; [claim: string]: string | number | true }

/** Everything that is not a good token of this very client looks the same: which of the reasons it is helps only who guesses. */
const INACTIVE = { active: false } as const

export function createIntrospect({ store, clock, grants, users }: Deps, authenticate: Authenticate) {
  /** @throws OAuthProblem `invalid_client` (401), also for public clients */
  return async (asking: Asking): Promise<Introspected> => {
    const asked = once(asking.form)
    const client = await authenticate(asking, asked)
    if (client.authMethod === 'none') throw new OAuthProblem('invalid_client', 'introspection is for clients that prove themselves', 401)
    const token = asked.get('token')
    if (token === undefined) throw new OAuthProblem('invalid_request', 'token is missing')
    const isGood = and(
      eq(tokens.hash, sha256(token)),
      eq(tokens.clientId, client.id),
      isNull(tokens.revokedAt),
      gt(tokens.expiresAt, clock()),
    )
    const [row] = await store.read.select().from(tokens).where(isGood)
    if (!row || (row.kind === 'refresh' && row.usedAt !== null)) return INACTIVE
    const grant = await grants.find(row.grantId)
    const user = grant && (await users.find(grant.userId))
    if (!grant || !user || user.disabledAt !== null || state(grant, clock()) !== 'active') return INACTIVE
    return {
      active: true,
      ...{ scope: row.scope, client_id: client.identifier, aud: row.resource, sub: grant.userId, iss: issuerOf(asking.house) },
      ...{ exp: Math.floor(row.expiresAt / SECOND_MS), iat: Math.floor(row.issuedAt / SECOND_MS) },
      ...(row.kind === 'access' && { token_type: 'Bearer' }),
    }
  }
}
