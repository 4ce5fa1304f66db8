import { contextCost } from '@/lib/context-cost.ts'
import { Failure } from '@/lib/failure.ts'
import type { Clock } from '@/lib/clock.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { ChannelError, joinSettings, type OpenedBy, type Plugins, type UpstreamMessage } from '@/plugins'
import type { Users } from '@/users'
import type { Credentials } from './credentials.ts'
import { negotiate } from './negotiate.ts'
import { addressOf, type SignIn } from './oauth/sign-in.ts'
import type { OnClosed, Open, Opened, PoolKey, Recovery } from './pool.ts'
import type { ProgramPolicies } from './program-policy.ts'
import type { Providers } from './providers.ts'
import type { Connection, Rows } from './rows.ts'
import { type Agreed, createSession, type Session } from './session.ts'
import type { Tails } from './tails.ts'

type Deps = {
  plugins: Pick<Plugins, 'connector' | 'open'>
  users: Pick<Users, 'find'>
  rows: Rows
  credentials: Credentials
  programPolicy: Pick<ProgramPolicies, 'refusal'>
  tails: Tails
  clock: Clock
  signIn: Pick<SignIn, 'accessToken' | 'refused' | 'rejected' | 'wantsScope'>
  providers: Pick<Providers, 'bearerFor' | 'settingsFor' | 'refused'>
  /** It offers other things than it did. */
  onDescribed(id: ConnectionId): void
  news: { hear(key: PoolKey, message: UpstreamMessage): void; begin(key: PoolKey, opened: Opened, signal: AbortSignal): void }
}

const OLDEST_SAFE_REVISION = '2025-11-25'
const REMARK_CHARS_MAX = 500
const SERVER_INFO_COST_MAX = 4_000

/** Opens the channel of a connection, with the credential that the key names, and agrees on a revision over it. */
export function createOpen(deps: Deps): Open {
  return async (key, signal, onClosed) => {
    const row = await deps.rows.find(key.connectionId)
    if (!row) throw new ChannelError('unreachable', 'This connection does not exist any more.')
    const opened = await openAndAgree(deps, row, key, signal, onClosed)
    if (await remember(deps.rows, row, opened.agreed)) deps.onDescribed(row.id)
    deps.news.begin(key, opened, signal)
    return opened
  }
}

async function openAndAgree(deps: Deps, row: Connection, key: PoolKey, signal: AbortSignal, onClosed: OnClosed) {
  const bearer = bearerFor(deps, row, key)
  const startedAt = deps.clock()
  const attempt = async (remembered: string | null): Promise<Opened> => {
    const session = await openChannel(deps, row, key, bearer, signal, onClosed)
    try {
      const agreed = await negotiate(session, remembered, signal)
      return { session, agreed, ...(bearer && { recover: bearer.recover, giveUp: bearer.giveUp }) }
    } catch (error) {
      await session.channel.close()
      throw error
    }
  }
  try {
    return await attempt(row.revision)
  } catch (error) {
    if (await bearer?.recover(error, startedAt))
      return attempt(row.revision).catch(async (again) => {
        await bearer?.giveUp(again)
        throw again
      })
    // Some old servers stop at a question they do not know. They get another start, and the old question first.
    if (row.revision !== null || signal.aborted || !(error instanceof ChannelError) || error.kind !== 'lost') throw error
    return attempt(OLDEST_SAFE_REVISION)
  }
}

async function openChannel(
  deps: Deps,
  row: Connection,
  key: PoolKey,
  bearer: Bearer | undefined,
  signal: AbortSignal,
  onClosed: OnClosed,
): Promise<Session> {
  const connector = deps.plugins.connector(row.connector)
  if (!connector) throw new Failure('plugin_missing')
  const secret = await deps.providers.settingsFor(row, key.credentialOf, await deps.credentials.find(row.id, key.credentialOf))
  const owner = await deps.users.find(row.ownerId)
  const giver = key.credentialOf === row.ownerId ? owner : await deps.users.find(key.credentialOf)
  const refusal = await deps.programPolicy.refusal({ owner, giver }, connector, { ...row.settings, ...secret })
  if (refusal !== undefined) throw new ChannelError('unreachable', refusal)
  let session: Session | undefined
  const channel = await deps.plugins.open(connector, {
    settings: joinSettings(connector, { plain: row.settings, secret }),
    key: programKey(row.id, key.credentialOf),
    privateAllowed: owner?.role === 'admin',
    ...(bearer?.credential && { credential: bearer.credential }),
    receive: (message) => session?.receive(message),
    log: (line) => deps.tails.add(row.id, line),
    closed: (reason) => {
      deps.tails.add(row.id, reason.message)
      if (session) onClosed(session.channel, reason)
    },
    signal,
  })
  session = createSession(channel, (message) => hear(deps, key, message))
  return session
}

/** `credential` is missing where the token goes into the settings. */
type Bearer = { credential?: OpenedBy['credential'] } & Required<Recovery>

/** Asked for before each request, so that what was refreshed meanwhile holds at once. It goes to the connection's own origin alone. */
function bearerFor({ signIn, providers }: Deps, row: Connection, { credentialOf }: PoolKey): Bearer | undefined {
  if (row.auth === 'provider') return accountFor(providers, row, credentialOf)
  const address = addressOf(row)
  if (row.auth !== 'oauth' || address === undefined) return undefined
  return {
    credential: {
      origin: new URL(address).origin,
      async headers() {
        const token = await signIn.accessToken(row, credentialOf).catch((error: Error) => {
          throw new ChannelError('unauthorized', error.message, { cause: error })
        })
        return { authorization: `Bearer ${token}` }
      },
    },
    async recover(error, sentAt) {
      if (!isRefusal(error)) return false
      const { wwwAuthenticate = '', status } = error.details
      const [, scope] = /\bscope="([^"]{1,1000})"/.exec(wwwAuthenticate) ?? []
      if (status === 403 && scope !== undefined && /insufficient_scope/.test(wwwAuthenticate)) {
        await signIn.wantsScope(row, credentialOf, scope)
        return false
      }
      return status === 401 && signIn.refused(row, credentialOf, sentAt)
    },
    async giveUp(error) {
      if (isRefusal(error) && error.details.status === 401) await signIn.rejected(row, credentialOf)
    },
  }
}
/** The account that this user chose. What stands in the settings is another one with the next opening only. */
function accountFor(providers: Deps['providers'], row: Connection, userId: UserId): Bearer {
  const credential = providers.bearerFor(row, userId)
  return {
    credential,
    async recover(error, sentAt) {
      const isRenewed = isRefusal(error) && error.details.status === 401 && (await providers.refused(row, userId, sentAt))
      return isRenewed && credential !== undefined
    },
    // Other connections may use the same account and be content with it.
    giveUp: () => Promise.resolve(),
  }
}
/** Without a status nothing was sent: there was no token to refuse. */
const isRefusal = (error: unknown): error is ChannelError =>
  error instanceof ChannelError && error.kind === 'unauthorized' && error.details.status !== undefined

/** Names the folder of a connection's programs: two users' credentials never share one. */
export const programKey = (id: ConnectionId, userId: UserId) => `${id}_${userId}`

function hear({ news, tails }: Deps, key: PoolKey, message: UpstreamMessage): void {
  news.hear(key, message)
  if (message.method !== 'notifications/message') return
  const { level, data } = message.params ?? {}
  const text = typeof data === 'string' ? data : (JSON.stringify(data) ?? '')
  tails.add(key.connectionId, `${String(level)}: ${text.slice(0, REMARK_CHARS_MAX)}`)
}

/** @returns whether it says anything else than last time */
async function remember(rows: Rows, row: Connection, { revision, serverInfo, capabilities, instructions }: Agreed): Promise<boolean> {
  const told = { serverInfo, capabilities, ...(instructions === undefined ? {} : { instructions }) }
  const upstream = contextCost(told) > SERVER_INFO_COST_MAX ? {} : told
  if (row.revision === revision && JSON.stringify(row.upstream) === JSON.stringify(upstream)) return false
  await rows.note(row.id, { revision, upstream })
  return true
}
