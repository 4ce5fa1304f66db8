/** Why a bearer token was turned away, for the doctor. Asked after the refusal alone; what the client hears says nothing of it. */
import { eq } from 'drizzle-orm'
import { sha256 } from '@/lib/crypto.ts'
import type { ClientId, UserId } from '@/lib/ids.ts'
import { tokens } from '@/store'
import type { Deps } from './needs.ts'

type Explained = { reason: string; clientId?: ClientId; userId?: UserId }
type Token = typeof tokens.$inferSelect

const OURS = /^tp[a-z]_[\w-]{43}$/

export function createExplain(deps: Pick<Deps, 'store' | 'clock' | 'grants' | 'clients' | 'users'>) {
  return async (bearer: string): Promise<Explained> => {
    if (!OURS.test(bearer)) return { reason: 'foreign_token' }
    const [token] = await deps.store.read
      .select()
      .from(tokens)
      .where(eq(tokens.hash, sha256(bearer)))
    const grant = token && (await deps.grants.find(token.grantId))
    if (!token || !grant) return { reason: 'unknown_token' }
    const { clientId, userId } = grant
    return { reason: await reasonOf(deps, token, grant), clientId, userId }
  }
}

type Owned = { clientId: ClientId; userId: UserId; revokedAt: number | null; expiresAt: number | null }

async function reasonOf({ clients, users, clock }: Parameters<typeof createExplain>[0], token: Token, grant: Owned): Promise<string> {
  if (token.kind !== 'access') return 'refresh_token_as_bearer'
  const [client, user] = await Promise.all([clients.findById(grant.clientId), users.find(grant.userId)])
  if (user?.disabledAt != null) return 'user_disabled'
  if (client?.blockedAt != null) return 'client_blocked'
  if (grant.revokedAt !== null) return 'revoked'
  if (grant.expiresAt !== null && grant.expiresAt <= clock()) return 'grant_expired'
  return token.revokedAt === null ? 'expired' : 'token_revoked'
}
