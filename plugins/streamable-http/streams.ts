import { ChannelError, type ConnectorContext, type Exchange, type JsonObject, type JsonRpcResponse, type RequestId } from '@/plugins/api.ts'
import {
  asChannelError,
  isEventStream,
  isJson,
  isResponseTo,
  MESSAGE_BYTES_MAX,
  messagesIn,
  readEvents,
  readText,
  toUpstreamMessage,
} from '../answers.ts'
import { pause } from '../signals.ts'

type Asked = { id: RequestId }

const RESUMES_MAX = 5
const RESUME_WAIT_MS = 1_000
const LISTEN_WAIT_MS_MAX = 30_000

/** One JSON body: the response, or (2025-03-26) an array with it. */
export async function readWhole(response: Response, { id }: Asked, exchange: Exchange): Promise<JsonRpcResponse> {
  if (!isJson(response)) {
    void response.body?.cancel().catch(() => {})
    throw new ChannelError('refused', 'The server answered with something that is no MCP message.', { status: response.status })
  }
  let answer: JsonObject | undefined
  for (const message of messagesIn(await readText(response, MESSAGE_BYTES_MAX))) {
    const upstream = toUpstreamMessage(message)
    if (upstream !== undefined) exchange.receive(upstream)
    else if (isResponseTo(id, message)) answer = message
  }
  if (answer === undefined) throw new ChannelError('invalid', 'The server answered a request that was not asked.')
  return answer as JsonRpcResponse
}

/**
 * A stream of events up to the response. A legacy server may close the stream on purpose and expects us back with
 * `Last-Event-ID` (2025-11-25, "Resumability and Redelivery"; SEP-1699); without event ids a closed stream is a lost request.
 */
export async function readStream(
  first: Response,
  { id }: Asked,
  exchange: Exchange,
  resume: (lastEventId: string) => Promise<Response>,
  signal: AbortSignal,
): Promise<JsonRpcResponse> {
  let answer: JsonObject | undefined
  let lastEventId: string | undefined
  let waitMs = RESUME_WAIT_MS
  let response = first
  for (let resumed = 0; ; resumed += 1) {
    const broken = await readEvents(response.body, (event) => {
      lastEventId = event.id ?? lastEventId
      waitMs = event.retryMs ?? waitMs
      if (event.data === '') return 'go on'
      for (const message of messagesIn(event.data)) {
        const upstream = toUpstreamMessage(message)
        if (upstream !== undefined) exchange.receive(upstream)
        else if (isResponseTo(id, message)) answer = message
      }
      return answer === undefined ? 'go on' : 'enough'
    }).catch(asChannelError)
    if (answer !== undefined) return answer as JsonRpcResponse
    if (broken?.kind === 'invalid') throw broken
    if (lastEventId === undefined || lastEventId === '' || resumed >= RESUMES_MAX)
      throw broken ?? new ChannelError('lost', 'The server ended the stream without an answer.')
    await pause(waitMs, signal)
    response = await resume(lastEventId)
    if (!response.ok || !isEventStream(response)) throw new ChannelError('lost', 'The server did not take up the stream again.')
  }
}

/**
 * The legacy stream for what belongs to no request. A server without one answers 405, which is fine. One that had it and does not know
 * the session any more has started anew, and tells nothing until there is another session.
 */
export async function listenForever(
  context: Pick<ConnectorContext<unknown>, 'receive' | 'log' | 'closed'>,
  listen: (signal: AbortSignal, lastEventId?: string) => Promise<Response>,
  signal: AbortSignal,
): Promise<void> {
  let lastEventId: string | undefined
  let waitMs = RESUME_WAIT_MS
  let wasOpen = false
  while (!signal.aborted) {
    try {
      const response = await listen(signal, lastEventId)
      if (response.status < 500 && !(response.ok && isEventStream(response))) {
        void response.body?.cancel().catch(() => {})
        if (wasOpen && response.status === 404) context.closed(new ChannelError('expired', 'The server has forgotten the session.'))
        return
      }
      wasOpen ||= response.ok
      if (response.ok && response.body !== null) {
        await readEvents(response.body, (event) => {
          lastEventId = event.id ?? lastEventId
          waitMs = event.retryMs ?? RESUME_WAIT_MS
          for (const message of event.data === '' ? [] : messagesIn(event.data)) {
            const upstream = toUpstreamMessage(message)
            if (upstream !== undefined) context.receive(upstream)
          }
          return 'go on'
        })
      } else void response.body?.cancel().catch(() => {})
    } catch (error) {
      if (signal.aborted) return
      context.log(`The stream for notices broke: ${asChannelError(error).message}`)
    }
    await pause(waitMs, signal).catch(() => {})
    waitMs = Math.min(waitMs * 2, LISTEN_WAIT_MS_MAX)
  }
}
