/**
 * The way of a connecting client, step by step, for whoever has to find out why it fails. Kept in memory alone and for a
 * while: it is a torch, not a record. No secret may come in: callers pass reasons and names, never parameters.
 */
import type { Clock } from '@/lib/clock.ts'
import type { ClientId, UserId } from '@/lib/ids.ts'

export type TraceStep =
  | 'resource-metadata'
  | 'server-metadata'
  | 'document'
  | 'register'
  | 'push'
  | 'device'
  | 'authorize'
  | 'sign-in'
  | 'consent'
  | 'token'
  | 'refresh'
  | 'request'

export type TraceNote = {
  step: TraceStep
  outcome: 'ok' | 'refused' | 'waiting'
  /** An OAuth error code, a failure's code or a short sentence of ours. Never what the client sent. */
  reason?: string
  /** From where: the peer, or what a trusted proxy tells. */
  address: string
  /** Our origin as this client sees us. */
  origin?: string
  clientId?: ClientId
  clientName?: string
  userId?: UserId
  /** Whose address it asked for; undefined for `/mcp`. */
  profileName?: string
  /** More to show, in our own words or the client's host names. */
  detail?: Readonly<Record<string, string>>
}
export type TraceEntry = TraceNote & { seq: number; at: number }
export type Trace = {
  note(note: TraceNote): void
  /** The newest last, after the given number. */
  since(seq: number): readonly TraceEntry[]
  lastSeq(): number
}

const KEPT_MAX = 2_000

export function createTrace({ clock }: { clock: Clock }): Trace {
  const entries: TraceEntry[] = []
  let seq = 0
  return {
    note(note) {
      entries.push({ ...note, seq: ++seq, at: clock() })
      if (entries.length > KEPT_MAX) entries.splice(0, entries.length - KEPT_MAX)
    },
    since: (after) => entries.filter((entry) => entry.seq > after),
    lastSeq: () => seq,
  }
}
