/** What a grant lets its app do. Pure, so that page, list and call cannot differ. */
import type { ToolId } from '@/lib/ids.ts'

export type Permission = 'allow' | 'ask' | 'refuse'
type Times = { revokedAt: number | null; expiresAt: number | null; pausedAt: number | null }
export type GrantState = 'active' | 'paused' | 'expired' | 'revoked'

/** The strongest word first: a revoked grant is revoked, however paused it was. */
export function state(grant: Times, now: number): GrantState {
  if (grant.revokedAt !== null) return 'revoked'
  if (grant.expiresAt !== null && grant.expiresAt <= now) return 'expired'
  return grant.pausedAt === null ? 'active' : 'paused'
}

/** A tool that the user never decided about is out, unless they let later tools in. */
export function decide(
  grant: Times & { laterTools: 'out' | 'in'; tools: ReadonlyMap<ToolId, Permission> },
  toolId: ToolId,
  now: number,
): Permission {
  if (state(grant, now) !== 'active') return 'refuse'
  return grant.tools.get(toolId) ?? (grant.laterTools === 'in' ? 'allow' : 'refuse')
}
