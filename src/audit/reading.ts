/** Who may see what of the trail. What somebody did is theirs to see, and an administrator's; a call's arguments and result are theirs alone. */
import type { UserId } from '@/lib/ids.ts'
import type { AuditRow, NewRow } from './chain.ts'

export type Reader = { id: UserId; username: string; role: 'admin' | 'member' }

/** `all`: the row, and what is kept of its contents. `row`: who, what, when and how it went. */
export function mayRead(
  { userId, kind }: Pick<AuditRow, 'userId' | 'kind'>,
  { id, role }: Pick<Reader, 'id' | 'role'>,
): 'all' | 'row' | 'nothing' {
  if (userId === id) return kind === 'call' ? 'all' : 'row'
  return role === 'admin' ? 'row' : 'nothing'
}

/** An administrator's look at the row of somebody else's call, which is an act itself; undefined where it is none. */
export function lookAt(
  row: Pick<AuditRow, 'seq' | 'userId' | 'userName' | 'kind'>,
  { id, username }: Reader,
  address?: string,
): NewRow | undefined {
  if (row.kind !== 'call' || row.userId === id) return undefined
  return {
    ...{ kind: 'admin', action: 'audit.look', outcome: 'ok', userId: id, userName: username, address: address ?? null },
    subject: `record ${row.seq}`,
    detail: { of: row.userName ?? 'unknown' },
  }
}
