import { blob, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { at } from './columns.ts'

/** Small facts about the installation: the canary of the encryption key, the instance id. */
export const facts = sqliteTable('facts', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
})

/** Data keys, each wrapped by the key that lives outside the database. Sealed columns name the one they were sealed with. */
export const dataKeys = sqliteTable('data_keys', {
  id: text('id').primaryKey(),
  wrapped: blob('wrapped', { mode: 'buffer' }).notNull(),
  createdAt: at('created_at').notNull(),
  retiredAt: at('retired_at'),
})
