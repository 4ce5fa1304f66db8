import { isIP } from 'node:net'
import { OutboundError } from './outbound-error.ts'
import {
  ADDRESSES_TRIED_MAX,
  bareHostname,
  demandAllowed,
  demandUrl,
  type Resolution,
  type Resolutions,
  resolutionOf,
} from './outbound-guard.ts'
import { headerLines } from './outbound-headers.ts'
import type { WireAnswer, WireBody, WirePlace, WireRequest, Wires } from './wire.ts'

export type ExchangeRequest = {
  method?: string | undefined
  /** A frozen record is read once and remembered, so what is the same for many requests costs nothing. */
  headers?: Readonly<Record<string, string>> | undefined
  /** Take the place of headers of the same name: a credential. */
  overriding?: Readonly<Record<string, string>> | undefined
  /** Must not be changed while the request is under way. */
  body?: WireBody | undefined
  /** Should live no longer than the request. Costs more than a scope. */
  signal?: AbortSignal | undefined
  /** Requests that can be ended together, by `endScope`. */
  scope?: object | undefined
  /** True only where an administrator entered the address: permits private and loopback ones on that host. */
  privateAllowed: boolean
  /** Until the answer is handed over. What is left of a streamed body is not timed. */
  headTimeoutMs: number
  /** Counted on the wire and again after unpacking. `Infinity` only where the reader has its own limit. */
  bodyBytesMax: number
}

/** What is the same for all requests to one URL. */
type Prepared = { hostname: string; isSecure: boolean; port: number; start: string; literal: Resolution | undefined; places: WirePlace[] }

const PREPARED_MAX = 1_000
const METHOD = /^[A-Z]{1,16}$/
/** The first would make a tunnel of the connection, the second an echo of our secrets. */
const METHODS_REFUSED = new Set(['CONNECT', 'TRACE'])
/** What URL parsing leaves of a path. Said again, because a line break in it would be a second request. */
const TARGET = /^[\x21-\x7e]+$/

type ExchangeDeps = { resolutions: Resolutions; wires: Pick<Wires, 'exchange'> }

/**
 * The lean way out, for what is sent many times a second: the same guard as `fetch`, over connections of our own. No redirect
 * is followed. Rejects with `OutboundError` only; so does reading a streamed body.
 */
export function createExchange({ resolutions, wires }: ExchangeDeps) {
  const known = new Map<string, Prepared>()

  function preparedFor(address: string): Prepared {
    const found = known.get(address)
    if (found !== undefined) return found
    const prepared = prepare(address)
    if (known.size >= PREPARED_MAX) known.delete(known.keys().next().value as string)
    known.set(address, prepared)
    return prepared
  }

  /** The addresses in turn until one takes the connection; what was sent to one is never sent to another. */
  async function tryNext(prepared: Prepared, addresses: readonly string[], request: WireRequest, refusal: unknown): Promise<WireAnswer> {
    let last = refusal
    for (const address of addresses) {
      if (!(last instanceof OutboundError) || last.kind !== 'connect') throw last
      try {
        return await wires.exchange(placeOf(prepared, address), request)
      } catch (error) {
        last = error
      }
    }
    if (last instanceof OutboundError && last.kind === 'connect') resolutions.forget(prepared.hostname)
    throw last
  }

  function send(prepared: Prepared, resolution: Resolution, privateAllowed: boolean, request: WireRequest): Promise<WireAnswer> {
    demandAllowed(prepared.hostname, resolution, privateAllowed)
    const [first = '', ...others] =
      resolution.addresses.length > 1 ? resolution.addresses.slice(0, ADDRESSES_TRIED_MAX) : resolution.addresses
    const answer = wires.exchange(placeOf(prepared, first), request)
    return prepared.literal === undefined ? answer.catch((error) => tryNext(prepared, others, request, error)) : answer
  }

  async function resolveAndSend(prepared: Prepared, privateAllowed: boolean, request: WireRequest): Promise<WireAnswer> {
    const resolution = await limited(resolutions.get(prepared.hostname), request)
    return send(prepared, resolution, privateAllowed, request)
  }

  return (address: string, asked: ExchangeRequest): Promise<WireAnswer> => {
    try {
      const prepared = preparedFor(address)
      const request = requestFor(prepared, asked)
      const resolution = prepared.literal ?? resolutions.kept(prepared.hostname)
      if (resolution === undefined) return resolveAndSend(prepared, asked.privateAllowed, request)
      return send(prepared, resolution, asked.privateAllowed, request)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

function prepare(address: string): Prepared {
  const url = demandUrl(address)
  const hostname = bareHostname(url)
  const isSecure = url.protocol === 'https:'
  const target = `${url.pathname}${url.search}`
  if (!TARGET.test(target)) throw new OutboundError('request', 'This is no address.')
  return {
    hostname,
    isSecure,
    port: Number(url.port) || (isSecure ? 443 : 80),
    // Nothing is asked for packed, because sizes are limited on the wire; a server that packs anyway is unpacked under the limit.
    start: ` ${target} HTTP/1.1\r\nhost: ${url.host}\r\naccept-encoding: identity\r\n`,
    literal: isIP(hostname) === 0 ? undefined : resolutionOf([hostname]),
    places: [],
  }
}

function placeOf(prepared: Prepared, address: string): WirePlace {
  for (const place of prepared.places) if (place.address === address) return place
  const { hostname, isSecure, port } = prepared
  // A connection that was verified for one name is never used for another, even at the same address.
  const key = `${address} ${port} ${isSecure ? hostname : ''}`
  const place: WirePlace = { key, address, port, isSecure, hostname }
  if (prepared.places.length >= ADDRESSES_TRIED_MAX) prepared.places.shift()
  prepared.places.push(place)
  return place
}

function requestFor({ start }: Prepared, asked: ExchangeRequest): WireRequest {
  const { method = 'GET', headers, overriding, body, signal, scope, headTimeoutMs, bodyBytesMax } = asked
  if (method !== 'POST' && (!METHOD.test(method) || METHODS_REFUSED.has(method)))
    throw new OutboundError('request', 'This is no method that is used here.')
  const { text, isAscii } = headerLines(headers, overriding)
  return { method, head: `${method}${start}${text}`, isAscii, body, timeoutMs: headTimeoutMs, bodyBytesMax, signal, scope }
}

/** Settles with the resolver, the abort or the time limit, whichever is first: a resolver cannot be interrupted. */
function limited<T>(work: Promise<T>, { signal, timeoutMs }: WireRequest): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = () => reject(new OutboundError('aborted', 'The request was given up.', signal?.reason))
  const onLate = () => reject(new OutboundError('timeout', `No answer within ${Math.ceil(timeoutMs / 1_000)} s.`))
  const timer = setTimeout(onLate, timeoutMs)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  work.then(resolve, reject).finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  })
  return promise
}
