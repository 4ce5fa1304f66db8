/**
 * Our own addresses. Where `TOOLPASS_URL` is set, it is the one origin; where it is not, the origin is the one the browser
 * used, and only loopback names and literal addresses are believed, since a made-up Host would otherwise write our links.
 */
import { Failure } from './failure.ts'

export type Addresses = {
  /** Path of the installation without a trailing slash, `''` at the root. */
  readonly base: string
  /** The public origin for this request. @throws Failure `unknown_host`, `bad_request` */
  originOf(host: string, secure: boolean): string
}

export const isLoopbackName = (hostname: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
const isLiteral = (hostname: string) => /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i.test(hostname)

// A host as RFC 9110 §7.2 has it: a name or literal and perhaps a port, nothing that a URL parser would read otherwise.
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i

export function createAddresses(options: { url: URL | undefined; insecureHttp: boolean }): Addresses {
  const { url } = options
  const base = url ? url.pathname.replace(/\/+$/, '') : ''
  const refuse = (message?: string): never => {
    throw new Failure('unknown_host', message ? { message } : {})
  }
  const read = (host: string, secure: boolean): string => {
    if (!HOST.test(host)) throw new Failure('bad_request')
    const asked = `${secure ? 'https' : 'http'}://${host.toLowerCase()}`
    if (!URL.canParse(asked)) throw new Failure('bad_request')
    const { hostname, origin, host: normalHost } = new URL(asked)
    // The health check and the person at the machine come by loopback whatever the public address is.
    if (url) return normalHost === url.host ? url.origin : isLoopbackName(hostname) ? origin : refuse()
    if (isLoopbackName(hostname)) return origin
    if (!isLiteral(hostname)) refuse()
    if (!secure && !options.insecureHttp)
      refuse('Plain http on this address would send passwords in clear. Put https in front, or set TOOLPASS_INSECURE_HTTP=true.')
    return origin
  }
  /** A house has a handful of names, and reading one costs as much as looking up a token. Refused ones are not kept. */
  const known = new Map<string, string>()
  return {
    base,
    originOf(host, secure) {
      const key = secure ? `s ${host}` : host
      const origin = known.get(key)
      if (origin !== undefined) return origin
      if (known.size >= KNOWN_MAX) known.clear()
      const made = read(host, secure)
      known.set(key, made)
      return made
    },
  }
}
const KNOWN_MAX = 100
