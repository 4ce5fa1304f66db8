/** Requests that the front of the house turns away never reach a room; the doctor has to hear of them all the same. */
import type { Trace } from '@/audit'
import type { Addresses } from '@/lib/url.ts'

// What an app asks for. Whoever tries our pages under a wrong name reads the reason in their browser.
const FOR_APPS = /^\/(?:.*\/)?(mcp|oauth|\.well-known)(\/|$)/
const HOST = /^[a-z0-9.:[\]_-]{1,255}$/i

type Turned = { trace: Pick<Trace, 'note'>; addresses: Pick<Addresses, 'originOf'> }

/** Where the public address is unset or wrong, a proxy passes on a name that is not ours. */
export function noteWrongHost({ trace, addresses }: Turned, request: Request, peer: string): void {
  if (!FOR_APPS.test(new URL(request.url).pathname)) return
  const own = request.headers.get('host') ?? ''
  const forwarded = request.headers.get('x-forwarded-host')?.split(',').at(-1)?.trim()
  // Where the name itself is good, it was the one that a proxy told.
  const why = refusalOf(addresses, own)
  const asked = why === undefined ? (forwarded ?? own) : own
  const host = HOST.test(asked) ? asked : 'a host name that cannot be read'
  const reason = why?.includes('http') ? 'plain_http' : 'wrong_host'
  trace.note({ step: 'request', outcome: 'refused', reason, address: peer.replace(/^::ffff:(?=\d+\.)/, ''), detail: { host } })
}

function refusalOf({ originOf }: Pick<Addresses, 'originOf'>, host: string): string | undefined {
  try {
    originOf(host, false)
    return undefined
  } catch (error) {
    return (error as Error).message.startsWith('Plain http') ? 'plain http' : 'unknown'
  }
}
