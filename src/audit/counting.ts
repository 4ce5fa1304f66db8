/** How many calls the trail holds since a moment, for limits that a restart must not reset. */
import type { ConnectionId, GrantId, UserId } from '@/lib/ids.ts'
import type { Store } from '@/store'
import { createNumbers } from './numbers.ts'

export type Counted = { kind: 'grant'; id: GrantId } | { kind: 'user'; id: UserId } | { kind: 'connection'; id: ConnectionId }

const COLUMNS = { grant: 'grant_id', user: 'user_id', connection: 'connection_id' } as const
const CALLS = `'tools/call', 'resources/read', 'prompts/get'`

export function createCounting({ store }: { store: Pick<Store, 'prepare'> }) {
  const numbers = createNumbers({ store })
  const counts = Object.fromEntries(
    Object.entries(COLUMNS).map(([kind, column]) => [
      kind,
      // A call that a limit turned away was none.
      store.prepare<{ calls: number }, [string, number]>(
        `SELECT count(*) AS calls FROM audit_rows WHERE ${column} = ? AND seq >= ? AND kind = 'call' AND action IN (${CALLS})
         AND (outcome <> 'refused' OR detail IS NULL OR json_extract(detail, '$.limit') IS NULL)`,
      ),
    ]),
  )
  return {
    callsSince: ({ kind, id }: Counted, at: number): number => counts[kind]?.get(id, numbers.from(at))?.calls ?? 0,
  }
}
export type Counting = ReturnType<typeof createCounting>
