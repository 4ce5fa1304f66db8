import { blob, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { ConnectionId, CredentialId, ToolId, UserId } from '../../lib/ids.ts'
import { at, id, json } from './columns.ts'
import { users } from './users.ts'

export const VISIBILITIES = ['private', 'open'] as const
export const TOOL_KINDS = ['read', 'write', 'destructive'] as const
/** What a server offers. All of it is picked, granted and pinned alike, so all of it stands in one table and is called a tool there. */
export const FEATURES = ['tool', 'prompt', 'resource', 'template'] as const

/** How a set of tokens is doing, without opening it. */
const health = {
  /** `dead`: refused for good, its user has to sign in again. */
  status: text('status', { enum: ['ok', 'failing', 'dead'] })
    .notNull()
    .default('ok'),
  problem: text('problem'),
  /** Whose it is over there, as the upstream says. */
  accountName: text('account_name'),
  issuer: text('issuer'),
  scope: text('scope'),
  isRefreshable: integer('is_refreshable', { mode: 'boolean' }),
}

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
    /** Where its credential comes from: the secret settings, OAuth with the upstream itself, or an account at a provider. */
    auth: text('auth', { enum: ['settings', 'oauth', 'provider'] })
      .notNull()
      .default('settings'),
    /** How, where that needs saying; read by the connections room alone. */
    authConfig: json<Record<string, unknown>>('auth_config'),
    /** Changes of its tools' definitions are taken over without anybody looking at them. */
    trustsChanges: integer('trusts_changes', { mode: 'boolean' }).notNull().default(false),
    /** The catalogue entry it was made from. */
    catalogueName: text('catalogue_name'),
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

/** A secret that we hold for an upstream: for each connection and user its secret settings and its tokens, each sealed whole. */
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
    ...health,
  },
  (t) => [uniqueIndex('credentials_connection_user_kind').on(t.connectionId, t.userId, t.kind)],
)

/** The client that we are at an upstream's authorization server: our document, a registration, or one made by hand there. */
export const upstreamClients = sqliteTable('upstream_clients', {
  connectionId: id<ConnectionId>('connection_id')
    .primaryKey()
    .references(() => connections.id, { onDelete: 'cascade' }),
  /** Good at this issuer and at no other. */
  issuer: text('issuer').notNull(),
  how: text('how', { enum: ['document', 'dynamic', 'registered'] }).notNull(),
  sealed: blob('sealed', { mode: 'buffer' }).notNull(),
  sealedKey: text('sealed_key').notNull(),
  version: integer('version').notNull(),
  createdAt: at('created_at').notNull(),
})

/** Sign-ins at upstreams and providers that are under way, by the hash of their `state`. Each comes back once. */
export const upstreamFlows = sqliteTable(
  'upstream_flows',
  {
    hash: text('hash').primaryKey(),
    userId: id<UserId>('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The browser session that began it is the only one that may end it. */
    sessionHash: text('session_hash').notNull(),
    connectionId: id<ConnectionId>('connection_id').references(() => connections.id, { onDelete: 'cascade' }),
    providerId: text('provider_id'),
    /** Verifier, issuer and what else must be the same when it comes back. */
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    sealedKey: text('sealed_key').notNull(),
    /** Our own path to go on to. */
    returnTo: text('return_to').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
  },
  (t) => [index('upstream_flows_expires').on(t.expiresAt)],
)

/** What we are at a provider (GitHub, Google ...): the client that an administrator registered there. */
export const providerClients = sqliteTable('provider_clients', {
  providerId: text('provider_id').primaryKey(),
  settings: json<Record<string, unknown>>('settings').notNull(),
  sealed: blob('sealed', { mode: 'buffer' }).notNull(),
  sealedKey: text('sealed_key').notNull(),
  version: integer('version').notNull(),
  updatedAt: at('updated_at').notNull(),
})

/** A user's account at a provider: signed in once, used by any of their connections. */
export const providerCredentials = sqliteTable(
  'provider_credentials',
  {
    id: id<CredentialId>('id').primaryKey(),
    userId: id<UserId>('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    providerId: text('provider_id').notNull(),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    sealedKey: text('sealed_key').notNull(),
    version: integer('version').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    expiresAt: at('expires_at'),
    ...health,
  },
  (t) => [index('provider_credentials_user').on(t.userId, t.providerId)],
)

/** One row, once somebody chose: who may define programs, and which. */
export const programPolicy = sqliteTable('program_policy', {
  id: text('id', { enum: ['house'] }).primaryKey(),
  /** Members who may, beside administrators. */
  users: json<UserId[]>('users').notNull(),
  /** Commands that may be used; null is any. */
  commands: json<string[]>('commands'),
})

/**
 * Tools as an upstream lists them, and its prompts, resources and templates. A tool that disappears keeps its row (and id), so that
 * grants still mean the same tool.
 */
export const tools = sqliteTable(
  'tools',
  {
    id: id<ToolId>('id').primaryKey(),
    connectionId: id<ConnectionId>('connection_id')
      .notNull()
      .references(() => connections.id, { onDelete: 'cascade' }),
    feature: text('feature', { enum: FEATURES }).notNull().default('tool'),
    /** Of a resource its URI, of a template the template; `*` stands for every resource of the server, whenever it comes. */
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
  (t) => [
    uniqueIndex('tools_connection_name').on(t.connectionId, t.feature, t.name),
    index('tools_connection').on(t.connectionId, t.position),
  ],
)
