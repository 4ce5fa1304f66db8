/**
 * Calls counted by the hour. Made of rows that are in the file already and never beside a call, and written in the same transaction as
 * how far the counting came, so that each row counts once whatever happens.
 */
import { HOUR_MS } from '@/lib/clock.ts'
import type { auditHours, SqlValue, Writer } from '@/store'
import type { AuditRow } from './chain.ts'

export type HourRow = typeof auditHours.$inferSelect
/** What a row must say to be counted. */
export type Counted = Pick<
  AuditRow,
  | 'at'
  | 'kind'
  | 'outcome'
  | 'userId'
  | 'clientId'
  | 'grantId'
  | 'profileId'
  | 'connectionId'
  | 'toolId'
  | 'durationUs'
  | 'upstreamUs'
  | 'requestBytes'
  | 'responseBytes'
>

/** The last bucket is of everything that took longer. */
const BUCKETS = 24
const US_IN_MS = 1_000

/** Bucket 0 is less than a millisecond, bucket n from 2^(n-1) ms up to 2^n ms. */
export const bucketOf = (durationUs: number): number =>
  durationUs < US_IN_MS ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log2(durationUs / US_IN_MS)) + 1)
/** Where a bucket begins and ends, in milliseconds. */
export const boundsOf = (bucket: number): [from: number, to: number] => [bucket === 0 ? 0 : 2 ** (bucket - 1), 2 ** bucket]

export function addTo(latencies: number[], more: readonly number[]): void {
  for (const [bucket, count] of more.entries()) {
    while (latencies.length <= bucket) latencies.push(0)
    latencies[bucket] = (latencies[bucket] ?? 0) + count
  }
}

const KEYS = ['userId', 'clientId', 'grantId', 'profileId', 'connectionId', 'toolId'] as const

function begin(hour: number, row: Counted): HourRow {
  const ids = Object.fromEntries(KEYS.map((name) => [name, row[name] ?? ''])) as Pick<HourRow, (typeof KEYS)[number]>
  const none = { calls: 0, failed: 0, refused: 0, cancelled: 0, durationUs: 0, upstreamUs: 0, requestBytes: 0, responseBytes: 0 }
  return { hour, ...ids, ...none, latencies: [] }
}

/** Calls alone; a tool's own error counts as failed. What we refused says nothing of how long things take. */
export function countByHour(rows: readonly Counted[]): HourRow[] {
  const counts = new Map<string, HourRow>()
  for (const row of rows) {
    if (row.kind !== 'call') continue
    const hour = Math.floor(row.at / HOUR_MS)
    const key = [hour, ...KEYS.map((name) => row[name] ?? '')].join(' ')
    const count = counts.get(key) ?? begin(hour, row)
    counts.set(key, count)
    count.calls += 1
    if (row.outcome === 'failed' || row.outcome === 'tool-error') count.failed += 1
    else if (row.outcome !== 'ok') count[row.outcome] += 1
    count.durationUs += row.durationUs ?? 0
    count.upstreamUs += row.upstreamUs ?? 0
    count.requestBytes += row.requestBytes ?? 0
    count.responseBytes += row.responseBytes ?? 0
    if (row.durationUs !== null && row.outcome !== 'refused') {
      const bucket = bucketOf(row.durationUs)
      addTo(count.latencies, [...Array<number>(bucket).fill(0), 1])
    }
  }
  return [...counts.values()]
}

const KNOWN = `SELECT latencies FROM audit_hours WHERE hour = ? AND grant_id = ? AND tool_id = ? AND connection_id = ? AND user_id = ?
  AND client_id = ? AND profile_id = ?`
const ADD = `INSERT INTO audit_hours (hour, grant_id, tool_id, connection_id, user_id, client_id, profile_id, calls, failed, refused,
  cancelled, duration_us, upstream_us, request_bytes, response_bytes, latencies)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, failed = failed + excluded.failed, refused = refused + excluded.refused,
  cancelled = cancelled + excluded.cancelled, duration_us = duration_us + excluded.duration_us,
  upstream_us = upstream_us + excluded.upstream_us, request_bytes = request_bytes + excluded.request_bytes,
  response_bytes = response_bytes + excluded.response_bytes, latencies = excluded.latencies`

type Known = { latencies: string }

export function addHours(tx: Writer, counts: readonly HourRow[]): void {
  for (const count of counts) {
    const key: SqlValue[] = [
      ...[count.hour, count.grantId, count.toolId, count.connectionId, count.userId, count.clientId, count.profileId],
    ]
    const known = tx.prepare<Known, SqlValue[]>(KNOWN).get(...key)
    const latencies = known ? (JSON.parse(known.latencies) as number[]) : []
    addTo(latencies, count.latencies)
    const sums = [count.calls, count.failed, count.refused, count.cancelled]
    const amounts = [count.durationUs, count.upstreamUs, count.requestBytes, count.responseBytes]
    tx.prepare<unknown, SqlValue[]>(ADD).run([...key, ...sums, ...amounts, JSON.stringify(latencies)])
  }
}
