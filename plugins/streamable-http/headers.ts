import type { JsonObject, JsonRpcNotification, JsonRpcRequest } from '@/plugins/api.ts'

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
/** Which parameter `Mcp-Name` repeats (SEP-2243; tasks: SEP-2663). */
const NAME_SOURCES = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/** The revision that a request claims for itself; only 2026-07-28 and later do. */
export function claimedVersion({ params }: { params?: JsonObject }): string | undefined {
  const version = (params?.['_meta'] as JsonObject | undefined)?.[VERSION_KEY]
  return typeof version === 'string' ? version : undefined
}

/** What a modern request says about itself in its headers; the upstream refuses a mismatch with -32020. */
export function modernHeaders(message: JsonRpcRequest | JsonRpcNotification, version: string): Record<string, string> {
  const source = NAME_SOURCES.get(message.method)
  const name = source === undefined ? undefined : message.params?.[source]
  return namedHeaders(version, message.method, typeof name === 'string' ? name : undefined)
}

export function namedHeaders(version: string, method: string, name: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { 'mcp-protocol-version': version, 'mcp-method': method }
  if (name !== undefined) headers['mcp-name'] = headerValue(name)
  return headers
}

/** SEP-2243 §value encoding: what HTTP would alter or refuse travels as base64 of its UTF-8. */
export function headerValue(value: string): string {
  const plain = /^[\t\x20-\x7e]+$/.test(value) && value === value.trim() && !/^=\?base64\?.*\?=$/.test(value)
  return plain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}
