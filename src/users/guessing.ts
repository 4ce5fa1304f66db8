/**
 * Slows guessing without locking anybody out. Failures are counted by address (IPv6 by /64) and by account; a browser in
 * which the account signed in before has a count of its own, so strangers who hammer an account cannot keep its owner out.
 */
import { RateLimiterMemory } from '@/lib/rate-limiter.ts'
import { isIP } from 'node:net'
import { Failure } from '@/lib/failure.ts'

const WINDOW_SECONDS = 15 * 60
const FAILURES_BY_ADDRESS_MAX = 30
const FAILURES_BY_ACCOUNT_MAX = 10
const FAILURES_BY_KNOWN_DEVICE_MAX = 10

export type Guess = { address: string; account: string; knownDevice: string | undefined }

export type Guessing = {
  /** @throws Failure `slow_down`, with the seconds to wait, before the secret is even looked at */
  demand(guess: Guess): Promise<void>
  failed(guess: Guess): Promise<void>
  succeeded(guess: Guess): Promise<void>
}

export function createGuessing(): Guessing {
  const limiter = (keyPrefix: string, points: number) => new RateLimiterMemory({ keyPrefix, points, duration: WINDOW_SECONDS })
  const byAddress = limiter('address', FAILURES_BY_ADDRESS_MAX)
  const byAccount = limiter('account', FAILURES_BY_ACCOUNT_MAX)
  const byDevice = limiter('device', FAILURES_BY_KNOWN_DEVICE_MAX)
  const countersOf = ({ address, account, knownDevice }: Guess) =>
    knownDevice
      ? ([[byDevice, knownDevice]] as const)
      : ([
          [byAddress, network(address)],
          [byAccount, account],
        ] as const)
  return {
    async demand(guess) {
      for (const [counter, key] of countersOf(guess)) {
        const state = await counter.get(key)
        if (state && state.consumedPoints >= counter.points)
          throw new Failure('slow_down', { retryAfterSeconds: Math.ceil(state.msBeforeNext / 1_000) })
      }
    },
    async failed(guess) {
      for (const [counter, key] of countersOf(guess)) await counter.penalty(key)
    },
    async succeeded(guess) {
      for (const [counter, key] of countersOf(guess)) if (counter !== byAddress) await counter.delete(key)
    },
  }
}

/** What one attacker commands: an IPv4 address, or the /64 that every IPv6 host owns. */
export function network(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail = ''] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const full = address.includes('::') ? [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right] : left
  return `${full
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
