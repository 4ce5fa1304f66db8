/**
 * Legacy MCP sessions. What a client said when it began is in the file, so that a restart of ours goes unnoticed; its id is signed for
 * its grant, so that a made-up one costs no look into the file, and somebody else's is worth nothing.
 */
import { and, desc, eq, inArray, lt } from 'drizzle-orm'
import { type Clock, DAY_MS, MINUTE_MS } from '@/lib/clock.ts'
import { equal, hmac, randomSecret, sha256 } from '@/lib/crypto.ts'
import type { GrantId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { legacySessions, type Store, type Writer } from '@/store'

export type Session = {
  id: string
  grantId: GrantId
  revision: string
  capabilities: JsonObject
  clientInfo: JsonObject
  logLevel: string | null
  subscriptions: string[]
  usedAt: number
}
type Said = Pick<Session, 'revision' | 'capabilities' | 'clientInfo'>

const UNUSED_MS = 30 * DAY_MS
const OF_A_GRANT_MAX = 100
const REMEMBERED_MAX = 5_000
const ID_CHARS_MAX = 128
const TOUCH_EVERY_MS = 10 * MINUTE_MS
/** What a client says of itself is kept only within reason. */
const SAID_CHARS_MAX = 16_384

export function createSessions({ store, clock, key }: { store: Store; clock: Clock; key: Uint8Array }) {
  /** Nothing of this decides about access, so a call need not wait for the disk. */
  const quickly: Quickly = (work) => store.transact(work, 'process')
  const known = new Map<string, Session>()
  const signed = (nonce: string, grantId: GrantId) => `${nonce}.${hmac(key, `${nonce}|${grantId}`)}`
  const remember = (session: Session) => {
    if (known.size >= REMEMBERED_MAX) known.delete(known.keys().next().value as string)
    known.set(session.id, session)
  }
  const write = (session: Session, values: Partial<typeof legacySessions.$inferInsert>) =>
    quickly(
      async (tx) =>
        void (await tx
          .update(legacySessions)
          .set(values)
          .where(eq(legacySessions.hash, hashOf(session.id)))),
    )
  const tidy = (said: JsonObject): JsonObject => (JSON.stringify(said).length > SAID_CHARS_MAX ? {} : said)

  return {
    ...createChanging({ quickly, clock }, known, write),
    async create(grantId: GrantId, { revision, capabilities, clientInfo }: Said): Promise<Session> {
      const id = signed(randomSecret(16), grantId)
      const said = { revision, capabilities: tidy(capabilities), clientInfo: tidy(clientInfo) }
      const session: Session = { id, grantId, ...said, logLevel: null, subscriptions: [], usedAt: clock() }
      const row = { hash: hashOf(id), grantId, ...said, createdAt: clock(), usedAt: clock() }
      await quickly(async (tx) => {
        await tx.insert(legacySessions).values(row)
        const kept = await tx
          .select({ hash: legacySessions.hash })
          .from(legacySessions)
          .where(eq(legacySessions.grantId, grantId))
          .orderBy(desc(legacySessions.usedAt))
        const old = kept.slice(OF_A_GRANT_MAX).map(({ hash }) => hash)
        if (old.length > 0) await tx.delete(legacySessions).where(inArray(legacySessions.hash, old))
      })
      remember(session)
      return session
    },
    /** Undefined for one that was never begun, has ended, or is another grant's. */
    async find(id: string, grantId: GrantId): Promise<Session | undefined> {
      const session = known.get(id)
      if (session) return session.grantId === grantId ? session : undefined
      if (id.length > ID_CHARS_MAX || !equal(id, signed(id.split('.')[0] ?? '', grantId))) return undefined
      const [row] = await store.read
        .select()
        .from(legacySessions)
        .where(eq(legacySessions.hash, hashOf(id)))
      if (row?.grantId !== grantId) return undefined
      const { hash: _, createdAt: __, ...said } = row
      const found: Session = { id, ...said }
      remember(found)
      return found
    },
    /** Its grant has ended or rests: what was kept of its streams is not given out any more. */
    forgetOf(grantId: GrantId, end: (id: string) => void): void {
      for (const [id, session] of known) {
        if (session.grantId !== grantId) continue
        known.delete(id)
        end(id)
      }
    },
    /** @returns how many were forgotten for want of use */
    async sweep(): Promise<number> {
      const isOld = and(lt(legacySessions.usedAt, clock() - UNUSED_MS))
      const gone = await quickly((tx) => tx.delete(legacySessions).where(isOld).returning({ hash: legacySessions.hash }))
      return gone.length
    },
  }
}
const hashOf = (id: string) => sha256(`legacy session ${id}`)

type Quickly = <T>(work: (tx: Writer) => Promise<T>) => Promise<T>
type Write = (session: Session, values: Partial<typeof legacySessions.$inferInsert>) => Promise<void>

function createChanging({ quickly, clock }: { quickly: Quickly; clock: Clock }, known: Map<string, Session>, write: Write) {
  return {
    /** On the path of every call: writes once in ten minutes. */
    touch(session: Session): void {
      if (clock() - session.usedAt < TOUCH_EVERY_MS) return
      session.usedAt = clock()
      // What the sweep goes by may be lost; the next use writes it again.
      write(session, { usedAt: session.usedAt }).catch(() => undefined)
    },
    async setLogLevel(session: Session, logLevel: string): Promise<void> {
      session.logLevel = logLevel
      await write(session, { logLevel })
    },
    async setSubscriptions(session: Session, subscriptions: string[]): Promise<void> {
      session.subscriptions = subscriptions
      await write(session, { subscriptions })
    },
    async end(session: Session): Promise<void> {
      known.delete(session.id)
      await quickly(async (tx) => void (await tx.delete(legacySessions).where(eq(legacySessions.hash, hashOf(session.id)))))
    },
  }
}
export type Sessions = ReturnType<typeof createSessions>
