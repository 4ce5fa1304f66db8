import { blob, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { NoticeWayId, UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'
import { users } from './users.ts'

export const NOTICE_WAYS = ['ntfy', 'webhook', 'push'] as const
export const NOTICE_TOPICS = ['approvals', 'changes', 'trouble', 'digest'] as const

/** A way to reach a user away from the pages. Its address is a secret: whoever knows it can send there. */
export const noticeWays = sqliteTable(
  'notice_ways',
  {
    id: id<NoticeWayId>('id').primaryKey(),
    userId: id<UserId>('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: NOTICE_WAYS }).notNull(),
    name: text('name').notNull(),
    /** The host alone, to be told from the others. */
    host: text('host').notNull(),
    topics: json<(typeof NOTICE_TOPICS)[number][]>('topics').notNull(),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    sealedKey: text('sealed_key').notNull(),
    version: integer('version').notNull(),
    problem: text('problem'),
    sentAt: at('sent_at'),
    createdAt: at('created_at').notNull(),
  },
  (t) => [index('notice_ways_user').on(t.userId)],
)
