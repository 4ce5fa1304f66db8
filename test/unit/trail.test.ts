/** What is made of the trail: counts by the hour, and finding rows, against counting and looking through all of them. */
import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type AuditRow, createAudit, type NewRow, quantile, type RowFilter } from '@/audit'
import { HOUR_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { auditHours, auditRows, OUTCOMES, openStore } from '@/store'
import { countTurns } from '../support/outside.ts'
import { sealing } from '../support/sealing.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

type Row = NewRow & { afterMs: number; kept?: string | undefined }
const KEY = new Uint8Array(32).fill(7)
const BEGAN = 480_000 * HOUR_MS

/** A trail whose contents are what the test says, and whose clock goes by itself. */
function open() {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-'))
  const time = { now: BEGAN }
  const kept = new Map<string, string>()
  let store = openStore(folder)
  const searched = {
    key: KEY,
    textsOf: async (rows: readonly Pick<AuditRow, 'seq' | 'traceId'>[]) =>
      new Map(rows.flatMap(({ seq, traceId }) => (traceId ? [[seq, kept.get(traceId) ?? '']] : []))),
  }
  const disk = { isFull: false }
  const transact: typeof store.transact = (work, durability) =>
    disk.isFull ? Promise.reject(new Failure('store_unavailable')) : store.transact(work, durability)
  const room = () => createAudit({ store: { ...store, transact }, sealer: sealing(), clock: () => time.now, searched })
  let audit = room()
  ends.push(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })
  return {
    folder,
    kept,
    disk,
    audit: () => audit,
    store: () => store,
    reopen: async () => {
      await store.close()
      store = openStore(folder)
      audit = room()
    },
    write: async (rows: readonly Row[]) => {
      for (const { afterMs, kept: text, ...row } of rows) {
        time.now += afterMs
        if (text !== undefined && row.traceId) kept.set(row.traceId, text)
        audit.write(row, false)
      }
      await audit.flush()
    },
    rows: () => store.read.select().from(auditRows).orderBy(auditRows.seq).all(),
  }
}

const idOf = (prefix: string) => fc.constantFrom(...['a', 'b', 'c'].map((letter) => `${prefix}_${letter.repeat(16)}` as never))
const someRow: fc.Arbitrary<Row> = fc.record({
  kind: fc.constantFrom('call', 'call', 'call', 'admin', 'auth'),
  action: fc.constantFrom('tools/call', 'resources/read'),
  outcome: fc.constantFrom(...OUTCOMES),
  reason: fc.constantFrom(null, 'tool_not_granted'),
  subject: fc.constantFrom('listPull_requests', 'Größe', 'echo', '<b>"x" OR *</b>'),
  userId: idOf('usr'),
  clientId: fc.option(idOf('cli'), { nil: null }),
  grantId: fc.option(idOf('grt'), { nil: null }),
  profileId: fc.option(idOf('prf'), { nil: null }),
  connectionId: fc.option(idOf('con'), { nil: null }),
  toolId: fc.option(idOf('tol'), { nil: null }),
  durationUs: fc.option(fc.integer({ min: 0, max: 90_000_000 }), { nil: null }),
  upstreamUs: fc.option(fc.nat(1_000_000), { nil: null }),
  requestBytes: fc.option(fc.nat(1_000), { nil: null }),
  responseBytes: fc.option(fc.nat(1_000), { nil: null }),
  afterMs: fc.nat(HOUR_MS),
})

test('[TRAIL-HOURS] counts by the hour equal counting the rows, however far the counting came when and whether it was begun anew', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(someRow, { maxLength: 300 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (parts, isReopened) => {
        const trail = open()
        for (const part of parts) {
          await trail.write(part)
          await Promise.all([trail.audit().following.catchUp(), trail.audit().following.follow()])
          if (isReopened) await trail.reopen()
        }
        expect(await trail.audit().following.catchUp()).toBe(0)
        const calls = trail.rows().filter(({ kind }) => kind === 'call')
        const counted = trail.store().read.select().from(auditHours).all()
        const keyOf = (row: { userId: unknown; grantId: unknown; toolId: unknown }, hour: number) =>
          `${hour} ${row.userId} ${row.grantId ?? ''} ${row.toolId ?? ''}`
        const groups = <T>(rows: readonly T[], key: (row: T) => string, amount: (row: T) => number) =>
          [...Map.groupBy(rows, key)].map(([name, of]) => `${name} ${of.reduce((sum, row) => sum + amount(row), 0)}`).sort()
        const hourOf = ({ at }: AuditRow) => Math.floor(at / HOUR_MS)
        for (const [ofHour, ofRow] of [
          [(hour) => hour.calls, () => 1],
          [(hour) => hour.failed, ({ outcome }) => Number(outcome === 'failed' || outcome === 'tool-error')],
          [(hour) => hour.refused, ({ outcome }) => Number(outcome === 'refused')],
          [(hour) => hour.cancelled, ({ outcome }) => Number(outcome === 'cancelled')],
          [(hour) => hour.durationUs, ({ durationUs }) => durationUs ?? 0],
          [(hour) => hour.upstreamUs, ({ upstreamUs }) => upstreamUs ?? 0],
          [(hour) => hour.responseBytes, ({ responseBytes }) => responseBytes ?? 0],
          [
            (hour) => hour.latencies.reduce((sum, count) => sum + count, 0),
            ({ durationUs, outcome }) => Number(durationUs !== null && outcome !== 'refused'),
          ],
        ] as [(hour: (typeof counted)[number]) => number, (row: AuditRow) => number][])
          expect(groups(counted, (hour) => keyOf(hour, hour.hour), ofHour)).toEqual(groups(calls, (row) => keyOf(row, hourOf(row)), ofRow))
        const usage = await trail.audit().usage({ from: BEGAN, to: BEGAN + 10_000 * HOUR_MS, stepMs: 24 * HOUR_MS })
        expect(usage.all.calls).toBe(calls.length)
        expect([...usage.steps.values()].reduce((sum, { calls: count }) => sum + count, 0)).toBe(calls.length)
      },
    ),
    { numRuns: 12 },
  )
}, 60_000)

const someFilter: fc.Arbitrary<Omit<RowFilter, 'limit'>> = fc
  .record({
    userId: fc.option(idOf('usr'), { nil: undefined }),
    clientId: fc.option(idOf('cli'), { nil: undefined }),
    grantId: fc.option(idOf('grt'), { nil: undefined }),
    profileId: fc.option(idOf('prf'), { nil: undefined }),
    toolId: fc.option(idOf('tol'), { nil: undefined }),
    outcome: fc.option(fc.subarray([...OUTCOMES], { minLength: 1 }), { nil: undefined }),
    kind: fc.option(fc.constantFrom('call', 'admin', 'auth'), { nil: undefined }),
    from: fc.option(fc.integer({ min: BEGAN, max: BEGAN + 200 * HOUR_MS }), { nil: undefined }),
    to: fc.option(fc.integer({ min: BEGAN, max: BEGAN + 200 * HOUR_MS }), { nil: undefined }),
  })
  .map((filter) => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)))

const fits = (row: AuditRow, filter: Omit<RowFilter, 'limit'>): boolean =>
  Object.entries(filter).every(([name, value]) => {
    if (name === 'from') return row.at >= (value as number)
    if (name === 'to') return row.at < (value as number)
    return [value].flat().includes(row[name as 'outcome'] as never)
  })

test('[TRAIL-FIND] every filter gives the rows that it means, page by page in both directions, also where the index lags behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(someRow, { maxLength: 120 }),
      fc.array(someRow, { maxLength: 60 }),
      fc.array(someFilter, { minLength: 8, maxLength: 8 }),
      async (old, fresh, filters) => {
        const trail = open()
        await trail.write(old)
        await trail.audit().following.catchUp()
        await trail.write(fresh)
        for (const filter of filters) {
          const wanted = trail
            .rows()
            .filter((row) => fits(row, filter))
            .map(({ seq }) => seq)
          const down: number[] = []
          for (let before: number | undefined; ; ) {
            const page = await trail.audit().page({ ...filter, ...(before !== undefined && { before }), limit: 7 })
            down.push(...page.rows.map(({ seq }) => seq))
            before = page.rows.at(-1)?.seq
            if (!page.isMore) break
          }
          expect(down).toEqual(wanted.toReversed())
          const up: number[] = []
          for (let after = 0; ; ) {
            const page = await trail.audit().page({ ...filter, after, limit: 7 })
            up.push(...page.rows.map(({ seq }) => seq).reverse())
            after = page.rows[0]?.seq ?? after
            if (!page.isMore) break
          }
          expect(up).toEqual(wanted)
        }
      },
    ),
    { numRuns: 15 },
  )
}, 60_000)

const ADA = 'usr_aaaaaaaaaaaaaaaa' as never
const BOB = 'usr_bbbbbbbbbbbbbbbb' as never
const call = (subject: string, more: Partial<Row> = {}): Row => ({
  ...{ kind: 'call', action: 'tools/call', outcome: 'ok', subject, userId: ADA, userName: 'ada', durationUs: 5, afterMs: 1 },
  ...more,
})
const found = async (trail: ReturnType<typeof open>, text: string, more: Partial<RowFilter> = {}) =>
  (await trail.audit().page({ text, limit: 50, ...more })).rows.map(({ subject }) => subject)

test('[TRAIL-SEARCH] words are found in names by how they begin, each of them, and what was typed is never an expression', async () => {
  const trail = open()
  await trail.write([
    call('listPull_requests', { clientName: 'Claude Code', purpose: 'Größe prüfen' }),
    call('echo'),
    call('<b>"x" OR *</b>'),
  ])
  await trail.audit().following.catchUp()
  for (const [text, subjects] of [
    ['pull', ['listPull_requests']],
    ['REQ cla', ['listPull_requests']],
    ['grosse', []],
    ['größe', ['listPull_requests']],
    ['grobe', []],
    ['listpull_requests', []],
    ['listPull_requests', ['listPull_requests']],
    ['echo claude', []],
    ['echo OR claude', []],
    ['"x"', ['<b>"x" OR *</b>']],
    ['names : echo', []],
    ['* ^ ( ) "', []],
    ['ech* NOT', []],
    ['', ['<b>"x" OR *</b>', 'echo', 'listPull_requests']],
  ] as const)
    expect([text, await found(trail, text)]).toEqual([text, [...subjects]])
})

test('[TRAIL-SEARCH-OWN] words of contents find rows of whoever may read them alone, and stand nowhere in the file', async () => {
  const trail = open()
  const kept = { traceId: 'a1', kept: '{"query":"zanzibar quarterly"}' }
  await trail.write([call('mine', kept), call('theirs', { ...kept, userId: BOB, userName: 'bob' }), call('zanzibar_tool', { userId: BOB })])
  await trail.audit().following.catchUp()
  expect(await found(trail, 'zanzibar')).toEqual(['zanzibar_tool'])
  expect(await found(trail, 'zanzibar', { contentsOf: ADA })).toEqual(['zanzibar_tool', 'mine'])
  expect(await found(trail, 'zanzibar', { contentsOf: BOB })).toEqual(['zanzibar_tool', 'theirs'])
  expect(await found(trail, 'quarterly mine', { contentsOf: ADA, userId: ADA })).toEqual(['mine'])
  expect(await found(trail, 'quarter', { contentsOf: ADA })).toEqual([])
  await trail.reopen()
  const file = readFileSync(join(trail.folder, 'toolpass.db'))
  expect([file.includes('mine'), file.includes('quarterly')]).toEqual([true, false])
})

test('[TRAIL-FORGET] rows that were removed leave the index, their counts stay', async () => {
  const trail = open()
  await trail.write(Array.from({ length: 700 }, (_, at) => call(`row ${at}`)))
  await trail.audit().following.follow()
  await trail.store().transact((tx) => Promise.resolve(tx.prepare('DELETE FROM audit_rows WHERE seq <= 600').run([])))
  await trail.audit().following.sweep()
  const left = trail.store().prepare<{ rows: number }, []>('SELECT count(*) AS rows FROM audit_index').get()
  expect(left?.rows).toBe(100)
  expect(await found(trail, 'row', { userId: ADA })).toHaveLength(50)
  expect((await trail.audit().usage({ from: BEGAN, to: BEGAN + HOUR_MS, stepMs: HOUR_MS })).all.calls).toBe(700)
})

test('[TRAIL-FORGET] no row is removed by retention before it was counted', async () => {
  const trail = open()
  await trail.write(Array.from({ length: 900 }, (_, at) => call(`row ${at}`)))
  await trail.audit().retention.setPolicy({ id: ADA, username: 'ada' }, { keepDays: 1, keepMegabytes: null })
  await trail.write([call('much later', { afterMs: 48 * HOUR_MS })])
  // With the row that says what the policy is.
  expect(await trail.audit().retention.sweep(true)).toBe(901)
  await trail.audit().following.catchUp()
  const counted = trail.store().read.select().from(auditHours).all()
  expect(counted.reduce((sum, { calls }) => sum + calls, 0)).toBe(901)
})

test('[TRAIL-FIND] rows that the index is far behind of are looked through piece by piece, and it is said how far', async () => {
  const trail = open()
  await trail.write([call('the first', { outcome: 'refused' })])
  await trail.write(Array.from({ length: 20_500 }, () => call('other')))
  const page = await trail.audit().page({ outcome: 'refused', limit: 50 })
  expect(page).toEqual({ rows: [], isMore: false, searchedTo: 502 })
  const next = await trail.audit().page({ outcome: 'refused', limit: 50, before: 502 })
  expect(next.rows.map(({ subject }) => subject)).toEqual(['the first'])
  expect(next.searchedTo).toBeUndefined()
})

test('[TRAIL-FIND] what was written is found while nothing more can be written', async () => {
  const trail = open()
  await trail.write([call('one'), call('two', { outcome: 'refused' })])
  trail.disk.isFull = true
  expect(await trail.audit().following.catchUp()).toBe(2)
  await expect(trail.audit().following.follow()).rejects.toMatchObject({ code: 'store_unavailable' })
  const page = await trail.audit().page({ outcome: 'refused', limit: 50 })
  expect(page.rows.map(({ subject }) => subject)).toEqual(['two'])
  trail.disk.isFull = false
  expect(await trail.audit().following.catchUp()).toBe(0)
})

test('a quantile lies within the bucket that holds it, and nothing counted has none', () => {
  expect(quantile([], 0.5)).toBeUndefined()
  expect(quantile([0, 0], 0.5)).toBeUndefined()
  expect(quantile([10], 0.5)).toBe(0.5)
  expect(quantile([0, 0, 4], 1)).toBe(4)
  expect(quantile([50, 0, 0, 50], 0.95)).toBeGreaterThan(4)
})

test('rows of which much is kept are taken in with others having their turn meanwhile', async () => {
  const { write, audit } = open()
  const words = (from: number) => Array.from({ length: 6_000 }, (_, at) => `w${from + at}`).join(' ')
  const letters = 'ﷺ'.repeat(48_000)
  const row = (at: number): Row => ({
    ...{ kind: 'call', action: 'tools/call', outcome: 'ok', subject: 'echo', userId: 'usr_aaaaaaaaaaaaaaaa' as never, afterMs: 1 },
    ...{ traceId: String(at).padStart(32, '0'), kept: at % 10 === 0 ? letters : words(at * 10_000) },
  })
  await write(Array.from({ length: 100 }, (_, at) => row(at)))
  const turns = countTurns()
  await audit().following.catchUp()
  // Counted and not timed: how long one takes is up to the machine.
  expect(turns.end()).toBeGreaterThan(2)
  const { rows } = await audit().page({ text: 'w10001', contentsOf: 'usr_aaaaaaaaaaaaaaaa' as never, limit: 10 })
  expect(rows).toHaveLength(1)
})
