import { blob, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ApprovalId, ClientId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '../../lib/ids.ts'
import { clients } from './clients.ts'
import { at, id, json } from './columns.ts'
import { profiles } from './profiles.ts'
import { users } from './users.ts'

export const PERMISSIONS = ['allow', 'ask', 'refuse'] as const

export const grants = sqliteTable(
  'grants',
  {
    id: id<GrantId>('id').primaryKey(),
    userId: id<UserId>('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    clientId: id<ClientId>('client_id')
      .notNull()
      .references(() => clients.id, { onDelete: 'cascade' }),
    profileId: id<ProfileId>('profile_id')
      .notNull()
      .references(() => profiles.id, { onDelete: 'cascade' }),
    /** Where the token is good: `profile` is `/mcp/{name}` alone, `any` is `/mcp` as well. */
    reach: text('reach', { enum: ['profile', 'any'] }).notNull(),
    /** What becomes of tools that join the profile later. */
    laterTools: text('later_tools', { enum: ['out', 'in'] }).notNull(),
    /** Profiles that it has been at, the present one aside: what joined them since is later there, and no longer new to it. */
    settled: json<ProfileId[]>('settled').notNull().default([]),
    deviceName: text('device_name').notNull(),
    createdAt: at('created_at').notNull(),
    /** First token issued: before that, nobody came back with the code. */
    activatedAt: at('activated_at'),
    expiresAt: at('expires_at'),
    pausedAt: at('paused_at'),
    revokedAt: at('revoked_at'),
    revokedWhy: text('revoked_why'),
    firstUsedAt: at('first_used_at'),
    lastUsedAt: at('last_used_at'),
    lastAddress: text('last_address'),
    /** The networks it came from, the latest first: /24 and /64, so that no movement of a person is kept. */
    networks: json<string[]>('networks').notNull().default([]),
  },
  (t) => [index('grants_user').on(t.userId, t.createdAt), index('grants_client').on(t.clientId), index('grants_profile').on(t.profileId)],
)

export const grantTools = sqliteTable(
  'grant_tools',
  {
    grantId: id<GrantId>('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    /** No reference: a tool's row may go, what the user decided about it stays. */
    toolId: id<ToolId>('tool_id').notNull(),
    permission: text('permission', { enum: PERMISSIONS }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.grantId, t.toolId] })],
)

/** What is paused beside single grants. A pause holds for apps of one user, or of everyone here. */
export const pauses = sqliteTable(
  'pauses',
  {
    /** `user` is an administrator's pause of somebody's apps; one's own pause of all one's apps is `everything` of oneself. */
    kind: text('kind', { enum: ['client', 'connection', 'profile', 'user', 'everything'] }).notNull(),
    /** The id of what is paused; empty for everything. */
    subject: text('subject').notNull(),
    /** Whose apps; empty for everyone's. */
    userId: id<UserId | ''>('user_id').notNull(),
    at: at('at').notNull(),
    byName: text('by_name').notNull(),
  },
  (t) => [primaryKey({ columns: [t.kind, t.subject, t.userId] })],
)

/** When a grant for `/mcp` moves to which profile by itself. */
export const grantSwitches = sqliteTable(
  'grant_switches',
  {
    id: text('id').primaryKey(),
    grantId: id<GrantId>('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    profileId: id<ProfileId>('profile_id')
      .notNull()
      .references(() => profiles.id, { onDelete: 'cascade' }),
    /** Bit 0 is Monday. */
    days: integer('days').notNull(),
    minuteOfDay: integer('minute_of_day').notNull(),
    /** An IANA name. */
    timeZone: text('time_zone').notNull(),
    doneAt: at('done_at'),
    createdAt: at('created_at').notNull(),
  },
  (t) => [index('grant_switches_grant').on(t.grantId)],
)

export const APPROVALS = ['waiting', 'approved', 'refused', 'used', 'expired'] as const

/** A call that waits for its user, or waited. What was approved is what runs: it is bound by the hash of its arguments. */
export const approvals = sqliteTable(
  'approvals',
  {
    id: id<ApprovalId>('id').primaryKey(),
    grantId: id<GrantId>('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    userId: id<UserId>('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    profileId: id<ProfileId>('profile_id').notNull(),
    connectionId: id<ConnectionId>('connection_id').notNull(),
    toolId: id<ToolId>('tool_id').notNull(),
    /** As it was called when it was asked for. */
    exposedName: text('exposed_name').notNull(),
    clientName: text('client_name').notNull(),
    purpose: text('purpose'),
    argumentsHash: text('arguments_hash').notNull(),
    /** The arguments as they go to the upstream, sealed. */
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    sealedKey: text('sealed_key').notNull(),
    status: text('status', { enum: APPROVALS }).notNull(),
    /** `once`: one identical call. `hour`: every call of this tool by this grant until `expiresAt`. */
    scope: text('scope', { enum: ['once', 'hour'] }),
    decidedVia: text('decided_via', { enum: ['page', 'app', 'notice'] }),
    createdAt: at('created_at').notNull(),
    decidedAt: at('decided_at'),
    /** Waiting: until when it may be decided. Approved: until when it may be used. */
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at'),
  },
  (t) => [index('approvals_user').on(t.userId, t.status, t.createdAt), index('approvals_grant').on(t.grantId, t.toolId, t.status)],
)

export const IN_APP = ['never', 'not-destructive', 'always'] as const

/** Whether a user may be asked inside an app as well. Without a row: yes, but for what destroys. */
export const approvalSettings = sqliteTable('approval_settings', {
  userId: id<UserId>('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  inApp: text('in_app', { enum: IN_APP }).notNull(),
})

/** How much a grant, a user, a connection or anybody may take. Null is without limit of its own. */
export const limits = sqliteTable(
  'limits',
  {
    kind: text('kind', { enum: ['grant', 'user', 'connection'] }).notNull(),
    subject: text('subject').notNull(),
    callsPerMinute: integer('calls_per_minute'),
    callsPerDay: integer('calls_per_day'),
    callsAtOnce: integer('calls_at_once'),
    resultBytes: integer('result_bytes'),
    callSeconds: integer('call_seconds'),
    /** Who set them last. */
    byName: text('by_name').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.kind, t.subject] })],
)

/** Results that were too large for their limit, kept whole for a while, for the grant that asked and nobody else. */
export const keptResults = sqliteTable(
  'kept_results',
  {
    id: text('id').primaryKey(),
    grantId: id<GrantId>('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    sealedKey: text('sealed_key').notNull(),
    bytes: integer('bytes').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
  },
  (t) => [index('kept_results_expires').on(t.expiresAt)],
)

/** When a user's last weekly digest was made. */
export const digests = sqliteTable('digests', {
  userId: id<UserId>('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  sentAt: at('sent_at').notNull(),
})
