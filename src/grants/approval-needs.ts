/** What approvals need of the other rooms. */
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import type { UserId } from '@/lib/ids.ts'
import type { Sealer, Store } from '@/store'
import type { ApprovalRows } from './approval-rows.ts'
import type { Waiters } from './approval-waiters.ts'
import type { Grant } from './reading.ts'

export type Notice = { title: string; text: string; path: string; isUrgent: boolean }
export type ApprovalDeps = {
  store: Store
  sealer: Sealer
  clock: Clock
  audit: Audit
  changes: Changes
  notices: { tell(userId: UserId, topic: 'approvals', notice: Notice): void }
  grants: { find(id: Grant['id']): Promise<Grant | undefined> }
}
export type Inner = ApprovalDeps & { rows: ApprovalRows; waiters: Waiters }
