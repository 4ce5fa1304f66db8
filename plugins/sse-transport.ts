import {
  type Channel,
  ChannelError,
  type ConnectorContext,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from '@/plugins/api.ts'
import { asChannelError, isEventStream, messagesIn, readEvents, readRefusal } from './answers.ts'
import { createPending } from './pending.ts'
import { joined } from './signals.ts'

const ENDPOINT_WAIT_MS = 10_000
const URL_CHARS_MAX = 2_048

type Context = Pick<ConnectorContext<unknown>, 'fetch' | 'receive' | 'closed' | 'signal'>
type Address = { url: string; headers: Record<string, string> }

/**
 * HTTP with server-sent events, revision 2024-11-05: one stream for everything the server says, opened by GET, whose first
 * event names the address that takes our messages by POST. The stream's end is the channel's end; the pool opens another.
 */
export async function openSse(context: Context, { url, headers }: Address): Promise<Channel> {
  const closing = new AbortController()
  const endpoint = Promise.withResolvers<string>()
  const pending = createPending(context.receive)
  let ended: ChannelError | undefined
  let isOpen = false

  const end = (reason: ChannelError, isOurs = false): void => {
    if (ended !== undefined) return
    ended = reason
    endpoint.reject(reason)
    closing.abort(reason)
    pending.end(reason)
    if (isOpen && !isOurs) context.closed(reason)
  }
  const giveUp = () => end(new ChannelError('unreachable', 'Opening the connection was given up.'), true)
  const tooLate = () => end(new ChannelError('refused', 'The server opened a stream but named no address for messages.'), true)
  const timer = setTimeout(tooLate, ENDPOINT_WAIT_MS)
  context.signal.addEventListener('abort', giveUp, { once: true })
  if (context.signal.aborted) giveUp()
  endpoint.promise.catch(() => {})
  try {
    const response = await openStream(context, url, headers, closing.signal)
    listen(response, (event, data) => {
      if (event === 'endpoint') endpoint.resolve(endpointOf(data, url))
      else if (event === undefined && data !== '') for (const message of messagesIn(data)) pending.take(message)
    }).then(
      () => end(new ChannelError('lost', 'The server ended the stream.')),
      (error) => end(asChannelError(error)),
    )
    const target = await endpoint.promise
    isOpen = true
    return createChannel(pending, createPost(context, target, headers, closing.signal), end)
  } catch (error) {
    const reason = ended ?? asChannelError(error)
    end(reason, true)
    throw reason
  } finally {
    clearTimeout(timer)
    context.signal.removeEventListener('abort', giveUp)
  }
}

async function openStream(context: Context, url: string, headers: Address['headers'], signal: AbortSignal): Promise<Response> {
  const response = await context.fetch(url, { headers: { ...headers, accept: 'text/event-stream' }, signal })
  if (!response.ok) await readRefusal(response, undefined, false)
  if (isEventStream(response)) return response
  void response.body?.cancel().catch(() => {})
  throw new ChannelError('refused', 'The server answered with something that is no stream of events.', { status: response.status })
}

const listen = (response: Response, onEvent: (event: string | undefined, data: string) => void): Promise<void> =>
  readEvents(response.body, ({ event, data }) => {
    onEvent(event, data)
    return 'go on'
  })

/** Messages carry credentials, so they go where the stream came from and nowhere else, whatever the server names. */
function endpointOf(data: string, url: string): string {
  const target = data.length <= URL_CHARS_MAX ? URL.parse(data.trim(), url) : null
  if (target === null || target.origin !== new URL(url).origin)
    throw new ChannelError('refused', 'The server wants its messages sent to another address than its own.')
  return target.href
}

type Message = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse
type Post = (message: Message, signal?: AbortSignal) => Promise<void>

function createPost(context: Context, target: string, headers: Address['headers'], closing: AbortSignal): Post {
  return async (message, signal = closing) => {
    const scope = joined(signal, closing)
    try {
      const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(message) }
      const response = await context.fetch(target, { ...init, signal: scope.signal })
      // The address holds the session: an unknown one means that this stream's session is no more.
      if (!response.ok) await readRefusal(response, undefined, response.status === 404)
      void response.body?.cancel().catch(() => {})
    } catch (error) {
      const reason: unknown = scope.signal.aborted ? scope.signal.reason : error
      throw asChannelError(reason)
    } finally {
      scope.end()
    }
  }
}

function createChannel(
  pending: ReturnType<typeof createPending>,
  post: Post,
  end: (reason: ChannelError, isOurs: boolean) => void,
): Channel {
  return {
    shared: true,
    request: (message, exchange) => pending.ask(message.id, exchange, () => post(message, exchange.signal)),
    notify: (notification) => post(notification),
    respond: (response) => post(response),
    close: async () => end(new ChannelError('lost', 'The connection was closed.'), true),
  }
}
