/**
 * Tells the doctor who came to the MCP endpoint: each refusal with its reason, and of what was served no more than a sign
 * of life, so that a call costs a look into two maps and no entry.
 */
import type { Trace, TraceNote } from '@/audit'
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import type { ClientId, GrantId, UserId } from '@/lib/ids.ts'
import type { Grant } from '@/grants'
import { incomingOf } from '@/http/incoming.ts'

export type Refused = { reason: string; clientId?: ClientId; userId?: UserId; detail?: Readonly<Record<string, string>> }

const SIGN_OF_LIFE_EVERY_MS = MINUTE_MS
/** Of grants and of addresses; beyond it everything is news again. */
const REMEMBERED_MAX = 10_000

export function createDoorbell({ trace, clock }: { trace: Pick<Trace, 'note'>; clock: Clock }) {
  const quietUntil = new Map<GrantId, number>()
  /** Addresses that were turned away: what is served there next is the news that it works now. */
  const troubled = new Set<string>()
  const note = (request: Request, profileName: string | undefined, rest: Pick<TraceNote, 'outcome'> & Partial<TraceNote>) => {
    const { address, origin } = incomingOf(request)
    trace.note({ step: 'request', address, origin, ...(profileName !== undefined && { profileName }), ...rest })
  }
  return {
    /** On the path of every call: neither waits nor makes anything. */
    isNews: (id: GrantId, address: string): boolean => {
      const until = quietUntil.get(id)
      return until === undefined || clock() >= until || (troubled.size > 0 && troubled.has(address))
    },
    served(request: Request, profileName: string | undefined, { id, clientId, userId }: Grant): void {
      if (quietUntil.size >= REMEMBERED_MAX) quietUntil.clear()
      quietUntil.set(id, clock() + SIGN_OF_LIFE_EVERY_MS)
      troubled.delete(incomingOf(request).address)
      note(request, profileName, { outcome: 'ok', clientId, userId })
    },
    refused(request: Request, profileName: string | undefined, why: Refused): void {
      if (troubled.size >= REMEMBERED_MAX) troubled.clear()
      troubled.add(incomingOf(request).address)
      note(request, profileName, { outcome: 'refused', ...why })
    },
  }
}
