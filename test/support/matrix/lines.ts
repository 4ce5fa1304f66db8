/** A legacy app by hand: one that breaks lines in their midst, comes back, and sends what no SDK would. */
import type { Json, Where } from './apps.ts'

export type Event = { id?: string; data: Json | undefined }

export function createByHand({ url, token }: Where, revision = '2025-11-25') {
  let session: string | undefined
  const headersOf = (more: Record<string, string> = {}) => ({
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    ...(session !== undefined && { 'mcp-session-id': session, 'mcp-protocol-version': revision }),
    ...more,
  })
  const post = (body: unknown, init: RequestInit = {}) =>
    fetch(url, { ...init, method: 'POST', headers: headersOf({ 'content-type': 'application/json' }), body: JSON.stringify(body) })
  return {
    post,
    get: (headers: Record<string, string> = {}, signal?: AbortSignal) =>
      fetch(url, { headers: { ...headersOf(headers), accept: 'text/event-stream' }, ...(signal && { signal }) }),
    end: () => fetch(url, { method: 'DELETE', headers: headersOf() }),
    async initialize(capabilities: Json = {}): Promise<Json> {
      session = undefined
      const params = { protocolVersion: revision, capabilities, clientInfo: { name: 'by hand', version: '1' } }
      const answer = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params })
      session = answer.headers.get('mcp-session-id') ?? undefined
      return ((await answer.json()) as { result: Json }).result
    },
    call: async (name: string, params: Json = {}): Promise<Json> =>
      (await (await post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, ...params } })).json()) as Json,
  }
}

/** The events of a stream until it ends, or until there are so many: then its line is cut. */
export async function eventsOf(response: Response, max = Number.POSITIVE_INFINITY): Promise<Event[]> {
  const events: Event[] = []
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  while (reader && events.length < max) {
    const { done, value } = await reader.read()
    if (done) break
    text += decoder.decode(value, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1]
      const [id, data] = [field('id'), field('data')]
      if (id === undefined && data === undefined) continue
      events.push({ ...(id !== undefined && { id }), data: data ? (JSON.parse(data) as Json) : undefined })
    }
  }
  await reader?.cancel().catch(() => undefined)
  return events
}
