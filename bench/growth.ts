/** The same call on a small house and on one with 5,000 tools, 1,000 grants and a million audit rows, in turns. */
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { addConnections, bearer, type House, letIn, makeProfiles, prepareHouse, register, toolNamed, toolsOf } from './house.ts'
import type { HttpJob } from './load.ts'
import { freePort, makeFolder, startServer } from './processes.ts'
import { callOf } from './requests.ts'
import { type Bench, takeTurns } from './rounds.ts'
import type { Values } from './targets.ts'
import { followTrail } from './trail-rows.ts'
import { type Place, signIn, startToolpass } from './toolpass.ts'

const SMALL_TOOLS = 20
const CONNECTIONS = 10
const TOOLS = 500
/** As many as one profile takes; the others stand in further ones. */
const TOOLS_PER_PROFILE = 1_000
const GRANTS = 1_000
const AUDIT_ROWS = 1_000_000
/** What each of the copied grants says about tools. */
const TOOLS_PER_GRANT = 100
const BYTES = 100
/** The file is checked whole before anything is served. */
const PATIENCE_MS = 120_000

/** Random, and of the form of our ids. */
const newId = (prefix: string) => `'${prefix}_' || substr(translated, 1, 16)`

/**
 * Multiplies rows that Toolpass itself wrote, under new ids: whatever columns a table has, its copies have the same.
 * `changed` gives SQL for the columns that differ; `copy` is the number of the copy, `translated` 32 random characters.
 */
function multiply(db: Database, table: string, where: string, times: number, changed: Record<string, string>): void {
  const columns = db
    .query<{ name: string }, []>(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => name)
    .filter((name) => changed[name] !== '')
  const taken = columns.map((name) => changed[name] ?? `"${name}"`)
  db.run(
    `WITH RECURSIVE copies(copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM copies WHERE copy < ${times})
     INSERT INTO ${table} (${columns.map((name) => `"${name}"`).join(', ')})
     SELECT ${taken.join(', ')} FROM (SELECT *, lower(hex(randomblob(16))) AS translated FROM copies CROSS JOIN (SELECT * FROM ${table} WHERE ${where}))`,
  )
}

/** What has gathered over the years, written into the stopped house's file. */
function age({ folder }: Place): void {
  const db = new Database(join(folder, 'toolpass.db'))
  try {
    for (const pragma of ['foreign_keys = OFF', 'synchronous = OFF', 'temp_store = MEMORY', 'cache_size = -262144'])
      db.run(`PRAGMA ${pragma}`)
    db.transaction(() => {
      const grant = db.query<{ id: string }, []>('SELECT id FROM grants LIMIT 1').get()?.id ?? ''
      multiply(db, 'grants', `id = '${grant}'`, GRANTS - 1, { id: newId('grt') })
      // Each copy has its own access and refresh token, and its own word about tools.
      db.run(`CREATE TEMP TABLE copied (number INTEGER PRIMARY KEY, id TEXT)`)
      db.run(`INSERT INTO copied (id) SELECT id FROM grants WHERE id <> '${grant}'`)
      const ofCopy = '(SELECT id FROM copied WHERE number = copy)'
      multiply(db, 'tokens', `grant_id = '${grant}'`, GRANTS - 1, {
        hash: 'translated',
        family: 'translated',
        grant_id: ofCopy,
        child_hash: 'NULL',
      })
      const some = `rowid IN (SELECT rowid FROM grant_tools WHERE grant_id = '${grant}' LIMIT ${TOOLS_PER_GRANT})`
      multiply(db, 'grant_tools', some, GRANTS - 1, { grant_id: ofCopy })
      // Their order is their number: what is new comes after.
      const call = "seq = (SELECT max(seq) FROM audit_rows WHERE kind = 'call')"
      const ofAny = `(SELECT id FROM copied WHERE number = 1 + copy % ${GRANTS - 1})`
      multiply(db, 'audit_rows', call, AUDIT_ROWS, {
        seq: '',
        at: `at - (${AUDIT_ROWS} - copy) * 2000`,
        grant_id: ofAny,
        chain: 'translated',
      })
    })()
    db.run('PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
}

function countsOf({ folder }: Place): Record<'tools' | 'grants' | 'audit_rows', number> {
  const db = new Database(join(folder, 'toolpass.db'), { readonly: true })
  const count = (table: string) => db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0
  const counts = { tools: count('tools'), grants: count('grants'), audit_rows: count('audit_rows') }
  db.close()
  return counts
}

async function prepareLarge(ports: readonly number[], say: Bench['say']): Promise<House> {
  say('growth: 5,000 tools in five profiles')
  const { folder, remove } = makeFolder('large')
  const place = { folder, port: await freePort() }
  const first = await startToolpass(place)
  let known: Pick<House, 'path' | 'token' | 'tools'>
  try {
    const person = await signIn(first.origin)
    await addConnections(person, ports)
    const [path = ''] = await makeProfiles(person, CONNECTIONS * TOOLS, TOOLS_PER_PROFILE)
    const { token } = await letIn(person, first.origin, path, await register(first.origin))
    const tools = await toolsOf(first.origin, path, token)
    known = { path, token, tools }
    // One call leaves the row that is multiplied.
    const { headers, body } = callOf(bearer(token), toolNamed(known, 'echo_write'), BYTES)
    const response = await fetch(first.origin + path, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(`the first call answered ${response.status}: ${await response.text()}`)
  } finally {
    await first.stop()
  }
  say('growth: 1,000 grants and a million audit rows')
  age(place)
  // Otherwise it would take in a million rows while it is measured, once and never again.
  await followTrail(folder)
  const toolpass = await startToolpass(place, PATIENCE_MS)
  return { ...known, place, toolpass, person: await signIn(toolpass.origin), remove }
}

export async function measureGrowth(bench: Bench): Promise<{ values: Values; notes: string[] }> {
  const few = await startServer('upstream.ts', '--tools', String(SMALL_TOOLS))
  const many = await startServer('upstream.ts', '--servers', String(CONNECTIONS), '--tools', String(TOOLS))
  const houses: Record<string, House> = { small: await prepareHouse([few.port], SMALL_TOOLS) }
  try {
    houses['large'] = await prepareLarge(many.ports, bench.say)
    const counts = countsOf(houses['large'].place)
    if (counts.tools < CONNECTIONS * TOOLS || counts.grants < GRANTS || counts.audit_rows < AUDIT_ROWS)
      throw new Error(`the large house is too small: ${JSON.stringify(counts)}`)
    const courses = ['echo', 'echo_write'].flatMap((name) =>
      Object.entries(houses).map(([size, house]) => {
        const { port, pids } = house.toolpass
        const job: HttpJob = {
          ...{ port, path: house.path, connections: 16, requests: 1e9, ms: bench.scale.ms, expect: '', bytesMin: BYTES },
          asks: [callOf(bearer(house.token), toolNamed(house, name), BYTES)],
        }
        return { key: `${size} ${name}`, job, pids }
      }),
    )
    const taken = await takeTurns(bench, 'growth', courses)
    return {
      values: { growth: taken.ratio('large echo', 'small echo'), growthWrite: taken.ratio('large echo_write', 'small echo_write') },
      notes: [
        `growth: ${counts.tools} tools, ${counts.grants} grants and ${counts.audit_rows} audit rows when the large house was started`,
      ],
    }
  } finally {
    for (const house of Object.values(houses)) {
      await house.toolpass.stop()
      house.remove()
    }
    await few.stop()
    await many.stop()
  }
}
