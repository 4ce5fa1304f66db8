import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { GrantId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'
import { grants } from './grants.ts'

/**
 * Legacy MCP sessions (2025-03-26 to 2025-11-25): what a client said once and expects us to know, also after a restart of ours.
 * The id itself is signed for its grant; here stands its hash.
 */
export const legacySessions = sqliteTable(
  'legacy_sessions',
  {
    hash: text('hash').primaryKey(),
    grantId: id<GrantId>('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    revision: text('revision').notNull(),
    capabilities: json<Record<string, unknown>>('capabilities').notNull(),
    clientInfo: json<Record<string, unknown>>('client_info').notNull(),
    logLevel: text('log_level'),
    /** URIs, as this client knows them. */
    subscriptions: json<string[]>('subscriptions').notNull().default([]),
    createdAt: at('created_at').notNull(),
    usedAt: at('used_at').notNull(),
  },
  (t) => [index('legacy_sessions_grant').on(t.grantId, t.usedAt)],
)
