/** Requests that the front of the house turns away never reach a room; the doctor has to hear of them all the same. */
import type { Trace } from '@/audit'

// What an app asks for. Whoever tries our pages under a wrong name reads the reason in their browser.
const FOR_APPS = /^\/(?:.*\/)?(mcp|oauth|\.well-known)(\/|$)/
const HOST = /^[a-z0-9.:[\]_-]{1,255}$/i

/** Where the public address is unset or wrong, a proxy passes on a name that is not ours. */
export function noteWrongHost(trace: Pick<Trace, 'note'>, request: Request, peer: string): void {
  if (!FOR_APPS.test(new URL(request.url).pathname)) return
  const asked = request.headers.get('host') ?? ''
  const host = HOST.test(asked) ? asked : 'a host name that cannot be read'
  trace.note({
    step: 'request',
    outcome: 'refused',
    reason: 'wrong_host',
    address: peer.replace(/^::ffff:(?=\d+\.)/, ''),
    detail: { host },
  })
}
