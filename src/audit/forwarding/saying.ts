/** A row in words and in names, the same for every receiver. Contents of calls never leave the house this way. */
import { createHash } from 'node:crypto'
import type { AuditRow } from '../chain.ts'

/** Everything that a row says, without what is empty. Times are in ISO 8601. */
export function fieldsOf(row: AuditRow): Record<string, unknown> {
  const { at, contentHash, ...rest } = row
  const fields: Record<string, unknown> = { time: new Date(at).toISOString() }
  for (const [name, value] of Object.entries(rest)) if (value !== null) fields[name] = value
  return fields
}

export const sentenceOf = ({ kind, action, subject, outcome, userName, clientName, reason }: AuditRow): string => {
  const what = subject ? `${action} ${subject}` : action
  const through = kind === 'call' && clientName ? ` through ${clientName}` : ''
  return `${what} by ${userName ?? 'unknown'}${through}: ${outcome}${reason ? ` (${reason})` : ''}`
}

const hexOf = (text: string, characters: number): string => createHash('sha256').update(text).digest('hex').slice(0, characters)

/** The client's own trace where it has one. Else one that comes from the row itself: the same each time it is sent. */
export const traceOf = ({ traceId, chain }: Pick<AuditRow, 'traceId' | 'chain'>) => ({
  traceId: traceId ?? hexOf(`trace ${chain}`, 32),
  spanId: hexOf(`span ${chain}`, 16),
})
