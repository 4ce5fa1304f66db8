import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { JSONWebKeySet } from 'jose'
import type { ClientId, UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'

export const clients = sqliteTable(
  'clients',
  {
    /** Our own id. What the client calls itself is `identifier`: the same for registered ones, an https address for metadata documents. */
    id: id<ClientId>('id').primaryKey(),
    identifier: text('identifier').notNull().unique(),
    kind: text('kind', { enum: ['dynamic', 'registered', 'document', 'script'] }).notNull(),
    /** The client's own word: attacker's text. Cleaned and cut, still never trusted. */
    name: text('name').notNull(),
    redirectUris: json<string[]>('redirect_uris').notNull(),
    applicationType: text('application_type', { enum: ['native', 'web'] }).notNull(),
    authMethod: text('auth_method', { enum: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] }).notNull(),
    secretHash: text('secret_hash'),
    /** Public keys of a `private_key_jwt` client: given in its metadata, or last fetched from `jwksUri`. */
    jwks: json<JSONWebKeySet>('jwks'),
    jwksUri: text('jwks_uri'),
    jwksFetchedAt: at('jwks_fetched_at'),
    /** Hash of the token with which a client manages its own registration (RFC 7592). */
    registrationHash: text('registration_hash'),
    /** The registered metadata as we answered it. */
    metadata: json<Record<string, unknown>>('metadata').notNull(),
    createdAt: at('created_at').notNull(),
    createdBy: id<UserId>('created_by'),
    createdFrom: text('created_from').notNull(),
    lastUsedAt: at('last_used_at'),
    /** An unused registration goes away then; null once a user let it in. */
    expiresAt: at('expires_at'),
    blockedAt: at('blocked_at'),
    /** An administrator admitted it; asked for where the house admits clients one by one. */
    approvedAt: at('approved_at'),
    /** Metadata documents: when this copy was fetched, and until when it counts as fresh. */
    fetchedAt: at('fetched_at'),
    freshUntil: at('fresh_until'),
  },
  (t) => [index('clients_expires').on(t.expiresAt)],
)

/** One row, once somebody chose: which clients are admitted here. */
export const clientPolicy = sqliteTable('client_policy', {
  id: text('id', { enum: ['house'] }).primaryKey(),
  admits: text('admits', { enum: ['everyone', 'approved', 'listed'] }).notNull(),
})
