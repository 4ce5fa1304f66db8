/** What this room needs of the house, no more than it uses. */
import type { Audit, Trace } from '@/audit'
import type { Clients } from '@/clients'
import type { Grants } from '@/grants'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import type { ConnectionId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { Sealer, Store } from '@/store'
import type { profiles } from '@/store/tables/profiles.ts'
import type { User } from '@/users'

export type Profile = typeof profiles.$inferSelect
/** Or a prompt, a resource, a template: what a grant can be about. */
export type OfferedTool = {
  toolId: ToolId
  feature: 'tool' | 'prompt' | 'resource' | 'template'
  connectionId: ConnectionId
  connectionName: string
  exposedName: string
  definition: Record<string, unknown>
  kind: 'read' | 'write' | 'destructive'
  contextCost: number
}
export type ProfilesSeen = {
  list(userId: UserId): Promise<Profile[]>
  findByName(userId: UserId, name: string): Promise<Profile | undefined>
  /** Of others, open to everybody here. */
  listOpen(userId: UserId): Promise<Profile[]>
  viewFor(userId: UserId, id: ProfileId): Promise<{ offered: OfferedTool[] }>
}

export type Deps = {
  store: Store
  sealer: Pick<Sealer, 'keyFor'>
  clients: Clients
  grants: Grants
  profiles: ProfilesSeen
  users: { find(id: UserId): Promise<User | undefined> }
  audit: Audit
  trace: Pick<Trace, 'note'>
  changes: Pick<Changes, 'announce'>
  clock: Clock
  config: { refreshGraceSeconds: number; url?: URL | undefined; port: number }
}
