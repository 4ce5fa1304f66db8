import { kindOfAddress } from '@/lib/addresses.ts'
import { isLoopbackName } from '@/lib/url.ts'
import type { Reach } from '@views/setup.tsx'

// Names that no public DNS answers: mDNS (RFC 6762), home.arpa (RFC 8375), .internal (ICANN 2024), and what routers hand out.
const LOCAL_NAME = /^[^.]+$|\.(local|internal|lan|home|home\.arpa|localdomain)$/i
const isLiteral = (hostname: string) => hostname.startsWith('[') || /^\d+(\.\d+){3}$/.test(hostname)

/** From where a client can reach us at this origin, as far as the origin tells. Web-hosted clients insist on https. */
export function reachOf(origin: string): Reach {
  const { protocol, hostname } = new URL(origin)
  if (isLoopbackName(hostname) || hostname.endsWith('.localhost')) return 'this-computer'
  const isNear = isLiteral(hostname) ? kindOfAddress(hostname.replace(/^\[|\]$/g, '')) !== 'public' : LOCAL_NAME.test(hostname)
  return isNear || protocol !== 'https:' ? 'this-network' : 'internet'
}
