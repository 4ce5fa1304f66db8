/** What a grant lets its app do. Pure, so that page, list and call cannot differ. */
import type { ConnectionId, ToolId } from '@/lib/ids.ts'
import type { Pause } from './pauses.ts'

export type Permission = 'allow' | 'ask' | 'refuse'
/** `pauses`: what it is paused with, beside itself. */
type Times = { revokedAt: number | null; expiresAt: number | null; pausedAt: number | null; pauses: readonly Pause[] }
type Settled = { laterTools: 'out' | 'in'; tools: ReadonlyMap<ToolId, Permission> }
export type GrantState = 'active' | 'paused' | 'expired' | 'revoked'

/** The strongest word first: a revoked grant is revoked, however paused it was. */
export function state(grant: Times, now: number): GrantState {
  if (grant.revokedAt !== null) return 'revoked'
  if (grant.expiresAt !== null && grant.expiresAt <= now) return 'expired'
  return grant.pausedAt === null && grant.pauses.length === 0 ? 'active' : 'paused'
}

/** What its user decided, whatever is paused or over. A tool that they never decided about is out, unless they let later tools in. */
export const permissionOf = ({ tools, laterTools }: Settled, toolId: ToolId): Permission =>
  tools.get(toolId) ?? (laterTools === 'in' ? 'allow' : 'refuse')

/** @param grant `without` names the connections whose tools are refused to it for as long as they are paused */
export function decide(
  grant: Times & Settled & { without: ReadonlySet<ConnectionId> },
  { toolId, connectionId }: { toolId: ToolId; connectionId: ConnectionId },
  now: number,
): Permission {
  if (state(grant, now) !== 'active' || grant.without.has(connectionId)) return 'refuse'
  return permissionOf(grant, toolId)
}

/** What an app that is paused is told. It is for its user to read, so it says who can let it go on, and names nobody. */
export function pausedSentence({ pauses: [pause] }: Pick<Times, 'pauses'>): string {
  const byOthers = pause?.userId === ''
  if (pause?.kind === 'everything')
    return byOthers
      ? 'An administrator paused all apps in Toolpass, for now.'
      : 'You paused all your apps in Toolpass. Resume them there to go on.'
  if (pause?.kind === 'user') return 'An administrator paused your apps in Toolpass, for now.'
  if (pause?.kind === 'profile') return 'The profile of this app is paused in Toolpass. Its owner can resume it there.'
  if (pause?.kind === 'client' && byOthers) return 'An administrator paused this app in Toolpass, for now.'
  return 'You paused this app in Toolpass. Resume it there to go on.'
}
