/**
 * Syslog (RFC 5424) over TLS (RFC 5425) or over plain TCP with octet counting (RFC 6587 §3.4.1). Not over UDP: it says to nobody that a
 * message was lost, and the trail is to lose none.
 */
import type { AuditRow } from '../chain.ts'
import { deliverLimits, type Sending, type Source, type Target } from './kinds.ts'
import { fieldsOf, sentenceOf } from './saying.ts'

type Syslog = Extract<Target, { kind: 'syslog' }>

/** Log audit (RFC 5424 §6.2.1). */
const FACILITY = 13
const SEVERITIES = { ok: 6, cancelled: 5, refused: 4, 'tool-error': 4, failed: 3 } as const
/** The number of an example organisation (RFC 5612), for parameters that nobody registered. */
const ELEMENT = 'toolpass@32473'
const VALUE_CHARS_MAX = 512
const BOM = '\uFEFF'

/** §6.3.3: these three are escaped. What breaks lines in somebody's viewer becomes a space. */
const escaped = (text: string): string =>
  text
    .slice(0, VALUE_CHARS_MAX)
    .replace(/\p{Cc}/gu, ' ')
    .replace(/["\\\]]/g, '\\$&')
/** §6: printable US-ASCII without a space. */
const token = (text: string, max: number): string => text.replace(/[^\x21-\x7e]/g, '').slice(0, max) || '-'

export function messageOf(row: AuditRow, { host, version }: Source): string {
  const { time, seq, detail, ...fields } = fieldsOf(row)
  const parameters = Object.entries({ seq, ...fields, ...(detail ? { detail: JSON.stringify(detail) } : {}), version })
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('')
  const text = sentenceOf(row).replace(/\p{Cc}/gu, ' ')
  return `<${FACILITY * 8 + SEVERITIES[row.outcome]}>1 ${time} ${token(host, 255)} toolpass - ${token(row.kind, 32)} [${ELEMENT}${parameters}] ${BOM}${text}`
}

export async function sendSyslog({ host, port, isSecure }: Syslog, { rows, outbound, source }: Sending): Promise<void> {
  const frames = rows.map((row) => {
    const message = Buffer.from(messageOf(row, source))
    return Buffer.concat([Buffer.from(`${message.length} `), message])
  })
  await outbound.deliver({ hostname: host, port, isSecure, ...deliverLimits }, Buffer.concat(frames))
}
