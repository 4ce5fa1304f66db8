/** A webhook, signed as Standard Webhooks has it (standardwebhooks.com, "Signature scheme"), so that receivers find a library for it. */
import { createHmac, randomBytes } from 'node:crypto'
import type { Outgoing, Sending } from '../message.ts'
import { demandAddress } from './address.ts'

export type Webhook = { kind: 'webhook'; url: string; secret: string }

const SECRET = 'whsec_'
const SECRET_BYTES = 32

/** With a secret of its own, which is shown once. @throws Failure `invalid_form` */
export const readWebhook = ({ url }: { url: string }): Webhook => ({
  kind: 'webhook',
  url: demandAddress(url, 'url').href,
  secret: SECRET + randomBytes(SECRET_BYTES).toString('base64'),
})

export function toWebhook({ url, secret }: Webhook, { id, topic, title, text, link, at }: Outgoing, now: number): Sending {
  const body = JSON.stringify({ type: `toolpass.${topic}`, timestamp: new Date(at).toISOString(), data: { title, text, link } })
  const seconds = Math.floor(now / 1_000)
  const key = Buffer.from(secret.slice(SECRET.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  }
  return { url, headers, body }
}
