import { blob, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ClientId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'

export const OUTCOMES = ['ok', 'tool-error', 'refused', 'failed', 'cancelled'] as const

/**
 * One row for each call, administrative act and authentication. No references: a row outlives what it speaks of, which is
 * why it carries the names as they were.
 */
export const auditRows = sqliteTable('audit_rows', {
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
  /** SHA-256 of what is kept of the arguments and the result, so that the chain vouches for them too. */
  contentHash: text('content_hash'),
  /** Hash over this row and the one before, so that a missing row shows. */
  chain: text('chain').notNull(),
})

/**
 * How far what is made of the trail has come: counts by the hour, and `audit_index`, a full-text index (a table that drizzle
 * cannot say, see the migration) by which rows are found. It stands in place of indexes on `audit_rows`, whose price each call would pay.
 */
export const auditCursors = sqliteTable('audit_cursors', {
  id: text('id', { enum: ['derived'] }).primaryKey(),
  /** The last row that was taken in. */
  seq: integer('seq').notNull(),
})

/** What a profile keeps of arguments and results: nothing but their sizes, with secrets taken out, or all of it. */
export const KEEPS = ['sizes', 'redacted', 'whole'] as const

/**
 * Arguments and results of calls, as far as their profiles keep them. Sealed, since redaction cannot know every secret, and those of rows
 * that were written together as one.
 */
export const auditContents = sqliteTable('audit_contents', {
  /** The first row that it is of, and the last. */
  seq: integer('seq').primaryKey(),
  last: integer('last').notNull(),
  /** Of how many rows; between two of them may be some of which nothing is kept. */
  rows: integer('rows').notNull(),
  sealed: blob('sealed', { mode: 'buffer' }).notNull(),
  sealedKey: text('sealed_key').notNull(),
})

/** Where the trail begins after its oldest rows were removed, signed, so that a removal by somebody else shows. */
export const auditCheckpoints = sqliteTable('audit_checkpoints', {
  /** The last row that was removed. */
  seq: integer('seq').primaryKey(),
  at: at('at').notNull(),
  /** How many rows went, and the chain of the last of them. */
  rows: integer('rows').notNull(),
  chain: text('chain').notNull(),
  why: text('why', { enum: ['age', 'size'] }).notNull(),
  signature: text('signature').notNull(),
})

/** One row: how long and how much of the trail is kept. Null is without end. */
export const auditPolicy = sqliteTable('audit_policy', {
  id: text('id', { enum: ['house'] }).primaryKey(),
  keepDays: integer('keep_days'),
  keepMegabytes: integer('keep_megabytes'),
})

/** Calls counted by the hour, so that a chart over a year reads thousands of rows and not millions. Empty text where there is none. */
export const auditHours = sqliteTable(
  'audit_hours',
  {
    /** Hours since 1970. */
    hour: integer('hour').notNull(),
    userId: id<UserId | ''>('user_id').notNull(),
    clientId: id<ClientId | ''>('client_id').notNull(),
    grantId: id<GrantId | ''>('grant_id').notNull(),
    profileId: id<ProfileId | ''>('profile_id').notNull(),
    connectionId: id<ConnectionId | ''>('connection_id').notNull(),
    toolId: id<ToolId | ''>('tool_id').notNull(),
    calls: integer('calls').notNull(),
    failed: integer('failed').notNull(),
    refused: integer('refused').notNull(),
    cancelled: integer('cancelled').notNull(),
    durationUs: integer('duration_us').notNull(),
    upstreamUs: integer('upstream_us').notNull(),
    requestBytes: integer('request_bytes').notNull(),
    responseBytes: integer('response_bytes').notNull(),
    /** How many calls took how long: counts by powers of two of a millisecond. */
    latencies: json<number[]>('latencies').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.hour, t.grantId, t.toolId, t.connectionId, t.userId, t.clientId, t.profileId] }),
    index('audit_hours_user').on(t.userId, t.hour),
  ],
)

/** Where the trail is sent to as it grows, and how far it got. */
export const forwarders = sqliteTable('forwarders', {
  id: text('id').primaryKey(),
  kind: text('kind', { enum: ['otlp', 'syslog', 'webhook'] }).notNull(),
  name: text('name').notNull(),
  settings: json<Record<string, unknown>>('settings').notNull(),
  sealed: blob('sealed', { mode: 'buffer' }),
  sealedKey: text('sealed_key'),
  version: integer('version').notNull(),
  /** The last row that was taken over there. */
  seq: integer('seq').notNull(),
  problem: text('problem'),
  pausedAt: at('paused_at'),
  sentAt: at('sent_at'),
  createdAt: at('created_at').notNull(),
  updatedAt: at('updated_at').notNull(),
})
