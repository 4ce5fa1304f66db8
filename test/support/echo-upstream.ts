/** An MCP server by hand, of either era, that answers a call with whatever bytes the test wants, and keeps what it was asked as it came. */

type Id = number | string
export type Asked = { id?: Id; method?: string; params?: Record<string, unknown> }
export type Answering = (asked: Asked & { id: Id }, request: Request) => Response | Promise<Response>
export type Era = 'modern' | 'legacy'
type Offer = {
  tools?: readonly string[]
  reads?: readonly string[]
  capabilities?: object
  others?: Record<string, (asked: Asked) => object>
}

const INFO = { name: 'behind', version: '9' }
export const json = (text: string | Uint8Array<ArrayBuffer>) => new Response(text, { headers: { 'content-type': 'application/json' } })
export const events = (...messages: string[]) =>
  new Response(messages.map((message) => `event: message\ndata: ${message}\n\n`).join(''), {
    headers: { 'content-type': 'text/event-stream' },
  })
export const answerText = (id: Id, result: unknown) => JSON.stringify({ jsonrpc: '2.0', id, result })

/**
 * @param call what becomes of a `tools/call`
 * @param reads those of the tools that say of themselves that they only read
 */
export function startEchoUpstream(era: Era, call: Answering, { tools = ['echo'], reads = [], capabilities = {}, others = {} }: Offer = {}) {
  /** The bodies of calls. */
  const calls: string[] = []
  /** Their headers. */
  const headers: Record<string, string>[] = []
  const hello = { capabilities: { tools: {}, ...capabilities }, serverInfo: INFO }
  const inputSchema = { type: 'object', properties: { account: { type: 'string' } } }
  const list = { tools: tools.map((name) => ({ name, inputSchema, ...(reads.includes(name) && { annotations: { readOnlyHint: true } }) })) }
  const answer = (asked: Asked): object => {
    if (era === 'modern' && asked.method === 'server/discover')
      return { result: { supportedVersions: ['2026-07-28'], ...hello, ttlMs: 0, cacheScope: 'private' } }
    if (era === 'legacy' && asked.method === 'initialize') return { result: { protocolVersion: '2025-11-25', ...hello } }
    if (asked.method === 'tools/list')
      return { result: { ...list, ...(era === 'modern' && { resultType: 'complete', ttlMs: 600_000, cacheScope: 'private' }) } }
    if (asked.method === 'ping' || asked.method === 'logging/setLevel') return { result: {} }
    const other = others[asked.method ?? '']
    return other ? other(asked) : { error: { code: -32601, message: 'no such method' } }
  }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      if (request.method !== 'POST') return new Response(null, { status: 405 })
      const text = await request.text()
      const asked = JSON.parse(text) as Asked
      if (asked.id === undefined || asked.method === undefined) return new Response(null, { status: 202 })
      if (asked.method === 'tools/call') {
        calls.push(text)
        headers.push(Object.fromEntries(request.headers))
        return call(asked as Asked & { id: Id }, request)
      }
      const session: Record<string, string> = asked.method === 'initialize' ? { 'mcp-session-id': 'of-the-echo' } : {}
      return Response.json({ jsonrpc: '2.0', id: asked.id, ...answer(asked) }, { headers: session })
    },
  })
  return { url: `http://127.0.0.1:${server.port}/mcp`, calls, headers, stop: () => server.stop(true) }
}
export type EchoUpstream = ReturnType<typeof startEchoUpstream>
