/** The composition root: rooms built from left to right. Reads as a table of contents. */
import { hostname } from 'node:os'
import { accessSync, chmodSync, constants, mkdirSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
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
import { createTelling } from './app/telling.ts'
import { passOnToPeople } from './app/to-people.ts'
import { passOnToRooms } from './app/to-rooms.ts'
import { createAudit, createCounting, createForwarding, createTrace } from './audit/index.ts'
import { createCatalogue } from './catalogue/index.ts'
import { createClients } from './clients/index.ts'
import { type Config, environment, rootKey } from './config/index.ts'
import { createConnections } from './connections/index.ts'
import { createGateway } from './gateway/index.ts'
import { createApprovals, createControl, createDigests, createGrants, createKept, createLimits } from './grants/index.ts'
import { ourselves } from './lib/assets.ts'
import { createChanges } from './lib/changes.ts'
import type { Log } from './lib/log.ts'
import { createOutbound, type Outbound } from './lib/outbound.ts'
import { createPrograms } from './lib/programs.ts'
import { createAddresses } from './lib/url.ts'
import { createNotices } from './notices/index.ts'
import { createOauth } from './oauth/index.ts'
import { createPlugins } from './plugins/index.ts'
import { createProfiles } from './profiles/index.ts'
import { openKeys, openStore } from './store/index.ts'
import { createUsers } from './users/index.ts'

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
