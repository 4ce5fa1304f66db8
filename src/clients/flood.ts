import { isIPv6 } from 'node:net'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { blockOf } from '@/lib/addresses.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { OAuthProblem } from './problem.ts'

// Generous: a whole office behind one address must get through, and clients show a 429 as "couldn't register".
const REGISTRATIONS_MAX = 500
/** Documents that one address can make us fetch. */
const FETCHES_MAX = 60
/** Tries at one document that keeps failing. */
const FAILURES_MAX = 5

/** IPv6 by /64, which one subscriber has to spend. */
const keyOf = (address: string): string => (isIPv6(address) ? (blockOf(address) ?? address) : address)

type Turnstile = (key: string) => Promise<void>

function createTurnstile(keyPrefix: string, points: number, windowMs: number, said: string): Turnstile {
  const limiter = new RateLimiterMemory({ keyPrefix, points, duration: windowMs / SECOND_MS })
  return async (key) => {
    try {
      await limiter.consume(key)
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      throw new OAuthProblem('temporarily_unavailable', said, 429, Math.ceil(refused.msBeforeNext / SECOND_MS))
    }
  }
}

/** @returns a turnstile by address, IPv6 by /64. @throws OAuthProblem with status 429 */
export function createRegistrationTurnstile(): Turnstile {
  const pass = createTurnstile('registration', REGISTRATIONS_MAX, HOUR_MS, 'too many registrations from this address, try again later')
  return (address) => pass(keyOf(address))
}

/** Who may make us fetch a document, and how often one that fails is tried. */
export function createFetchTurnstiles() {
  const byAddress = createTurnstile('documents', FETCHES_MAX, MINUTE_MS, 'too many new clients from this address, try again later')
  const failing = new RateLimiterMemory({ keyPrefix: 'failing documents', points: FAILURES_MAX, duration: (10 * MINUTE_MS) / SECOND_MS })
  return {
    byAddress: (address: string) => byAddress(keyOf(address)),
    /** Whether this document or its host has failed too often of late. */
    async rests(key: string): Promise<boolean> {
      const known = await failing.get(key)
      return known !== null && known.consumedPoints >= FAILURES_MAX
    },
    failed: async (key: string): Promise<void> => void (await failing.penalty(key)),
    worked: async (key: string): Promise<void> => void (await failing.delete(key)),
  }
}
