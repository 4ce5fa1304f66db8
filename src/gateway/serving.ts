/** What both eras have in common: the list of tools, and a call that is answered as JSON or as a stream. */
import type { Clock } from '@/lib/clock.ts'
import { isFailure } from '@/lib/failure.ts'
import type { Log } from '@/lib/log.ts'
import { decide } from '@/grants'
import type { JsonObject, RequestId } from '@/plugins'
import type { CallDeps, createCallTool } from './call.ts'
import type { Caller } from './caller.ts'
import { acceptsStream, answer, answerError, CODES, type Incoming, json, metaOf, Refusal, refuse } from './messages.ts'
import { exposedDefinition, resultOf, resultOfFailure } from './results.ts'
import { type Calls, openEventStream } from './streams.ts'

type Asked = Extract<Incoming, { kind: 'request' }>
/** How a call looks to the client's revision, and how it is found again when it is to be cancelled. */
export type Manner = { isModern: boolean; shape(result: JsonObject): JsonObject; key: string; headers?: Record<string, string> }

type Deps = { callTool: ReturnType<typeof createCallTool>; profiles: CallDeps['profiles']; calls: Calls; clock: Clock; log: Log }

export function createServing({ callTool, profiles, calls, clock, log }: Deps) {
  /** What the profile has and the grant does not refuse, from what is stored: a server that is down takes nobody's list away. */
  const listTools = async (caller: Caller, params: JsonObject): Promise<JsonObject> => {
    // There is one page only, so whatever cursor comes is none of ours.
    if (params['cursor'] !== undefined) refuse(200, CODES.invalidParams, 'Unknown cursor')
    const { tools } = await profiles.viewFor(caller.userId, caller.profile.id)
    return { tools: tools.filter((tool) => decide(caller.grant, tool.toolId, clock()) !== 'refuse').map(exposedDefinition) }
  }

  const run = async (caller: Caller, asked: Asked, manner: Manner, signal: AbortSignal, onProgress?: (params: JsonObject) => void) => {
    const { params, bytes } = asked
    const options = {
      signal,
      bytes,
      home: caller.home,
      ...(manner.headers && { headers: manner.headers }),
      ...(onProgress && { onProgress }),
    }
    const result = await callTool(caller, params, options).then(
      (response) => resultOf(response, manner.isModern),
      (error) => (isFailure(error) ? resultOfFailure(error, params['name']) : Promise.reject(error)),
    )
    return answer(asked.id, manner.shape(result))
  }

  const streamed = (caller: Caller, asked: Asked, manner: Manner, progressToken: RequestId, call: ReturnType<Calls['start']>): Response => {
    // Closing the stream is cancelling on 2026-07-28; on older revisions nobody is left to hear the answer either.
    const stream = openEventStream(call.abort)
    const onProgress = ({ progress, total, message }: JsonObject) =>
      stream.send({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress, total, message } })
    run(caller, asked, manner, call.signal, onProgress)
      .then(stream.send, (error) => {
        // What was cancelled is not answered (2025-11-25, "Cancellation").
        if (!isFailure(error, 'request_cancelled')) stream.send(answerError(asked.id, errorOf(error, log)))
      })
      .finally(() => {
        call.end()
        stream.close()
      })
    return stream.response
  }

  return {
    listTools,
    async call(request: Request, caller: Caller, asked: Asked, manner: Manner): Promise<Response> {
      if (typeof asked.params['name'] !== 'string') refuse(200, CODES.invalidParams, 'params.name is missing.')
      const { progressToken } = metaOf(asked.params)
      const call = calls.start(caller.grant.id, manner.key)
      request.signal.addEventListener('abort', call.abort, { once: true })
      if ((typeof progressToken === 'string' || typeof progressToken === 'number') && acceptsStream(request))
        return streamed(caller, asked, manner, progressToken, call)
      try {
        return json(await run(caller, asked, manner, call.signal))
      } finally {
        call.end()
      }
    },
  }
}
export type Serving = ReturnType<typeof createServing>

/** The one translation of a no, or of a fault of ours, into a JSON-RPC error. */
export function errorOf(error: unknown, log: Log) {
  if (error instanceof Refusal) return error.error
  if (isFailure(error)) return { code: CODES.internal, message: error.message }
  log.error('a request to the gateway failed', error)
  return { code: CODES.internal, message: 'Something broke on our side.' }
}
