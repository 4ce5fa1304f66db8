/** A connection in use for one user: always with the credential that is meant for them. */
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import type { Plugins } from '@/plugins'
import type { Store } from '@/store'
import type { Credentials } from './credentials.ts'
import { may } from './may.ts'
import type { News } from './news.ts'
import type { createPool, PoolKey } from './pool.ts'
import type { createResources, ResourceFeature, Resources } from './resources.ts'
import type { Connection, Rows } from './rows.ts'
import type { Upstream } from './session.ts'

type Deps = {
  store: Pick<Store, 'epoch'>
  plugins: Pick<Plugins, 'connector'>
  rows: Pick<Rows, 'demand'>
  pool: Pick<ReturnType<typeof createPool>, 'reach' | 'now' | 'opened'>
  news: Pick<News, 'attend' | 'watch'>
  resources: Pick<ReturnType<typeof createResources>, 'list'>
  credentials: Pick<Credentials, 'markOf'>
}

export const keyFor = (it: Connection, userId: UserId): PoolKey => ({
  connectionId: it.id,
  credentialOf: may({ id: userId }, it).credentialOf,
})

const KEYS_MAX = 10_000

export function createUsing({ store, plugins, rows, pool, news, resources, credentials }: Deps) {
  /** @throws Failure `connection_not_found` where this user may not use it */
  const keyOf = async (id: ConnectionId, userId: UserId): Promise<PoolKey> => known(id, userId) ?? read(id, userId)
  /** Whose credential goes along, as long as nothing was committed that could have changed it: on the path of every call. */
  const keys = new Map<string, PoolKey>()
  let epoch = store.epoch()
  const known = (id: ConnectionId, userId: UserId): PoolKey | undefined => {
    if (store.epoch() !== epoch || keys.size >= KEYS_MAX) keys.clear()
    epoch = store.epoch()
    return keys.get(`${id} ${userId}`)
  }
  const read = async (id: ConnectionId, userId: UserId): Promise<PoolKey> => {
    const before = store.epoch()
    const key = keyFor(await rows.demand({ id: userId }, id), userId)
    if (before === store.epoch()) keys.set(`${id} ${userId}`, key)
    return key
  }
  return {
    /** The same where nothing has to be read, opened or waited for; undefined where something has. */
    now(id: ConnectionId, userId: UserId): Upstream | undefined {
      const key = known(id, userId)
      return key && pool.now(key)
    },
    /** The upstream, spoken to with the credential that is meant for this user. @throws Failure */
    reach: async (id: ConnectionId, userId: UserId): Promise<Upstream> => pool.reach(await keyOf(id, userId)),
    /** As its server lists them for this user right now. @throws Failure `connection_not_found` */
    resources: async (id: ConnectionId, userId: UserId, feature: ResourceFeature): Promise<Resources> =>
      resources.list(await keyOf(id, userId), feature),
    /** Differs once this user has signed in, or in any other way given the connection a credential. */
    credentialMark: async (id: ConnectionId, userId: UserId): Promise<string> => credentials.markOf(await keyOf(id, userId)),
    /** Calls `tell` whenever the server says that the resource has changed. @returns how to stop. @throws Failure */
    watchResource: async (id: ConnectionId, userId: UserId, uri: string, tell: () => void): Promise<() => void> =>
      news.watch(await keyOf(id, userId), uri, tell),
    /** Keeps an ear open for changes, where that does not keep a program running. @returns how to stop */
    async attend(ids: readonly ConnectionId[], userId: UserId): Promise<() => void> {
      const stops = await Promise.all(
        ids.map(async (id) => {
          const row = await rows.demand({ id: userId }, id).catch(() => undefined)
          const runsHere = row && plugins.connector(row.connector)?.definedBy === 'administrator'
          return row && !runsHere ? news.attend(keyFor(row, userId)) : () => undefined
        }),
      )
      return () => stops.forEach((stop) => void stop())
    },
    /** Tells legacy servers that are open something of the client's, such as that its roots have changed. */
    async tellOpen(ids: readonly ConnectionId[], userId: UserId, method: string): Promise<void> {
      for (const id of ids) {
        const opened = pool.opened(await keyOf(id, userId))
        if (opened && !opened.agreed.isModern) await opened.session.channel.notify({ jsonrpc: '2.0', method }).catch(() => undefined)
      }
    },
  }
}
