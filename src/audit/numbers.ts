/** Rows are numbered as time goes, without gaps but for the oldest, which go: what can be said of the trail without reading it. */
import type { Store } from '@/store'

type Seq = { seq: number }
const SAMPLES = 40
const SAMPLE_ROWS = 25
/** What a row takes beside its text: its number, its lengths, its place in the indexes. */
const ROW_BYTES = 130

const SIZE = `SELECT coalesce(sum(
  length(chain) + length(action) + coalesce(length(reason), 0) + coalesce(length(user_id), 0) + coalesce(length(user_name), 0)
  + coalesce(length(client_id), 0) + coalesce(length(client_name), 0) + coalesce(length(grant_id), 0) + coalesce(length(profile_id), 0)
  + coalesce(length(profile_name), 0) + coalesce(length(connection_id), 0) + coalesce(length(connection_name), 0)
  + coalesce(length(tool_id), 0) + coalesce(length(CAST(subject AS BLOB)), 0) + coalesce(length(CAST(purpose AS BLOB)), 0)
  + coalesce(length(detail), 0) + coalesce(length(content_hash), 0)
  + CASE WHEN content_hash IS NULL THEN 0 ELSE coalesce((SELECT (length(sealed) + 40) / rows FROM audit_contents
    WHERE audit_contents.seq <= audit_rows.seq ORDER BY audit_contents.seq DESC LIMIT 1), 0) END), 0) AS bytes, count(*) AS rows
  FROM audit_rows WHERE seq >= ? AND seq < ?`

export type Numbers = ReturnType<typeof createNumbers>

export function createNumbers({ store }: { store: Pick<Store, 'prepare'> }) {
  const first = store.prepare<Seq, []>('SELECT coalesce(min(seq), 0) AS seq FROM audit_rows')
  const last = store.prepare<Seq, []>('SELECT coalesce(max(seq), 0) AS seq FROM audit_rows')
  const given = store.prepare<Seq, []>("SELECT coalesce(max(seq), 0) AS seq FROM sqlite_sequence WHERE name = 'audit_rows'")
  const atOf = store.prepare<{ seq: number; at: number }, [number]>('SELECT seq, at FROM audit_rows WHERE seq >= ? ORDER BY seq LIMIT 1')
  const sizeOf = store.prepare<{ bytes: number; rows: number }, [number, number]>(SIZE)
  const numbers = {
    first: (): number => first.get()?.seq ?? 0,
    last: (): number => last.get()?.seq ?? 0,
    /** The highest that was ever given to a row that stayed. */
    given: (): number => given.get()?.seq ?? 0,
    count: (): number => (numbers.first() === 0 ? 0 : numbers.last() - numbers.first() + 1),
    /** The first number from which on all rows are of `time` or later; one beyond the last where there is none. */
    from(time: number): number {
      let [low, high] = [numbers.first(), numbers.last() + 1]
      while (low < high) {
        const middle = Math.floor((low + high) / 2)
        const row = atOf.get(middle)
        if (row && row.at < time) low = row.seq + 1
        else high = middle
      }
      return low
    },
    /** About how much room rows and contents take, from samples all over the trail: to know it to the byte each row would have to be read. */
    bytes(): number {
      const [from, count] = [numbers.first(), numbers.count()]
      if (count === 0) return 0
      const each = Math.max(1, Math.floor(count / SAMPLES))
      let [bytes, rows] = [0, 0]
      for (let at = 0; at < count; at += each) {
        const sample = sizeOf.get(from + at, from + at + Math.min(each, SAMPLE_ROWS))
        bytes += (sample?.bytes ?? 0) + (sample?.rows ?? 0) * ROW_BYTES
        rows += sample?.rows ?? 0
      }
      return rows === 0 ? 0 : Math.round((bytes / rows) * count)
    },
  }
  return numbers
}
