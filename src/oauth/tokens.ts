/** Making tokens: opaque, known to the database by their SHA-256 alone. */
import { and, eq, isNull } from 'drizzle-orm'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import { hmac, randomSecret, sha256 } from '@/lib/crypto.ts'
import type { GrantId, UserId } from '@/lib/ids.ts'
import { tokens, type Writer } from '@/store'
import { type Client, OAuthProblem } from '@/clients'
import { type Grant, state } from '@/grants'
import type { Deps } from './needs.ts'
import type { Parameters } from './parameters.ts'

export const ACCESS_MS = HOUR_MS
export const REFRESH_UNUSED_MS = 90 * DAY_MS

/** RFC 6749 §5.1 */
export type TokenAnswer = { access_token: string; token_type: 'Bearer'; expires_in: number; scope: string; refresh_token?: string }
/** What a grant type does. @param whose is told whose it is that was sent, as soon as that is known */
export type Exchange = (client: Client, asked: Parameters, whose: (userId: UserId) => void) => Promise<TokenAnswer>
export type Row = typeof tokens.$inferSelect
/** What all tokens of one code have in common. */
export type Family = Pick<Row, 'grantId' | 'clientId' | 'family' | 'resource' | 'scope'>

/** The first tokens of a code stand in the trail; that they are renewed by the hour does not. */
export async function tellIssued({ audit, users }: Deps, tx: Writer, client: Client, grant: Grant): Promise<void> {
  const { userId, id: grantId } = grant
  const userName = (await users.find(userId))?.username ?? null
  const about = { userId, userName, clientId: client.id, clientName: client.name, grantId, profileId: grant.profileId }
  await audit.report({ kind: 'auth', action: 'token.issue', outcome: 'ok', ...about }, tx)
}

export const invalidGrant = (description: string) => new OAuthProblem('invalid_grant', description)

export function createTokens({ sealer, clock }: Deps) {
  const chain = sealer.keyFor('refresh chain')
  const insert = async (
    tx: Writer,
    kind: Row['kind'],
    token: string,
    family: Family,
    lastsMs: number,
    endsAt: number | null,
  ): Promise<number> => {
    const now = clock()
    const expiresAt = Math.min(now + lastsMs, endsAt ?? Number.POSITIVE_INFINITY)
    await tx.insert(tokens).values({ ...family, hash: sha256(token), kind, issuedAt: now, expiresAt })
    return expiresAt - now
  }
  return {
    /** @param endsAt when the grant ends: no token outlives it */
    async access(tx: Writer, family: Family, endsAt: number | null): Promise<TokenAnswer> {
      const token = `tpa_${randomSecret()}`
      const lasts = await insert(tx, 'access', token, family, ACCESS_MS, endsAt)
      return { access_token: token, token_type: 'Bearer', expires_in: Math.floor(lasts / 1_000), scope: family.scope }
    },
    async refresh(tx: Writer, token: string, family: Family, endsAt: number | null): Promise<string> {
      await insert(tx, 'refresh', token, family, REFRESH_UNUSED_MS, endsAt)
      return token
    },
    firstRefresh: () => `tpr_${randomSecret()}`,
    /** The same child each time, so that a lost answer can be given again without being stored. */
    childOf: (parent: string) => `tpr_${hmac(chain, parent)}`,
  }
}

export async function revokeFamily(tx: Writer, family: string, now: number): Promise<void> {
  await tx
    .update(tokens)
    .set({ revokedAt: now })
    .where(and(eq(tokens.family, family), isNull(tokens.revokedAt)))
}

/** Tokens are issued for live grants alone. A paused one is live: its tokens do nothing until it goes on. */
export async function demandLiveGrant({ grants, users, clock }: Deps, id: GrantId): Promise<Grant> {
  const grant = await grants.find(id)
  const now = clock()
  if (!grant || ['revoked', 'expired'].includes(state(grant, now))) throw invalidGrant('the grant has ended')
  const user = await users.find(grant.userId)
  if (!user || user.disabledAt !== null) throw invalidGrant('the grant has ended')
  return grant
}

/** Who may stay without asking again: who asked to, and who registered for it, as clients did before there was a scope for it. */
export const mayStay = (client: Client, scope: string): boolean =>
  scope.split(' ').includes('offline_access') || [client.metadata['grant_types']].flat().includes('refresh_token')
