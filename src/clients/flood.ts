import { RateLimiterMemory, RateLimiterRes } from '@/lib/rate-limiter.ts'
import { networkOf } from '@/lib/addresses.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { OAuthProblem } from './problem.ts'

// Generous: a whole office behind one address must get through, and clients show a 429 as "couldn't register".
const REGISTRATIONS_MAX = 500
/** Documents that one address can make us fetch in a minute. */
const FETCHES_MAX = 60

const FAILURES_WITHIN_MS = 10 * MINUTE_MS
/**
 * Failures after which we let something rest. A host rests late: whoever names addresses there that do not exist must not
 * keep the real ones from being fetched. Who asked rests before it does.
 */
const FAILURES_MAX = { document: 5, asking: 20, host: 100 }

const SAID = 'too many requests from this address, try again later'

type Turnstile = (address: string) => Promise<void>

/** By address, or its network: this many within this time. It throws an OAuthProblem with status 429. */
export function createTurnstile(keyPrefix: string, points: number, windowMs: number, said = SAID): Turnstile {
  const limiter = new RateLimiterMemory({ keyPrefix, points, duration: windowMs / SECOND_MS })
  return async (address) => {
    try {
      await limiter.consume(networkOf(address))
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      throw new OAuthProblem('temporarily_unavailable', said, 429, Math.ceil(refused.msBeforeNext / SECOND_MS))
    }
  }
}

/** By address. @throws OAuthProblem with status 429 */
export const createRegistrationTurnstile = (): Turnstile =>
  createTurnstile('registrations', REGISTRATIONS_MAX, HOUR_MS, 'too many registrations from this address, try again later')

/** By address. @throws OAuthProblem with status 429 */
export const createFetchTurnstile = (): Turnstile =>
  createTurnstile('documents', FETCHES_MAX, MINUTE_MS, 'too many new apps from this address, try again in a minute')

export type Fetching = { address: string; from: string; hasCopy: boolean }

/** What has failed is not asked for again and again. */
export function createRest() {
  const failures = new RateLimiterMemory({ keyPrefix: 'failures', points: 1, duration: FAILURES_WITHIN_MS / SECOND_MS })
  const keysOf = ({ address, from }: Fetching) => ({
    document: `document ${address}`,
    asking: `from ${networkOf(from)}`,
    host: `host ${URL.parse(address)?.host}`,
  })
  return {
    async isResting(fetching: Fetching): Promise<boolean> {
      const keys = keysOf(fetching)
      const count = async (key: string) => (await failures.get(key))?.consumedPoints ?? 0
      // With a copy in hand there is no hurry, and each try may cost somebody five seconds.
      if ((await count(keys.document)) >= (fetching.hasCopy ? 1 : FAILURES_MAX.document)) return true
      return (await count(keys.host)) >= FAILURES_MAX.host || (await count(keys.asking)) >= FAILURES_MAX.asking
    },
    async failed(fetching: Fetching): Promise<void> {
      await Promise.all(Object.values(keysOf(fetching)).map((key) => failures.penalty(key)))
    },
    worked: async (fetching: Fetching): Promise<void> => void (await failures.delete(keysOf(fetching).document)),
  }
}
export type Rest = ReturnType<typeof createRest>
