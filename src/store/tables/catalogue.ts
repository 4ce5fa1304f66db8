import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'

/** Entries beside those that ship with the program, in the shape of the registry's `server.json`. */
export const catalogueEntries = sqliteTable('catalogue_entries', {
  /** The reverse-DNS name. An own entry hides a shipped or synced one of the same name. */
  name: text('name').primaryKey(),
  origin: text('origin', { enum: ['own', 'registry', 'file'] }).notNull(),
  /** The address or file it came from. */
  source: text('source').notNull(),
  entry: json<Record<string, unknown>>('entry').notNull(),
  /** When its source last said so. */
  seenAt: at('seen_at').notNull(),
  addedBy: id<UserId>('added_by'),
})

/** Registries that an administrator chose to follow. */
export const catalogueSources = sqliteTable('catalogue_sources', {
  url: text('url').primaryKey(),
  syncedAt: at('synced_at'),
  /** The newest change that was seen there, to ask only for what is newer. */
  updatedSince: text('updated_since'),
  problem: text('problem'),
  addedAt: at('added_at').notNull(),
})
