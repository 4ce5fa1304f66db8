import { index, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ClientId, GrantId, ProfileId, ToolId, UserId } from '../../lib/ids.ts'
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
