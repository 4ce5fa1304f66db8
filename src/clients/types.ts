/** The words that the files of this room share. */
import type { Audit, Trace } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import type { Outbound } from '@/lib/outbound.ts'
import type { clients, Store } from '@/store'

export type Client = typeof clients.$inferSelect
export type JsonObject = Record<string, unknown>
export type Deps = {
  store: Store
  clock: Clock
  audit: Audit
  trace: Pick<Trace, 'note'>
  outbound: Pick<Outbound, 'fetch'>
  changes: Changes
}
/** How an audit row names a client. */
export const about = ({ id, name }: Pick<Client, 'id' | 'name'>) => ({ clientId: id, clientName: name, subject: name })
