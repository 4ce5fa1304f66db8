/** The least that a gateway on Bun can do: each request is sent on as it is, and its answer handed back. Argument: where to. */
const [target = ''] = process.argv.slice(2)
const HOP = ['connection', 'host', 'content-length', 'transfer-encoding']

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    const headers = new Headers(request.headers)
    for (const name of HOP) headers.delete(name)
    const answer = await fetch(target, { method: request.method, headers, body: await request.arrayBuffer(), decompress: false })
    return new Response(answer.body, { status: answer.status, headers: { 'content-type': answer.headers.get('content-type') ?? '' } })
  },
})
console.log(server.port)

export {}
