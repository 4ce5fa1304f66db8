import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import { type Clock, SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import type { Log } from '@/lib/log.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { ChannelError, type JsonObject, type Plugins } from '@/plugins'
import type { Sealer, Store } from '@/store'
import type { User, Users } from '@/users'
import { createComparing } from './comparing.ts'
import { createCredentials } from './credentials.ts'
import { createListing, EVERY_RESOURCE, type Feature, fetchAll, nameOf } from './listing.ts'
import { createNews } from './news.ts'
import { createResources } from './resources.ts'
import { createOpen } from './open.ts'
import { createPool } from './pool.ts'
import { createFlows } from './oauth/flows.ts'
import { createSignIn } from './oauth/sign-in.ts'
import { createProbes, type Found } from './probe.ts'
import { createProgramPolicy } from './program-policy.ts'
import { createProviders } from './providers.ts'
import { type ChangedConnection, type Connection, createRows, isEmpty, type NewConnection } from './rows.ts'
import { createRunning } from './running.ts'
import { asFailure } from './session.ts'
import { createTails } from './tails.ts'
import { createUsing, keyFor } from './using.ts'
import { createWatching } from './watching.ts'

type Deps = {
  store: Store
  sealer: Sealer
  audit: Audit
  plugins: Pick<Plugins, 'connector' | 'open' | 'oauthProvider' | 'oauthProviders'>
  changes: Changes
  clock: Clock
  log: Log
  /** The owner's role decides whether a connection may go to private addresses. */
  users: Pick<Users, 'find'>
  outbound: Pick<Outbound, 'fetch' | 'asFetch'>
  /** A channel is closed after so long without use. */
  config?: { programIdleSeconds: number }
}

const LIST_TIMEOUT_MS = 120_000
const RELIST_DELAY_MS = 250

/** The parts and how they hang together: what is listed comes over the pool, and what the pool hears leads to a new listing. */
function assemble(deps: Deps) {
  const { store, changes, clock, log } = deps
  const credentials = createCredentials(deps)
  const programPolicy = createProgramPolicy(deps)
  const rows = createRows({ ...deps, credentials, programPolicy })
  const listing = createListing({ store, clock })
  const tails = createTails()
  const changed = async (id: ConnectionId) => {
    await pool.forget(id)
    void probes.start(id)
  }
  const flows = createFlows(deps)
  const signIn = createSignIn({ ...deps, flows, rows, keyFor, changed, isUsedWithKeys: credentials.isHeldByOthers })
  const providers = createProviders({ ...deps, flows, rows, changed, retire: (key) => pool.retire(key) })
  const news = createNews({
    reach: (key) => pool.reach(key),
    opened: (key) => pool.opened(key),
    onListChanged: ({ connectionId }) => {
      resources.forget((text) => text.startsWith(connectionId))
      relist.soon(connectionId)
    },
  })
  const open = createOpen({
    ...deps,
    ...{ rows, credentials, programPolicy, tails, signIn, providers, news },
    onDescribed: (connectionId) => changes.announce({ kind: 'connection-changed', connectionId }),
  })
  const pool = createPool({
    clock,
    open,
    isWanted: news.isWanted,
    onEnded: news.ended,
    ...(deps.config && { idleMs: deps.config.programIdleSeconds * SECOND_MS }),
  })
  const resources = createResources({
    clock,
    reach: (key) => pool.reach(key),
    stored: async ({ connectionId, credentialOf }) =>
      (await rows.find(connectionId))?.ownerId === credentialOf ? listing.everything([connectionId]) : [],
    remark: ({ connectionId }, line) => tails.add(connectionId, line),
  })
  const demandRow = async (id: ConnectionId): Promise<Connection> => {
    const row = await rows.find(id)
    if (!row) throw new Failure('connection_not_found')
    return row
  }
  const refresh = async (id: ConnectionId): Promise<Found> => {
    const row = await demandRow(id)
    const upstream = await pool.reach(keyFor(row, row.ownerId))
    const { listed, ttlMs } = await fetchAll(upstream, AbortSignal.timeout(LIST_TIMEOUT_MS), (line) => tails.add(id, line))
    watching.listed(id, ttlMs)
    resources.forget((text) => text.startsWith(id))
    if (await listing.save(id, listed)) changes.announce({ kind: 'tools-changed', connectionId: id })
    const count = (which: Feature[]) => listed.filter((each) => which.includes(each.feature) && nameOf(each) !== EVERY_RESOURCE).length
    return { tools: count(['tool']), prompts: count(['prompt']), resources: count(['resource', 'template']) }
  }
  const relist = createRelist(refresh, log)
  /** What is the matter, in words for the page. A server that refuses and offers a sign-in is no failure, only a next step. */
  const refused = async (row: Connection, error: unknown): Promise<never> => {
    const isRefused =
      error instanceof ChannelError &&
      error.kind === 'unauthorized' &&
      Object.values(await credentials.find(row.id, row.ownerId)).every(isEmpty)
    if (isRefused && (await signIn.offered(row, error.details.wwwAuthenticate)))
      throw new Failure('sign_in_needed', { message: 'It asks for a sign-in. Sign in below to go on.', cause: error })
    // Nothing was sent for want of a token: the same next step, once more.
    const wantsToken = row.auth === 'oauth' && error instanceof ChannelError && error.kind === 'unauthorized' && !error.details.status
    throw wantsToken ? new Failure('sign_in_needed', { message: error.message, cause: error }) : asFailure(error)
  }
  const probes = createProbes({
    clock,
    log,
    list: refresh,
    note: rows.note,
    open: async (id) => {
      const row = await demandRow(id)
      return pool.agreed(keyFor(row, row.ownerId)).catch((error) => refused(row, error))
    },
  })
  const watching = createWatching({ ...deps, rows, pool, tryOnce: probes.start })
  const running = createRunning({ ...deps, rows, credentials, programPolicy, pool })
  return { credentials, rows, listing, tails, signIn, providers, pool, relist, probes, watching, running, news, resources }
}

export function createConnections(deps: Deps) {
  const { credentials, rows, listing, tails, signIn, providers, pool, relist, probes, watching, running, news, resources } = assemble(deps)
  const tryAgain = (id: ConnectionId) => {
    pool.retry(id)
    void probes.start(id)
  }

  return {
    list: rows.list,
    /** For the house itself, whoever's it is. */
    find: rows.find,
    demand: rows.demand,
    demandOwn: rows.demandOwn,
    ...createComparing({ ...deps, credentials, rows }),
    async add(user: User, asked: NewConnection): Promise<Connection> {
      const connection = await rows.add(user, asked)
      tryAgain(connection.id)
      return connection
    },
    async update(user: User, id: ConnectionId, asked: ChangedConnection): Promise<void> {
      await rows.update(user, id, asked)
      signIn.forgetTokens(id)
      await pool.forget(id)
      // A try under way still had the old settings.
      await probes.wait(id)
      tryAgain(id)
    },
    /** Names of the secret settings that this user's use of it has, never their values. */
    async heldSecrets(user: User, id: ConnectionId): Promise<string[]> {
      const row = await rows.demand(user, id)
      const held = await credentials.find(id, keyFor(row, user.id).credentialOf)
      return Object.keys(held).filter((name) => !isEmpty(held[name]))
    },
    /** @param seenFor the mark of the settings that the user saw when they entered it */
    async setOwnSecrets(user: User, id: ConnectionId, settings: JsonObject, seenFor: string): Promise<void> {
      await rows.setOwnSecrets(user, id, settings, seenFor)
      await pool.forget(id)
    },
    async remove(user: User, id: ConnectionId): Promise<void> {
      await rows.remove(user, id)
      signIn.forgetTokens(id)
      await pool.forget(id)
      tails.forget(id)
      watching.forget(id)
    },
    setTrust: rows.setTrust,
    async trusted(id: ConnectionId): Promise<Pick<Connection, 'name' | 'ownerId'> | undefined> {
      const row = await rows.find(id)
      return row?.trustsChanges ? row : undefined
    },
    /** Starts a try in the background. */
    async check(user: User, id: ConnectionId): Promise<void> {
      await rows.demand(user, id)
      tryAgain(id)
    },
    /** What its plugin opened is gone, and what failed for want of the plugin may go well now. */
    async forgetConnector(connector: string): Promise<void> {
      for (const { id } of await rows.listOfConnector(connector)) {
        await pool.forget(id)
        void probes.start(id)
      }
    },
    probeOf: probes.of,
    waitForProbe: probes.wait,
    tools: listing.tools,
    everything: listing.everything,
    toolIdsEver: listing.toolIdsEver,
    toolsById: listing.toolsById,
    logTail: tails.of,
    signIn,
    checkUp: watching.checkUp,
    providers,
    programs: running,
    ...createUsing({ ...deps, rows, pool, news, resources, credentials }),
    async close(): Promise<void> {
      relist.stop()
      news.close()
      await pool.close()
      await probes.settled()
    },
  }
}
export type Connections = ReturnType<typeof createConnections>

/** A server may announce a change for each of a hundred tools; one listing a little later sees them all. */
function createRelist(refresh: (id: ConnectionId) => Promise<unknown>, log: Pick<Log, 'warn'>) {
  const timers = new Map<ConnectionId, ReturnType<typeof setTimeout>>()
  return {
    soon(id: ConnectionId): void {
      if (timers.has(id)) return
      const timer = setTimeout(() => {
        timers.delete(id)
        refresh(id).catch((error) => log.warn('tools could not be listed again', { connection: id, problem: String(error) }))
      }, RELIST_DELAY_MS)
      timers.set(id, timer)
    },
    stop(): void {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
