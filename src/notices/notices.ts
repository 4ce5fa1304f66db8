import type { Audit } from '@/audit'
import { type Clock, SECOND_MS } from '@/lib/clock.ts'
import { randomText } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { NoticeWayId, UserId } from '@/lib/ids.ts'
import type { Log } from '@/lib/log.ts'
import type { Outbound } from '@/lib/outbound.ts'
import type { Sealer, Store } from '@/store'
import type { User, Users } from '@/users'
import { createDelivery, outcomeOf, type Sent } from './delivery.ts'
import { type Message, type Outgoing, outgoing, type Sending, type Topic } from './message.ts'
import { createWayRows, type Secret, type Way, type WayRow } from './rows.ts'
import { readNtfy, toNtfy } from './ways/ntfy.ts'
import { readPush, toPush, vapidFrom } from './ways/push.ts'
import { readWebhook, toWebhook } from './ways/webhook.ts'

export type NoticeDeps = {
  store: Store
  sealer: Sealer
  audit: Audit
  clock: Clock
  log: Log
  users: Pick<Users, 'find'>
  outbound: Pick<Outbound, 'fetch'>
  /** Our own address, where it is set. */
  config: { url?: URL | undefined }
  /** For tests that cannot wait so long. */
  noticePausesMs?: readonly number[] | undefined
}
/** How a way is described by who adds it. `home` is our own address as they see it. */
export type AskedWay = { name: string; topics: readonly Topic[]; home: string } & (
  | { kind: 'ntfy'; server: string; topic: string; token: string }
  | { kind: 'webhook'; url: string }
  | { kind: 'push'; endpoint: string; p256dh: string; auth: string }
)

const SENDING_MS_MAX = 10 * SECOND_MS
const ANSWER_BYTES_MAX = 16 * 1024
/** RFC 8292 §2.1 wants somebody who can be written to; who runs this at home has no such address to give. */
const NOBODY = 'mailto:nobody@toolpass.invalid'

const shownOf = ({ sealed: _, sealedKey: __, version: ___, ...way }: WayRow): Way => way

export function createNotices(deps: NoticeDeps) {
  const { clock, log, users, outbound, sealer, config } = deps
  const rows = createWayRows(deps)
  const delivery = createDelivery({ log, pausesMs: deps.noticePausesMs })
  const testing = new Set<UserId>()
  const vapid = vapidFrom(sealer.keyFor('web push vapid'))

  const written = (secret: Secret, message: Outgoing): Sending | Promise<Sending> => {
    if (secret.kind === 'ntfy') return toNtfy(secret, message)
    if (secret.kind === 'webhook') return toWebhook(secret, message, clock())
    const contact = message.link.startsWith('https://') ? new URL(message.link).origin : NOBODY
    return toPush(secret, message, { now: clock(), vapid, contact })
  }
  /** Where it is not set, where its user was when they added the way: an app may know us by an address that no phone can reach. */
  const homeOf = (secret: Secret) => (config.url ? config.url.href.replace(/\/+$/, '') : secret.home)

  /** Read anew for each attempt: a way that was removed, or whose user was shut out meanwhile, is not used any more. */
  const send = async (id: NoticeWayId, topic: Topic, message: Message, noticeId: string, at: number): Promise<Sent> => {
    const row = await rows.find(id)
    const user = row && (await users.find(row.userId))
    if (!row || !user || user.disabledAt !== null) return { ok: false, problem: '', again: false }
    const secret = rows.open(row)
    const { url, headers, body } = await written(secret, outgoing(noticeId, topic, message, homeOf(secret), at))
    const limits = { redirectsMax: 0, timeoutMs: SENDING_MS_MAX, bodyBytesMax: ANSWER_BYTES_MAX }
    // The rule of connections: what an administrator entered may lead into this network, what a member entered may not.
    const privateAllowed = user.role === 'admin'
    return outcomeOf(row.host, outbound.fetch(url, { method: 'POST', headers, body, privateAllowed, ...limits }))
  }
  const over = async ({ id, userId, kind }: Pick<WayRow, 'id' | 'userId' | 'kind'>, sent: Sent): Promise<void> => {
    if (sent.ok) return rows.note(id, { problem: null, sentAt: clock() })
    // RFC 8030 §7.3: the browser has withdrawn it, and there is no way back to this address.
    if (sent.gone && kind === 'push' && (await rows.find(id)))
      return rows.remove({ id: userId, username: null }, id, 'the browser withdrew it')
    if (sent.problem !== '') await rows.note(id, { problem: sent.problem })
  }
  const enqueue = (row: WayRow, topic: Topic, message: Message) => {
    const [noticeId, at] = [`msg_${randomText(20)}`, clock()]
    const job = {
      wayId: row.id,
      userId: row.userId,
      send: () => send(row.id, topic, message, noticeId, at),
      over: (sent: Sent) => over(row, sent),
    }
    if (!delivery.add(job))
      void rows
        .note(row.id, { problem: 'There was more to tell than could be sent; some of it was left out.' })
        .catch((error) => log.error('a notice was left out', error))
  }

  return {
    /** Returns at once, and never throws: nobody's work waits for what a person is told about it. */
    tell(userId: UserId, topic: Topic, message: Message): void {
      rows.ofUser(userId).then(
        (ways) => {
          for (const way of ways) if (way.topics.includes(topic)) enqueue(way, topic, message)
        },
        (error) => log.error('a notice could not be sent', error),
      )
    },
    list: async (userId: UserId): Promise<Way[]> => (await rows.ofUser(userId)).map(shownOf),
    /** @returns with the secret of a webhook, to be shown once. @throws Failure `invalid_form`, `too_many` */
    async add(user: User, asked: AskedWay): Promise<{ way: Way; secret?: string }> {
      const { name, topics, home } = asked
      const read = asked.kind === 'ntfy' ? readNtfy(asked) : asked.kind === 'webhook' ? readWebhook(asked) : readPush(asked)
      const way = shownOf(await rows.add(user, { name, topics, secret: { ...read, home } }))
      return read.kind === 'webhook' ? { way, secret: read.secret } : { way }
    },
    /** @throws Failure `notice_way_not_found`, `invalid_form` */
    change: rows.change,
    /** @throws Failure `notice_way_not_found` */
    remove: rows.remove,
    /**
     * Tried once, now. One at a time of each user: nobody makes a flood of it at somebody else's address.
     * @returns what went wrong, in a sentence. @throws Failure `notice_way_not_found`, `too_many`
     */
    async test(user: User, id: NoticeWayId): Promise<string | undefined> {
      const row = await rows.demand(user.id, id)
      if (testing.has(user.id)) throw new Failure('too_many', { message: 'A test is on its way already. Wait until it has come back.' })
      testing.add(user.id)
      try {
        const message = { title: 'Toolpass can reach you', text: `This is a test of “${row.name}”.`, path: '/settings#notices' }
        const sent = await send(id, row.topics[0] ?? 'trouble', message, `msg_${randomText(20)}`, clock())
        await over(row, sent)
        return sent.ok ? undefined : sent.problem
      } finally {
        testing.delete(user.id)
      }
    },
    /** What a browser subscribes with. */
    pushKey: vapid.publicKey,
    close: delivery.close,
  }
}
export type Notices = ReturnType<typeof createNotices>
