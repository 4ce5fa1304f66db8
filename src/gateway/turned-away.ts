/**
 * What a paused app goes on asking for is turned away unread, and stands in the trail all the same: one row a minute for each app, with
 * how many came meanwhile. Hammering costs no write each and fills nothing.
 */
import type { Audit } from '@/audit'
import type { Grant } from '@/grants'
import { incomingOf } from '@/http/incoming.ts'
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import type { GrantId } from '@/lib/ids.ts'
import type { Profile } from '@/profiles'

export type TurnedAwayDeps = {
  audit: Pick<Audit, 'write'>
  users: { find(id: Grant['userId']): Promise<{ username: string } | undefined> }
  clients: { findById(id: Grant['clientId']): Promise<{ name: string } | undefined> }
  clock: Clock
}

const ROW_EVERY_MS = MINUTE_MS
/** Beyond it everybody is news again. */
const REMEMBERED_MAX = 10_000
const METHOD = /^[a-z]+(\/[a-z]+){0,3}$/i
const SUBJECT_CHARS_MAX = 200

export function createTurnedAway({ audit, users, clients, clock }: TurnedAwayDeps) {
  const noted = new Map<GrantId, { at: number; since: number }>()
  /** Never rejects: the app is refused either way. */
  return async (request: Request, grant: Grant, profile: Profile): Promise<void> => {
    const known = noted.get(grant.id)
    const now = clock()
    if (known && now - known.at < ROW_EVERY_MS) {
      known.since += 1
      return
    }
    if (noted.size >= REMEMBERED_MAX) noted.clear()
    noted.set(grant.id, { at: now, since: 0 })
    const [user, client] = await Promise.all([users.find(grant.userId), clients.findById(grant.clientId)])
    // Its body is not read; apps of 2026-07-28 say in headers as well what they want.
    const method = request.headers.get('mcp-method') ?? ''
    const { id, userId, clientId } = grant
    const who = { userId, userName: user?.username ?? null, clientId, clientName: client?.name ?? null, grantId: id }
    await audit
      .write(
        {
          ...{ kind: 'call', action: METHOD.test(method) ? method : 'request', outcome: 'refused', reason: 'grant_paused' },
          ...{ ...who, profileId: profile.id, profileName: profile.title, address: incomingOf(request).address },
          subject: request.headers.get('mcp-name')?.slice(0, SUBJECT_CHARS_MAX) ?? null,
          ...(known && known.since > 0 && { detail: { 'turned away since the last row': known.since } }),
        },
        false,
      )
      ?.catch(() => undefined)
  }
}
