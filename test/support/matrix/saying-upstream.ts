/** A modern server by hand that answers each call with the name and the arguments it got; what it offers can be changed. */
import type { Json } from './apps.ts'

type Tool = { name: string; description: string; inputSchema: Json }
const properties = { query: { type: 'string' }, region: { type: 'string' }, units: { type: 'string' } }
export const tool = (name: string, description: string): Tool => ({
  name,
  description,
  inputSchema: { type: 'object', properties, required: ['query', 'region'] },
})

/** @param whose stands in the text of every resource */
export function startSayingUpstream(whose: string, tools: Tool[], uris: string[] = []) {
  const calls: Json[] = []
  const answerTo = (method: string, params: Json): Json | undefined => {
    if (method === 'server/discover')
      return { supportedVersions: ['2026-07-28'], capabilities: { tools: {}, ...(uris.length > 0 && { resources: {} }) } }
    if (method === 'tools/list') return { tools }
    if (method === 'resources/list') return { resources: uris.map((uri) => ({ uri, name: uri })) }
    if (method === 'resources/templates/list') return { resourceTemplates: [] }
    if (method === 'resources/read') return { contents: [{ uri: params['uri'], text: `of ${whose}` }] }
    if (method !== 'tools/call') return undefined
    const { name, arguments: given } = params
    calls.push({ name, given })
    const links = uris.map((uri) => ({ type: 'resource_link', uri, name: uri }))
    return { content: [{ type: 'text', text: JSON.stringify({ whose, name, given }) }, ...links] }
  }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { id, method, params = {} } = (await request.json()) as { id: number; method: string; params?: Json }
      const answer = answerTo(method, params)
      if (answer) return Response.json({ jsonrpc: '2.0', id, result: { resultType: 'complete', ...answer } })
      return Response.json({ jsonrpc: '2.0', id, error: { code: -32_601, message: 'Unknown method' } }, { status: 404 })
    },
  })
  return { url: `http://127.0.0.1:${server.port}/mcp`, tools, calls, stop: () => server.stop(true) }
}
