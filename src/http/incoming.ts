/**
 * What is known of a request before any route sees it: who is at the other end, under which of our addresses. Made once at
 * the front of the house, where Host and proxies are checked; handlers read it here and never look at those headers again.
 */
import { BlockList, isIP } from 'node:net'
import type { Addresses } from '@/lib/url.ts'
import { Failure } from '@/lib/failure.ts'

export type Incoming = {
  /** Our origin as this client sees it, for example `https://tools.example.org`. */
  origin: string
  /** The client's address, behind trusted proxies the one they tell. */
  address: string
  secure: boolean
  /** Lets its connection be silent for longer than others may: its answer takes its time, or is a stream. */
  hold(): void
}

const known = new WeakMap<Request, Incoming>()

/** @throws when the request did not come through the front: a fault of ours, never of the client. */
export function incomingOf(request: Request): Incoming {
  const incoming = known.get(request)
  if (!incoming) throw new Error('this request did not come through the front')
  return incoming
}

export type Front = {
  /** Checks Host and peer. @throws Failure `bad_request`, `unknown_host` */
  admit(request: Request, peer: string, hold?: () => void): Incoming
}

const mapped = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '')

export function createFront(options: { addresses: Addresses; trustedProxies: readonly string[] }): Front {
  const trusted = blockList(options.trustedProxies)
  const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return {
    admit(request, peerAddress, hold = () => undefined) {
      const peer = mapped(peerAddress)
      const headers = request.headers
      const behindProxy = options.trustedProxies.length > 0 && isTrusted(peer)
      const host = (behindProxy && lastOf(headers.get('x-forwarded-host'))) || headers.get('host')
      if (!host) throw new Failure('bad_request')
      const secure = behindProxy ? lastOf(headers.get('x-forwarded-proto')) === 'https' : request.url.startsWith('https:')
      const address = behindProxy ? clientBehind(headers.get('x-forwarded-for'), isTrusted, peer) : peer
      const incoming = { origin: options.addresses.originOf(host, secure), address, secure, hold }
      known.set(request, incoming)
      return incoming
    },
  }
}

const lastOf = (header: string | null) => header?.split(',').at(-1)?.trim()

/** The first address from the right that is not one of our proxies: what stands further left, the client may have written. */
function clientBehind(header: string | null, isTrusted: (address: string) => boolean, peer: string): string {
  const hops = (header ?? '').split(',').map((hop) => mapped(hop.trim()))
  while (hops.length > 0) {
    const hop = hops.pop() as string
    if (isIP(hop) === 0) return peer
    if (!isTrusted(hop)) return hop
  }
  return peer
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}
