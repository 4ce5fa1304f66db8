/**
 * The far side of the stdio figure: an MCP server of revision 2026-07-28 over its pipe that does as little as one can. One
 * tool, `echo`, that returns its text. Each answer is written when it is made, as the SDKs write them.
 */
const MARKED = { resultType: 'complete', _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'bench-stdio', version: '1' } } }
const CACHED = { ttlMs: 60_000, cacheScope: 'public' }
const TOOL = {
  name: 'echo',
  description: 'Returns the text that it is given.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  annotations: { readOnlyHint: true },
}
const RESULTS: Record<string, object> = {
  'server/discover': { ...MARKED, supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ...CACHED },
  'tools/list': { ...MARKED, tools: [TOOL], ...CACHED },
}

type Message = { id?: number | string; method: string; params?: { name?: string; arguments?: { text?: string } } }

function answer(line: string): string {
  const { id, method, params } = JSON.parse(line) as Message
  if (id === undefined) return ''
  const result =
    method === 'tools/call' && params?.name === TOOL.name
      ? { ...MARKED, content: [{ type: 'text', text: params.arguments?.text ?? '' }] }
      : RESULTS[method]
  const reply = result ? { result } : { error: { code: -32601, message: 'Method not found' } }
  return `${JSON.stringify({ jsonrpc: '2.0', id, ...reply })}\n`
}

const out = Bun.stdout.writer()
const decoder = new TextDecoder()
let rest = ''
for await (const bytes of Bun.stdin.stream()) {
  const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    if (line === '') continue
    out.write(answer(line))
    void out.flush()
  }
}

export {}
