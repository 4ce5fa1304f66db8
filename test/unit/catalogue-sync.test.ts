/** Following a registry over hours, with a clock of our own. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAudit } from '@/audit'
import { createCatalogue } from '@/catalogue'
import { HOUR_MS, MINUTE_MS } from '@/lib/clock.ts'
import { createOutbound } from '@/lib/outbound.ts'
import { openStore } from '@/store'
import { createChanges } from '@/lib/changes.ts'
import { createUsers } from '@/users'
import { startRegistry } from '../support/registry.ts'
import { sealing } from '../support/sealing.ts'

const folder = mkdtempSync(join(tmpdir(), 'toolpass-catalogue-'))
const store = openStore(folder)
const time = { now: Date.UTC(2030, 0, 1) }
const clock = () => time.now
const audit = createAudit({ store, sealer: sealing(), clock })
const registry = startRegistry()
const warnings: string[] = []
const log = { warn: (message: string) => void warnings.push(message) }
const catalogue = createCatalogue({ store, audit, clock, outbound: createOutbound({}), log })
const users = createUsers({ store, audit, clock, changes: createChanges(() => undefined) })

afterAll(async () => {
  await registry.stop()
  await audit.flush()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const item = (name: string, updatedAt: string, status = 'active') => ({
  server: { name, description: `${name} of ${updatedAt}`, version: '1.0.0', remotes: [{ type: 'sse', url: 'https://a.example/sse' }] },
  _meta: { 'io.modelcontextprotocol.registry/official': { status, isLatest: true, updatedAt } },
})
const asked = () => registry.state.asked.splice(0)
const found = async (name: string) => (await catalogue.find(name))?.entry.description

test('[CATALOGUE-SYNC] asks hourly at most, for what changed since, and takes "not modified" for an answer', async () => {
  const ada = await users.create('command line', { username: 'ada', role: 'admin', password: 'correct horse battery' })
  registry.state.items = [item('com.a/one', '2029-01-01T00:00:00Z'), item('com.a/two', '2029-02-01T00:00:00Z')]
  await catalogue.follow(ada, registry.url)
  await catalogue.syncDue()
  expect(asked()).toHaveLength(1)
  expect(await found('com.a/one')).toContain('2029-01-01')

  time.now += HOUR_MS - 1
  await catalogue.syncDue()
  await expect(catalogue.syncNow(registry.url)).rejects.toMatchObject({ code: 'slow_down' })
  expect(asked()).toEqual([])

  time.now += 1
  registry.state.items = [
    ...registry.state.items,
    item('com.a/one', '2029-03-01T00:00:00Z'),
    item('com.a/two', '2029-03-02T00:00:00Z', 'deleted'),
  ]
  registry.state.etag = '"two"'
  await catalogue.syncDue()
  expect(asked().map(({ query }) => query['updated_since'])).toEqual(['2029-02-01T00:00:00Z'])
  expect(await found('com.a/one')).toContain('2029-03-01')
  expect(await found('com.a/two')).toBeUndefined()

  // The question is a new one, so it carries no tag; asked again unchanged, it does.
  for (const tag of [null, '"two"']) {
    time.now += HOUR_MS
    await catalogue.syncDue()
    expect(asked().map(({ query, etag }) => [query['updated_since'], etag])).toEqual([['2029-03-02T00:00:00Z', tag]])
  }
})

test('[CATALOGUE-SYNC] a failure is kept beside the source, tried again after a minute, and costs no entry', async () => {
  for (const [broken, problem] of [
    [500, 'It answered with status 500.'],
    [204, 'This is no JSON, or it is nested too deeply.'],
  ] as const) {
    registry.state.status = broken
    time.now += HOUR_MS
    await catalogue.syncDue()
    await catalogue.syncDue()
    expect(asked()).toHaveLength(1)
    expect((await catalogue.sources())[0]?.problem).toBe(problem)
    expect(await found('com.a/one')).toContain('2029-03-01')
  }
  expect(warnings).toHaveLength(2)
  registry.state.status = 200
  time.now += MINUTE_MS
  await catalogue.syncDue()
  expect((await catalogue.sources())[0]?.problem).toBeNull()
})
