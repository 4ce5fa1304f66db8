/** What a diagnosis is made from, and what comes of it. */
import type { TraceEntry } from '@/audit'
import type { AttemptState, Stage } from './doctor-attempts.ts'

export type Advice = { problem: string; fix: string; link?: { href: string; label: string } }
export type Facts = {
  state: AttemptState
  /** What it is called in a sentence: its name, or "the app". */
  name: string
  /** The address that was given away, without a path: as the reader's browser sees us. */
  origin: string
  /** From where we can be reached there, as far as the address tells. */
  reach: 'this-computer' | 'this-network' | 'internet'
  /** From where this client connects, where that is known. */
  reaches: 'internet' | 'network' | 'computer' | undefined
  /** The reader's own request carried marks of a proxy that we were not told to trust. */
  hasUnknownProxy: boolean
  /** How the last check of our own address ended. */
  selfCheck: 'ok' | 'failed' | undefined
}
export type Case = { entries: readonly TraceEntry[]; stages: readonly Stage[]; current: Stage | undefined; facts: Facts }
