/** What comes in at the endpoints for machines, and the note on how it went. */
import type { Trace, TraceStep } from '@/audit'
import { type Client, OAuthProblem } from '@/clients'
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
