/** The token endpoint (RFC 6749 §3.2) and revocation (RFC 7009), as functions of what was sent. */
import { and, eq, isNull } from 'drizzle-orm'
import { OAuthProblem } from '@/clients'
import { sha256 } from '@/lib/crypto.ts'
import { tokens } from '@/store'
import { type Asking, noted, once, type Seen } from './asking.ts'
import type { Authenticate } from './client-auth.ts'
import { DEVICE_GRANT } from './devices.ts'
import type { Deps } from './needs.ts'
import { createRedeem } from './redeem.ts'
import { createRefresh } from './refresh.ts'
import { type Exchange, revokeFamily, type TokenAnswer } from './tokens.ts'

type Grants = Record<string, Exchange>
type Ways = { authenticate: Authenticate; poll: Grants[string] }

export function createTokenEndpoint(deps: Deps, { authenticate, poll }: Ways) {
  const { store, clients, trace, clock } = deps
  const grants: Grants = { authorization_code: createRedeem(deps), refresh_token: createRefresh(deps), [DEVICE_GRANT]: poll }

  const exchange = async (asking: Asking, seen: Seen): Promise<TokenAnswer> => {
    const asked = once(asking.form)
    const client = await authenticate(asking, asked)
    seen(client)
    const type = asked.get('grant_type')
    if (type === undefined) throw new OAuthProblem('invalid_request', 'grant_type is missing')
    const grant = Object.hasOwn(grants, type) ? grants[type] : undefined
    if (!grant) throw new OAuthProblem('unsupported_grant_type', `use ${Object.keys(grants).join(', ')}`)
    const answer = await grant(client, asked, (userId) => seen(client, userId))
    await clients.touch(client.id)
    return answer
  }
  return {
    /** @throws OAuthProblem */
    token(asking: Asking): Promise<TokenAnswer> {
      const step = asking.form.get('grant_type') === 'refresh_token' ? 'refresh' : 'token'
      return noted(trace, step, asking, (seen) => exchange(asking, seen))
    },
    /**
     * Whatever is not this client's to revoke is passed over in silence. A refresh token takes the grant along: the client said
     * that it is done, and a connected app that can do nothing would only puzzle its user (RFC 7009 §2.1). @throws OAuthProblem
     */
    async revoke(asking: Asking): Promise<void> {
      const asked = once(asking.form)
      const client = await authenticate(asking, asked)
      const token = asked.get('token')
      if (token === undefined) throw new OAuthProblem('invalid_request', 'token is missing')
      const ended = await store.transact(async (tx) => {
        const isOwn = and(eq(tokens.hash, sha256(token)), eq(tokens.clientId, client.id), isNull(tokens.revokedAt))
        const [revoked] = await tx.update(tokens).set({ revokedAt: clock() }).where(isOwn).returning()
        if (revoked) {
          const userId = (await deps.grants.find(revoked.grantId))?.userId ?? null
          const about = { userId, clientId: client.id, clientName: client.name, grantId: revoked.grantId }
          await deps.audit.report({ kind: 'auth', action: 'token.revoke', outcome: 'ok', ...about, detail: { token: revoked.kind } }, tx)
        }
        if (revoked?.kind !== 'refresh') return revoked && { grantId: revoked.grantId, isGrant: false }
        await revokeFamily(tx, revoked.family, clock())
        await deps.grants.endWithin(tx, revoked.grantId, 'revoked_by_client')
        return { grantId: revoked.grantId, isGrant: true }
      })
      if (ended?.isGrant) deps.grants.announceEnded(ended.grantId)
      else if (ended) deps.changes.announce({ kind: 'token-revoked', grantId: ended.grantId })
    },
  }
}
