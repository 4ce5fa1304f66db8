import { isIP } from 'node:net'
import { boundedBody } from './outbound-body.ts'
import { createDeliver } from './outbound-dial.ts'
import { describeError, OutboundError } from './outbound-error.ts'
import { createExchange } from './outbound-exchange.ts'
import {
  ADDRESSES_TRIED_MAX,
  bareHostname,
  demandAllowed,
  demandUrl,
  keepResolutions,
  RESOLUTION_KEPT_MS,
  type Resolve,
  resolveBySystem,
} from './outbound-guard.ts'
import { HEADERS_OF_OURS } from './outbound-headers.ts'
import { createWires, type WireLimits } from './wire.ts'
import { unlessAborted } from './waiting.ts'

export { OutboundError, type OutboundErrorKind } from './outbound-error.ts'
export type { ExchangeRequest } from './outbound-exchange.ts'
export type { Resolve } from './outbound-guard.ts'
export type { WireAnswer } from './wire.ts'

export type OutboundRequest = {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  /** Should live no longer than the request. */
  signal?: AbortSignal
  /** True only where an administrator entered the address: permits private and loopback ones on that host. */
  privateAllowed: boolean
  timeoutMs: number
  /** `body` (default): the time limit holds until the last byte. `head`: until the headers are here, for streams. */
  timeoutCovers?: 'head' | 'body'
  /** Counted on the wire and again after unpacking. `Infinity` only where the reader has its own limit. */
  bodyBytesMax: number
  redirectsMax: number
}

/** A URL together with the one address that was checked for it. */
type Pinned = { url: URL; hostname: string; address: string }
export type TransportInit = { method: string; headers: Headers; body?: string | Uint8Array<ArrayBuffer>; signal: AbortSignal }
/** Speaks HTTP to the pinned address and to no other. */
export type Transport = (pinned: Pinned, init: TransportInit) => Promise<Response>

export type OutboundDeps = {
  resolve?: Resolve
  transport?: Transport
  /** PEM certificates to trust instead of the built-in list. */
  ca?: string
  limits?: Partial<WireLimits>
  /** How long an answer of the resolver is used. It is checked against the rules on every request all the same. */
  resolutionKeptMs?: number
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const EMPTY_STATUSES = new Set([204, 205, 304])
// A stranger's redirect gets these and nothing else: which of the other headers carry a secret cannot be told by name.
const HEADERS_ACROSS_ORIGINS = new Set(['accept', 'accept-language', 'content-type', 'user-agent'])
/**
 * The only way out of the house. Every name is resolved here once a request, each of its addresses checked, and the
 * connection made to a checked address, so a resolver that changes its mind (DNS rebinding) changes nothing.
 */
export function createOutbound(deps: OutboundDeps = {}) {
  const resolutions = keepResolutions(deps.resolve ?? resolveBySystem, deps.resolutionKeptMs ?? RESOLUTION_KEPT_MS)
  const transport = deps.transport ?? fetchPinned(deps.ca)
  const wires = createWires({ ca: deps.ca, ...(deps.limits === undefined ? {} : { limits: deps.limits }) })

  /** One URL, no redirects: the addresses in turn until one takes the connection. */
  async function send(url: URL, request: OutboundRequest, init: TransportInit): Promise<Response> {
    const hostname = bareHostname(url)
    const resolution = await unlessAborted(init.signal, resolutions.get(hostname))
    demandAllowed(hostname, resolution, request.privateAllowed)
    let refusal: OutboundError | undefined
    for (const address of resolution.addresses.slice(0, ADDRESSES_TRIED_MAX)) {
      try {
        return await transport({ url, hostname, address }, init)
      } catch (error) {
        refusal = describeError(error, hostname)
        if (refusal.kind !== 'connect') throw refusal
      }
    }
    resolutions.forget(hostname)
    throw refusal ?? new OutboundError('resolve', `${hostname} has no address.`)
  }

  async function follow(first: URL, request: OutboundRequest, init: TransportInit): Promise<[URL, Response]> {
    let url = first
    let asked = request
    for (let followed = 0; ; followed += 1) {
      const response = await send(url, asked, init)
      const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null
      if (location === null || request.redirectsMax === 0) return [url, response]
      void response.body?.cancel().catch(() => {})
      if (followed >= request.redirectsMax) throw new OutboundError('redirect', `${first.hostname} redirected too often.`)
      const next = demandTarget(location, url)
      // An address that was discovered may not be private, even where the administrator's own may.
      if (next.hostname !== url.hostname) asked = { ...asked, privateAllowed: false }
      redirectInit(init, response.status, next.origin !== url.origin)
      url = next
    }
  }

  /** Rejects with `OutboundError` only; so does reading the body. */
  async function outboundFetch(address: string, request: OutboundRequest): Promise<Response> {
    const first = demandUrl(address)
    const headers = ownHeaders(request.headers)
    const limit = startLimit(request)
    const body = request.body === undefined ? {} : { body: request.body }
    const init: TransportInit = { method: request.method ?? 'GET', headers, signal: limit.signal, ...body }
    try {
      const [url, response] = await follow(first, request, init)
      return finish(url, response, request, limit, init.method === 'HEAD')
    } catch (error) {
      limit.end()
      throw limit.reason() ?? describeError(error, first.hostname)
    }
  }

  /** The same guard in the shape of the platform's `fetch`, for libraries that want one. */
  const asFetch =
    (limits: Pick<OutboundRequest, 'privateAllowed' | 'timeoutMs' | 'timeoutCovers' | 'bodyBytesMax' | 'redirectsMax'>) =>
    async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
      const request = new Request(input, init)
      const bytes = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer())
      return outboundFetch(request.url, {
        ...limits,
        method: request.method,
        headers: Object.fromEntries(request.headers as unknown as Iterable<[string, string]>),
        ...(bytes === undefined ? {} : { body: bytes }),
        ...(init.signal ? { signal: init.signal } : {}),
      })
    }

  return {
    fetch: outboundFetch,
    asFetch,
    exchange: createExchange({ resolutions, wires }),
    /** Bytes to a port, for what speaks no HTTP. */
    deliver: createDeliver({ resolutions, ca: deps.ca }),
    /** Ends what was sent by `exchange` with this scope and has no whole answer yet. */
    endScope: wires.endScope,
    /** Closes the connections of `exchange`. Safe to call twice. */
    close: wires.close,
    /** What there is of those connections at the moment. */
    count: wires.count,
  }
}
export type Outbound = ReturnType<typeof createOutbound>

function demandTarget(location: string, from: URL): URL {
  const absolute = URL.parse(location, from.href)
  if (absolute === null) throw new OutboundError('redirect', `${from.hostname} redirected to something that is no address.`)
  const next = demandUrl(absolute.href)
  if (from.protocol === 'https:' && next.protocol === 'http:')
    throw new OutboundError('redirect', `${from.hostname} redirected from https to plain http.`)
  return next
}

function ownHeaders(given: Record<string, string> = {}): Headers {
  let headers: Headers
  try {
    headers = new Headers(given)
  } catch (error) {
    throw new OutboundError('request', 'A header has characters that a header cannot have.', error)
  }
  for (const name of HEADERS_OF_OURS) headers.delete(name)
  if (!headers.has('user-agent')) headers.set('user-agent', 'Toolpass')
  // Sizes are limited on the wire, so nothing is asked for packed; a server that packs anyway is unpacked under the limit.
  headers.set('accept-encoding', 'identity')
  return headers
}

/** The fetch standard's rules for method and body (§4.4), stricter ones for headers. */
function redirectInit(init: TransportInit, status: number, acrossOrigins: boolean): void {
  const toGet = status === 303 ? init.method !== 'HEAD' : (status === 301 || status === 302) && init.method === 'POST'
  if (toGet) {
    init.method = 'GET'
    delete init.body
    init.headers.delete('content-type')
  }
  if (!acrossOrigins) return
  for (const name of [...init.headers.keys()])
    if (!HEADERS_ACROSS_ORIGINS.has(name) && name !== 'accept-encoding') init.headers.delete(name)
}

type Limit = { signal: AbortSignal; reason(): OutboundError | undefined; end(): void; headIsHere(): void }

function startLimit({ signal, timeoutMs, timeoutCovers }: OutboundRequest): Limit {
  const controller = new AbortController()
  let reason: OutboundError | undefined
  const stop = (why: OutboundError) => {
    reason ??= why
    controller.abort(why)
  }
  const onAbort = () => stop(new OutboundError('aborted', 'The request was given up.', signal?.reason))
  const seconds = Math.ceil(timeoutMs / 1000)
  const timer = setTimeout(() => stop(new OutboundError('timeout', `No answer within ${seconds} s.`)), timeoutMs)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    reason: () => reason,
    headIsHere: () => {
      if (timeoutCovers === 'head') clearTimeout(timer)
    },
    end: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

function finish(url: URL, response: Response, request: OutboundRequest, limit: Limit, headOnly: boolean): Response {
  limit.headIsHere()
  const encoding = response.headers.get('content-encoding')?.toLowerCase() ?? 'identity'
  const announced = Number(response.headers.get('content-length') ?? Number.NaN)
  const tooLarge = () => new OutboundError('too-large', `${url.hostname} sent more than ${request.bodyBytesMax} bytes.`)
  if (headOnly || response.body === null || EMPTY_STATUSES.has(response.status)) {
    limit.end()
    return named(new Response(null, { status: response.status, headers: response.headers }), url)
  }
  if (announced > request.bodyBytesMax) {
    void response.body.cancel().catch(() => {})
    throw tooLarge()
  }
  // The way of most answers: HTTP itself holds a body to its announced length, so nothing needs to sit in the stream.
  if (encoding === 'identity' && announced >= 0 && request.timeoutCovers === 'head') return named(response, url)
  const headers = new Headers(response.headers)
  if (encoding !== 'identity') for (const name of ['content-encoding', 'content-length']) headers.delete(name)
  const body = boundedBody(response.body, {
    encoding,
    bytesMax: request.bodyBytesMax,
    tooLarge,
    describe: (error) => limit.reason() ?? describeError(error, url.hostname),
    end: limit.end,
  })
  return named(new Response(body, { status: response.status, headers }), url)
}

/** The connection went to a bare address; callers want to see the URL they know. */
const named = (response: Response, url: URL): Response => Object.defineProperty(response, 'url', { value: url.href })

/**
 * Bun's fetch, aimed at the address itself: `Host` names the site, `tls.serverName` is both the SNI and the name that the
 * certificate is verified for. Bun keeps idle connections apart by address, port and TLS settings, so a connection that was
 * verified for one name is never used for another at the same address (test/unit/outbound.test.ts proves all three).
 */
function fetchPinned(ca: string | undefined): Transport {
  return ({ url, hostname, address }, { method, headers, body, signal }) => {
    const target = new URL(url)
    target.hostname = address.includes(':') ? `[${address}]` : address
    headers.set('host', url.host)
    const tls = { ...(isIP(hostname) === 0 ? { serverName: hostname } : {}), ...(ca === undefined ? {} : { ca }) }
    const secure = url.protocol === 'https:' ? { tls } : {}
    // `timeout: false` switches off Bun's own five minutes; `decompress: false` lets us count what is on the wire.
    const options = { method, headers, signal, redirect: 'manual', decompress: false, timeout: false, ...secure }
    return fetch(target.href, { ...options, ...(body === undefined ? {} : { body }) } as RequestInit)
  }
}
