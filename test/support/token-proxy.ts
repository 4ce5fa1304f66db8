/** Stands before the house for tools that bring no token: adds it, and passes all else through as it came, streams unbuffered. */

export type TokenProxy = { origin: string; stop(): Promise<void> }

/** Headers of one connection, which is not the next one (RFC 9110 §7.6.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer']

/** @param house its origin @param token what each request gets, in place of any that it brings */
export function startTokenProxy(house: string, token: string): TokenProxy {
  const { host } = new URL(house)
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: (request) => forward(request) })
  const own = `localhost:${server.port}`
  /** Who means us means the house; any other name, an attacker's above all, is the house's to judge. */
  const meant = (value: string) => value.replace(own, host)
  const forward = async (request: Request): Promise<Response> => {
    const headers = new Headers(request.headers)
    for (const name of HOP_BY_HOP) headers.delete(name)
    for (const name of ['host', 'origin']) {
      const value = headers.get(name)
      if (value !== null) headers.set(name, meant(value))
    }
    headers.set('authorization', `Bearer ${token}`)
    const { pathname, search } = new URL(request.url)
    const { method, body, signal } = request
    const answer = await fetch(house + pathname + search, { method, headers, body, signal, redirect: 'manual', decompress: false })
    const given = new Headers(answer.headers)
    for (const name of HOP_BY_HOP) given.delete(name)
    return new Response(answer.body, { status: answer.status, headers: given })
  }
  return { origin: `http://${own}`, stop: () => server.stop(true) }
}
