/** ntfy, at ntfy.sh or one's own server: published as JSON, so that any letters may stand in it (docs.ntfy.sh/publish/#publish-as-json). */
import { Failure } from '@/lib/failure.ts'
import type { Outgoing, Sending, Topic } from '../message.ts'
import { demandAddress } from './address.ts'

export type Ntfy = { kind: 'ntfy'; server: string; topic: string; token?: string }

/** What ntfy itself allows. */
const TOPIC = /^[-_A-Za-z0-9]{1,64}$/
const TOKEN_CHARS_MAX = 200
const TAGS: Record<Topic, string> = { approvals: 'lock', changes: 'eyes', trouble: 'warning', digest: 'bar_chart' }
const [HIGH, USUAL] = [4, 3]

/** @throws Failure `invalid_form` */
export function readNtfy({ server, topic, token }: { server: string; topic: string; token: string }): Ntfy {
  const url = demandAddress(server.trim() === '' ? 'https://ntfy.sh' : server, 'server')
  if (!TOPIC.test(topic.trim()))
    throw new Failure('invalid_form', { fields: { topic: 'A topic is up to 64 letters, digits, hyphens and underscores.' } })
  const secret = token.trim()
  if (secret.length > TOKEN_CHARS_MAX || !/^[\x21-\x7e]*$/.test(secret))
    throw new Failure('invalid_form', { fields: { token: 'This is no access token of ntfy.' } })
  return { kind: 'ntfy', server: url.href, topic: topic.trim(), ...(secret !== '' && { token: secret }) }
}

export function toNtfy({ server, topic, token }: Ntfy, { topic: about, title, text, link, isUrgent }: Outgoing): Sending {
  const body = {
    topic,
    title,
    message: text,
    priority: isUrgent ? HIGH : USUAL,
    tags: [TAGS[about]],
    click: link,
    // It opens the page. One that decided without a sign-in would be a key in strangers' hands.
    actions: [{ action: 'view', label: about === 'approvals' ? 'Look and decide' : 'Open', url: link, clear: true }],
  }
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) }
  return { url: server, headers, body: JSON.stringify(body) }
}
