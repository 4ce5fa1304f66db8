/**
 * A small MCP server over stdio, of a legacy revision, for measurements and tests. Its tools do what programs do to their house:
 * `echo` answers, `grow` takes so many MB and keeps them (`afterwards`: once it has answered), `die` ends with a code, `where` tells its process id.
 */
import { createInterface } from 'node:readline'

type Arguments = { text?: string; mb?: number; afterwards?: boolean; code?: number }
const kept: Uint8Array[] = []

const AFTERWARDS_MS = 100
/** Written to, or the memory would only be promised. */
const grow = (mb: number): void => {
  for (let at = 0; at < mb; at += 1) kept.push(new Uint8Array(1024 * 1024).fill(at + 1))
}

const TOOLS: Record<string, (asked: Arguments) => string> = {
  echo: ({ text = '' }) => text,
  grow: ({ mb = 0, afterwards = false }) => {
    if (afterwards) setTimeout(grow, AFTERWARDS_MS, mb)
    else grow(mb)
    return String(kept.length)
  },
  die: ({ code = 3 }) => process.exit(code),
  where: () => String(process.pid),
}

function answer(method: string, params: Record<string, unknown>): object | undefined {
  if (method === 'initialize')
    return {
      protocolVersion: params['protocolVersion'],
      capabilities: { tools: {} },
      serverInfo: { name: 'bench-program', version: '1.0.0' },
    }
  if (method === 'tools/list')
    return { tools: Object.keys(TOOLS).map((name) => ({ name, description: name, inputSchema: { type: 'object' } })) }
  const tool = method === 'tools/call' ? TOOLS[String(params['name'])] : undefined
  return tool && { content: [{ type: 'text', text: tool((params['arguments'] ?? {}) as Arguments) }] }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line) as { id?: number; method?: string; params?: Record<string, unknown> }
  if (id === undefined || method === undefined) continue
  const result = answer(method, params ?? {})
  const reply = result ? { result } : { error: { code: -32601, message: 'no such method' } }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...reply })}\n`)
}
