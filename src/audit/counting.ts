/** How many calls the trail holds since a moment, for limits that a restart must not reset. */
import type { ConnectionId, GrantId, UserId } from '@/lib/ids.ts'
import type { Store } from '@/store'

export type Counted = { kind: 'grant'; id: GrantId } | { kind: 'user'; id: UserId } | { kind: 'connection'; id: ConnectionId }

const COLUMNS = { grant: 'grant_id', user: 'user_id', connection: 'connection_id' } as const
const CALLS = `'tools/call', 'resources/read', 'prompts/get'`

export function createCounting({ store }: { store: Pick<Store, 'prepare'> }) {
  const next = store.prepare<{ seq: number; at: number }, [number]>('SELECT seq, at FROM audit_rows WHERE seq >= ? ORDER BY seq LIMIT 1')
  const last = store.prepare<{ seq: number }, []>('SELECT coalesce(max(seq), 0) AS seq FROM audit_rows')
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
  /** Rows are in the order of time, so that the first one since then is found without reading them all. */
  const firstSince = (at: number): number => {
    let [low, high] = [1, (last.get()?.seq ?? 0) + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = next.get(middle)
      if (!row || row.at >= at) high = middle
      else low = row.seq + 1
    }
    return low
  }
  return {
    callsSince: ({ kind, id }: Counted, at: number): number => counts[kind]?.get(id, firstSince(at))?.calls ?? 0,
  }
}
export type Counting = ReturnType<typeof createCounting>
