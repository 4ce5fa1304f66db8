/** A refresh token for the next one. Parallel refreshes and lost answers are honest within a short grace; later re-use is theft. */
import { eq } from 'drizzle-orm'
import { OAuthProblem } from '@/clients'
import { SECOND_MS } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import type { GrantId } from '@/lib/ids.ts'
import { tokens as table, type Writer } from '@/store'
import type { Deps } from './needs.ts'
import { type Parameters, scopeOf } from './parameters.ts'
import { createTokens, type Exchange, demandLiveGrant, invalidGrant, revokeFamily, type Row } from './tokens.ts'

export function createRefresh(deps: Deps): Exchange {
  const { store, grants, clock } = deps
  const tokens = createTokens(deps)
  const find = async (tx: Writer, hash: string) => (await tx.select().from(table).where(eq(table.hash, hash)))[0]

  /** The one child of a token: made at its first use, the same again within the grace, undefined for re-use. */
  const childOf = async (tx: Writer, parent: Row, token: string, endsAt: number | null): Promise<string | undefined> => {
    const child = tokens.childOf(token)
    if (parent.usedAt === null) {
      await tx
        .update(table)
        .set({ usedAt: clock(), childHash: sha256(child) })
        .where(eq(table.hash, parent.hash))
      const { grantId, clientId, family, resource, scope } = parent
      return tokens.refresh(tx, child, { grantId, clientId, family, resource, scope }, endsAt)
    }
    const isInGrace = clock() < parent.usedAt + deps.config.refreshGraceSeconds * SECOND_MS
    const known = isInGrace ? await find(tx, sha256(child)) : undefined
    return known && known.usedAt === null ? child : undefined
  }

  return async (client, asked, whose) => {
    const token = asked.get('refresh_token')
    if (!token) throw new OAuthProblem('invalid_request', 'refresh_token is missing')
    const outcome = await store.transact(async (tx) => {
      const parent = await find(tx, sha256(token))
      if (parent?.kind !== 'refresh' || parent.clientId !== client.id)
        throw invalidGrant('the refresh token is unknown or of another client')
      if (parent.revokedAt !== null || parent.expiresAt <= clock()) throw invalidGrant('the refresh token was revoked or has expired')
      const { scope } = narrowed(parent, asked)
      const grant = await demandLiveGrant(deps, parent.grantId)
      whose(grant.userId)
      const child = await childOf(tx, parent, token, grant.expiresAt)
      if (child === undefined) return { reused: await endReused(deps, tx, parent) }
      const { grantId, clientId, family, resource } = parent
      const answer = await tokens.access(tx, { grantId, clientId, family, resource, scope }, grant.expiresAt)
      return { answer: { ...answer, refresh_token: child } }
    })
    if ('answer' in outcome) return outcome.answer
    grants.announceEnded(outcome.reused)
    throw invalidGrant('the refresh token was used before, its family has been revoked')
  }
}

/** Less may be asked for, never more (RFC 6749 §6); the refresh token itself keeps its scope. */
function narrowed(parent: Row, asked: Parameters): { scope: string } {
  const resource = asked.get('resource')
  if (resource !== undefined && resource !== parent.resource) throw new OAuthProblem('invalid_target', 'resource is not the authorised one')
  const text = asked.get('scope')
  if (text === undefined) return { scope: parent.scope }
  const scope = scopeOf(text)
  const granted = parent.scope.split(' ')
  if (!scope?.split(' ').every((each) => granted.includes(each))) throw new OAuthProblem('invalid_scope', 'scope is more than was granted')
  return { scope }
}

async function endReused({ grants, audit, clock }: Deps, tx: Writer, { family, grantId, clientId }: Row): Promise<GrantId> {
  await revokeFamily(tx, family, clock())
  await grants.endWithin(tx, grantId, 'refresh_token_reused')
  await audit.report({ kind: 'auth', action: 'token.refresh', outcome: 'refused', reason: 'refresh_token_reused', grantId, clientId }, tx)
  return grantId
}
