/** A code for tokens, once. */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { OAuthProblem } from '@/clients'
import { sha256 } from '@/lib/crypto.ts'
import type { GrantId } from '@/lib/ids.ts'
import { codes, type Writer } from '@/store'
import type { Deps } from './needs.ts'
import type { Parameters } from './parameters.ts'
import { createTokens, type Exchange, demandLiveGrant, invalidGrant, mayStay, revokeFamily, tellIssued } from './tokens.ts'

/** RFC 7636 §4.1 */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/

export function createRedeem(deps: Deps): Exchange {
  const { store, grants, clock } = deps
  const tokens = createTokens(deps)

  return async (client, asked, whose) => {
    const code = asked.get('code')
    if (!code) throw new OAuthProblem('invalid_request', 'code is missing')
    const verifier = asked.get('code_verifier') ?? ''
    if (!VERIFIER.test(verifier)) throw invalidGrant('code_verifier is missing or not of 43 to 128 allowed characters')
    const hash = sha256(code)
    const outcome = await store.transact(async (tx) => {
      const [known] = await tx.select().from(codes).where(eq(codes.hash, hash))
      if (!known || known.clientId !== client.id) throw invalidGrant('the code is unknown or of another client')
      whose(known.userId)
      if (known.usedAt !== null) return { replayed: await endReplayed(deps, tx, known) }
      demandSameRequest(known, asked)
      const grant = await demandLiveGrant(deps, known.grantId)
      // The conditions are in the statement that uses it up: of any number of redemptions one gets the row.
      const [used] = await tx
        .update(codes)
        .set({ usedAt: clock() })
        .where(and(eq(codes.hash, hash), isNull(codes.usedAt), gt(codes.expiresAt, clock()), eq(codes.challenge, sha256(verifier))))
        .returning()
      if (!used) throw invalidGrant('the code has expired or the code_verifier is not the one')
      await grants.activate(tx, grant.id)
      await tellIssued(deps, tx, client, grant)
      const family = { grantId: grant.id, clientId: client.id, family: hash, resource: used.resource, scope: used.scope }
      const answer = await tokens.access(tx, family, grant.expiresAt)
      if (mayStay(client, used.scope)) answer.refresh_token = await tokens.refresh(tx, tokens.firstRefresh(), family, grant.expiresAt)
      return { answer, grantId: grant.id }
    })
    if ('replayed' in outcome) {
      grants.announceEnded(outcome.replayed)
      throw invalidGrant('the code was used before, everything issued from it has been revoked')
    }
    return outcome.answer
  }
}

type Code = typeof codes.$inferSelect

function demandSameRequest(code: Code, asked: Parameters): void {
  const redirectUri = asked.get('redirect_uri')
  // OAuth 2.1 no longer sends it; whoever does must send the same.
  if (redirectUri !== undefined && redirectUri !== code.redirectUri) throw invalidGrant('redirect_uri is not the one of the request')
  const resource = asked.get('resource')
  if (resource !== undefined && resource !== code.resource) throw new OAuthProblem('invalid_target', 'resource is not the authorised one')
}

/** Somebody else has the code as well, and nobody knows which of the two came first. RFC 6749 §10.5 */
async function endReplayed({ grants, audit, clock }: Deps, tx: Writer, code: Code): Promise<GrantId> {
  await revokeFamily(tx, code.hash, clock())
  await grants.endWithin(tx, code.grantId, 'code_replayed')
  const about = { userId: code.userId, clientId: code.clientId, grantId: code.grantId }
  await audit.report({ kind: 'auth', action: 'token.issue', outcome: 'refused', reason: 'code_replayed', ...about }, tx)
  return code.grantId
}
