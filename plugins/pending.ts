import {
  ChannelError,
  type Exchange,
  type JsonObject,
  type JsonRpcResponse,
  type RawAnswer,
  type RequestId,
  type UpstreamMessage,
} from '@/plugins/api.ts'
import { isResponseTo } from './answers.ts'

/** `readsItself`: whoever asked takes the answer as it came. */
type Waiting = { exchange: Exchange; readsItself: boolean; resolve(answer: RawAnswer): void; reject(error: ChannelError): void }
/** Throws, or rejects with, `ChannelError`. */
type Send = () => Promise<void> | void

/** Requests under way on one pipe: responses find their way back by id, progress by its token, the rest belongs to the channel. */
export function createPending(hear: (message: UpstreamMessage) => void) {
  const waiting = new Map<RequestId, Waiting>()

  /** Waits for the response to what `send` sends. A sending that fails is the end of the waiting, an abort as well. */
  function ask(id: RequestId, exchange: Exchange, readsItself: boolean, send: Send): Promise<RawAnswer> {
    const { signal } = exchange
    const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
    const settle = () => {
      waiting.delete(id)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (error: ChannelError) => (settle(), reject(error))
    const onAbort = () => fail(new ChannelError('lost', 'The request was given up.', { cause: signal.reason }))
    if (signal.aborted) {
      onAbort()
      return promise
    }
    signal.addEventListener('abort', onAbort, { once: true })
    waiting.set(id, { exchange, readsItself, resolve: (answer) => (settle(), resolve(answer)), reject: fail })
    try {
      send()?.catch(fail)
    } catch (error) {
      fail(error as ChannelError)
    }
    return promise
  }

  return {
    take(message: JsonObject): void {
      // An id that nobody waits for is a late answer to a request we gave up, or an invention. Neither is worth a line.
      if (typeof message['method'] !== 'string') {
        const asked = waiting.get(message['id'] as RequestId)
        if (isResponseTo(message['id'] as RequestId, message)) asked?.resolve({ response: message as JsonRpcResponse })
        else asked?.reject(new ChannelError('invalid', 'The server sent an answer with neither a result nor an error.'))
        return
      }
      const token = (message['params'] as JsonObject | undefined)?.['progressToken']
      const owner = message['method'] === 'notifications/progress' ? waiting.get(token as RequestId) : undefined
      const receive = owner === undefined ? hear : owner.exchange.receive
      receive(message as UpstreamMessage)
    },
    /** Hands over an answer that nobody has read. False where nobody waits under this id who reads it themselves. */
    takeUnread(id: RequestId, bytes: Uint8Array<ArrayBuffer>): boolean {
      const asked = waiting.get(id)
      if (asked?.readsItself !== true) return false
      asked.resolve({ bytes })
      return true
    },
    ask: (id: RequestId, exchange: Exchange, send: Send): Promise<JsonRpcResponse> =>
      ask(id, exchange, false, send).then(({ response }) => response as JsonRpcResponse),
    askRaw: (id: RequestId, exchange: Exchange, send: Send): Promise<RawAnswer> => ask(id, exchange, true, send),
    end(reason: ChannelError): void {
      for (const { reject } of [...waiting.values()]) reject(reason)
    },
  }
}
