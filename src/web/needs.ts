/** What the pages need of the other rooms, as narrow as the pages are. */
import type { Audit } from '@/audit'
import type { Client, Clients as AllClients, ListedClient } from '@/clients'
import type { Connection, Connections as AllConnections } from '@/connections'
import type { Control, Grant, Grants as AllGrants } from '@/grants'
import type { Doors } from '@/http/doors.ts'
import type { Incoming } from '@/http/incoming.ts'
import type { Reply } from '@/http/reply.ts'
import type { Clock } from '@/lib/clock.ts'
import type { Addresses } from '@/lib/url.ts'
import type { Plugins as AllPlugins } from '@/plugins'
import type { Profile, Profiles as AllProfiles, ProfileTool, ProfileView } from '@/profiles'
import type { User } from '@/users'
import type { Shells } from './shell.ts'

export type { Audit, Client, Clock, Connection, Control, Grant, ListedClient, Profile, ProfileTool, ProfileView }

export type Connections = Pick<
  AllConnections,
  'list' | 'demand' | 'add' | 'update' | 'remove' | 'check' | 'probeOf' | 'tools' | 'everything' | 'toolsById' | 'logTail'
>
export type Profiles = Pick<
  AllProfiles,
  | 'list'
  | 'demand'
  | 'create'
  | 'update'
  | 'remove'
  | 'ensureFirst'
  | 'setTools'
  | 'approveTools'
  | 'approveEverywhere'
  | 'takeOut'
  | 'adjustTool'
  | 'view'
  | 'findView'
  | 'viewFor'
  | 'findFor'
  | 'listOpen'
  | 'pickedAt'
>
export type Grants = Pick<
  AllGrants,
  'listForUser' | 'demand' | 'rename' | 'pause' | 'resume' | 'revoke' | 'revokeForClient' | 'usageByClient' | 'usersOfClient'
>
export type Clients = Pick<AllClients, 'findById'>
/** What administrators do with clients. */
export type Registry = Pick<
  AllClients,
  'findById' | 'list' | 'page' | 'policy' | 'setPolicy' | 'approve' | 'block' | 'unblock' | 'preregister' | 'listDocument' | 'remove'
>
export type Plugins = Pick<AllPlugins, 'connectors' | 'connector'>

/** What every maker of pages gets. */
export type Page = { doors: Doors; reply: Reply; shell: Shells }
/** What a door hands to who answers: the request, how it came in, and whose it is. */
export type Seen = { request: Request; incoming: Incoming; user: User }
/** The path under which the house is mounted, for addresses that leave the page (to copy, to send). */
export type Mounted = { addresses: Pick<Addresses, 'base'> }
