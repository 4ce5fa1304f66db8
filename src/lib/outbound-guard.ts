import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type AddressKind, kindOfAddress } from './addresses.ts'
import { OutboundError } from './outbound-error.ts'

/** All addresses of a name, literal. */
export type Resolve = (hostname: string) => Promise<readonly string[]>
/** The addresses of a name with the worst that one of them is. */
export type Resolution = { addresses: readonly string[]; worst: AddressKind }

export const RESOLUTION_KEPT_MS = 10_000
export const ADDRESSES_TRIED_MAX = 4
const RESOLUTIONS_MAX = 1_000
const URL_CHARS_MAX = 8_192

export function demandUrl(address: string): URL {
  const url = address.length <= URL_CHARS_MAX ? URL.parse(address) : null
  if (url === null) throw new OutboundError('request', 'This is no address.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new OutboundError('request', 'Only http and https addresses work here.')
  // Userinfo hides the real host from the eye (https://good.example@evil.example) and puts a secret into logs.
  if (url.username !== '' || url.password !== '') throw new OutboundError('request', 'An address must not contain a user name or password.')
  return url
}

export const bareHostname = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')

/** All addresses must be in bounds, not just the one we would take: a name with both is an attack or a mistake. */
export function demandAllowed(hostname: string, { addresses, worst }: Resolution, privateAllowed: boolean): void {
  if (addresses.length === 0) throw new OutboundError('resolve', `${hostname} has no address.`)
  if (worst === 'public' || (worst === 'private' && privateAllowed)) return
  throw new OutboundError('address', `${hostname} leads to a network address that is not allowed here.`)
}

/** What the addresses are is looked up once, and held against what the request may do each time. */
export function resolutionOf(addresses: readonly string[]): Resolution {
  const kinds = new Set(addresses.map(kindOfAddress))
  return { addresses, worst: kinds.has('forbidden') ? 'forbidden' : kinds.has('private') ? 'private' : 'public' }
}

export async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true, order: 'ipv4first' })
  return found.map(({ address }) => address)
}

/** The name service, asked once for each name and a while. */
export function keepResolutions(resolve: Resolve, keptMs: number) {
  const kept = new Map<string, { resolution: Promise<Resolution>; settled?: Resolution; untilMs: number }>()
  async function ask(hostname: string): Promise<Resolution> {
    try {
      return resolutionOf(await resolve(hostname))
    } catch (error) {
      kept.delete(hostname)
      throw new OutboundError('resolve', `${hostname} is not known to the name service.`, error)
    }
  }
  return {
    get: (hostname: string): Promise<Resolution> => {
      if (isIP(hostname) !== 0) return Promise.resolve(resolutionOf([hostname]))
      const now = performance.now()
      const known = kept.get(hostname)
      if (known !== undefined && known.untilMs > now) return known.resolution
      const asked = { resolution: ask(hostname), untilMs: now + keptMs }
      if (kept.size >= RESOLUTIONS_MAX) kept.delete(kept.keys().next().value as string)
      kept.set(hostname, asked)
      asked.resolution.then(
        (settled) => void Object.assign(asked, { settled }),
        () => {},
      )
      return asked.resolution
    },
    /** What is kept and still holds, without a turn of the event loop. */
    kept: (hostname: string): Resolution | undefined => {
      const known = kept.get(hostname)
      return known !== undefined && known.untilMs > performance.now() ? known.settled : undefined
    },
    forget: (hostname: string): void => void kept.delete(hostname),
  }
}
export type Resolutions = ReturnType<typeof keepResolutions>
