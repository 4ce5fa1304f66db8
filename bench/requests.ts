/** What is sent: requests of both eras, as a client of each writes them. */
import type { Ask } from './load.ts'
import { MARK } from './load-tally.ts'

/** How a client speaks to one endpoint: what it sends with every request, and of which era it is. */
export type Way = { headers: Record<string, string>; isLegacy: boolean }

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
}

export function askOf({ headers, isLegacy }: Way, method: string, params: Record<string, unknown>): Ask {
  const { name } = params
  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': name }) }
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(isLegacy ? { 'mcp-protocol-version': '2025-11-25' } : modern),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: isLegacy ? params : { ...params, _meta: META } }),
  }
}

/** A text of so many bytes that ends in the number of its request. */
export const textOf = (bytes: number): string => 'x'.repeat(bytes - MARK.length) + MARK

export const callOf = (way: Way, name: string, bytes: number): Ask => askOf(way, 'tools/call', { name, arguments: { text: textOf(bytes) } })
export const listOf = (way: Way): Ask => askOf(way, 'tools/list', {})

/** The same call as the rest of a line, for a program: what comes before it is the id. */
export const lineOf = (name: string, bytes: number): string =>
  JSON.stringify({ method: 'tools/call', params: { name, arguments: { text: textOf(bytes) }, _meta: META } }).slice(1)

/** A stream of one event is as good as its data. */
export const messageIn = (text: string): Record<string, unknown> =>
  JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Record<string, unknown>
