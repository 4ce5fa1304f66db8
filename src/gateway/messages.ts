/** JSON-RPC as it comes in and goes out. */
import { type Whole, wholeBody } from '@/http/whole.ts'
import { withText } from '@/lib/body.ts'
import { SECOND_MS } from '@/lib/clock.ts'
import { JsonError, type Outline, readJson } from '@/lib/json.ts'
import type { JsonObject, JsonRpcError, RequestId } from '@/plugins'

export const MODERN_REVISION = '2026-07-28'
export const LEGACY_REVISIONS: readonly string[] = ['2025-03-26', '2025-06-18', '2025-11-25']
export const LATEST_LEGACY_REVISION = '2025-11-25'
/** The one revision that knows batches. */
export const BATCH_REVISION = '2025-03-26'

export const CODES = {
  parse: -32700,
  invalidRequest: -32600,
  unknownMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedRevision: -32022,
  /** On 2025-11-25 only. */
  urlElicitation: -32042,
  resourceNotFound: -32002,
} as const

const BODY_BYTES_MAX = 4 * 1024 * 1024
const BODY_MS_MAX = 30 * SECOND_MS
const BATCH_MESSAGES_MAX = 100

/** A JSON-RPC error with the HTTP status that belongs to it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  constructor(
    readonly status: number,
    readonly error: JsonRpcError,
    readonly id: RequestId | null = null,
  ) {
    super(error.message)
  }
}
export const refuse = (status: number, code: number, message: string, data?: unknown): never => {
  throw new Refusal(status, data === undefined ? { code, message } : { code, message, data })
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
export const metaOf = (params: JsonObject): JsonObject => (isObject(params['_meta']) ? params['_meta'] : {})

/**
 * A field's name as servers compare it that read JSON without regard to case, as Go's do: two letters of other alphabets (ſ and the sign
 * for kelvin) count as s and k as well.
 */
export const inPlainLetters = (name: string): string => name.toUpperCase().toLowerCase()
/** A text, or none: what has to be one may be anything in a hostile message, and not everything can be made into one. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

export type Asked = {
  kind: 'request'
  id: RequestId
  method: string
  params: JsonObject
  bytes: number
  /** The body as it came, where it is this message alone. */
  text?: string
  /** Of a long one. */
  outline?: Outline | undefined
  /** Whether nothing stands in it but what every request has. */
  isPlain?: boolean
}
export type Incoming =
  | Asked
  | { kind: 'notification'; method: string; params: JsonObject; bytes: number }
  /** An answer to a question of ours. */
  | { kind: 'response'; id: RequestId; result?: JsonObject; error?: JsonRpcError }

export const CALL_FIELDS: ReadonlySet<string> = new Set(['name', 'arguments', '_meta'])
/** Nothing is in it but what every call has. */
export function isPlainCall(params: JsonObject): boolean {
  for (const name in params) if (!CALL_FIELDS.has(name)) return false
  return true
}

/** One message, or those of a batch (2025-03-26). @throws Refusal, Failure `too_large`, `request_timeout` */
export function readMessages(request: Request): Promise<Incoming | Incoming[]> {
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? '')) refuse(415, CODES.invalidRequest, 'Send application/json.')
  return withText(request, BODY_BYTES_MAX, BODY_MS_MAX, messagesIn)
}

function messagesIn(text: string, bytes: number): Incoming | Incoming[] {
  const { value, outline } = read(text, bytes)
  if (!Array.isArray(value)) return incomingOf(value, bytes, text, outline)
  if (value.length === 0 || value.length > BATCH_MESSAGES_MAX)
    return refuse(400, CODES.invalidRequest, `A batch holds 1 to ${BATCH_MESSAGES_MAX} messages.`)
  return value.map((each) => incomingOf(each, Math.ceil(bytes / value.length)))
}

function incomingOf(message: unknown, bytes: number, text?: string, outline?: Outline): Incoming {
  if (!isObject(message) || message['jsonrpc'] !== '2.0') return refuse(400, CODES.invalidRequest, 'This is no JSON-RPC 2.0 message.')
  const { id, method, params = {} } = message
  if (typeof method !== 'string') return responseOf(message)
  if (!isObject(params)) throw new Refusal(400, { code: CODES.invalidParams, message: 'params must be an object.' }, isId(id) ? id : null)
  if (id === undefined) return { kind: 'notification', method, params, bytes }
  if (!isId(id)) return refuse(400, CODES.invalidRequest, 'The id must be a text or a number.')
  if (text === undefined) return { kind: 'request', id, method, params, bytes }
  return { kind: 'request', id, method, params, bytes, text, outline, isPlain: Object.keys(message).length === 4 }
}

function responseOf({ id, result, error }: JsonObject): Incoming {
  if (result === undefined && error === undefined) return refuse(400, CODES.invalidRequest, 'The message has no method.')
  if (!isId(id)) return refuse(400, CODES.invalidRequest, 'The id must be a text or a number.')
  if (isObject(result)) return { kind: 'response', id, result }
  const { code, message } = isObject(error) ? error : {}
  const isError = typeof code === 'number' && typeof message === 'string'
  return {
    kind: 'response',
    id,
    error: isError ? (error as JsonRpcError) : { code: CODES.internal, message: 'The app gave no usable answer.' },
  }
}

const isId = (id: unknown): id is RequestId => typeof id === 'string' || typeof id === 'number'

function read(text: string, bytes: number): ReturnType<typeof readJson> {
  try {
    return readJson(text, bytes)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return refuse(400, CODES.parse, error.message)
  }
}

export const answer = (id: RequestId, result: JsonObject) => ({ jsonrpc: '2.0', id, result })
export const answerError = (id: RequestId | null, error: JsonRpcError) => ({ jsonrpc: '2.0', id, error })

const NO_STORE = { 'cache-control': 'no-store' }
const JSON_HEADERS = { 'content-type': 'application/json', ...NO_STORE }
/** Made once, since a `Response` copies them sooner than it makes them of an object. */
const AS_JSON = { headers: new Headers(JSON_HEADERS) }
export const json = (body: unknown, status = 200, headers?: Record<string, string>): Response =>
  new Response(
    wholeBody(JSON.stringify(body)),
    status === 200 && headers === undefined ? AS_JSON : { status, headers: { ...JSON_HEADERS, ...headers } },
  )
/** What is JSON already. */
export const jsonText = (text: Whole): Response => new Response(wholeBody(text), AS_JSON)
export const accepted = (): Response => new Response(null, { status: 202, headers: NO_STORE })
/** It takes both, and named the stream first. */
export const prefersStream = (request: Request): boolean => /^\s*text\/event-stream\b/i.test(request.headers.get('accept') ?? '')
export const acceptsStream = (request: Request): boolean => /\btext\/event-stream\b/i.test(request.headers.get('accept') ?? '')
