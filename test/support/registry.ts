/** A registry of MCP servers that speaks `GET /v0.1/servers`: pages of two, changes since, entity tags, and failure on demand. */
export function startRegistry() {
  const state = { items: [] as object[], asked: [] as { query: Record<string, string>; etag: string | null }[], status: 200, etag: '"one"' }
  const PAGE = 2
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const url = new URL(request.url)
      if (url.pathname !== '/api/v0.1/servers') return new Response('no', { status: 404 })
      const etag = request.headers.get('if-none-match')
      state.asked.push({ query: Object.fromEntries(url.searchParams), etag })
      if (state.status !== 200) return new Response('broken', { status: state.status })
      const since = url.searchParams.get('updated_since')
      const items = (state.items as { _meta: Record<string, { updatedAt: string }> }[]).filter(
        (item) => since === null || (Object.values(item._meta)[0]?.updatedAt ?? '') > since,
      )
      const start = Number(url.searchParams.get('cursor') ?? 0)
      const more = start + PAGE < items.length ? { nextCursor: String(start + PAGE) } : {}
      return Response.json(
        { servers: items.slice(start, start + PAGE), metadata: { count: PAGE, ...more } },
        { headers: { etag: state.etag } },
      )
    },
  })
  return { state, url: `http://127.0.0.1:${server.port}/api`, stop: () => server.stop(true) }
}
