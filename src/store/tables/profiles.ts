import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import type { ProfileId, ToolId, UserId } from '../../lib/ids.ts'
import { KEEPS } from './audit.ts'
import { at, id, json } from './columns.ts'
import { FEATURES, type TOOL_KINDS, tools, VISIBILITIES } from './connections.ts'
import { users } from './users.ts'

export const NAMINGS = ['always', 'on-collision', 'never'] as const
/** `search`: apps get three tools to find, read and call all the others with, and those that are pinned. */
export const DELIVERIES = ['whole', 'search'] as const

/** How a tool of a profile differs from what its server says. */
export type Override = {
  name?: string
  title?: string
  description?: string
  /** Taken where the caller gives none. */
  defaults?: Record<string, unknown>
  /** Hidden from the model and always sent. */
  fixed?: Record<string, unknown>
  /** What it really does, where its server's annotations are wrong. */
  kind?: (typeof TOOL_KINDS)[number]
}

export const profiles = sqliteTable(
  'profiles',
  {
    id: id<ProfileId>('id').primaryKey(),
    ownerId: id<UserId>('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** The last part of its address, `/mcp/{name}`; unique for the owner. */
    name: text('name').notNull(),
    title: text('title').notNull(),
    /** Served to clients as the instructions of the virtual server. */
    description: text('description').notNull(),
    visibility: text('visibility', { enum: VISIBILITIES }).notNull(),
    naming: text('naming', { enum: NAMINGS }).notNull(),
    delivery: text('delivery', { enum: DELIVERIES }).notNull().default('whole'),
    /** What the audit trail keeps of arguments and results of its calls. */
    keeps: text('keeps', { enum: KEEPS }).notNull().default('redacted'),
    /** Whether its tools ask apps to say what a call is for. */
    asksPurpose: integer('asks_purpose', { mode: 'boolean' }).notNull().default(false),
    /** Counts up with each change of what it serves; lists are cached by it. */
    revision: integer('revision').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [uniqueIndex('profiles_owner_name').on(t.ownerId, t.name)],
)

export const profileTools = sqliteTable(
  'profile_tools',
  {
    profileId: id<ProfileId>('profile_id')
      .notNull()
      .references(() => profiles.id, { onDelete: 'cascade' }),
    toolId: id<ToolId>('tool_id')
      .notNull()
      .references(() => tools.id, { onDelete: 'cascade' }),
    feature: text('feature', { enum: FEATURES }).notNull().default('tool'),
    exposedName: text('exposed_name').notNull(),
    override: json<Override>('override'),
    /** Shown as itself even where the others are found by search. */
    isPinned: integer('is_pinned', { mode: 'boolean' }).notNull().default(false),
    /** The definition's hash when it was picked. */
    approvedHash: text('approved_hash').notNull(),
    /** What that definition was, to show what has changed since. */
    approvedDefinition: json<Record<string, unknown>>('approved_definition').notNull().default({}),
    addedAt: at('added_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.profileId, t.toolId] }),
    // Two upstream tools can never share an exposed name: the table itself refuses it.
    uniqueIndex('profile_tools_exposed_name').on(t.profileId, t.feature, t.exposedName),
    index('profile_tools_tool').on(t.toolId),
  ],
)
