/** The token endpoint (RFC 6749 §3.2) and revocation (RFC 7009), as functions of what was sent. */
import { and, eq, isNull } from 'drizzle-orm'
import { OAuthProblem } from '@/clients'
import { sha256 } from '@/lib/crypto.ts'
import { tokens } from '@/store'
import { authenticate } from './client-auth.ts'
import type { Deps } from './needs.ts'
import { type Parameters, parametersOf } from './parameters.ts'
import { createRedeem } from './redeem.ts'
import { createRefresh } from './refresh.ts'
import { revokeFamily, type TokenAnswer } from './tokens.ts'

function once(form: URLSearchParams): Parameters {
  const asked = parametersOf(form)
  if (asked.doubled.has('resource')) throw new OAuthProblem('invalid_target', 'ask for one resource')
  if (asked.doubled.size > 0) throw new OAuthProblem('invalid_request', 'a parameter came twice')
  return asked
}

export function createTokenEndpoint(deps: Deps) {
  const { store, clients, clock } = deps
  const redeem = createRedeem(deps)
  const refresh = createRefresh(deps)
  return {
    /** @throws OAuthProblem */
    async token(form: URLSearchParams, authorization: string | null): Promise<TokenAnswer> {
      const asked = once(form)
      const client = await authenticate(clients, authorization, asked)
      const type = asked.get('grant_type')
      if (type === undefined) throw new OAuthProblem('invalid_request', 'grant_type is missing')
      if (type !== 'authorization_code' && type !== 'refresh_token')
        throw new OAuthProblem('unsupported_grant_type', 'use authorization_code or refresh_token')
      const answer = await (type === 'authorization_code' ? redeem : refresh)(client, asked)
      await clients.touch(client.id)
      return answer
    },
    /** Whatever is not this client's to revoke is passed over in silence. A refresh token takes its family along. @throws OAuthProblem */
    async revoke(form: URLSearchParams, authorization: string | null): Promise<void> {
      const asked = once(form)
      const client = await authenticate(clients, authorization, asked)
      const token = asked.get('token')
      if (token === undefined) throw new OAuthProblem('invalid_request', 'token is missing')
      await store.transact(async (tx) => {
        const isOwn = and(eq(tokens.hash, sha256(token)), eq(tokens.clientId, client.id), isNull(tokens.revokedAt))
        const [revoked] = await tx.update(tokens).set({ revokedAt: clock() }).where(isOwn).returning()
        if (revoked?.kind === 'refresh') await revokeFamily(tx, revoked.family, clock())
      })
    },
  }
}
