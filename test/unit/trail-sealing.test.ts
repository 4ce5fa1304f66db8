/** Contents of rows that are written together are sealed together: each opens for its own row and for no other, and goes when that goes. */
import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Contents, createAudit, type NewRow } from '@/audit'
import { openedTexts } from '@/audit/sealing.ts'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import type { UserId } from '@/lib/ids.ts'
import { auditContents, openStore as openIn, type Store } from '@/store'
import { loneStores } from '../support/lone-store.ts'
import { sealing } from '../support/sealing.ts'

const openStore = loneStores()
const ADA = { id: 'usr_ada' as UserId, username: 'ada' }
const sealer = sealing()

const call = (subject: string): NewRow => ({ kind: 'call', action: 'tools/call', outcome: 'ok', subject, requestBytes: 9 })
const asked = (marker: string): Contents => ({ keeps: 'redacted', arguments: { marker } })

function open(store: Store, folder: string) {
  const time = { now: Date.UTC(2026, 0, 1) }
  const audit = createAudit({ store, sealer, clock: () => time.now })
  return {
    ...{ audit, time, folder, store },
    groups: () => store.read.select().from(auditContents).orderBy(auditContents.seq).all(),
    meddle(sql: string) {
      const file = new Database(join(folder, 'toolpass.db'))
      file.run(sql)
      file.close()
    },
    /** One an hour, all of them written together; of each third nothing is kept. */
    async fill(count: number) {
      for (let at = 1; at <= count; at += 1) {
        audit.write(call(`${at}`), false, at % 3 === 0 ? undefined : asked(`row-${at}`))
        time.now += HOUR_MS
      }
      await audit.flush()
    },
  }
}
const opened = () => {
  const { store, folder } = openStore()
  return open(store, folder)
}

describe('[TRAIL-CONTENTS] rows that are written together', () => {
  test('have one seal for up to 64 of them, and each its own contents', async () => {
    const { audit, fill, groups } = opened()
    await fill(200)
    expect(groups().map(({ seq, last, rows }) => [seq, last, rows])).toEqual([
      [1, 64, 43],
      [65, 128, 43],
      [130, 193, 43],
      [194, 200, 5],
    ])
    for (let seq = 1; seq <= 200; seq += 1)
      expect([seq, (await audit.contentsOf(seq))?.arguments]).toEqual([seq, seq % 3 === 0 ? undefined : `{"marker":"row-${seq}"}`])
    expect(await audit.verifying.start(ADA)).toMatchObject({ proven: 200, contents: 134 })
  })
  test('share it with fewer where they are large', async () => {
    const { audit, groups } = opened()
    const text = 'word '.repeat(6_000)
    for (let at = 0; at < 20; at += 1) audit.write(call(`${at}`), false, { keeps: 'redacted', result: { text } })
    await audit.flush()
    expect(groups().map(({ rows }) => rows)).toEqual([5, 5, 5, 5])
    expect((await audit.contentsOf(7))?.result).toBe(JSON.stringify({ text }))
  })
})

describe('[TRAIL-RETENTION] what is kept of a row', () => {
  test('goes with it, also where rows stay with which it is sealed', async () => {
    const { audit, time, fill, groups } = opened()
    await fill(200)
    for (const [days, first] of [
      [5, 82],
      [4, 107],
      [3, 132],
    ] as const) {
      time.now += HOUR_MS
      await audit.retention.setPolicy(ADA, { keepDays: days, keepMegabytes: null })
      await audit.retention.sweep(true)
      expect([days, audit.numbers.first()]).toEqual([days, first])
      const kept = groups().flatMap((group) => [...openedTexts(sealer, group)])
      expect(kept.map(([seq]) => seq)).toEqual(range(first, 200).filter((seq) => seq % 3 !== 0))
      for (const [seq, text] of kept) expect(text).toBe(`redacted\n{"marker":"row-${seq}"}\n`)
      expect((await audit.verifying.start(ADA)).broken).toBeUndefined()
    }
    expect(groups()[0]?.seq).toBe(133)
  })
  test('and does not open holds up no removal, and is still found by whoever proves the trail', async () => {
    const { audit, fill, groups, meddle } = opened()
    await fill(200)
    meddle('UPDATE audit_contents SET sealed = zeroblob(80) WHERE seq = 65')
    await audit.retention.setPolicy(ADA, { keepDays: 5, keepMegabytes: null })
    expect(await audit.retention.sweep()).toBe(80)
    expect(groups()[0]?.seq).toBe(65)
    expect((await audit.verifying.start(ADA)).broken).toEqual({ seq: 82, what: 'contents' })
    await audit.retention.setPolicy(ADA, { keepDays: 3, keepMegabytes: null })
    expect(await audit.retention.sweep(true)).toBeGreaterThan(47)
    expect(groups()[0]?.seq).toBe(130)
  })
})

test('[TRAIL-CONTENTS] what was sealed before there were groups opens, is proven, and goes', async () => {
  const { folder, shipped } = emptyFolder()
  const before = join(folder, 'migrations')
  cpSync(shipped, before, { recursive: true })
  for (const name of readdirSync(before)) if (name >= '0007') rmSync(join(before, name), { recursive: true })
  const old = openIn(folder, before)
  await old.close()
  const texts = [1, 2, 3].map((seq) => ({ seq, text: `redacted\n{"marker":"row-${seq}"}\n` }))
  const file = new Database(join(folder, 'toolpass.db'))
  for (const { seq, text } of texts) {
    const { bytes, key } = sealer.seal(text, { table: 'audit_contents', row: `${seq}`, column: 'sealed', owner: '', version: 1 })
    file.run("INSERT INTO audit_contents (seq, keeps, sealed, sealed_key) VALUES (?, 'redacted', ?, ?)", [seq, bytes, key])
  }
  file.close()
  const store = openIn(folder)
  const { audit, time, groups } = open(store, folder)
  expect(groups().map(({ seq, last, rows }) => [seq, last, rows])).toEqual([1, 2, 3].map((seq) => [seq, seq, 1]))
  for (const { seq } of texts) expect((await audit.contentsOf(seq))?.arguments).toBe(`{"marker":"row-${seq}"}`)
  // Their rows, beside which they stood already.
  const standing = store.read.select().from(auditContents).all()
  await store.transact((tx) => tx.delete(auditContents))
  for (const { seq } of texts) {
    audit.write(call(`${seq}`), false, asked(`row-${seq}`))
    time.now += DAY_MS
  }
  await audit.flush()
  await store.transact(async (tx) => {
    await tx.delete(auditContents)
    await tx.insert(auditContents).values(standing)
  })
  expect(await audit.verifying.start(ADA)).toMatchObject({ proven: 3, contents: 3 })
  await audit.retention.setPolicy(ADA, { keepDays: 2, keepMegabytes: null })
  await audit.retention.sweep()
  expect(groups().map(({ seq }) => seq)).toEqual([2, 3])
  await store.close()
  rmSync(folder, { recursive: true })
})

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at)
function emptyFolder() {
  return { folder: mkdtempSync(join(tmpdir(), 'toolpass-')), shipped: join(import.meta.dir, '../../migrations') }
}
