import {
  type Channel,
  ChannelError,
  type ConnectorContext,
  defineConnector,
  definePlugin,
  type Exchange,
  type ExchangeAnswer,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RawAnswer,
  type RawRequest,
  z,
} from '@/plugins/api.ts'
import { headersSetting, lowerCased, urlSetting } from '../addresses.ts'
import {
  asChannelError,
  asResponse,
  contentType,
  isEventStream,
  isJsonType,
  MESSAGE_BYTES_MAX,
  readRefusal,
  readWholeBody,
} from '../answers.ts'
import { requestText } from '../request-text.ts'
import { joined } from '../signals.ts'
import { claimedVersion, modernHeaders } from './headers.ts'
import { createOlder } from './older.ts'
import { createRawHeaders, type Legacy, legacyHeaders } from './raw.ts'
import { listenForever, readStream, readWhole } from './streams.ts'

const MODERN_VERSION = '2026-07-28'
const GOODBYE_MS = 2_000

const settings = z.object({
  url: urlSetting('Where the server answers, usually ending in /mcp.', 'https://mcp.example.com/mcp'),
  headers: headersSetting(),
})
type Settings = z.output<typeof settings>

/** The upstream's address with what the traffic taught us about it. */
function createWire(context: ConnectorContext<Settings>) {
  const { url } = context.settings
  const ownHeaders = lowerCased(context.settings.headers)
  const legacy: Legacy = {}
  const postHeaders = { ...ownHeaders, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  let modernVersion = MODERN_VERSION
  const rawHeaders = createRawHeaders(postHeaders)

  function headersFor(message?: JsonRpcRequest | JsonRpcNotification): Record<string, string> {
    const claimed = message === undefined ? undefined : claimedVersion(message)
    if (message !== undefined && claimed !== undefined) {
      modernVersion = claimed
      return modernHeaders(message, claimed)
    }
    // `initialize` opens a session, so it carries none, even when an older one is known.
    return message?.method === 'initialize' ? {} : legacyHeaders(legacy)
  }

  return {
    legacy,
    headersFor,
    postRaw: (raw: RawRequest, signal: AbortSignal | undefined): Promise<ExchangeAnswer> =>
      context.exchange(url, { method: 'POST', headers: rawHeaders(raw, legacy, modernVersion), body: raw.body, signal }),
    post: async (body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> =>
      asResponse(await context.exchange(url, { method: 'POST', headers: { ...postHeaders, ...headers }, body, signal })),
    listen: async (signal: AbortSignal, lastEventId?: string): Promise<Response> => {
      const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
      const headers = { ...ownHeaders, accept: 'text/event-stream', ...headersFor(), ...resume }
      return asResponse(await context.exchange(url, { headers, signal }))
    },
    /** DELETE is a courtesy (2025-06-18, "Session Management"); nobody waits long for it. */
    goodbye: async () => {
      if (legacy.sessionId === undefined) return
      try {
        const { body } = await context.exchange(url, {
          method: 'DELETE',
          headers: { ...ownHeaders, ...headersFor() },
          signal: AbortSignal.timeout(GOODBYE_MS),
        })
        if (body instanceof ReadableStream) void body.cancel().catch(() => {})
      } catch {
        // The session will run out by itself.
      }
    },
  }
}

/** Nothing is sent yet: whether the upstream is there shows with the first request. */
async function open(context: ConnectorContext<Settings>): Promise<Channel> {
  const closing = new AbortController()
  let isClosed = false
  const wire = createWire(context)
  const { legacy } = wire
  const older = createOlder(context, { url: context.settings.url, headers: lowerCased(context.settings.headers) })

  async function request(message: JsonRpcRequest, exchange: Exchange): Promise<JsonRpcResponse> {
    const scope = joined(exchange.signal, closing.signal)
    const hadSession = legacy.sessionId !== undefined && message.method !== 'initialize' && claimedVersion(message) === undefined
    try {
      const response = await wire.post(JSON.stringify(message), { ...exchange.headers, ...wire.headersFor(message) }, scope.signal)
      if (!response.ok) return await older.or(response, readRefusal(response, message.id, hadSession), message, exchange, scope.signal)
      const answer = isEventStream(response)
        ? await readStream(response, message, exchange, (id) => wire.listen(scope.signal, id), scope.signal)
        : await readWhole(response, message, exchange)
      if (message.method === 'initialize') remember(legacy, response, answer)
      return answer
    } catch (error) {
      throw scope.signal.aborted ? givenUp(scope.signal.reason) : asChannelError(error)
    } finally {
      scope.end()
    }
  }

  async function tell(message: JsonRpcNotification | JsonRpcResponse): Promise<void> {
    try {
      const response = await wire.post(JSON.stringify(message), wire.headersFor('method' in message ? message : undefined), closing.signal)
      if (!response.ok) await readRefusal(response, undefined, legacy.sessionId !== undefined)
      void response.body?.cancel().catch(() => {})
    } catch (error) {
      throw asChannelError(error)
    }
  }

  /** The way of most calls: what the house sends for a channel ends with the channel, so one signal is enough. */
  function forward(raw: RawRequest, exchange: Exchange): Promise<RawAnswer> {
    const channel = older.channel()
    if (channel !== undefined) return channel.request(messageOf(raw), exchange).then((response) => ({ response }))
    if (isClosed) return Promise.reject(givenUp(closing.signal.reason))
    const failed = (error: unknown): never => {
      if (exchange.signal.aborted) throw givenUp(exchange.signal.reason)
      throw isClosed ? givenUp(closing.signal.reason) : asChannelError(error)
    }
    return wire.postRaw(raw, exchange.signal).then((answer) => {
      if (answer.status === 200 && answer.body instanceof Uint8Array && isJsonType(answer.header('content-type')?.toLowerCase() ?? ''))
        return { bytes: answer.body }
      return forwardSlowly(asResponse(answer), raw, exchange).catch(failed)
    }, failed)
  }
  /** What is not there at once, or no answer at all. */
  async function forwardSlowly(response: Response, raw: RawRequest, exchange: Exchange): Promise<RawAnswer> {
    if (!response.ok) return { response: await readRefusal(response, raw.id, legacy.sessionId !== undefined) }
    if (isJsonType(contentType(response))) return { bytes: await readWholeBody(response, MESSAGE_BYTES_MAX) }
    const scope = joined(exchange.signal, closing.signal)
    try {
      if (!isEventStream(response)) return { response: await readWhole(response, raw, exchange) }
      return { response: await readStream(response, raw, exchange, (id) => wire.listen(scope.signal, id), scope.signal) }
    } finally {
      scope.end()
    }
  }

  return {
    shared: false,
    takesLightSignals: true,
    request: (message, exchange) => older.channel()?.request(message, exchange) ?? request(message, exchange),
    forward,
    notify: async (notification) => {
      const channel = older.channel()
      if (channel !== undefined) return channel.notify(notification)
      await tell(notification)
      const legacyIsReady = notification.method === 'notifications/initialized' && legacy.version !== undefined
      if (legacyIsReady) void listenForever(context, wire.listen, closing.signal)
    },
    respond: (response) => older.channel()?.respond(response) ?? tell(response),
    close: async () => {
      if (isClosed) return
      isClosed = true
      closing.abort(new ChannelError('lost', 'The connection was closed.'))
      await older.channel()?.close()
      await wire.goodbye()
    },
  }
}

const messageOf = ({ body }: RawRequest): JsonRpcRequest => JSON.parse(requestText(body)) as JsonRpcRequest

function remember(legacy: Legacy, response: Response, { result }: JsonRpcResponse): void {
  const version = result?.['protocolVersion']
  if (typeof version !== 'string') return
  const sessionId = response.headers.get('mcp-session-id')
  legacy.version = version
  if (sessionId === null) delete legacy.sessionId
  else legacy.sessionId = sessionId
}

const givenUp = (cause: unknown): ChannelError =>
  cause instanceof ChannelError ? cause : new ChannelError('lost', 'The request was given up.', { cause })

const streamableHttp = defineConnector({
  id: 'streamable-http',
  title: 'Web address (Streamable HTTP)',
  description: 'An MCP server on the network, of any revision.',
  settings,
  definedBy: 'anyone',
  summary: ({ url = '' }) => URL.parse(url)?.host ?? '',
  open,
})

export default definePlugin({ id: 'streamable-http', version: '1.1.0', title: 'Streamable HTTP', connectors: [streamableHttp] })
