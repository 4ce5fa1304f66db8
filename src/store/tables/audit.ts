import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ClientId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'

export const OUTCOMES = ['ok', 'tool-error', 'refused', 'failed', 'cancelled'] as const

/**
 * One row for each call, administrative act and authentication. No references: a row outlives what it speaks of, which is
 * why it carries the names as they were.
 */
export const auditRows = sqliteTable(
  'audit_rows',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    at: at('at').notNull(),
    kind: text('kind', { enum: ['call', 'admin', 'auth'] }).notNull(),
    /** `tools/call`, `grant.revoke`, `login` ... */
    action: text('action').notNull(),
    outcome: text('outcome', { enum: OUTCOMES }).notNull(),
    /** A failure's code or a short sentence: why it was refused or failed. */
    reason: text('reason'),
    userId: id<UserId>('user_id'),
    userName: text('user_name'),
    clientId: id<ClientId>('client_id'),
    clientName: text('client_name'),
    grantId: id<GrantId>('grant_id'),
    profileId: id<ProfileId>('profile_id'),
    profileName: text('profile_name'),
    connectionId: id<ConnectionId>('connection_id'),
    connectionName: text('connection_name'),
    toolId: id<ToolId>('tool_id'),
    /** The name that was asked for: the exposed name for calls, the subject's name for administrative acts. */
    subject: text('subject'),
    purpose: text('purpose'),
    traceId: text('trace_id'),
    address: text('address'),
    requestBytes: integer('request_bytes'),
    responseBytes: integer('response_bytes'),
    durationUs: integer('duration_us'),
    upstreamUs: integer('upstream_us'),
    detail: json<Record<string, unknown>>('detail'),
    /** Hash over this row and the one before, so that a missing row shows. */
    chain: text('chain').notNull(),
  },
  (t) => [
    index('audit_rows_user').on(t.userId, t.seq),
    index('audit_rows_grant').on(t.grantId, t.seq),
    index('audit_rows_profile').on(t.profileId, t.seq),
  ],
)
