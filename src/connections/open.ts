import { contextCost } from '@/lib/context-cost.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { type Channel, ChannelError, joinSettings, type Plugins, type UpstreamMessage } from '@/plugins'
import type { Users } from '@/users'
import type { Credentials } from './credentials.ts'
import { negotiate } from './negotiate.ts'
import type { Open, Opened, PoolKey } from './pool.ts'
import type { Connection, Rows } from './rows.ts'
import { type Agreed, createSession, isObject, modernMeta, type Session } from './session.ts'
import type { Tails } from './tails.ts'

type Deps = {
  plugins: Pick<Plugins, 'connector' | 'open'>
  users: Pick<Users, 'find'>
  rows: Rows
  credentials: Credentials
  tails: Tails
  onListChanged(id: ConnectionId): void
}

const OLDEST_SAFE_REVISION = '2025-11-25'
const LISTEN_ID = 'listen'
const REMARK_CHARS_MAX = 500
const SERVER_INFO_COST_MAX = 4_000

/** Opens the channel of a connection, with the credential that the key names, and agrees on a revision over it. */
export function createOpen(deps: Deps): Open {
  return async (key, signal, onClosed) => {
    const row = await deps.rows.find(key.connectionId)
    if (!row) throw new ChannelError('unreachable', 'This connection does not exist any more.')
    const opened = await openAndAgree(deps, row, key, signal, onClosed)
    await remember(deps.rows, row, opened.agreed)
    listen(opened, signal, (message) => hear(deps, row.id, message))
    return opened
  }
}

async function openAndAgree(deps: Deps, row: Connection, key: PoolKey, signal: AbortSignal, onClosed: (channel: Channel) => void) {
  const attempt = async (remembered: string | null): Promise<Opened> => {
    const session = await openChannel(deps, row, key, signal, onClosed)
    try {
      return { session, agreed: await negotiate(session, remembered, signal) }
    } catch (error) {
      await session.channel.close()
      throw error
    }
  }
  try {
    return await attempt(row.revision)
  } catch (error) {
    // Some old servers stop at a question they do not know. They get another start, and the old question first.
    if (row.revision !== null || signal.aborted || !(error instanceof ChannelError) || error.kind !== 'lost') throw error
    return attempt(OLDEST_SAFE_REVISION)
  }
}

async function openChannel(
  deps: Deps,
  row: Connection,
  key: PoolKey,
  signal: AbortSignal,
  onClosed: (channel: Channel) => void,
): Promise<Session> {
  const connector = deps.plugins.connector(row.connector)
  if (!connector) throw new ChannelError('unreachable', 'The connector of this connection is not installed any more.')
  const secret = await deps.credentials.find(row.id, key.credentialOf)
  const owner = await deps.users.find(row.ownerId)
  let session: Session | undefined
  const channel = await deps.plugins.open(connector, {
    settings: joinSettings(connector, { plain: row.settings, secret }),
    key: programKey(row.id, key.credentialOf),
    privateAllowed: owner?.role === 'admin',
    receive: (message) => session?.receive(message),
    log: (line) => deps.tails.add(row.id, line),
    closed: (reason) => {
      deps.tails.add(row.id, reason.message)
      if (session) onClosed(session.channel)
    },
    signal,
  })
  session = createSession(channel, (message) => hear(deps, row.id, message))
  return session
}

/** Names the folder of a connection's programs: two users' credentials never share one. */
const programKey = (id: ConnectionId, userId: UserId) => `${id}_${userId}`

function hear({ onListChanged, tails }: Deps, id: ConnectionId, { method, params }: UpstreamMessage): void {
  if (method === 'notifications/tools/list_changed') onListChanged(id)
  if (method === 'notifications/message') {
    const { level, data } = params ?? {}
    tails.add(id, `${String(level)}: ${(typeof data === 'string' ? data : (JSON.stringify(data) ?? '')).slice(0, REMARK_CHARS_MAX)}`)
  }
}

async function remember(rows: Rows, row: Connection, { revision, serverInfo, capabilities, instructions }: Agreed): Promise<void> {
  const told = { serverInfo, capabilities, ...(instructions === undefined ? {} : { instructions }) }
  const upstream = contextCost(told) > SERVER_INFO_COST_MAX ? {} : told
  if (row.revision === revision && JSON.stringify(row.upstream) === JSON.stringify(upstream)) return
  await rows.note(row.id, { revision, upstream })
}

/** A modern server tells of changes only on a stream that was asked for (2026-07-28, "Subscriptions"). */
function listen({ session, agreed }: Opened, signal: AbortSignal, onMessage: (message: UpstreamMessage) => void): void {
  const { tools } = agreed.capabilities
  if (!agreed.isModern || !isObject(tools) || tools['listChanged'] !== true) return
  const params = { notifications: { toolsListChanged: true }, _meta: modernMeta() }
  session.channel
    .request({ jsonrpc: '2.0', id: LISTEN_ID, method: 'subscriptions/listen', params }, { signal, receive: onMessage })
    .catch(() => undefined)
}
