import type { Channel, ConnectorContext, Exchange, JsonRpcRequest, JsonRpcResponse } from '@/plugins/api.ts'
import { openSse } from '../sse-transport.ts'

/** What a server of before 2025 answers to a POST of `initialize` (2025-11-25, "Transports", "Backwards Compatibility"). */
const STATUSES = new Set([400, 404, 405])
/** Errors that only a modern server gives: it understood the question. */
const MODERN_ERRORS = new Set([-32020, -32021, -32022])

/** The way back to HTTP with SSE: tried when `initialize` is not understood, and kept for the life of the channel. */
export function createOlder(context: ConnectorContext<unknown>, address: { url: string; headers: Record<string, string> }) {
  let channel: Channel | undefined

  return {
    channel: (): Channel | undefined => channel,
    /** The answer over the older transport if the server speaks it, else what it said to begin with. */
    async or(
      response: Response,
      refusal: Promise<JsonRpcResponse>,
      message: JsonRpcRequest,
      exchange: Exchange,
      signal: AbortSignal,
    ): Promise<JsonRpcResponse> {
      const answer = await refusal.catch(() => undefined)
      const isOld = message.method === 'initialize' && STATUSES.has(response.status)
      if (!isOld || (answer?.error !== undefined && MODERN_ERRORS.has(answer.error.code))) return refusal
      const opened = await openSse({ ...context, signal }, address).catch(() => undefined)
      if (opened === undefined) return refusal
      channel = opened
      context.log('The server speaks the older HTTP with SSE.')
      return opened.request(message, exchange)
    },
  }
}
