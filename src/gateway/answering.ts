/** One request from its talk to its answer: as JSON or as a stream, cancelled by its client or by the end of its grant. */
import { incomingOf } from '@/http/incoming.ts'
import { isFailure } from '@/lib/failure.ts'
import type { Log } from '@/lib/log.ts'
import type { JsonObject } from '@/plugins'
import type { Call, Calls } from './calls.ts'
import type { Caller } from './caller.ts'
import type { EventStream } from './events.ts'
import {
  accepted,
  acceptsStream,
  answer,
  answerError,
  type Asked,
  CODES,
  type Incoming,
  json,
  metaOf,
  prefersStream,
  Refusal,
} from './messages.ts'
import { Reply } from './reply.ts'
import type { Served } from './serving.ts'
import type { Question, Talk } from './talk.ts'

/** The client as its revision shows it. */
export type Client = Omit<Talk, 'signal' | 'reaches' | 'tell' | 'ask' | 'progressToken'> & {
  ask(question: Question, signal: AbortSignal, reply: Reply): Promise<JsonObject>
  /** Missing where the answer has to be JSON. */
  openStream?(signal: AbortSignal, onGone: () => void): EventStream
  /** Finds the call again when the client cancels it by name. */
  key?: string
}
type Asking = { request: Request; caller: Caller; asked: Asked; client: Client }

export function createAnswering({ calls, log }: { calls: Calls; log: Log }) {
  const talkOf = ({ client, asked }: Asking, call: Call, reply: Reply): Talk => {
    const { progressToken } = metaOf(asked.params)
    const hasToken = typeof progressToken === 'string' || typeof progressToken === 'number'
    const { isModern, capabilities, meta, headers, logLevel, group, lacksLinks } = client
    return {
      isModern,
      capabilities,
      meta,
      group,
      ...(headers && { headers }),
      ...(lacksLinks && { lacksLinks }),
      ...(logLevel !== undefined && { logLevel }),
      ...(hasToken && { progressToken }),
      signal: call.signal,
      reaches: (id) => {
        call.to = id
      },
      tell: ({ method, params }) => void reply.tell({ jsonrpc: '2.0', method, params }),
      ask: (question, signal) => client.ask(question, signal, reply),
    }
  }
  const finish = ({ result, pieces }: Served, asked: Asked, reply: Reply): void => reply.finish(pieces ?? answer(asked.id, result))
  const fail = (error: unknown, asked: Asked, reply: Reply): void => {
    // What was cancelled is not answered (2025-11-25, "Cancellation").
    if (isFailure(error, 'request_cancelled')) return reply.drop()
    const { status, headers } = statusOf(error)
    reply.fail(answerError(asked.id, errorOf(error, log)), status, headers)
  }

  return {
    finish,
    fail,
    /** What became of a message that was not served, as an answer of its own. */
    refused: (error: unknown, message: Incoming): Response =>
      message.kind === 'request' ? json(answerError(message.id, errorOf(error, log))) : accepted(),
    answer(asking: Asking, work: (talk: Talk) => Promise<Served>): Promise<Response> {
      const { request, caller, asked, client } = asking
      const call = calls.start(caller.grant.id, client.key)
      const { openStream } = client
      const reply = new Reply(
        () => (acceptsStream(request) ? openStream?.(request.signal, () => call.abort()) : undefined),
        !client.isModern && prefersStream(request),
      )
      // The end of the connection is the end of the request, but where a client of an older revision can come back to its stream.
      const onGone = () => (client.isModern || !reply.isStream() ? call.abort() : undefined)
      // Most calls are over before anybody could give up, and to listen for it costs as much as all the rest.
      call.onLate = () => {
        reply.late()
        incomingOf(request).hold()
        if (request.signal.aborted) onGone()
        else request.signal.addEventListener('abort', onGone, { once: true })
      }
      work(talkOf(asking, call, reply))
        .then(
          (served) => (isCancelled(call) && !client.isModern ? reply.drop() : finish(served, asked, reply)),
          (error) => fail(error, asked, reply),
        )
        .finally(() => call.end())
      return reply.response
    },
  }
}
export type Answering = ReturnType<typeof createAnswering>

/** By its client, or with its grant. What ended for another reason is told why. */
const isCancelled = ({ signal }: Call): boolean => signal.aborted && isFailure(signal.reason, 'request_cancelled')

export function statusOf(error: unknown): { status: number; headers: Record<string, string> } {
  if (error instanceof Refusal) return { status: error.status, headers: {} }
  if (!isFailure(error)) return { status: 500, headers: {} }
  const { retryAfterSeconds } = error
  return { status: error.status, headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) } }
}

/** The one translation of a no, or of a fault of ours, into a JSON-RPC error. */
export function errorOf(error: unknown, log: Log) {
  if (error instanceof Refusal) return error.error
  if (isFailure(error)) {
    const { message, retryAfterSeconds } = error
    return { code: CODES.internal, message, ...(retryAfterSeconds !== undefined && { data: { retryAfterSeconds } }) }
  }
  log.error('a request to the gateway failed', error)
  return { code: CODES.internal, message: 'Something broke on our side.' }
}
