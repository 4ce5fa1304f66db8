/** How the oldest rows go, what they leave, and what whoever proves the trail finds when somebody else took some out. */
import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { createPublicKey, verify } from 'node:crypto'
import { join } from 'node:path'
import { type AuditRow, createAudit, type NewRow } from '@/audit'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import type { UserId } from '@/lib/ids.ts'
import { auditCheckpoints, auditContents, auditRows } from '@/store'
import { loneStores } from '../support/lone-store.ts'
import { sealing } from '../support/sealing.ts'

const openStore = loneStores()
const BEGAN = Date.UTC(2026, 0, 1)
const ADA = { id: 'usr_ada' as UserId, username: 'ada' }

function open() {
  const { folder, store } = openStore()
  const time = { now: BEGAN }
  const audit = createAudit({ store, sealer: sealing(), clock: () => time.now })
  const call = (at: number): NewRow => ({
    kind: 'call',
    action: 'tools/call',
    outcome: 'ok',
    subject: `row ${at}`,
    userName: 'ada',
    requestBytes: 9,
  })
  return {
    store,
    audit,
    time,
    rows: (): AuditRow[] => store.read.select().from(auditRows).orderBy(auditRows.seq).all(),
    checkpoints: () => store.read.select().from(auditCheckpoints).orderBy(auditCheckpoints.seq).all(),
    /** One an hour, each third with contents. */
    async fill(count: number) {
      for (let at = 0; at < count; at += 1) {
        audit.write(call(at), false, at % 3 === 0 ? { keeps: 'redacted', arguments: { at } } : undefined)
        time.now += HOUR_MS
      }
      await audit.flush()
    },
    /** Past our own ways, as somebody who has the file and nothing else. */
    meddle(sql: string) {
      const file = new Database(join(folder, 'toolpass.db'))
      file.run(sql)
      file.close()
    },
    proven: async () => (({ proven, contents, broken, from }) => ({ proven, contents, broken, from }))(await audit.verifying.start(ADA)),
  }
}

describe('a trail that is kept so long', () => {
  test('[TRAIL-RETENTION] loses its oldest rows with their contents, leaves a signed checkpoint, and stays proven', async () => {
    const { audit, time, rows, checkpoints, fill, proven, store } = open()
    await fill(1_000)
    await audit.retention.setPolicy(ADA, { keepDays: 10, keepMegabytes: null })
    expect(await audit.retention.sweep()).toBe(1_000 - 240)
    expect(rows()[0]?.subject).toBe('row 760')
    const kept = store.read.select().from(auditContents).orderBy(auditContents.seq).all()
    expect([kept[0]?.seq, kept.reduce((sum, each) => sum + each.rows, 0)]).toEqual([763, 80])
    const [checkpoint] = checkpoints() as [ReturnType<typeof checkpoints>[0]]
    expect(checkpoints()).toEqual([expect.objectContaining({ seq: 760, rows: 760, why: 'age' })])
    expect(await proven()).toEqual({ proven: 242, contents: 80, broken: undefined, from: { seq: 760, at: time.now } })
    // Said as acts: the change, the removal, the proof.
    expect(
      rows()
        .slice(240)
        .map(({ action, subject, userName }) => [action, subject, userName]),
    ).toEqual([
      ['audit.policy', null, 'ada'],
      ['audit.remove', 'records 1 to 760', 'Toolpass'],
      ['audit.verify', null, 'ada'],
    ])
    // Whoever has the public key can check it without us.
    const { seq, at, rows: gone, chain, why, signature } = checkpoint
    const text = JSON.stringify(['toolpass audit checkpoint v1', seq, at, gone, chain, why])
    expect(verify(null, Buffer.from(text), createPublicKey(audit.publicKey), Buffer.from(signature, 'base64url'))).toBe(true)
    // A day's rows at a time, and on from there.
    expect(await audit.retention.sweep()).toBe(0)
    time.now += DAY_MS
    expect(await audit.retention.sweep()).toBe(24)
    expect((await proven()).broken).toBeUndefined()
  })
  test('is at most so large, within what can be said from samples', async () => {
    const { audit, rows, fill, proven } = open()
    await fill(6_000)
    const before = audit.numbers.bytes()
    expect(before).toBeGreaterThan(1_250_000)
    await audit.retention.setPolicy(ADA, { keepDays: null, keepMegabytes: 1 })
    const gone = await audit.retention.sweep()
    expect(gone).toBeGreaterThan(1_000)
    expect(audit.numbers.bytes()).toBeLessThan(1_050_000)
    expect(audit.numbers.bytes()).toBeGreaterThan(800_000)
    expect(rows()).toHaveLength(6_002 - gone)
    expect((await proven()).broken).toBeUndefined()
    expect(await audit.retention.sweep()).toBe(0)
  })
  test('never loses its newest row, to which the next is tied', async () => {
    const { audit, time, rows, fill, proven } = open()
    await fill(50)
    await audit.retention.setPolicy(ADA, { keepDays: 1, keepMegabytes: null })
    time.now += 100 * DAY_MS
    await audit.retention.sweep()
    expect(rows().map(({ action }) => action)).toEqual(['audit.policy', 'audit.remove'])
    await fill(3)
    expect(await proven()).toMatchObject({ proven: 5, broken: undefined })
  })
  test('takes no days that are none', async () => {
    const { audit } = open()
    for (const policy of [
      { keepDays: 0, keepMegabytes: null },
      { keepDays: 1.5, keepMegabytes: null },
      { keepDays: null, keepMegabytes: -3 },
    ])
      await expect(audit.retention.setPolicy(ADA, policy)).rejects.toMatchObject({ code: 'invalid_form' })
    expect(await audit.retention.policy()).toEqual({ keepDays: null, keepMegabytes: null })
  })
  test('holds nobody up: calls are written between the steps of a removal', async () => {
    const { audit, time, fill, rows } = open()
    await fill(3_000)
    time.now += DAY_MS
    await audit.retention.setPolicy(ADA, { keepDays: 1, keepMegabytes: null })
    const sweep = audit.retention.sweep()
    let longest = 0
    for (let at = 0; at < 20; at += 1) {
      const began = performance.now()
      await audit.write({ kind: 'call', action: 'tools/call', outcome: 'ok', subject: 'meanwhile' }, true)
      longest = Math.max(longest, performance.now() - began)
    }
    await sweep
    expect(longest).toBeLessThan(150)
    expect(rows().filter(({ subject }) => subject === 'meanwhile')).toHaveLength(20)
    expect(await audit.verifying.start(ADA)).toMatchObject({ proven: rows().length - 1 })
  })
})

/** What is kept of rows 595 to 658, which were written together, is sealed as one. */
const OF_601 = 'seq <= 601 AND last >= 601'

describe('[TRAIL-VERIFY] whoever proves the trail finds', () => {
  const cases: readonly [string, string, { seq: number; what: string }][] = [
    ['a row that was altered', "UPDATE audit_rows SET subject = 'x' WHERE seq = 701", { seq: 701, what: 'row' }],
    ['a row that was taken out of the middle', 'DELETE FROM audit_rows WHERE seq = 701', { seq: 702, what: 'row' }],
    ['rows taken from the front without a checkpoint', 'DELETE FROM audit_rows WHERE seq < 400', { seq: 400, what: 'beginning' }],
    ['rows taken from the end', 'DELETE FROM audit_rows WHERE seq > 990', { seq: 991, what: 'end' }],
    ['contents that were altered', `UPDATE audit_contents SET sealed = zeroblob(80) WHERE ${OF_601}`, { seq: 595, what: 'contents' }],
    [
      'contents of other rows',
      `UPDATE audit_contents SET sealed = (SELECT sealed FROM audit_contents WHERE seq > 601 ORDER BY seq LIMIT 1) WHERE ${OF_601}`,
      { seq: 595, what: 'contents' },
    ],
    [
      'contents that are said to be of fewer rows',
      `UPDATE audit_contents SET last = last - 3 WHERE ${OF_601}`,
      { seq: 595, what: 'contents' },
    ],
    ['contents that were taken out', `DELETE FROM audit_contents WHERE ${OF_601}`, { seq: 595, what: 'contents' }],
  ]
  for (const [name, sql, broken] of cases)
    test(name, async () => {
      const { fill, meddle, proven, rows } = open()
      await fill(1_000)
      meddle(sql)
      expect((await proven()).broken).toEqual(broken as never)
      expect(rows().at(-1)).toMatchObject({ action: 'audit.verify', outcome: 'failed', detail: { broken } })
    })
  test('more taken from the front than the checkpoint says, and a checkpoint that was made up or altered', async () => {
    for (const [sql, broken] of [
      ['DELETE FROM audit_rows WHERE seq < 800', { seq: 800, what: 'beginning' }],
      ['UPDATE audit_checkpoints SET at = at + 1', { seq: 760, what: 'checkpoint' }],
      [
        'DELETE FROM audit_rows WHERE seq <= 900; INSERT INTO audit_checkpoints SELECT 900, at, rows, chain, why, signature FROM audit_checkpoints',
        { seq: 900, what: 'checkpoint' },
      ],
      ['DELETE FROM audit_checkpoints', { seq: 761, what: 'beginning' }],
    ] as const) {
      const { audit, fill, meddle, proven } = open()
      await fill(1_000)
      await audit.retention.setPolicy(ADA, { keepDays: 10, keepMegabytes: null })
      await audit.retention.sweep()
      for (const each of sql.split('; ')) meddle(each)
      expect([sql, (await proven()).broken]).toEqual([sql, broken as never])
    }
  })
  test('nothing where nothing was done, while rows come, and says how far it is', async () => {
    const { audit, fill, proven } = open()
    await fill(2_000)
    const running = audit.verifying.start(ADA)
    expect(audit.verifying.start(ADA)).toBe(running)
    await Bun.sleep(5)
    expect(audit.verifying.latest()?.endedAt).toBeUndefined()
    for (let at = 0; at < 10; at += 1) await audit.write({ kind: 'call', action: 'tools/call', outcome: 'ok' }, true)
    expect(await running).toMatchObject({ proven: 2_000, total: 2_000, contents: 667, by: 'ada' })
    expect(await proven()).toMatchObject({ proven: 2_011, broken: undefined })
  })
})
