/**
 * A web application whose visitors bring their own tools:
 * `bun examples/bring-your-tools/app.ts [address] [port]`, the address being that of a Toolpass, http://localhost:8080/mcp by default.
 */
import { join } from 'node:path'
import type { CallToolResult } from '@modelcontextprotocol/client'
import { argumentsOf, fieldsOf } from './form.ts'
import { page, type Shown } from './page.ts'
import { createTools, Trouble, type Visitor } from './tools.ts'

const COOKIE = 'bring_your_tools'
/** Beyond this, whoever came first begins anew: memory is not the place to keep people. */
const VISITORS_MAX = 1000

export function startSample({ address, port }: { address: string; port: number }) {
  const server = Bun.serve({ hostname: '127.0.0.1', port, fetch: (request) => answer(request) })
  const origin = `http://127.0.0.1:${server.port}`
  const tools = createTools({ address, callback: `${origin}/callback` })
  const visitors = new Map<string, Visitor>()
  const headers = {
    'content-security-policy': `default-src 'none'; style-src 'self'; form-action 'self' ${new URL(address).origin}; frame-ancestors 'none'; base-uri 'none'`,
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // The address that the visitor comes back to holds a code. With `no-referrer` a browser would not tell us its origin either.
    'referrer-policy': 'same-origin',
  }

  /** Lax, because the visitor comes back from another site; what changes something is a POST and looks at where it comes from. */
  function visitorOf(request: Request): { visitor: Visitor; cookie?: string } {
    const id = new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(request.headers.get('cookie') ?? '')?.[1] ?? ''
    const known = visitors.get(id)
    if (known) return { visitor: known }
    const fresh = crypto.randomUUID()
    const visitor: Visitor = {}
    const [oldest] = visitors.keys()
    if (visitors.size >= VISITORS_MAX && oldest !== undefined) visitors.delete(oldest)
    visitors.set(fresh, visitor)
    return { visitor, cookie: `${COOKIE}=${fresh}; Path=/; HttpOnly; SameSite=Lax` }
  }

  const go = (location: string) => new Response(null, { status: 303, headers: { location, 'referrer-policy': 'same-origin' } })

  async function show(visitor: Visitor, more: Omit<Shown, 'address' | 'tools'> = {}): Promise<Response> {
    return new Response(page({ address, ...(await look(visitor)), ...more }), { headers })
  }

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/style.css') return new Response(Bun.file(join(import.meta.dir, 'style.css')))
    const { visitor, cookie } = visitorOf(request)
    const response = await route(request, pathname, visitor).catch((error: unknown) => {
      if (error instanceof Trouble) return show(visitor, { trouble: error.message })
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
      return show(visitor, { trouble: 'That did not work. The log of this application says why.' })
    })
    if (cookie !== undefined) response.headers.set('set-cookie', cookie)
    return response
  }

  async function route(request: Request, pathname: string, visitor: Visitor): Promise<Response> {
    if (request.method === 'GET' && pathname === '/') return show(visitor)
    if (request.method === 'GET' && pathname === '/callback') {
      await tools.finish(visitor, new URL(request.url).searchParams)
      return go('/')
    }
    if (request.method !== 'POST') return new Response('Not found', { status: 404 })
    // A form of another site must not act for this visitor.
    if (request.headers.get('origin') !== origin) return new Response('From elsewhere', { status: 403 })
    if (pathname === '/connect') return go(await tools.begin(visitor))
    if (pathname === '/disconnect') {
      await tools.end(visitor)
      return go('/')
    }
    if (pathname === '/call') return show(visitor, { called: await call(visitor, new URLSearchParams(await request.text())) })
    return new Response('Not found', { status: 404 })
  }

  /** The list is asked for each time: what may be used changes in Toolpass, not here. */
  async function look(visitor: Visitor): Promise<Pick<Shown, 'tools' | 'trouble'>> {
    if (!visitor.tokens) return {}
    try {
      return { tools: await tools.list(visitor) }
    } catch (error) {
      return { trouble: error instanceof Trouble ? error.message : 'Toolpass does not answer just now.' }
    }
  }

  async function call(visitor: Visitor, form: URLSearchParams): Promise<NonNullable<Shown['called']>> {
    const name = form.get('tool') ?? ''
    const tool = (await tools.list(visitor)).find((each) => each.name === name)
    if (!tool) throw new Trouble('There is no such tool any more.')
    const result = await tools.call(
      visitor,
      name,
      given(() => argumentsOf(fieldsOf(tool), form)),
    )
    return { name, text: textOf(result), isError: result.isError === true }
  }

  return { origin, stop: () => server.stop(true) }
}

function given(read: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return read()
  } catch {
    throw new Trouble('One of the fields has to be JSON, and is not.')
  }
}

const textOf = ({ content, structuredContent }: CallToolResult): string =>
  content.length === 0 && structuredContent !== undefined
    ? JSON.stringify(structuredContent, null, 2)
    : content.map((part) => (part.type === 'text' ? part.text : `(${part.type})`)).join('\n')

if (import.meta.main) {
  const [address = 'http://localhost:8080/mcp', port = '3000'] = process.argv.slice(2)
  const { origin } = startSample({ address, port: Number(port) })
  process.stdout.write(`Open ${origin}\n`)
}
