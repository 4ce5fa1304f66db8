/** What comes in at the endpoints for machines, and the note on how it went. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Trace, TraceStep } from '@/audit'
import { type Client, OAuthProblem } from '@/clients'
import { networkOf } from '@/lib/addresses.ts'
import { SECOND_MS } from '@/lib/clock.ts'
import type { UserId } from '@/lib/ids.ts'
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

/** Who is at work here, as far as it is known by now. */
export type Seen = (client: Client, userId?: UserId) => void

/** Leaves a note of how it went, with the client and the user once `work` has seen them. */
export async function noted<Answer>(
  trace: Pick<Trace, 'note'>,
  step: TraceStep,
  { address, house: { origin } }: Asking,
  work: (seen: Seen) => Promise<Answer>,
): Promise<Answer> {
  let client: Client | undefined
  let userId: UserId | undefined
  const whose = () => ({ ...(client && { clientId: client.id, clientName: client.name }), ...(userId !== undefined && { userId }) })
  const from = () => ({ step, address, origin, ...whose() })
  try {
    const answer = await work((speaking, forWhom) => {
      client = speaking
      userId = forWhom
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
