/**
 * The far side of the measurement: a hand-written MCP server of revision 2026-07-28 that does as little as one can, so that
 * what is measured is the way to it. One tool, `echo`, that returns its text. Prints its port as its first line.
 */
const REVISION = '2026-07-28'
const MARKED = { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'bench-upstream', version: '1' } } }
const TOOL = {
  name: 'echo',
  description: 'Returns the text that it is given.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  annotations: { readOnlyHint: true },
}

type Request_ = { id?: string | number; method: string; params?: { name?: string; arguments?: { text?: string } } }

function answer({ method, params }: Request_): Record<string, unknown> | undefined {
  if (method === 'server/discover')
    return { ...MARKED, supportedVersions: [REVISION], capabilities: { tools: {} }, ttlMs: 60_000, cacheScope: 'public' }
  if (method === 'tools/list') return { ...MARKED, tools: [TOOL], ttlMs: 60_000, cacheScope: 'public' }
  if (method === 'tools/call' && params?.name === TOOL.name)
    return { ...MARKED, content: [{ type: 'text', text: params.arguments?.text ?? '' }] }
  return undefined
}

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    if (request.method !== 'POST') return new Response(null, { status: 405 })
    const message = (await request.json()) as Request_
    if (message.id === undefined) return new Response(null, { status: 202 })
    const result = answer(message)
    if (result) return Response.json({ jsonrpc: '2.0', id: message.id, result })
    return Response.json({ jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'Method not found' } }, { status: 404 })
  },
})
console.log(server.port)

export {}
