import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ClientId, UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'

export const clients = sqliteTable(
  'clients',
  {
    /** Our own id. What the client calls itself is `identifier`: the same for registered ones, an https address for metadata documents. */
    id: id<ClientId>('id').primaryKey(),
    identifier: text('identifier').notNull().unique(),
    kind: text('kind', { enum: ['dynamic', 'registered', 'document'] }).notNull(),
    /** The client's own word: attacker's text. Cleaned and cut, still never trusted. */
    name: text('name').notNull(),
    redirectUris: json<string[]>('redirect_uris').notNull(),
    applicationType: text('application_type', { enum: ['native', 'web'] }).notNull(),
    authMethod: text('auth_method', { enum: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] }).notNull(),
    secretHash: text('secret_hash'),
    /** The registered metadata as we answered it. */
    metadata: json<Record<string, unknown>>('metadata').notNull(),
    createdAt: at('created_at').notNull(),
    createdBy: id<UserId>('created_by'),
    createdFrom: text('created_from').notNull(),
    lastUsedAt: at('last_used_at'),
    /** An unused registration goes away then; null once a user let it in. */
    expiresAt: at('expires_at'),
    blockedAt: at('blocked_at'),
  },
  (t) => [index('clients_expires').on(t.expiresAt)],
)
