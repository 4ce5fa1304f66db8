/** The composition root: rooms built from left to right, then their routes. Reads as a table of contents. */
import { hostname } from 'node:os'
import { accessSync, chmodSync, constants, mkdirSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Elysia } from 'elysia'
import htmx from 'htmx.org/dist/htmx.min.js' with { type: 'file' }
import atlassian from '../plugins/atlassian/index.ts'
import github from '../plugins/github/index.ts'
import google from '../plugins/google/index.ts'
import microsoft from '../plugins/microsoft/index.ts'
import oauthPlugin from '../plugins/oauth/index.ts'
import openapi from '../plugins/openapi/index.ts'
import slack from '../plugins/slack/index.ts'
import sse from '../plugins/sse/index.ts'
import stdio from '../plugins/stdio/index.ts'
import streamableHttp from '../plugins/streamable-http/index.ts'
import wasm from '../plugins/wasm/index.ts'
import packageJson from '../package.json' with { type: 'json' }
import { passOnToPeople } from './app/to-people.ts'
import { passOnToRooms } from './app/to-rooms.ts'
import { createAudit, createCounting, createForwarding, createTrace } from './audit/index.ts'
import { createCatalogue } from './catalogue/index.ts'
import { createClients } from './clients/index.ts'
import { type Config, environment, rootKey } from './config/index.ts'
import { createConnections } from './connections/index.ts'
import { createGateway, mcpRoutes, profileIn } from './gateway/index.ts'
import { createApprovals, createControl, createDigests, createGrants, createKept, createLimits } from './grants/index.ts'
import { createDoors } from './http/doors.ts'
import { createFiles } from './http/files.ts'
import { createFront } from './http/incoming.ts'
import { createReply, SECURITY_HEADERS } from './http/reply.ts'
import { ourselves, shipped } from './lib/assets.ts'
import { createChanges } from './lib/changes.ts'
import { isFailure } from './lib/failure.ts'
import type { Log } from './lib/log.ts'
import { createOutbound, type Outbound } from './lib/outbound.ts'
import { createPrograms } from './lib/programs.ts'
import { createAddresses } from './lib/url.ts'
import { createNotices } from './notices/index.ts'
import { createOauth, oauthRoutes } from './oauth/index.ts'
import { createPlugins } from './plugins/index.ts'
import { clientLimits, createProfiles } from './profiles/index.ts'
import { openKeys, openStore } from './store/index.ts'
import { createUsers } from './users/index.ts'
import {
  accountsRoutes,
  adminControlRoutes,
  activityRoutes,
  adminRoutes,
  approvalsRoutes,
  appControlRoutes,
  appsRoutes,
  callRoutes,
  catalogueManageRoutes,
  catalogueRoutes,
  clientsRoutes,
  connectionAccountRoutes,
  connectionChangesRoutes,
  connectionRoutes,
  connectionsRoutes,
  consentRoutes,
  deviceRoutes,
  digestRoutes,
  createProblems,
  createShell,
  createTelling,
  doctorRoutes,
  exportRoutes,
  homeRoutes,
  importRoutes,
  limitsRoutes,
  loginRoutes,
  logoutRoutes,
  ownDocumentRoutes,
  noteWrongHost,
  noticesRoutes,
  ownClientsRoutes,
  pluginsRoutes,
  profileControlRoutes,
  profileRoutes,
  providersRoutes,
  profileChangesRoutes,
  profileToolRoutes,
  profileToolsRoutes,
  programFetchesRoutes,
  programsRoutes,
  resetRoutes,
  settingsRoutes,
  setupRoutes,
  subRegistryRoutes,
  tokensRoutes,
  trailRoutes,
  upstreamSignInRoutes,
  userLimitsRoutes,
  usageRoutes,
} from './web/index.ts'

export type House = Awaited<ReturnType<typeof openHouse>>

const CONNECTORS = [streamableHttp, sse, stdio, openapi, wasm]
const PROVIDERS = [github, google, microsoft, slack, atlassian, oauthPlugin]

/** What a test may put in place of the world outside. */
type Seams = { outbound?: Outbound; approvalWaitMs?: number; noticePausesMs?: readonly number[] }

/** Opens the data folder and builds every room. Throws a sentence for the terminal when the folder cannot be used. */
export async function openHouse(config: Config, log: Log, { outbound = createOutbound({}), approvalWaitMs, noticePausesMs }: Seams = {}) {
  const clock = Date.now
  const dataDir = resolve(config.dataDir)
  demandFolder(dataDir)
  // The key first: with a database but no key, nothing may be opened or made.
  const key = rootKey(config.encryptionKey, dataDir)
  const store = openStore(dataDir)
  try {
    const sealer = await openKeys(store, key)
    const changes = createChanges((error) => log.error('a change could not be passed on', error))
    const audit = createAudit({ store, sealer, clock })
    const trace = createTrace({ clock })
    const source = { version: packageJson.version, host: hostname(), origin: config.url?.origin ?? `http://localhost:${config.port}` }
    const { report, lastSeq } = audit
    const forwarding = createForwarding({ store, sealer, clock, report, lastSeq, outbound, log, source })
    const programs = createPrograms({ executable: ourselves(), dataDir, environment: environment() })
    const outside = { folder: join(realpathSync(dataDir), 'plugins'), changes, audit, log }
    const plugins = createPlugins({ plugins: [...CONNECTORS, ...PROVIDERS], outbound, programs, outside })
    const users = createUsers({ store, audit, clock, changes })
    const notices = createNotices({ store, sealer, audit, clock, log, users, outbound, config, noticePausesMs })
    const clients = createClients({ store, clock, audit, changes, outbound, trace })
    const catalogue = createCatalogue({ store, audit, clock, outbound, log })
    const connections = createConnections({ store, sealer, audit, plugins, users, changes, clock, log, outbound, config })
    const profiles = createProfiles({ store, audit, changes, clock, connections })
    const grants = createGrants({ store, clock, audit, changes })
    const control = createControl({ store, clock, audit, changes, grants, profiles, connections, clients, users })
    const limits = await createLimits({ store, clock, audit, counting: createCounting({ store }) })
    const kept = createKept({ store, sealer, clock })
    const approvals = createApprovals({ store, sealer, clock, audit, changes, notices, grants })
    const addresses = createAddresses({ url: config.url, insecureHttp: config.insecureHttp })
    const oauth = createOauth({ store, sealer, clients, grants, profiles, users, audit, trace, changes, clock, config })
    const rooms = { oauth, grants, limits, kept, approvals, profiles, connections, clients, users, audit }
    const ground = { config, log, clock, store, sealer, changes, trace, outbound, plugins, programs, addresses }
    const gateway = createGateway({ ...rooms, ...ground, approvalWaitMs })
    await programs.sweepLeftovers()
    await plugins.reload()
    passOnToRooms({ changes, profiles, gateway, grants, limits, connections, log, clock })
    const digests = createDigests({
      ...{ store, clock, audit, users, grants, clients, connections },
      tell: (userId, message) => notices.tell(userId, 'digest', message),
    })
    const telling = createTelling({ notices, profiles, connections, clock })
    passOnToPeople({ changes, log, approvals, telling, grants, profiles, connections })
    const close = async () => {
      gateway.close()
      notices.close()
      await connections.close()
      await plugins.close()
      outbound.close()
      await programs.close()
      await audit.following.stop()
      await Promise.all([audit.verifying.stop(), audit.retention.stop()])
      await forwarding.stop()
      // Rows that cannot be written any more are told of, and the file is closed all the same.
      await audit.flush().finally(store.close)
    }
    return { ...ground, ...rooms, notices, digests, forwarding, catalogue, control, gateway, close }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Ours alone, and writable: the files that are made next would each fail in their own words. */
function demandFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    accessSync(folder, constants.W_OK)
  } catch (cause) {
    const sentence = `The data folder ${folder} cannot be used. Make it a folder of the user that runs Toolpass, on a disk that can be written to, or choose another.`
    throw new Error(sentence, { cause })
  }
}

const ASSETS = ['toolpass.css', 'toolpass.js', 'push-worker.js', 'favicon.svg'] as const

/** All routes, each behind its door. */
export function createApp(house: House) {
  const { log, audit, users, grants, addresses } = house
  const files = createFiles({ ...Object.fromEntries(ASSETS.map((name) => [name, shipped(join('views/assets', name))])), 'htmx.js': htmx })
  const reply = createReply(addresses)
  const shell = createShell({ files, waiting: house.approvals.countWaiting, pauses: grants.pauses })
  const doors = createDoors({ sessions: users.sessions })
  const problem = createProblems({ reply, shell, log })
  const deps = { ...house, clientLimits, doors, reply, shell, files }
  return new Elysia({ handler: { standardHostname: false } })
    .onError(({ error, code, request }) => problem(error, String(code), request))
    .use(
      doors
        .open('')
        .get('/healthz', () => new Response('ok', { headers: SECURITY_HEADERS }))
        .get('/readyz', () => new Response(audit.lastSeq() >= 0 ? 'ok' : 'no', { headers: SECURITY_HEADERS }))
        .get('/assets/:file', ({ request, params, status }) => files.answer(request, params.file) ?? status(404, 'No such file.')),
    )
    .use(oauthRoutes(house))
    .use(mcpRoutes(house))
    .use(setupRoutes(deps))
    .use(resetRoutes(deps))
    .use(loginRoutes(deps))
    .use(logoutRoutes(deps))
    .use(consentRoutes(deps))
    .use(deviceRoutes(deps))
    .use(ownDocumentRoutes(deps))
    .use(homeRoutes(deps))
    .use([profileRoutes(deps), profileControlRoutes(deps)])
    .use(profileToolsRoutes(deps))
    .use([profileChangesRoutes(deps), profileToolRoutes(deps)])
    .use(catalogueRoutes(deps))
    .use(catalogueManageRoutes(deps))
    .use(subRegistryRoutes(deps))
    .use(importRoutes(deps))
    .use(connectionsRoutes(deps))
    .use(upstreamSignInRoutes(deps))
    .use([connectionRoutes(deps), connectionChangesRoutes(deps), connectionAccountRoutes(deps), accountsRoutes(deps)])
    .use(doctorRoutes(deps))
    .use([appsRoutes(deps), appControlRoutes(deps)])
    .use([...limitsRoutes(deps), userLimitsRoutes(deps)])
    .use(ownClientsRoutes(deps))
    .use(tokensRoutes(deps))
    .use(activityRoutes(deps))
    .use([exportRoutes(deps), usageRoutes(deps), digestRoutes(deps), callRoutes(deps), approvalsRoutes(deps)])
    .use([settingsRoutes(deps), noticesRoutes(deps)])
    .use([
      adminRoutes(deps),
      adminControlRoutes(deps),
      programsRoutes(deps),
      trailRoutes(deps),
      programFetchesRoutes(deps),
      clientsRoutes(deps),
      pluginsRoutes(deps),
      providersRoutes(deps),
    ])
}
export type App = ReturnType<typeof createApp>

const BODY_BYTES_MAX = 16 * 1024 * 1024
/** A connection on which nothing happens for so long is closed; streams lift it for themselves. */
const IDLE_SECONDS = 60
const WELL_KNOWN = '/.well-known/'

/** The front of the house: Host and peer are checked before any router sees the request. */
export function createFetch(house: House, app: App, onUse: () => void = () => undefined) {
  const { addresses, log } = house
  const front = createFront({ addresses, trustedProxies: house.config.trustedProxies })
  const failed = (error: unknown, request: Request, server: Bun.Server<undefined>): Response => {
    if (isFailure(error, 'unknown_host')) noteWrongHost(house, request, server.requestIP(request)?.address ?? '')
    if (isFailure(error)) return new Response(error.message, { status: error.status, headers: SECURITY_HEADERS })
    log.error('a request failed', error)
    return new Response('Something broke on our side.', { status: 500, headers: SECURITY_HEADERS })
  }
  const routed = async (inside: Request, request: Request, server: Bun.Server<undefined>): Promise<Response> => {
    try {
      return await app.fetch(inside)
    } catch (error) {
      return failed(error, request, server)
    }
  }
  return (request: Request, server: Bun.Server<undefined>): Promise<Response> | Response => {
    try {
      onUse()
      const inside = withoutBase(request, addresses.base)
      if (!inside) return new Response('Not here.', { status: 404, headers: SECURITY_HEADERS })
      front.admit(inside, server.requestIP(request)?.address ?? '', () => server.timeout(request, 0))
      // Calls are many and their address is plain: they are not taken through the router, which leads to the same place.
      const profile = profileIn(inside.url)
      return profile === undefined ? routed(inside, request, server) : house.gateway.serve(inside, profile.name)
    } catch (error) {
      return failed(error, request, server)
    }
  }
}

/** Undefined when the address is outside our base path. Well-known documents stand at the root of the origin, whatever the base. */
function withoutBase(request: Request, base: string): Request | undefined {
  if (base === '') return request
  const url = new URL(request.url)
  if (url.pathname.startsWith(WELL_KNOWN)) return request
  if (url.pathname !== base && !url.pathname.startsWith(`${base}/`)) return undefined
  url.pathname = url.pathname.slice(base.length) || '/'
  return new Request(url, request)
}

/** Starts to listen. Throws a sentence for the terminal when the port is taken. */
export function listen(house: House, onUse?: () => void) {
  const { host, port } = house.config
  const fetch = createFetch(house, createApp(house), onUse)
  return Bun.serve({ hostname: host, port, fetch, maxRequestBodySize: BODY_BYTES_MAX, idleTimeout: IDLE_SECONDS, development: false })
}
