/** Connections that the house looks after by itself. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHouse } from '@/app.ts'
import { loadConfig } from '@/config'
import { createWatching } from '@/connections/watching.ts'
import { MINUTE_MS } from '@/lib/clock.ts'
import { createLog } from '@/lib/log.ts'
import { newConnectionId } from '@/lib/ids.ts'
import type { User } from '@/users'

const folder = mkdtempSync(join(tmpdir(), 'toolpass-watching-'))
const log = createLog({ level: 'error', format: 'json', write: () => undefined })
let house: Awaited<ReturnType<typeof openHouse>>
let ada: User
let tools = ['one']
let isDown = false
const upstream = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    if (isDown) return new Response('no', { status: 503 })
    const { id, method } = (await request.json()) as { id?: number; method: string }
    const about = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
    const listed = { resultType: 'complete', ttlMs: 60_000, tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) }
    return Response.json({ jsonrpc: '2.0', id, result: method === 'server/discover' ? about : listed })
  },
})

beforeAll(async () => {
  house = await openHouse(loadConfig({ env: { TOOLPASS_DATA_DIR: folder }, flags: {} }), log)
  ada = await house.users.create('command line', { username: 'ada', role: 'admin', password: 'correct horse battery' })
})
afterAll(async () => {
  await house.close()
  await upstream.stop(true)
  rmSync(folder, { recursive: true, force: true })
})

test('[CONNECTION-HEALTH] who is open is listed again when its list has run out, who fails is tried again, who rests is left alone', async () => {
  const now = { ms: 10 * MINUTE_MS * 1_000 }
  const tried: string[] = []
  const row = (status: 'ready' | 'failing', connector: string) => ({ id: newConnectionId(), status, connector, checkedAt: now.ms })
  const rows = {
    open: row('ready', 'http'),
    idle: row('ready', 'http'),
    failing: row('failing', 'http'),
    program: row('failing', 'runs here'),
  }
  const watching = createWatching({
    clock: () => now.ms,
    plugins: { connector: (id) => ({ definedBy: id === 'http' ? 'anyone' : 'administrator' }) as never },
    rows: { all: async () => Object.values(rows) as never },
    pool: { standing: () => [{ connectionId: rows.open.id }] },
    tryOnce: async (id) => void tried.push(Object.entries(rows).find(([, each]) => each.id === id)?.[0] ?? ''),
  })
  const round = async (afterMs: number) => {
    now.ms += afterMs
    await watching.checkUp()
    return tried.splice(0).toSorted()
  }
  expect(await round(2 * MINUTE_MS)).toEqual([])
  watching.listed(rows.open.id, 0)
  expect(await round(MINUTE_MS - 1)).toEqual([])
  expect(await round(1)).toEqual(['open'])
  watching.listed(rows.open.id, 60 * MINUTE_MS)
  expect(await round(5 * MINUTE_MS)).toEqual(['failing', 'open'])
})

test('[CONNECTION-HEALTH] a check keeps what it found: a tool that came, a server that went away', async () => {
  const settings = { url: `http://127.0.0.1:${upstream.port}/mcp` }
  const { id } = await house.connections.add(ada, { connector: 'streamable-http', name: 'Watched', visibility: 'private', settings })
  await house.connections.waitForProbe(id)
  const names = async () => (await house.connections.tools([id])).map(({ name }) => name)
  expect(await names()).toEqual(['one'])
  tools = ['one', 'two']
  await house.connections.check(ada, id)
  await house.connections.waitForProbe(id)
  expect(await names()).toEqual(['one', 'two'])
  isDown = true
  await house.connections.check(ada, id)
  await house.connections.waitForProbe(id)
  expect((await house.connections.demand(ada, id)).status).toBe('failing')
})
