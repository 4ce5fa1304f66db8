/**
 * What is paused beside single grants: an app, a connection, a profile, a user, everything; for one user's apps or for everyone's. All of
 * it is in memory for as long as nothing has been committed since, so that asking costs nothing.
 */
import { and, eq } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { pauses, type Store, type Writer } from '@/store'

export type Pause = typeof pauses.$inferSelect
export type PauseKey = Pick<Pause, 'kind' | 'subject' | 'userId'>
type Holder = Pick<Pause, 'userId'> & { clientId: string; profileId: string }

const SELECT = 'SELECT kind, subject, user_id AS userId, at, by_name AS byName FROM pauses ORDER BY at'
const NO_PAUSES: readonly Pause[] = []
const NO_CONNECTIONS: ReadonlySet<ConnectionId> = new Set()

export function createPauses({ store, clock }: { store: Store; clock: Clock }) {
  const statement = store.prepare<Pause, []>(SELECT)
  let epoch = -1
  let all = NO_PAUSES
  const now = (): readonly Pause[] => {
    if (store.epoch() === epoch) return all
    epoch = store.epoch()
    all = statement.all()
    return all
  }
  const isOf = (userId: string) => (pause: Pause) => pause.userId === '' || pause.userId === userId
  const meant = ({ kind, subject, userId }: PauseKey) => and(eq(pauses.kind, kind), eq(pauses.subject, subject), eq(pauses.userId, userId))
  return {
    now,
    /** Why these apps are paused as a whole, the most general reason first. */
    of({ userId, clientId, profileId }: Holder): readonly Pause[] {
      if (now().length === 0) return NO_PAUSES
      const subjects: Record<Pause['kind'], string | undefined> = {
        everything: '',
        user: userId,
        client: clientId,
        profile: profileId,
        connection: undefined,
      }
      const found = all.filter((pause) => isOf(userId)(pause) && subjects[pause.kind] === pause.subject)
      return found.length === 0 ? NO_PAUSES : found.toSorted((a, b) => rankOf(a) - rankOf(b))
    },
    /** Why all apps of this user are paused, whatever they are. */
    ofUser: (userId: UserId): Pause | undefined =>
      now()
        .filter((pause) => isOf(userId)(pause) && (pause.kind === 'everything' || (pause.kind === 'user' && pause.subject === userId)))
        .toSorted((a, b) => rankOf(a) - rankOf(b))[0],
    /** Whose tools are refused to all apps of this user. */
    connectionsFor(userId: UserId): ReadonlySet<ConnectionId> {
      if (now().length === 0) return NO_CONNECTIONS
      const found = all.filter((pause) => pause.kind === 'connection' && isOf(userId)(pause))
      return found.length === 0 ? NO_CONNECTIONS : new Set(found.map(({ subject }) => subject as ConnectionId))
    },
    /** This very one, of this user alone (`own`) or for everyone. */
    find: ({ kind, subject, userId }: PauseKey): Pause | undefined =>
      now().find((pause) => pause.kind === kind && pause.subject === subject && pause.userId === userId),
    /** @returns whether it was not paused before */
    async set(tx: Writer, key: PauseKey, byName: string): Promise<boolean> {
      const row = { ...key, at: clock(), byName }
      return (await tx.insert(pauses).values(row).onConflictDoNothing().returning({ at: pauses.at })).length > 0
    },
    /** @returns whether it was paused before */
    lift: async (tx: Writer, key: PauseKey): Promise<boolean> =>
      (await tx.delete(pauses).where(meant(key)).returning({ at: pauses.at })).length > 0,
  }
}
export type Pauses = ReturnType<typeof createPauses>

const KINDS: readonly Pause['kind'][] = ['everything', 'user', 'profile', 'client', 'connection']
/** What an administrator did comes before what a user did themselves: it is not theirs to lift. */
const rankOf = ({ kind, userId }: Pause): number => KINDS.indexOf(kind) + (userId === '' ? 0 : KINDS.length)
