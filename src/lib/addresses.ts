import { isIPv4, isIPv6 } from 'node:net'

/**
 * What an address is to us.
 * - `public`: anyone on the internet means the same machine by it.
 * - `private`: ours or our neighbours' (loopback, LAN, VPN); reachable only where an administrator named it.
 * - `forbidden`: never spoken to, whoever asks: cloud metadata (link-local and the odd ones outside it), multicast,
 *   reserved ranges, and tunnels that hide another address inside.
 */
export type AddressKind = 'public' | 'private' | 'forbidden'

type Range = readonly [network: string, prefixBits: number, kind: AddressKind]

// IANA special-purpose registries (RFC 6890 and what came after). The first match wins; what matches nothing is public in
// IPv4, and in IPv6 only inside 2000::/3, the one block that is handed out.
const RANGES_V4: readonly Range[] = [
  ['100.100.100.200', 32, 'forbidden'], // Alibaba's metadata service, inside the shared range
  ['168.63.129.16', 32, 'forbidden'], // Azure's wire server, a public address that only the host answers
  ['0.0.0.0', 8, 'forbidden'], // "this host": Linux connects it to loopback
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'private'], // shared (CGNAT), also Tailscale's
  ['127.0.0.0', 8, 'private'],
  ['169.254.0.0', 16, 'forbidden'], // link-local: cloud metadata lives here
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'forbidden'],
  ['192.0.2.0', 24, 'forbidden'],
  ['192.88.99.0', 24, 'forbidden'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'private'], // benchmarking; some VPN clients answer DNS with it
  ['198.51.100.0', 24, 'forbidden'],
  ['203.0.113.0', 24, 'forbidden'],
  ['224.0.0.0', 3, 'forbidden'], // multicast, reserved, broadcast
]
const RANGES_V6: readonly Range[] = [
  ['::1', 128, 'private'],
  ['fd00:ec2::', 32, 'forbidden'], // AWS metadata, inside the unique local range
  ['fd20:ce::', 32, 'forbidden'], // Google's metadata, likewise
  ['fc00::', 7, 'private'],
  ['fec0::', 10, 'private'], // site-local, retired
  ['64:ff9b:1::', 48, 'private'], // NAT64 of one's own network
  ['2001::', 23, 'forbidden'], // Teredo, ORCHID, benchmarking
  ['2001:db8::', 32, 'forbidden'],
  ['2002::', 16, 'forbidden'], // 6to4 carries an IPv4 address that a relay would reach for us
  ['3fff::', 20, 'forbidden'],
  ['2000::', 3, 'public'],
]

/** Reads one literal address. Anything that is none, a zone index included, is `forbidden`. */
export function kindOfAddress(address: string): AddressKind {
  if (isIPv4(address)) return match(V4, bitsOfV4(address)) ?? 'public'
  if (!isIPv6(address) || address.includes('%')) return 'forbidden'
  const bits = bitsOfV6(address)
  const inner = innerV4(bits)
  if (inner !== undefined) return match(V4, inner) ?? 'public'
  return match(V6, bits) ?? 'forbidden'
}

/**
 * The network an address belongs to: the /24 of IPv4, the /64 of IPv6. Fine enough to tell home from work, too coarse to
 * follow a person by. Undefined for what is no address.
 */
export function blockOf(address: string): string | undefined {
  if (isIPv4(address)) return `${address.split('.', 3).join('.')}.0/24`
  if (!isIPv6(address) || address.includes('%')) return undefined
  const bits = bitsOfV6(address)
  const inner = innerV4(bits)
  if (inner !== undefined) return `${[24n, 16n, 8n].map((shift) => (inner >> shift) & 0xffn).join('.')}.0/24`
  const groups = [112n, 96n, 80n, 64n].map((shift) => ((bits >> shift) & 0xffffn).toString(16))
  while (groups.at(-1) === '0') groups.pop()
  return `${groups.join(':')}::/64`
}

/** Whom a limit counts as one: an IPv4 address, and the /64 of IPv6, which one subscriber has to spend. */
export const networkOf = (address: string): string => (isIPv6(address) ? (blockOf(address) ?? address) : address)

/** IPv4 written as IPv6 (::ffff:0:0/96) and the well-known NAT64 prefix (64:ff9b::/96) mean the IPv4 address within. */
function innerV4(bits: bigint): bigint | undefined {
  const prefix = bits >> 32n
  return prefix === MAPPED || prefix === NAT64 ? bits & 0xffff_ffffn : undefined
}
const MAPPED = 0xffffn
const NAT64 = 0x0064_ff9b_0000_0000_0000_0000n

type Compiled = { network: bigint; shift: bigint; kind: AddressKind }
const V4 = RANGES_V4.map((range) => compile(range, bitsOfV4, 32))
const V6 = RANGES_V6.map((range) => compile(range, bitsOfV6, 128))

function compile([network, prefixBits, kind]: Range, bitsOf: (text: string) => bigint, width: number): Compiled {
  const shift = BigInt(width - prefixBits)
  return { network: bitsOf(network) >> shift, shift, kind }
}

function match(ranges: readonly Compiled[], bits: bigint): AddressKind | undefined {
  for (const { network, shift, kind } of ranges) if (bits >> shift === network) return kind
  return undefined
}

function bitsOfV4(text: string): bigint {
  let bits = 0n
  for (const part of text.split('.')) bits = (bits << 8n) | BigInt(part)
  return bits
}

/** `text` has passed `isIPv6`, so only the spelling is left to undo: `::` and a dotted tail. */
function bitsOfV6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const tail = dotted ? bitsOfV4(dotted[2] as string) : 0n
  const plain = dotted ? `${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}` : text
  const [left = '', right] = plain.split('::')
  const head = left === '' ? [] : left.split(':')
  const rest = right === undefined || right === '' ? [] : right.split(':')
  const gap = Array<string>(8 - head.length - rest.length).fill('0')
  let bits = 0n
  for (const group of [...head, ...gap, ...rest]) bits = (bits << 16n) | BigInt(`0x${group}`)
  return bits
}
