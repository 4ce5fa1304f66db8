/** Why a bearer token was turned away, for the doctor. Asked after the refusal alone; what the client hears says nothing of it. */
import type { Clock } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import type { ClientId, UserId } from '@/lib/ids.ts'
import type { Store } from '@/store'

export type Explained = { reason: string; clientId?: ClientId; userId?: UserId }

type Row = {
  kind: string
  clientId: ClientId
  userId: UserId
  tokenExpiresAt: number
  tokenRevokedAt: number | null
  grantExpiresAt: number | null
  grantRevokedAt: number | null
  blockedAt: number | null
  disabledAt: number | null
}

const STATEMENT = `
  SELECT t.kind AS kind, t.expires_at AS tokenExpiresAt, t.revoked_at AS tokenRevokedAt, g.client_id AS clientId, g.user_id AS userId,
    g.expires_at AS grantExpiresAt, g.revoked_at AS grantRevokedAt, c.blocked_at AS blockedAt, u.disabled_at AS disabledAt
  FROM tokens t
  JOIN grants g ON g.id = t.grant_id
  JOIN clients c ON c.id = g.client_id
  JOIN users u ON u.id = g.user_id
  WHERE t.hash = ?1`

const OURS = /^tp[a-z]_[\w-]{43}$/

export function createExplain({ store, clock }: { store: Store; clock: Clock }) {
  const statement = store.prepare<Row, [string]>(STATEMENT)
  return (bearer: string): Explained => {
    if (!OURS.test(bearer)) return { reason: 'foreign_token' }
    const row = statement.get(sha256(bearer))
    if (!row) return { reason: 'unknown_token' }
    return { reason: reasonOf(row, clock()), clientId: row.clientId, userId: row.userId }
  }
}

function reasonOf(row: Row, now: number): string {
  if (row.kind !== 'access') return 'refresh_token_as_bearer'
  if (row.disabledAt !== null) return 'user_disabled'
  if (row.blockedAt !== null) return 'client_blocked'
  if (row.grantRevokedAt !== null) return 'revoked'
  if (row.grantExpiresAt !== null && row.grantExpiresAt <= now) return 'grant_expired'
  return row.tokenRevokedAt === null ? 'expired' : 'token_revoked'
}
