import { ChannelError, type Exchange, type JsonObject, type JsonRpcResponse, type RequestId, type UpstreamMessage } from '@/plugins/api.ts'
import { isResponseTo } from './answers.ts'

type Waiting = { exchange: Exchange; resolve(response: JsonRpcResponse): void; reject(error: ChannelError): void }

/** Requests under way on one pipe: responses find their way back by id, progress by its token, the rest belongs to the channel. */
export function createPending(hear: (message: UpstreamMessage) => void) {
  const waiting = new Map<RequestId, Waiting>()

  return {
    take(message: JsonObject): void {
      // An id that nobody waits for is a late answer to a request we gave up, or an invention. Neither is worth a line.
      if (typeof message['method'] !== 'string') {
        const asked = waiting.get(message['id'] as RequestId)
        if (isResponseTo(message['id'] as RequestId, message)) asked?.resolve(message as JsonRpcResponse)
        else asked?.reject(new ChannelError('invalid', 'The server sent an answer with neither a result nor an error.'))
        return
      }
      const token = (message['params'] as JsonObject | undefined)?.['progressToken']
      const owner = message['method'] === 'notifications/progress' ? waiting.get(token as RequestId) : undefined
      const receive = owner === undefined ? hear : owner.exchange.receive
      receive(message as UpstreamMessage)
    },
    /** Waits for the response to what `send` sends. A sending that fails is the end of the waiting, an abort as well. */
    ask(id: RequestId, exchange: Exchange, send: () => Promise<void>): Promise<JsonRpcResponse> {
      const { promise, resolve, reject } = Promise.withResolvers<JsonRpcResponse>()
      const settle = () => {
        waiting.delete(id)
        exchange.signal.removeEventListener('abort', onAbort)
      }
      const fail = (error: ChannelError) => (settle(), reject(error))
      const onAbort = () => fail(new ChannelError('lost', 'The request was given up.', { cause: exchange.signal.reason }))
      if (exchange.signal.aborted) {
        onAbort()
        return promise
      }
      exchange.signal.addEventListener('abort', onAbort, { once: true })
      waiting.set(id, { exchange, resolve: (response) => (settle(), resolve(response)), reject: fail })
      send().catch(fail)
      return promise
    },
    end(reason: ChannelError): void {
      for (const { reject } of [...waiting.values()]) reject(reason)
    },
  }
}
