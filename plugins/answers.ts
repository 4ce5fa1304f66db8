import {
  ChannelError,
  type ExchangeAnswer,
  type JsonObject,
  type JsonRpcResponse,
  type RequestId,
  type UpstreamMessage,
} from '@/plugins/api.ts'
import { createEventReader, type ServerSentEvent } from './events.ts'

export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024
/** An error page is read this far to see whether it is a JSON-RPC error. */
const ERROR_BYTES_MAX = 64 * 1024
const DRAIN_MS = 200

const tooLarge = () => new ChannelError('invalid', `The server sent a message of more than ${MESSAGE_BYTES_MAX} bytes.`)
const lost = (cause?: unknown) => new ChannelError('lost', 'The connection broke before the answer came.', { cause })

/** Statuses that a `Response` has no body for. */
const EMPTY_STATUSES = new Set([204, 205, 304])
const HEADERS_READ = ['content-type', 'content-length', 'www-authenticate', 'mcp-session-id', 'location']

/** The answer of an exchange in the shape that everything here reads. */
export function asResponse({ status, header, body }: ExchangeAnswer): Response {
  const headers = new Headers()
  for (const name of HEADERS_READ) {
    const value = header(name)
    if (value !== null) headers.set(name, value)
  }
  return new Response(EMPTY_STATUSES.has(status) ? null : body, { status, headers })
}

export const isEventStream = (response: Response): boolean => contentType(response).startsWith('text/event-stream')
export const isJson = (response: Response): boolean => isJsonType(contentType(response))
export const isJsonType = (type: string): boolean => /^application\/([\w.-]+\+)?json\b/.test(type)
export const contentType = (response: Response): string => response.headers.get('content-type')?.toLowerCase() ?? ''

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Sorts one parsed value into messages; revision 2025-03-26 may send several in an array. Throws `invalid`. */
export function messagesIn(text: string): JsonObject[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new ChannelError('invalid', 'The server sent something that is no JSON.', { cause })
  }
  const messages = Array.isArray(parsed) ? parsed : [parsed]
  for (const message of messages)
    if (!isObject(message) || message['jsonrpc'] !== '2.0')
      throw new ChannelError('invalid', 'The server sent JSON that is no JSON-RPC message.')
  return messages
}

export function isResponseTo(id: RequestId, message: JsonObject): boolean {
  return message['id'] === id && typeof message['method'] !== 'string' && (isObject(message['result']) || isError(message['error']))
}
const isError = (value: unknown): boolean => isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'

export const readText = async (response: Response, bytesMax: number): Promise<string> =>
  new TextDecoder().decode(await readWholeBody(response, bytesMax))

/** Rejects with `ChannelError`. */
export async function readWholeBody(response: Response, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(response.headers.get('content-length') ?? 0)
  if (announced > bytesMax) {
    void response.body?.cancel().catch(() => {})
    throw tooLarge()
  }
  // HTTP holds a body to its announced length, so the quick way is safe there.
  if (announced > 0) return response.bytes().catch((cause) => Promise.reject(asChannelError(cause)))
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (cause) {
    throw asChannelError(cause)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

export const asChannelError = (error: unknown): ChannelError => (error instanceof ChannelError ? error : lost(error))

/** Reads a stream of events until the server or the listener ends it; one without a body has ended. Resolves at the end, rejects with `ChannelError`. */
export async function readEvents(
  body: ReadableStream<Uint8Array> | null,
  onEvent: (event: ServerSentEvent) => 'go on' | 'enough',
): Promise<void> {
  if (body === null) return
  let enough = false
  let problem: ChannelError | undefined
  const events = createEventReader({
    bytesMax: MESSAGE_BYTES_MAX,
    onEvent: (event) => {
      if (!enough) enough = onEvent(event) === 'enough'
    },
    onTooLong: () => {
      problem = tooLarge()
    },
  })
  const reader = body.getReader()
  try {
    while (!enough) {
      const { done, value } = await reader.read()
      if (done) return
      events.push(value)
      if (problem !== undefined) throw problem
    }
    void drain(reader)
  } catch (cause) {
    void reader.cancel().catch(() => {})
    throw asChannelError(cause)
  }
}

/** Most servers end the stream right behind the response. Seeing that end keeps the connection for the next request. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), DRAIN_MS)
  try {
    while (!(await reader.read()).done);
  } catch {
    // The answer is here already; how the connection ends changes nothing.
  } finally {
    clearTimeout(timer)
  }
}

export function toUpstreamMessage(message: JsonObject): UpstreamMessage | undefined {
  return typeof message['method'] === 'string' ? (message as UpstreamMessage) : undefined
}

/** Turns an HTTP answer that is no success into a JSON-RPC error, where it carries one, or throws what it means. */
export async function readRefusal(response: Response, id: RequestId | undefined, hasSession: boolean): Promise<JsonRpcResponse> {
  const { status } = response
  if (status === 401 || status === 403) {
    void response.body?.cancel().catch(() => {})
    throw unauthorized(response)
  }
  const text = isJson(response) ? await readText(response, ERROR_BYTES_MAX).catch(() => '') : ''
  if (text === '') void response.body?.cancel().catch(() => {})
  const error = errorIn(text)
  if (hasSession && (status === 404 || (status === 400 && forgotSession(error))))
    throw new ChannelError('expired', 'The server forgot our session.', { status })
  if (error === undefined || id === undefined) throw refused(response)
  return { jsonrpc: '2.0', id, error }
}

type ErrorBody = { code: number; message: string; data?: unknown }

/** The id is not compared: an upstream that refuses before parsing may answer with `null`. */
function errorIn(text: string): ErrorBody | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    const error = isObject(parsed) ? parsed['error'] : undefined
    return isError(error) ? (error as ErrorBody) : undefined
  } catch {
    return undefined
  }
}

/** The specification says 404; servers built from the SDK's old examples say 400 with a sentence about the session. */
const forgotSession = (error: ErrorBody | undefined): boolean => /session|not initialized/i.test(error?.message ?? '')

function unauthorized(response: Response): ChannelError {
  const wwwAuthenticate = response.headers.get('www-authenticate')
  const details = { status: response.status, ...(wwwAuthenticate === null ? {} : { wwwAuthenticate }) }
  return new ChannelError('unauthorized', 'The server wants a valid credential.', details)
}

function refused({ status }: Response): ChannelError {
  const where =
    status >= 300 && status < 400
      ? 'The server redirects to another address; enter that one.'
      : `The server answered with HTTP status ${status}.`
  return new ChannelError('refused', where, { status })
}
