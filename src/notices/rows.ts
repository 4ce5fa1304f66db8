/** The ways of users as they stand in the file: what leads there is sealed, and never shown again. */
import { and, asc, eq } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { newNoticeWayId, type NoticeWayId, type UserId } from '@/lib/ids.ts'
import { noticeWays, type Sealer, type Store } from '@/store'
import type { User } from '@/users'
import type { Topic } from './message.ts'
import type { Ntfy } from './ways/ntfy.ts'
import type { Push } from './ways/push.ts'
import type { Webhook } from './ways/webhook.ts'

export type Secret = (Ntfy | Webhook | Push) & {
  /** Our own address as its user saw it when they added it. */
  home: string
}
export type WayRow = typeof noticeWays.$inferSelect
/** What may be shown of it. */
export type Way = Omit<WayRow, 'sealed' | 'sealedKey' | 'version'>
export type NewWay = { name: string; topics: readonly Topic[]; secret: Secret }

/** A user, or the house for them. */
type By = { id: UserId; username: string | null }

export const WAYS_MAX = 10
const NAME_CHARS_MAX = 60

const placeOf = (row: NoticeWayId, owner: UserId, version: number) => ({ table: 'notice_ways', row, column: 'sealed', owner, version })
const hostOf = (secret: Secret) =>
  new URL(secret.kind === 'ntfy' ? secret.server : secret.kind === 'push' ? secret.endpoint : secret.url).host

export function createWayRows({ store, sealer, audit, clock }: { store: Store; sealer: Sealer; audit: Audit; clock: Clock }) {
  const mine = (userId: UserId, id: NoticeWayId) => and(eq(noticeWays.id, id), eq(noticeWays.userId, userId))
  const find = async (id: NoticeWayId): Promise<WayRow | undefined> =>
    (await store.read.select().from(noticeWays).where(eq(noticeWays.id, id)))[0]
  const demand = async (userId: UserId, id: NoticeWayId): Promise<WayRow> => {
    const row = await find(id)
    // Somebody else's and a missing one look alike.
    if (row?.userId !== userId) throw new Failure('notice_way_not_found')
    return row
  }
  const inTrail = (user: By, action: string, { name, kind }: Pick<WayRow, 'name' | 'kind'>) =>
    ({ kind: 'admin', action, outcome: 'ok', userId: user.id, userName: user.username, subject: name, detail: { kind } }) as const

  return {
    find,
    demand,
    ofUser: (userId: UserId): Promise<WayRow[]> =>
      store.read.select().from(noticeWays).where(eq(noticeWays.userId, userId)).orderBy(asc(noticeWays.createdAt), asc(noticeWays.id)),
    open: ({ id, userId, version, sealed, sealedKey }: WayRow): Secret =>
      JSON.parse(sealer.open({ bytes: sealed, key: sealedKey }, placeOf(id, userId, version))) as Secret,
    /** @throws Failure `invalid_form`, `too_many` */
    async add(user: User, { name, topics, secret }: NewWay): Promise<WayRow> {
      const id = newNoticeWayId()
      const { bytes, key } = sealer.seal(JSON.stringify(secret), placeOf(id, user.id, 1))
      const row = {
        id,
        userId: user.id,
        kind: secret.kind,
        name: demandName(name),
        host: hostOf(secret),
        topics: [...topics],
        sealed: bytes,
        sealedKey: key,
        version: 1,
        createdAt: clock(),
      }
      return store.transact(async (tx) => {
        const own = await tx.select({ id: noticeWays.id }).from(noticeWays).where(eq(noticeWays.userId, user.id))
        if (own.length >= WAYS_MAX) throw new Failure('too_many', { message: `You can have ${WAYS_MAX} ways to be told.` })
        const [added] = await tx.insert(noticeWays).values(row).returning()
        await audit.report(inTrail(user, 'notice-way.add', row), tx)
        return added as WayRow
      })
    },
    async change(user: User, id: NoticeWayId, { name, topics }: { name: string; topics: readonly Topic[] }): Promise<void> {
      const row = await demand(user.id, id)
      const current = { name: demandName(name), topics: [...topics] }
      await store.transact(async (tx) => {
        await tx.update(noticeWays).set(current).where(mine(user.id, id))
        await audit.report(inTrail(user, 'notice-way.change', { ...row, ...current }), tx)
      })
    },
    async remove(user: By, id: NoticeWayId, why?: string): Promise<void> {
      const row = await demand(user.id, id)
      await store.transact(async (tx) => {
        await tx.delete(noticeWays).where(mine(user.id, id))
        await audit.report({ ...inTrail(user, 'notice-way.remove', row), reason: why ?? null }, tx)
      })
    },
    /** What came of the last notice; nobody waits for the disk over it. */
    note: (id: NoticeWayId, seen: { problem: string | null; sentAt?: number }): Promise<void> =>
      store.transact(async (tx) => void (await tx.update(noticeWays).set(seen).where(eq(noticeWays.id, id))), 'process'),
  }
}

function demandName(name: string): string {
  const tidy = name.replace(/[\p{Cc}\p{Cf}]/gu, '').trim()
  if (tidy.length === 0 || tidy.length > NAME_CHARS_MAX)
    throw new Failure('invalid_form', { fields: { name: `Give it a name of up to ${NAME_CHARS_MAX} characters.` } })
  return tidy
}
