import { index, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { ClientId, GrantId, UserId } from '../../lib/ids.ts'
import { clients } from './clients.ts'
import { at, id, json } from './columns.ts'
import { grants } from './grants.ts'
import { users } from './users.ts'

/** Authorization requests that passed `judge` and wait for their user. The consent form carries the secret whose hash is the key. */
export const authorizationRequests = sqliteTable(
  'authorization_requests',
  {
    hash: text('hash').primaryKey(),
    clientId: id<ClientId>('client_id')
      .notNull()
      .references(() => clients.id, { onDelete: 'cascade' }),
    /** Null until somebody has signed in; the request then belongs to that user and browser session. */
    userId: id<UserId>('user_id').references(() => users.id, { onDelete: 'cascade' }),
    sessionHash: text('session_hash'),
    params: json<Record<string, string>>('params').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    decidedAt: at('decided_at'),
  },
  (t) => [index('authorization_requests_expires').on(t.expiresAt)],
)

export const codes = sqliteTable(
  'codes',
  {
    hash: text('hash').primaryKey(),
    grantId: id<GrantId>('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    clientId: id<ClientId>('client_id').notNull(),
    userId: id<UserId>('user_id').notNull(),
    redirectUri: text('redirect_uri').notNull(),
    resource: text('resource').notNull(),
    scope: text('scope').notNull(),
    /** S256 challenge. Not null: a code that no verifier is bound to cannot exist. */
    challenge: text('challenge').notNull(),
    issuedAt: at('issued_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    usedAt: at('used_at'),
  },
  (t) => [index('codes_expires').on(t.expiresAt)],
)

/** Tokens that we issue, by SHA-256. A family is all that came from one code. */
export const tokens = sqliteTable(
  'tokens',
  {
    hash: text('hash').primaryKey(),
    kind: text('kind', { enum: ['access', 'refresh'] }).notNull(),
    grantId: id<GrantId>('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    clientId: id<ClientId>('client_id').notNull(),
    family: text('family').notNull(),
    resource: text('resource').notNull(),
    scope: text('scope').notNull(),
    issuedAt: at('issued_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    /** Refresh tokens: when it was first exchanged; within the grace it yields the same child again. */
    usedAt: at('used_at'),
    childHash: text('child_hash'),
    revokedAt: at('revoked_at'),
  },
  (t) => [index('tokens_grant').on(t.grantId), index('tokens_family').on(t.family), index('tokens_expires').on(t.expiresAt)],
)
