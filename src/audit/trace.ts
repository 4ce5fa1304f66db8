/**
 * The way of a connecting client, step by step, for whoever has to find out why it fails. Kept in memory alone and for a
 * while: it is a torch, not a record. No secret may come in: callers pass reasons and names, never parameters, and what
 * looks like a secret all the same is blotted out here.
 */
import { networkOf } from '@/lib/addresses.ts'
import { type Clock, DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
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
/** `times` of the same came one after another, the first at `firstAt`, the last at `at`. */
export type TraceEntry = TraceNote & { seq: number; at: number; firstAt: number; times: number }
export type Trace = {
  note(note: TraceNote): void
  /** The newest last, after the given number. */
  since(seq: number): readonly TraceEntry[]
  lastSeq(): number
}

const KEPT_MAX = 2_000
const KEPT_MS = DAY_MS
/** One network that knocks without end, from however many addresses of its own, must not push the others out. */
const KEPT_PER_NETWORK_MAX = 200
/** An app that tries the same again and again within this time is one entry with a count. */
const SAME_WITHIN_MS = 10 * MINUTE_MS
const TEXT_LENGTH_MAX = 300

export function createTrace({ clock }: { clock: Clock }): Trace {
  const entries: TraceEntry[] = []
  /** How many there are of each network, and the networks beside them: counting again at each note would cost all of them. */
  const counts = new Map<string, number>()
  const networks = new WeakMap<TraceEntry, string>()
  let seq = 0
  const take = (at: number): TraceEntry | undefined => {
    const [taken] = at < 0 ? [] : entries.splice(at, 1)
    if (taken) count(networks.get(taken) as string, -1)
    return taken
  }
  const count = (network: string, by: 1 | -1): number => {
    const now = (counts.get(network) ?? 0) + by
    if (now === 0) counts.delete(network)
    else counts.set(network, now)
    return now
  }
  return {
    note(note) {
      const now = clock()
      const clean = cleaned(note)
      const lastAt = entries.findLastIndex(({ address, clientId }) => address === clean.address && clientId === clean.clientId)
      const last = entries[lastAt]
      const again = last && now - last.at < SAME_WITHIN_MS && isSame(last, clean) ? take(lastAt) : undefined
      const entry = { ...clean, seq: ++seq, at: now, firstAt: again?.firstAt ?? now, times: (again?.times ?? 0) + 1 }
      const network = networkOf(clean.address)
      networks.set(entry, network)
      entries.push(entry)
      if (count(network, 1) > KEPT_PER_NETWORK_MAX) take(entries.findIndex((each) => networks.get(each) === network))
      if (entries.length > KEPT_MAX) take(0)
    },
    since(after) {
      const oldest = clock() - KEPT_MS
      return entries.filter((entry) => entry.seq > after && entry.at >= oldest)
    },
    lastSeq: () => seq,
  }
}

const isSame = (one: TraceNote, other: TraceNote): boolean =>
  one.step === other.step &&
  one.outcome === other.outcome &&
  one.reason === other.reason &&
  one.profileName === other.profileName &&
  one.userId === other.userId &&
  one.origin === other.origin &&
  JSON.stringify(one.detail) === JSON.stringify(other.detail)

// Our tokens, codes and secrets are 43 characters of base64url behind a prefix; no word of ours is as long.
const SECRET = /[\w-]{43,}/g
/** Where parameters would stand. */
const BEHIND_ADDRESS = /[?#]\S+/g

/** One line, no parameters, nothing as long as a secret. */
const clean = (text: string): string =>
  text
    .replace(/\p{Cc}+/gu, ' ')
    .replace(BEHIND_ADDRESS, '')
    .replace(SECRET, '…')
    .slice(0, TEXT_LENGTH_MAX)

function cleaned(note: TraceNote): TraceNote {
  const { reason, clientName, profileName, detail } = note
  return {
    ...note,
    ...(reason !== undefined && { reason: clean(reason) }),
    ...(clientName !== undefined && { clientName: clean(clientName) }),
    ...(profileName !== undefined && { profileName: clean(profileName) }),
    ...(detail && { detail: Object.fromEntries(Object.entries(detail).map(([name, text]) => [name, clean(text)])) }),
  }
}
