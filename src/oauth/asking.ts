/** What comes in at the endpoints for machines, and the note on how it went. */
import { isIPv6 } from 'node:net'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Trace, TraceStep } from '@/audit'
import { type Client, OAuthProblem } from '@/clients'
import { blockOf } from '@/lib/addresses.ts'
import { SECOND_MS } from '@/lib/clock.ts'
import { type Parameters, parametersOf } from './parameters.ts'
import type { House } from './places.ts'

export type Asking = {
  form: URLSearchParams
  authorization: string | null
  house: House
  /** The endpoint's own path, which an assertion may name as its audience. */
  path: string
  /** From where. */
  address: string
}

/** @throws OAuthProblem when a parameter came twice: a second resource has an error of its own (RFC 8707 §2) */
export function once(form: URLSearchParams): Parameters {
  const asked = parametersOf(form)
  if (asked.doubled.has('resource')) throw new OAuthProblem('invalid_target', 'ask for one resource')
  if (asked.doubled.size > 0) throw new OAuthProblem('invalid_request', 'a parameter came twice')
  return asked
}

/** What a device is told while nobody has decided: no fault of anybody's. */
const WAITING = new Set(['authorization_pending', 'slow_down'])

/** Leaves a note of how it went, with the client once `work` has seen it. */
export async function noted<Answer>(
  trace: Pick<Trace, 'note'>,
  step: TraceStep,
  { address, house: { origin } }: Asking,
  work: (seen: (client: Client) => void) => Promise<Answer>,
): Promise<Answer> {
  let client: Client | undefined
  const from = () => ({ step, address, origin, ...(client && { clientId: client.id, clientName: client.name }) })
  try {
    const answer = await work((speaking) => {
      client = speaking
    })
    trace.note({ ...from(), outcome: step === 'device' ? 'waiting' : 'ok' })
    return answer
  } catch (problem) {
    if (problem instanceof OAuthProblem) {
      const { error, description } = problem
      trace.note({ ...from(), outcome: WAITING.has(error) ? 'waiting' : 'refused', reason: error, detail: { says: description } })
    }
    throw problem
  }
}

/** IPv6 by /64, which one subscriber has to spend. */
export const networkOf = (address: string): string => (isIPv6(address) ? (blockOf(address) ?? address) : address)

/** Whoever registered may leave rows here before any person was asked; this many from one address. @throws OAuthProblem with status 429 */
export function createTurnstile(keyPrefix: string, points: number, windowMs: number) {
  const limiter = new RateLimiterMemory({ keyPrefix, points, duration: windowMs / SECOND_MS })
  return async (address: string): Promise<void> => {
    try {
      await limiter.consume(networkOf(address))
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused
      const seconds = Math.ceil(refused.msBeforeNext / SECOND_MS)
      throw new OAuthProblem('temporarily_unavailable', 'too many requests from this address, try again later', 429, seconds)
    }
  }
}
