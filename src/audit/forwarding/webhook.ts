/**
 * A batch of rows as lines of JSON. The signature is over time and body, so that a receiver can tell ours from others' and now from then:
 * `hex(HMAC-SHA-256(secret, timestamp + "." + body))`.
 */
import { createHmac } from 'node:crypto'
import { posted, type Sending, type Target } from './kinds.ts'
import { fieldsOf } from './saying.ts'

type Webhook = Extract<Target, { kind: 'webhook' }>
const MS_IN_SECOND = 1_000

export const signatureOf = (secret: string, timestamp: number, body: string): string =>
  `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`

export async function sendWebhook({ url, secret }: Webhook, { rows, outbound, source, now, isTest }: Sending): Promise<void> {
  const body = rows.map((row) => `${JSON.stringify(fieldsOf(row))}\n`).join('')
  const timestamp = Math.floor(now / MS_IN_SECOND)
  await posted(outbound, url, body, {
    'content-type': 'application/x-ndjson',
    'toolpass-timestamp': String(timestamp),
    'toolpass-signature': signatureOf(secret, timestamp, body),
    'toolpass-source': source.origin,
    ...(isTest && { 'toolpass-test': 'true' }),
  })
}
