import { index, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { UserId } from '../../lib/ids.ts'
import { at, id } from './columns.ts'

export const users = sqliteTable(
  'users',
  {
    id: id<UserId>('id').primaryKey(),
    /** As typed; compared in `usernameKey`, so that Ann and ann are one person. */
    username: text('username').notNull(),
    usernameKey: text('username_key').notNull(),
    role: text('role', { enum: ['admin', 'member'] }).notNull(),
    createdAt: at('created_at').notNull(),
    lastSeenAt: at('last_seen_at'),
    disabledAt: at('disabled_at'),
  },
  (t) => [uniqueIndex('users_username_key').on(t.usernameKey)],
)

export const passwords = sqliteTable('passwords', {
  userId: id<UserId>('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  /** argon2id, with its parameters in the text. */
  hash: text('hash').notNull(),
  changedAt: at('changed_at').notNull(),
})

/** Browser logins. The cookie's value is 256 random bits; only its SHA-256 is here. */
export const sessions = sqliteTable(
  'sessions',
  {
    hash: text('hash').primaryKey(),
    userId: id<UserId>('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: at('created_at').notNull(),
    lastSeenAt: at('last_seen_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    /** When a password or second factor was last given in this session. */
    provenAt: at('proven_at').notNull(),
    address: text('address').notNull(),
    userAgent: text('user_agent').notNull(),
  },
  (t) => [index('sessions_user').on(t.userId)],
)

/** One-time links: the first set-up, and a new password for somebody who lost theirs. */
export const oneTimeLinks = sqliteTable('one_time_links', {
  hash: text('hash').primaryKey(),
  purpose: text('purpose', { enum: ['set-up', 'new-password'] }).notNull(),
  userId: id<UserId>('user_id').references(() => users.id, { onDelete: 'cascade' }),
  createdAt: at('created_at').notNull(),
  expiresAt: at('expires_at').notNull(),
  usedAt: at('used_at'),
})

/** Browsers in which a user signed in before: their guesses are counted apart, so that strangers cannot lock the owner out. */
export const knownDevices = sqliteTable('known_devices', {
  hash: text('hash').primaryKey(),
  userId: id<UserId>('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' }),
  createdAt: at('created_at').notNull(),
})
