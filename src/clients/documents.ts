/** Client ID metadata documents: an https address that is a client's id and holds its description. */
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { JsonError, parseJson } from '@/lib/json.ts'
import { type Outbound, OutboundError } from '@/lib/outbound.ts'
import { describe, type Described } from './metadata.ts'
import { OAuthProblem } from './problem.ts'

const BYTES_MAX = 5 * 1024
const TIMEOUT_MS = 5 * SECOND_MS
const ADDRESS_LENGTH_MAX = 500
const FRESH_MS = HOUR_MS
const FRESH_MIN_MS = MINUTE_MS
const FRESH_MAX_MS = 24 * HOUR_MS

export const isDocumentAddress = (identifier: string): boolean => /^https:/i.test(identifier)

/** The host gives us no document at all: what it gave before stays good. */
export class DocumentUnavailable extends OAuthProblem {
  constructor(description: string) {
    super('invalid_client', description)
  }
}
const refuse = (description: string) => new OAuthProblem('invalid_client', description)

/**
 * Why this address can be no client id, or undefined. As written, not as a parser would put it right: the id is compared byte
 * by byte, so each client has one spelling.
 */
export function addressProblem(identifier: string): string | undefined {
  if (identifier.length > ADDRESS_LENGTH_MAX) return 'the client_id is too long'
  const url = URL.parse(identifier)
  if (url?.protocol !== 'https:') return 'the client_id is no https address'
  if (url.username || url.password || /^https:\/\/[^/?]*@/i.test(identifier)) return 'the client_id has a user in it'
  if (identifier.includes('#')) return 'the client_id has a fragment'
  if (/[/\\](\.|%2e){1,2}([/\\]|$)/i.test(identifier.split('?', 1)[0] ?? '')) return 'the client_id has dot segments'
  if (url.pathname === '/') return 'the client_id has no path'
  return url.href === identifier ? undefined : 'the client_id is not written in its normal form'
}

export type Fetched = { described: Described; freshForMs: number }

/**
 * @throws DocumentUnavailable when there is none to be had, OAuthProblem `invalid_client` when there is one that is wrong;
 * both in words that may be shown
 */
export async function fetchDocument(outbound: Pick<Outbound, 'fetch'>, address: string): Promise<Fetched> {
  const limits = { privateAllowed: false, redirectsMax: 0, timeoutMs: TIMEOUT_MS, bodyBytesMax: BYTES_MAX }
  try {
    const answer = await outbound.fetch(address, { ...limits, headers: { accept: 'application/json' } })
    const problem = headProblem(answer)
    if (problem) {
      void answer.body?.cancel().catch(() => {})
      throw problem
    }
    return { described: read(await answer.text(), address), freshForMs: freshness(answer.headers) }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    throw new DocumentUnavailable(`its metadata document could not be fetched: ${error.message.replace(/\.$/, '')}`)
  }
}

function headProblem({ status, headers }: Response): OAuthProblem | undefined {
  // Gone is the one status by which an owner takes a document back; the others are also what servers say to strangers.
  if (status === 410) return refuse('its metadata document is gone')
  if (status !== 200) return new DocumentUnavailable(`its metadata document was answered with status ${status}`)
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const isJson = type === 'application/json' || /^application\/[\w.+-]+\+json$/.test(type)
  // A page instead is what hosts show to whom they take for a robot.
  return isJson ? undefined : new DocumentUnavailable('its metadata document is not served as JSON')
}

function read(text: string, address: string): Described {
  let said: unknown
  try {
    said = parseJson(text)
  } catch (error) {
    if (error instanceof JsonError) throw refuse('its metadata document is no JSON')
    throw error
  }
  const metadata = typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {}
  if (metadata['client_id'] !== address) throw refuse('its metadata document names another client_id')
  if ('client_secret' in metadata || 'client_secret_expires_at' in metadata) throw refuse('its metadata document holds a secret')
  // Nothing secret can stand in a public document, so without a word about it the client has none.
  const method = metadata['token_endpoint_auth_method'] ?? 'none'
  if (method !== 'none' && method !== 'private_key_jwt') throw refuse('its metadata document asks for a shared secret')
  try {
    return describe({ ...metadata, token_endpoint_auth_method: method })
  } catch (error) {
    if (error instanceof OAuthProblem) throw refuse(`its metadata document is not valid: ${error.description}`)
    throw error
  }
}

/** As long as the answer says, within bounds: a document must be able to change, and not be asked for at each click. */
function freshness(headers: Headers): number {
  const control = headers.get('cache-control') ?? ''
  if (/\bno-(store|cache)\b/i.test(control)) return FRESH_MIN_MS
  const [, seconds] = /\bmax-age=(\d{1,10})/i.exec(control) ?? []
  if (seconds === undefined) return FRESH_MS
  return Math.min(FRESH_MAX_MS, Math.max(FRESH_MIN_MS, Number(seconds) * SECOND_MS))
}
