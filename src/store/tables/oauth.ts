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

/** Requests that a client pushed before it sent its user (RFC 9126), by the hash of their `request_uri`. */
export const pushedRequests = sqliteTable(
  'pushed_requests',
  {
    hash: text('hash').primaryKey(),
    clientId: id<ClientId>('client_id')
      .notNull()
      .references(() => clients.id, { onDelete: 'cascade' }),
    /** The parameters as they were sent, without what authenticated the client. */
    params: json<Record<string, string>>('params').notNull(),
    expiresAt: at('expires_at').notNull(),
    /** Decided upon: good for one decision. */
    usedAt: at('used_at'),
  },
  (t) => [index('pushed_requests_expires').on(t.expiresAt)],
)

/** Devices that wait for a person to type their code elsewhere (RFC 8628). */
export const deviceCodes = sqliteTable(
  'device_codes',
  {
    hash: text('hash').primaryKey(),
    /** Hash of the code a person types, in its plain form (capitals, no dash). */
    userCodeHash: text('user_code_hash').notNull().unique(),
    clientId: id<ClientId>('client_id')
      .notNull()
      .references(() => clients.id, { onDelete: 'cascade' }),
    resource: text('resource').notNull(),
    profileName: text('profile_name'),
    scope: text('scope').notNull(),
    issuer: text('issuer').notNull(),
    /** Where the device asked from: shown to the person who lets it in. */
    address: text('address').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    intervalSeconds: at('interval_seconds').notNull(),
    lastPolledAt: at('last_polled_at'),
    /** Set by the decision: the grant, or none for a denial. */
    decidedAt: at('decided_at'),
    grantId: id<GrantId>('grant_id').references(() => grants.id, { onDelete: 'cascade' }),
    usedAt: at('used_at'),
  },
  (t) => [index('device_codes_expires').on(t.expiresAt)],
)

/** Client assertions that were used (RFC 7523 §3): each counts once. */
export const assertions = sqliteTable('assertions', { hash: text('hash').primaryKey(), expiresAt: at('expires_at').notNull() }, (t) => [
  index('assertions_expires').on(t.expiresAt),
])
