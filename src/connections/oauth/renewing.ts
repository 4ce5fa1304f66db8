/** When tokens are renewed, whoever keeps them: ahead of their end, one refresh at a time, with a rest after a failure. */
import { type Clock, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'

export type Renewable = { expiresAt?: number; issuedAt: number }
export type Refreshed<Tokens> = { tokens: Tokens } | { isFinal: boolean; problem: string }
type Refresh<Tokens> = (from: Tokens) => Promise<Refreshed<Tokens>>
type Deps<Key, Tokens> = {
  clock: Clock
  textOf(key: Key): string
  /** Whether others can be had without the user. */
  isRenewable(tokens: Tokens): boolean
  find(key: Key): Promise<Tokens | undefined>
  /** Keeps what came in the place of `from`. False when that is not there any more: somebody signed out, or in anew, meanwhile. */
  put(key: Key, tokens: Tokens, from: Tokens): Promise<boolean>
  note(key: Key, status: 'failing' | 'dead', problem: string): Promise<void>
}

/** Ahead of the end by this much, or by a fifth of the life of short-lived ones. */
const AHEAD_MS = 5 * MINUTE_MS
const AHEAD_SHARE = 0.2
const BACK_OFF_FIRST_MS = 10 * SECOND_MS
const BACK_OFF_MAX_MS = 10 * MINUTE_MS
/** What a token endpoint says when asking again is in vain (RFC 6749 §5.2). */
const FINAL = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client'])

export const refreshDueAt = ({ expiresAt, issuedAt }: Renewable): number =>
  expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - Math.min(AHEAD_MS, (expiresAt - issuedAt) * AHEAD_SHARE)

/** @param code the OAuth error code, where the token endpoint gave one */
export function notRenewed(code: string): { isFinal: boolean; problem: string } {
  const isFinal = FINAL.has(code)
  const problem = isFinal
    ? 'The server no longer accepts this sign-in. Sign in again.'
    : 'The sign-in could not be renewed; Toolpass keeps trying.'
  return { isFinal, problem }
}

export function createRenewing<Key, Tokens extends Renewable>({ clock, textOf, isRenewable, find, put, note }: Deps<Key, Tokens>) {
  const refreshing = new Map<string, Promise<Tokens | undefined>>()
  const rests = new Map<string, { until: number; count: number }>()
  const isResting = (key: Key) => clock() < (rests.get(textOf(key))?.until ?? 0)

  const renew = async (key: Key, from: Tokens, refresh: Refresh<Tokens>): Promise<Tokens | undefined> => {
    const result = await refresh(from)
    if ('tokens' in result) {
      if (!(await put(key, result.tokens, from))) return find(key)
      rests.delete(textOf(key))
      return result.tokens
    }
    const count = (rests.get(textOf(key))?.count ?? 0) + 1
    rests.set(textOf(key), { count, until: clock() + Math.min(BACK_OFF_FIRST_MS * 2 ** (count - 1), BACK_OFF_MAX_MS) })
    await note(key, result.isFinal ? 'dead' : 'failing', result.problem)
    return undefined
  }
  /** One refresh at a time for each credential; whoever comes meanwhile gets its result. */
  const once = (key: Key, from: Tokens, refresh: Refresh<Tokens>): Promise<Tokens | undefined> => {
    const text = textOf(key)
    const work = refreshing.get(text) ?? renew(key, from, refresh).finally(() => refreshing.delete(text))
    refreshing.set(text, work)
    return work
  }

  return {
    /** Somebody signed in: what failed before is over. */
    rested: (key: Key): void => void rests.delete(textOf(key)),
    /** Tokens that are good now: renewed when their end is near. Undefined when the user has to sign in. */
    async current(key: Key, refresh: Refresh<Tokens>): Promise<Tokens | undefined> {
      const tokens = await find(key)
      if (!tokens || clock() < refreshDueAt(tokens)) return tokens
      const left = tokens.expiresAt !== undefined && tokens.expiresAt <= clock() ? undefined : tokens
      if (!isRenewable(tokens) || isResting(key)) return left
      return (await once(key, tokens, refresh)) ?? left
    },
    /** The upstream refused what was sent then: others, if they can be had without the user. */
    async replace(key: Key, sentAt: number, refresh: Refresh<Tokens>): Promise<Tokens | undefined> {
      const tokens = await find(key)
      // Somebody else's refresh may have come in between.
      if (!tokens || tokens.issuedAt > sentAt) return tokens
      return !isRenewable(tokens) || isResting(key) ? undefined : once(key, tokens, refresh)
    },
  }
}
