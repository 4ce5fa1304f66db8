/** The trail itself: what ties its rows together, how they gather, and what holds when the file cannot be written. */
import { describe, expect, test } from 'bun:test'
import { type AuditRow, createAudit, type NewRow, verifyChain } from '@/audit'
import { HELD_ROWS_MAX } from '@/audit/batch.ts'
import { auditRows } from '@/store'
import { fillable, loneStores } from '../support/lone-store.ts'
import { eventually } from '../support/outside.ts'
import { sealing } from '../support/sealing.ts'

const openStore = loneStores()

function open() {
  const { store } = openStore()
  const { disk, transact } = fillable(store)
  const audit = createAudit({ store: { ...store, transact }, sealer: sealing(), clock: Date.now })
  const rows = (): AuditRow[] => store.read.select().from(auditRows).orderBy(auditRows.seq).all()
  return { store, audit, disk, rows, subjects: () => rows().map(({ subject }) => subject) }
}
const call = (subject: string, more: Partial<NewRow> = {}): NewRow => ({
  ...{ kind: 'call', action: 'tools/call', outcome: 'ok', subject, userName: 'ada', durationUs: 5 },
  ...more,
})
/** As they stood in a file of that time, hash and all. */
const ROWS_OF_VERSION_2 = [
  { outcome: 'ok', subject: 'one', durationUs: 5, detail: { a: 1 }, chain: '2:iXnNXcboDFNMyfPY-eJBCqPFAqK3q77JrmcoYeqqi-s' },
  { outcome: 'refused', subject: 'two', chain: '2:IQbVLRiA5hoV8YCEn7wiS_fJmV3qcizQQFGtJ_1fe1w' },
].map((row) => ({ at: 1_790_000_000_000, kind: 'call', action: 'tools/call', userName: 'ada', ...row }) as const) as (NewRow & {
  at: number
  chain: string
})[]
const many = (count: number) => Array.from({ length: count }, (_, at) => call(`row ${at}`))
const isPending = async (promise: Promise<unknown> | undefined) => (await Promise.race([promise, Promise.resolve('pending')])) === 'pending'

describe('the chain', () => {
  /** Rows of calls, more than go into one statement, and one of an act between them; with what a row may hold. */
  async function trail() {
    const room = open()
    for (const row of many(120)) room.audit.write(row, false)
    await room.audit.flush()
    await room.audit.report({
      kind: 'admin',
      action: 'grant.revoke',
      outcome: 'ok',
      userName: 'ada',
      detail: { b: [1, null], a: 'ä', 2: {} },
    })
    for (const odd of ['nul \0', 'quote "\\', 'half \ud83d', '日本😀', ''])
      room.audit.write(call(odd, { clientName: odd, upstreamUs: 0 }), false)
    await room.audit.flush()
    return room
  }
  test('proves a trail as it was read back from the file, whole or from any row on', async () => {
    const rows = (await trail()).rows()
    expect(verifyChain(rows)).toEqual({ proven: 126, old: 0 })
    expect(verifyChain(rows.slice(50), rows[49]?.chain)).toEqual({ proven: 76, old: 0 })
  })
  test('shows a row that was taken out, wherever it stood', async () => {
    const rows = (await trail()).rows()
    for (const at of [0, 1, 49, 50, 119, 124]) expect(verifyChain(rows.toSpliced(at, 1))).toMatchObject({ proven: at, brokenAt: at + 2 })
  })
  test('shows a row that was put in, or in another place', async () => {
    const rows = (await trail()).rows()
    const [third, fourth] = rows.slice(2, 4) as [AuditRow, AuditRow]
    expect(verifyChain(rows.toSpliced(2, 2, fourth, third))).toMatchObject({ brokenAt: 4 })
    expect(verifyChain(rows.toSpliced(3, 0, third))).toMatchObject({ brokenAt: 3 })
  })
  test('shows a change in any column', async () => {
    const rows = (await trail()).rows()
    const row = rows[120] as AuditRow
    const columns = Object.keys(row).filter((column) => column !== 'seq')
    expect(columns).toHaveLength(26)
    for (const column of columns) {
      const changed = { ...row, [column]: column === 'detail' ? { a: 'ä' } : 'x' } as unknown as AuditRow
      expect([column, verifyChain(rows.with(120, changed)).brokenAt]).toEqual([column, 121])
    }
    const moved = { ...row, userName: row.clientName, clientName: row.userName }
    expect(verifyChain(rows.with(120, moved)).brokenAt).toBe(121)
  })
  test('goes on from rows that were hashed in another way, and lets none of those in later', async () => {
    const { store, audit, rows } = open()
    await store.transact((tx) => tx.insert(auditRows).values([1, 2].map((at) => ({ ...call('old'), at, chain: `${at}`.repeat(43) }))))
    for (const row of many(3)) await audit.write(row, true)
    const all = rows()
    expect(verifyChain(all)).toEqual({ proven: 3, old: 2 })
    expect(verifyChain(all.toSpliced(1, 1))).toMatchObject({ brokenAt: 3 })
    expect(verifyChain(all.with(3, { ...(all[3] as AuditRow), subject: 'x', chain: 'y'.repeat(43) }))).toMatchObject({ brokenAt: 4 })
  })
  test('goes on from rows of version 2, which were hashed without what is kept of contents, and lets none of those in later', async () => {
    const { store, audit, rows } = open()
    await store.transact((tx) => tx.insert(auditRows).values(ROWS_OF_VERSION_2))
    for (const row of many(3)) await audit.write(row, true)
    const all = rows()
    expect(verifyChain(all)).toEqual({ proven: 5, old: 0 })
    for (const at of [0, 1, 2])
      expect(verifyChain(all.with(at, { ...(all[at] as AuditRow), subject: 'x' }))).toMatchObject({ brokenAt: at + 1 })
    // A hash that nothing vouched for then, and a row that would only have to fit the older way.
    expect(verifyChain(all.with(1, { ...(all[1] as AuditRow), contentHash: 'x' }))).toMatchObject({ brokenAt: 2 })
    expect(verifyChain(all.slice(0, 1), all[4]?.chain)).toMatchObject({ brokenAt: 1 })
  })
  test('holds when acts and calls are written side by side, and when a transaction with an act in it is undone', async () => {
    const { store, audit, rows } = open()
    const act = (subject: string): NewRow => ({ kind: 'admin', action: 'profile.add', outcome: 'ok', subject })
    const undone = store.transact(async (tx) => {
      await audit.report(act('undone'), tx)
      audit.write(call('meanwhile'), true)?.catch(() => undefined)
      await Bun.sleep(5)
      throw new Error('no')
    })
    const others = [audit.report(act('one')), audit.write(call('two'), true), audit.report(act('three')), audit.write(call('four'), true)]
    await expect(undone).rejects.toThrow('no')
    await Promise.all(others)
    expect(
      rows()
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(['four', 'meanwhile', 'one', 'three', 'two'])
    expect(verifyChain(rows())).toEqual({ proven: 5, old: 0 })
  })
})

describe('a batch', () => {
  test('takes what only read after 50 ms at most, and nobody waits for it', async () => {
    const { audit, subjects } = open()
    expect(audit.write(call('read'), false)).toBeUndefined()
    expect(subjects()).toEqual([])
    await Bun.sleep(100)
    expect(subjects()).toEqual(['read'])
  })
  test('with a row that is waited for is in the file when the wait ends, and is one for all that end together', async () => {
    const { audit, subjects, disk } = open()
    audit.write(call('read'), false)
    const waits = Array.from({ length: 20 }, (_, at) => audit.write(call(`changed ${at}`), true))
    expect(await isPending(waits[0])).toBe(true)
    await waits[0]
    expect(subjects()).toEqual(['read', ...waits.map((_, at) => `changed ${at}`)])
    expect(disk.attempts).toBe(1)
    await Promise.all(waits)
  })
  test('keeps the rows in the order in which their calls ended', async () => {
    const { audit, subjects } = open()
    for (const row of many(1_234)) audit.write(row, false)
    await audit.flush()
    expect(subjects()).toEqual(many(1_234).map(({ subject }) => subject ?? null))
  })
  test('waits for the writer, and takes along what comes meanwhile', async () => {
    const { store, audit, subjects, disk } = open()
    const gate = Promise.withResolvers<void>()
    const busy = store.transact(() => gate.promise)
    const first = audit.write(call('first'), true)
    // It is on its way, and the writer is busy.
    expect(await eventually(() => disk.attempts === 1)).toBe(true)
    const second = audit.write(call('second'), true)
    audit.write(call('third'), false)
    await Bun.sleep(5)
    expect([await isPending(first), subjects()]).toEqual([true, []])
    gate.resolve()
    await Promise.all([busy, first, second])
    expect([subjects(), disk.attempts]).toEqual([['first', 'second', 'third'], 2])
  })
  test('holds so many rows that nobody waits for, and lets every call beyond wait', async () => {
    const { store, audit, rows } = open()
    const gate = Promise.withResolvers<void>()
    const busy = store.transact(() => gate.promise)
    const waits = many(HELD_ROWS_MAX + 3).map((row) => audit.write(row, false))
    expect(waits.findIndex((wait) => wait !== undefined)).toBe(HELD_ROWS_MAX)
    await Bun.sleep(60)
    // Those that are on their way into the file count as well.
    const late = audit.write(call('late'), false)
    expect([await isPending(waits.at(-1)), await isPending(late)]).toEqual([true, true])
    gate.resolve()
    await Promise.all([busy, ...waits, late])
    expect(rows()).toHaveLength(HELD_ROWS_MAX + 4)
    expect(audit.write(call('again'), false)).toBeUndefined()
    await audit.flush()
  })
  test('refuses a detail that is no JSON to whoever made it, and takes the others', async () => {
    const { audit, subjects } = open()
    const good = audit.write(call('good'), true)
    expect(() => audit.write(call('bad', { detail: { id: 1n } }), true)).toThrow()
    await good
    expect(subjects()).toEqual(['good'])
  })
})

describe('a file that cannot be written', () => {
  const unavailable = { code: 'store_unavailable' }
  test('fails the calls that are waited for, then every call, and keeps what was answered for before', async () => {
    const { audit, disk, rows, subjects } = open()
    audit.write(call('read before'), false)
    disk.isFull = true
    await expect(audit.write(call('change'), true)).rejects.toMatchObject(unavailable)
    const reads = [audit.write(call('read 1'), false), audit.write(call('read 2'), false)]
    for (const read of reads) await expect(read).rejects.toMatchObject(unavailable)
    await expect(audit.record({ action: 'tools/call', subject: 'read 3', readOnly: true }, async () => 1)).rejects.toMatchObject(
      unavailable,
    )
    disk.isFull = false
    await audit.write(call('change again'), true)
    expect(audit.write(call('read after'), false)).toBeUndefined()
    await audit.flush()
    // What was done while it could not be written down is written down all the same.
    expect(subjects()).toEqual(['read before', 'change', 'read 1', 'read 2', 'read 3', 'change again', 'read after'])
    expect(verifyChain(rows())).toEqual({ proven: 7, old: 0 })
  })
  test('is tried again by itself, without anybody asking, and not all the time', async () => {
    const { audit, disk, subjects } = open()
    disk.isFull = true
    audit.write(call('read'), false)
    await Bun.sleep(400)
    expect(disk.attempts).toBe(2)
    disk.isFull = false
    await Bun.sleep(300)
    expect(subjects()).toEqual(['read'])
  })
  test('leaves a bounded number of rows in memory, the answered ones among them', async () => {
    const { audit, disk, subjects } = open()
    disk.isFull = true
    const answered = many(HELD_ROWS_MAX - 10)
    for (const row of answered) expect(audit.write(row, false)).toBeUndefined()
    for (let round = 0; round < 3; round += 1) {
      const waits = Array.from({ length: 500 }, (_, at) => audit.write(call(`refused ${at}`), at % 2 === 0))
      const results = await Promise.allSettled(waits)
      expect(new Set(results.slice(round === 0 ? 20 : 0).map(({ status }) => status))).toEqual(new Set(['rejected']))
    }
    disk.isFull = false
    await audit.flush()
    expect(subjects()).toHaveLength(HELD_ROWS_MAX)
    expect(subjects().slice(0, answered.length)).toEqual(answered.map(({ subject }) => subject ?? null))
  })
  test('is told of at the end', async () => {
    const { audit, disk } = open()
    audit.write(call('read'), false)
    disk.isFull = true
    await expect(audit.flush()).rejects.toMatchObject(unavailable)
    disk.isFull = false
    await audit.flush()
  })
})
