/** Results that were too large for their limit, whole and sealed, for an hour: for the grant that asked, and as if they were not there for any other. */
import { and, asc, eq, gt, inArray, lte, sql } from 'drizzle-orm'
import { type Clock, HOUR_MS } from '@/lib/clock.ts'
import { randomText } from '@/lib/crypto.ts'
import type { GrantId } from '@/lib/ids.ts'
import { keptResults, type Sealer, type Store, type Writer } from '@/store'

export const KEPT_MS = HOUR_MS
const OF_A_GRANT_MAX = 20
const OF_A_GRANT_BYTES_MAX = 32 * 1024 * 1024
const ALL_BYTES_MAX = 256 * 1024 * 1024
const ID_CHARS = 26

type Deps = { store: Store; sealer: Pick<Sealer, 'seal' | 'open'>; clock: Clock }
type Row = Pick<typeof keptResults.$inferSelect, 'id' | 'bytes'>

const placeOf = (id: string, grantId: GrantId) => ({ table: 'kept_results', row: id, column: 'sealed', owner: grantId, version: 1 })

export function createKept({ store, sealer, clock }: Deps) {
  const isExpired = () => lte(keptResults.expiresAt, clock())
  const known = (tx: Writer, where?: ReturnType<typeof isExpired>): Promise<Row[]> =>
    tx
      .select({ id: keptResults.id, bytes: keptResults.bytes })
      .from(keptResults)
      .where(where)
      .orderBy(asc(keptResults.createdAt), sql`rowid`)
  /** The oldest go first. */
  const makeRoom = async (tx: Writer, rows: readonly Row[], countMax: number, bytesMax: number): Promise<void> => {
    let [count, bytes] = [rows.length, rows.reduce((sum, row) => sum + row.bytes, 0)]
    const leaving: string[] = []
    for (const row of rows) {
      if (count <= countMax && bytes <= bytesMax) break
      leaving.push(row.id)
      count -= 1
      bytes -= row.bytes
    }
    if (leaving.length > 0) await tx.delete(keptResults).where(inArray(keptResults.id, leaving))
  }
  return {
    /** @returns by which name it is found again; undefined where it is too large to be kept */
    async keep(grantId: GrantId, text: string): Promise<string | undefined> {
      const bytes = Buffer.byteLength(text)
      if (bytes > OF_A_GRANT_BYTES_MAX) return undefined
      const [id, createdAt] = [randomText(ID_CHARS), clock()]
      const sealed = sealer.seal(text, placeOf(id, grantId))
      await store.transact(async (tx) => {
        await tx.delete(keptResults).where(isExpired())
        await makeRoom(tx, await known(tx, eq(keptResults.grantId, grantId)), OF_A_GRANT_MAX - 1, OF_A_GRANT_BYTES_MAX - bytes)
        await makeRoom(tx, await known(tx), Number.POSITIVE_INFINITY, ALL_BYTES_MAX - bytes)
        const row = { id, grantId, sealed: sealed.bytes, sealedKey: sealed.key, bytes, createdAt, expiresAt: createdAt + KEPT_MS }
        await tx.insert(keptResults).values(row)
      }, 'process')
      return id
    },
    /** Another grant's, one that has expired and one that never was look alike. */
    async read(grantId: GrantId, id: string): Promise<string | undefined> {
      const [row] = await store.read
        .select()
        .from(keptResults)
        .where(and(eq(keptResults.id, id), eq(keptResults.grantId, grantId), gt(keptResults.expiresAt, clock())))
      return row && sealer.open({ bytes: row.sealed, key: row.sealedKey }, placeOf(id, grantId))
    },
    sweep: async (): Promise<void> => void (await store.transact((tx) => tx.delete(keptResults).where(isExpired()))),
  }
}
export type Kept = ReturnType<typeof createKept>
