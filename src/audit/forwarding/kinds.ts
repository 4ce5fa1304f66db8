/** What a forwarder is: where the trail goes as it grows, and how it is said there. */
import { z } from 'zod'
import type { Outbound } from '@/lib/outbound.ts'
import type { forwarders } from '@/store'
import type { AuditRow } from '../chain.ts'

export type ForwarderRow = typeof forwarders.$inferSelect
export type Kind = ForwarderRow['kind']

const Url = z
  .string()
  .trim()
  .max(2_048)
  .refine((text) => ['https:', 'http:'].includes(URL.parse(text)?.protocol ?? ''), 'Give an address that begins with https:// or http://.')
const Host = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'Give the name or address of a host.')
/** A line of a header, as OpenTelemetry's own programs take it in `OTEL_EXPORTER_OTLP_HEADERS`: one `name=value`, or `Name: value`. */
const Header = z
  .string()
  .trim()
  .regex(/^$|^[A-Za-z0-9-]{1,64}\s*[=:]\s*[\x21-\x7e][\x20-\x7e]{0,2000}$/, 'Write it as “Name: value”.')

/** Addresses may hold a secret, so all of it is sealed; what a page shows is the host. */
export const Otlp = z.object({ kind: z.literal('otlp'), url: Url, header: Header.default(''), logs: z.boolean(), traces: z.boolean() })
export const Webhook = z.object({
  kind: z.literal('webhook'),
  url: Url,
  secret: z.string().min(16, 'Use at least 16 characters.').max(200),
})
export const Syslog = z.object({
  kind: z.literal('syslog'),
  host: Host,
  port: z.number().int().min(1, 'Give a port.').max(65_535, 'Give a port.'),
  isSecure: z.boolean(),
})
export const Target = z.discriminatedUnion('kind', [Otlp, Webhook, Syslog])
export type Target = z.infer<typeof Target>

/** The house, as receivers are told of it. */
export type Source = { version: string; host: string; origin: string }
export type Sending = {
  rows: readonly AuditRow[]
  outbound: Pick<Outbound, 'fetch' | 'deliver'>
  source: Source
  now: number
  isTest: boolean
}

/** What a page shows of it. */
export function hostOf(target: Target): string {
  return target.kind === 'syslog' ? `${target.host}:${target.port}` : (URL.parse(target.url)?.host ?? '')
}

/** A sentence for whoever set it up. */
export class NotTaken extends Error {}

const TIMEOUT_MS = 20_000
const ANSWER_BYTES_MAX = 64 * 1024
/** Redirects are not followed: what is sent is meant for that address alone. */
const LIMITS = { privateAllowed: true, timeoutMs: TIMEOUT_MS, bodyBytesMax: ANSWER_BYTES_MAX, redirectsMax: 0 } as const

/** @returns what was answered. @throws NotTaken, OutboundError */
export async function posted(
  outbound: Pick<Outbound, 'fetch'>,
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<string> {
  const answer = await outbound.fetch(url, { ...LIMITS, method: 'POST', body, headers })
  const text = await answer.text()
  if (!answer.ok) throw new NotTaken(`${URL.parse(url)?.host} answered with ${answer.status}.`)
  return text
}
export const deliverLimits = { privateAllowed: true, timeoutMs: TIMEOUT_MS } as const
