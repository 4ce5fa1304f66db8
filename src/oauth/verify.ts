/**
 * What a bearer token is good for, on the path of every call. One prepared statement reads the tables of four rooms: asked
 * one after another they would cost four reads where pause, revocation, block and disabling must each hold at once.
 */
import type { Clock } from '@/lib/clock.ts'
import { sha256 } from '@/lib/crypto.ts'
import type { ClientId, GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import type { Store } from '@/store'

export type Verified = {
  kind: 'ok'
  /** The user paused the app: to be told so, not to be turned away as unknown. */
  paused: boolean
  userId: UserId
  clientId: ClientId
  grantId: GrantId
  profileId: ProfileId
  /** Where the token is good: `profile` at its resource alone, `any` at `/mcp` and at its profile. */
  reach: 'profile' | 'any'
  resource: string
  scope: string
  /** When the token or its grant runs out, whichever is first. */
  until: number
}
type Row = Omit<Verified, 'kind' | 'paused'> & { pausedAt: number | null }

// `+?1`: compared with a bare parameter the statement is planned anew each time, which costs ten times as much as running it.
const STATEMENT = `
  SELECT t.resource AS resource, t.scope AS scope, g.id AS grantId, g.user_id AS userId, g.client_id AS clientId,
    g.profile_id AS profileId, g.reach AS reach, g.paused_at AS pausedAt,
    min(t.expires_at, coalesce(g.expires_at, t.expires_at)) AS until
  FROM tokens t
  JOIN grants g ON g.id = t.grant_id
  JOIN clients c ON c.id = g.client_id
  JOIN users u ON u.id = g.user_id
  WHERE t.hash = +?1 AND t.kind = 'access' AND t.revoked_at IS NULL AND t.expires_at > ?2
    AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?2)
    AND c.blocked_at IS NULL AND u.disabled_at IS NULL`

const ACCESS_TOKEN = /^tpa_[\w-]{43}$/

export function createVerify({ store, clock }: { store: Store; clock: Clock }) {
  const statement = store.prepare<Row, [string, number]>(STATEMENT)
  return async (bearer: string): Promise<Verified | undefined> => {
    if (!ACCESS_TOKEN.test(bearer)) return undefined
    const row = statement.get(sha256(bearer), clock())
    if (!row) return undefined
    const { pausedAt, ...known } = row
    return { kind: 'ok', paused: pausedAt !== null, ...known }
  }
}
