/** Rows of the trail as years would leave them, written by the audit room itself into the stopped house's data folder. */
import { createAudit, type NewRow } from '../src/audit/index.ts'
import { rootKey } from '../src/config/index.ts'
import { newClientId, newConnectionId, newGrantId, newProfileId, newToolId, newUserId, type UserId } from '../src/lib/ids.ts'
import { openKeys, openStore } from '../src/store/index.ts'

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))
const USERS = 20
const YEAR_MS = 365 * 86_400_000
/** One call in so many is refused, of the rare tool, by the rare word. */
const [REFUSED_EVERY, RARE_EVERY, ACT_EVERY, KEPT_EVERY] = [5_003, 9_973, 101, 10]
/** Of this process, in microseconds: unlike a clock it does not count what others do on the machine. */
const cpuUs = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}
/** As many as wait in memory. */
const TOGETHER = 500

const ids = {
  users: many(USERS, newUserId),
  clients: many(8, newClientId),
  grants: many(40, newGrantId),
  profiles: many(10, newProfileId),
  connections: many(12, newConnectionId),
  tools: many(80, newToolId),
  rareTool: newToolId(),
}
export type Known = typeof ids & { me: UserId }

/** Mixed up, and the same in every run. */
const mixed = (at: number, by: number, of: number) => (Math.imul(at, by) >>> 7) % of
/** An app works for a while, then another; it has one user and one profile, and eight tools of which it uses some more than others. */
const CALLS_IN_A_ROW = 40
function partsAt(at: number) {
  const grant = mixed(Math.floor(at / CALLS_IN_A_ROW), 2_654_435_761, 40)
  const tool = (grant * 8 + Math.min(mixed(at, 40_503_001, 8), mixed(at, 97_777_771, 8))) % 80
  return { grant, tool, user: grant % USERS, client: grant % 8, profile: grant % 10, connection: tool % 12 }
}

function rowAt(at: number, me: UserId): NewRow {
  const { grant, tool, user, client, profile, connection } = partsAt(at)
  const who = { userId: user === 0 ? me : (ids.users[user] ?? me), userName: user === 0 ? 'bench' : `user${user}` }
  if (at % ACT_EVERY === 0) return { kind: 'admin', action: 'profile.update', outcome: 'ok', subject: `Profile ${profile}`, ...who }
  const isRare = at % RARE_EVERY === 0
  const isRefused = at % REFUSED_EVERY === 0
  const durationUs = 800 + mixed(at, 2_246_822_519, 400_000)
  return {
    ...{ kind: 'call', action: 'tools/call', subject: isRare ? 'rarely_called' : `server${connection}_tool_${tool}`, ...who },
    outcome: isRefused ? 'refused' : at % 23 === 0 ? 'tool-error' : 'ok',
    reason: isRefused ? 'tool_not_granted' : null,
    purpose: isRare ? 'To look for a zebra' : null,
    ...{ clientId: ids.clients[client] ?? null, clientName: `App ${client}`, grantId: ids.grants[grant] ?? null },
    ...{ profileId: ids.profiles[profile] ?? null, profileName: `Profile ${profile}` },
    ...{ connectionId: ids.connections[connection] ?? null, connectionName: `Server ${connection}` },
    toolId: isRare ? ids.rareTool : (ids.tools[tool] ?? null),
    ...{ requestBytes: 200, responseBytes: 2_000, durationUs, upstreamUs: durationUs - 700 },
  }
}

/** What one of the longer calls sends and answers. */
export const longContents = () => ({
  arguments: { query: 'open issues of this quarter', owner: 'kim', labels: ['bug', 'later'], note: 'x y z '.repeat(100) },
  result: { content: [{ type: 'text', text: 'Issue 7: the page scrolls sideways on a phone. '.repeat(40) }] },
})

async function openTrail(folder: string, clock: () => number = Date.now) {
  const store = openStore(folder)
  const sealer = await openKeys(store, rootKey(undefined, folder))
  return { store, audit: createAudit({ store, sealer, clock }) }
}

/** As a house that has been up since its last row: counted and indexed. */
export async function followTrail(folder: string): Promise<void> {
  const { store, audit } = await openTrail(folder)
  for (let left = 1; left > 0; ) left = await audit.following.catchUp()
  await store.close()
}

/** @returns what can be looked for, and what writing and following took: microseconds of CPU a row */
export async function fillTrail(folder: string, rows: number): Promise<Known & { followUs: number; writeUs: number }> {
  const time = { now: Date.now() - YEAR_MS }
  const { store, audit } = await openTrail(folder, () => time.now)
  const me = store.prepare<{ id: UserId }, []>('SELECT id FROM users LIMIT 1').get()?.id as UserId
  const began = cpuUs()
  for (let at = 1; at <= rows; at += 1) {
    time.now += YEAR_MS / rows
    const contents = {
      keeps: 'redacted' as const,
      arguments: { query: at % 777 === 0 ? 'giraffe' : `number ${at % 50}` },
      result: { content: [] },
    }
    void audit.write(rowAt(at, me), false, at % KEPT_EVERY === 0 ? contents : undefined)
    if (at % TOGETHER === 0) await audit.flush()
  }
  await audit.flush()
  const written = cpuUs()
  for (let left = 1; left > 0; ) left = await audit.following.catchUp()
  const followed = cpuUs()
  await store.close()
  return { ...ids, me, writeUs: (written - began) / rows, followUs: (followed - written) / rows }
}

/** Microseconds of CPU of one row with contents kept so, in a batch with others, as calls write them. */
export async function rowCostUs(folder: string, keeps: 'none' | 'redacted' | 'whole', rows: number): Promise<number> {
  const { store, audit } = await openTrail(folder)
  const me = ids.users[0] as UserId
  const began = cpuUs()
  for (let at = 1; at <= rows; at += 1) {
    void audit.write(rowAt(at, me), false, keeps === 'none' ? undefined : { keeps, ...longContents() })
    if (at % 100 === 0) await audit.flush()
  }
  await audit.flush()
  const us = (cpuUs() - began) / rows
  await store.close()
  return us
}
