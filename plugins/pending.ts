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
  private index = -1
  private readonly answer = Promise.withResolvers<RawAnswer>()
  private readonly onAbort = () =>
    this.reject(new ChannelError('lost', 'The request was given up.', { cause: this.exchange.signal.reason }))

  constructor(
    private readonly all: Waiting[],
    readonly id: RequestId,
    readonly exchange: Exchange,
    readonly readsItself: boolean,
  ) {}
  /** Until it is answered. A sending that fails is the end of the waiting, an abort as well. */
  since(send: Send): Promise<RawAnswer> {
    const { signal } = this.exchange
    if (signal.aborted) this.onAbort()
    else {
      signal.addEventListener('abort', this.onAbort, { once: true })
      this.index = this.all.push(this) - 1
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
    const { all, index } = this
    if (all[index] === this) {
      const last = all.pop() as Waiting
      if (last !== this) {
        all[index] = last
        last.index = index
      }
    }
    this.exchange.signal.removeEventListener('abort', this.onAbort)
  }
}

/** Requests under way on one pipe: responses find their way back by id, progress by its token, the rest belongs to the channel. */
export function createPending(hear: (message: UpstreamMessage) => void) {
  // A few hundred at most, and no Map: JavaScriptCore's keeps what has come and gone until a full collection (src/lib/bag.ts).
  const waiting: Waiting[] = []
  const waitingFor = (id: unknown): Waiting | undefined => waiting.find((each) => each.id === id)

  return {
    take(message: JsonObject): void {
      // An id that nobody waits for is a late answer to a request we gave up, or an invention. Neither is worth a line.
      if (typeof message['method'] !== 'string') {
        const asked = waitingFor(message['id'])
        if (isResponseTo(message['id'] as RequestId, message)) asked?.resolve({ response: message as JsonRpcResponse })
        else asked?.reject(new ChannelError('invalid', 'The server sent an answer with neither a result nor an error.'))
        return
      }
      const token = (message['params'] as JsonObject | undefined)?.['progressToken']
      const owner = message['method'] === 'notifications/progress' ? waitingFor(token) : undefined
      const receive = owner === undefined ? hear : owner.exchange.receive
      receive(message as UpstreamMessage)
    },
    /** Hands over an answer that nobody has read. False where nobody waits under this id who reads it themselves. */
    takeUnread(id: RequestId, bytes: Uint8Array<ArrayBuffer>): boolean {
      const asked = waitingFor(id)
      if (asked?.readsItself !== true) return false
      asked.resolve({ bytes })
      return true
    },
    ask: (id: RequestId, exchange: Exchange, send: Send): Promise<JsonRpcResponse> =>
      new Waiting(waiting, id, exchange, false).since(send).then(({ response }) => response as JsonRpcResponse),
    askRaw: (id: RequestId, exchange: Exchange, send: Send): Promise<RawAnswer> => new Waiting(waiting, id, exchange, true).since(send),
    end(reason: ChannelError): void {
      for (const each of [...waiting]) each.reject(reason)
    },
  }
}
