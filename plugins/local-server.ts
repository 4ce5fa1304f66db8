import { type Channel, ChannelError, type Exchange, type JsonObject, type JsonRpcRequest, type JsonRpcResponse } from '@/plugins/api.ts'
import { joined } from './signals.ts'

const MODERN_REVISION = '2026-07-28'
const LEGACY_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const META = 'io.modelcontextprotocol/'
const PAGE_SIZE = 100
const LIST_TTL_MS = 300_000

const METHOD_NOT_FOUND = -32601
const INVALID_PARAMS = -32602
const UNSUPPORTED_VERSION = -32022

export type ToolDefinition = JsonObject & { name: string; inputSchema: JsonObject }
export type ToolResult = JsonObject & { content: readonly JsonObject[] }
export type LocalServer = {
  info: { name: string; title: string; version: string }
  instructions?: string
  tools: readonly ToolDefinition[]
  /** Carries out one call; the tool is one of `tools`. May reject with `ChannelError` when there is no answer at all. */
  call(name: string, args: JsonObject, signal: AbortSignal): Promise<ToolResult>
  close(): Promise<void>
}

/** What the tools answer when it is the asking that was wrong: the model reads it and asks better. */
export const toolError = (text: string): ToolResult => ({ content: [{ type: 'text', text }], isError: true })

/** An MCP server without a wire, of every revision: for connectors whose far side speaks something else. */
export function createLocalChannel(server: LocalServer): Channel {
  const closing = new AbortController()
  let closed: Promise<void> | undefined

  async function request(message: JsonRpcRequest, exchange: Exchange): Promise<JsonRpcResponse> {
    const scope = joined(exchange.signal, closing.signal)
    try {
      scope.signal.throwIfAborted()
      const answering = answer(server, message, scope.signal)
      // A tool that does not listen to its signal is left to itself; nobody waits for it.
      return await Promise.race([answering, aborted(scope.signal)])
    } catch (error) {
      if (error instanceof ChannelError) throw error
      throw new ChannelError('lost', scope.signal.aborted ? 'The request was given up.' : 'The tool failed.', { cause: error })
    } finally {
      scope.end()
    }
  }

  return {
    shared: false,
    request,
    notify: async () => {
      closing.signal.throwIfAborted()
    },
    respond: async () => {},
    close: () => {
      closing.abort(new ChannelError('lost', 'The connection was closed.'))
      closed ??= server.close().catch(() => {})
      return closed
    },
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => {
    const cause: unknown = signal.reason
    reject(cause instanceof ChannelError ? cause : new ChannelError('lost', 'The request was given up.', { cause }))
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  promise.catch(() => {})
  return promise
}

type Answer = { result: JsonObject } | { error: { code: number; message: string; data?: unknown } }
const fault = (code: number, message: string, data?: unknown): Answer => ({
  error: { code, message, ...(data === undefined ? {} : { data }) },
})

async function answer(server: LocalServer, { id, method, params = {} }: JsonRpcRequest, signal: AbortSignal): Promise<JsonRpcResponse> {
  const meta = isObject(params['_meta']) ? params['_meta'] : {}
  const asked = meta[`${META}protocolVersion`]
  const wrong = asked !== undefined && asked !== MODERN_REVISION
  const supported = [MODERN_REVISION, ...LEGACY_REVISIONS]
  const given = wrong
    ? fault(UNSUPPORTED_VERSION, 'This protocol version is not supported.', { supported, requested: asked })
    : await dispatch(server, method, params, signal)
  if ('error' in given) return { jsonrpc: '2.0', id, error: given.error }
  if (asked === undefined) return { jsonrpc: '2.0', id, result: given.result }
  const stamped = { ...(isObject(given.result['_meta']) ? given.result['_meta'] : {}), [`${META}serverInfo`]: server.info }
  return { jsonrpc: '2.0', id, result: { resultType: 'complete', ...given.result, _meta: stamped } }
}

async function dispatch(server: LocalServer, method: string, params: JsonObject, signal: AbortSignal): Promise<Answer> {
  if (method === 'ping') return { result: {} }
  if (method === 'server/discover')
    return { result: { supportedVersions: [MODERN_REVISION], ...introduction(server), ttlMs: LIST_TTL_MS, cacheScope: 'private' } }
  if (method === 'initialize') {
    const asked = params['protocolVersion']
    const protocolVersion = typeof asked === 'string' && LEGACY_REVISIONS.includes(asked) ? asked : LEGACY_REVISIONS[0]
    return { result: { protocolVersion, serverInfo: server.info, ...introduction(server) } }
  }
  if (method === 'tools/list') return page(server.tools, params['cursor'])
  if (method === 'tools/call') return call(server, params, signal)
  return fault(METHOD_NOT_FOUND, 'There is no such method here.')
}

const introduction = ({ instructions }: LocalServer): JsonObject => ({
  capabilities: { tools: {} },
  ...(instructions === undefined ? {} : { instructions }),
})

function page(tools: LocalServer['tools'], cursor: unknown): Answer {
  const from = cursor === undefined ? 0 : typeof cursor === 'string' && /^\d{1,6}$/.test(cursor) ? Number(cursor) : -1
  if (from < 0 || from % PAGE_SIZE !== 0 || (from > 0 && from >= tools.length))
    return fault(INVALID_PARAMS, 'There is no such page of the list.')
  const next = from + PAGE_SIZE
  const nextCursor = next < tools.length ? { nextCursor: String(next) } : {}
  return { result: { tools: tools.slice(from, next), ...nextCursor, ttlMs: LIST_TTL_MS, cacheScope: 'private' } }
}

async function call(server: LocalServer, { name, arguments: args = {} }: JsonObject, signal: AbortSignal): Promise<Answer> {
  if (typeof name !== 'string' || !server.tools.some((tool) => tool.name === name)) return fault(INVALID_PARAMS, 'There is no such tool.')
  if (!isObject(args)) return fault(INVALID_PARAMS, 'The arguments of a tool are an object.')
  return { result: await server.call(name, args, signal) }
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
