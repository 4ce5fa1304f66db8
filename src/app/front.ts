/** The front of the house: what every request meets first, and where it is led. */
import type { House } from '../app.ts'
import { profileIn } from '../gateway/index.ts'
import { createFront } from '../http/incoming.ts'
import { SECURITY_HEADERS } from '../http/reply.ts'
import { isFailure } from '../lib/failure.ts'
import type { App } from './routes.ts'
import { noteWrongHost } from './wrong-host.ts'

const BODY_BYTES_MAX = 16 * 1024 * 1024
/** A connection on which nothing happens for so long is closed; streams lift it for themselves. */
const IDLE_SECONDS = 60
const WELL_KNOWN = '/.well-known/'

/**
 * Host and peer are checked before any router sees the request.
 * @param app asked for with each request that is no call
 */
export function createFetch(house: House, app: () => Promise<App>, onUse: () => void = () => undefined) {
  const { addresses, log } = house
  const front = createFront({ addresses, trustedProxies: house.config.trustedProxies })
  const failed = (error: unknown, request: Request, server: Bun.Server<undefined>): Response => {
    if (isFailure(error, 'unknown_host')) noteWrongHost(house, request, server.requestIP(request)?.address ?? '')
    if (isFailure(error)) return new Response(error.message, { status: error.status, headers: SECURITY_HEADERS })
    log.error('a request failed', error)
    return new Response('Something broke on our side.', { status: 500, headers: SECURITY_HEADERS })
  }
  const routed = async (inside: Request, request: Request, server: Bun.Server<undefined>): Promise<Response> => {
    try {
      return health(inside, house) ?? (await (await app()).fetch(inside))
    } catch (error) {
      return failed(error, request, server)
    }
  }
  return (request: Request, server: Bun.Server<undefined>): Promise<Response> | Response => {
    try {
      onUse()
      const inside = withoutBase(request, addresses.base)
      if (!inside) return new Response('Not here.', { status: 404, headers: SECURITY_HEADERS })
      front.admit(inside, server.requestIP(request)?.address ?? '', () => server.timeout(request, 0))
      // Calls are many and their address is plain: they are not taken through the router, which leads to the same place.
      const profile = profileIn(inside.url)
      return profile === undefined ? routed(inside, request, server) : house.gateway.serve(inside, profile.name)
    } catch (error) {
      return failed(error, request, server)
    }
  }
}

/** Undefined when the address is outside our base path. Well-known documents stand at the root of the origin, whatever the base. */
function withoutBase(request: Request, base: string): Request | undefined {
  if (base === '') return request
  const url = new URL(request.url)
  if (url.pathname.startsWith(WELL_KNOWN)) return request
  if (url.pathname !== base && !url.pathname.startsWith(`${base}/`)) return undefined
  url.pathname = url.pathname.slice(base.length) || '/'
  return new Request(url, request)
}

/** Asked every few seconds by whoever watches over the process, and answered without anything that has to be loaded first. */
function health({ method, url }: Request, { audit }: House): Response | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  const { pathname } = new URL(url)
  if (pathname === '/healthz') return new Response('ok', { headers: SECURITY_HEADERS })
  if (pathname === '/readyz') return new Response(audit.lastSeq() >= 0 ? 'ok' : 'no', { headers: SECURITY_HEADERS })
  return undefined
}

/** Starts to listen. Throws a sentence for the terminal when the port is taken. */
export function listen(house: House, onUse?: () => void) {
  const { host, port } = house.config
  let app: Promise<App> | undefined
  const load = async () => (await import('./routes.ts')).createApp(house)
  const fetch = createFetch(house, () => (app ??= load()), onUse)
  return Bun.serve({ hostname: host, port, fetch, maxRequestBodySize: BODY_BYTES_MAX, idleTimeout: IDLE_SECONDS, development: false })
}
