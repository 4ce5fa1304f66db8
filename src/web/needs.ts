/** What the pages need of the other rooms, as narrow as the pages are; rooms that give more fit all the same. */
import type { Audit } from '@/audit'
import type { Doors } from '@/http/doors.ts'
import type { Reply } from '@/http/reply.ts'
import type { Clock } from '@/lib/clock.ts'
import type { ClientId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { Addresses } from '@/lib/url.ts'
import type { Connector } from '@/plugins'
import type { clients, connections, grants, profiles, tools } from '@/store'
import type { User } from '@/users'
import type { Shells } from './shell.ts'

export type Connection = typeof connections.$inferSelect
export type Tool = typeof tools.$inferSelect
export type Profile = typeof profiles.$inferSelect
export type Client = typeof clients.$inferSelect
export type Permission = 'allow' | 'ask' | 'refuse'
export type Grant = typeof grants.$inferSelect & { tools: ReadonlyMap<ToolId, Permission> }

export type ProfileTool = {
  toolId: ToolId
  connectionId: ConnectionId
  connectionName: string
  exposedName: string
  upstreamName: string
  definition: Readonly<Record<string, unknown>>
  kind: Tool['kind']
  contextCost: number
  approvedHash: string
  hash: string
}
export type ProfileView = { profile: Profile; tools: readonly ProfileTool[] }

type NewConnection = { connector: string; name: string; visibility: Connection['visibility']; settings: Record<string, unknown> }
type ConnectionChange = Omit<NewConnection, 'connector'>
export type ProbeStep = {
  id: string
  label: string
  state: 'waiting' | 'running' | 'ok' | 'failed' | 'warning'
  sentence?: string | undefined
  durationMs?: number | undefined
}

export type Connections = {
  list(user: User): Promise<readonly Connection[]>
  demand(user: User, id: ConnectionId): Promise<Connection>
  add(user: User, connection: NewConnection): Promise<Connection>
  update(user: User, id: ConnectionId, change: ConnectionChange): Promise<unknown>
  remove(user: User, id: ConnectionId): Promise<unknown>
  check(user: User, id: ConnectionId): Promise<unknown>
  probeOf(id: ConnectionId): { steps: readonly ProbeStep[]; done: boolean }
  tools(ids: readonly ConnectionId[]): Promise<readonly Tool[]>
  toolsById(ids: ToolId[]): Promise<readonly Tool[]>
  logTail(id: ConnectionId): readonly string[]
}
export type Profiles = {
  list(userId: UserId): Promise<readonly Profile[]>
  demand(userId: UserId, id: ProfileId): Promise<Profile>
  create(user: User, profile: { title: string }): Promise<Profile>
  update(user: User, id: ProfileId, change: Pick<Profile, 'title' | 'description' | 'naming'>): Promise<unknown>
  remove(user: User, id: ProfileId): Promise<unknown>
  ensureFirst(user: User): Promise<unknown>
  setTools(user: User, id: ProfileId, toolIds: ToolId[]): Promise<unknown>
  view(id: ProfileId): Promise<ProfileView>
}
export type Grants = {
  listForUser(userId: UserId): Promise<readonly Grant[]>
  demand(userId: UserId, id: GrantId): Promise<Grant>
  rename(user: User, id: GrantId, deviceName: string): Promise<unknown>
  revoke(user: User, id: GrantId): Promise<unknown>
}
export type Clients = { findById(id: ClientId): Promise<Client | undefined> }
export type Plugins = { connectors(): readonly Connector[]; connector(id: string): Connector | undefined }
export type { Audit, Clock }

/** What every maker of pages gets. */
export type Page = { doors: Doors; reply: Reply; shell: Shells }
/** The path under which the house is mounted, for addresses that leave the page (to copy, to send). */
export type Mounted = { addresses: Pick<Addresses, 'base'> }
