/** What a user's week was, once a week: told to those who want to be told, and shown to whoever asks. */
import { eq } from 'drizzle-orm'
import type { Audit } from '@/audit'
import { type Clock, DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import type { ClientId, ConnectionId, GrantId, ToolId, UserId } from '@/lib/ids.ts'
import { digests, type Store } from '@/store'
import { counted, figure } from './figures.ts'
import type { Grant } from './reading.ts'

type Named = { name: string; calls: number }
export type Digest = {
  from: number
  to: number
  calls: number
  /** In the week before. */
  callsBefore: number
  failed: number
  refused: number
  tools: (Named & { id: ToolId })[]
  apps: (Named & { id: ClientId })[]
  /** Let in this week. */
  newApps: { id: GrantId; name: string }[]
  /** That do not answer now. */
  troubled: { id: ConnectionId; name: string; problem: string }[]
}
export type DigestMessage = { title: string; text: string; path: string }

type Deps = {
  store: Store
  clock: Clock
  audit: Pick<Audit, 'usage' | 'list' | 'following'>
  users: { list(): Promise<readonly { id: UserId; disabledAt: number | null }[]> }
  grants: { listForUser(userId: UserId): Promise<Grant[]> }
  clients: { findById(id: ClientId): Promise<{ name: string } | undefined> }
  connections: {
    list(user: {
      id: UserId
    }): Promise<readonly { id: ConnectionId; ownerId: UserId; name: string; status: string; problem: string | null }[]>
  }
  tell(userId: UserId, message: DigestMessage): void
}

export const WEEK_MS = 7 * DAY_MS
export const DIGEST_PATH = '/activity/digest'
const NAMED_MAX = 5

export type Digests = ReturnType<typeof createDigests>

export function createDigests({ store, clock, audit, users, grants, clients, connections, tell }: Deps) {
  const most = async <Id extends string>(
    counts: ReadonlyMap<string, { calls: number }>,
    by: 'toolId' | 'clientId',
    userId: UserId,
  ): Promise<(Named & { id: Id })[]> => {
    const first = [...counts].sort(([, a], [, b]) => b.calls - a.calls).slice(0, NAMED_MAX)
    return Promise.all(
      first.map(async ([id, { calls }]) => {
        const client = by === 'clientId' ? await clients.findById(id as ClientId) : undefined
        if (client) return { id: id as Id, name: client.name, calls }
        // As it was called last, so that what is gone has its name.
        const [row] = await audit.list({ [by]: id, userId, kind: 'call', limit: 1 })
        const name = by === 'toolId' ? row?.subject : row?.clientName
        return { id: id as Id, name: name ?? 'no name any more', calls }
      }),
    )
  }
  /** Of the seven days that end now. */
  const of = async (userId: UserId): Promise<Digest> => {
    await audit.following.catchUp()
    const to = Math.ceil(clock() / HOUR_MS) * HOUR_MS
    const from = to - WEEK_MS
    const week = await audit.usage({ userId, from, to, stepMs: WEEK_MS })
    const before = await audit.usage({ userId, from: from - WEEK_MS, to: from, stepMs: WEEK_MS })
    const letIn = (await grants.listForUser(userId)).filter((grant) => grant.createdAt >= from && grant.revokedAt === null)
    const own = (await connections.list({ id: userId })).filter(({ ownerId, status }) => ownerId === userId && status === 'failing')
    return {
      ...{ from, to, calls: week.all.calls, callsBefore: before.all.calls, failed: week.all.failed, refused: week.all.refused },
      tools: await most<ToolId>(week.by.toolId, 'toolId', userId),
      apps: await most<ClientId>(week.by.clientId, 'clientId', userId),
      newApps: await Promise.all(
        letIn.map(async ({ id, clientId }) => ({ id, name: (await clients.findById(clientId))?.name ?? 'unknown app' })),
      ),
      troubled: own.map(({ id, name, problem }) => ({ id, name, problem: problem ?? 'It does not answer.' })),
    }
  }
  /** @returns whether a week has passed; from then on the next one is counted, also where there is nobody to tell */
  const claim = (userId: UserId): Promise<boolean> =>
    store.transact(async (tx) => {
      const [last] = await tx.select().from(digests).where(eq(digests.userId, userId))
      const now = clock()
      if (last && now - last.sentAt < WEEK_MS) return false
      await tx
        .insert(digests)
        .values({ userId, sentAt: now })
        .onConflictDoUpdate({ target: digests.userId, set: { sentAt: now } })
      return last !== undefined
    })

  return {
    of,
    /** Once a week for each user, the first time a week after they came. Said before it is told: twice would be worse than not at all. */
    async sendDue(): Promise<void> {
      const due = new Map((await store.read.select().from(digests)).map(({ userId, sentAt }) => [userId, sentAt + WEEK_MS]))
      for (const { id, disabledAt } of await users.list()) {
        if (disabledAt !== null || clock() < (due.get(id) ?? 0) || !(await claim(id))) continue
        const digest = await of(id)
        if (isWorthTelling(digest)) tell(id, messageOf(digest))
      }
    },
  }
}

const isWorthTelling = ({ calls, newApps, troubled }: Digest) => calls > 0 || newApps.length > 0 || troubled.length > 0

/** For a phone: no names of what was called, nothing of what was sent. */
export function messageOf({ calls, callsBefore, failed, refused, apps, newApps, troubled }: Digest): DigestMessage {
  const change = callsBefore === 0 ? '' : `, ${counted(callsBefore, 'call')} the week before`
  const said = [
    `${failed === 0 ? 'None' : figure(failed)} failed, ${refused === 0 ? 'none' : figure(refused)} refused${change}.`,
    newApps.length > 0 && `${counted(newApps.length, 'app')} let in.`,
    troubled.length > 0 && `${counted(troubled.length, 'connection')} in trouble.`,
  ]
  return {
    title: `Your week: ${counted(calls, 'call')} by ${counted(apps.length, 'app')}`,
    text: said.filter(Boolean).join(' '),
    path: DIGEST_PATH,
  }
}
