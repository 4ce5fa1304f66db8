/**
 * The least that stands between HTTP and a program: each request becomes a line under an id of ours, each line an answer under
 * the client's. Arguments: the command. Prints its port first.
 */
type Waiting = { id: unknown; resolve(response: Response): void }

const child = Bun.spawn(process.argv.slice(2), { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
process.on('exit', () => child.kill('SIGKILL'))
const waiting = new Map<number, Waiting>()
let lastId = 0

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    const message = (await request.json()) as { id: unknown }
    const { promise, resolve } = Promise.withResolvers<Response>()
    lastId += 1
    waiting.set(lastId, { id: message.id, resolve })
    child.stdin.write(`${JSON.stringify({ ...message, id: lastId })}\n`)
    void child.stdin.flush()
    return promise
  },
})
console.log(server.port)

const decoder = new TextDecoder()
let rest = ''
for await (const bytes of child.stdout) {
  const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
  rest = lines.pop() ?? ''
  for (const line of lines) {
    const message = JSON.parse(line) as { id: number }
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    asked?.resolve(Response.json({ ...message, id: asked.id }))
  }
}

export {}
