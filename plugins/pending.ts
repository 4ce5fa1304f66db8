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

/** Throws, or rejects with, `ChannelError`. */
type Send = () => Promise<void> | void

/** One request under way. A class, since one is made for each call. `readsItself`: whoever asked takes the answer as it came. */
class Waiting {
  private readonly answer = Promise.withResolvers<RawAnswer>()
  private readonly onAbort = () =>
    this.reject(new ChannelError('lost', 'The request was given up.', { cause: this.exchange.signal.reason }))

  constructor(
    private readonly all: Map<RequestId, Waiting>,
    private readonly id: RequestId,
    readonly exchange: Exchange,
    readonly readsItself: boolean,
  ) {}
  /** Until it is answered. A sending that fails is the end of the waiting, an abort as well. */
  since(send: Send): Promise<RawAnswer> {
    const { signal } = this.exchange
    if (signal.aborted) this.onAbort()
    else {
      signal.addEventListener('abort', this.onAbort, { once: true })
      this.all.set(this.id, this)
      try {
        send()?.catch((error) => this.reject(error))
      } catch (error) {
        this.reject(error as ChannelError)
      }
    }
    return this.answer.promise
  }
  resolve(answer: RawAnswer): void {
    this.settle()
    this.answer.resolve(answer)
  }
  reject(error: ChannelError): void {
    this.settle()
    this.answer.reject(error)
  }
  private settle(): void {
    if (this.all.get(this.id) === this) this.all.delete(this.id)
    this.exchange.signal.removeEventListener('abort', this.onAbort)
  }
}

/** Requests under way on one pipe: responses find their way back by id, progress by its token, the rest belongs to the channel. */
export function createPending(hear: (message: UpstreamMessage) => void) {
  const waiting = new Map<RequestId, Waiting>()

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
      new Waiting(waiting, id, exchange, false).since(send).then(({ response }) => response as JsonRpcResponse),
    askRaw: (id: RequestId, exchange: Exchange, send: Send): Promise<RawAnswer> => new Waiting(waiting, id, exchange, true).since(send),
    end(reason: ChannelError): void {
      for (const each of [...waiting.values()]) each.reject(reason)
    },
  }
}
