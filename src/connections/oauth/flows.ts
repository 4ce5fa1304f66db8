/** Sign-ins that are under way: begun by a click, bound to that browser session, over in ten minutes, back once. */
import { and, eq, gt, lte } from 'drizzle-orm'
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import { parseJson } from '@/lib/json.ts'
import { type Sealer, type Store, upstreamFlows } from '@/store'
import type { Session } from '@/users'

const FLOW_MS = 10 * MINUTE_MS
/** Of one user at one time; an old one makes room. */
const FLOWS_MAX = 20

/** Which sign-in it is: at the server of a connection, or at a provider. */
export type FlowFor = { connectionId: ConnectionId } | { providerId: string }
export type Flow<Kept> = { kept: Kept; connectionId: ConnectionId | null; providerId: string | null; returnTo: string }

export function createFlows({ store, sealer, clock }: { store: Store; sealer: Sealer; clock: Clock }) {
  const placeOf = (hash: string, owner: string) => ({ table: 'upstream_flows', row: hash, column: 'sealed', owner, version: 1 })
  return {
    /** @param kept what must be the same when it comes back; sealed. @returns the `state` */
    async begin(session: Session, what: FlowFor, returnTo: string, makeKept: (state: string) => Promise<object>): Promise<string> {
      const state = randomSecret()
      const hash = sha256(state)
      const now = clock()
      const { bytes, key } = sealer.seal(JSON.stringify(await makeKept(state)), placeOf(hash, session.user.id))
      const row = { hash, ...what, userId: session.user.id, sessionHash: session.hash, sealed: bytes, sealedKey: key, returnTo }
      await store.transact(async (tx) => {
        await tx.delete(upstreamFlows).where(lte(upstreamFlows.expiresAt, now))
        const open = await tx.select().from(upstreamFlows).where(eq(upstreamFlows.userId, session.user.id))
        const oldest = open.toSorted((a, b) => b.createdAt - a.createdAt).slice(FLOWS_MAX - 1)
        for (const each of oldest) await tx.delete(upstreamFlows).where(eq(upstreamFlows.hash, each.hash))
        await tx.insert(upstreamFlows).values({ ...row, createdAt: now, expiresAt: now + FLOW_MS })
      })
      return state
    },
    /** Takes it away in the statement that finds it. @throws Failure `bad_request` for a state that is unknown, used, old or another's */
    async end<Kept>(session: Session, state: string): Promise<Flow<Kept>> {
      const hash = sha256(state)
      const isMine = and(
        eq(upstreamFlows.hash, hash),
        eq(upstreamFlows.userId, session.user.id),
        eq(upstreamFlows.sessionHash, session.hash),
        gt(upstreamFlows.expiresAt, clock()),
      )
      const [row] = await store.transact((tx) => tx.delete(upstreamFlows).where(isMine).returning())
      if (!row)
        throw new Failure('bad_request', { message: 'This sign-in was finished already, has expired, or was begun in another browser.' })
      const kept = parseJson(sealer.open({ bytes: row.sealed, key: row.sealedKey }, placeOf(hash, session.user.id))) as Kept
      return { kept, connectionId: row.connectionId, providerId: row.providerId, returnTo: row.returnTo }
    },
  }
}
export type Flows = ReturnType<typeof createFlows>
