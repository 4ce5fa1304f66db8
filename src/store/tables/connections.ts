import { blob, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { ConnectionId, CredentialId, ToolId, UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'
import { users } from './users.ts'

export const VISIBILITIES = ['private', 'open'] as const
export const TOOL_KINDS = ['read', 'write', 'destructive'] as const

export const connections = sqliteTable(
  'connections',
  {
    id: id<ConnectionId>('id').primaryKey(),
    ownerId: id<UserId>('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** What exposed names of its tools start with; from the name, unique for the owner. */
    prefix: text('prefix').notNull(),
    connector: text('connector').notNull(),
    /** The settings that are no secret. */
    settings: json<Record<string, unknown>>('settings').notNull(),
    visibility: text('visibility', { enum: VISIBILITIES }).notNull(),
    /** Whose credential an open connection is used with. */
    credentialOf: text('credential_of', { enum: ['owner', 'each'] }).notNull(),
    /** The protocol revision that the upstream answered with, so that the next opening need not ask. */
    revision: text('revision'),
    upstream: json<Record<string, unknown>>('upstream'),
    status: text('status', { enum: ['new', 'ready', 'failing'] }).notNull(),
    /** One public sentence when it is failing. */
    problem: text('problem'),
    checkedAt: at('checked_at'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [uniqueIndex('connections_prefix').on(t.ownerId, t.prefix)],
)

/** A secret that we hold for an upstream: one for each connection and user, sealed whole. */
export const credentials = sqliteTable(
  'credentials',
  {
    id: id<CredentialId>('id').primaryKey(),
    connectionId: id<ConnectionId>('connection_id')
      .notNull()
      .references(() => connections.id, { onDelete: 'cascade' }),
    userId: id<UserId>('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: ['settings', 'oauth'] }).notNull(),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    sealedKey: text('sealed_key').notNull(),
    version: integer('version').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    expiresAt: at('expires_at'),
  },
  (t) => [uniqueIndex('credentials_connection_user').on(t.connectionId, t.userId)],
)

/** Tools as an upstream lists them. A tool that disappears keeps its row (and id), so that grants still mean the same tool. */
export const tools = sqliteTable(
  'tools',
  {
    id: id<ToolId>('id').primaryKey(),
    connectionId: id<ConnectionId>('connection_id')
      .notNull()
      .references(() => connections.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** The definition as the upstream sent it. */
    definition: json<Record<string, unknown>>('definition').notNull(),
    /** SHA-256 of the canonical definition; a profile pins the one it approved. */
    hash: text('hash').notNull(),
    kind: text('kind', { enum: TOOL_KINDS }).notNull(),
    contextCost: integer('context_cost').notNull(),
    position: integer('position').notNull(),
    firstSeenAt: at('first_seen_at').notNull(),
    changedAt: at('changed_at').notNull(),
    goneAt: at('gone_at'),
  },
  (t) => [uniqueIndex('tools_connection_name').on(t.connectionId, t.name), index('tools_connection').on(t.connectionId, t.position)],
)
