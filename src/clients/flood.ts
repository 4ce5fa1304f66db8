import { isIP } from 'node:net'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { HOUR_MS, SECOND_MS } from '@/lib/clock.ts'
import { OAuthProblem } from './problem.ts'

// Generous: a whole office behind one address must get through, and clients show a 429 as "couldn't register".
const REGISTRATIONS_MAX = 100

/** @returns a turnstile by address, IPv6 by /64. @throws OAuthProblem with status 429 */
export function createTurnstile(): (address: string) => Promise<void> {
  const limiter = new RateLimiterMemory({ keyPrefix: 'registration', points: REGISTRATIONS_MAX, duration: HOUR_MS / SECOND_MS })
  return async (address) => {
    try {
      await limiter.consume(isIP(address) === 6 ? prefix64(address) : address)
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      const wait = Math.ceil(refused.msBeforeNext / SECOND_MS)
      throw new OAuthProblem('temporarily_unavailable', 'too many registrations from this address, try again later', 429, wait)
    }
  }
}

/** The first four groups, written one way however the address was. */
function prefix64(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
