/** What is kept of a call, as its page shows it. */
import type { AuditRow, KeptContents } from '@/audit'
import type { JsonObject } from '@/plugins'
import type { CallContents } from '@views/call-parts.tsx'
import type { Span } from '@views/parts/chart.tsx'

const US_IN_MS = 1_000

/** JSON over lines; what is none stays as it is. */
export function laidOut(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2)
  } catch {
    return json
  }
}

/** As `audit/redaction` marks what it took out, and what was too long. */
const TAKEN_OUT = /\[(?:redacted|cut: |\d+ (?:bytes|characters) of )/

/** The arguments, where they are what was sent, whole and with nothing taken out. */
export function unaltered(kept: KeptContents | undefined): JsonObject | undefined {
  if (!kept) return undefined
  const text = kept.arguments ?? '{}'
  if (TAKEN_OUT.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

const whyNone = (row: AuditRow, isOwn: boolean): string => {
  if (!isOwn) return 'What was sent and answered is for its user alone. That you looked at this row stands in the trail.'
  const said = row.detail?.['contents']
  if (typeof said === 'string') return `Not kept: ${said.replace('left out: ', '')}.`
  return 'Not kept: the profile kept nothing but sizes then.'
}

export function contentsShown(row: AuditRow, kept: KeptContents | undefined, isOwn: boolean): CallContents {
  const settingHref = isOwn && row.profileId ? `/profiles/${row.profileId}#keeps` : undefined
  if (!kept || kept.keeps === 'sizes') return { none: whyNone(row, isOwn), settingHref }
  return {
    keeps: kept.keeps,
    arguments: kept.arguments && laidOut(kept.arguments),
    result: kept.result && laidOut(kept.result),
    settingHref,
  }
}

/** How long it waited for its user, was at its server, and was here. */
export function spansOf({ durationUs, upstreamUs, detail }: Pick<AuditRow, 'durationUs' | 'upstreamUs' | 'detail'>): Span[] {
  if (durationUs === null) return []
  const waited = detail?.['waitedMs']
  const waitedUs = typeof waited === 'number' ? Math.min(durationUs, waited * US_IN_MS) : 0
  const atServer = Math.min(upstreamUs ?? 0, durationUs - waitedUs)
  return [
    { name: 'at us', tone: 'accent', us: durationUs - waitedUs - atServer },
    ...(waitedUs > 0 ? [{ name: 'waiting for you', tone: 'warning', us: waitedUs } as const] : []),
    ...(upstreamUs === null ? [] : [{ name: 'at its server', tone: 'ok', us: atServer } as const]),
  ]
}
