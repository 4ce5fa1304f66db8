/**
 * OpenTelemetry over OTLP/HTTP, in its JSON encoding (OTLP 1.x, "JSON Protobuf Encoding"): rows as log records, calls as spans as well.
 * Names of attributes are those of the semantic conventions where they have one.
 */
import type { AuditRow } from '../chain.ts'
import { NotTaken, posted, type Sending, type Source, type Target } from './kinds.ts'
import { sentenceOf, traceOf } from './saying.ts'

type Otlp = Extract<Target, { kind: 'otlp' }>
type Value = { stringValue: string } | { intValue: string } | { boolValue: boolean }
type Attribute = { key: string; value: Value }

const attribute = (key: string, value: unknown): Attribute[] => {
  if (value === null || value === undefined) return []
  if (typeof value === 'number') return [{ key, value: { intValue: String(Math.round(value)) } }]
  if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }]
  return [{ key, value: { stringValue: typeof value === 'string' ? value : JSON.stringify(value) } }]
}

/** SeverityNumber: INFO, WARN, ERROR. */
const SEVERITIES = {
  ok: [9, 'INFO'],
  refused: [13, 'WARN'],
  cancelled: [13, 'WARN'],
  'tool-error': [17, 'ERROR'],
  failed: [17, 'ERROR'],
} as const

const NANOSECONDS_IN_MS = 1_000_000n
const nanosOf = (ms: number): string => (BigInt(Math.round(ms)) * NANOSECONDS_IN_MS).toString()
const nanosBefore = (ms: number, us: number): string => (BigInt(Math.round(ms)) * NANOSECONDS_IN_MS - BigInt(us) * 1_000n).toString()

function attributesOf(row: AuditRow): Attribute[] {
  const isTool = row.action === 'tools/call'
  const isCall = row.kind === 'call'
  return [
    ...attribute('toolpass.seq', row.seq),
    ...attribute('toolpass.kind', row.kind),
    ...attribute('toolpass.action', row.action),
    ...attribute('toolpass.outcome', row.outcome),
    ...attribute('toolpass.reason', row.reason),
    ...attribute('toolpass.purpose', row.purpose),
    ...attribute('toolpass.grant.id', row.grantId),
    ...attribute('toolpass.profile.id', row.profileId),
    ...attribute('toolpass.profile.name', row.profileName),
    ...attribute('toolpass.connection.id', row.connectionId),
    ...attribute('toolpass.connection.name', row.connectionName),
    ...attribute('toolpass.client.id', row.clientId),
    ...attribute('toolpass.client.name', row.clientName),
    ...attribute('toolpass.subject', isCall && isTool ? null : row.subject),
    ...attribute('toolpass.upstream.duration_us', row.upstreamUs),
    ...attribute('toolpass.detail', row.detail),
    ...attribute('toolpass.chain', row.chain),
    ...attribute('user.id', row.userId),
    ...attribute('user.name', row.userName),
    ...attribute('client.address', row.address),
    ...attribute('mcp.method.name', isCall ? row.action : null),
    ...attribute('gen_ai.tool.name', isTool ? row.subject : null),
    ...attribute('mcp.resource.uri', row.action === 'resources/read' ? row.subject : null),
    ...attribute('http.request.body.size', row.requestBytes),
    ...attribute('http.response.body.size', row.responseBytes),
    ...attribute('error.type', row.outcome === 'ok' ? null : (row.reason ?? row.outcome)),
  ]
}

const logOf = (row: AuditRow, now: number) => {
  const [severityNumber, severityText] = SEVERITIES[row.outcome]
  return {
    timeUnixNano: nanosOf(row.at),
    observedTimeUnixNano: nanosOf(now),
    severityNumber,
    severityText,
    eventName: `toolpass.${row.kind}`,
    body: { stringValue: sentenceOf(row) },
    attributes: attributesOf(row),
    ...(row.kind === 'call' && traceOf(row)),
  }
}

const SERVER = 2
const STATUS_OK = 1
const STATUS_ERROR = 2

/** A row is written when its call ends. */
const spanOf = (row: AuditRow) => ({
  ...traceOf(row),
  name: row.subject ? `${row.action} ${row.subject}` : row.action,
  kind: SERVER,
  startTimeUnixNano: nanosBefore(row.at, row.durationUs ?? 0),
  endTimeUnixNano: nanosOf(row.at),
  attributes: attributesOf(row),
  status: row.outcome === 'ok' ? { code: STATUS_OK } : { code: STATUS_ERROR, message: row.reason ?? row.outcome },
})

const resourceOf = ({ version, host, origin }: Source) => ({
  attributes: [
    ...attribute('service.name', 'toolpass'),
    ...attribute('service.version', version),
    ...attribute('service.instance.id', origin),
    ...attribute('host.name', host),
  ],
})

export const logsOf = ({ rows, source, now }: Pick<Sending, 'rows' | 'source' | 'now'>) => ({
  resourceLogs: [
    {
      resource: resourceOf(source),
      scopeLogs: [{ scope: { name: 'toolpass.audit', version: source.version }, logRecords: rows.map((row) => logOf(row, now)) }],
    },
  ],
})
export const spansOf = ({ rows, source }: Pick<Sending, 'rows' | 'source'>) => ({
  resourceSpans: [
    {
      resource: resourceOf(source),
      scopeSpans: [
        { scope: { name: 'toolpass.audit', version: source.version }, spans: rows.filter(({ kind }) => kind === 'call').map(spanOf) },
      ],
    },
  ],
})

/** The address of a collector, to which the path of a signal is added where it is not there already. */
function addressFor(url: string, signal: 'logs' | 'traces'): string {
  const address = new URL(url)
  const base = address.pathname.replace(/\/v1\/(logs|traces)\/?$/, '').replace(/\/$/, '')
  address.pathname = `${base}/v1/${signal}`
  return address.href
}

export async function sendOtlp({ url, header, logs, traces }: Otlp, sending: Sending): Promise<void> {
  const { outbound, rows, isTest } = sending
  const [, name = '', value = ''] = /^([A-Za-z0-9-]+)\s*[=:]\s*(.+)$/.exec(header) ?? []
  const headers = { 'content-type': 'application/json', ...(name && { [name]: value }) }
  const send = async (signal: 'logs' | 'traces', body: unknown) => {
    const rejected = rejectedIn(await posted(outbound, addressFor(url, signal), JSON.stringify(body), headers))
    // What was rejected is not to be sent again ("Partial Success"), so only a test makes a problem of it.
    if (rejected !== undefined && isTest) throw new NotTaken(`It took the request and rejected what is in it${rejected}.`)
  }
  if (logs) await send('logs', logsOf(sending))
  if (traces && rows.some(({ kind }) => kind === 'call')) await send('traces', spansOf(sending))
}

/** In words that go on a sentence; empty where it gives no reason, undefined where all was taken. */
function rejectedIn(answer: string): string | undefined {
  try {
    const { partialSuccess = {} } = JSON.parse(answer) as { partialSuccess?: Record<string, unknown> }
    const count = Number(partialSuccess['rejectedLogRecords'] ?? partialSuccess['rejectedSpans'] ?? 0)
    const why = String(partialSuccess['errorMessage'] ?? '').slice(0, 200)
    if (!(count > 0)) return undefined
    return why === '' ? '' : `: ${why}`
  } catch {
    return undefined
  }
}
